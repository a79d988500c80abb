"""One request for a zone or a link that several registries want at once, and never one that was seen to fail."""

import asyncio

import pytest

from local.simulator.faults import Fault, FaultKind
from local.virtual_time import LoopClock
from shared.cloud.shared_starts import LASTS, SharedStarts
from shared.core.arm import ResourceId
from shared.core.changes import CreateZone, LinkZone, key_of
from shared.core.errors import OperationFailed, Unavailable
from shared.core.report import Done, Started
from shared.engine.ports import Progress, ProgressState
from shared.engine.records import Operation
from tests.cloud.rig import Rig

pytestmark = pytest.mark.virtual_time
GROUP = ResourceId.parse("/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/dns")
ZONE = GROUP.resource("Microsoft.Network/privateDnsZones", "privatelink.azurecr.io")
LINK = ResourceId.parse(f"{ZONE.text}/virtualNetworkLinks/hub")
CREATE = CreateZone(zone=ZONE)


def link_to(network: str) -> LinkZone:
    return LinkZone(zone=ZONE, link=LINK, network=GROUP.resource("Microsoft.Network/virtualNetworks", network))


class Desk:
    """Shared starts and what was really asked for."""

    def __init__(self, pace: float = 1.0) -> None:
        self.clock = LoopClock()
        self.starts = SharedStarts(self.clock.now, pace)
        self.asked: list[str] = []
        self.fails: list[Exception] = []

    async def start(self, change: CreateZone | LinkZone) -> Started | Done:
        async def write() -> Started | Done:
            self.asked.append(change.kind)
            await asyncio.sleep(0.1)
            if self.fails:
                raise self.fails.pop()
            return Started(url=f"https://azure.example/{len(self.asked)}")

        return await self.starts.once(change, write)

    def tell(self, state: ProgressState) -> None:
        now = self.clock.now()
        operation = Operation(change=CREATE, url="", started=now, due=now)
        error = OperationFailed("no", resource_id=ZONE.text, operation="x") if state is ProgressState.FAILED else None
        self.starts.note({key_of(CREATE): operation}, {key_of(CREATE): Progress(state=state, error=error)})


async def test_those_who_want_the_same_zone_share_one_request_and_its_operation() -> None:
    desk = Desk()

    together = await asyncio.gather(*(desk.start(CREATE) for _ in range(5)))
    await asyncio.sleep(10)
    later = await desk.start(CREATE)

    assert {each.url for each in (*together, later) if isinstance(each, Started)} == {"https://azure.example/1"}
    assert desk.asked == ["create-zone"]


async def test_links_of_one_name_to_different_networks_are_different_wishes() -> None:
    desk = Desk()

    await asyncio.gather(desk.start(link_to("hub")), desk.start(link_to("spoke")), desk.start(link_to("hub")))

    assert len(desk.asked) == 2


async def test_after_half_a_minute_it_is_asked_for_again() -> None:
    desk = Desk()
    await desk.start(CREATE)
    await asyncio.sleep(LASTS.total_seconds() + 1)

    await desk.start(CREATE)

    assert len(desk.asked) == 2


async def test_where_azure_is_done_sooner_it_is_asked_for_again_sooner() -> None:
    desk = Desk(pace=0.1)
    await desk.start(CREATE)
    await asyncio.sleep(LASTS.total_seconds() * 0.1 + 1)

    await desk.start(CREATE)

    assert len(desk.asked) == 2


async def test_a_refused_request_is_nobodys_answer() -> None:
    desk = Desk()
    desk.fails = [Unavailable("not now", resource_id=ZONE.text, operation="create")]
    with pytest.raises(Unavailable):
        await desk.start(CREATE)

    assert isinstance(await desk.start(CREATE), Started)


@pytest.mark.parametrize(
    ("state", "asked"), [(ProgressState.FAILED, 2), (ProgressState.RUNNING, 1), (ProgressState.SUCCEEDED, 1)]
)
async def test_only_an_operation_that_was_seen_to_fail_is_begun_anew(state: ProgressState, asked: int) -> None:
    desk = Desk()
    await desk.start(CREATE)

    desk.tell(state)
    await desk.start(CREATE)

    assert len(desk.asked) == asked


async def test_the_control_plane_asks_azure_once_and_again_after_a_failure() -> None:
    rig = Rig()
    change = CreateZone(zone=rig.zone())
    rig.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, method="PUT", path="privateDnsZones/[^/]+$"))

    before = len(rig.azure.log)
    for _ in range(3):
        first = await rig.plane.start(change)
    assert len(rig.calls("write", before)) == 1
    assert isinstance(first, Started)
    now = rig.now()
    operation = Operation(change=change, url=first.url, started=now, due=now)
    rig.pass_time(60)
    told = (await rig.plane.progress([operation]))[key_of(change)]
    assert told.state is ProgressState.FAILED
    before = len(rig.azure.log)

    await rig.plane.start(change)

    assert len(rig.calls("write", before)) == 1
