"""
What the path of a recorded request points at: an item, a list, a group, or a long operation.

Only the shape of the path decides, so that recordings of services which are not simulated are read the same way.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.simulator import arm_ids

_OPERATION = re.compile(r"^(async)?operations?$|operations?(results?|status(es)?)$", re.IGNORECASE)
_RESOURCE_ID = re.compile(r"^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/[^/]+(/[^/]+/[^/]+)+$", re.IGNORECASE)


_NOT_NEEDED = frozenset({"resourceAccessRules", "resourceId", "privateEndpoint", "privateEndpoints", "ipConfiguration"})
"""Members that name resources which need not exist, or which are made together with the resource (connections)."""


class TargetKind(StrEnum):
    GROUP = "group"
    ITEM = "item"
    LIST = "list"
    OPERATION = "operation"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`id` is the path itself for an item or group and the parent's id for a list; `type` is lower-cased."""

    kind: TargetKind
    id: str
    type: str
    name: str = ""


def target_of(path: str) -> Target:
    """Read a path without query."""
    segments = [each for each in path.split("/") if each]
    lowered = [each.lower() for each in segments]
    if any(_OPERATION.search(each) for each in lowered[2:-1]):
        return Target(kind=TargetKind.OPERATION, id=path, type=_operation_family(lowered))
    if len(lowered) == 4 and lowered[2] == "resourcegroups":
        return Target(kind=TargetKind.GROUP, id=path, type="microsoft.resources/resourcegroups", name=segments[3])
    if lowered[:1] != ["subscriptions"] or "providers" not in lowered:
        return Target(kind=TargetKind.OTHER, id=path, type="")
    marker = len(lowered) - 1 - lowered[::-1].index("providers")
    after = segments[marker + 2 :]
    if not after:
        return Target(kind=TargetKind.OTHER, id=path, type="")
    if len(after) % 2 == 0:
        parts = arm_ids.parse(path)
        return Target(kind=TargetKind.ITEM, id=path, type=parts.type.lower(), name=parts.name)
    kind = "/".join([lowered[marker + 1], *(each.lower() for each in after[::2])])
    parent = segments[:-1] if len(after) > 1 else segments[:marker]
    return Target(kind=TargetKind.LIST, id="/" + "/".join(parent), type=kind)


def _operation_family(lowered: list[str]) -> str:
    """Namespace and collection of an operation URL, for example "microsoft.network/operations"."""
    namespace = lowered[lowered.index("providers") + 1] if "providers" in lowered[:-1] else "microsoft.resources"
    collection = next(each for each in lowered[2:-1] if _OPERATION.search(each))
    return f"{namespace}/{collection}"


def is_resource_id(value: Any) -> bool:
    return isinstance(value, str) and bool(_RESOURCE_ID.match(value))


def group_id(resource_id: str) -> str:
    """The resource group's id, empty above a group."""
    segments = resource_id.split("/")
    return "/".join(segments[:5]) if len(segments) > 4 and segments[3].lower() == "resourcegroups" else ""


def references(body: Any, owner: str) -> list[str]:
    """Ids of other resources that a body names, in order, without the owner's own children and without repetition."""
    own = owner.lower().rstrip("/")
    found: dict[str, str] = {}
    for each in _ids(body):
        key = each.lower().rstrip("/")
        if key != own and not key.startswith(own + "/"):
            found.setdefault(key, each.rstrip("/"))
    return list(found.values())


def _ids(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        for each in value:
            yield from _ids(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if is_resource_id(key):
                yield str(key)
            if key not in _NOT_NEEDED:
                yield from _ids(inner)
    elif is_resource_id(value):
        yield value


def subscriptions_in(text: str) -> set[str]:
    """Every subscription id that a text names."""
    return set(re.findall(r"/subscriptions/([^/\"'?\s]+)", text, re.IGNORECASE))


def subscriptions_asked(body: Any) -> set[str]:
    """The subscriptions that a query of Resource Graph is about."""
    named = body.get("subscriptions") if isinstance(body, dict) else None
    return {str(each) for each in named} if isinstance(named, list) else set()


def addresses_in(body: Any, subnet_id: str) -> Iterable[str]:
    """Addresses that a body shows in a subnet."""
    if isinstance(body, list):
        for each in body:
            yield from addresses_in(each, subnet_id)
    elif isinstance(body, dict):
        subnet, address = body.get("subnet"), body.get("privateIPAddress")
        inside = isinstance(subnet, dict) and str(subnet.get("id", "")).lower() == subnet_id.lower()
        if inside and isinstance(address, str) and re.fullmatch(r"(\d{1,3}\.){3}\d{1,3}", address):
            yield address
        for inner in body.values():
            yield from addresses_in(inner, subnet_id)
