"""Virtual networks, shown with their subnets inside; the list in a network's PUT is the whole truth about them."""

from copy import deepcopy
from typing import Any

from local.simulator.call import Call
from local.simulator.kernel import Kernel
from local.simulator.providers import network_answers as answers
from local.simulator.providers import subnets
from local.simulator.providers.resources import region
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

NETWORKS = "Microsoft.Network/virtualNetworks"

_DEFAULTS: JsonObject = {
    "privateEndpointVNetPolicies": "Disabled",
    "virtualNetworkPeerings": [],
    "enableDdosProtection": False,
    "enableVmProtection": False,
}
"""What a network has although nobody asked for it; `shapes` knows which answers show it."""


def network_view(azure: Kernel, network: Resource) -> JsonObject:
    """The network with its subnets inside."""
    shown = [subnets.view(azure, each) for each in azure.world.children(network.id, subnets.SUBNETS)]
    properties = dict(network.body["properties"])
    peerings = properties.pop("virtualNetworkPeerings", [])
    protection = properties.pop("enableDdosProtection", False)
    properties |= {"subnets": shown, "virtualNetworkPeerings": peerings, "enableDdosProtection": protection}
    return network.body | {"properties": properties}


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
    for each in properties["addressSpace"]["addressPrefixes"]:
        subnets.demand_prefix(str(each), call.resource_id)
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
    bodies = _checked_subnets(azure, call, body) if "subnets" in asked else None
    network = azure.world.put(body)
    if bodies is not None:
        _replace_subnets(azure, network, bodies)

    def settle(state: str) -> None:
        answers.stamp(azure, network.body, state)
        for subnet in azure.world.children(network.id, subnets.SUBNETS):
            answers.stamp(azure, subnet.body, state)
            subnet.body["etag"] = network.body["etag"]

    operation = azure.begin(
        call,
        subnets.STYLE,
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
        subnets.new_body(
            azure, call, f"{network['id']}/subnets/{each['name']}", each.get("properties") or {}, network["etag"]
        )
        for each in asked
    ]
    wanted = {str(each["name"]).lower() for each in bodies}
    for subnet in azure.world.children(network["id"], subnets.SUBNETS):
        if subnet.name.lower() not in wanted:
            subnets.demand_unused(subnet)
    for body in bodies:
        subnets.demand_room(network, body, bodies)
    return bodies


def _replace_subnets(azure: Kernel, network: Resource, bodies: list[JsonObject]) -> None:
    """The list in a network's PUT is the whole truth: what is not in it goes."""
    wanted = {str(each["id"]).lower() for each in bodies}
    for subnet in list(azure.world.children(network.id, subnets.SUBNETS)):
        if subnet.key not in wanted:
            azure.world.delete(subnet.id)
    for body in bodies:
        subnets.store(azure, body)


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
        for subnet in azure.world.children(network.id, subnets.SUBNETS):
            subnets.demand_unused(subnet)

    known = azure.world.get(call.resource_id)
    location = known.location if known is not None else ""
    seconds = azure.durations.virtual_network_delete
    return answers.delete(azure, call, seconds=seconds, location=location, before=before)


def usages(azure: Kernel, call: Call) -> Response:
    """Used and available addresses per subnet."""
    rows = [
        {
            "currentValue": float(len(subnets.pool(each).held)),
            "id": each.id,
            "limit": float(subnets.pool(each).size),
            "name": {"localizedValue": "Subnet size and usage", "value": "SubnetSpace"},
            "unit": "Count",
        }
        for each in azure.world.children(call.resource_id, subnets.SUBNETS)
    ]
    return Response.of(200, {"value": rows})


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/virtualNetworks"
_NETWORK = _GROUP + "/{network}"

ROUTES = (
    Route("GET", "/subscriptions/{sub}/providers/Microsoft.Network/virtualNetworks", list_networks),
    Route("GET", _GROUP, list_networks),
    Route("PUT", _NETWORK, put_network),
    Route("GET", _NETWORK, get_network),
    Route("PATCH", _NETWORK, tag_network),
    Route("DELETE", _NETWORK, delete_network),
    Route("GET", _NETWORK + "/usages", usages, action="Microsoft.Network/virtualNetworks/usages/read"),
)
