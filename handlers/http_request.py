"""
Read an HTTP request: the registry in its path, its query, its body, each checked before anybody acts on it.

Everything that is wrong with one part is told at once. Nothing here asks anybody anything.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import azure.functions as func
from pydantic import ValidationError

from handlers import http_schemas
from handlers.http_query import PARAMETERS
from handlers.http_routes import Route
from handlers.http_schemas import Request
from shared.core.arm import ResourceId, is_guid
from shared.core.errors import MalformedRequest, MalformedResourceId, RequestTooLarge, WrongMediaType
from shared.core.registry import REGISTRY_TYPE
from shared.core.requests import registry_id

MOST_BODY_BYTES = 16 * 1024
"""Bodies hold a digest, a sentence, or a list of a few hundred ids."""
_DEEPEST = 8
_MOST_PROBLEMS = 100
_PLATFORM_QUERY = frozenset({"code", "clientid"})
"""Query parameters of the Functions host: a key and its name."""
_GROUP = re.compile(r"[-\w.()]{0,89}[-\w()]")  # documentation of resource naming rules, resourcegroups
_SITE = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?", re.ASCII)
_SWEEP = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    A request that was understood.

    Attributes:
        path: As asked for, without the query (which may hold a key).
        site: Scheme and host as the client asked for them, for links to the app itself; "" if they are strange.
        values: Query parameters, defaults filled in.
        body: None where the operation takes none.
    """

    path: str
    site: str = ""
    caller: str = ""
    sweep: str = ""
    etags: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    body: Request | None = None
    target: ResourceId | None = None

    @property
    def registry(self) -> ResourceId:
        """The registry that the path names; only for operations whose path does."""
        if self.target is None:
            raise AssertionError("The route names no registry.")
        return self.target


def address_of(request: func.HttpRequest) -> SplitResult:
    """The address that was asked for; an empty one for what is none (a Host header may hold anything)."""
    try:
        return urlsplit(str(request.url))
    except ValueError:
        return urlsplit("")


def path_of(request: func.HttpRequest) -> str:
    """The path that was asked for."""
    return address_of(request).path


def site_of(request: func.HttpRequest) -> str:
    """Scheme and host that were asked for; "" for what cannot be part of an address."""
    split = address_of(request)
    site = f"{split.scheme}://{split.netloc}"
    return site if _SITE.fullmatch(site) else ""


def headers_of(request: func.HttpRequest) -> dict[str, str]:
    """Headers by lower-case name."""
    return {name.lower(): value for name, value in request.headers.items()}


def read_registry(route: Route, request: func.HttpRequest) -> ResourceId | None:
    """The registry in the path; None for operations on none. Raises MalformedRequest."""
    if not route.of_registry:
        return None
    subscription, group, name = (request.route_params.get(each, "") for each in ("subscription", "group", "name"))
    problems = []
    if not is_guid(subscription):
        problems.append(("subscription", "must be a GUID"))
    if not _GROUP.fullmatch(group):
        problems.append(("group", "must be a resource group's name"))
    place = subscription if not problems else "00000000-0000-0000-0000-000000000000"
    text = f"/subscriptions/{place}/resourceGroups/{group if not problems else 'g'}/providers/{REGISTRY_TYPE}/{name}"
    try:
        registry = registry_id(text)
    except MalformedResourceId as error:
        problems.append(("name", error.sentence))
    if problems:
        raise _malformed("The path names no registry", problems)
    return registry


def read_sweep(route: Route, request: func.HttpRequest) -> str:
    """The sweep in the path, "" for operations on none; raises MalformedRequest."""
    if "sweep" not in route.parameters:
        return ""
    sweep = str(request.route_params.get("sweep", ""))
    if not _SWEEP.fullmatch(sweep):
        raise _malformed("The path names no sweep", [("sweep", "must be the id of a sweep")])
    return sweep


