"""
Virtual networks and their subnets.

A subnet is a resource of its own below its network; a network is shown with its subnets inside. A subnet's addresses
live in its `AddressPool`. Security groups and private endpoints are in the neighbouring modules.
"""

from collections.abc import Iterable
from copy import deepcopy
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
from local.simulator.providers.resources import region
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

NETWORKS = "Microsoft.Network/virtualNetworks"
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"

STYLE = OperationStyle(status_path=NETWORK_PATH + "/operations/{id}", first_retry_after=3, retry_after=doubling(10))
"""Networks and subnets: Azure-AsyncOperation with Retry-After 3 (recorded: aso2512)."""

UNCHANGED = replace(STYLE, first_retry_after=None)
"""A PUT that changes nothing: the answer says Succeeded and names an operation that is over (recorded: azcli2411)."""

_DEFAULTS: JsonObject = {
    "privateEndpointVNetPolicies": "Disabled",
    "virtualNetworkPeerings": [],
    "enableDdosProtection": False,
    "enableVmProtection": False,
}
"""What a network has although nobody asked for it; `shapes` knows which answers show it."""

_JOINS = {"networkSecurityGroup": "networkSecurityGroups", "routeTable": "routeTables", "natGateway": "natGateways"}


def pool(subnet: Resource) -> AddressPool:
    """The subnet's addresses."""
    found = subnet.private.get("pool")
    if not isinstance(found, AddressPool):
        found = AddressPool(prefix(subnet.body))
        subnet.private["pool"] = found
    return found


def prefix(subnet: JsonObject) -> str:
    properties = subnet["properties"]
    return str(properties.get("addressPrefix") or next(iter(properties.get("addressPrefixes") or [""])))


def location_of(azure: Kernel, subnet: Resource) -> str:
    """The region of the subnet's network."""
    return azure.require(arm_ids.parse(subnet.id).parent).location


# -- views -----------------------------------------------------------------------------------------------------------


def subnet_view(azure: Kernel, subnet: Resource) -> JsonObject:
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


def network_view(azure: Kernel, network: Resource) -> JsonObject:
    """The network with its subnets inside."""
    subnets = [subnet_view(azure, each) for each in azure.world.children(network.id, SUBNETS)]
    properties = dict(network.body["properties"])
    peerings = properties.pop("virtualNetworkPeerings", [])
    protection = properties.pop("enableDdosProtection", False)
    properties |= {"subnets": subnets, "virtualNetworkPeerings": peerings, "enableDdosProtection": protection}
    return network.body | {"properties": properties}


# -- subnets ---------------------------------------------------------------------------------------------------------


def _subnet_body(azure: Kernel, call: Call, subnet_id: str, asked: JsonObject, etag: str) -> JsonObject:
    """The stored form of a subnet, checked."""
    properties: JsonObject = {"provisioningState": "Updating"} | {
        key: value
        for key, value in asked.items()
        if key not in ("provisioningState", "ipConfigurations", "privateEndpoints", "purpose")
    }
    body = {"name": arm_ids.parse(subnet_id).name, "id": subnet_id, "etag": etag, "properties": properties}
    text = prefix(body)
    try:
        ip_network(text)
    except ValueError as problem:
        raise answers.bad_request(
            "InvalidAddressPrefixFormat",
            f"Address prefix {text} of resource {subnet_id} is not formatted correctly. It should follow CIDR notation, "
            "for example 10.0.0.0/24.",
        ) from problem
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


def _store_subnet(azure: Kernel, body: JsonObject) -> Resource:
    """Write a subnet; its addresses survive as long as its prefix does."""
    known = azure.world.get(body["id"])
    if known is not None and prefix(known.body) != prefix(body) and pool(known).held:
        raise answers.bad_request(
            "InUsePrefixCannotBeDeleted",
            f"IpPrefix {prefix(known.body)} on Subnet {known.name} has active allocations and cannot be deleted.",
        )
    private = known.private if known is not None and prefix(known.body) == prefix(body) else {}
    return azure.world.put(body, private=private)


def _demand_room(network: JsonObject, body: JsonObject, others: Iterable[JsonObject]) -> None:
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


def _demand_unused(subnet: Resource) -> None:
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
    body = _subnet_body(azure, call, subnet_id, call.properties, azure.world.etag())
    _demand_room(network.body, body, (each.body for each in azure.world.children(network.id, SUBNETS)))
    if known is not None and _is_ready_and_same(known.properties, body["properties"]):
        operation = azure.begin(call, UNCHANGED, location=network.location, seconds=0.0, finish=lambda _at: None)
        return Response.of(200, subnet_view(azure, known), operation.headers)
    subnet = _store_subnet(azure, body)

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
    return Response.of(201 if known is None else 200, subnet_view(azure, subnet), operation.headers)


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
    return answers.shown(azure, subnet, subnet_view)


def list_subnets(azure: Kernel, call: Call) -> Response:
    rows = [subnet_view(azure, each) for each in azure.world.children(call.resource_id, SUBNETS)]
    return Response.of(200, {"value": rows})


def delete_subnet(azure: Kernel, call: Call) -> Response:
    network = azure.require(arm_ids.parse(call.resource_id).parent)
    return answers.delete(
        azure,
        call,
        seconds=azure.durations.virtual_network_delete,
        location=network.location,
        before=_demand_unused,
    )


# -- networks --------------------------------------------------------------------------------------------------------


