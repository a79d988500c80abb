"""
Private endpoint connections as the targets keep them.

A connection is a child resource of its target, `{target}/privateEndpointConnections/{name}`, whose body is shaped by
the target's provider. What is common is here: finding one by its endpoint, listing, and answering privateLinkResources.
"""

from collections.abc import Sequence

from local.simulator.kernel import Kernel
from local.simulator.private_link import LinkGroup
from local.simulator.wire import JsonObject
from local.simulator.world import Resource, World

CHILD = "privateEndpointConnections"


def all_of(world: World, target: Resource) -> list[Resource]:
    """The target's connections, oldest first."""
    return list(world.children(target.key, f"{target.type}/{CHILD}"))


def of_endpoint(world: World, target: Resource, endpoint_id: str) -> Resource | None:
    """The connection that belongs to the endpoint."""
    wanted = endpoint_id.lower()
    return next((each for each in all_of(world, target) if endpoint_of(each).lower() == wanted), None)


def endpoint_of(connection: Resource) -> str:
    """Id of the private endpoint on the other side."""
    return str(connection.properties["privateEndpoint"]["id"])


def identity_of(target: Resource, name: str) -> tuple[str, str]:
    """Id and type of the target's connection *name*."""
    return f"{target.id}/{CHILD}/{name}", f"{target.type}/{CHILD}"


def disconnect(azure: Kernel, target: Resource, endpoint_id: str) -> None:
    """The endpoint is gone, and with it its connection."""
    found = of_endpoint(azure.world, target, endpoint_id)
    if found is not None:
        azure.world.delete(found.id)


def status_of(connection: Resource) -> str:
    return str(connection.properties["privateLinkServiceConnectionState"]["status"])


def link_resources(
    target: Resource, groups: Sequence[LinkGroup], *, kind: str = "", extra: JsonObject | None = None
) -> list[JsonObject]:
    """The target's privateLinkResources; *kind* is their type where it is not the usual one."""
    return [
        {
            "id": f"{target.id}/privateLinkResources/{group.name}",
            "name": group.name,
            "type": kind or f"{target.type}/privateLinkResources",
            "properties": {
                "groupId": group.name,
                "requiredMembers": [member.name for member in group.members],
                "requiredZoneNames": list(group.zones),
                **(extra or {}),
            },
        }
        for group in groups
    ]
