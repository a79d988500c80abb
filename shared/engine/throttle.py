"""
What this process knows of Azure's limits, shared by everything that calls Azure from it.

One model of each bucket: how much is left, and until when it is closed. Until Azure says something, calls go freely and are
only counted. A refusal with Retry-After closes the bucket for everybody until that moment; a header that tells what is left
corrects the model and lets callers slow down before the refusal. Short waits are queued in order, longer ones are errors,
so that the work goes back to the queue instead of sleeping in a billed invocation.

Other processes share the same limits without knowing of each other: each one believes in a lower refill after a refusal
that its own model did not expect, and slowly in a higher one again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.core.azure_limits import Bucket
from shared.core.errors import Throttled

LONGEST_WAIT = 5.0
"""Seconds that a call waits for its turn inside the pass, as for a Retry-After."""
_LONGEST_CLOSED = 3600.0
_REMEMBERED = 4096
_SLOWER, _FASTER, _SLOWEST = 0.8, 1.002, 0.1
_EPSILON = 1e-6


@dataclass(slots=True)
class _State:
    """
    One bucket as far as is known.

    Attributes:
        level: Calls left at the moment *at*; below zero by what waits for its turn.
        armed: Azure has said that the bucket is being emptied, so the level is kept to.
        pace: Share of the published refill that seems to be this process's.
    """

    level: float
    at: float
    closed: float = 0.0
    armed: bool = False
    pace: float = 1.0


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class Throttle:
    """Buckets of one process; *time* in seconds, the running loop's unless given."""

    def __init__(self, time: Callable[[], float] = _loop_time) -> None:
        self._time = time
        self._states: OrderedDict[Bucket, _State] = OrderedDict()

    def take(self, buckets: Sequence[Bucket]) -> float:
        """
        Take one call of each of *buckets*; gives the seconds to wait before it may be sent.

        Raises:
            Throttled: It would have to wait for too long; nothing was taken. It tells for how long.
        """
        now = self._time()
        states = [(each, self._state(each, now)) for each in buckets]
        waits = [(self._pause(each, state, now), each) for each, state in states]
        wait, slowest = max(waits, key=lambda pair: pair[0], default=(0.0, None))
        if slowest is not None and wait > LONGEST_WAIT:
            raise refusal(slowest, wait)
        for each, state in states:
            if each.limit.size:
                state.level -= 1
                state.pace = min(1.0, state.pace * _FASTER)
        return wait

    def closed(self, buckets: Sequence[Bucket]) -> float:
        """
        Seconds until none of *buckets* is closed by a refusal.

        Raises:
            Throttled: It is longer than a call may wait.
        """
        now = self._time()
        closed = [(self._state(each, now).closed - now, each) for each in buckets]
        wait, slowest = max(closed, key=lambda pair: pair[0], default=(0.0, None))
        if slowest is not None and wait > LONGEST_WAIT:
            raise refusal(slowest, wait)
        return max(0.0, wait)

    def refused(self, bucket: Bucket, retry_after: timedelta | None) -> None:
        """Azure answered a call with 429: nobody calls before that moment."""
        now = self._time()
        state = self._state(bucket, now)
        if state.armed and state.level > 1:
            state.pace = max(_SLOWEST, state.pace * _SLOWER)
        state.armed = True
        state.level = min(state.level, 0.0)
        seconds = min(retry_after.total_seconds() if retry_after else 1.0, _LONGEST_CLOSED)
        state.closed = max(state.closed, now + seconds)

    def told(self, bucket: Bucket, left: float) -> None:
        """Azure said how many calls are left, calls of this process that are on their way not yet counted."""
        state = self._state(bucket, self._time())
        if left < bucket.limit.size / 2:
            state.armed = True
        state.level = min(state.level, left)

    def pause(self, buckets: Sequence[Bucket]) -> float:
        """Seconds until a call to all of *buckets* could be sent; nothing is taken."""
        now = self._time()
        return max((self._pause(each, self._state(each, now), now) for each in buckets), default=0.0)

    def level(self, bucket: Bucket) -> float:
        """Calls left, as far as is known."""
        return self._state(bucket, self._time()).level

    def refill(self, bucket: Bucket) -> float:
        """Calls per second that this process may hope for."""
        return bucket.limit.per_second * self._state(bucket, self._time()).pace

    def pressed(self, bucket: Bucket) -> bool:
        """Azure has said that the bucket is being emptied, and it has not filled up since."""
        return self._state(bucket, self._time()).armed

    def pressure(self, bucket: Bucket) -> float:
        """From 0, more than half is left, to 1, nothing is."""
        state = self._state(bucket, self._time())
        half = bucket.limit.size / 2
        return min(1.0, max(0.0, (half - state.level) / half)) if half else 0.0

    def _state(self, bucket: Bucket, now: float) -> _State:
        """The state at *now*: refilled, and at ease again once it is full."""
        state = self._states.get(bucket)
        if state is None:
            state = self._states[bucket] = _State(level=bucket.limit.size, at=now)
            if len(self._states) > _REMEMBERED:
                self._states.popitem(last=False)
        self._states.move_to_end(bucket)
        limit = bucket.limit
        state.level = min(limit.size, state.level + (now - state.at) * limit.per_second * state.pace)
        state.at = now
        if state.level >= limit.size and state.closed <= now:
            state.armed = False
        return state

    @staticmethod
    def _pause(bucket: Bucket, state: _State, now: float) -> float:
        closed = max(0.0, state.closed - now)
        if not (state.armed and bucket.limit.size) or state.level >= 1 - _EPSILON:
            return closed
        # Whoever waits already has taken the level below zero: that keeps the order.
        return max(closed, (1 - state.level) / (bucket.limit.per_second * state.pace))


def refusal(bucket: Bucket, seconds: float) -> Throttled:
    """The error of a call that was not even sent."""
    return Throttled(
        f"Azure asks for fewer calls: the {bucket.limit.name} of subscription {bucket.subscription} are used up for the "
        f"next {seconds:.0f} seconds, so the app did not call.",
        code="NotSent",
        retry_after=timedelta(seconds=seconds),
    )
