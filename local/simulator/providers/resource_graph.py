"""
Microsoft.ResourceGraph/resources: asks the index behind `azure.graph`.

As recorded: fifteen queries in five seconds per principal, counted down in x-ms-user-quota-remaining from the first one
on, and errors that name what is wrong in `details`. Fewer subscriptions than were asked for are answered without a word.
A page has at most 1000 rows, which is also the default (documentation of large result sets). Whoever asks without
`order by` gets another order each time, so that its pages overlap and leave gaps.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.kernel import Kernel
from local.simulator.resource_graph import ResourceGraph
from local.simulator.resource_graph_query import Query, compiled
from local.simulator.resource_graph_quota import refusal
from local.simulator.resource_graph_tokens import QueryError
from local.simulator.resource_graph_values import Kind, Row
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response

READ = "Microsoft.ResourceGraph/resources/read"
LARGEST_PAGE = 1000
LARGEST_ANSWER = 16_777_216
"""Bytes of an answer, as the message of ResponsePayloadTooLarge says."""
VERSIONS = ("2021-03-01", "2022-10-01", "2024-04-01")

_FORMATS = ("objectArray", "table")
_TABLE_TYPES = {
    Kind.STRING: "string",
    Kind.LONG: "integer",
    Kind.REAL: "number",
    Kind.BOOL: "boolean",
    Kind.DYNAMIC: "object",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request, checked."""

    query: str
    subscriptions: tuple[str, ...] | None
    top: int
    skip: int
    token: str
    table: bool


def _demand_right(azure: Kernel, call: Call) -> None:
    """The right is held somewhere; where it is not, rows are left out instead."""
    azure.rbac.demand_anywhere(call.principal, READ)


def _demand_version(call: Call) -> None:
    if call.api_version not in VERSIONS:
        raise ArmError(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for API version '{call.api_version}' for type 'resources'. The "
            f"supported api-versions are '{', '.join(VERSIONS)}'.",
        )


# -- reading the request -----------------------------------------------------------------------------------------------


def _wish(azure: Kernel, call: Call) -> Wish:
    body = call.body or {}
    if body.get("managementGroups"):
        raise ArmError(501, "NotSimulated", "The simulated Azure has no management groups; name subscriptions instead.")
    if body.get("facets"):
        raise ArmError(501, "NotSimulated", "The simulated Resource Graph computes no facets.")
    query, options = body.get("query"), body.get("options") or {}
    if not isinstance(query, str) or not query.strip():
        raise _invalid(azure, "The request has no query.")
    if not isinstance(options, dict):
        raise _invalid(azure, "The options of the request are no object.")
    top = _number(azure, options, "$top", LARGEST_PAGE)
    if not 1 <= top <= LARGEST_PAGE:
        raise _invalid(azure, f"$top must be from 1 to {LARGEST_PAGE}, not {top}.")
    return Wish(
        query=query,
        subscriptions=_subscriptions(azure, body.get("subscriptions")),
        top=top,
        skip=_number(azure, options, "$skip", 0),
        token=str(options.get("$skipToken") or ""),
        table=_format(azure, options) == "table",
    )


def _number(azure: Kernel, options: JsonObject, name: str, default: int) -> int:
    value = options.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _invalid(azure, f"{name} must be a number that is not negative, not {value!r}.")
    return value


def _format(azure: Kernel, options: JsonObject) -> str:
    chosen = str(options.get("resultFormat") or _FORMATS[0])
    if chosen not in _FORMATS:
        raise _invalid(azure, f"resultFormat must be {' or '.join(_FORMATS)}, not {chosen!r}.")
    return chosen


def _subscriptions(azure: Kernel, given: Any) -> tuple[str, ...] | None:
    """The subscriptions of the request; `None` stands for every one."""
    if given is None or given == []:
        return None
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise _invalid(azure, "subscriptions must be a list of subscription ids.")
    return tuple(given)


# -- answering ---------------------------------------------------------------------------------------------------------


def _answered(azure: Kernel, call: Call, wish: Wish) -> JsonObject:
    asked = wish.subscriptions if wish.subscriptions is not None else tuple(azure.subscriptions)
    tables = azure.graph.tables(call.principal, asked)
    start = _start(azure, wish)
    try:
        query = compiled(wish.query, tables)
        _demand_eligible(azure, call, asked)
        rows = query.run()
    except QueryError as problem:
        raise _query_refused(azure, problem) from problem
    if query.limited and not wish.token:
        start = 0
    page = rows[start : start + wish.top]
    left = start + len(page) < len(rows)
    weather = azure.graph.weather
    lacking = weather.partial and weather.announced
    answer: JsonObject = {
        "totalRecords": len(rows),
        "count": len(page),
        "data": _table(query, page) if wish.table else page,
        "facets": [],
        "resultTruncated": "true" if lacking or (left and not query.pageable) else "false",
    }
    if left and query.pageable:
        answer["$skipToken"] = _token(wish, start + len(page))
    return answer


