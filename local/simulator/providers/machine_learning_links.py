"""
Machine learning registries as targets of private endpoints.

One group `amlregistry` with the required member `default` and the zone privatelink.api.azureml.ms (recorded:
azcli2411). ASSUMED, no recording shows an approved endpoint: one address, and one name per region,
`{guid}.workspace.{region}.api.azureml.ms`, where the GUID is fixed for the registry.

A connection carries the service's internal members at its top level, with nulls, as recorded.
"""

from collections.abc import Sequence
from uuid import NAMESPACE_URL, uuid5

from local.simulator.call import Call
from local.simulator.kernel import Kernel
from local.simulator.private_link import LinkConnection, LinkGroup, LinkMember, PrivateLinkTarget
from local.simulator.providers import link_connections
from local.simulator.providers.machine_learning_bodies import GROUP_ID, TYPE, connection_not_found, user_error
from local.simulator.providers.machine_learning_operations import REGISTRY
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

_SWAGGER_SPELLING = "2024-10-01"
"""
From here on the names of the specification are used. Up to 2024-04-01 every recorded answer says
`privateEndpointConnections` whatever the specification says; of later versions there is no recording.
"""


def internal_id(resource_id: str) -> str:
    """The service's own GUID of a registry or workspace, fixed by its id."""
    return str(uuid5(NAMESPACE_URL, resource_id.lower()))


def region_host(azure: Kernel, registry: Resource, region: str) -> str:
    return f"{internal_id(registry.id)}.workspace.{region}.{azure.cloud.machine_learning_suffix}"


def regions_of(registry: Resource) -> list[str]:
    return [each["location"] for each in registry.properties.get("regionDetails") or ()]


def link_groups(azure: Kernel, registry: Resource) -> Sequence[LinkGroup]:
    names = tuple(region_host(azure, registry, region) for region in regions_of(registry))
    zone = f"privatelink.{azure.cloud.machine_learning_suffix}"
    return [LinkGroup(name=GROUP_ID, members=(LinkMember(name="default", fqdns=names),), zones=(zone,))]


def connect(azure: Kernel, target: Resource, asked: LinkConnection) -> None:
    """Registries and workspaces alike."""
    known = link_connections.of_endpoint(azure.world, target, asked.endpoint_id)
    name = known.name if known is not None else f"{target.name}.{asked.connection_id}"
    connection_id, _ = link_connections.identity_of(target, name)
    approved = asked.status == "Approved"
    azure.world.put(
        {
            "id": connection_id,
            "name": name,
            "type": None,
            "location": target.location,
            "etag": None,
            "peConnectionProxyName": f"{asked.endpoint_name}.{internal_id(f'{connection_id}/proxy')}",
            "peName": asked.endpoint_name,
            "plsConnectionName": asked.endpoint_name,
            "plsProxyName": f"{asked.endpoint_name}.proxy.{internal_id(f'{connection_id}/service')}",
            "connectionDetails": [],
            "requestDescription": asked.request_message,
            "isApproved": approved,
            "properties": {
                "provisioningState": "Succeeded",
                "privateEndpoint": {"id": asked.endpoint_id, "subnetArmId": asked.subnet_id},
                "privateLinkServiceConnectionState": {
                    "status": asked.status,
                    "description": "Auto-Approved" if approved else asked.request_message,
                    "actionsRequired": "None",
                },
            },
            "notebookInternalFqdn": None,
            "notebookCustomerVisibleFqdns": None,
        }
    )


def shown(azure: Kernel, connection: Resource) -> JsonObject:
    """The connection with the address that the endpoint has now."""
    details = [
        {
            "id": internal_id(f"{connection.id}/{address}"),
            "privateIpAddress": address,
            "linkIdentifier": str(int(internal_id(connection.id)[:7], 16)),
            "groupId": GROUP_ID,
            "memberName": GROUP_ID,
        }
        for address in _addresses(azure, connection)
    ]
    return {**connection.body, "connectionDetails": details}


