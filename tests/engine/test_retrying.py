"""Retries inside a pass: which errors, how often, how long, and where the queue takes over."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.core.errors import (
    AccessDenied,
    Busy,
    ChangedUnderneath,
    Locked,
    MalformedMessage,
    NotReadyYet,
    OperationFailed,
    RegistryIsolationError,
    Throttled,
    Unavailable,
)
from shared.engine.retrying import ATTEMPTS, LONGEST_WAIT
from tests.engine.desk import MINUTE, SECOND, a_retrier
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time


class Call:
    """A call that raises *errors* one after the other, then answers; remembers when it was tried."""

    def __init__(self, *errors: Exception, takes: timedelta = timedelta()) -> None:
        self.clock = LoopClock()
        self.tried: list[timedelta] = []
        self._errors = list(errors)
        self._takes = takes

    async def __call__(self) -> str:
        self.tried.append(self.clock.now() - EPOCH)
        await self.clock.sleep(self._takes)
        if self._errors:
            raise self._errors.pop(0)
        return "answer"

    async def outcome(self, deadline: timedelta = MINUTE) -> object:
        try:
            return await a_retrier(self.clock, deadline).call(self)
        except Exception as error:  # noqa: BLE001 -- whatever comes out is what the test is about
            return error


def asked(seconds: float) -> Throttled:
    return Throttled("Slow down.", retry_after=timedelta(seconds=seconds))


async def test_a_call_that_succeeds_is_made_once() -> None:
    call = Call()

    assert await call.outcome() == "answer"
    assert call.tried == [timedelta()]


@pytest.mark.parametrize("error", [Throttled, Unavailable, Busy])
async def test_what_passes_within_seconds_is_tried_again(error: Callable[[str], RegistryIsolationError]) -> None:
    call = Call(error("a"), error("b"), error("c"))

    assert await call.outcome() == "answer"
    assert len(call.tried) == 4


@pytest.mark.parametrize(
    "error",
    [
        NotReadyYet("a"),
        AccessDenied("a"),
        ChangedUnderneath("a"),
        OperationFailed("a"),
        Locked("a"),
        MalformedMessage("a"),
        RegistryIsolationError("a"),
        ValueError("a bug"),
        TimeoutError("a bug as well"),
    ],
)
async def test_nothing_else_is_tried_again(error: Exception) -> None:
    call = Call(error)

    assert await call.outcome() is error
    assert call.tried == [timedelta()]


async def test_four_tries_are_all_and_the_last_error_comes_out_unchanged() -> None:
    errors = [Unavailable(str(number)) for number in range(ATTEMPTS + 1)]
    call = Call(*errors)

    outcome = await call.outcome()

    assert ATTEMPTS == 4
    assert isinstance(outcome, Unavailable)
    assert outcome is errors[ATTEMPTS - 1]
    assert len(call.tried) == ATTEMPTS
    assert str(outcome) == "3"
    assert outcome.__cause__ is None
    assert not hasattr(outcome, "__notes__")


async def test_azures_retry_after_is_waited_exactly() -> None:
    call = Call(asked(3), asked(0), asked(4.5))

    assert await call.outcome() == "answer"
    assert call.tried == [timedelta(seconds=at) for at in (0, 3, 3, 7.5)]


async def test_a_retry_after_in_the_past_means_now() -> None:
    call = Call(asked(-3))

    assert await call.outcome() == "answer"
    assert call.tried == [timedelta(), timedelta()]


async def test_five_seconds_are_waited_and_one_microsecond_more_is_left_to_the_queue() -> None:
    patient, impatient = Call(asked(5)), Call(error := asked(5.000001))

    assert LONGEST_WAIT == 5 * SECOND
    assert await patient.outcome() == "answer"
    assert await impatient.outcome() is error
    assert len(impatient.tried) == 1


async def test_without_a_retry_after_the_waits_are_jittered_and_grow_to_at_most_half_a_second_then_one_then_two() -> (
    None
):
    waits: list[list[float]] = [[], [], []]
    for _ in range(50):
        call = Call(Unavailable("a"), Unavailable("b"), Unavailable("c"))
        await call.outcome()
        pauses = [later - earlier for earlier, later in zip(call.tried, call.tried[1:], strict=False)]
        for found, pause in zip(waits, pauses, strict=True):
            found.append(pause.total_seconds())

    for found, bound in zip(waits, (0.5, 1.0, 2.0), strict=True):
        assert 0 <= min(found) < max(found) <= bound


async def test_no_try_begins_at_or_after_the_deadline() -> None:
    late, in_time = Call(error := asked(3)), Call(asked(3))

    assert await late.outcome(deadline=3 * SECOND) is error
    assert await in_time.outcome(deadline=timedelta(seconds=3.001)) == "answer"
    assert len(late.tried) == 1


async def test_the_time_that_calls_take_counts_towards_the_deadline() -> None:
    call = Call(asked(1), asked(1), asked(1), takes=4 * SECOND)

    outcome = await call.outcome(deadline=10 * SECOND)

    assert isinstance(outcome, Throttled)
    assert call.tried == [timedelta(), 5 * SECOND]


async def test_a_first_try_is_made_even_when_the_deadline_has_passed() -> None:
    call = Call()

    assert await call.outcome(deadline=-SECOND) == "answer"


async def test_one_retrier_gives_every_call_its_own_tries() -> None:
    retrier = a_retrier(LoopClock())
    first, second = Call(asked(1), asked(1), asked(1)), Call(asked(1), asked(1), asked(1))

    assert await retrier.call(first) == await retrier.call(second) == "answer"
    assert len(first.tried) == len(second.tried) == 4
