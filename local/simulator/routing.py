"""
From a method and a path to the rule that answers it.

A provider module has `ROUTES`, a tuple of `Route`. Patterns are written with the service's own casing and match without
regard to case; `{name}` stands for one segment. A pattern that begins with `{scope}/providers/` is an extension: it
matches after any resource, group or subscription. Matching walks a tree: its cost depends on the path's depth only.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from local.simulator.wire import Response

if TYPE_CHECKING:
    from local.simulator.call import Call
    from local.simulator.kernel import Kernel

type Rule = Callable[["Kernel", "Call"], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """
    One call that the simulated Azure answers.

    Args:
        method: GET, HEAD, PUT, PATCH, POST or DELETE.
        pattern: Path, for example "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.X/things/{thing}". The
            names `sub` and `rg` are used by the kernel's own checks; the others are the provider's.
        rule: Answers the call.
        action: RBAC action; derived from method and pattern when empty ("Microsoft.X/things/read", ".../write",
            ".../delete", ".../{last segment}/action"). "-" means that no right is needed beyond being known.
        anonymous: No bearer token is needed (metadata, token endpoint).
        checks: Kernel checks group, parent resource and provider registration before the rule runs.
        nested_error: An absent parent is ParentResourceNotFound whatever the method, not only on PUT.
    """

    method: str
    pattern: str
    rule: Rule
    action: str = ""
    anonymous: bool = False
    checks: bool = True
    nested_error: bool = False
    segments: tuple[str, ...] = field(init=False)
    names: tuple[str, ...] = field(init=False)
    type: str = field(init=False)
    """Resource type, for example "Microsoft.Network/virtualNetworks/subnets"."""
    tail: str = field(init=False)
    """"item" (addresses one resource), "collection" (lists a type) or "action" (POST on a resource)."""

    def __post_init__(self) -> None:
        segments = tuple(self.pattern.strip("/").split("/"))
        names = tuple(each[1:-1] for each in segments if each.startswith("{"))
        kind, tail = _describe(self.method, segments)
        for name, value in (("segments", segments), ("names", names), ("type", kind), ("tail", tail)):
            object.__setattr__(self, name, value)
        if not self.action:
            object.__setattr__(self, "action", _action(self.method, kind, tail, segments[-1]))

    @property
    def namespace(self) -> str:
        return self.type.partition("/")[0]


def _describe(method: str, segments: tuple[str, ...]) -> tuple[str, str]:
    """Resource type and kind of address that a pattern stands for."""
    if "providers" not in segments[:-2]:
        names = segments[::2]
        tail = "item" if len(segments) % 2 == 0 else "collection"
        return "Microsoft.Resources/" + "/".join(names), tail
    marker = len(segments) - 1 - segments[::-1].index("providers")
    behind = segments[marker + 2 :]
    if len(behind) % 2 == 0:
        return "/".join([segments[marker + 1], *behind[::2]]), "item"
    if method == "POST":
        return "/".join([segments[marker + 1], *behind[:-1:2]]), "action"
    return "/".join([segments[marker + 1], *behind[::2]]), "collection"


def poll_right(path: str) -> tuple[str, str]:
    """The RBAC action of reading an operation at *path*, and its scope."""
    segments = tuple(path.strip("/").split("/"))
    kind, _ = _describe("GET", segments)
    scope = path.rpartition("/providers/")[0] if "providers" in segments[:-2] else "/" + "/".join(segments[:2])
    return f"{kind}/read", scope


def _action(method: str, kind: str, tail: str, last: str) -> str:
    match method:
        case "GET" | "HEAD":
            return f"{kind}/read"
        case "PUT" | "PATCH":
            return f"{kind}/write"
        case "DELETE":
            return f"{kind}/delete"
        case _:
            return f"{kind}/{last}/action" if tail == "action" else f"{kind}/action"


class Match(NamedTuple):
    """A route with the values of its placeholders, in the caller's casing."""

    route: Route
    params: dict[str, str]
    resource_id: str
    """The addressed resource (for a list or an action: the resource or scope it is asked of), in canonical casing."""


class _Node:
    __slots__ = ("any", "fixed", "routes")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.routes: dict[str, Route] = {}


class Router:
    """All routes of one simulated Azure."""

    def __init__(self) -> None:
        self._root = _Node()
        self._extensions = _Node()
        self._all: list[Route] = []

    def add(self, routes: Iterable[Route]) -> None:
        for route in routes:
            extension = route.segments[0] == "{scope}"
            node = self._extensions if extension else self._root
            for segment in route.segments[1:] if extension else route.segments:
                node = self._step(node, segment)
            if route.method in node.routes:
                raise ValueError(f"two rules for {route.method} {route.pattern}")
            node.routes[route.method] = route
            self._all.append(route)

    @staticmethod
    def _step(node: _Node, segment: str) -> _Node:
        if segment.startswith("{"):
            node.any = node.any or _Node()
            return node.any
        return node.fixed.setdefault(segment.lower(), _Node())

    def types(self, namespace: str) -> list[str]:
        """The resource types of a namespace that have routes, without the namespace."""
        found = {route.type for route in self._all if route.namespace.lower() == namespace.lower()}
        return sorted(each.partition("/")[2] for each in found)

    def match(self, method: str, path: str) -> Match | None:
        """The route of a call, or `None`."""
        segments = [each for each in path.split("/") if each]
        lowered = [each.lower() for each in segments]
        values: list[str] = []
        route = _walk(self._root, method, segments, lowered, 0, values)
        if route is not None:
            return _matched(route, values)
        return self._match_extension(method, segments, lowered)

    def _match_extension(self, method: str, segments: list[str], lowered: list[str]) -> Match | None:
        if "providers" not in lowered:
            return None
        marker = len(lowered) - 1 - lowered[::-1].index("providers")
        values: list[str] = []
        route = _walk(self._extensions, method, segments, lowered, marker, values)
        if route is None:
            return None
        return _matched(route, ["/" + "/".join(segments[:marker]), *values])


def _walk(
    node: _Node, method: str, segments: list[str], lowered: list[str], at: int, values: list[str]
) -> Route | None:
    """Depth-first, fixed segments before placeholders; *values* collects the placeholders."""
    if at == len(segments):
        return node.routes.get(method)
    fixed = node.fixed.get(lowered[at])
    if fixed is not None:
        found = _walk(fixed, method, segments, lowered, at + 1, values)
        if found is not None:
            return found
    if node.any is None:
        return None
    values.append(segments[at])
    found = _walk(node.any, method, segments, lowered, at + 1, values)
    if found is None:
        values.pop()
    return found


def _matched(route: Route, values: list[str]) -> Match:
    queue = iter(values)
    filled = [next(queue) if each.startswith("{") else each for each in route.segments]
    if route.tail == "action":
        filled = filled[:-1]
    elif route.tail == "collection":
        filled = _above_collection(filled)
    path = "/".join(each.strip("/") for each in filled if each.strip("/"))
    return Match(route, dict(zip(route.names, values, strict=True)), "/" + path)


def _above_collection(filled: list[str]) -> list[str]:
    """The scope of a list: the resource or group it is asked of."""
    above = filled[:-1]
    if len(above) >= 2 and above[-2] == "providers":
        return above[:-2]
    return above
