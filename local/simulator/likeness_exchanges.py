"""
Recorded exchanges as values: one JSON object per line, grouped by the file they were recorded into.

The recordings come from several recorders with their own habits, so reading is tolerant: a line that is no exchange
becomes a `BadLine` with its number and a reason, and everything optional may be missing or null.
"""

import ast
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

MASKED_VERSIONS = frozenset({"", "0000-00-00"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One recorded request with its answer. Header names are lower-cased."""

    line: int
    id: str
    snapshot: str
    source_file: str
    index: int
    op: str
    method: str
    path: str
    """Path with query, as recorded."""
    request_headers: Mapping[str, str]
    request_body: Any
    status: int
    headers: Mapping[str, str]
    body: Any
    at: datetime | None

    @property
    def plain_path(self) -> str:
        """The path without its query, percent-decoded and without a trailing slash."""
        return unquote(urlsplit(self.path).path).rstrip("/")

    @property
    def api_version(self) -> str:
        pairs = parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
        found = next((value for key, value in pairs if key.lower() == "api-version"), "")
        return "" if found in MASKED_VERSIONS else found

    @property
    def place(self) -> str:
        """Where to find this exchange again."""
        return f"line {self.line}: {self.source_file}#{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that is no exchange."""

    line: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Everything that one file of exchanges holds."""

    sources: tuple[tuple[Exchange, ...], ...]
    """Per source file, in recorded order."""
    bad_lines: tuple[BadLine, ...]


def read(lines: Iterable[str]) -> Recording:
    """Read JSON lines; blank lines are skipped."""
    sources: dict[str, list[Exchange]] = {}
    bad: list[BadLine] = []
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        found = _exchange(number, text)
        if isinstance(found, BadLine):
            bad.append(found)
        else:
            sources.setdefault(f"{found.snapshot} {found.source_file}", []).append(found)
    ordered = tuple(tuple(sorted(each, key=lambda item: (item.index, item.line))) for each in sources.values())
    return Recording(sources=ordered, bad_lines=tuple(bad))


def _exchange(number: int, text: str) -> Exchange | BadLine:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as problem:
        return BadLine(line=number, why=f"not JSON: {problem}")
    if not isinstance(record, dict):
        return BadLine(line=number, why=f"a JSON {type(record).__name__} instead of an object")
    method, path, status = record.get("method"), record.get("path"), record.get("status")
    if not isinstance(method, str) or not method.strip():
        return BadLine(line=number, why="no method")
    if not isinstance(path, str) or not path.startswith("/"):
        return BadLine(line=number, why="no path that starts with a slash")
    if not _readable(path):
        return BadLine(line=number, why="the path is no URL path")
    if isinstance(status, bool) or not isinstance(status, int) or not 100 <= status <= 599:
        return BadLine(line=number, why="no HTTP status")
    index = record.get("index")
    return Exchange(
        line=number,
        id=str(record.get("id", number)),
        snapshot=_text(record.get("snapshot"), "unnamed"),
        source_file=_text(record.get("source_file"), "unnamed"),
        index=index if isinstance(index, int) else number,
        op=_text(record.get("op"), "unnamed"),
        method=method.strip().upper(),
        path=path,
        request_headers=_headers(record.get("request_headers")),
        request_body=_body(record.get("request_body")),
        status=status,
        headers=_headers(record.get("response_headers")),
        body=_body(record.get("response_body")),
        at=_moment(record.get("timestamp")),
    )


def _readable(path: str) -> bool:
    try:
        urlsplit(path)
    except ValueError:
        return False
    return True


def _text(value: Any, otherwise: str) -> str:
    return value if isinstance(value, str) and value else otherwise


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(name).lower(): _header_text(text) for name, text in value.items()}


def _header_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return "" if value is None else str(value)


def _body(value: Any) -> Any:
    """JSON where it can be had: some recorders kept the text of a body, some even Python's notation of its bytes."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:2] in ("b'", 'b"'):
        text = _unquoted(text)
    if text[:1] not in ("{", "["):
        return value or None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return value


def _unquoted(text: str) -> str:
    try:
        content = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else text


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
