"""What is read of virtual networks: the subnet endpoints go to, and the addresses of network interfaces."""

from collections.abc import Callable, Sequence
from datetime import datetime
from ipaddress import ip_network

from azure.mgmt.network.aio import NetworkManagementClient

from shared.cloud.arm_client import ArmClient, body_of, found
from shared.cloud.clock import utc_now
from shared.cloud.concurrency import for_each
from shared.cloud.documents import Document, entries, member, text, texts
from shared.cloud.group_sizes import GroupSizes
from shared.cloud.shared_lists import Listed, SharedReads, read_list
from shared.core.arm import ResourceId
from shared.core.registry import INTERFACE_TYPE, Address, Subnet

# Azure keeps the first four addresses and the last one of every prefix (virtual networks FAQ).
_RESERVED = 5
_IPV4 = 4


class VirtualNetworks:
    """Virtual networks and network interfaces of one cloud; *now* is real time unless given."""

    def __init__(self, arm: ArmClient, now: Callable[[], datetime] = utc_now) -> None:
        self._arm = arm
        self._sizes = GroupSizes()
        self._networks: SharedReads[Document | None] = SharedReads(self._read_network, arm.throttle, now)
        self._lists: SharedReads[Listed] = SharedReads(self._list_interfaces, arm.throttle, now)

    async def read_subnet(self, subnet: ResourceId, since: datetime | None = None) -> Subnet | None:
        """Read a subnet with its network, which alone knows the region; one call."""
        document = await self._networks.answer(subnet.parent, since)
        listed = entries(document, "properties", "subnets")
        entry = next((entry for entry in listed if text(entry, "name").lower() == subnet.name.lower()), None)
        return None if entry is None else subnet_of(entry, subnet, location=text(document, "location"))

    async def _read_network(self, network: ResourceId) -> tuple[Document | None, int]:
        document: Document | None = await found(
            self._client(network).virtual_networks.get(network.resource_group, network.name, cls=body_of),
            operation="read virtual network",
            resource=network.text,
        )
        return document, 1

    async def read_addresses(
        self, interfaces: Sequence[ResourceId], since: datetime | None = None
    ) -> dict[ResourceId, tuple[Address, ...]]:
        """Read the addresses of network interfaces, by one list call where several share a small resource group."""
        by_group: dict[ResourceId, list[ResourceId]] = {}
        for interface in dict.fromkeys(interfaces):
            by_group.setdefault(interface.group, []).append(interface)
        addresses: dict[ResourceId, tuple[Address, ...]] = {}
        for group, wanted in by_group.items():
            addresses.update(await self._addresses_in(group, wanted, since))
        return addresses

    async def _addresses_in(
        self, group: ResourceId, wanted: Sequence[ResourceId], since: datetime | None
    ) -> dict[ResourceId, tuple[Address, ...]]:
        large = self._sizes.is_large(group)
        if self._lists.has(group, since) or (len(wanted) > 1 and (not large or self._lists.pays(group, len(wanted)))):
            by_id = (await self._lists.answer(group, since)).documents
            return {interface: addresses_of(by_id[interface]) for interface in wanted if interface in by_id}
        documents = await for_each(wanted, self._read_interface)
        return {
            interface: addresses_of(document)
            for interface, document in zip(wanted, documents, strict=True)
            if document is not None
        }

    async def _list_interfaces(self, group: ResourceId) -> tuple[Listed, int]:
        path = f"{group.text}/providers/{INTERFACE_TYPE}"
        listed, requests = await read_list(self._arm, path, operation="list network interfaces")
        self._sizes.note(group, len(listed.documents))
        return listed, requests

    async def _read_interface(self, interface: ResourceId) -> Document | None:
        document: Document | None = await found(
            self._client(interface).network_interfaces.get(interface.resource_group, interface.name, cls=body_of),
            operation="read network interface",
            resource=interface.text,
        )
        return document

    def _client(self, resource: ResourceId) -> NetworkManagementClient:
        return self._arm.service(NetworkManagementClient, resource.subscription)


def subnet_of(entry: Document, subnet: ResourceId, *, location: str) -> Subnet:
    """Read a subnet as its virtual network shows it."""
    delegations = entries(entry, "properties", "delegations")
    return Subnet(
        id=subnet,
        location=location,
        delegation=next((text(delegation, "properties", "serviceName") for delegation in delegations), ""),
        free_addresses=_free_addresses(entry),
    )


def _free_addresses(entry: Document) -> int | None:
    """What is left of the IPv4 prefixes; None if there are none or they cannot be read."""
    prefixes = texts(entry, "properties", "addressPrefixes")
    single = text(entry, "properties", "addressPrefix")
    try:
        networks = {ip_network(prefix, strict=False) for prefix in (*prefixes, single) if prefix}
    except ValueError:
        return None
    sizes = [network.num_addresses - _RESERVED for network in networks if network.version == _IPV4]
    if not sizes:
        return None
    used = member(entry, "properties", "ipConfigurations")
    return max(0, sum(sizes) - (len(used) if isinstance(used, list) else 0))


def addresses_of(document: Document) -> tuple[Address, ...]:
    """Read a network interface's GET."""
    link = ("properties", "privateLinkConnectionProperties")
    return tuple(
        Address(
            ip=text(configuration, "properties", "privateIPAddress"),
            fqdns=texts(configuration, *link, "fqdns"),
            member=text(configuration, *link, "requiredMemberName"),
        )
        for configuration in entries(document, "properties", "ipConfigurations")
        if text(configuration, "properties", "privateIPAddress")
    )
