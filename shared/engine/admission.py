"""
Which pass begins now, and which one comes back when Azure's limits allow what it is going to do.

A pass that is cut off half-way has read in vain, and so will the next. While Azure says that its limits are nearly used
up, a pass is let in only if there is enough for all of it; the others are given a place in a line that moves as fast as the
limit refills, and go back to the queue until then. Registries that have begun go before those that have not: a place of
these counts all the writes that they will need, so that no more of them begin than can be finished. A place is kept, so
nobody is overtaken for ever. At ease, nothing is asked of anybody.
"""

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
_BEGINNING, _OBSERVING, _ASKING, _WATCHING = 14, 12, 4, 1
_WRITES = 6
"""Network writes of a registry in one region and one network: three endpoints and their zone groups."""
_SHARE = 0.5
"""Of the refill for registries that begin; the others need twice as many reads until they are isolated."""
_WORTH_WAITING = timedelta(seconds=1)
_REMEMBERED = 16_384


class _Line:
    """Places at a steady pace; *ahead* is what may be taken at once."""

    def __init__(self) -> None:
        self._end: datetime | None = None

    def place(self, cost: float, per_second: float, ahead: float, now: datetime) -> datetime:
        """Take the next place; gives when it comes."""
        end = max(self._end or now, now)
        self._end = end + timedelta(seconds=cost / per_second)
        return max(now, end - timedelta(seconds=ahead / per_second))


class Admission:
    """Lets passes in; one per process."""

    def __init__(self, throttle: Throttle, policy: IsolationPolicy, clock: Clock) -> None:
        self._throttle = throttle
        self._policy = policy
        self._clock = clock
        self._lines: dict[tuple[Bucket, bool], _Line] = {}
        self._places: OrderedDict[str, datetime] = OrderedDict()

    def wait(self, row: LedgerRow) -> timedelta:
        """How long a pass for *row* has to wait; zero to begin now."""
        now, key = self._clock.now(), row.registry.key
        place = self._places.get(key)
        if place is None:
            begins = not (row.observed or row.operations or row.pending)
            place = self._place_to_begin(row.registry, now) if begins else self._place_to_go_on(row, now)
        if place - now < _WORTH_WAITING:
            self._places.pop(key, None)
            return timedelta()
        self._places[key] = place
        if len(self._places) > _REMEMBERED:
            self._places.popitem(last=False)
        return place - now

    def _place_to_begin(self, registry: ResourceId, now: datetime) -> datetime:
        """In the line for reads and in those for the writes of its networks; counted at ease as well."""
        reads = bucket(MANAGER_READS, registry.subscription)
        writes = self._network_writes(registry)
        ahead = reads.limit.size * _SHARE
        pace = self._throttle.refill(reads) * _SHARE
        places = [self._line(reads, begins=True).place(_BEGINNING, pace, ahead, now)]
        for each in writes:
            line = self._line(each, begins=True)
            places.append(line.place(_WRITES, self._throttle.refill(each), each.limit.size - 2 * _WRITES, now))
        pressed = any(self._throttle.pressed(each) for each in (reads, *writes))
        return max(places) if pressed else now

    def _place_to_go_on(self, row: LedgerRow, now: datetime) -> datetime:
        reads = bucket(MANAGER_READS, row.registry.subscription)
        cost = _ASKING if row.operations or row.pending else _WATCHING if row.watch is not None else _OBSERVING
        if not self._throttle.pressed(reads) or self._throttle.level(reads) >= cost:
            return now
        return self._line(reads, begins=False).place(cost, self._throttle.refill(reads), 0, now)

    def _network_writes(self, registry: ResourceId) -> Sequence[Bucket]:
        """Where its endpoints will be written, as far as its name tells."""
        networks = [each for each in self._policy.networks if matches(each.serves.registries, registry.name)]
        return list(dict.fromkeys(bucket(NETWORK_WRITES, each.endpoints_group.subscription) for each in networks))

    def _line(self, of: Bucket, *, begins: bool) -> _Line:
        return self._lines.setdefault((of, begins), _Line())
