"""
Read members of Azure's documents without trusting their shape.

Every adapter reads the JSON as it came over the wire: the services disagree about null, absent and empty, and a newer
api-version must not break a read. A member of the wrong type counts as absent.
"""

from collections.abc import Mapping
from typing import Any

from shared.core.arm import ResourceId
from shared.core.errors import MalformedResourceId
from shared.core.registry import Access, Connection, ConnectionStatus

type Document = Mapping[str, Any]
"""A JSON object as parsed from an answer."""

_OBJECT = (dict, Mapping)
"""What JSON makes comes first: asking an abstract class costs ten times as much, and a page of a sweep asks 300,000 times."""
_STATUSES = {status.value.lower(): status for status in ConnectionStatus}

# "Secured by perimeter" denies public traffic even before a perimeter is attached (network security perimeter page).
_CLOSED = frozenset({"disabled", "securedbyperimeter"})


def member(document: object, *path: str) -> Any:
    """The value at *path*, None where anything on the way is missing."""
    for name in path:
        if not isinstance(document, _OBJECT):
            return None
        document = document.get(name)
    return document


def text(document: object, *path: str) -> str:
    """The text at *path*, "" if there is none."""
    value = member(document, *path)
    return value if isinstance(value, str) else ""


def texts(document: object, *path: str) -> tuple[str, ...]:
    """The texts of the list at *path*."""
    values = member(document, *path)
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def entries(document: object, *path: str) -> tuple[Document, ...]:
    """The objects of the list at *path*."""
    values = member(document, *path)
    return tuple(value for value in values if isinstance(value, _OBJECT)) if isinstance(values, list) else ()


def tags(document: object) -> dict[str, str]:
    """The resource's tags."""
    values = member(document, "tags")
    return {str(name): str(value) for name, value in values.items()} if isinstance(values, Mapping) else {}


def resource_id(document: object, *path: str) -> ResourceId | None:
    """The ARM id at *path*; None if there is none, or something that is not the id of a resource (an alias)."""
    try:
        return ResourceId.parse(member(document, *path))
    except MalformedResourceId:
        return None


def resource_ids(document: object, *path: str) -> tuple[ResourceId, ...]:
    """The `id` members of the list at *path*."""
    found = (resource_id(entry, "id") for entry in entries(document, *path))
    return tuple(identifier for identifier in found if identifier)


def access(document: object) -> Access:
    """`publicNetworkAccess` in any casing; absent means enabled (recorded of Storage)."""
    closed = text(document, "properties", "publicNetworkAccess").lower() in _CLOSED
    return Access.CLOSED if closed else Access.OPEN


def connection_status(state: object) -> ConnectionStatus:
    """`status` of a private link service connection state, in any casing."""
    return _STATUSES.get(text(state, "status").lower(), ConnectionStatus.UNKNOWN)


def connections(listed: tuple[Document, ...]) -> tuple[Connection, ...]:
    """
    A target's private endpoint connections.

    The state goes by two names in Microsoft.MachineLearningServices, by one elsewhere.
    """
    return tuple(
        Connection(
            endpoint=resource_id(entry, "properties", "privateEndpoint", "id"),
            status=connection_status(
                member(entry, "properties", "privateLinkServiceConnectionState")
                or member(entry, "properties", "registryPrivateLinkServiceConnectionState")
            ),
        )
        for entry in listed
    )


def zones_by_group(link_resources: tuple[Document, ...]) -> dict[str, tuple[str, ...]]:
    """`requiredZoneNames` of private link resources, by group id."""
    return {
        text(entry, "properties", "groupId"): texts(entry, "properties", "requiredZoneNames")
        for entry in link_resources
        if text(entry, "properties", "groupId")
    }
