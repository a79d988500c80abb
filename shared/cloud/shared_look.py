"""
One read of Azure whose answer serves everybody of this process who waits for it.

Whoever asks says since when an answer counts for him: he has seen Azure finish, by that moment, what he asks about. A read
that began no earlier than that is as good as his own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Look[Answer]:
    """One read, under way or done, and when it began."""

    began: datetime
    task: asyncio.Task[Answer]

    async def answer(self) -> Answer:
        """Its answer; the read goes on although this one gives up waiting."""
        return await asyncio.shield(self.task)

    def failed(self) -> bool:
        """Its answer is an error, which only those get who waited for it."""
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)

    def serves(self, since: datetime | None, now: datetime, oldest: timedelta) -> bool:
        """Tell whether it answers one who needs what was so at *since* or later; without *since*, none."""
        return since is not None and not self.failed() and self.began >= max(since, now - oldest)


def begin_look[Answer](read: Callable[[], Awaitable[Answer]], now: datetime) -> Look[Answer]:
    """Begin a read that goes on although whoever asked first gives up."""

    async def reading() -> Answer:
        return await read()

    task = asyncio.create_task(reading())
    task.add_done_callback(_heard)
    return Look(now, task)


def _heard(task: asyncio.Task[object]) -> None:
    """Whoever waited has got the error; if nobody did, it is nobody's."""
    if not task.cancelled():
        task.exception()
