"""
Microsoft.ContainerRegistry: registries, geo-replications and private endpoint connections.

As recorded: requests that touch identity, encryption or anonymous pull answer 201 with Azure-AsyncOperation, all others
200 at once; a connection's PUT answers 201 with the old state and its pending polls are 201; deletion is 200, or 202
with the registry as body when it is replicated. Dedicated data endpoints are on once there is a private endpoint
(documentation: connect privately to an Azure container registry).
"""

from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.kernel import Kernel
from local.simulator.providers import container_registry_links as links
from local.simulator.providers import container_registry_replications as replications
from local.simulator.providers import link_connections
from local.simulator.providers.container_registry_bodies import (
    TYPE,
    changed,
    new_registry,
    takes_a_while,
    with_data_endpoints,
)
from local.simulator.providers.container_registry_operations import DELETION, REGISTRY
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource


def put(azure: Kernel, call: Call) -> Response:
    body = call.body or {}
    known = azure.world.get(call.resource_id)
    if known is not None:
        return _change(azure, call, known)
    _refuse_taken(azure, call)
    if not body.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    suffix = azure.cloud.registry_suffix
    made = new_registry(
        call.resource_id, body, suffix=suffix, now=azure.world.now, system_data=system_data(azure, call.principal.name)
    )
    registry = azure.world.put(made)
    _note_identity(azure, registry, body)
    replications.add_home_replication(azure, registry)
    if not takes_a_while(body):
        return Response.of(200, shown(azure, registry))
    return _slow(azure, call, registry, "Creating", azure.durations.acr_create)


def patch(azure: Kernel, call: Call) -> Response:
    return _change(azure, call, azure.require(call.resource_id))


def _change(azure: Kernel, call: Call, registry: Resource) -> Response:
    body = call.body or {}
    registry.body = changed(registry.body, body, suffix=azure.cloud.registry_suffix, now=azure.world.now)
    with_data_endpoints(registry.body, replications.regions_of(azure, registry), suffix=azure.cloud.registry_suffix)
    registry.body["systemData"] = {
        **registry.body["systemData"],
        **{k: v for k, v in system_data(azure, call.principal.name).items() if k.startswith("last")},
    }
    _note_identity(azure, registry, body)
    replications.add_home_replication(azure, registry)
    azure.world.touch(registry)
    if not takes_a_while(body):
        return Response.of(200, shown(azure, registry))
    return _slow(azure, call, registry, "Updating", azure.durations.acr_update)


def _slow(azure: Kernel, call: Call, registry: Resource, state: str, seconds: float) -> Response:
    """201 with *state* now, Succeeded later."""
    registry.properties["provisioningState"] = state

    def settled(outcome: str) -> None:
        found = azure.world.get(call.resource_id)
        if found is not None:
            found.properties["provisioningState"] = outcome

    operation = azure.begin(
        call,
        REGISTRY[state],
        location=registry.location,
        seconds=seconds,
        finish=lambda _at: settled("Succeeded"),
        fail=lambda _at, _error: settled("Failed"),
        operation_id=f"registries-{azure.world.trace_id()}",
    )
    return Response.of(201, shown(azure, registry), operation.headers)


def get(azure: Kernel, call: Call) -> Response:
    return Response.of(200, shown(azure, azure.require(call.resource_id)))


def delete(azure: Kernel, call: Call) -> Response:
    registry = azure.world.get(call.resource_id)
    if registry is None:
        return Response(204)
    if len(replications.regions_of(azure, registry)) <= 1:
        azure.world.delete(registry.id)
        return Response.empty(200)
    registry.properties["provisioningState"] = "Deleting"
    operation = azure.begin(
        call,
        DELETION,
        location=registry.location,
        seconds=azure.durations.acr_delete,
        finish=lambda _at: _removed(azure, registry.id),
        operation_id=f"registries-{azure.world.trace_id()}",
    )
    return Response.of(202, shown(azure, registry), operation.headers)


def _removed(azure: Kernel, registry_id: str) -> None:
    azure.world.delete(registry_id)


def list_in_group(azure: Kernel, call: Call) -> Response:
    return Response.of(200, {"value": [shown(azure, each) for each in azure.world.children(call.resource_id, TYPE)]})


def list_in_subscription(azure: Kernel, call: Call) -> Response:
    return Response.of(200, {"value": [shown(azure, each) for each in azure.world.of_type(TYPE, call.subscription)]})


def check_name(azure: Kernel, call: Call) -> Response:
    name = str((call.body or {}).get("name") or "")
    if not _is_taken(azure, name):
        return Response.of(200, {"nameAvailable": True})
    message = f"The registry {name} is already in use."
    return Response.of(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})


def shown(azure: Kernel, registry: Resource) -> JsonObject:
    """The registry as it is answered: with its connections."""
    connections = [each.body for each in link_connections.all_of(azure.world, registry)]
    return {**registry.body, "properties": {**registry.properties, "privateEndpointConnections": connections}}


def system_data(azure: Kernel, name: str) -> JsonObject:
    now = f"{azure.world.now:%Y-%m-%dT%H:%M:%S}.{azure.world.now.microsecond:06d}1+00:00"
    return {
        "createdBy": name,
        "createdByType": "Application",
        "createdAt": now,
        "lastModifiedBy": name,
        "lastModifiedByType": "Application",
        "lastModifiedAt": now,
    }


def _note_identity(azure: Kernel, registry: Resource, body: JsonObject) -> None:
    """Identity as it is answered: the type begins with a small letter (recorded)."""
    asked = body.get("identity")
    if not asked:
        return
    kind = str(asked.get("type") or "None")
    identity: JsonObject = {"type": kind[:1].lower() + kind[1:]}
    if "systemassigned" in kind.lower():
        known = registry.body.get("identity") or {}
        identity |= {"principalId": known.get("principalId") or azure.world.guid(), "tenantId": azure.tenant_id}
    if asked.get("userAssignedIdentities"):
        identity["userAssignedIdentities"] = {
            each: {"principalId": azure.world.guid(), "clientId": azure.world.guid()}
            for each in asked["userAssignedIdentities"]
        }
    registry.body["identity"] = identity


def _is_taken(azure: Kernel, name: str) -> bool:
    return any(each.name.lower() == name.lower() for each in azure.world.of_type(TYPE))


def _refuse_taken(azure: Kernel, call: Call) -> None:
    if _is_taken(azure, call.params["registry"]):
        message = f"The registry DNS name {call.params['registry'].lower()}.{azure.cloud.registry_suffix} is taken."
        raise ArmError(409, "AlreadyInUse", message)


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.ContainerRegistry/registries"
_ITEM = _GROUP + "/{registry}"

ROUTES = (
    Route("PUT", _ITEM, put),
    Route("PATCH", _ITEM, patch),
    Route("GET", _ITEM, get),
    Route("DELETE", _ITEM, delete),
    Route("GET", _GROUP, list_in_group),
    Route("GET", "/subscriptions/{sub}/providers/Microsoft.ContainerRegistry/registries", list_in_subscription),
    Route(
        "POST",
        "/subscriptions/{sub}/providers/Microsoft.ContainerRegistry/checkNameAvailability",
        check_name,
        action="Microsoft.ContainerRegistry/checkNameAvailability/read",
    ),
    *replications.ROUTES,
    *links.ROUTES,
)


def install(azure: Kernel) -> None:
    links.install(azure)
