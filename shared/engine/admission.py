"""
Which pass begins now, and which one comes back when Azure's limits allow what it is going to do.

A pass that is cut off half-way has read in vain, and so will the next. So the reads of a whole pass are set aside when it
is let in, until it ends. While Azure says that its limits are nearly used up, registries that have begun go before those
that have not: these get what the others leave, in the order of their coming, and never begin before the network writes of
those ahead of them could be let through. Whoever has to wait goes back to the queue and is told when to come again. At
ease, nothing is asked of anybody.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.core.arm import ResourceId
from shared.core.azure_limits import MANAGER_READS, NETWORK_WRITES, Bucket, bucket
from shared.core.policy import IsolationPolicy
from shared.core.policy_values import matches
from shared.engine.ports import Clock
from shared.engine.records import LedgerRow
from shared.engine.throttle import Throttle

# Reads of a pass, as counted: a first observation, any other one, a look at what runs, a look at one target.
_BEGINNING, _OBSERVING, _ASKING, _WATCHING = 8, 8, 2, 1
_WRITES = 6
"""Network writes of a registry in one region and one network: three endpoints and their zone groups."""
_WORTH_WAITING = timedelta(seconds=1)
_LONGEST = timedelta(seconds=30)
"""Until a pass that waits for reads asks again: how much the others leave is not known beforehand."""
_GONE = 3 * _LONGEST
"""Whoever has not asked again by then does so in another process, or not at all."""
_REMEMBERED = 16_384
_SUBSCRIPTIONS = 1024
"""Whose reads are kept apart; a pass whose subscription was forgotten meanwhile has nothing left to give back."""


class _Line:
    """Places at a steady pace; *ahead* is what may be taken at once."""

    def __init__(self) -> None:
        self._end: datetime | None = None

    def place(self, cost: float, per_second: float, ahead: float, now: datetime) -> datetime:
        """Take the next place; gives when it comes."""
        end = max(self._end or now, now)
        self._end = end + timedelta(seconds=cost / per_second)
        return max(now, end - timedelta(seconds=ahead / per_second))

    def backlog(self, per_second: float, now: datetime) -> float:
        """What has been given places that have not come yet."""
        return max(0.0, ((self._end or now) - now).total_seconds() * per_second)


class _Reads:
    """Reads of one subscription: who is inside with how many set aside, who goes on soon, who waits to begin."""

    def __init__(self) -> None:
        self.going_on = _Line()
        self.set_aside = 0.0
        self._tickets: OrderedDict[str, tuple[int, datetime]] = OrderedDict()
        self._waiting: list[int] = []
        self._last = 0

    def ahead(self, key: str, now: datetime) -> int:
        """How many wait longer than *key*, which waits from now on; those that did not come again wait no more."""
        while self._tickets and next(iter(self._tickets.values()))[1] < now - _GONE:
            self.begins(next(iter(self._tickets)))
        ticket, _ = self._tickets.get(key, (0, now))
        if not ticket:
            self._last += 1
            ticket = self._last
            insort(self._waiting, ticket)
        self._tickets[key] = (ticket, now)
        self._tickets.move_to_end(key)
        return bisect_left(self._waiting, ticket)

    def begins(self, key: str) -> None:
        """*key* waits no longer."""
        ticket, _ = self._tickets.pop(key, (0, None))
        if ticket:
            del self._waiting[bisect_left(self._waiting, ticket)]


class Admission:
    """Lets passes in; one per process."""

    def __init__(self, throttle: Throttle, policy: IsolationPolicy, clock: Clock) -> None:
        self._throttle = throttle
        self._policy = policy
        self._clock = clock
        self._reads: OrderedDict[Bucket, _Reads] = OrderedDict()
        self._writes: dict[Bucket, _Line] = {}
        self._places: OrderedDict[str, datetime] = OrderedDict()
        self._inside: dict[str, tuple[Bucket, float]] = {}

    def wait(self, row: LedgerRow) -> timedelta:
        """How long a pass for *row* has to wait; zero to begin now, and then `leave` **must** follow."""
        now, key = self._clock.now(), row.registry.key
        begins = not (row.observed or row.operations or row.pending)
        place = self._places.get(key)
        if place is None:
            place = self._place_to_begin(row.registry, now) if begins else self._place_to_go_on(row, now)
        pause = place - now
        if pause < _WORTH_WAITING and begins:
            pause = self._until_reads(row.registry)
        if pause < _WORTH_WAITING:
            self._places.pop(key, None)
            self._enter(row, begins=begins)
            return timedelta()
        self._places[key] = place
        if len(self._places) > _REMEMBERED:
            forgotten, _ = self._places.popitem(last=False)
            for each in self._reads.values():
                each.begins(forgotten)
        return pause

    def leave(self, registry: ResourceId) -> None:
        """The pass has ended: what it did not read is free again."""
        bucket_, cost = self._inside.pop(registry.key, (None, 0.0))
        if bucket_ is not None:
            known = self._of(bucket_)
            known.set_aside = max(0.0, known.set_aside - cost)

    def _enter(self, row: LedgerRow, *, begins: bool) -> None:
        self.leave(row.registry)
        reads = bucket(MANAGER_READS, row.registry.subscription)
        known, cost = self._of(reads), _BEGINNING if begins else _cost(row)
        known.begins(row.registry.key)
        known.set_aside += cost
        self._inside[row.registry.key] = (reads, cost)

    def _place_to_begin(self, registry: ResourceId, now: datetime) -> datetime:
        """In the lines for the writes of its networks; counted at ease as well."""
        reads = bucket(MANAGER_READS, registry.subscription)
        writes = self._network_writes(registry)
        places = [now]
        for each in writes:
            line = self._writes.setdefault(each, _Line())
            places.append(line.place(_WRITES, self._throttle.refill(each), each.limit.size - 2 * _WRITES, now))
        pressed = any(self._throttle.pressed(each) for each in (reads, *writes))
        return max(places) if pressed else now

    def _until_reads(self, registry: ResourceId) -> timedelta:
        """Until one that begins may hope for its reads, after those that go on and those that came before it."""
        reads = bucket(MANAGER_READS, registry.subscription)
        if not self._throttle.pressed(reads):
            return timedelta()
        known, refill, now = self._of(reads), self._throttle.refill(reads), self._clock.now()
        left = self._free(reads, known) - known.going_on.backlog(refill, now)
        lacking = (known.ahead(registry.key, now) + 1) * _BEGINNING - left
        return min(max(_WORTH_WAITING, timedelta(seconds=lacking / refill)), _LONGEST) if lacking > 0 else timedelta()

    def _place_to_go_on(self, row: LedgerRow, now: datetime) -> datetime:
        reads, cost = bucket(MANAGER_READS, row.registry.subscription), _cost(row)
        known = self._of(reads)
        if not self._throttle.pressed(reads) or self._free(reads, known) >= cost:
            return now
        return known.going_on.place(cost, self._throttle.refill(reads), 0, now)

    def _free(self, reads: Bucket, known: _Reads) -> float:
        return self._throttle.level(reads) - known.set_aside

    def _network_writes(self, registry: ResourceId) -> Sequence[Bucket]:
        """Where its endpoints will be written, as far as its name tells."""
        networks = [each for each in self._policy.networks if matches(each.serves.registries, registry.name)]
        return list(dict.fromkeys(bucket(NETWORK_WRITES, each.endpoints_group.subscription) for each in networks))

    def _of(self, reads: Bucket) -> _Reads:
        known = self._reads.setdefault(reads, _Reads())
        self._reads.move_to_end(reads)
        if len(self._reads) > _SUBSCRIPTIONS:
            self._reads.popitem(last=False)
        return known


def _cost(row: LedgerRow) -> float:
    """Reads of a pass that goes on with *row*."""
    if row.operations or row.pending:
        return _ASKING
    return _WATCHING if row.watch is not None else _OBSERVING
