"""The clocks: virtual ones that cost no time, and the real one."""

import asyncio
import threading
import time
from datetime import UTC, timedelta

import pytest

from local.virtual_loop import NothingWillHappenError
from shared.cloud.clock import SystemClock
from shared.engine.ports import Clock
from tests.virtual_time import EPOCH, LoopClock, run_virtual


@pytest.mark.virtual_time
async def test_virtual_time_begins_at_the_epoch_and_passes_only_in_sleep() -> None:
    clock: Clock = LoopClock()
    begun = time.monotonic()

    assert clock.now() == EPOCH
    await clock.sleep(timedelta(days=3, milliseconds=1))

    assert clock.now() == EPOCH + timedelta(days=3, milliseconds=1)
    assert time.monotonic() - begun < 30


@pytest.mark.virtual_time
async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock = LoopClock()
    woken: list[int] = []

    async def sleeper(hours: int) -> None:
        await clock.sleep(timedelta(hours=hours))
        woken.append(hours)

    await asyncio.gather(*(sleeper(hours) for hours in (5, 1, 3)))

    assert woken == [1, 3, 5]
    assert clock.now() == EPOCH + timedelta(hours=5)


@pytest.mark.parametrize("clock", [LoopClock(), SystemClock()], ids=["virtual", "real"])
async def test_a_sleep_of_nothing_or_less_returns_at_once(clock: Clock) -> None:
    begun = clock.now()

    await clock.sleep(timedelta())
    await clock.sleep(timedelta(days=-1))

    assert clock.now() - begun < timedelta(seconds=10)


async def test_the_real_clock_is_utc_and_moves_by_itself() -> None:
    clock: Clock = SystemClock()
    begun = clock.now()

    await clock.sleep(timedelta(milliseconds=2))

    assert begun.tzinfo is UTC
    assert clock.now() - begun >= timedelta(milliseconds=2)


def test_each_virtual_run_starts_anew() -> None:
    async def an_hour() -> timedelta:
        clock = LoopClock()
        await clock.sleep(timedelta(hours=1))
        return clock.now() - EPOCH

    assert run_virtual(an_hour()) == timedelta(hours=1)
    assert run_virtual(an_hour()) == timedelta(hours=1)


def test_an_error_leaves_a_virtual_run_as_it_is() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_virtual(fail())


def test_waiting_for_what_can_never_happen_ends() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingWillHappenError, match="no timer is set"):
        run_virtual(forever())


def test_time_stands_still_while_a_thread_works() -> None:
    async def story() -> tuple[timedelta, str]:
        clock, done = LoopClock(), threading.Event()
        working = asyncio.get_running_loop().run_in_executor(None, done.wait, 30)
        sleeping = asyncio.create_task(clock.sleep(timedelta(hours=1)))
        await asyncio.sleep(0)
        done.set()
        await working
        before = clock.now() - EPOCH
        await sleeping
        return before, f"{clock.now() - EPOCH}"

    assert run_virtual(story()) == (timedelta(), "1:00:00")


def test_moments_stay_exact_over_many_steps() -> None:
    async def story() -> timedelta:
        clock = LoopClock()
        for _ in range(1000):
            await asyncio.sleep(0.1)
        await asyncio.sleep(1e-9)  # less than time's grain, and yet it ends
        return clock.now() - EPOCH

    assert run_virtual(story()) == timedelta(seconds=100, microseconds=1)
