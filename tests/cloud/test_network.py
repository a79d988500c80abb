"""Private endpoints, zone groups, subnets and interfaces: what is read, what is written, and at what price."""

from typing import Any

import pytest

from local.simulator.faults import Fault, FaultKind
from shared.cloud.group_sizes import LARGE, GroupSizes
from shared.cloud.network import PrivateEndpoints, endpoint_of, zone_group_of
from shared.cloud.virtual_networks import VirtualNetworks, addresses_of, subnet_of
from shared.core.arm import ResourceId
from shared.core.changes import CreateZone, DeleteEndpoint, DeleteZoneGroup, PutZoneGroup
from shared.core.errors import SubnetUnusable
from shared.core.registry import ENDPOINT_TYPE, INTERFACE_TYPE, Address, ConnectionStatus
from shared.core.report import Done
from shared.engine.ports import ProgressState
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client
from tests.cloud.rig import Rig

GROUP = ResourceId.parse("/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/net")
SUBNET = f"{GROUP.text}/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints"
TARGET = f"{GROUP.text}/providers/Microsoft.Storage/storageAccounts/store1"


def endpoint_id(number: int) -> ResourceId:
    return GROUP.resource(ENDPOINT_TYPE, f"pe-{number}")


def endpoint_document(number: int, **properties: Any) -> dict[str, Any]:
    return {
        "id": endpoint_id(number).text,
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", "subnet": {"id": SUBNET}, **properties},
    }


