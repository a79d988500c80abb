"""A sweep is a chain of messages: what happens when one is repeated, lost or poisoned, and when a process dies between two."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.memory import MemoryLedger
from local.memory_sweeps import MemoryInventory, MemorySweepQueue, MemorySweeps
from shared.core.errors import Refused, Unavailable
from shared.core.sweeps import SweepMessage, SweepRecord, SweepState
from shared.engine.retrying import ATTEMPTS
from shared.engine.sweep_ports import InventoryPage
from tests.core.worlds import registry_id
from tests.engine.sweep_desk import DAY, HOUR, MINUTE, SweepDesk, waiting
from tests.virtual_time import run_virtual

pytestmark = pytest.mark.virtual_time
SECOND = timedelta(seconds=1)


class Killed(Exception):
    """The process ended: nothing of the app's own looks at this."""


class Failing:
    """Lets the calls with these numbers, counted over everything that shares it, fail before or after they took effect."""

    def __init__(self, *numbers: int, after: bool = False, killed: bool = False) -> None:
        self.numbers = set(numbers)
        self.after = after
        self.error: type[Exception] = Killed if killed else Unavailable
        self.calls = 0

    async def call(self, call: Callable[[], Awaitable[Any]]) -> Any:
        self.calls += 1
        fails = self.calls in self.numbers
        if fails and not self.after:
            raise self.error("No answer.")
        answer = await call()
        if fails:
            raise self.error("The answer was lost.")
        return answer


class FailingSweeps(MemorySweeps):
    """The records of *inner*, written through *failing*."""

    def __init__(self, inner: MemorySweeps, failing: Failing) -> None:
        super().__init__()
        self.__dict__ |= inner.__dict__
        self.failing = failing

    async def write(self, record: Any, etag: str) -> Any:
        return await self.failing.call(lambda: MemorySweeps.write(self, record, etag))


class FailingQueue(MemorySweepQueue):
    def __init__(self, inner: MemorySweepQueue, failing: Failing) -> None:
        super().__init__(inner.texts)
        self.failing = failing

    async def send(self, message: SweepMessage, delay: timedelta = timedelta()) -> None:
        await self.failing.call(lambda: MemorySweepQueue.send(self, message, delay))


class FailingLedger(MemoryLedger):
    def __init__(self, failing: Failing) -> None:
        super().__init__()
        self.failing = failing
        self.armed = False

    async def summaries(self, registries: Any) -> Any:
        return await self._called(super().summaries, registries)

    async def write(self, row: Any, etag: Any) -> Any:
        return await self._called(super().write, row, etag)

    async def _called(self, call: Callable[..., Awaitable[Any]], *about: Any) -> Any:
        return await (self.failing.call(lambda: call(*about)) if self.armed else call(*about))


async def a_desk(**options: Any) -> SweepDesk:
    """Seven registries on three pages, two of them new."""
    desk = SweepDesk(size=3, **options)
    await desk.settled([f"r{number}" for number in range(5)])
    for name in ("new-a", "zz-new"):
        desk.show(name, desk.opened(name))
    return desk


async def next_message(desk: SweepDesk) -> SweepMessage:
    (delivery,) = await desk.texts.receive()
    await desk.texts.delete(delivery)
    return SweepMessage.decode(delivery.text)


async def state_of(desk: SweepDesk, sweep: str) -> SweepRecord:
    record = await desk.sweeper.read(sweep)
    assert record is not None
    return record


async def test_while_one_sweep_runs_no_other_begins() -> None:
    desk = await a_desk()

    begun = await asyncio.gather(*(desk.sweeper.begin("http", "test") for _ in range(5)))
    await desk.sweeper.step(await next_message(desk))
    later = await desk.sweeper.begin("timer", "test")

    assert {record.id for record in (*begun, later)} == {begun[0].id}
    assert len((await desk.sweeper.list()).sweeps) == 1


async def test_a_step_that_is_delivered_again_does_nothing_twice() -> None:
    desk = await a_desk()
    begun = await desk.sweeper.begin("timer", "test")
    for number in range(1, 5):
        message = SweepMessage(sweep=begun.id, step=number)
        for _ in range(3):
            await desk.sweeper.step(message)
    await desk.trigger.drain()
    await desk.passes()

    assert desk.asked() == {"new-a": 1, "zz-new": 1}
    ended = await state_of(desk, begun.id)
    assert (ended.seen, ended.enqueued, ended.step) == (7, 2, 5)


