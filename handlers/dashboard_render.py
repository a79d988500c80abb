"""
Turn values into pages: templates, everything escaped, nothing undefined.

Beside the templates lie one style sheet and one icon; pages refer to them by a hash of their content, so that a browser keeps
them for as long as they are the same.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from handlers.dashboard_request import ROOT
from shared.core.arm import ResourceId
from shared.core.legible import legible

FOLDER = Path(__file__).parent / "web"
FILES = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
_DIGITS = 16
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@cache
def file(name: str) -> bytes:
    """The content of one of FILES."""
    return (FOLDER / name).read_bytes()


@cache
def version(name: str) -> str:
    """A hash of that content."""
    return sha256(file(name)).hexdigest()[:_DIGITS]


@cache
def script() -> str:
    """The sign-in page's script; every other page has none."""
    return (FOLDER / "sign_in.js").read_text(encoding="utf-8")


@cache
def script_source() -> str:
    """The script as `script-src` names it."""
    return f"'sha256-{b64encode(sha256(script().encode()).digest()).decode()}'"


@cache
def environment() -> Environment:
    """The templates."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        keep_trailing_newline=True,
    )
    made.globals |= {"root": ROOT, "version": version, "place": place, "query": query}
    made.filters |= {"iso": iso, "moment": moment, "day": day, "number": number, "took": took, "plain": plain}
    return made


def _shown(value: object) -> object:
    """*value* as a page shows it; what is markup already was made here, and of values that were shown like this."""
    return legible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def render(template: str, **values: Any) -> str:
    """The page that *template* makes of *values*."""
    return environment().get_template(template).render(**values)


def prepare(template: str) -> None:
    """Compile *template* now, for whoever asks for it next."""
    environment().get_template(template)


def place(registry: ResourceId, *more: str) -> str:
    """Where the dashboard shows *registry*: made of its checked id, never of what a client asked for."""
    parts = ("registries", registry.subscription, registry.resource_group, registry.name, *more)
    return "/".join((ROOT, *(quote(part, safe="") for part in parts)))


def explained(findings_page: str) -> str:
    """Where findings are explained: at the address that the installation names, else by the app itself."""
    return findings_page or f"{ROOT}/findings"


def query(values: Mapping[str, object], **changed: object) -> str:
    """*values* with some *changed*, as the query of an address; what is empty is left out."""
    kept = {name: str(value) for name, value in {**values, **changed}.items() if value}
    return f"?{urlencode(kept)}" if kept else "?"


def iso(at: datetime) -> str:
    """For a machine."""
    return at.isoformat(timespec="seconds")


def moment(at: datetime, now: datetime) -> str:
    """For a person: how long ago, or in how long."""
    seconds = (now - at).total_seconds()
    told = took(timedelta(seconds=abs(seconds)))
    if abs(seconds) < 1:
        return "now"
    return f"{told} ago" if seconds > 0 else f"in {told}"


def took(duration: timedelta | float | None) -> str:
    """A duration in its largest unit."""
    if duration is None:
        return ""
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.0f} h"
    return f"{seconds / _DAY:.0f} days"


def day(at: datetime) -> str:
    """Day and time in UTC."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def number(value: int) -> str:
    """With thin groups of three digits."""
    return f"{value:,}".replace(",", "\u202f")


def plain(value: object) -> str:
    """A JSON value on one line, as a person reads it."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
