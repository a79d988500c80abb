"""
Network interfaces that a caller makes itself, as for a virtual machine.

The creation answers 201 with everything done; older api-versions name an operation that is over (recorded: netlib,
java2011). Interfaces of private endpoints are in `endpoint_interfaces`; they belong to their endpoint and cannot be changed here.
"""

from typing import Any

from local.simulator import arm_ids
from local.simulator.call import Call
from local.simulator.kernel import Kernel
from local.simulator.operations import NETWORK_PATH, OperationStyle
from local.simulator.providers import endpoint_interfaces, network_answers, subnets
from local.simulator.providers.endpoint_interfaces import INTERFACES
from local.simulator.providers.resources import region
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

DONE = OperationStyle(status_path=NETWORK_PATH + "/operations/{id}")
"""Azure-AsyncOperation of something that is over already."""

AT_ONCE = "2020-11-01"
"""From this api-version on the answer names no operation any more (recorded: aso2512, aso2608)."""


def put_interface(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    network_answers.demand_match(call, known)
    if known is not None and known.private.get("endpoint"):
        raise network_answers.bad_request(
            "NicInUseByPrivateEndpoint", f"Network interface {known.id} belongs to a private endpoint."
        )
    nic_id = known.id if known is not None else call.resource_id
    asked = call.properties.get("ipConfigurations") or []
    subnet = _subnet_of(azure, call, nic_id, asked)
    _demand_references(azure, call, nic_id, asked)
    if known is not None:
        endpoint_interfaces.released(azure, known)
    nic = azure.world.put(_body(azure, call, known, nic_id, subnet, asked), private={"subnet": subnet.id})
    status = 201 if known is None else 200
    if call.api_version >= AT_ONCE:
        return Response.of(status, nic.body)
    operation = azure.begin(call, DONE, location=nic.location, seconds=0.0, finish=lambda _at: None)
    return Response.of(status, nic.body, operation.headers)


def delete_interface(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    seconds = azure.durations.security_group
    return network_answers.delete(
        azure, call, seconds=seconds, location=known.location if known is not None else "", before=_demand_free
    )


def attach(azure: Kernel, nic: Resource, machine_id: str) -> None:
    """A virtual machine takes the interface: whoever plays the compute service says so (recorded: netlib, java2011)."""
    nic.body["properties"] |= {
        "macAddress": "-".join(azure.world.hex(2).upper() for _ in range(6)),
        "primary": True,
        "virtualMachine": {"id": machine_id},
    }
    network_answers.stamp(azure, nic.body, "Succeeded", parts=False)


def _demand_free(nic: Resource) -> None:
    endpoint = nic.private.get("endpoint")
    if endpoint:
        raise network_answers.bad_request(
            "NicInUseByPrivateEndpoint", f"Network interface {nic.id} is used by private endpoint {endpoint}."
        )


# -- the request -------------------------------------------------------------------------------------------------------


def _subnet_of(azure: Kernel, call: Call, nic_id: str, asked: list[Any]) -> Resource:
    """
    The one subnet of all configurations.

    Raises:
        ArmError: 400 when there is none, when there are several, or when it is not there; 429 while it is written.
    """
    named = {str(_reference(each, "subnet")): None for each in asked}
    if len({each.lower() for each in named}) > 1:
        raise network_answers.bad_request(
            "IpConfigurationsOnSameNicCannotUseDifferentSubnets",
            f"IPConfigurations on a Nic {nic_id} cannot belong to different subnets. Subnets referred: "
            f"{', '.join(named)}.",
        )
    subnet_id = next(iter(named), "")
    if not subnet_id:
        raise network_answers.bad_request(
            "SubnetsMissing", f"Network interface {nic_id} must have an IP configuration with a subnet."
        )
    azure.demand_linked(call, "Microsoft.Network/virtualNetworks/subnets/join/action", subnet_id)
    subnet = azure.world.get(subnet_id)
    if subnet is None or subnets.location_of(azure, subnet) != region(str((call.body or {}).get("location", ""))):
        raise network_answers.invalid_reference(subnet_id, nic_id)
    _demand_provisioned(subnet, nic_id, "PutSubnetOperation")
    return subnet


def _demand_references(azure: Kernel, call: Call, nic_id: str, asked: list[Any]) -> None:
    """Public addresses and the security group must be there and not in the middle of a change."""
    wanted = [(_reference(each, "publicIPAddress"), "PutPublicIpAddressOperation") for each in asked]
    group = call.properties.get("networkSecurityGroup") or {}
    wanted.append((str(group.get("id") or ""), "PutNetworkSecurityGroupOperation"))
    for identity, operation in wanted:
        found = azure.world.get(identity) if identity else None
        if identity and found is None:
            raise network_answers.invalid_reference(identity, nic_id)
        if found is not None:
            _demand_provisioned(found, nic_id, operation)


def _demand_provisioned(resource: Resource, nic_id: str, operation: str) -> None:
    state = str(resource.properties.get("provisioningState", "Succeeded"))
    if state == "Updating":
        raise network_answers.not_provisioned(resource.id, nic_id, state, operation)


def _reference(configuration: Any, member: str) -> str:
    properties = configuration.get("properties") or {}
    return str((properties.get(member) or {}).get("id") or "")


# -- the body ----------------------------------------------------------------------------------------------------------


def _body(
    azure: Kernel, call: Call, known: Resource | None, nic_id: str, subnet: Resource, asked: list[Any]
) -> JsonObject:
    etag = azure.world.etag()
    body: JsonObject = {
        "name": arm_ids.parse(nic_id).name,
        "id": nic_id,
        "etag": etag,
        "location": region(str((call.body or {}).get("location", ""))),
    }
    if (call.body or {}).get("tags") is not None:
        body["tags"] = (call.body or {})["tags"]
    properties: JsonObject = {
        "provisioningState": "Succeeded",
        "resourceGuid": known.properties["resourceGuid"] if known is not None else azure.world.guid(),
        "ipConfigurations": [
            _configuration(subnet, nic_id, each, etag, primary=at == 0) for at, each in enumerate(asked)
        ],
        "dnsSettings": {
            "dnsServers": (call.properties.get("dnsSettings") or {}).get("dnsServers") or [],
            "appliedDnsServers": [],
            "internalDomainNameSuffix": f"{azure.world.hex(26)}.bx.internal.cloudapp.net",
        },
        "enableAcceleratedNetworking": bool(call.properties.get("enableAcceleratedNetworking")),
        "vnetEncryptionSupported": False,
        "enableIPForwarding": bool(call.properties.get("enableIPForwarding")),
        "disableTcpStateTracking": False,
        "hostedWorkloads": [],
        "tapConfigurations": [],
        "nicType": "Standard",
        "auxiliaryMode": "None",
        "auxiliarySku": "None",
    }
    if call.properties.get("networkSecurityGroup"):
        properties["networkSecurityGroup"] = {"id": call.properties["networkSecurityGroup"].get("id")}
    return body | {"properties": properties, "type": INTERFACES}


def _configuration(subnet: Resource, nic_id: str, asked: JsonObject, etag: str, *, primary: bool) -> JsonObject:
    name = str(asked.get("name") or "ipconfig1")
    holder = f"{nic_id}/ipConfigurations/{name}"
    wanted = asked.get("properties") or {}
    static = str(wanted.get("privateIPAllocationMethod") or "Dynamic") == "Static"
    address = str(wanted.get("privateIPAddress") or "") if static else ""
    if address:
        endpoint_interfaces.claim(subnet, address, holder)
    else:
        taken = subnets.pool(subnet).take(holder)
        if taken is None:
            raise endpoint_interfaces.subnet_is_full(subnet, 1)
        address = taken
    properties: JsonObject = {
        "provisioningState": "Succeeded",
        "privateIPAddress": address,
        "privateIPAllocationMethod": "Static" if static else "Dynamic",
        "subnet": {"id": subnet.id},
        "primary": primary,
        "privateIPAddressVersion": str(wanted.get("privateIPAddressVersion") or "IPv4"),
    }
    if wanted.get("publicIPAddress"):
        properties["publicIPAddress"] = {"id": wanted["publicIPAddress"].get("id")}
    return {
        "name": name,
        "id": holder,
        "etag": etag,
        "type": f"{INTERFACES}/ipConfigurations",
        "properties": properties,
    }


_INTERFACE = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/networkInterfaces/{nic}"

ROUTES = (
    Route("PUT", _INTERFACE, put_interface),
    Route("DELETE", _INTERFACE, delete_interface),
)
