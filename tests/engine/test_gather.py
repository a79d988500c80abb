"""Calls that run at once: none is left running, none of their failures is lost."""

import asyncio
from collections.abc import Callable
from itertools import permutations

import pytest

from shared.core.errors import (
    AccessDenied,
    Busy,
    ChangedUnderneath,
    Fate,
    Locked,
    MalformedMessage,
    RegistryIsolationError,
)
from shared.engine.gather import all_of, both
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time

WORST_FIRST: list[Callable[[str], RegistryIsolationError]] = [
    MalformedMessage,
    Locked,
    ChangedUnderneath,
    AccessDenied,
    Busy,
]


async def answer(value: int, after: float = 0) -> int:
    await asyncio.sleep(after)
    return value


async def fail(error: BaseException, after: float = 0) -> int:
    await asyncio.sleep(after)
    raise error


async def test_results_come_in_the_order_of_the_calls_whatever_ends_first() -> None:
    assert await all_of([answer(1, after=3), answer(2), answer(3, after=1)]) == [1, 2, 3]
    assert LoopClock().now() == EPOCH.replace(second=3)


async def test_no_call_gives_no_result() -> None:
    assert await all_of([]) == []


async def test_a_failure_is_raised_only_when_every_call_has_ended() -> None:
    ended: list[int] = []

    async def slow(seconds: int) -> None:
        await asyncio.sleep(seconds)
        ended.append(seconds)

    with pytest.raises(Locked):
        await all_of([fail(Locked("at once")), slow(60), slow(30)])

    assert ended == [30, 60]


def test_there_is_one_example_of_every_fate() -> None:
    assert [make("").fate for make in WORST_FIRST] == [
        Fate.PERMANENT,
        Fate.BLOCKED,
        Fate.OBSERVE_AGAIN,
        Fate.RETRY_LATER,
        Fate.RETRY_NOW,
    ]


@pytest.mark.parametrize("at", range(len(WORST_FIRST) - 1))
async def test_the_failure_that_needs_a_person_most_wins_in_any_order(at: int) -> None:
    for order in permutations(WORST_FIRST[at : at + 3]):
        with pytest.raises(RegistryIsolationError) as caught:
            await all_of(fail(make("x")) for make in order)

        assert type(caught.value) is WORST_FIRST[at]


async def test_a_bug_wins_over_every_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        await all_of([fail(MalformedMessage("x")), fail(ZeroDivisionError("bug")), fail(Locked("x"))])


async def test_of_equal_failures_the_first_call_wins() -> None:
    with pytest.raises(Busy, match="first"):
        await all_of([fail(Busy("first"), after=2), fail(Busy("second"))])


async def test_every_other_failure_is_told_in_a_note() -> None:
    with pytest.raises(Locked) as caught:
        await all_of([fail(Busy("b")), answer(1), fail(Locked("l")), fail(AccessDenied("a"))])

    assert caught.value.__notes__ == ["also: Busy: b", "also: AccessDenied: a"]


async def test_cancelling_the_caller_cancels_every_call() -> None:
    cancelled: list[int] = []

    async def wait(number: int) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    task = asyncio.create_task(all_of([wait(1), wait(2)]))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert cancelled == [1, 2]


async def test_two_calls_of_different_types_keep_their_places() -> None:
    async def text() -> str:
        return "b"

    assert await both(answer(1, after=1), text()) == (1, "b")


async def test_of_two_calls_the_worse_failure_wins_too() -> None:
    with pytest.raises(Locked) as caught:
        await both(fail(Busy("busy")), fail(Locked("locked"), after=1))

    assert caught.value.__notes__ == ["also: Busy: busy"]
