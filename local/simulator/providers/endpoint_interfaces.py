"""Network interfaces of private endpoints: one address per member of the target, taken from the subnet."""

from collections.abc import Sequence

from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.kernel import Kernel
from local.simulator.providers import endpoint_connections as wanted
from local.simulator.providers import network_answers, subnets
from local.simulator.providers.endpoint_connections import Address
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

INTERFACES = "Microsoft.Network/networkInterfaces"


def subnet_is_full(subnet: Resource, needed: int) -> ArmError:
    """400: the subnet has fewer free addresses than the endpoint has members."""
    return network_answers.bad_request(
        "SubnetIsFull",
        f"Subnet {subnet.name} with address prefix {subnets.prefix(subnet.body)} does not have enough capacity for "
        f"{needed} IP addresses.",
    )


def make(azure: Kernel, endpoint: Resource, subnet: Resource, needed: Sequence[Address], name: str) -> Resource:
    """
    The endpoint's interface with its addresses.

    Raises:
        ArmError: 400 SubnetIsFull, or 400 for an address that was asked for and cannot be had; nothing is taken then.
    """
    if subnets.pool(subnet).free < len(needed):
        raise subnet_is_full(subnet, len(needed))
    group_id = endpoint.id.rpartition("/providers/")[0]
    nic_id = f"{group_id}/providers/{INTERFACES}/{name or f'{endpoint.name}.nic.{azure.world.guid()}'}"
    etag = azure.world.etag()
    configurations = _configurations(azure, endpoint, subnet, nic_id, needed, etag)
    body: JsonObject = {
        "name": nic_id.rpartition("/")[2],
        "id": nic_id,
        "etag": etag,
        "type": INTERFACES,
        "location": endpoint.location,
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": azure.world.guid(),
            "ipConfigurations": configurations,
            "dnsSettings": {
                "dnsServers": [],
                "appliedDnsServers": [],
                "internalDomainNameSuffix": f"{azure.world.hex(26)}.bx.internal.cloudapp.net",
            },
            "macAddress": "",
            "vnetEncryptionSupported": False,
            "enableIPForwarding": False,
            "disableTcpStateTracking": False,
            "privateEndpoint": {"id": endpoint.id},
            "hostedWorkloads": [],
            "tapConfigurations": [],
            "nicType": "Standard",
            "allowPort25Out": False,
            "auxiliaryMode": "None",
            "auxiliarySku": "None",
        },
    }
    return azure.world.put(body, private={"endpoint": endpoint.id, "subnet": subnet.id})


def _configurations(
    azure: Kernel, endpoint: Resource, subnet: Resource, nic_id: str, needed: Sequence[Address], etag: str
) -> list[JsonObject]:
    """One configuration per member; when one of them is refused, those before it give their addresses back."""
    made: list[JsonObject] = []
    try:
        for one in needed:
            made.append(_configuration(azure, endpoint, subnet, nic_id, one, etag))  # noqa: PERF401  kept on failure
    except ArmError:
        for each in made:
            subnets.pool(subnet).release(each["properties"]["privateIPAddress"])
        raise
    for at, each in enumerate(made):
        each["properties"]["primary"] = at == 0
    return made


def _configuration(
    azure: Kernel, endpoint: Resource, subnet: Resource, nic_id: str, needed: Address, etag: str
) -> JsonObject:
    name = f"privateEndpointIpConfig.{azure.world.guid()}"
    holder = f"{nic_id}/ipConfigurations/{name}"
    asked = _asked(endpoint, needed)
    address = claim(subnet, asked, holder) if asked else subnets.pool(subnet).take(holder)
    if address is None:
        raise subnet_is_full(subnet, 1)
    return {
        "name": name,
        "id": holder,
        "etag": etag,
        "type": f"{INTERFACES}/ipConfigurations",
        "properties": {
            "provisioningState": "Succeeded",
            "privateIPAddress": address,
            "privateIPAllocationMethod": "Static" if asked else "Dynamic",
            "subnet": {"id": subnet.id},
            "primary": False,
            "privateIPAddressVersion": "IPv4",
            "privateLinkConnectionProperties": {
                "groupId": needed.group,
                "requiredMemberName": needed.member.name,
                "fqdns": list(needed.member.fqdns) if wanted.approved(endpoint) else [],
            },
        },
    }


