import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local.host.functions import TimerTrigger
from local.host.retries import RetryPolicy, Strategy
from local.host.timers import Noted, TimerFile, TimerListener
from local.host.worker import Answer, Call, Retry
from tests.local.host.doubles import SUCCESS, Behaviour, ScriptedWorker, a_timer_function, an_invoker, fail, succeed
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


class Firing:
    """Runs timers on virtual time and remembers when they fired."""

    def __init__(self, tmp_path: Path) -> None:
        self.notes = TimerFile(tmp_path / "timers.json")
        self.at: list[datetime] = []
        self.past_due: list[bool] = []
        self.retries: list[Retry | None] = []

    @contextlib.asynccontextmanager
    async def timer(
        self,
        schedule: str,
        *,
        behaviour: Behaviour = succeed,
        run_on_startup: bool = False,
        use_monitor: bool = True,
        retry: RetryPolicy | None = None,
    ) -> AsyncIterator[None]:
        async def observe(call: Call) -> Answer:
            self.at.append(LoopClock().now())
            self.past_due.append(json.loads(call.value.value)["IsPastDue"])
            self.retries.append(call.retry)
            return await behaviour(call)

        function = a_timer_function(schedule, run_on_startup=run_on_startup, use_monitor=use_monitor, retry=retry)
        assert isinstance(function.trigger, TimerTrigger)
        listener = TimerListener(
            function,
            function.trigger,
            notes=self.notes,
            invoker=an_invoker(ScriptedWorker(observe)),
            now=LoopClock().now,
            rng=random.Random(7),
        )
        run = asyncio.create_task(listener.run())
        yield
        listener.stop()
        await run


@pytest.fixture
def firing(tmp_path: Path) -> Firing:
    return Firing(tmp_path)


async def test_a_timer_fires_at_each_occurrence(firing: Firing) -> None:
    async with firing.timer("0 */5 * * * *"):
        await asyncio.sleep(16 * 60)

    assert firing.at == [EPOCH + 5 * MINUTE, EPOCH + 10 * MINUTE, EPOCH + 15 * MINUTE]
    assert firing.past_due == [False, False, False]


async def test_a_timer_may_also_fire_when_the_host_starts(firing: Firing) -> None:
    async with firing.timer("0 */5 * * * *", run_on_startup=True):
        await asyncio.sleep(6 * 60)

    assert firing.at == [EPOCH, EPOCH + 5 * MINUTE]


async def test_a_failed_function_does_not_end_its_timer(firing: Firing) -> None:
    async with firing.timer("0 */5 * * * *", behaviour=fail):
        await asyncio.sleep(11 * 60)

    assert len(firing.at) == 2


FIXED = RetryPolicy(strategy=Strategy.FIXED_DELAY, most=2, minimum=10 * SECOND, maximum=10 * SECOND)


async def test_a_failed_function_runs_again_by_its_retry_policy_and_is_told_so(firing: Firing) -> None:
    async with firing.timer("0 */5 * * * *", behaviour=fail, retry=FIXED):
        await asyncio.sleep(9 * 60)

    due, error = EPOCH + 5 * MINUTE, "RuntimeError: as scripted"
    assert firing.at == [due, due + 10 * SECOND, due + 20 * SECOND]
    assert firing.retries == [None, Retry(count=1, most=2, error=error), Retry(count=2, most=2, error=error)]


async def test_a_retry_that_succeeds_is_the_last_one(firing: Firing) -> None:
    async def fail_once(call: Call) -> Answer:
        return await (succeed(call) if call.retry else fail(call))

    async with firing.timer("0 */5 * * * *", behaviour=fail_once, retry=FIXED):
        await asyncio.sleep(11 * 60)

    first, second = EPOCH + 5 * MINUTE, EPOCH + 10 * MINUTE
    assert firing.at == [first, first + 10 * SECOND, second, second + 10 * SECOND]


async def test_occurrences_while_a_retry_is_waited_for_are_skipped(firing: Firing) -> None:
    endless = RetryPolicy(strategy=Strategy.FIXED_DELAY, most=-1, minimum=7 * MINUTE, maximum=7 * MINUTE)

    async with firing.timer("0 */5 * * * *", behaviour=fail, retry=endless):
        await asyncio.sleep(20 * 60)

    assert firing.at == [EPOCH + 5 * MINUTE, EPOCH + 12 * MINUTE, EPOCH + 19 * MINUTE]


async def test_a_host_that_stops_waits_for_no_retry(firing: Firing) -> None:
    async with firing.timer("0 */5 * * * *", behaviour=fail, retry=FIXED):
        await asyncio.sleep(5 * 60 + 5)

    assert firing.at == [EPOCH + 5 * MINUTE]
    assert LoopClock().now() < EPOCH + 6 * MINUTE


async def test_occurrences_during_a_long_run_are_skipped(firing: Firing) -> None:
    async def take_seven_minutes(_call: Call) -> Answer:
        await asyncio.sleep(7 * 60)
        return SUCCESS

    async with firing.timer("0 */5 * * * *", behaviour=take_seven_minutes):
        await asyncio.sleep(23 * 60)

    assert firing.at == [EPOCH + 5 * MINUTE, EPOCH + 15 * MINUTE]


async def test_an_occurrence_missed_while_the_host_was_down_is_made_up_for_once(firing: Firing) -> None:
    async with firing.timer("0 */5 * * * *"):
        await asyncio.sleep(60)
    await asyncio.sleep(3600)

    async with firing.timer("0 */5 * * * *"):
        await asyncio.sleep(60)

    assert firing.at == [EPOCH + 61 * MINUTE]
    assert firing.past_due == [True]


async def test_a_restart_before_the_next_occurrence_is_not_past_due(firing: Firing) -> None:
    for _ in range(2):
        async with firing.timer("0 */5 * * * *"):
            await asyncio.sleep(60)

    assert firing.at == []


@pytest.mark.parametrize(("schedule", "use_monitor"), [("0 */10 * * * *", True), ("0 */5 * * * *", False)])
async def test_a_changed_schedule_or_no_monitor_means_nothing_was_missed(
    firing: Firing, schedule: str, *, use_monitor: bool
) -> None:
    async with firing.timer("0 */5 * * * *"):
        await asyncio.sleep(60)
    await asyncio.sleep(3600)

    async with firing.timer(schedule, use_monitor=use_monitor):
        await asyncio.sleep(60)

    assert firing.at == []


def test_notes_of_several_timers_share_a_file(tmp_path: Path) -> None:
    notes = TimerFile(tmp_path / "timers.json")
    one = Noted(expression="* * * * * *", last=None, next=EPOCH)
    two = Noted(expression="0 * * * * *", last=EPOCH, next=EPOCH + MINUTE)

    notes.write("one", one)
    notes.write("two", two)

    assert (notes.read("one"), notes.read("two"), notes.read("three")) == (one, two, None)
    assert [path.name for path in tmp_path.iterdir()] == ["timers.json"]
