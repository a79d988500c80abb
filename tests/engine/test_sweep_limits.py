"""Quotas, an inventory that does not answer, and the limit of one sweep: who waits, and that nobody waits for ever."""

from datetime import timedelta
from typing import Any

import pytest

from local.memory import MemoryLedger
from shared.core.errors import (
    AccessDenied,
    ChangedUnderneath,
    MissingPermission,
    RegistryIsolationError,
    Throttled,
    Unavailable,
)
from shared.core.sweeps import SweepState
from tests.core.worlds import registry_id
from tests.engine.sweep_desk import DAY, HOUR, MINUTE, SweepDesk, blocked, failed, waiting

pytestmark = pytest.mark.virtual_time
SECOND = timedelta(seconds=1)


async def test_a_throttled_inventory_is_asked_again_when_it_said() -> None:
    desk = SweepDesk(size=2)
    await desk.settled(["a", "b", "c"])
    desk.inventory.failures = [Throttled("Slow down.", retry_after=90 * SECOND) for _ in range(20)]
    began = desk.clock.now()

    swept = await desk.sweep()

    assert desk.clock.now() - began >= 20 * 90 * SECOND
    assert (swept.state, swept.seen, swept.failures) == (SweepState.DONE, 3, 0)
    assert len(desk.inventory.pages) == 2
    assert swept.notes == ("Slow down.",)


async def test_a_throttled_question_about_absence_waits_as_well() -> None:
    desk = SweepDesk()
    await desk.settled(["a"], ago=HOUR)
    begun = await desk.sweeper.begin("timer", "test")
    (first,) = await desk.texts.receive()
    await desk.trigger._function(first.text)
    await desk.texts.delete(first)
    desk.inventory.failures = [Throttled("Slow down.", retry_after=MINUTE)]
    await desk.trigger.drain()

    ended = await desk.sweeper.read(begun.id)
    assert ended is not None
    assert (ended.state, ended.rows) == (SweepState.DONE, 1)
    assert desk.inventory.asked == [registry_id("a")]


@pytest.mark.parametrize(
    "error", [Unavailable("No answer."), AccessDenied("Not yours."), MissingPermission("You lack an action.")]
)
async def test_without_an_inventory_a_sweep_goes_on_with_the_ledger(error: RegistryIsolationError) -> None:
    desk = SweepDesk()
    await desk.note(registry_id("blocked"), blocked(), ago=DAY)
    await desk.note(registry_id("stuck"), waiting(desk.clock.now() - HOUR), ago=2 * HOUR)
    await desk.settled(["calm"])
    desk.inventory.failures = [error] * 100

    swept = await desk.sweep()

    assert (swept.state, swept.blind, swept.seen) == (SweepState.DONE, True, 0)
    assert swept.notes == (error.sentence,)
    assert set(desk.asked()) == {"blocked", "stuck"}
    assert swept.finished is not None
    assert swept.finished - swept.begun < HOUR


async def test_an_inventory_that_comes_back_is_used() -> None:
    desk = SweepDesk()
    desk.show("missed", desk.opened("missed"))
    desk.inventory.failures = [Unavailable("No answer.")] * 12

    swept = await desk.sweep()

    assert not swept.blind
    assert swept.finished is not None
    assert swept.finished - swept.begun > MINUTE
    assert desk.asked() == {"missed": 1}


async def test_a_cursor_that_is_not_understood_any_more_begins_the_list_again() -> None:
    desk = SweepDesk(size=2)
    await desk.settled(["a", "b", "c", "d"])
    begun = await desk.sweeper.begin("timer", "test")
    (first,) = await desk.texts.receive()
    await desk.trigger._function(first.text)
    await desk.texts.delete(first)
    desk.inventory.failures = [ChangedUnderneath("The cursor is too old.")]

    await desk.trigger.drain()

    ended = await desk.sweeper.read(begun.id)
    assert ended is not None
    assert (ended.state, ended.seen, ended.restarts) == (SweepState.DONE, 4, 1)
    assert ended.verdicts == {"compliant": 4}


