"""Who begins when Azure's limits are nearly used up: nobody at ease waits, and nobody waits for ever."""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from local.virtual_time import EPOCH
from shared.core.arm import ResourceId
from shared.core.azure_limits import MANAGER_READS, NETWORK_WRITES, bucket
from shared.core.policy import IsolationPolicy
from shared.core.registry import TargetKind
from shared.engine.admission import Admission
from shared.engine.records import LedgerRow, Watch
from shared.engine.throttle import Throttle

SUB = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
READS_TO_BEGIN = 8
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "mode": "enforce",
    "scope": {"subscriptions": [SUB]},
    "networks": [
        {
            "name": "hub",
            "subnet": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
            "dns": {"zones_resource_group": GROUP},
        }
    ],
}


class Door:
    """An admission, and a clock for it and its throttle."""

    def __init__(self) -> None:
        self.moment: datetime = EPOCH
        self.least = math.inf
        self.throttle = Throttle(self.seconds)
        self.admission = Admission(self.throttle, IsolationPolicy.from_document(DOCUMENT), self)
        self.reads = bucket(MANAGER_READS, SUB)
        self.writes = bucket(NETWORK_WRITES, SUB)

    def now(self) -> datetime:
        return self.moment

    def seconds(self) -> float:
        return (self.moment - EPOCH).total_seconds()

    async def sleep(self, duration: timedelta) -> None:
        self.moment += duration

    def wait(self, row: LedgerRow) -> timedelta:
        return self.admission.wait(row)

    def let_in(self, rows: list[LedgerRow], reads: int) -> dict[str, datetime]:
        """Let each come until it is let in and makes that many *reads*; gives when each was, in that order."""
        begun_at: dict[str, datetime] = {}
        due = [(EPOCH, number) for number in range(len(rows))]
        while due:
            moment, number = heappop(due)
            self.moment = max(self.moment, moment)
            wait = self.wait(rows[number])
            if wait:
                heappush(due, (self.moment + wait, number))
                continue
            begun_at[rows[number].registry.key] = self.moment
            for _ in range(reads):
                self.throttle.take([self.reads])
            self.least = min(self.least, self.throttle.level(self.reads))
            self.admission.leave(rows[number].registry)
        return begun_at

    def press(self) -> None:
        """Azure says that hardly a read is left."""
        self.throttle.told(self.reads, 2)


def new(number: int) -> LedgerRow:
    registry = ResourceId.parse(f"{GROUP}/providers/Microsoft.MachineLearningServices/registries/r{number}")
    return LedgerRow(registry=registry, generation=1, first_seen=EPOCH, requested=EPOCH)


def begun(number: int) -> LedgerRow:
    return replace(new(number), observed=True)


def test_at_ease_nobody_waits() -> None:
    door = Door()

    assert {door.wait(new(number)) for number in range(500)} == {timedelta()}


def test_registries_begin_in_the_order_of_their_coming_and_as_fast_as_reads_and_writes_allow() -> None:
    door = Door()
    door.press()

    begun_at = door.let_in([new(number) for number in range(400)], reads=READS_TO_BEGIN)

    came = {new(number).registry.key: number for number in range(400)}
    assert max(abs(came[key] - position) for position, key in enumerate(begun_at)) <= 5
    moments = [(at - EPOCH).total_seconds() for at in begun_at.values()]
    by_reads = 160 * READS_TO_BEGIN / door.reads.limit.per_second
    assert by_reads <= moments[160] <= by_reads + 10
    by_writes = (400 * 6 - door.writes.limit.size) / door.writes.limit.per_second
    assert by_writes - 10 <= moments[-1] <= by_writes + 10


def test_whoever_is_let_in_finds_all_the_reads_of_its_pass() -> None:
    door = Door()
    door.press()

    door.let_in([new(number) for number in range(100)], reads=READS_TO_BEGIN)

    assert door.least >= 0


def test_the_reads_of_a_pass_are_set_aside_until_it_ends() -> None:
    door = Door()
    door.throttle.told(door.reads, 20)
    assert door.wait(new(1)) == timedelta()
    assert door.wait(new(2)) == timedelta()

    third = door.wait(new(3))
    door.admission.leave(new(1).registry)

    assert third >= SECOND
    assert door.wait(new(3)) == timedelta()


def test_one_that_begins_leaves_to_those_that_go_on_what_they_wait_for() -> None:
    door = Door()
    door.press()
    places = [door.wait(begun(number)) for number in range(20)]
    door.moment += max(places) / 2

    assert door.throttle.level(door.reads) > READS_TO_BEGIN
    assert door.wait(new(2)) >= SECOND


def test_those_that_begin_elsewhere_hold_nobody_up() -> None:
    door = Door()
    door.press()
    for number in range(60):
        door.wait(new(number))

    door.moment += 2 * MINUTE
    door.throttle.told(door.reads, 100)

    assert door.throttle.pressed(door.reads)
    assert door.wait(new(100)) == timedelta()


def test_leaving_without_having_been_let_in_changes_nothing() -> None:
    door = Door()
    door.throttle.told(door.reads, 9)

    door.admission.leave(new(1).registry)

    assert door.wait(new(1)) == timedelta()
    assert door.wait(new(2)) >= SECOND


def test_no_more_begin_than_the_network_writes_let_finish() -> None:
    door = Door()
    door.press()

    last = [door.wait(new(number)) for number in range(1000)][-1]

    needed = (1000 * 6 - door.writes.limit.size) / door.writes.limit.per_second
    assert needed <= last.total_seconds() <= 1.05 * needed


def test_a_place_is_kept_and_then_used_up() -> None:
    door = Door()
    door.press()
    for number in range(300):
        door.wait(new(number))
    row = new(299)
    given = door.wait(row)

    assert given > SECOND
    assert door.wait(row) == given
    door.moment += given / 2
    assert door.wait(row) == given - given / 2
    door.moment += given + MINUTE
    assert door.wait(row) == timedelta()


def test_a_registry_that_has_begun_goes_before_those_that_have_not() -> None:
    door = Door()
    door.press()
    for number in range(300):
        door.wait(new(number))

    continuing = door.wait(begun(1000))
    beginning = door.wait(new(1001))

    assert continuing < 3 * SECOND < beginning


def test_a_look_at_one_target_needs_less_than_an_observation() -> None:
    door = Door()
    door.press()
    watching = replace(begun(1), watch=Watch(target=new(1).registry, target_kind=TargetKind.ACR))

    assert door.wait(watching) == timedelta()
    assert sum((door.wait(begun(number)) for number in range(2, 60)), timedelta()) > timedelta()


def test_once_the_limits_have_recovered_new_ones_do_not_wait() -> None:
    door = Door()
    door.press()
    for number in range(100):
        door.wait(new(number))

    door.moment += timedelta(minutes=10)

    assert door.wait(new(500)) == timedelta()