def _demand_eligible(azure: Kernel, call: Call, subscriptions: Sequence[str]) -> None:
    """
    One of the subscriptions is there and the caller holds any role in it; about the others nobody is told.

    Raises:
        ArmError: 400 with NoValidSubscriptionsInQueryRequest (reported by users of the Azure CLI).
    """
    held = [f"{each.scope.rstrip('/').lower()}/" for each in call.principal.assignments]
    for each in subscriptions:
        key = each.lower()
        if key in azure.subscriptions and any(
            scope == "/" or scope.startswith(f"/subscriptions/{key}/") for scope in held
        ):
            return
    reason = "There must be at least one subscription that is eligible to contain resources."
    details = {"code": "NoValidSubscriptionsInQueryRequest", "message": reason}
    raise refusal(400, "BadRequest", azure.world.now, details)


def _table(query: Query, rows: list[Row]) -> JsonObject:
    columns = [{"name": name, "type": _TABLE_TYPES[kind]} for name, kind in query.columns.items()]
    return {"columns": columns, "rows": [[row[name] for name in query.columns] for row in rows]}


def _fingerprint(wish: Wish) -> str:
    content = json.dumps([wish.query, wish.subscriptions])
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()


def _token(wish: Wish, position: int) -> str:
    content = json.dumps({"at": position, "of": _fingerprint(wish)})
    return base64.urlsafe_b64encode(content.encode()).decode()


def _start(azure: Kernel, wish: Wish) -> int:
    """The row at which the page begins; a token belongs to one query."""
    if not wish.token:
        return wish.skip
    try:
        content = json.loads(base64.urlsafe_b64decode(wish.token))
        position, of = int(content["at"]), content["of"]
    except (ValueError, KeyError, TypeError) as problem:
        raise _invalid(azure, "The $skipToken is not one that this service gave.") from problem
    if of != _fingerprint(wish) or position < 0:
        raise _invalid(azure, "The $skipToken belongs to another query.")
    return position


# -- refusing ----------------------------------------------------------------------------------------------------------


def _invalid(azure: Kernel, message: str) -> ArmError:
    """400 for a request that cannot be read; the code in the details is an assumption."""
    return refusal(400, "BadRequest", azure.world.now, {"code": "InvalidRequest", "message": message})


def _query_refused(azure: Kernel, problem: QueryError) -> ArmError:
    """400 for a query: syntax errors as recorded, errors of meaning with a code that is an assumption."""
    general = {
        "code": "InvalidQuery",
        "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the "
        "error before retrying.",
    }
    exact: JsonObject = {"code": "SemanticFailure", "message": problem.message}
    if problem.token is not None:
        exact = {
            "code": "ParserFailure",
            "message": f"ParserFailure: {problem.message}",
            "line": problem.token.line,
            "characterPositionInLine": problem.token.column,
            "token": problem.token.text,
            "expectedToken": problem.expected,
        }
    return refusal(400, "BadRequest", azure.world.now, general, exact)


def ask(azure: Kernel, call: Call) -> Response:
    """Answer one query."""
    _demand_right(azure, call)
    _demand_version(call)
    headers = azure.graph.quota.take(call.principal.id, azure.world.now)
    try:
        answer = _answered(azure, call, _wish(azure, call))
    except ArmError as refused:
        refused.headers = {**headers, **refused.headers}
        raise
    response = Response.of(200, answer, headers)
    if len(response.body) > LARGEST_ANSWER:
        raise _too_large(azure, len(response.body), headers)
    return response


def _too_large(azure: Kernel, size: int, headers: dict[str, str]) -> ArmError:
    """400 for an answer that is too long (code and sentence as users of the service report them)."""
    message = (
        f"Response payload size is {size}, and has exceeded the limit of {LARGEST_ANSWER}. Please consider querying less "
        "data at a time and make paginated call if needed."
    )
    details = {"code": "ResponsePayloadTooLarge", "message": message}
    return refusal(400, "BadRequest", azure.world.now, details, headers=headers)


ROUTES = (Route("POST", "/providers/Microsoft.ResourceGraph/resources", ask, action="-", checks=False),)


def install(azure: Kernel) -> None:
    azure.graph = ResourceGraph(azure, lag=azure.options.graph_lag)
