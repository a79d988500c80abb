"""
Time that passes only when everybody waits.

looptime replaces the event loop's clock: a sleep of an hour costs no more than a switch of tasks. `LoopClock` makes
that the engine's clock, in tests marked `looptime` and inside `run_virtual`. On an ordinary loop it runs as fast as
real time, from the same beginning.
"""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import looptime

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
"""When virtual time begins: a Monday, midnight."""


class LoopClock:
    """`engine.ports.Clock` on the running event loop's time."""

    def now(self) -> datetime:
        """Aware UTC."""
        return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())

    async def sleep(self, duration: timedelta) -> None:
        """Wait for *duration* of the loop's time."""
        if duration > timedelta():
            await asyncio.sleep(duration.total_seconds())


def run_virtual[Result](story: Coroutine[Any, Any, Result], *, idle_turns: int = 42) -> Result:
    """
    Run *story* on an event loop of its own, in virtual time from EPOCH; for property tests and the bench.

    Waiting for something that can never happen ends in looptime.IdleTimeoutError instead of hanging, as nobody is
    left who could let the time pass.

    Args:
        idle_turns: Turns of the loop without anything to do before time moves; 1 is enough where no thread takes part,
            and a third faster than looptime's own number.
    """

    def virtual_loop() -> asyncio.AbstractEventLoop:
        return looptime.new_event_loop(start=0, idle_timeout=1, noop_cycles=idle_turns)

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        return runner.run(story)
