"""One read of a zone answers many, and never one who has seen something end after it began."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.virtual_time import EPOCH, run_virtual
from shared.cloud.private_dns import PrivateDns
from shared.cloud.shared_zones import LINKS_AGE, MAX_AGE, SharedZones
from shared.core.arm import ResourceId
from shared.core.azure_limits import ZONE_READS, bucket
from shared.core.errors import RegistryIsolationError, Throttled
from shared.engine.ports import ZoneQuery
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client

ZONE = ResourceId.parse(
    "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/dns/providers/Microsoft.Network"
    "/privateDnsZones/privatelink.blob.core.windows.net"
)
READS = bucket(ZONE_READS, ZONE.subscription)
SECOND = timedelta(seconds=1)


class Zones:
    """A zone whose records the test changes, and a clock that it moves."""

    def __init__(self, *names: str) -> None:
        self.records = dict.fromkeys(names, "10.0.0.4")
        self.now: datetime = EPOCH
        self.asked: list[str] = []
        self.fails: list[Reply] = []
        self.arm = arm_client(AnsweringTransport(self._answer))
        self.shared = SharedZones(PrivateDns(self.arm), self.arm.throttle, lambda: self.now)

    def _answer(self, sent: Sent) -> Reply:
        name = sent.path.rsplit("/", 1)[-1]
        self.asked.append(name)
        if self.fails:
            return self.fails.pop()
        if name == "A":
            start = int(sent.query.get("skip", "0"))
            names = sorted(self.records)
            further = f"https://management.azure.com{sent.path}?skip={start + 100}"
            more = {"nextLink": further} if len(names) > start + 100 else {}
            return Reply(200, {"value": [self._record(name) for name in names[start : start + 100]], **more})
        if name == "virtualNetworkLinks":
            return Reply(200, {"value": []})
        found = name in self.records or name == ZONE.name
        return Reply(200, self._record(name)) if found else Reply(404, {"code": "NotFound"})

    def _record(self, name: str) -> dict[str, Any]:
        return {"name": name, "properties": {"aRecords": [{"ipv4Address": self.records.get(name, "")}]}}

    async def names(self, *names: str, since: datetime | None) -> dict[str, tuple[str, ...]]:
        query = ZoneQuery(zone=ZONE, records=names, since=since, links_since=since)
        return dict((await self.shared.read(query)).records)

    def use_up(self, left: float) -> None:
        """Few reads are left, by what the process has counted."""
        while self.arm.throttle.level(READS) > left:
            self.arm.throttle.take([READS])


async def test_everybody_who_waits_is_answered_by_one_read() -> None:
    zones = Zones("one", "two")

    answers = await asyncio.gather(*(zones.names(name, since=zones.now) for name in ("one", "two", "three")))

    assert answers == [{"one": ("10.0.0.4",)}, {"two": ("10.0.0.4",)}, {}]
    assert zones.asked == ["A"]


async def test_a_read_that_began_before_ones_operations_were_seen_to_end_does_not_count() -> None:
    zones = Zones("one")
    seen = zones.now
    await zones.names("one", since=seen)
    zones.now += SECOND
    del zones.records["one"]

    earlier = await zones.names("one", since=seen)
    later = await zones.names("one", since=zones.now)

    assert earlier == {"one": ("10.0.0.4",)}
    assert later == {}, "it was deleted before the second asker saw its operations end"
    assert zones.asked == ["A", "A"]


async def test_a_record_of_one_that_goes_between_is_missed_by_that_one_alone() -> None:
    zones = Zones("one", "two")
    seen = zones.now
    await zones.names("one", since=seen)
    zones.now += MAX_AGE + SECOND
    del zones.records["two"]

    first = await zones.names("one", since=seen)
    second = await zones.names("two", since=seen)

    assert (first, second) == ({"one": ("10.0.0.4",)}, {})
    assert zones.asked == ["A", "A"], "the old answer had become too old for both"


async def test_a_refused_shared_read_is_everybodys_refusal_and_nobodys_answer() -> None:
    zones = Zones("one")
    zones.fails = [Reply(429, {"code": "TooManyRequests", "message": "slow down"}, {"Retry-After": "40"})]

    refused = await asyncio.gather(*(zones.names("one", since=zones.now) for _ in range(3)), return_exceptions=True)
    again = await asyncio.gather(zones.names("one", since=zones.now), return_exceptions=True)

    assert [type(error) for error in [*refused, *again]] == [Throttled] * 4
    assert zones.asked == ["A"], "until the forty seconds are over nobody asks"


async def test_an_error_of_a_shared_read_is_not_remembered() -> None:
    zones = Zones("one")
    zones.fails = [Reply(503, {"code": "ServiceUnavailable", "message": "later"})]
    with pytest.raises(RegistryIsolationError):
        await zones.names("one", since=zones.now)

    assert await zones.names("one", since=zones.now) == {"one": ("10.0.0.4",)}


async def test_whoever_gives_up_does_not_take_the_read_from_the_others() -> None:
    zones = Zones("one")
    first = asyncio.create_task(zones.names("one", since=zones.now))
    await asyncio.sleep(0)
    second = asyncio.create_task(zones.names("one", since=zones.now))
    await asyncio.sleep(0)
    first.cancel()
    (gone,) = await asyncio.gather(first, return_exceptions=True)

    assert isinstance(gone, asyncio.CancelledError)
    assert await second == {"one": ("10.0.0.4",)}
    assert zones.asked == ["A"]


async def test_a_question_without_a_moment_is_always_asked() -> None:
    zones = Zones("one")

    for _ in range(2):
        await zones.names("one", since=None)

    assert zones.asked == ["A", "A"]


# --- when reads are short ---------------------------------------------------------------------------------------------


async def test_when_few_reads_are_left_a_zone_is_read_now_and_then_for_all() -> None:
    zones = Zones("one", "two")
    await zones.names("one", since=zones.now)
    zones.use_up(50)
    zones.now += SECOND

    turn = zones.shared.due([ZONE], zones.now)
    with pytest.raises(Throttled) as refusal:
        await zones.names("two", since=zones.now)

    assert turn is not None
    assert zones.now < turn <= zones.now + timedelta(minutes=2)
    assert refusal.value.retry_after is not None
    assert zones.asked == ["A"]
    seen, zones.now = zones.now, turn
    assert zones.shared.due([ZONE], seen) is None
    assert await zones.names("two", since=seen) == {"two": ("10.0.0.4",)}


async def test_a_large_zone_is_listed_once_enough_wait_for_it() -> None:
    zones = Zones(*(f"n{number}" for number in range(250)))
    for _ in range(2):  # the first look finds out that it is large
        await zones.names("n1", since=None)
    assert zones.asked == ["A", "n1", "n1"]
    zones.use_up(50)
    zones.now += SECOND
    seen = zones.now
    turns = [zones.shared.due([ZONE], seen) for _ in range(5)]
    turn = turns[0]
    assert turn is not None
    zones.asked.clear()

    zones.now = turn
    answers = [await zones.names(f"n{number}", since=seen) for number in (7, 200, 249)]

    assert zones.asked == ["A", "A", "A"]
    assert [len(answer) for answer in answers] == [1, 1, 1]


async def test_links_alone_may_be_older_but_only_while_reads_are_short() -> None:
    zones = Zones()
    query = ZoneQuery(zone=ZONE, links=True, since=zones.now, links_since=zones.now)
    await zones.shared.read(query)
    zones.now += SECOND
    later = ZoneQuery(zone=ZONE, links=True, since=zones.now, links_since=zones.now)
    await zones.shared.read(later)
    assert zones.asked == ["virtualNetworkLinks"] * 2

    zones.use_up(50)
    zones.now += LINKS_AGE - SECOND
    await zones.shared.read(ZoneQuery(zone=ZONE, links=True, since=zones.now, links_since=zones.now))
    assert zones.asked == ["virtualNetworkLinks"] * 2
    zones.now += 2 * SECOND
    await zones.shared.read(ZoneQuery(zone=ZONE, links=True, since=zones.now, links_since=zones.now))
    assert zones.asked == ["virtualNetworkLinks"] * 3


# --- whatever happens in between --------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("toggle"), st.sampled_from(["one", "two"]), st.just(0)),
            st.tuples(st.just("pass"), st.just(""), st.integers(1, 40)),
            st.tuples(st.just("read"), st.sampled_from(["one", "two"]), st.integers(0, 60)),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_an_answer_was_true_at_a_moment_that_the_asker_allowed_and_not_long_ago(
    steps: list[tuple[str, str, int]],
) -> None:
    async def story() -> None:
        zones = Zones("one")
        truth = [(zones.now, frozenset(zones.records))]
        for kind, name, number in steps:
            if kind == "toggle":
                zones.now += SECOND
                if zones.records.pop(name, None) is None:
                    zones.records[name] = "10.0.0.4"
                truth.append((zones.now, frozenset(zones.records)))
                zones.now += SECOND
            elif kind == "pass":
                zones.now += number * SECOND
            else:
                since = zones.now - number * SECOND
                answer = bool(await zones.names(name, since=since))
                earliest = max(since, zones.now - MAX_AGE)
                ends = [at for at, _ in truth[1:]] + [zones.now + SECOND]
                allowed = {name in held for (_, held), end in zip(truth, ends, strict=True) if end > earliest}
                assert answer in allowed

    run_virtual(story())
