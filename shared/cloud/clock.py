"""
Real time.

The only place of the deployed app that asks the machine what time it is; everything else is given a clock.
"""

import asyncio
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """The machine's time, aware UTC."""
    return datetime.now(UTC)


class SystemClock:
    """The machine's clock and the running event loop's timer."""

    def now(self) -> datetime:
        """Aware UTC."""
        return utc_now()

    async def sleep(self, duration: timedelta) -> None:
        """Suspend the caller; returns at once for a duration of zero or less."""
        if duration > timedelta():
            await asyncio.sleep(duration.total_seconds())
