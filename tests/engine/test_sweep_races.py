"""Sweeps among others who begin, write and ask at the same moment, and over rows that no planner can read."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from local.memory import MemoryLedger
from local.memory_sweeps import MemorySweeps
from shared.core.errors import ChangedUnderneath, MalformedCursor
from shared.core.registry import Target
from shared.core.requests import ReconcileRequest, WorkMessage
from shared.core.sweeps import SweepMessage, SweepRecord, SweepState
from shared.engine.intake import Intake
from shared.engine.ports import LedgerPage
from shared.engine.records import HistoryEntry
from shared.engine.sweep import MOST_STEPS
from shared.engine.sweep_pages import Pages
from shared.engine.sweep_ports import SweepEntry
from tests.core.worlds import ZONES, registry_id
from tests.engine.desk import SECOND
from tests.engine.sweep_desk import HOUR, SweepDesk, waiting
from tests.virtual_time import LoopClock

pytestmark = pytest.mark.virtual_time


class CrowdedSweeps(MemorySweeps):
    """Somebody else always writes first."""

    async def begin(self, record: SweepRecord, after: str) -> SweepEntry:
        raise ChangedUnderneath("The record changed.")


async def test_who_never_gets_to_begin_a_sweep_is_told_that_others_do() -> None:
    desk = SweepDesk()
    desk.install(sweeps=CrowdedSweeps())

    with pytest.raises(ChangedUnderneath, match="Others begin sweeps at the same moment") as told:
        await desk.sweeper.begin("timer", "test")

    assert told.value.operation == "begin sweep"
    assert len(desk.texts) == 0


async def test_a_sweep_that_runs_in_circles_is_given_up_with_a_sentence() -> None:
    desk = SweepDesk(size=1)
    await desk.settled(["a", "b"])
    begun = await desk.sweeper.begin("timer", "test")
    entry = await desk.sweeps.read(begun.id)
    assert entry is not None
    await desk.sweeps.write(replace(entry.record, step=MOST_STEPS + 1), entry.etag)

    await desk.sweeper.work(SweepMessage(sweep=begun.id, step=MOST_STEPS + 1).encode().encode())

    ended = await desk.sweeper.read(begun.id)
    assert ended is not None
    assert ended.state is SweepState.FAILED
    assert f"no end within {MOST_STEPS} steps" in ended.sentence


class NewerLedger(MemoryLedger):
    """Shows few rows at once, and once does not know the next place, because another version of the app wrote it."""

    refusals = 1

    async def list_rows(self, *, phase: str = "", limit: int = 100, after: str = "") -> LedgerPage:
        if after and self.refusals:
            self.refusals -= 1
            raise MalformedCursor("Not a place of this list.")
        return await super().list_rows(phase=phase, limit=min(limit, 2), after=after)


async def test_a_place_in_the_ledger_that_is_not_understood_begins_the_list_again() -> None:
    ledger = NewerLedger()
    desk = SweepDesk(ledger=ledger)
    names = ["a", "b", "c", "d", "e"]
    await desk.settled(names)

    swept = await desk.sweep()

    assert ledger.refusals == 0
    assert swept.state is SweepState.DONE
    assert swept.seen == len(names)
    assert desk.asked() == {}


async def test_rows_that_no_planner_can_read_are_told_and_looked_at_in_azure(caplog: pytest.LogCaptureFixture) -> None:
    desk = SweepDesk()
    await desk.settled(["broken"], ago=5 * HOUR)
    desk.show("broken", replace(desk.isolated("broken"), targets=cast("tuple[Target, ...]", (None,))))
    desk.show("zz-new", desk.opened("zz-new"))

    with caplog.at_level(logging.ERROR, "registry_isolation"):
        await desk.sweep()

    assert desk.asked()["zz-new"] == 1
    assert [record.getMessage().split(" ", 1)[0] for record in caplog.records] == ["judge"]
    assert "AttributeError" in caplog.records[0].getMessage() or "AttributeError" in str(vars(caplog.records[0]))


class CrowdedIntake(Intake):
    """A registry for which everybody asks at once."""

    async def accept(self, request: ReconcileRequest, *arguments: Any, **members: Any) -> WorkMessage:
        if request.registry.name == "busy":
            raise ChangedUnderneath("The row changes faster than it can be written.")
        return await super().accept(request, *arguments, **members)


async def test_a_registry_that_everybody_asks_for_does_not_keep_the_others_waiting() -> None:
    desk = SweepDesk()
    intake = CrowdedIntake(desk.ledger, desk.queue, desk.clock)
    desk.install(
        pages=Pages(
            ledger=desk.ledger,
            intake=intake,
            clock=desk.clock,
            policy=desk.policy,
            zone_table=ZONES,
            nudger=desk.woken,
        )
    )
    for name in ("busy", "quiet"):
        desk.show(name, desk.opened(name))

    swept = await desk.sweep()

    assert desk.asked() == {"quiet": 1}
    assert swept.state is SweepState.DONE
    assert desk.clock.now() - swept.begun < 60 * SECOND


class SlowLedger(MemoryLedger):
    """A ledger that takes its time for every line of the history."""

    clock: LoopClock | None = None

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        if self.clock is not None:
            await self.clock.sleep(20 * SECOND)
        await super().append(entries)


async def test_lost_chains_that_do_not_fit_into_one_step_are_taken_up_in_the_next_and_counted_once() -> None:
    ledger = SlowLedger()
    desk = SweepDesk(ledger=ledger)
    names = [f"r{number:03d}" for number in range(40)]
    for name in names:
        await desk.note(registry_id(name), waiting(desk.clock.now()))
    await desk.rest(6 * HOUR)
    ledger.clock = desk.clock
    begun = await desk.sweeper.begin("timer", "test")
    await desk.trigger.drain()
    ledger.clock = None
    await desk.passes()

    ended = await desk.sweeper.read(begun.id)
    assert ended is not None
    assert (ended.state, ended.rows) == (SweepState.DONE, len(names))
    assert desk.asked() == dict.fromkeys(names, 1)
    assert ended.finished is not None
    assert ended.finished - ended.begun > 60 * SECOND
