"""
Container registries as targets of private endpoints.

One group with a member for the login server and one per region for its data endpoint; a connection turns dedicated data
endpoints on. Which codes the service uses to refuse an endpoint is not recorded: the sentences and codes below Premium,
at the limit and during a replication are ours.
"""

from collections.abc import Sequence

from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.kernel import Kernel
from local.simulator.private_link import LinkConnection, LinkGroup, LinkMember, PrivateLinkTarget
from local.simulator.providers import link_connections
from local.simulator.providers.container_registry_bodies import (
    MAX_PRIVATE_ENDPOINTS,
    TYPE,
    is_premium,
    with_data_endpoints,
)
from local.simulator.providers.container_registry_operations import CONNECTION, GONE_CONNECTION
from local.simulator.providers.container_registry_replications import REFRESHING, regions_of, replications_of
from local.simulator.routing import Route
from local.simulator.wire import JSON_CONTENT, JsonObject, Response
from local.simulator.world import Resource


def link_groups(azure: Kernel, registry: Resource) -> Sequence[LinkGroup]:
    """The group `registry`: data endpoints first, the login server last (recorded order)."""
    suffix, name = azure.cloud.registry_suffix, registry.name.lower()
    data = [
        LinkMember(name=f"registry_data_{region}", fqdns=(f"{name}.{region}.data.{suffix}",))
        for region in regions_of(azure, registry)
    ]
    login = LinkMember(name="registry", fqdns=(f"{name}.{suffix}",))
    return [LinkGroup(name="registry", members=(*data, login), zones=(f"privatelink.{suffix}",))]


def groups_for_endpoints(azure: Kernel, registry: Resource) -> Sequence[LinkGroup]:
    """
    The same, for an endpoint that is about to be made.

    Raises:
        ArmError: Below Premium, at the limit of endpoints, or while a replication is being made (reported:
            Azure/bicep-registry-modules 4040).
    """
    if not is_premium(registry.body):
        tier = registry.body["sku"]["name"]
        message = f"Private endpoints are not supported for the SKU {tier} of the registry {registry.name}."
        raise ArmError(400, "PrivateEndpointNotSupported", message)
    if REFRESHING not in registry.private:
        _refuse_while_busy(azure, registry)
    return link_groups(azure, registry)


def _refuse_while_busy(azure: Kernel, registry: Resource) -> None:
    for each in replications_of(azure, registry):
        doing = each.properties["provisioningState"]
        if doing != "Succeeded":
            message = (
                f"The replication {each.name} of the registry {registry.name} is in provisioning state {doing}. "
                "Private endpoints can be created once it has succeeded."
            )
            raise ArmError(409, "RegistryReplicationInProgress", message)
    if len(link_connections.all_of(azure.world, registry)) >= MAX_PRIVATE_ENDPOINTS:
        message = f"The registry {registry.name} already has {MAX_PRIVATE_ENDPOINTS} private endpoint connections."
        raise ArmError(400, "PrivateEndpointQuotaExceeded", message)


def connect(azure: Kernel, registry: Resource, asked: LinkConnection) -> None:
    known = link_connections.of_endpoint(azure.world, registry, asked.endpoint_id)
    name = known.name if known is not None else f"{registry.name}.{asked.connection_id.replace('-', '')}"
    connection_id, kind = link_connections.identity_of(registry, name)
    azure.world.put(
        {
            "type": kind,
            "id": connection_id,
            "name": name,
            "properties": {
                "privateEndpoint": {"id": asked.endpoint_id},
                "privateLinkServiceConnectionState": _state(
                    asked.status, "Auto-Approved" if asked.status == "Approved" else ""
                ),
                "provisioningState": "Succeeded",
            },
        }
    )
    registry.properties["dataEndpointEnabled"] = True
    with_data_endpoints(registry.body, regions_of(azure, registry), suffix=azure.cloud.registry_suffix)


def _state(status: str, description: str) -> JsonObject:
    """The description is there only when somebody gave one (recorded: azcli2010)."""
    return {"status": status, "description": description} if description else {"status": status}


def list_link_resources(azure: Kernel, call: Call) -> Response:
    registry = azure.require(call.resource_id)
    return Response.of(200, {"value": link_connections.link_resources(registry, link_groups(azure, registry))})


def list_connections(azure: Kernel, call: Call) -> Response:
    registry = azure.require(call.resource_id)
    return Response.of(200, {"value": [each.body for each in link_connections.all_of(azure.world, registry)]})


def get_connection(azure: Kernel, call: Call) -> Response:
    return Response.of(200, azure.require(call.resource_id).body)


def put_connection(azure: Kernel, call: Call) -> Response:
    """Approve or reject: the answer still shows the state before."""
    connection = azure.require(call.resource_id)
    asked = call.properties.get("privateLinkServiceConnectionState") or {}
    status, description = str(asked.get("status") or ""), str(asked.get("description") or "")
    if status not in {"Approved", "Rejected", "Pending"}:
        raise ArmError(400, "InvalidConnectionState", f"The connection state '{status}' is not valid.")
    connection.properties["provisioningState"] = "Updating"
    registry_id = connection.id.rsplit("/", 2)[0]

    def finish() -> None:
        if azure.world.get(connection.id) is None:
            return
        connection.properties["provisioningState"] = "Succeeded"
        connection.properties["privateLinkServiceConnectionState"] = _state(status, description)
        azure.links.state_changed(registry_id, link_connections.endpoint_of(connection), status, description)

    def fail() -> None:
        connection.properties["provisioningState"] = "Failed"

    operation = azure.begin(
        call,
        CONNECTION,
        location=azure.require(registry_id).location,
        seconds=azure.durations.acr_connection,
        finish=lambda _at: finish(),
        fail=lambda _at, _error: fail(),
        operation_id=f"privateendpointconnections-{azure.world.trace_id()}",
    )
    return Response.of(201, connection.body, operation.headers)


def delete_connection(azure: Kernel, call: Call) -> Response:
    connection = azure.world.get(call.resource_id)
    if connection is None:
        return Response(204)
    connection.properties["provisioningState"] = "Deleting"
    registry_id = connection.id.rsplit("/", 2)[0]

    def finish() -> None:
        azure.links.state_changed(registry_id, link_connections.endpoint_of(connection), "Disconnected", "")
        azure.world.delete(connection.id)

    operation = azure.begin(
        call,
        GONE_CONNECTION,
        location=azure.require(registry_id).location,
        seconds=azure.durations.acr_connection_delete,
        finish=lambda _at: finish(),
        operation_id=f"privateendpointconnections-{azure.world.trace_id()}",
    )
    return Response.empty(202, {"Content-Type": JSON_CONTENT, **operation.headers})


_ITEM = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.ContainerRegistry/registries/{registry}"
_CONNECTIONS = _ITEM + "/privateEndpointConnections"

ROUTES = (
    Route("GET", _ITEM + "/privateLinkResources", list_link_resources),
    Route("GET", _CONNECTIONS, list_connections),
    Route("GET", _CONNECTIONS + "/{connection}", get_connection),
    Route("PUT", _CONNECTIONS + "/{connection}", put_connection),
    Route("DELETE", _CONNECTIONS + "/{connection}", delete_connection),
)


def install(azure: Kernel) -> None:
    azure.link_targets[TYPE.lower()] = PrivateLinkTarget(
        type=TYPE,
        approval_action=f"{TYPE}/privateEndpointConnectionsApproval/action",
        groups=groups_for_endpoints,
        connect=connect,
        disconnect=link_connections.disconnect,
    )