def put_network(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    answers.demand_match(call, known)
    asked = call.properties
    etag = azure.world.etag()
    properties: JsonObject = {
        "provisioningState": "Updating",
        "resourceGuid": known.properties["resourceGuid"] if known is not None else azure.world.guid(),
        "addressSpace": {"addressPrefixes": [], "ipamPoolPrefixAllocations": []} | (asked.get("addressSpace") or {}),
    }
    ignored = ("provisioningState", "resourceGuid", "addressSpace", "subnets")
    properties |= {key: value for key, value in asked.items() if key not in ignored}
    properties |= {key: deepcopy(value) for key, value in _DEFAULTS.items() if key not in properties}
    if isinstance(properties.get("dhcpOptions"), dict):
        properties["dhcpOptions"] = {"dnsServers": []} | properties["dhcpOptions"]
    _demand_encryption(call, properties.get("encryption"))
    body: JsonObject = {
        "name": known.name if known is not None else call.params["network"],
        "id": known.id if known is not None else call.resource_id,
        "etag": etag,
        "type": NETWORKS,
        "location": region(str((call.body or {}).get("location", ""))),
    }
    if (call.body or {}).get("tags") is not None:
        body["tags"] = (call.body or {})["tags"]
    body |= {"properties": properties}
    subnets = _checked_subnets(azure, call, body) if "subnets" in asked else None
    network = azure.world.put(body)
    if subnets is not None:
        _replace_subnets(azure, network, subnets)

    def settle(state: str) -> None:
        answers.stamp(azure, network.body, state)
        for subnet in azure.world.children(network.id, SUBNETS):
            answers.stamp(azure, subnet.body, state)
            subnet.body["etag"] = network.body["etag"]

    operation = azure.begin(
        call,
        STYLE,
        location=network.location,
        seconds=azure.durations.virtual_network,
        finish=lambda _at: settle("Succeeded"),
        fail=lambda _at, _error: settle("Failed"),
    )
    network.private["writer"] = ("PutVirtualNetworkOperation", operation.id, operation.due)
    return Response.of(201 if known is None else 200, network_view(azure, network), operation.headers)


def _demand_encryption(call: Call, asked: Any) -> None:
    """Encryption needs its intent and its enforcement (recorded: azcli2307)."""
    if isinstance(asked, dict) and ("enabled" in asked) != ("enforcement" in asked):
        raise answers.bad_request(
            "MustSpecifyBothEncryptionIntentAndEnforcementPolicy",
            f"Cannot encrypt VirtualNetwork {call.resource_id} unless both encryption intent (Enabled true or false) and "
            "enforcement policy (AllowUnencrypted or DropUnencrypted) are specified.",
        )


def _checked_subnets(azure: Kernel, call: Call, network: JsonObject) -> list[JsonObject]:
    """The subnets of a network's PUT; nothing has been written when one of them is refused."""
    asked = call.properties["subnets"] or []
    bodies = [
        _subnet_body(
            azure, call, f"{network['id']}/subnets/{each['name']}", each.get("properties") or {}, network["etag"]
        )
        for each in asked
    ]
    wanted = {str(each["name"]).lower() for each in bodies}
    for subnet in azure.world.children(network["id"], SUBNETS):
        if subnet.name.lower() not in wanted:
            _demand_unused(subnet)
    for body in bodies:
        _demand_room(network, body, bodies)
    return bodies


def _replace_subnets(azure: Kernel, network: Resource, bodies: list[JsonObject]) -> None:
    """The list in a network's PUT is the whole truth: what is not in it goes."""
    wanted = {str(each["id"]).lower() for each in bodies}
    for subnet in list(azure.world.children(network.id, SUBNETS)):
        if subnet.key not in wanted:
            azure.world.delete(subnet.id)
    for body in bodies:
        _store_subnet(azure, body)


def get_network(azure: Kernel, call: Call) -> Response:
    return answers.shown(azure, azure.require(call.resource_id), network_view)


def list_networks(azure: Kernel, call: Call) -> Response:
    return answers.listed(azure, call, NETWORKS, network_view)


def tag_network(azure: Kernel, call: Call) -> Response:
    network = azure.require(call.resource_id)
    network.body["tags"] = (call.body or {}).get("tags") or {}
    answers.stamp(azure, network.body, "Succeeded")
    return answers.shown(azure, network, network_view)


def delete_network(azure: Kernel, call: Call) -> Response:
    def before(network: Resource) -> None:
        for subnet in azure.world.children(network.id, SUBNETS):
            _demand_unused(subnet)

    known = azure.world.get(call.resource_id)
    location = known.location if known is not None else ""
    seconds = azure.durations.virtual_network_delete
    return answers.delete(azure, call, seconds=seconds, location=location, before=before)


def usages(azure: Kernel, call: Call) -> Response:
    """Used and available addresses per subnet."""
    rows = [
        {
            "currentValue": float(len(pool(each).held)),
            "id": each.id,
            "limit": float(pool(each).size),
            "name": {"localizedValue": "Subnet size and usage", "value": "SubnetSpace"},
            "unit": "Count",
        }
        for each in azure.world.children(call.resource_id, SUBNETS)
    ]
    return Response.of(200, {"value": rows})


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/virtualNetworks"
_NETWORK = _GROUP + "/{network}"
_SUBNET = _NETWORK + "/subnets/{subnet}"

ROUTES = (
    Route("GET", "/subscriptions/{sub}/providers/Microsoft.Network/virtualNetworks", list_networks),
    Route("GET", _GROUP, list_networks),
    Route("PUT", _NETWORK, put_network),
    Route("GET", _NETWORK, get_network),
    Route("PATCH", _NETWORK, tag_network),
    Route("DELETE", _NETWORK, delete_network),
    Route("GET", _NETWORK + "/usages", usages, action="Microsoft.Network/virtualNetworks/usages/read"),
    Route("GET", _NETWORK + "/subnets", list_subnets),
    Route("PUT", _SUBNET, put_subnet),
    Route("GET", _SUBNET, get_subnet),
    Route("DELETE", _SUBNET, delete_subnet),
)
