"""
Subnets and their addresses.

A subnet is a resource of its own below its network. Its addresses live in its `AddressPool`.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from ipaddress import IPv4Network, ip_network
from typing import Any

from local.simulator import arm_ids
from local.simulator.addresses import AddressPool
from local.simulator.call import Call
from local.simulator.kernel import Kernel
from local.simulator.operations import NETWORK_PATH, OperationStyle, doubling
from local.simulator.providers import network_answers as answers
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

SUBNETS = "Microsoft.Network/virtualNetworks/subnets"

STYLE = OperationStyle(status_path=NETWORK_PATH + "/operations/{id}", first_retry_after=3, retry_after=doubling(10))
"""Networks and subnets: Azure-AsyncOperation with Retry-After 3 (recorded: aso2512)."""

UNCHANGED = replace(STYLE, first_retry_after=None)
"""A PUT that changes nothing: the answer says Succeeded and names an operation that is over (recorded: azcli2411)."""

_JOINS = {"networkSecurityGroup": "networkSecurityGroups", "routeTable": "routeTables", "natGateway": "natGateways"}


def pool(subnet: Resource) -> AddressPool:
    """The subnet's addresses."""
    found = subnet.private.get("pool")
    if not isinstance(found, AddressPool):
        found = AddressPool(prefix(subnet.body))
        subnet.private["pool"] = found
    return found


def prefix(subnet: JsonObject) -> str:
    """Where the subnet's addresses are: its only prefix, or the IPv4 one of two in either order."""
    properties = subnet["properties"]
    several = [str(each) for each in properties.get("addressPrefixes") or [""]]
    return str(properties.get("addressPrefix") or next((each for each in several if ":" not in each), several[0]))


def location_of(azure: Kernel, subnet: Resource) -> str:
    """The region of the subnet's network."""
    return azure.require(arm_ids.parse(subnet.id).parent).location


def view(azure: Kernel, subnet: Resource) -> JsonObject:
    """The subnet with what sits in it."""
    held = pool(subnet).held
    if not held:
        return subnet.body
    properties = dict(subnet.body["properties"])
    state = properties.pop("provisioningState")
    seen: dict[str, None] = {}
    for holder in held.values():
        nic = azure.world.get(holder.partition("/ipConfigurations/")[0])
        endpoint = nic.private.get("endpoint") if nic is not None else None
        if endpoint:
            seen[endpoint] = None
    shown: JsonObject = {"provisioningState": state} | properties
    shown["ipConfigurations"] = [{"id": holder} for holder in held.values()]
    if seen:
        shown["privateEndpoints"] = [{"id": each} for each in seen]
    return subnet.body | {"properties": shown}


def new_body(azure: Kernel, call: Call, subnet_id: str, asked: JsonObject, etag: str) -> JsonObject:
    """The stored form of a subnet, checked."""
    properties: JsonObject = {"provisioningState": "Updating"} | {
        key: value
        for key, value in asked.items()
        if key not in ("provisioningState", "ipConfigurations", "privateEndpoints", "purpose")
    }
    body = {"name": arm_ids.parse(subnet_id).name, "id": subnet_id, "etag": etag, "properties": properties}
    demand_prefix(prefix(body), subnet_id)
    for member, kind in _JOINS.items():
        reference = (properties.get(member) or {}).get("id")
        if reference:
            azure.demand_linked(call, f"Microsoft.Network/{kind}/join/action", reference)
            if azure.world.get(reference) is None:
                raise answers.invalid_reference(reference, subnet_id)
    properties["delegations"] = [_delegation(subnet_id, each, etag) for each in properties.get("delegations") or []]
    for endpoint in properties.get("serviceEndpoints") or []:
        endpoint.setdefault("provisioningState", "Updating")
        endpoint.setdefault("locations", ["*"])
    properties.setdefault("ipamPoolPrefixAllocations", [])
    properties.setdefault("privateEndpointNetworkPolicies", "Disabled")
    properties.setdefault("privateLinkServiceNetworkPolicies", "Enabled")
    return body | {"type": SUBNETS}


def demand_prefix(text: str, resource_id: str) -> None:
    """A prefix that can be read (recorded: azcli2307)."""
    try:
        ip_network(text)
    except ValueError as problem:
        raise answers.bad_request(
            "InvalidAddressPrefixFormat",
            f"Address prefix {text} of resource {resource_id} is not formatted correctly. It should follow CIDR notation, "
            "for example 10.0.0.0/24.",
        ) from problem


def _delegation(subnet_id: str, asked: JsonObject, etag: str) -> JsonObject:
    service = (asked.get("properties") or {}).get("serviceName", "")
    return {
        "name": asked.get("name", "delegation"),
        "id": f"{subnet_id}/delegations/{asked.get('name', 'delegation')}",
        "etag": etag,
        "properties": {
            "provisioningState": "Succeeded",
            "serviceName": service,
            "actions": ["Microsoft.Network/virtualNetworks/subnets/join/action"],
        },
        "type": f"{SUBNETS}/delegations",
    }


