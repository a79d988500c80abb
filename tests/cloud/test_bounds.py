"""What the adapters remember for as long as the process lives is bounded, and what serves nobody is let go of."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.virtual_time import LoopClock
from shared.cloud import group_sizes, shared_lists, shared_starts, shared_zones, zone_presence
from shared.cloud.group_sizes import GroupSizes
from shared.cloud.private_dns import PrivateDns
from shared.cloud.shared_lists import MAX_AGE, MOST_PAGES
from shared.cloud.shared_zones import SharedZones
from shared.core.arm import ResourceId
from shared.engine.ports import ZoneQuery
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client
from tests.cloud.test_shared_lists import GROUP, SECOND, Reads
from tests.cloud.test_shared_starts import Desk, link_to

pytestmark = pytest.mark.virtual_time
MORE = 5


def groups(count: int) -> Iterator[ResourceId]:
    subscription = f"/subscriptions/{GROUP.subscription}/resourceGroups"
    return (ResourceId.parse(f"{subscription}/group-{number}") for number in range(count))


def kept(reads: Reads) -> int:
    return sum(known.look is not None for known in reads.shared._known.values())


async def test_of_things_that_were_not_asked_for_long_nothing_is_known() -> None:
    reads, sizes = Reads(), GroupSizes()
    for group in groups(shared_lists._REMEMBERED + MORE):
        reads.shared.pays(group, 1)
    for group in groups(group_sizes._REMEMBERED + MORE):
        sizes.note(group, 1)

    assert len(reads.shared._known) == shared_lists._REMEMBERED
    assert len(sizes._sizes) == group_sizes._REMEMBERED


async def test_answers_that_are_too_old_for_anybody_are_let_go_of() -> None:
    reads = Reads()
    for group in groups(10):
        await reads.shared.answer(group, reads.clock.now())
    assert kept(reads) == 10

    await asyncio.sleep((MAX_AGE + SECOND).total_seconds())
    await reads.answer(reads.clock.now())

    assert kept(reads) == 1


async def test_no_more_pages_are_kept_than_the_most_and_those_asked_for_last_stay() -> None:
    reads, since = Reads(requests=10), LoopClock().now()
    asked = list(groups(10))
    for group in asked:
        await reads.shared.answer(group, since)
    began = len(reads.began)

    for group in asked[-MOST_PAGES // 10 :]:
        await reads.shared.answer(group, since)

    assert kept(reads) == MOST_PAGES // 10 + 1
    assert len(reads.began) == began, "they were answered by what is kept"
    await reads.shared.answer(asked[0], since)
    assert len(reads.began) == began + 1, "the first one was let go of, and is read again"


async def test_an_answer_of_very_many_pages_is_kept_while_it_is_the_youngest() -> None:
    reads = Reads(requests=MOST_PAGES * 3)
    since = reads.clock.now()

    await reads.answer(since)
    await reads.shared.answer(next(groups(1)), since)
    await reads.answer(since)

    assert len(reads.began) == 2


async def test_a_read_under_way_is_never_let_go_of() -> None:
    reads = Reads(requests=MOST_PAGES, takes=(2 * MAX_AGE).total_seconds())
    since = reads.clock.now()
    waiting = [asyncio.create_task(reads.answer(since))]
    await asyncio.sleep(MAX_AGE.total_seconds() + 1)

    waiting += [asyncio.create_task(reads.shared.answer(group, since)) for group in groups(2)]
    await asyncio.sleep(0)
    assert kept(reads) == 3

    assert await asyncio.gather(*waiting) == reads.began


async def test_writes_that_were_shared_long_ago_are_forgotten_first() -> None:
    desk = Desk()
    await asyncio.gather(*(desk.start(link_to(f"net-{number}")) for number in range(shared_starts._REMEMBERED + MORE)))

    assert len(desk.starts._looks) == shared_starts._REMEMBERED


async def test_zones_and_groups_of_zones_that_were_not_asked_for_long_are_forgotten() -> None:
    def answer(sent: Sent) -> Reply:
        return Reply(200, {"value": []})

    arm, now = arm_client(AnsweringTransport(answer)), LoopClock().now()
    zones = SharedZones(PrivateDns(arm), arm.throttle, lambda: now)
    for group in groups(shared_zones._REMEMBERED + MORE):
        names = [group.resource("Microsoft.Network/privateDnsZones", f"zone-{number}") for number in range(2)]
        await zones.read_all([ZoneQuery(zone=zone, records=(), links=True, since=now) for zone in names])
        zones.note_present(names[0])
        await zones.link_state(ResourceId.parse(f"{names[0].text}/virtualNetworkLinks/hub"))

    assert len(zones._zones) == shared_zones._REMEMBERED
    assert len(zones._presence._seen) == zone_presence._REMEMBERED
    assert len(zones._presence._lists) == zone_presence._REMEMBERED


async def test_what_is_let_go_of_is_not_asked_for_sooner() -> None:
    reads = Reads()
    await reads.answer(reads.clock.now())
    await asyncio.sleep((MAX_AGE + timedelta(seconds=1)).total_seconds())
    before = reads.shared._known[GROUP.key].last
    await reads.shared.answer(next(groups(1)), reads.clock.now())

    assert reads.shared._known[GROUP.key].look is None
    assert reads.shared._known[GROUP.key].last == before