async def test_two_deliveries_of_one_step_at_the_same_moment_make_one_step() -> None:
    desk = await a_desk()
    begun = await desk.sweeper.begin("timer", "test")
    message = await next_message(desk)

    await asyncio.gather(desk.sweeper.step(message), desk.sweeper.step(message))

    assert (await state_of(desk, begun.id)).step == 2
    assert len(desk.texts) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 8))
async def test_a_process_that_dies_between_record_and_message_loses_nothing(number: int, after: bool) -> None:  # noqa: FBT001
    desk = await a_desk()
    begun = await desk.sweeper.begin("timer", "test")
    failing = Failing(number, after=after, killed=True)
    desk.install(sweeps=FailingSweeps(desk.sweeps, failing), queue=FailingQueue(desk.sweep_queue, failing))

    await desk.trigger.drain()
    await desk.passes()

    ended = await state_of(desk, begun.id)
    assert ended.state is SweepState.DONE
    assert (ended.seen, ended.rows) == (7, 7)
    assert set(desk.asked()) == {"new-a", "zz-new"}
    assert len(desk.trigger.failures) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 8))
async def test_storage_that_answers_later_uses_up_no_delivery(number: int, after: bool) -> None:  # noqa: FBT001
    desk = await a_desk()
    begun = await desk.sweeper.begin("timer", "test")
    failing = Failing(number, after=after)
    desk.install(sweeps=FailingSweeps(desk.sweeps, failing), queue=FailingQueue(desk.sweep_queue, failing))

    await desk.trigger.drain()
    await desk.passes()

    ended = await state_of(desk, begun.id)
    assert (ended.state, ended.seen, ended.rows) == (SweepState.DONE, 7, 7)
    assert set(desk.asked()) == {"new-a", "zz-new"}
    assert desk.trigger.failures == []


async def test_a_step_that_can_neither_be_done_nor_put_off_is_left_to_the_host() -> None:
    desk = await a_desk()
    begun = await desk.sweeper.begin("timer", "test")
    failing = Failing(1, 2)
    desk.install(sweeps=FailingSweeps(desk.sweeps, failing), queue=FailingQueue(desk.sweep_queue, failing))

    await desk.trigger.drain()

    assert (await state_of(desk, begun.id)).state is SweepState.DONE
    assert [type(error) for error in desk.trigger.failures] == [Unavailable]


async def test_a_step_that_trying_again_would_not_help_is_left_to_the_host_and_not_put_off() -> None:
    desk = await a_desk()
    await desk.sweeper.begin("timer", "test")
    body = (await next_message(desk)).encode().encode()
    failing = Failing(1)
    failing.error = Refused
    desk.install(sweeps=FailingSweeps(desk.sweeps, failing), queue=FailingQueue(desk.sweep_queue, failing))

    with pytest.raises(Refused, match="No answer"):
        await desk.sweeper.work(body)

    assert len(desk.texts) == 0


@pytest.mark.parametrize("number", range(1, 12))
def test_a_ledger_that_fails_once_anywhere_costs_nobody_a_look(number: int) -> None:
    async def story() -> None:
        ledger = FailingLedger(Failing(*range(number, number + ATTEMPTS)))
        desk = await a_desk(ledger=ledger)
        ledger.armed = True

        begun = await desk.sweeper.begin("timer", "test")
        await desk.trigger.drain()
        ledger.armed = False
        await desk.passes()

        assert (await state_of(desk, begun.id)).state is SweepState.DONE
        assert desk.asked() == {"new-a": 1, "zz-new": 1}

    run_virtual(story())


async def test_a_sweep_whose_message_was_lost_is_taken_up_at_its_last_page() -> None:
    desk = await a_desk()
    begun = await desk.sweeper.begin("timer", "test")
    await desk.sweeper.step(await next_message(desk))
    await next_message(desk)  # lost
    await desk.rest(HOUR)

    swept = await desk.sweep()

    assert swept.id == begun.id
    assert (swept.state, swept.revived, swept.seen) == (SweepState.DONE, 1, 7)
    assert len(desk.inventory.pages) == 3


async def test_a_sweep_that_is_lost_again_and_again_is_given_up_and_a_new_one_begins() -> None:
    desk = await a_desk()
    begun = await desk.sweeper.begin("timer", "test")
    for _ in range(3):
        await next_message(desk)
        await desk.rest(HOUR)
        assert (await desk.sweeper.begin("timer", "test")).id == begun.id
    await next_message(desk)
    await desk.rest(HOUR)

    swept = await desk.sweep()

    given_up = await state_of(desk, begun.id)
    assert swept.id != begun.id
    assert swept.state is SweepState.DONE
    assert given_up.state is SweepState.FAILED
    assert "Step 1 was lost 4 times" in given_up.sentence


