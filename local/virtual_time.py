"""
Time that passes only when everybody waits.

`VirtualLoop` replaces the event loop in tests marked `virtual_time` and inside `run_virtual`: a sleep of an
hour costs no more than a switch of tasks. `LoopClock` makes that the engine's clock. On an ordinary loop it runs as
fast as real time, from the same beginning.
"""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from local.virtual_loop import VirtualLoop

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


def run_virtual[Result](story: Coroutine[Any, Any, Result]) -> Result:
    """
    Run *story* on an event loop of its own, in virtual time from EPOCH; for campaigns, property tests and the bench.

    Waiting for something that can never happen ends in NothingWillHappenError instead of hanging, as nobody is
    left who could let the time pass.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(story)
