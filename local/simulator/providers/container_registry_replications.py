"""
Geo-replications of container registries.

The service lists a Premium registry's own region among its replications. While one is being made, no private endpoint
can be added to the registry; when it is ready every existing endpoint gets a further address (documentation: connect
privately to an Azure container registry).
"""

from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.kernel import Kernel
from local.simulator.providers.container_registry_bodies import (
    REPLICATION_TYPE,
    is_premium,
    new_replication,
    with_data_endpoints,
)
from local.simulator.providers.container_registry_operations import DELETION, REPLICATION
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

REFRESHING = "refreshing"
"""Set in a registry's private state while its existing endpoints follow a change."""


def replications_of(azure: Kernel, registry: Resource) -> list[Resource]:
    return list(azure.world.children(registry.key, REPLICATION_TYPE))


def regions_of(azure: Kernel, registry: Resource) -> list[str]:
    """The registry's regions, its home first; one that is still being made counts only when it is ready."""
    others = [
        each.location
        for each in replications_of(azure, registry)
        if each.location != registry.location and each.properties["provisioningState"] == "Succeeded"
    ]
    return [registry.location, *others]


def add_home_replication(azure: Kernel, registry: Resource) -> None:
    if is_premium(registry.body):
        known = {each.location for each in replications_of(azure, registry)}
        if registry.location not in known:
            add_replication(azure, registry, registry.location)


def add_replication(azure: Kernel, registry: Resource, location: str, *, body: JsonObject | None = None) -> Resource:
    """A finished replication to *location*."""
    region = location.replace(" ", "").lower()
    asked = body or {}
    made = new_replication(
        f"{registry.id}/replications/{region}",
        region,
        tags=asked.get("tags"),
        system_data=registry.body["systemData"],
        now=azure.world.now,
    )
    asked_properties = asked.get("properties") or {}
    made["properties"] |= {
        name: asked_properties[name] for name in ("regionEndpointEnabled", "zoneRedundancy") if name in asked_properties
    }
    return azure.world.put(made)


def ready(azure: Kernel, replication_id: str) -> None:
    """
    The replication serves from now on: host names, members and the endpoints' addresses follow.

    Raises:
        ArmError: A subnet has no room for the further address; the replication is undone, and the error does not say
            which subnet it was (documentation).
    """
    replication = azure.world.get(replication_id)
    if replication is None:
        return
    replication.properties["provisioningState"] = "Succeeded"
    replication.properties["status"]["displayStatus"] = "Ready"
    registry_id = replication.id.rsplit("/", 2)[0]
    try:
        refresh(azure, registry_id)
    except ArmError as problem:
        azure.world.delete(replication.id)
        refresh(azure, registry_id)
        raise ArmError(
            400,
            "PrivateEndpointIpAllocationFailed",
            f"The replication {replication.name} could not be made: a private endpoint of the registry has no free "
            "address.",
        ) from problem


def refresh(azure: Kernel, registry_id: str) -> None:
    """Host names and the endpoints' addresses as the replications are now."""
    registry = azure.world.get(registry_id)
    if registry is None:
        return
    with_data_endpoints(registry.body, regions_of(azure, registry), suffix=azure.cloud.registry_suffix)
    registry.private[REFRESHING] = True
    try:
        azure.links.members_changed(registry.id)
    finally:
        del registry.private[REFRESHING]


def put(azure: Kernel, call: Call) -> Response:
    registry = azure.require(call.resource_id.rsplit("/", 2)[0])
    location = str((call.body or {}).get("location") or call.params["replication"])
    if not is_premium(registry.body):
        message = f"Geo-replication is not supported for the SKU {registry.body['sku']['name']} of {registry.name}."
        raise ArmError(400, "ReplicationNotSupported", message)
    known = azure.world.get(call.resource_id)
    replication = add_replication(azure, registry, location, body=call.body)
    if known is not None:
        return Response.of(200, replication.body)
    replication.properties["provisioningState"] = "Creating"
    replication.properties["status"]["displayStatus"] = "Syncing"

    def failed() -> None:
        replication.properties["provisioningState"] = "Failed"

    operation = azure.begin(
        call,
        REPLICATION["Creating"],
        location=replication.location,
        seconds=azure.durations.acr_replication,
        finish=lambda _at: ready(azure, replication.id),
        fail=lambda _at, _error: failed(),
        operation_id=f"replications-{azure.world.trace_id()}",
    )
    return Response.of(201, replication.body, operation.headers)


def get(azure: Kernel, call: Call) -> Response:
    return Response.of(200, azure.require(call.resource_id).body)


def list_all(azure: Kernel, call: Call) -> Response:
    registry = azure.require(call.resource_id)
    return Response.of(200, {"value": [each.body for each in replications_of(azure, registry)]})


def delete(azure: Kernel, call: Call) -> Response:
    replication = azure.world.get(call.resource_id)
    if replication is None:
        return Response(204)
    registry_id = replication.id.rsplit("/", 2)[0]
    if replication.location == azure.require(registry_id).location:
        message = f"The replication {replication.name} is the registry's home region and cannot be deleted."
        raise ArmError(400, "CannotDeleteHomeReplication", message)
    replication.properties["provisioningState"] = "Deleting"

    def finish() -> None:
        azure.world.delete(replication.id)
        refresh(azure, registry_id)

    operation = azure.begin(
        call,
        DELETION,
        location=replication.location,
        seconds=azure.durations.acr_delete,
        finish=lambda _at: finish(),
        operation_id=f"replications-{azure.world.trace_id()}",
    )
    return Response.of(202, replication.body, operation.headers)


_LIST = (
    "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.ContainerRegistry/registries/{registry}/replications"
)

ROUTES = (
    Route("PUT", _LIST + "/{replication}", put),
    Route("GET", _LIST + "/{replication}", get),
    Route("GET", _LIST, list_all),
    Route("DELETE", _LIST + "/{replication}", delete),
)