async def test_one_sweep_hands_over_no_more_than_its_limit_and_the_next_one_begins_there() -> None:
    desk = SweepDesk(limit=10, size=7)
    for number in range(25):
        desk.show(f"new-{number:02d}", desk.opened(f"new-{number:02d}"))
    orders = []

    for _ in range(4):
        swept = await desk.sweep()
        orders.append((swept.enqueued, swept.deferred, swept.seen))

    assert orders == [(8, 17, 25), (8, 9, 25), (8, 1, 25), (1, 0, 25)]
    assert set(desk.asked().values()) == {1}


async def test_sixty_hopeless_ones_do_not_keep_one_open_door_waiting() -> None:
    desk = SweepDesk(limit=10, size=50)
    for number in range(60):
        name = f"a{number:02d}"
        desk.ends[name] = blocked()
        await desk.note(desk.show(name, desk.opened(name)), blocked(), ago=DAY)
    desk.show("zz-open", desk.opened("zz-open"))

    swept = await desk.sweep()

    assert swept.enqueued == 10
    assert desk.asked()["zz-open"] == 1


async def test_among_the_hopeless_everybody_has_a_turn() -> None:
    desk = SweepDesk(limit=5, size=50)
    for number in range(50):
        name = f"a{number:02d}"
        desk.ends[name] = failed()
        await desk.note(desk.show(name, desk.opened(name)), failed(), ago=DAY)

    for _ in range(14):
        await desk.sweep()
        await desk.rest(HOUR)

    assert len(desk.asked()) == 50


async def test_sixty_that_never_stay_closed_do_not_starve_those_after_them() -> None:
    desk = SweepDesk(limit=10, size=25)
    flapping = [f"a{number:02d}" for number in range(60)]
    desk.show("zz-open", desk.opened("zz-open"))

    for _ in range(8):
        await desk.settled(flapping)
        for name in flapping:
            desk.show(name, desk.opened(name))
        assert (await desk.sweep()).enqueued <= 10

    looks = desk.asked()
    assert looks["zz-open"] == 1
    assert len(looks) == 61


async def test_urgent_ones_leave_a_fifth_to_the_routine() -> None:
    desk = SweepDesk(limit=50, size=500)
    await desk.note(desk.show("blocked", desk.opened("blocked")), blocked(), ago=DAY)
    for number in range(100):
        desk.show(f"new-{number:02d}", desk.opened(f"new-{number:02d}"))

    await desk.sweep()

    assert desk.asked()["blocked"] == 1


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_a_small_limit_still_reaches_everybody(limit: int) -> None:
    desk = SweepDesk(limit=limit, size=2)
    for number in range(5):
        desk.show(f"new-{number}", desk.opened(f"new-{number}"))

    for _ in range(5):
        await desk.sweep()

    assert set(desk.asked()) == {f"new-{number}" for number in range(5)}


class SlowLedger(MemoryLedger):
    """Takes its time to take requests in."""

    def __init__(self, desk_clock: Any = None) -> None:
        super().__init__()
        self.slow = False
        self.clock = desk_clock

    async def append(self, entries: Any) -> None:
        if self.slow:
            await self.clock.sleep(20 * SECOND)
        await super().append(entries)


async def test_a_step_ends_in_time_and_the_next_one_goes_on_with_the_same_page() -> None:
    ledger = SlowLedger()
    desk = SweepDesk(size=100, ledger=ledger)
    ledger.clock = desk.clock
    for number in range(100):
        desk.show(f"new-{number:02d}", desk.opened(f"new-{number:02d}"))
    ledger.slow = True
    begun = await desk.sweeper.begin("timer", "test")
    spans = []
    while desk.texts.next_visible is not None:
        began = desk.clock.now()
        (delivery,) = await desk.texts.receive()
        await desk.trigger._function(delivery.text)
        await desk.texts.delete(delivery)
        spans.append(desk.clock.now() - began)
    ledger.slow = False
    await desk.passes()

    ended = await desk.sweeper.read(begun.id)
    assert ended is not None
    assert max(spans) <= 80 * SECOND
    assert len(spans) > 3
    assert (ended.seen, ended.enqueued, ended.verdicts) == (100, 100, {"new": 100})
    assert set(desk.asked().values()) == {1}
