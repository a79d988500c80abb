"""One read for everybody who waits, and never one that began before its asker had seen something end."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.virtual_time import LoopClock, run_virtual
from shared.cloud.network import PrivateEndpoints
from shared.cloud.shared_lists import MAX_AGE, SharedReads
from shared.cloud.virtual_networks import VirtualNetworks
from shared.core.arm import ResourceId
from shared.core.azure_limits import MANAGER_READS, bucket
from shared.core.errors import RegistryIsolationError, Unavailable
from shared.core.registry import ENDPOINT_TYPE, INTERFACE_TYPE
from shared.engine.throttle import LONGEST_WAIT, Throttle
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client

pytestmark = pytest.mark.virtual_time
GROUP = ResourceId.parse("/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/net")
READS = bucket(MANAGER_READS, GROUP.subscription)
SECOND = timedelta(seconds=1)


class Reads:
    """Shared reads of one thing that tell when they began; each takes *takes* seconds and counts as *requests*."""

    def __init__(self, requests: int = 1, takes: float = 0.0) -> None:
        self.clock = LoopClock()
        self.throttle = Throttle()
        self.began: list[datetime] = []
        self.fails: list[Exception] = []
        self._requests = requests
        self._takes = takes
        self.shared: SharedReads[datetime] = SharedReads(self._read, self.throttle, self.clock.now)

    async def _read(self, _what: ResourceId) -> tuple[datetime, int]:
        began = self.clock.now()
        self.began.append(began)
        await asyncio.sleep(self._takes)
        if self.fails:
            raise self.fails.pop()
        return began, self._requests

    async def answer(self, since: datetime | None) -> datetime:
        return await self.shared.answer(GROUP, since)

    def use_up(self, left: float) -> None:
        while self.throttle.level(READS) > left:
            self.throttle.take([READS])


async def test_everybody_who_waits_is_answered_by_one_read() -> None:
    reads = Reads()
    since = reads.clock.now()

    answers = await asyncio.gather(*(reads.answer(since) for _ in range(5)))

    assert set(answers) == {since}
    assert reads.began == [since]


async def test_a_read_that_began_before_ones_operations_were_seen_to_end_does_not_count() -> None:
    reads = Reads()
    seen = reads.clock.now()
    await reads.answer(seen)
    await asyncio.sleep(1)

    later = await reads.answer(reads.clock.now())

    assert later == seen + SECOND
    assert await reads.answer(seen) == later, "whoever saw them end earlier takes it as well"
    assert len(reads.began) == 2


async def test_a_read_under_way_does_not_count_for_one_who_came_after_it_began() -> None:
    reads = Reads(takes=5)
    first = asyncio.create_task(reads.answer(reads.clock.now()))
    await asyncio.sleep(2)

    second = await reads.answer(reads.clock.now())

    assert second - await first == 2 * SECOND


async def test_an_answer_that_is_too_old_is_read_again() -> None:
    reads = Reads()
    seen = reads.clock.now()
    await reads.answer(seen)
    await asyncio.sleep((MAX_AGE + SECOND).total_seconds())

    assert await reads.answer(seen) == reads.clock.now()


async def test_a_question_without_a_moment_is_always_asked_at_once() -> None:
    reads = Reads()
    reads.use_up(0)

    for _ in range(3):
        await reads.answer(None)

    assert len(reads.began) == 3


async def test_an_error_is_everybodys_who_waited_and_nobodys_answer() -> None:
    reads = Reads()
    reads.fails = [Unavailable("not now", resource_id=GROUP.text, operation="list")]
    since = reads.clock.now()

    told = await asyncio.gather(*(reads.answer(since) for _ in range(3)), return_exceptions=True)

    assert {type(each) for each in told} == {Unavailable}
    assert await reads.answer(since) == since


async def test_whoever_gives_up_does_not_take_the_read_from_the_others() -> None:
    reads = Reads(takes=1)
    first = asyncio.create_task(reads.answer(reads.clock.now()))
    await asyncio.sleep(0)
    second = asyncio.create_task(reads.answer(reads.clock.now()))
    await asyncio.sleep(0)
    first.cancel()

    (gone,) = await asyncio.gather(first, return_exceptions=True)

    assert isinstance(gone, asyncio.CancelledError)
    assert [await second] == reads.began


# --- when reads are short ---------------------------------------------------------------------------------------------


async def test_at_ease_nobody_waits() -> None:
    reads = Reads(requests=10)
    for _ in range(4):
        await asyncio.sleep(0.1)
        assert await reads.answer(reads.clock.now()) == reads.clock.now()


async def test_when_reads_are_short_those_who_come_one_after_another_share_the_next_read() -> None:
    reads = Reads(requests=10)
    await reads.answer(reads.clock.now())
    reads.use_up(0)
    asked: list[tuple[datetime, asyncio.Task[datetime]]] = []

    for _ in range(5):
        await asyncio.sleep(0.1)
        asked.append((reads.clock.now(), asyncio.create_task(reads.answer(reads.clock.now()))))
    answers = [await task for _, task in asked]

    assert len(set(answers)) == 1
    assert len(reads.began) == 2
    assert all(
        since <= answer <= since + timedelta(seconds=LONGEST_WAIT)
        for since, answer in zip((since for since, _ in asked), answers, strict=True)
    )


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(st.floats(0, 20), st.floats(0, 40), st.booleans()), min_size=1, max_size=12),
    left=st.integers(0, 250),
)
def test_no_answer_began_too_early_or_is_too_old(steps: list[tuple[float, float, bool]], left: int) -> None:
    async def story() -> None:
        reads = Reads(requests=3, takes=0.5)
        reads.use_up(left)

        async def ask(since: datetime) -> None:
            asked = reads.clock.now()
            answer = await reads.answer(since)
            assert answer >= since
            assert answer >= asked - MAX_AGE

        asks = []
        for pause, back, _ in steps:
            await asyncio.sleep(pause)
            asks.append(asyncio.create_task(ask(reads.clock.now() - timedelta(seconds=back))))
        await asyncio.gather(*asks)

    run_virtual(story())


# --- endpoints, interfaces, networks ----------------------------------------------------------------------------------


class Group:
    """A large resource group in pages of 100, its interfaces, and a network, over real adapters."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.broken = False
        self.clock = LoopClock()
        self.transport = AnsweringTransport(self._answer)
        arm = arm_client(self.transport)
        self.throttle = arm.throttle
        self.endpoints = PrivateEndpoints(arm, self.clock.now)
        self.networks = VirtualNetworks(arm, self.clock.now)

    def _answer(self, sent: Sent) -> Reply:
        if self.broken:
            return Reply(503)
        name = sent.path.rsplit("/", 1)[-1]
        kind = INTERFACE_TYPE if "networkInterfaces" in sent.path else ENDPOINT_TYPE
        if name == "hub":
            subnet = {"name": "endpoints", "properties": {"addressPrefix": "10.0.0.0/24"}}
            return Reply(200, {"id": sent.path, "location": "westeurope", "properties": {"subnets": [subnet]}})
        if name.startswith("pe-"):
            return Reply(200, self._document(kind, name))
        start = int(sent.query.get("$skip", "0"))
        rows = [self._document(kind, f"pe-{number}") for number in range(start, min(start + 100, self.size))]
        further = f"https://management.azure.com{sent.path}?api-version=1&$skip={start + 100}"
        return Reply(200, {"value": rows} | ({"nextLink": further} if start + 100 < self.size else {}))

    @staticmethod
    def _document(kind: str, name: str) -> dict[str, Any]:
        properties = {
            "provisioningState": "Succeeded",
            "subnet": {"id": f"{GROUP.text}/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints"},
            "ipConfigurations": [{"properties": {"privateIPAddress": "10.0.0.4"}}],
        }
        return {"id": GROUP.resource(kind, name).text, "location": "westeurope", "properties": properties}

    def of(self, number: int, kind: str = ENDPOINT_TYPE) -> list[ResourceId]:
        """The three that the registry *number* has."""
        return [GROUP.resource(kind, f"pe-{3 * number + each}") for each in range(3)]

    def requests(self) -> int:
        count = len(self.transport.sent)
        self.transport.sent.clear()
        return count


