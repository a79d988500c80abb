"""Run several calls at once and tell of their failures in a way that cannot lose one."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import cast

from shared.core.errors import Fate, RegistryIsolationError

_WEIGHT = {
    Fate.PERMANENT: 0,
    Fate.BLOCKED: 1,
    Fate.OBSERVE_AGAIN: 2,
    Fate.RETRY_LATER: 3,
    Fate.RETRY_NOW: 4,
}


async def all_of[T](calls: Iterable[Awaitable[T]]) -> list[T]:
    """
    Await every call to its end and return the results in order.

    Raises:
        Exception: A bug, if any call raised one; else the failure that needs a person most. The others are attached as
            notes, so a log shows them all.
    """
    results = await asyncio.gather(*calls, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if not failures:
        return [result for result in results if not isinstance(result, BaseException)]
    worst = min(failures, key=_weight)
    for other in failures:
        if other is not worst:
            worst.add_note(f"also: {type(other).__name__}: {other}")
    raise worst


async def both[A, B](first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """`all_of` for two calls of different types."""
    results = await all_of([_tagged(first), _tagged(second)])
    return cast("A", results[0]), cast("B", results[1])


async def _tagged(call: Awaitable[object]) -> object:
    return await call


def _weight(failure: BaseException) -> int:
    return _WEIGHT[failure.fate] if isinstance(failure, RegistryIsolationError) else -1
