"""Wait for something no longer than one is willing to."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

from shared.core.errors import Unavailable


async def within[T](patience: timedelta, call: Awaitable[T], *, what: str) -> T:
    """Await *call*; raises Unavailable, naming *what*, when *patience* ends first."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            return await call
    except TimeoutError as error:
        raise Unavailable(f"No answer from {what} within {patience.total_seconds():g} s.") from error