def _asked(endpoint: Resource, needed: Address) -> str:
    """The static address that the endpoint asks for this member; empty when it does not."""
    for each in endpoint.properties.get("ipConfigurations") or []:
        properties = each.get("properties") or {}
        same_group = str(properties.get("groupId", "")).lower() == needed.group.lower()
        if same_group and str(properties.get("memberName", "")).lower() == needed.member.name.lower():
            return str(properties.get("privateIPAddress", ""))
    return ""


def claim(subnet: Resource, address: str, holder: str) -> str:
    """Take that very address; 400 PrivateIPAddressNotInSubnet or PrivateIPAddressIsAllocated."""
    if not subnets.pool(subnet).covers(address):
        raise network_answers.bad_request(
            "PrivateIPAddressNotInSubnet",
            f"Private static IP address {address} does not belong to the range of subnet prefix "
            f"{subnets.prefix(subnet.body)}.",
        )
    if not subnets.pool(subnet).claim(address, holder):
        raise network_answers.bad_request(
            "PrivateIPAddressIsAllocated",
            f"IP configuration {holder} is using the private IP address {address} which is already allocated.",
        )
    return address


def of(azure: Kernel, endpoint: Resource) -> Resource | None:
    """The endpoint's interface."""
    listed = endpoint.properties.get("networkInterfaces") or []
    return azure.world.get(listed[0]["id"]) if listed else None


def configurations(nic: Resource) -> list[JsonObject]:
    found: list[JsonObject] = nic.properties["ipConfigurations"]
    return found


def names(nic: Resource) -> list[tuple[str, str]]:
    """(public name, address) of every member, in order."""
    return [
        (fqdn, str(each["properties"]["privateIPAddress"]))
        for each in configurations(nic)
        for fqdn in (each["properties"].get("privateLinkConnectionProperties") or {}).get("fqdns", ())
    ]


def align(azure: Kernel, endpoint: Resource, needed: Sequence[Address]) -> None:
    """Give the interface exactly these members: keep known addresses, take new ones, release the rest."""
    nic = of(azure, endpoint)
    subnet = azure.world.get(nic.private["subnet"]) if nic is not None else None
    if nic is None or subnet is None:
        return
    present = {_member_key(each): each for each in configurations(nic)}
    keys = {(each.group.lower(), each.member.name.lower()): each for each in needed}
    for key, each in present.items():
        if key not in keys:
            subnets.pool(subnet).release(each["properties"]["privateIPAddress"])
    etag = azure.world.etag()
    aligned = []
    for key, wish in keys.items():
        kept = present.get(key) or _configuration(azure, endpoint, subnet, nic.id, wish, etag)
        fqdns = list(wish.member.fqdns) if wanted.approved(endpoint) else []
        kept["properties"]["privateLinkConnectionProperties"]["fqdns"] = fqdns
        aligned.append(kept)
    nic.properties["ipConfigurations"] = aligned
    network_answers.stamp(azure, nic.body, "Succeeded", parts=False)


def missing(azure: Kernel, endpoint: Resource, needed: Sequence[Address]) -> int:
    """How many further addresses the endpoint would need."""
    nic = of(azure, endpoint)
    present = {_member_key(each) for each in configurations(nic)} if nic is not None else set()
    return sum(1 for each in needed if (each.group.lower(), each.member.name.lower()) not in present)


def demand_room(azure: Kernel, subnet_id: str, count: int) -> None:
    """
    The subnet has that many free addresses.

    Raises:
        ArmError: 400 SubnetIsFull.
    """
    subnet = azure.world.get(subnet_id)
    if subnet is not None and subnets.pool(subnet).free < count:
        raise subnet_is_full(subnet, count)


def _member_key(configuration: JsonObject) -> tuple[str, str]:
    link = configuration["properties"]["privateLinkConnectionProperties"]
    return str(link["groupId"]).lower(), str(link["requiredMemberName"]).lower()


def released(azure: Kernel, nic: Resource) -> None:
    """The interface has left the world: its addresses are free again."""
    subnet = azure.world.get(nic.private.get("subnet", ""))
    if subnet is None:
        return
    for each in configurations(nic):
        subnets.pool(subnet).release(str(each["properties"]["privateIPAddress"]))


def get_interface(azure: Kernel, call: Call) -> Response:
    return network_answers.shown(azure, azure.require(call.resource_id))


def list_interfaces(azure: Kernel, call: Call) -> Response:
    return network_answers.listed(azure, call, INTERFACES)


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/networkInterfaces"

ROUTES = (
    Route("GET", "/subscriptions/{sub}/providers/Microsoft.Network/networkInterfaces", list_interfaces),
    Route("GET", _GROUP, list_interfaces),
    Route("GET", _GROUP + "/{nic}", get_interface),
)
