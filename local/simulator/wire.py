"""
Requests and answers as they cross the wire, so that every front speaks to the same world in the same two types.

Both are immutable. A request carries an absolute URL; its path keeps the caller's casing and is percent-decoded, its
query keys are lower-cased because Resource Manager reads them without regard to case.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

type JsonObject = dict[str, Any]

JSON_CONTENT = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `url` is absolute; `path` and `query` are derived from it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    path: str = field(init=False, compare=False)
    query: dict[str, str] = field(init=False, compare=False)
    _headers: dict[str, str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        object.__setattr__(self, "path", unquote(parts.path))
        object.__setattr__(
            self, "query", {key.lower(): value for key, value in parse_qsl(parts.query, keep_blank_values=True)}
        )
        object.__setattr__(self, "_headers", {key.lower(): value for key, value in self.headers.items()})

    def header(self, name: str) -> str:
        """The header's value, whatever its casing; empty when it is absent."""
        return self._headers.get(name.lower(), "")

    def json(self) -> Any:
        """The body as JSON; `json.JSONDecodeError` when it is not."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """
    One answer. Header names keep the service's casing; look them up with `header`.

    `delay` is the number of seconds that a front lets pass before it hands the answer over (a scripted slow answer).
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0

    @classmethod
    def of(cls, status: int, value: Any, headers: Mapping[str, str] | None = None) -> "Response":
        """A JSON answer with the content type that most providers send."""
        content = json.dumps(value, separators=(",", ":")).encode()
        return cls(status, {"Content-Type": JSON_CONTENT, **(headers or {})}, content)

    @classmethod
    def empty(cls, status: int, headers: Mapping[str, str] | None = None) -> "Response":
        """An answer without a body."""
        return cls(status, {"Content-Length": "0", **(headers or {})})

    def header(self, name: str) -> str:
        """The header's value, whatever its casing; empty when it is absent."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")

    def json(self) -> Any:
        """The body as JSON; `None` for an empty body."""
        return json.loads(self.body) if self.body else None

    def with_headers(self, headers: Mapping[str, str]) -> "Response":
        """The same answer with further headers; those already set win."""
        return Response(self.status, {**headers, **self.headers}, self.body, self.delay)
