"""
Settings of the dashboard: who may read there and who may act.

Described as `shared.settings` describes all of them, which reads these as well.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PLATFORM_AUTH = "WEBSITE_AUTH_ENABLED"
"""Set by App Service while its authentication is loaded."""

EVERY_KEY = "*"
_NO_KEY = "-"
_ROLE = re.compile(r"[!-~]{1,120}", re.ASCII)
_NAME = re.compile(r"[\w .@-]{1,64}")


def _setting(name: str, default: str, parse: Callable[[str], object]) -> dict[str, Any]:
    return {"name": name, "default": default, "parse": parse}


def _role(raw: str) -> str:
    if not _ROLE.fullmatch(raw):
        raise ValueError(f"is {raw!r}; the value of an app role is needed, such as Registry.Read")
    return raw


def _acting_keys(raw: str) -> tuple[str, ...]:
    if raw in {EVERY_KEY, _NO_KEY}:
        return (EVERY_KEY,) if raw == EVERY_KEY else ()
    names = tuple(dict.fromkeys(name for part in raw.split(",") if (name := part.strip())))
    if not all(map(_NAME.fullmatch, names)):
        raise ValueError("must hold names of keys, as ISOLATION_KEY_NAMES gives them; * for all of them, - for none")
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """Who may do what on the dashboard."""

    read_role: str = field(metadata=_setting("ISOLATION_READ_ROLE", "Registry.Read", _role))
    """App role of principals that may read, under App Service authentication. Default: Registry.Read."""

    act_role: str = field(metadata=_setting("ISOLATION_ACT_ROLE", "Registry.Act", _role))
    """App role of principals that may act as well. Default: Registry.Act."""

    acting_keys: tuple[str, ...] = field(metadata=_setting("ISOLATION_ACTING_KEYS", EVERY_KEY, _acting_keys))
    """
    Which holders of function keys may act, by the names of ISOLATION_KEY_NAMES: `alice-laptop,bob`, `*` for every one, `-` for
    none. Default: *, because a key opens the whole HTTP API anyway; a session in a browser can be given less.
    """
