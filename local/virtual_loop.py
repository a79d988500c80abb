"""
An event loop whose time passes only when everybody waits, and then at once.

Where nobody is ready to run, time leaps to the next timer: no turn of the loop is spent on anything else. Microseconds
are counted in whole numbers, so that sums of moments stay exact. Threads that the loop was asked to run are waited for
in real time, while virtual time stands still.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

_SECOND = 1_000_000
_LONGEST_WAIT = 60.0
"""Real seconds for which threads are waited for."""

type _Ready = list[tuple[selectors.SelectorKey, int]]


class NothingWillHappenError(Exception):
    """Everybody waits for what nobody can bring about any more; on a real loop this would hang for ever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Begins at second 0."""

    def __init__(self) -> None:
        self._leaper = _Leaper()
        super().__init__(self._leaper)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._leaper.microseconds / _SECOND

    def run_in_executor[*Arguments, Result](
        self, executor: Executor | None, func: Callable[[*Arguments], Result], *args: *Arguments
    ) -> asyncio.Future[Result]:
        """Run *func* in a thread; virtual time stands still until it has ended."""
        future = super().run_in_executor(executor, func, *args)
        self._leaper.working.add(future)
        future.add_done_callback(self._leaper.working.discard)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- as asyncio has it
        """Wait until the threads have ended, in real time."""
        self._leaper.closing = True
        await super().shutdown_default_executor(timeout)


class _Leaper(selectors.SelectSelector):
    """
    What the loop waits in; the next timer is always *timeout* away.

    Attributes:
        microseconds: Virtual time.
        working: What threads are working on.
        closing: The threads themselves are being ended.
    """

    def __init__(self) -> None:
        super().__init__()
        self.microseconds = 0
        self.working: set[asyncio.Future[Any]] = set()
        self.closing = False

    def select(self, timeout: float | None = None) -> _Ready:
        if timeout is not None and timeout <= 0:
            return []
        if self.working or self.closing:
            ready = super().select(_LONGEST_WAIT)
            if ready:
                return ready
            raise NothingWillHappenError(f"Threads did not end in {_LONGEST_WAIT:.0f} s of real time.")
        if timeout is None:
            raise NothingWillHappenError("Everybody waits, and no timer is set.")
        self.microseconds += max(round(timeout * _SECOND), 1)
        return []
