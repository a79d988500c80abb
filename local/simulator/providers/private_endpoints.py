"""
Private endpoints: created in a subnet, approved on the target, named by zone groups.

An endpoint that its creator may approve is Approved from the first answer; without the right on the target the PUT is
refused, it does not become Pending. Pending comes from manual connections only. An endpoint cannot be moved to another
subnet or target. The code of that refusal and that of an unknown group id are assumptions. A PUT that changes nothing
answers 200 and ends at once; on a Failed endpoint it tries again.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.kernel import Kernel
from local.simulator.operations import NETWORK
from local.simulator.private_link import LinkConnection
from local.simulator.providers import endpoint_connections as wanted
from local.simulator.providers import endpoint_interfaces as interfaces
from local.simulator.providers import network_answers, zone_groups
from local.simulator.providers.endpoint_connections import ENDPOINTS, Wish
from local.simulator.providers.endpoint_links import EndpointLinks
from local.simulator.providers.resources import region
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

UNCHANGED = replace(NETWORK, first_retry_after=None)
"""An update that changes nothing has the header but no Retry-After (recorded: azcli2411)."""


def put_endpoint(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    network_answers.demand_match(call, known)
    endpoint_id = known.id if known is not None else call.resource_id
    asked = wanted.wishes(call, endpoint_id)
    location = region(str((call.body or {}).get("location", "")))
    subnet = wanted.subnet_for(azure, call, endpoint_id, location)
    for wish in asked:
        wanted.demand_target(azure, call, wish)
    _demand_quiet(azure, subnet, known)
    if known is not None:
        return _update(azure, call, known, subnet, asked)
    return _create(azure, call, subnet, asked, location)


def _demand_quiet(azure: Kernel, subnet: Resource, known: Resource | None) -> None:
    """Nobody deletes the endpoint at the moment; with `network_contention`, nobody writes in its subnet."""
    if known is not None and known.properties["provisioningState"] == "Deleting":
        running = str(known.private.get("operation", azure.world.trace_id()))
        raise network_answers.busy("DeletePrivateEndpointOperation", known.id, running, 11)
    held = subnet.private.get("writer")
    if azure.options.network_contention and held is not None:
        operation_id, until = held
        left = int((until - azure.world.now).total_seconds())
        if left > 0:
            raise network_answers.busy("PutPrivateEndpointOperation", subnet.id, operation_id, min(max(left, 1), 14))


def _create(azure: Kernel, call: Call, subnet: Resource, asked: list[Wish], location: str) -> Response:
    endpoint = begun(azure, call.resource_id, call.body or {}, subnet, asked, location)
    headers = _begin(azure, call, endpoint, subnet)
    return Response.of(201, endpoint.body, headers)


def begun(
    azure: Kernel, endpoint_id: str, request: JsonObject, subnet: Resource, asked: list[Wish], location: str
) -> Resource:
    """A new endpoint with its interface, still being provisioned; it is not there when its interface is refused."""
    etag = azure.world.etag()
    properties = request.get("properties") or {}
    bodies = [(wish.manual, wanted.connection_body(endpoint_id, wish, etag)) for wish in asked]
    name = str(properties.get("customNetworkInterfaceName") or "")
    body: JsonObject = {
        "name": endpoint_id.rpartition("/")[2],
        "id": endpoint_id,
        "etag": etag,
        "type": ENDPOINTS,
        "location": location,
    }
    if request.get("tags"):
        body["tags"] = request["tags"]
    body["properties"] = {
        "provisioningState": "Updating",
        "resourceGuid": azure.world.guid(),
        wanted.AUTOMATIC: [each for manual, each in bodies if not manual],
        wanted.MANUAL: [each for manual, each in bodies if manual],
        "customNetworkInterfaceName": name,
        "subnet": {"id": subnet.id},
        "ipConfigurations": properties.get("ipConfigurations") or [],
        "networkInterfaces": [],
        "customDnsConfigs": [],
    }
    endpoint = azure.world.put(body)
    try:
        needed = wanted.addresses(azure, wanted.pairs_of(endpoint))
        nic = interfaces.make(azure, endpoint, subnet, needed, name)
    except ArmError:
        azure.world.delete(endpoint.id)
        raise
    endpoint.properties["networkInterfaces"] = [{"id": nic.id}]
    _links(azure).watch(endpoint)
    return endpoint


def _update(azure: Kernel, call: Call, endpoint: Resource, subnet: Resource, asked: list[Wish]) -> Response:
    """Tags may change and a Failed endpoint is tried again; its place and its targets stay."""
    before = sorted(each.lower() for each, _ in wanted.pairs_of(endpoint))
    moved = endpoint.properties["subnet"]["id"].lower() != subnet.key
    if moved or sorted(each.target_id.lower() for each in asked) != before:
        raise network_answers.bad_request(
            "PrivateEndpointUpdateNotAllowed",
            f"Private endpoint {endpoint.id} cannot be moved to another subnet or another private link service.",
        )
    if "tags" in (call.body or {}):
        endpoint.body["tags"] = (call.body or {})["tags"] or {}
    azure.world.touch(endpoint)
    if endpoint.properties["provisioningState"] == "Succeeded":
        network_answers.stamp(azure, endpoint.body, "Succeeded", parts=False)
        location = endpoint.location
        operation = azure.begin(call, UNCHANGED, location=location, seconds=0.0, finish=lambda _at: None)
        return Response.of(200, endpoint.body, operation.headers)
    network_answers.stamp(azure, endpoint.body, "Updating", parts=False)
    return Response.of(200, endpoint.body, _begin(azure, call, endpoint, subnet))


def _begin(azure: Kernel, call: Call, endpoint: Resource, subnet: Resource) -> dict[str, str]:
    """Provision: at the end the targets know their connections and the names are shown."""

    def finish(_at: datetime) -> None:
        if azure.world.get(endpoint.id) is not None:
            finished(azure, endpoint)

    def fail(_at: datetime, _error: JsonObject) -> None:
        network_answers.stamp(azure, endpoint.body, "Failed", parts=False)

    seconds = azure.durations.private_endpoint
    operation = azure.begin(call, NETWORK, location=endpoint.location, seconds=seconds, finish=finish, fail=fail)
    endpoint.private["operation"] = operation.id
    subnet.private["writer"] = (operation.id, azure.world.now + timedelta(seconds=seconds))
    return operation.headers


def finished(azure: Kernel, endpoint: Resource) -> None:
    """The endpoint is provisioned: its targets know it, and its names are shown."""
    _connect(azure, endpoint)
    network_answers.stamp(azure, endpoint.body, "Succeeded", parts=False)
    zone_groups.refresh(azure, endpoint)


def _connect(azure: Kernel, endpoint: Resource) -> None:
    """Tell every target of its connection; one that is gone or busy makes the operation fail."""
    for each in wanted.connections(endpoint):
        properties = each["properties"]
        target, known = wanted.target_of(azure, str(properties["privateLinkServiceId"]))
        state = properties["privateLinkServiceConnectionState"]
        if state["status"] in ("Rejected", "Disconnected"):
            continue
        known.connect(
            azure,
            target,
            LinkConnection(
                endpoint_id=endpoint.id,
                endpoint_name=endpoint.name,
                connection_id=endpoint.private.setdefault("connection", azure.world.guid()),
                groups=tuple(properties.get("groupIds") or ()),
                subnet_id=str(endpoint.properties["subnet"]["id"]),
                location=endpoint.location,
                status=state["status"],
                description=state["description"],
                request_message=str(properties.get("requestMessage", "")),
            ),
        )


def get_endpoint(azure: Kernel, call: Call) -> Response:
    return network_answers.shown(azure, azure.require(call.resource_id))


def list_endpoints(azure: Kernel, call: Call) -> Response:
    return network_answers.listed(azure, call, ENDPOINTS)


def delete_endpoint(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    location = known.location if known is not None else ""
    seconds = azure.durations.private_endpoint_delete
    answer = network_answers.delete(azure, call, seconds=seconds, location=location, before=None)
    if known is not None and call.operation is not None:
        known.private["operation"] = call.operation.id
    return answer


def _links(azure: Kernel) -> EndpointLinks:
    """What `install` has put there."""
    return cast("EndpointLinks", azure.links)


def install(azure: Kernel) -> None:
    links = EndpointLinks(azure)
    azure.links = links
    azure.world.on_removal(links.removed)


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/privateEndpoints"

ROUTES = (
    Route("GET", "/subscriptions/{sub}/providers/Microsoft.Network/privateEndpoints", list_endpoints),
    Route("GET", _GROUP, list_endpoints),
    Route("PUT", _GROUP + "/{endpoint}", put_endpoint),
    Route("GET", _GROUP + "/{endpoint}", get_endpoint),
    Route("DELETE", _GROUP + "/{endpoint}", delete_endpoint),
    *interfaces.ROUTES,
    *zone_groups.ROUTES,
)
