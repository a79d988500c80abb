"""Reads side by side: bounded, in order, and with one error as itself."""

import asyncio

import pytest

from shared.cloud.concurrency import for_each


async def test_results_keep_the_order_of_the_items() -> None:
    async def slower_first(number: int) -> int:
        for _ in range(5 - number):
            await asyncio.sleep(0)
        return number * 10

    assert await for_each(range(5), slower_first) == [0, 10, 20, 30, 40]


async def test_no_item_is_no_work() -> None:
    async def never(_item: int) -> int:
        raise AssertionError

    assert await for_each([], never) == []


async def test_the_number_at_once_is_bounded() -> None:
    running = peak = 0

    async def read(_item: int) -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        for _ in range(3):
            await asyncio.sleep(0)
        running -= 1

    await for_each(range(50), read)

    assert (running, peak) == (0, 8)


@pytest.mark.parametrize("count", [1, 2, 30])
async def test_the_first_error_comes_out_as_itself_and_the_rest_is_cancelled(count: int) -> None:
    finished: list[int] = []

    async def read(item: int) -> None:
        if item == 0:
            raise KeyError("no such thing")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        finished.append(item)

    with pytest.raises(KeyError):
        await for_each(range(count), read)

    assert finished == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