def _addresses(azure: Kernel, connection: Resource) -> list[str]:
    endpoint = azure.world.get(link_connections.endpoint_of(connection))
    interfaces = endpoint.properties.get("networkInterfaces") or () if endpoint is not None else ()
    cards = [azure.world.get(each["id"]) for each in interfaces]
    return [
        each["properties"]["privateIPAddress"]
        for card in cards
        if card is not None
        for each in card.properties.get("ipConfigurations") or ()
    ]


def summaries(azure: Kernel, registry: Resource, api_version: str) -> tuple[str, list[JsonObject]]:
    """Name and content of the list of connections inside the registry, as *api_version* spells them."""
    new = api_version >= _SWAGGER_SPELLING
    state = "registryPrivateLinkServiceConnectionState" if new else "privateLinkServiceConnectionState"
    rows: list[JsonObject] = []
    for each in link_connections.all_of(azure.world, registry):
        properties = each.properties
        rows.append(
            {
                "id": each.id,
                "location": each.location,
                "properties": {
                    "groupIds": [GROUP_ID],
                    "privateEndpoint": properties["privateEndpoint"],
                    state: properties["privateLinkServiceConnectionState"],
                    "provisioningState": properties["provisioningState"],
                },
            }
        )
    return ("registryPrivateEndpointConnections" if new else "privateEndpointConnections"), rows


# -- rules -------------------------------------------------------------------------------------------------------------


def _connection(azure: Kernel, call: Call) -> Resource:
    found = azure.world.get(call.resource_id)
    if found is None:
        target = azure.require(call.resource_id.rsplit("/", 2)[0])
        raise connection_not_found(call.params["connection"], target.location)
    return found


def list_link_resources(azure: Kernel, call: Call) -> Response:
    registry = azure.require(call.resource_id)
    rows = link_connections.link_resources(
        registry,
        link_groups(azure, registry),
        kind=f"{TYPE}/privateLinkResource",
        extra={"shareablePrivateLinkResourceTypes": None},
    )
    return Response.of(200, {"value": rows})


def list_connections(azure: Kernel, call: Call) -> Response:
    target = azure.require(call.resource_id)
    return Response.of(200, {"value": [shown(azure, each) for each in link_connections.all_of(azure.world, target)]})


def get_connection(azure: Kernel, call: Call) -> Response:
    return Response.of(200, shown(azure, _connection(azure, call)))


def put_connection(azure: Kernel, call: Call) -> Response:
    """Synchronous; the answer is the connection with its internal members (recorded)."""
    connection = _connection(azure, call)
    asked = call.properties.get("privateLinkServiceConnectionState") or {}
    status = str(asked.get("status") or "")
    if status not in {"Approved", "Rejected", "Pending", "Disconnected", "Timeout"}:
        raise user_error(400, "BadArgument", f"The connection status '{status}' is not valid.")
    description = str(asked.get("description") or "")
    connection.properties["privateLinkServiceConnectionState"] = {
        "status": status,
        "description": description,
        "actionsRequired": asked.get("actionsRequired") or "None",
    }
    connection.body["isApproved"] = status == "Approved"
    azure.world.touch(connection)
    target_id = connection.id.rsplit("/", 2)[0]
    azure.links.state_changed(target_id, link_connections.endpoint_of(connection), status, description)
    return Response.of(200, shown(azure, connection))


def delete_connection(azure: Kernel, call: Call) -> Response:
    connection = azure.world.get(call.resource_id)
    if connection is None:
        return Response(204)
    target_id = connection.id.rsplit("/", 2)[0]

    def finish() -> None:
        if azure.world.get(connection.id) is not None:
            azure.links.state_changed(target_id, link_connections.endpoint_of(connection), "Disconnected", "")
            azure.world.delete(connection.id)

    operation = azure.begin(
        call,
        REGISTRY,
        location=connection.location,
        seconds=azure.durations.registry_update,
        finish=lambda _at: finish(),
    )
    return Response.empty(202, operation.headers)


_ITEM = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.MachineLearningServices/registries/{registry}"
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
        groups=link_groups,
        connect=connect,
        disconnect=link_connections.disconnect,
    )