async def test_a_lone_registry_in_a_large_group_reads_its_own_endpoints() -> None:
    group = Group(900)
    await group.endpoints.list(GROUP, [])
    assert group.requests() == 9
    await asyncio.sleep(60)

    await group.endpoints.list(GROUP, group.of(1), group.clock.now())

    assert group.requests() == 3


async def test_many_registries_of_a_large_group_share_its_list_and_each_gets_its_own() -> None:
    group = Group(900)
    await group.endpoints.list(GROUP, [])
    group.requests()
    since = group.clock.now()

    found = [await group.endpoints.list(GROUP, group.of(number), since) for number in range(20)]
    group.throttle.told(READS, 10)
    await asyncio.sleep(1)
    later = [
        asyncio.create_task(group.networks.read_addresses(group.of(number, INTERFACE_TYPE), group.clock.now()))
        for number in range(20)
    ]

    assert [{each.id for each in listed} for listed in found] == [set(group.of(number)) for number in range(20)]
    assert [set(await task) for task in later] == [set(group.of(number, INTERFACE_TYPE)) for number in range(20)]
    assert group.requests() < 2 * 20 * 3 / 2


async def test_an_endpoint_that_is_not_in_the_shared_list_is_absent() -> None:
    group = Group(160)
    since = group.clock.now()
    await group.endpoints.list(GROUP, [], since)

    (present, gone) = (GROUP.resource(ENDPOINT_TYPE, name) for name in ("pe-159", "pe-160"))

    assert [each.id for each in await group.endpoints.list(GROUP, [present, gone], since)] == [present]


async def test_registries_of_one_network_read_it_once() -> None:
    group = Group(1)
    subnet = ResourceId.parse(f"{GROUP.text}/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints")
    since = group.clock.now()

    subnets = await asyncio.gather(*(group.networks.read_subnet(subnet, since) for _ in range(4)))
    alone = await group.networks.read_subnet(subnet)

    assert {each.free_addresses for each in (*subnets, alone) if each} == {251}
    assert group.requests() == 2


async def test_a_list_that_fails_is_told_to_everybody_and_asked_again() -> None:
    group = Group(10)
    group.broken = True
    since = group.clock.now()
    told = await asyncio.gather(*(group.endpoints.list(GROUP, [], since) for _ in range(2)), return_exceptions=True)
    assert all(isinstance(each, RegistryIsolationError) for each in told)
    group.broken = False

    assert len(await group.endpoints.list(GROUP, [], since)) == 10
