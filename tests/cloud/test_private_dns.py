"""Private DNS: zones are shared, so reads take only what was asked for and writes never overwrite."""

from typing import Any

import pytest

from local.simulator import scenery
from local.virtual_time import LoopClock
from shared.cloud.arm_client import ArmClient
from shared.cloud.private_dns import PrivateDns, link_of
from shared.cloud.shared_zones import SharedZones
from shared.core.arm import ResourceId
from shared.core.changes import CreateZone, LinkZone, PutZoneGroup
from shared.core.errors import Busy
from shared.core.report import Done, Started
from shared.engine.ports import ProgressState, ZoneQuery
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client
from tests.cloud.rig import Rig

ZONE = ResourceId.parse(
    "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/dns/providers/Microsoft.Network"
    "/privateDnsZones/privatelink.blob.core.windows.net"
)
NETWORK = (
    "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v"
)


class Names:
    """A zone with that many A records, in pages of 100, and two links."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.transport = AnsweringTransport(self.answer)
        self.arm = arm_client(self.transport)
        self.dns = shared(self.arm)

    def answer(self, sent: Sent) -> Reply:
        name = sent.path.rsplit("/", 1)[-1]
        if name == "A":
            start = int(sent.query.get("skip", "0"))
            rows = [self.record(number) for number in range(start, min(start + 100, self.size))]
            further = f"https://management.azure.com{sent.path}?skip={start + 100}"
            more = {"nextLink": further} if self.size > start + 100 else {}
            return Reply(200, {"value": rows, **more})
        if name == "virtualNetworkLinks":
            return Reply(200, {"value": [link("one"), link("two", "InProgress")]})
        if name.startswith("Name"):
            number = int(name.removeprefix("Name"))
            return Reply(200, self.record(number)) if number < self.size else Reply(404, {"code": "NotFound"})
        return Reply(200, {"id": ZONE.text, "properties": {"provisioningState": "Succeeded"}})

    @staticmethod
    def record(number: int) -> dict[str, Any]:
        return {"name": f"Name{number}", "properties": {"aRecords": [{"ipv4Address": f"10.0.0.{number % 250}"}]}}

    def requests(self) -> list[str]:
        names = [sent.path.rsplit("/", 1)[-1] for sent in self.transport.sent]
        self.transport.sent.clear()
        return names


def link(name: str, state: str = "Completed") -> dict[str, Any]:
    properties = {"provisioningState": "Succeeded", "virtualNetworkLinkState": state, "virtualNetwork": {"id": NETWORK}}
    return {"id": f"{ZONE.text}/virtualNetworkLinks/{name}", "properties": properties}


def shared(arm: ArmClient) -> SharedZones:
    return SharedZones(PrivateDns(arm), arm.throttle, LoopClock().now)


def missing(code: str) -> SharedZones:
    body = {"error": {"code": code, "message": "gone"}}
    return shared(arm_client(AnsweringTransport(lambda _sent: Reply(404, body))))


# --- reading ----------------------------------------------------------------------------------------------------------


async def test_several_names_of_a_small_zone_cost_one_call() -> None:
    names = Names(40)

    zone = await names.dns.read(ZoneQuery(zone=ZONE, records=("name3", "NAME7", "nobody")))

    assert zone.exists
    assert zone.links is None
    assert zone.records == {"name3": ("10.0.0.3",), "name7": ("10.0.0.7",)}
    assert names.requests() == ["A"]


async def test_a_large_zone_is_read_name_by_name_and_remembered() -> None:
    names = Names(350)
    query = ZoneQuery(zone=ZONE, records=("Name3", "Name120", "Name999"))

    first = await names.dns.read(query)
    assert names.requests() == ["A", "A", "A", "Name3", "Name120", "Name999"]

    assert await names.dns.read(query) == first
    assert names.requests() == ["Name3", "Name120", "Name999"]
    assert first.records == {"name3": ("10.0.0.3",), "name120": ("10.0.0.120",)}


async def test_a_single_name_is_read_with_its_zone_while_that_costs_no_more() -> None:
    small, large = Names(40), Names(150)
    query = ZoneQuery(zone=ZONE, records=("Name1",))

    zones = [await small.dns.read(query), await large.dns.read(query), await large.dns.read(query)]

    assert [zone.records for zone in zones] == [{"name1": ("10.0.0.1",)}] * 3
    assert small.requests() == ["A"]
    assert large.requests() == ["A", "Name1", "Name1"]


async def test_a_missing_name_of_an_existing_zone_is_just_absent() -> None:
    names = Names(1)

    zone = await names.dns.read(ZoneQuery(zone=ZONE, records=("Name9",)))

    assert zone.exists
    assert zone.records == {}


async def test_links_are_read_when_asked_for() -> None:
    names = Names(0)

    zone = await names.dns.read(ZoneQuery(zone=ZONE, links=True))

    assert zone.links is not None
    assert [(entry.id.name, entry.ready) for entry in zone.links] == [("one", True), ("two", False)]
    assert names.requests() == ["virtualNetworkLinks"]


async def test_a_query_for_nothing_tells_whether_the_zone_exists() -> None:
    names = Names(0)

    assert (await names.dns.read(ZoneQuery(zone=ZONE))).exists
    assert names.requests() == ["privatelink.blob.core.windows.net"]


@pytest.mark.parametrize("code", ["ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound"])
@pytest.mark.parametrize(
    "query",
    [
        ZoneQuery(zone=ZONE),
        ZoneQuery(zone=ZONE, links=True),
        ZoneQuery(zone=ZONE, records=("a",)),
        ZoneQuery(zone=ZONE, records=("a", "b"), links=True),
    ],
)
async def test_a_zone_that_does_not_exist_says_so(query: ZoneQuery, code: str) -> None:
    zone = await missing(code).read(query)

    assert (zone.id, zone.exists, zone.links, zone.records) == (ZONE, False, None, {})


@pytest.mark.parametrize(
    ("provisioning", "resolving", "state"),
    [
        ("Succeeded", "Completed", "Completed"),
        ("Succeeded", "InProgress", "InProgress"),
        ("Updating", "InProgress", "Updating"),
        ("Failed", "Completed", "Failed"),
        ("Succeeded", None, "Succeeded"),
    ],
)
def test_a_link_is_ready_only_when_names_resolve_through_it(
    provisioning: str, resolving: str | None, state: str
) -> None:
    document = link("one")
    document["properties"] |= {"provisioningState": provisioning, "virtualNetworkLinkState": resolving}

    read = link_of(document)

    assert read is not None
    assert read.state == state


def test_a_link_to_no_network_is_left_out() -> None:
    assert link_of({"id": f"{ZONE.text}/virtualNetworkLinks/x", "properties": {}}) is None


async def test_two_queries_for_one_zone_are_answered_together() -> None:
    rig = Rig()
    storage = rig.parts(rig.registry())[0]
    endpoint = rig.endpoint_change(storage, "blob")
    await rig.finished(CreateZone(zone=rig.zone()))
    await rig.finished(endpoint)
    await rig.finished(PutZoneGroup(endpoint=endpoint.endpoint, name="default", zones={"z": rig.zone()}))

    zones = await rig.plane.read_zones(
        [
            ZoneQuery(zone=rig.zone(), records=(storage.name,)),
            ZoneQuery(zone=rig.zone(), links=True),
            ZoneQuery(zone=rig.zone("privatelink.azurecr.io"), records=("a", "b")),
        ]
    )

    assert zones[rig.zone()].records == {storage.name: ("10.0.1.4",)}
    assert zones[rig.zone()].links == ()
    assert not zones[rig.zone("privatelink.azurecr.io")].exists


# --- writing ----------------------------------------------------------------------------------------------------------


async def test_a_zone_is_created_and_linked() -> None:
    rig = Rig()
    zone = rig.zone()
    linked = LinkZone(zone=zone, link=zone.child("virtualNetworkLinks", "hub"), network=rig.subnet.parent)

    assert (await rig.finished(CreateZone(zone=zone))).state is ProgressState.SUCCEEDED
    assert (await rig.finished(linked)).state is ProgressState.SUCCEEDED

    (read,) = (await rig.plane.read_zones([ZoneQuery(zone=zone, links=True)]))[zone].links or ()
    assert (read.id, read.network, read.ready) == (linked.link, rig.subnet.parent, True)
    assert rig.properties(linked.link)["registrationEnabled"] is False


async def test_a_zone_that_somebody_made_keeps_its_tags() -> None:
    rig = Rig()
    zone = rig.zone()
    body = {"location": "global", "tags": {"owner": "network team"}}
    scenery.send(rig.azure, "PUT", zone.text, body, api_version="2020-06-01")
    rig.pass_time(60)

    told = await rig.finished(CreateZone(zone=zone))

    kept = rig.azure.world.get(zone.text)
    assert told.state is ProgressState.SUCCEEDED
    assert kept is not None
    assert kept.body["tags"] == {"owner": "network team"}


@pytest.mark.parametrize(
    ("change", "result"),
    [
        (CreateZone(zone=ZONE), Done()),
        (
            LinkZone(zone=ZONE, link=ZONE.child("virtualNetworkLinks", "v"), network=ResourceId.parse(NETWORK)),
            Started(),
        ),
    ],
)
async def test_what_exists_is_not_written_where_azure_says_so_at_once(
    change: CreateZone | LinkZone, result: Done | Started
) -> None:
    transport = AnsweringTransport(
        lambda _sent: Reply(412, {"code": "PreconditionFailed", "message": "The resource exists already."})
    )
    dns = PrivateDns(arm_client(transport))

    started = await (dns.create_zone(change) if isinstance(change, CreateZone) else dns.link_zone(change))

    assert started == result
    assert transport.sent[0].headers["If-None-Match"] == "*"
    assert transport.sent[0].body["location"] == "global"


async def test_a_precondition_that_means_busy_is_not_taken_for_existence() -> None:
    body = {"code": "PreconditionFailed", "message": "Another operation is in progress on the zone."}
    dns = PrivateDns(arm_client(AnsweringTransport(lambda _sent: Reply(412, body))))

    with pytest.raises(Busy):
        await dns.create_zone(CreateZone(zone=ZONE))


async def test_a_second_zone_of_one_name_for_a_network_fails_with_azures_reason() -> None:
    rig = Rig()
    other = ResourceId.parse(f"{rig.network_group.text}/providers/Microsoft.Network/privateDnsZones/{rig.zone().name}")
    for zone in (rig.zone(), other):
        await rig.finished(CreateZone(zone=zone))
    network = rig.subnet.parent
    await rig.finished(LinkZone(zone=rig.zone(), link=rig.zone().child("virtualNetworkLinks", "a"), network=network))

    told = await rig.finished(LinkZone(zone=other, link=other.child("virtualNetworkLinks", "b"), network=network))

    assert told.state is ProgressState.FAILED
    assert told.error is not None
    assert "overlapping namespaces" in told.error.sentence
