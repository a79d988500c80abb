"""
The only in-process retry, for what passes within seconds; minutes belong to the queue.

The SDKs' own retries are off: stacked, one throttled call became sixteen requests and four minutes of waiting. Only
errors whose fate is "retry now" are tried again, at most four times, never past the pass's deadline, and never after a
Retry-After longer than five seconds, because waiting in a billed invocation costs more than asking the queue.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.wait import wait_random_exponential

from shared.core.errors import Fate, RegistryIsolationError, Temporary
from shared.engine.ports import Clock

ATTEMPTS = 4
LONGEST_WAIT = timedelta(seconds=5)
_backoff = wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT.total_seconds())


class Retrier:
    """Repeats a call while its error is worth it and *deadline* leaves room for another try."""

    def __init__(self, clock: Clock, deadline: datetime) -> None:
        self._clock = clock
        self.deadline = deadline

    async def call[T](self, call: Callable[[], Awaitable[T]]) -> T:
        """Await `call()`, again if it fails in a way that passes; raises the last error unchanged."""
        try:
            return await call()
        except RegistryIsolationError as error:
            if not _worth_it(error):
                raise
            first = error
        return await self._again(call, first)

    async def _again[T](self, call: Callable[[], Awaitable[T]], first: RegistryIsolationError) -> T:
        """Go on after *first*, the failure of the first attempt: few calls fail, and to set a retry up costs as much as one."""
        known = [first]

        async def once() -> T:  # tenacity awaits coroutine functions only, not lambdas that give a coroutine
            if known:
                raise known.pop()
            return await call()

        retrying = AsyncRetrying(
            retry=retry_if_exception(_worth_it),
            wait=_wait,
            stop=self._stop,
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(once)

    def _stop(self, state: RetryCallState) -> bool:
        if state.attempt_number >= ATTEMPTS:
            return True
        pause = timedelta(seconds=state.upcoming_sleep)
        return pause > LONGEST_WAIT or self._clock.now() + pause >= self.deadline

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep(timedelta(seconds=seconds))


def _worth_it(error: BaseException) -> bool:
    return isinstance(error, RegistryIsolationError) and error.fate is Fate.RETRY_NOW


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Temporary) and error.retry_after is not None:
        return max(0.0, error.retry_after.total_seconds())
    return _backoff(state)
