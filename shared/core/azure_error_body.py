"""
Read what Azure says in an error body, in any of the shapes its services use.

At least seven shapes are on record: `{"error": {...}}`, the same without its wrapper (Private DNS), `{"Error":
{"Code"}}` (resource group deletion), `{"ErrorResponse": {"error": ...}}`, Machine Learning's chain of `innerError`s,
the Tables service's `odata.error`, and HTML, XML or nothing at all from a gateway. A failed long operation puts the
first one beside a `status`. This module flattens all of them into one list of code and message; what a code means is
not its business.

Everything here is untrusted text: walks and texts are bounded, control characters and signed queries are removed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from shared.core.secrets import without_secrets

MESSAGE_LENGTH = 300
"""Characters of Azure's own message that a sentence may quote."""

_TEXT_LENGTH = 8_000
_MOST_DEPTH = 12
_MOST_ERRORS = 64
_MOST_DELAY = timedelta(hours=1)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+")
_QUERY = re.compile(r"(https?://[^\s?'\"]{1,500})\?[^\s'\"]*")
_TAG = re.compile(r"<(?:style|script)\b.{0,4000}?</(?:style|script)>|<[^<>]{0,2000}>", re.IGNORECASE | re.DOTALL)
_SPACES = re.compile(r"\s+")
_WRAPPERS = ("error", "errorresponse", "odata.error", "errorentity")
_NESTED = ("details", "innererror", "errors")
_DELAY_IN_TEXT = re.compile(
    r"\b(?:retry|retried|try again)\b[^.\d]{0,40}?\b(?:in|after)\s+['\"]?(?P<number>\d{1,7}(?:\.\d{1,3})?)['\"]?\s*"
    r"(?P<unit>milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|hours?)\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})")
