"""What every kind of lease promises, in memory and on blobs."""

import asyncio
from datetime import timedelta

import pytest

from shared.core.errors import Busy
from shared.engine.ports import Leases


async def test_a_lease_is_held_by_one_at_a_time(leases: Leases) -> None:
    async with leases.hold("account"):
        with pytest.raises(Busy, match="account") as busy:
            async with leases.hold("account"):
                pytest.fail("two holders at once")

    assert busy.value.retry_after is not None
    assert timedelta() < busy.value.retry_after <= timedelta(seconds=15)


async def test_a_lease_is_free_again_when_its_context_ends(leases: Leases) -> None:
    for _ in range(3):
        async with leases.hold("account"):
            pass

    async with leases.hold("account"):
        pass


async def test_a_lease_is_free_again_when_its_work_fails(leases: Leases) -> None:
    with pytest.raises(ZeroDivisionError):
        async with leases.hold("account"):
            raise ZeroDivisionError

    async with leases.hold("account"):
        pass


async def test_a_lease_is_free_again_when_its_holder_is_cancelled(leases: Leases) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        async with leases.hold("account"):
            begun.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(work())
    await begun.wait()
    holder.cancel()
    await asyncio.wait([holder])

    assert holder.cancelled()
    async with leases.hold("account"):
        pass


async def test_leases_of_different_names_do_not_meet(leases: Leases) -> None:
    names = ["a", "A", "a/b", "a\\b?#%20", "ä" * 600, "../a", "a."]

    async with asyncio.TaskGroup() as group:
        barrier = asyncio.Barrier(len(names))

        async def hold(name: str) -> None:
            async with leases.hold(name):
                await barrier.wait()

        holders = [group.create_task(hold(name)) for name in names]

    assert all(holder.exception() is None for holder in holders)


async def test_of_many_rivals_one_holds_and_the_others_are_told_to_come_back(leases: Leases) -> None:
    at_once = 0
    most_at_once = 0

    async def work() -> bool:
        nonlocal at_once, most_at_once
        try:
            async with leases.hold("account"):
                at_once += 1
                most_at_once = max(most_at_once, at_once)
                await asyncio.sleep(0)
                at_once -= 1
        except Busy:
            return False
        return True

    results = await asyncio.gather(*(work() for _ in range(10)))

    assert most_at_once == 1
    assert any(results)