def store(azure: Kernel, body: JsonObject) -> Resource:
    """Write a subnet; its addresses survive as long as its prefix does."""
    known = azure.world.get(body["id"])
    if known is not None and prefix(known.body) != prefix(body) and pool(known).held:
        raise answers.bad_request(
            "InUsePrefixCannotBeDeleted",
            f"IpPrefix {prefix(known.body)} on Subnet {known.name} has active allocations and cannot be deleted.",
        )
    private = known.private if known is not None and prefix(known.body) == prefix(body) else {}
    return azure.world.put(body, private=private)


def demand_room(network: JsonObject, body: JsonObject, others: Iterable[JsonObject]) -> None:
    """A subnet lies inside its network and overlaps no other."""
    wanted = ip_network(prefix(body))
    space = [ip_network(each) for each in network["properties"]["addressSpace"]["addressPrefixes"]]
    if not isinstance(wanted, IPv4Network) or not any(
        isinstance(each, IPv4Network) and wanted.subnet_of(each) for each in space
    ):
        raise answers.bad_request(
            "NetcfgInvalidSubnet",
            f"Subnet '{body['name']}' is not valid because its IP address range is outside the IP address range of "
            f"virtual network '{network['name']}'.",
        )
    for other in others:
        same = str(other["name"]).lower() == str(body["name"]).lower()
        if not same and wanted.overlaps(ip_network(prefix(other))):
            raise answers.bad_request(
                "NetcfgSubnetRangesOverlap",
                f"Subnet '{body['name']}' is not valid because its IP address range overlaps with that of an existing "
                f"subnet in virtual network '{network['name']}'.",
            )


def demand_unused(subnet: Resource) -> None:
    held = pool(subnet).held
    if held:
        raise answers.bad_request(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.name} is in use by {next(iter(held.values()))} and cannot be deleted. In order to delete "
            "the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
        )


def _demand_idle(azure: Kernel, network: Resource) -> None:
    """One write at a time in a network (recorded: aso2512, aso2608)."""
    name, operation_id, until = network.private.get("writer", ("", "", None))
    if until is not None and until > azure.world.now:
        left = int((until - azure.world.now).total_seconds())
        raise answers.busy(name, network.id, operation_id, min(max(left, 10), 14))


def put_subnet(azure: Kernel, call: Call) -> Response:
    network = azure.require(arm_ids.parse(call.resource_id).parent)
    known = azure.world.get(call.resource_id)
    answers.demand_match(call, known)
    _demand_idle(azure, network)
    subnet_id = known.id if known is not None else f"{network.id}/subnets/{call.params['subnet']}"
    body = new_body(azure, call, subnet_id, call.properties, azure.world.etag())
    demand_room(network.body, body, (each.body for each in azure.world.children(network.id, SUBNETS)))
    if known is not None and _is_ready_and_same(known.properties, body["properties"]):
        operation = azure.begin(call, UNCHANGED, location=network.location, seconds=0.0, finish=lambda _at: None)
        return Response.of(200, view(azure, known), operation.headers)
    subnet = store(azure, body)

    def finish(_at: datetime) -> None:
        answers.stamp(azure, subnet.body, "Succeeded")
        for endpoint in subnet.properties.get("serviceEndpoints") or []:
            endpoint["provisioningState"] = "Succeeded"

    operation = azure.begin(
        call,
        STYLE,
        location=network.location,
        seconds=azure.durations.subnet,
        finish=finish,
        fail=lambda _at, _error: answers.stamp(azure, subnet.body, "Failed"),
    )
    network.private["writer"] = ("PutSubnetOperation", operation.id, operation.due)
    return Response.of(201 if known is None else 200, view(azure, subnet), operation.headers)


def _is_ready_and_same(before: JsonObject, after: JsonObject) -> bool:
    """Whether a PUT changes nothing of a subnet that is ready; states and entity tags aside."""
    return before.get("provisioningState") == "Succeeded" and _bare(before) == _bare(after)


def _bare(value: Any) -> Any:
    if isinstance(value, list):
        return [_bare(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _bare(each) for key, each in value.items() if key not in ("etag", "provisioningState")}


def get_subnet(azure: Kernel, call: Call) -> Response:
    subnet = azure.world.get(call.resource_id)
    if subnet is None:
        raise answers.not_found(call.resource_id)
    return answers.shown(azure, subnet, view)


def list_subnets(azure: Kernel, call: Call) -> Response:
    rows = [view(azure, each) for each in azure.world.children(call.resource_id, SUBNETS)]
    return Response.of(200, {"value": rows})


def delete_subnet(azure: Kernel, call: Call) -> Response:
    network = azure.require(arm_ids.parse(call.resource_id).parent)
    return answers.delete(
        azure,
        call,
        seconds=azure.durations.virtual_network_delete,
        location=network.location,
        before=demand_unused,
    )


_NETWORK = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/virtualNetworks/{network}"
_SUBNET = _NETWORK + "/subnets/{subnet}"

ROUTES = (
    Route("GET", _NETWORK + "/subnets", list_subnets),
    Route("PUT", _SUBNET, put_subnet),
    Route("GET", _SUBNET, get_subnet),
    Route("DELETE", _SUBNET, delete_subnet),
)
