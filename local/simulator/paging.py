"""Lists in pages, with a `nextLink` that carries an opaque position, as Resource Manager hands them out."""

from collections.abc import Iterable
from itertools import islice
from urllib.parse import quote, urlencode, urlsplit

from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.wire import JsonObject, Response

PAGE = 1000
"""Resource Manager's own page size for resources; most providers use less."""


def page(call: Call, endpoint: str, rows: Iterable[JsonObject], *, size: int = PAGE) -> Response:
    """One page of *rows*: `$top` and `$skipToken` of the call are honoured; `nextLink` only when there is more."""
    query = call.request.query
    size = min(size, _number(query.get("$top", ""), size))
    start = _number(query.get("$skiptoken", ""), 0)
    found = list(islice(rows, start, start + size + 1))
    answer: JsonObject = {"value": found[:size]}
    if len(found) > size:
        kept = {key: value for key, value in query.items() if key != "$skiptoken"}
        kept["$skiptoken"] = str(start + size)
        path = quote(urlsplit(call.request.url).path, safe="/%")
        answer["nextLink"] = f"{endpoint}{path}?{urlencode(kept, safe='$')}"
    return Response.of(200, answer)


def _number(text: str, default: int) -> int:
    if not text:
        return default
    if not text.isdigit():
        raise ArmError(400, "InvalidQueryParameter", f"'{text}' is not a position in this list.", shape=Shape.GATEWAY)
    return int(text)