_UNIT_SECONDS = {"ms": 0.001, "mi": 60.0, "ho": 3600.0, "s": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """
    One error object of a body.

    Attributes:
        code: Azure's code as received, "" if it gave none.
        message: Azure's text, cleaned, not yet shortened.
        depth: How deeply it was nested; the outermost is 0.
    """

    code: str
    message: str
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureAnswer:
    """
    Everything an error body says.

    Attributes:
        errors: Outermost first; never empty.
        status: The `status` of a long operation's answer ("Failed", "Canceled"), else "".
        policies: Names of the policy assignments that refused, as far as they were told apart.
    """

    errors: tuple[Said, ...]
    status: str
    policies: tuple[str, ...]


def read_answer(body: object, headers: Mapping[str, str]) -> AzureAnswer:
    """Flatten *body*: parsed JSON, a text (JSON, HTML, XML or plain) or None."""
    parsed = _parsed(body)
    errors: list[Said] = []
    policies: list[str] = []
    if isinstance(parsed, str):
        errors.append(Said(code="", message=_clean(_TAG.sub(" ", parsed[:_TEXT_LENGTH])), depth=0))
    else:
        _walk(parsed, 0, errors, policies)
    header_code = header(headers, "x-ms-error-code")
    if header_code and not any(said.code for said in errors):
        errors.insert(0, Said(code=_clean(header_code), message="", depth=0))
    status = _folded(parsed).get("status", "") if isinstance(parsed, dict) else ""
    return AzureAnswer(
        errors=tuple(errors) or (Said(code="", message="", depth=0),),
        status=status if isinstance(status, str) else "",
        policies=tuple(dict.fromkeys(policies)),
    )


def quoted(message: str) -> str:
    """*message* as a sentence may quote it: one line, no signed query, at most MESSAGE_LENGTH characters."""
    text = _clean(message)
    return text if len(text) <= MESSAGE_LENGTH else f"{text[: MESSAGE_LENGTH - 3]}..."


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, its name compared without case; "" if absent."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def told_delay(headers: Mapping[str, str], text: str, *, now: datetime | None = None) -> timedelta | None:
    """
    How long Azure asks to wait, from its headers or, where it says so only there, from its text.

    Args:
        headers: Of the answer.
        text: The messages of the answer.
        now: What an HTTP date in Retry-After is measured from; the answer's own Date header if None.

    Returns:
        More than zero and at most an hour, or None if nothing was asked.
    """
    for seconds in _asked_seconds(headers, text, now):
        if seconds > 0:
            return min(timedelta(seconds=seconds), _MOST_DELAY)
    return None


def _asked_seconds(headers: Mapping[str, str], text: str, now: datetime | None) -> Iterator[float]:
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        yield _number(header(headers, name)) / 1000
    after = header(headers, "retry-after")
    yield _number(after) or _seconds_until(after, header(headers, "date"), now)
    # Resource Graph tells its quota this way instead (documentation of its throttling).
    clock = _CLOCK.fullmatch(header(headers, "x-ms-user-quota-resets-after").strip())
    if clock:
        hours, minutes, seconds = (int(part) for part in clock.groups())
        yield hours * 3600 + minutes * 60 + seconds
    spoken = _DELAY_IN_TEXT.search(text[:_TEXT_LENGTH])
    if spoken:
        unit = spoken["unit"].lower()
        short = "ms" if unit.startswith(("ms", "milli")) else unit[:2] if unit[:2] in _UNIT_SECONDS else "s"
        yield float(spoken["number"]) * _UNIT_SECONDS[short]


def _number(text: str) -> float:
    trimmed = text.strip()
    return float(trimmed) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", trimmed, re.ASCII) else 0.0


def _seconds_until(after: str, date: str, now: datetime | None) -> float:
    then = _http_date(after)
    start = now or _http_date(date)
    return (then - start).total_seconds() if then and start else 0.0


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # an offset of years overflows
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parsed(body: object) -> object:
    if isinstance(body, bytes):
        body = body[: _TEXT_LENGTH * 8].decode("utf-8", errors="replace")
    if isinstance(body, str) and body.lstrip("\ufeff \r\n\t").startswith("{"):
        try:
            return json.loads(body.lstrip("\ufeff"))
        except (ValueError, RecursionError):
            return body
    return body


def _folded(value: Mapping[Any, Any]) -> dict[str, object]:
    return {key.lower(): member for key, member in value.items() if isinstance(key, str)}


def _walk(value: object, depth: int, errors: list[Said], policies: list[str]) -> None:
    if depth > _MOST_DEPTH or len(errors) >= _MOST_ERRORS:
        return
    if isinstance(value, list):
        for item in value[:_MOST_ERRORS]:
            _walk(item, depth + isinstance(item, list), errors, policies)
        return
    if not isinstance(value, dict):
        return
    members = _folded(value)
    _note(members, depth, errors)
    policies.extend(_refusing_policies(members.get("additionalinfo")))
    for name in _WRAPPERS:
        _walk(members.get(name), depth, errors, policies)
    for name in _NESTED:
        _walk(members.get(name), depth + 1, errors, policies)
    properties = members.get("properties")
    if isinstance(properties, dict):
        _walk(_folded(properties).get("error"), depth, errors, policies)
    _walk(_embedded(members.get("message")), depth + 1, errors, policies)


def _note(members: Mapping[str, object], depth: int, errors: list[Said]) -> None:
    code, message = members.get("code"), members.get("message")
    if isinstance(message, dict):  # Tables: {"lang": ..., "value": ...}
        message = _folded(message).get("value")
    code = str(code) if isinstance(code, (str, int)) and not isinstance(code, bool) else ""
    message = message if isinstance(message, str) else ""
    if code or message:
        errors.append(Said(code=_clean(code)[:100], message=_clean(message), depth=depth))


def _embedded(message: object) -> object:
    """An error that a service forwarded inside its own message, as JSON text."""
    if not isinstance(message, str) or '{"error"' not in message:
        return None
    start = message.index('{"error"')
    try:
        return json.JSONDecoder().raw_decode(message[start : start + _TEXT_LENGTH])[0]
    except (ValueError, RecursionError):
        return None


def _refusing_policies(additional: object) -> Iterator[str]:
    for item in additional if isinstance(additional, list) else []:
        info = _folded(item).get("info") if isinstance(item, dict) else None
        if isinstance(info, dict):
            members = _folded(info)
            name = members.get("policyassignmentdisplayname") or members.get("policyassignmentname")
            if isinstance(name, str):
                yield _clean(name)[:200]


def _clean(text: str) -> str:
    flat = _SPACES.sub(" ", _CONTROL.sub(" ", text[:_TEXT_LENGTH]))
    return without_secrets(_QUERY.sub(r"\1", flat)).strip()
