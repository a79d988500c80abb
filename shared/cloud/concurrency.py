"""Run a few reads at once, and let one error through as itself instead of as a group."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

# A pass reads a dozen things; more at once would only meet the network provider's throttling sooner.
_AT_ONCE = 8


async def for_each[Item, Result](items: Iterable[Item], read: Callable[[Item], Awaitable[Result]]) -> list[Result]:
    """
    Apply *read* to every item, a bounded number at a time, and keep the order.

    Raises:
        Exception: The first error of any read; the others are cancelled and waited for.
    """
    wanted = list(items)
    if len(wanted) == 1:
        return [await read(wanted[0])]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(item: Item) -> Result:
        async with gate:
            return await read(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in wanted]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]
