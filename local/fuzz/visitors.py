"""Parsers of what browsers and other callers send besides the operations of the HTTP API, and of what is written for them."""

import json
import re
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from types import MappingProxyType

import azure.functions as func

from handlers.dashboard_identity import Roles, principal_of, rights_of_key
from handlers.dashboard_request import read_ask
from handlers.dashboard_session import Purpose, Sessions
from handlers.http_caller import caller_of
from handlers.http_request import path_of, site_of
from local.fuzz.answers import at_once
from shared.core.errors import InvalidInput
from shared.core.legible import legible
from shared.core.reports_csv import harmless
from shared.core.reports_html import escape
from shared.core.reports_sarif import plain
from shared.core.traces import correlation_of, traceparent
from shared.engine.session_ports import SigningKey

_NOW = datetime(2026, 1, 5, tzinfo=UTC)
_KEY = SigningKey(id="2026-01-05", secret=b"of nobody else")
_ROLES = Roles(reading="Reader", acting="Operator")
_FORMULA = ("=", "+", "-", "@")


class _Clock:
    def now(self) -> datetime:
        return _NOW

    async def sleep(self, duration: timedelta) -> None: ...


class _Keyring:
    async def current(self) -> SigningKey:
        return _KEY

    async def find(self, key: str) -> SigningKey | None:
        return _KEY if key == _KEY.id else None


class _Page(HTMLParser):
    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        raise AssertionError(f"a word became <{tag}>")


def parse_dashboard(data: bytes) -> None:
    """A browser's request: the same text in the address, the path, the query, the form and the cookie."""
    text = data.decode("utf-8", errors="surrogateescape")
    headers = MappingProxyType({"cookie": text, "content-type": "application/x-www-form-urlencoded"})
    for method in ("GET", "POST", text):
        for path in ("", "sign-in", text, f"registries/{text}", f"registries/{text}/act/undo"):
            request = func.HttpRequest(
                method=method,
                url=f"https://{text}",
                headers=headers,
                params={text: text, "page": text},
                route_params={"path": path},
                body=data,
            )
            path_of(request)
            site_of(request)
            with suppress(InvalidInput):
                read_ask(request).cookie("isolation")


def parse_sessions(data: bytes) -> None:
    """Words that claim to be signed: none of them is good."""
    text = data.decode("utf-8", errors="surrogateescape")
    sessions = Sessions(_Keyring(), _Clock())
    for word in (text, f"{_KEY.id}.{text}", f"{_KEY.id}.{text}.{'0' * 64}"):
        for found in (sessions.visitor(word), sessions.session(word)):
            if at_once(found) is not None:
                raise AssertionError(f"{word!r} is believed for a {Purpose.SESSION}")


def parse_callers(data: bytes) -> None:
    """Headers that say who asks, and of which chain of work: the same text in all of them, encoded and not."""
    text = data.decode("utf-8", errors="surrogateescape")
    claims = json.dumps({"claims": [{"typ": "roles", "val": text}], "role_typ": text}).encode()
    for principal in (text, b64encode(data).decode(), b64encode(claims).decode()):
        headers = dict.fromkeys(("x-ms-client-principal-id", "x-ms-client-principal-name", "x-functions-key"), text)
        visitor = principal_of({**headers, "x-ms-client-principal": principal}, _ROLES)
        for easy in (True, False):
            caller = caller_of(headers, {"code": text}, easy_auth=easy, key_names={})
            rights_of_key(caller, ("ops",), only_read=False)
            if not caller or not caller.isprintable() or (visitor is not None and not visitor.caller.isprintable()):
                raise AssertionError(f"a caller called {caller!r}")
    if (trace := traceparent(text)) and len(correlation_of(trace)) != 32:
        raise AssertionError(trace)


def parse_words(data: bytes) -> None:
    """Words of others on their way out, into pages, tables and reports: they stay words."""
    text = data.decode("utf-8", errors="surrogateescape")
    _Page().feed(escape(text))
    if legible(legible(text)) != legible(text):
        raise AssertionError(f"{text!r} changes again")
    for cell in re.split(r"[;\t\r\n]", harmless(text)):
        if cell.lstrip("\x00 \ufeff").startswith(_FORMULA):
            raise AssertionError(f"{cell!r} is a formula")
    plain(text)