def read_ids(member: str, texts: Iterable[str]) -> tuple[ResourceId, ...]:
    """The registries that a list in the body names, each once; raises MalformedRequest with every problem."""
    found: dict[ResourceId, None] = {}
    problems = []
    for at, text in enumerate(texts):
        try:
            found[registry_id(text)] = None
        except MalformedResourceId as error:
            problems.append((f"#/{member}/{at}", error.sentence))
    if problems:
        raise _malformed("The body's members are wrong", problems, readable=True)
    return tuple(found)


def read_query(route: Route, request: func.HttpRequest) -> dict[str, Any]:
    """The values of the route's query parameters; raises MalformedRequest."""
    values: dict[str, Any] = {name: PARAMETERS[name].default for name in route.query}
    problems = []
    for name, raw in request.params.items():
        if name.lower() in _PLATFORM_QUERY:
            continue
        if name not in route.query:
            known = f"; known are {', '.join(route.query)}" if route.query else ""
            problems.append((name, f"is not a parameter of this operation{known}"))
            continue
        try:
            values[name] = PARAMETERS[name].read(raw)
        except ValueError as error:
            problems.append((name, str(error)))
    if problems:
        raise _malformed("The query cannot be understood", problems)
    return values


def read_body(route: Route, request: func.HttpRequest) -> Request | None:
    """
    The body as the route's model; an absent one that is not needed is an empty one.

    Raises:
        RequestTooLarge: It is over MOST_BODY_BYTES.
        WrongMediaType: It does not say that it is JSON.
        MalformedRequest: It is not JSON, or its members are wrong.
    """
    raw = request.get_body()
    if len(raw) > MOST_BODY_BYTES:
        raise RequestTooLarge(f"The body has {len(raw)} bytes; this API takes at most {MOST_BODY_BYTES}.")
    if not route.body:
        if raw:
            raise _malformed("The body cannot be understood", [("#", "this operation takes no body")])
        return None
    model: type[Request] = getattr(http_schemas, route.body)
    if not raw.strip():
        if route.body_needed:
            members = ", ".join(field.alias or name for name, field in model.model_fields.items())
            raise _malformed(
                "A body is needed", [("#", f"a JSON object with {members}, as application/json")], readable=True
            )
        return model()
    _require_json(headers_of(request).get("content-type", ""), raw)
    document = _parsed(raw)
    try:
        return model.model_validate_json(json.dumps(document))
    except ValidationError as error:
        problems = [(_pointer(each["loc"]), each["msg"]) for each in error.errors(include_url=False)]
        raise _malformed("The body's members are wrong", problems, readable=True) from error


def _require_json(content_type: str, raw: bytes) -> None:
    media, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if media.strip().lower() != "application/json" or charset not in {"", "utf-8"}:
        shown = repr(content_type[:100]) if content_type else "nothing"
        raise WrongMediaType(f"The body ({len(raw)} bytes) says it is {shown}; application/json is needed.")


def _parsed(raw: bytes) -> object:
    try:
        document: object = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError as error:
        raise _malformed("The body cannot be understood", [("#", "is nested too deeply")]) from error
    except ValueError as error:
        raise _malformed("The body cannot be understood", [("#", f"is not JSON: {error}")]) from error
    if _depth(document) > _DEEPEST:
        raise _malformed("The body cannot be understood", [("#", f"is nested deeper than {_DEEPEST} levels")])
    return document


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is there twice")
    return members


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _depth(document: object) -> int:
    """Levels of nesting, without recursion."""
    deepest, level = 0, [document]
    while level:
        deepest += 1
        inner: list[object] = []
        for value in level:
            inner += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        level = inner
    return deepest


def _pointer(location: tuple[int | str, ...]) -> str:
    """A JSON pointer into the body, as a URI fragment."""
    return "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def _malformed(what: str, problems: list[tuple[str, str]], *, readable: bool = False) -> MalformedRequest:
    problems = problems[:_MOST_PROBLEMS]
    told = "; ".join(f"{place} {sentence}" for place, sentence in problems)
    return MalformedRequest(f"{what}: {told[:1000].removesuffix('.')}.", problems=problems, readable=readable)