class Group:
    """A resource group with that many endpoints (and interfaces), in pages of 100."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.transport = AnsweringTransport(self.answer)
        self.endpoints = PrivateEndpoints(arm_client(self.transport))
        self.networks = VirtualNetworks(arm_client(self.transport))

    def answer(self, sent: Sent) -> Reply:
        name = sent.path.rsplit("/", 1)[-1]
        if name.startswith("pe-"):
            number = int(name.removeprefix("pe-"))
            return Reply(200, self.document(sent, number)) if number < self.size else Reply(404)
        start = int(sent.query.get("$skip", "0"))
        rows = [self.document(sent, number) for number in range(start, min(start + 100, self.size))]
        body: dict[str, Any] = {"value": rows}
        if start + 100 < self.size:
            body["nextLink"] = f"https://management.azure.com{sent.path}?api-version=1&$skip={start + 100}"
        return Reply(200, body)

    @staticmethod
    def document(sent: Sent, number: int) -> dict[str, Any]:
        if "networkInterfaces" not in sent.path:
            return endpoint_document(number)
        configuration = {"properties": {"privateIPAddress": f"10.0.0.{number % 250}"}}
        identifier = GROUP.resource(INTERFACE_TYPE, f"pe-{number}").text
        return {"id": identifier, "properties": {"ipConfigurations": [configuration]}}

    def requests(self) -> list[str]:
        names = [sent.path.rsplit("/", 1)[-1] for sent in self.transport.sent]
        self.transport.sent.clear()
        return names


# --- endpoints --------------------------------------------------------------------------------------------------------


def test_both_lists_of_connections_are_read() -> None:
    state = {"status": "Approved", "description": "Auto Approved", "actionsRequired": "None"}
    automatic = {
        "properties": {"privateLinkServiceId": TARGET, "groupIds": ["blob"], "privateLinkServiceConnectionState": state}
    }
    manual = {
        "properties": {
            "privateLinkServiceId": TARGET.upper(),
            "groupIds": ["dfs"],
            "privateLinkServiceConnectionState": {"status": "pending"},
        }
    }
    by_alias = {"properties": {"privateLinkServiceId": "service.1234.westeurope.azure.privatelinkservice"}}

    read = endpoint_of(
        endpoint_document(
            1,
            privateLinkServiceConnections=[automatic, by_alias],
            manualPrivateLinkServiceConnections=[manual],
            networkInterfaces=[{"id": f"{GROUP.text}/providers/Microsoft.Network/networkInterfaces/nic"}],
        )
    )

    assert read is not None
    assert [(entry.groups, entry.status, entry.manual) for entry in read.connections] == [
        (("blob",), ConnectionStatus.APPROVED, False),
        (("dfs",), ConnectionStatus.PENDING, True),
    ]
    assert {entry.target for entry in read.connections} == {ResourceId.parse(TARGET)}
    assert read.connections[0].description == "Auto Approved"
    assert [interface.name for interface in read.interfaces] == ["nic"]
    assert read.addresses is None
    assert read.tags == {}


def test_an_endpoint_without_a_subnet_is_left_out() -> None:
    assert endpoint_of({"id": endpoint_id(1).text, "properties": {"subnet": None}}) is None


async def test_a_small_group_is_listed_in_one_call_even_when_endpoints_are_known() -> None:
    group = Group(12)

    listed = await group.endpoints.list(GROUP, [endpoint_id(number) for number in range(3)])

    assert len(listed) == 12
    assert group.requests() == ["privateEndpoints"]


async def test_a_group_that_was_seen_to_be_large_is_not_listed_for_a_few_known_endpoints() -> None:
    group = Group(LARGE + 1)

    assert len(await group.endpoints.list(GROUP, [])) == LARGE + 1
    assert group.requests() == ["privateEndpoints", "privateEndpoints"]

    known = [endpoint_id(0), endpoint_id(7), endpoint_id(9999)]
    assert [endpoint.id for endpoint in await group.endpoints.list(GROUP, known)] == known[:2]
    assert sorted(group.requests()) == ["pe-0", "pe-7", "pe-9999"]

    await group.endpoints.list(GROUP, [])
    assert group.requests() == ["privateEndpoints", "privateEndpoints"]


async def test_a_group_that_does_not_exist_has_no_endpoints() -> None:
    body = {"error": {"code": "ResourceGroupNotFound", "message": "gone"}}
    endpoints = PrivateEndpoints(arm_client(AnsweringTransport(lambda _sent: Reply(404, body))))

    assert await endpoints.list(GROUP, []) == ()


def test_what_is_remembered_of_groups_is_bounded() -> None:
    sizes = GroupSizes()
    for number in range(2000):
        sizes.note(ResourceId.parse(f"{GROUP.text}{number}"), LARGE + 1)

    assert not sizes.is_large(ResourceId.parse(f"{GROUP.text}0"))
    assert sizes.is_large(ResourceId.parse(f"{GROUP.text}1999"))


async def test_an_endpoint_is_created_with_one_connection_of_its_own_name() -> None:
    rig = Rig()
    storage = rig.parts(rig.registry())[0]
    change = rig.endpoint_change(storage, "blob")
    before = len(rig.azure.log)

    told = await rig.finished(change)

    assert told.state is ProgressState.SUCCEEDED
    assert rig.calls("write", before) == [f"PUT {change.endpoint.text}"]
    (endpoint,) = await rig.plane.list_endpoints(rig.network_group, [])
    assert endpoint.id == change.endpoint
    assert endpoint.subnet == rig.subnet
    assert endpoint.tags == {"managed-by": "tests"}
    (connection,) = endpoint.connections
    assert (connection.target, connection.groups, connection.status, connection.manual) == (
        storage,
        ("blob",),
        ConnectionStatus.APPROVED,
        False,
    )


async def test_putting_an_endpoint_that_is_there_is_done_at_once() -> None:
    rig = Rig()
    change = rig.endpoint_change(rig.parts(rig.registry())[0], "blob")
    await rig.finished(change)

    assert isinstance(await rig.plane.start(change), Done)


async def test_a_missing_subnet_is_named() -> None:
    rig = Rig()
    change = rig.endpoint_change(rig.parts(rig.registry())[0], "blob")
    nowhere = rig.subnet.parent.child("subnets", "nowhere")

    with pytest.raises(SubnetUnusable):
        await rig.plane.start(type(change)(**{**_members(change), "subnet": nowhere}))


def _members(change: Any) -> dict[str, Any]:
    return {name: getattr(change, name) for name in change.__slots__}


async def test_an_endpoint_that_is_gone_or_never_was_is_deleted_already() -> None:
    rig = Rig()
    change = rig.endpoint_change(rig.parts(rig.registry())[0], "blob")
    await rig.finished(change)

    told = await rig.finished(DeleteEndpoint(endpoint=change.endpoint))

    assert told.state is ProgressState.SUCCEEDED
    assert await rig.plane.list_endpoints(rig.network_group, []) == ()
    assert isinstance(await rig.plane.start(DeleteEndpoint(endpoint=change.endpoint)), Done)


# --- zone groups ------------------------------------------------------------------------------------------------------


async def test_a_zone_group_holds_exactly_the_zones_of_the_change() -> None:
    rig = Rig()
    storage = rig.parts(rig.registry())[0]
    change = rig.endpoint_change(storage, "blob")
    await rig.finished(change)
    await rig.finished(CreateZone(zone=rig.zone()))
    put = PutZoneGroup(endpoint=change.endpoint, name="default", zones={"blob-zone": rig.zone()})
    assert await rig.plane.read_zone_group(change.endpoint) is None

    told = await rig.finished(put)

    group = await rig.plane.read_zone_group(change.endpoint)
    assert told.state is ProgressState.SUCCEEDED
    assert group is not None
    assert (group.name, group.state, group.zones) == ("default", "Succeeded", {"blob-zone": rig.zone()})
    (name,) = group.records
    assert name == f"{storage.name}.privatelink.blob.core.windows.net"


async def test_a_zone_group_that_is_gone_is_deleted_already() -> None:
    rig = Rig()
    change = rig.endpoint_change(rig.parts(rig.registry())[0], "blob")
    await rig.finished(change)
    await rig.finished(CreateZone(zone=rig.zone()))
    await rig.finished(PutZoneGroup(endpoint=change.endpoint, name="default", zones={"z": rig.zone()}))
    delete = DeleteZoneGroup(endpoint=change.endpoint, name="default")

    assert (await rig.finished(delete)).state is ProgressState.SUCCEEDED
    assert await rig.plane.read_zone_group(change.endpoint) is None
    assert isinstance(await rig.plane.start(delete), Done)


async def test_an_endpoint_that_does_not_exist_has_no_zone_group() -> None:
    rig = Rig()

    assert await rig.plane.read_zone_group(rig.endpoint("nobody")) is None


def test_only_addresses_count_as_records_of_a_zone_group() -> None:
    records = [
        {"recordType": "A", "fqdn": "Store1.PrivateLink.blob.core.windows.net.", "ipAddresses": ["10.0.0.4"]},
        {"recordType": "CNAME", "fqdn": "other", "ipAddresses": []},
    ]
    config = {"name": "z", "properties": {"privateDnsZoneId": None, "recordSets": records}}

    group = zone_group_of({"name": "default", "properties": {"privateDnsZoneConfigs": [config]}})

    assert group.zones == {}
    assert group.records == {"store1.privatelink.blob.core.windows.net": ("10.0.0.4",)}


# --- subnets ----------------------------------------------------------------------------------------------------------


def subnet(**properties: Any) -> dict[str, Any]:
    return {"name": "endpoints", "properties": properties}


@pytest.mark.parametrize(
    ("properties", "free"),
    [
        ({"addressPrefix": "10.0.0.0/24"}, 251),
        ({"addressPrefix": "10.0.0.0/29", "ipConfigurations": [{"id": "a"}, {"id": "b"}]}, 1),
        ({"addressPrefix": "10.0.0.0/29", "ipConfigurations": [{"id": str(number)} for number in range(9)]}, 0),
        ({"addressPrefixes": ["10.0.0.0/28", "10.0.1.0/28"]}, 22),
        ({"addressPrefix": "10.0.0.0/28", "addressPrefixes": ["10.0.0.0/28"]}, 11),
        ({"addressPrefixes": ["10.0.0.0/28", "fd00::/64"]}, 11),
        ({"addressPrefixes": ["fd00::/64"]}, None),
        ({"addressPrefix": "nonsense"}, None),
        ({}, None),
    ],
)
def test_free_addresses_of_a_subnet(properties: dict[str, Any], free: int | None) -> None:
    read = subnet_of(subnet(**properties), ResourceId.parse(SUBNET), location="westeurope")

    assert read.free_addresses == free


def test_a_delegation_is_named() -> None:
    delegated = subnet(delegations=[{"properties": {"serviceName": "Microsoft.Web/serverFarms"}}])

    assert subnet_of(delegated, ResourceId.parse(SUBNET), location="x").delegation == "Microsoft.Web/serverFarms"


async def test_a_subnet_is_read_with_its_network_in_one_call() -> None:
    rig = Rig()
    before = len(rig.azure.log)

    read = await rig.plane.read_subnet(rig.subnet)

    assert read is not None
    assert (read.id, read.location, read.delegation, read.free_addresses) == (rig.subnet, "westeurope", "", 251)
    assert rig.calls("read", before) == [f"GET {rig.subnet.parent.text}"]


async def test_used_addresses_are_not_free() -> None:
    rig = Rig()
    await rig.finished(rig.endpoint_change(rig.parts(rig.registry())[-1], "registry"))

    read = await rig.plane.read_subnet(rig.subnet)

    assert read is not None
    assert read.free_addresses == 249


@pytest.mark.parametrize("path", ["virtualNetworks/hub/subnets/nowhere", "virtualNetworks/nowhere/subnets/endpoints"])
async def test_a_subnet_or_network_that_does_not_exist_is_none(path: str) -> None:
    rig = Rig()

    missing = ResourceId.parse(f"{rig.network_group.text}/providers/Microsoft.Network/{path}")

    assert await rig.plane.read_subnet(missing) is None


# --- addresses --------------------------------------------------------------------------------------------------------


def test_an_interface_gives_addresses_with_names_and_members() -> None:
    link = {"requiredMemberName": "registry", "groupId": "registry", "fqdns": ["acr1.azurecr.io"]}
    listed = [
        {"properties": {"privateIPAddress": "10.0.0.4", "privateLinkConnectionProperties": link}},
        {"properties": {"privateIPAddress": "10.0.0.5"}},
        {"properties": {"privateIPAddress": None}},
    ]

    assert addresses_of({"properties": {"ipConfigurations": listed}}) == (
        Address(ip="10.0.0.4", fqdns=("acr1.azurecr.io",), member="registry"),
        Address(ip="10.0.0.5", fqdns=()),
    )


async def test_addresses_of_several_interfaces_of_a_group_cost_one_call() -> None:
    rig = Rig()
    registry = rig.registry()
    storage, acr = rig.parts(registry)
    await rig.finished(rig.endpoint_change(storage, "blob", "pe-1"))
    await rig.finished(rig.endpoint_change(acr, "registry", "pe-2"))
    endpoints = await rig.plane.list_endpoints(rig.network_group, [])
    interfaces = [interface for endpoint in endpoints for interface in endpoint.interfaces]
    before = len(rig.azure.log)

    addresses = await rig.plane.read_addresses(interfaces)

    assert len(rig.calls("read", before)) == 1
    assert set(addresses) == set(interfaces)
    names = {name for listed in addresses.values() for address in listed for name in address.fqdns}
    assert f"{storage.name}.blob.core.windows.net" in names
    assert f"{acr.name}.azurecr.io" in names


async def test_one_interface_is_read_alone_and_a_missing_one_is_absent() -> None:
    group = Group(3)
    present, missing = (GROUP.resource(INTERFACE_TYPE, name) for name in ("pe-1", "pe-9"))

    assert set(await group.networks.read_addresses([present])) == {present}
    assert await group.networks.read_addresses([missing]) == {}
    assert group.requests() == ["pe-1", "pe-9"]


async def test_interfaces_of_a_large_group_are_read_one_by_one_once_that_is_known() -> None:
    group = Group(LARGE + 1)
    wanted = [GROUP.resource(INTERFACE_TYPE, f"pe-{number}") for number in range(2)]

    first = await group.networks.read_addresses([*wanted, wanted[0]])
    assert group.requests() == ["networkInterfaces", "networkInterfaces"]

    assert await group.networks.read_addresses(wanted) == first
    assert sorted(group.requests()) == ["pe-0", "pe-1"]


async def test_a_lost_answer_to_a_put_is_healed_by_putting_again() -> None:
    rig = Rig()
    change = rig.endpoint_change(rig.parts(rig.registry())[0], "blob")
    rig.azure.faults.add(Fault(kind=FaultKind.LOSE_RESPONSE, method="PUT", path="privateEndpoints/pe-1$"))

    with pytest.raises(Exception, match="private endpoint"):
        await rig.plane.start(change)
    told = await rig.finished(change)

    assert told.state is ProgressState.SUCCEEDED