async def test_a_poisoned_step_is_taken_up_by_the_next_timer() -> None:
    ledger = FailingLedger(Failing(*range(1, 200), killed=True))
    desk = await a_desk(ledger=ledger)
    ledger.armed = True
    begun = await desk.sweeper.begin("timer", "test")
    await desk.trigger.drain()
    assert len(desk.poisoned) == 1
    ledger.armed = False
    await desk.rest(HOUR)

    swept = await desk.sweep()

    assert swept.id == begun.id
    assert swept.state is SweepState.DONE
    assert desk.asked() == {"new-a": 1, "zz-new": 1}


async def test_an_outage_of_the_ledger_poisons_no_step_however_long_it_is() -> None:
    ledger = FailingLedger(Failing(*range(1, 200)))
    desk = await a_desk(ledger=ledger)
    ledger.armed = True
    begun = await desk.sweeper.begin("timer", "test")

    await desk.trigger.drain()
    await desk.passes()

    assert (await state_of(desk, begun.id)).state is SweepState.DONE
    assert desk.asked() == {"new-a": 1, "zz-new": 1}
    assert (len(desk.poisoned), desk.trigger.failures) == (0, [])


class BrokenInventory(MemoryInventory):
    """Has a bug."""

    async def page(self, cursor: str = "") -> InventoryPage:
        raise ValueError(cursor)


async def test_a_page_that_always_fails_does_not_keep_lost_chains_waiting_for_ever() -> None:
    desk = await a_desk()
    await desk.note(registry_id("stuck"), waiting(desk.clock.now() - HOUR), ago=2 * HOUR)
    desk.inventory = BrokenInventory()
    begun = await desk.sweeper.begin("timer", "test")
    for _ in range(3):
        await desk.trigger.drain()
        await desk.rest(HOUR)
        assert (await desk.sweeper.begin("timer", "test")).id == begun.id
    await desk.trigger.drain()
    await desk.passes()

    ended = await state_of(desk, begun.id)
    assert (ended.state, ended.blind, ended.revived) == (SweepState.DONE, True, 3)
    assert "went on with the ledger alone" in ended.notes[0]
    assert desk.asked()["stuck"] == 1
    assert len(desk.poisoned) == 3


async def test_a_sweep_that_waits_for_a_quota_is_not_taken_for_lost() -> None:
    desk = await a_desk()
    begun = await desk.sweeper.begin("timer", "test")
    await desk.rest(14 * MINUTE)

    again = await desk.sweeper.begin("http", "test")

    assert again.id == begun.id
    assert again.revived == 0


async def test_a_sweep_that_comes_to_no_end_is_given_up_after_a_day() -> None:
    desk = await a_desk()
    begun = await desk.sweeper.begin("timer", "test")
    await desk.rest(DAY + SECOND)

    again = await desk.sweeper.begin("timer", "test")

    assert again.id != begun.id
    assert "within a day" in (await state_of(desk, begun.id)).sentence


async def test_a_first_step_that_cannot_be_asked_for_ends_the_sweep_at_once() -> None:
    desk = await a_desk()
    desk.install(queue=FailingQueue(desk.sweep_queue, Failing(1)))

    with pytest.raises(Unavailable):
        await desk.sweeper.begin("http", "test")
    await desk.rest(SECOND)
    swept = await desk.sweep()

    (newest, oldest) = (await desk.sweeper.list()).sweeps
    assert newest.id == swept.id
    assert oldest.state is SweepState.FAILED
    assert "No answer." in oldest.sentence


async def test_what_is_no_message_of_a_sweep_is_recorded_and_done_with() -> None:
    desk = await a_desk()

    await desk.sweeper.work(b'{"version":1,"sweep":"everything","step":1}')

    (entry,) = await desk.ledger.history(None)
    assert (entry.kind, entry.result) == ("rejected", "MalformedMessage")


@pytest.mark.parametrize(("sweep", "step"), [("20200101T000000Z-00000000", 1), ("", 7), ("", 10**9)])
async def test_a_message_of_no_running_sweep_does_nothing(sweep: str, step: int) -> None:
    desk = await a_desk()
    ended = await desk.sweep()
    desk.inventory.pages.clear()

    await desk.sweeper.step(SweepMessage(sweep=sweep or ended.id, step=step))

    assert desk.inventory.pages == []
    assert await state_of(desk, ended.id) == ended
