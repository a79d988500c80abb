"""The overview: what is counted, when it is read, and what happens when reading takes long or fails."""

import asyncio
from datetime import timedelta

import pytest

from local.memory import MemoryLedger
from shared.core.drifts import Drift
from shared.core.errors import Unavailable
from shared.core.report import BlockedOutcome, Converged, Failed, Outcome, Reason, Report
from shared.core.sweeps import SweepRecord
from shared.engine.overview import FRESH, STALE, Board, Overview, Wanted
from shared.engine.ports import LedgerPage
from shared.engine.records import HistoryEntry
from tests.core.worlds import a_policy, registry_id
from tests.engine.desk import a_row
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time


class SlowLedger(MemoryLedger):
    """A ledger of which each page takes a while, and which may be away."""

    def __init__(self, takes: timedelta = timedelta()) -> None:
        super().__init__()
        self.takes = takes
        self.pages = 0
        self.away = False

    async def list_rows(self, *, phase: str = "", limit: int = 100, after: str = "") -> LedgerPage:
        self.pages += 1
        await asyncio.sleep(self.takes.total_seconds())
        if self.away:
            raise Unavailable("The storage account does not answer.")
        return await super().list_rows(phase=phase, limit=min(limit, 2), after=after)


async def know(ledger: MemoryLedger, name: str, outcome: Outcome | None = None, drift: Drift | None = None) -> None:
    outcome = outcome or Converged()
    registry = registry_id(name)
    report = Report(registry=registry, at=EPOCH, phase=outcome.kind, reasons=getattr(outcome, "reasons", ()))
    await ledger.write(a_row(registry=registry, outcome=outcome, report=report, sequence=1, drift=drift), None)


def blocked(name: str, sentence: str) -> BlockedOutcome:
    return BlockedOutcome(reasons=(Reason(name=name, sentence=sentence),))


def board_of(ledger: MemoryLedger, sweep: SweepRecord | None = None) -> Board:
    async def newest() -> SweepRecord | None:
        return sweep

    return Board(ledger, a_policy(), LoopClock(), newest)


async def whole(ledger: MemoryLedger) -> Overview:
    found = await board_of(ledger).look()
    assert found.complete
    return found


async def test_what_needs_a_person_comes_first_and_then_the_alphabet() -> None:
    ledger = MemoryLedger()
    for name in ("Zeta", "alpha"):
        await know(ledger, name)
    await know(ledger, "beta", blocked("Locked", "Remove the lock."))
    await know(ledger, "gamma", Failed(reason=Reason(name="Bug", sentence="x")))

    found = await whole(ledger)

    assert [row.registry.name for row in found.rows] == ["gamma", "beta", "alpha", "Zeta"]
    assert found.phases == {"converged": 2, "blocked": 1, "failed": 1}


async def test_obstacles_are_grouped_by_reason_with_each_sentence_once() -> None:
    ledger = MemoryLedger()
    for name, sentence in (("a", "Enlarge it."), ("b", "Enlarge it."), ("c", "Delegate it back.")):
        await know(ledger, name, blocked("SubnetUnusable", sentence))
    await know(ledger, "d", blocked("Locked", "Remove the lock."))
    await know(ledger, "sound")

    found = (await whole(ledger)).obstacles

    assert [(each.reason, len(each.rows)) for each in found] == [("SubnetUnusable", 3), ("Locked", 1)]
    assert found[0].sentences == ("Enlarge it.", "Delegate it back.")


async def test_drifts_are_told_on_the_day_of_their_repair() -> None:
    ledger = MemoryLedger()
    await know(ledger, "today", drift=Drift(found=EPOCH, repaired=EPOCH, number=1))
    await know(ledger, "open", blocked("Locked", "x"), Drift(found=EPOCH))
    await know(ledger, "old", drift=Drift(found=EPOCH, repaired=EPOCH - timedelta(days=1), number=1))

    found = await whole(ledger)

    assert [row.registry.name for row in found.repaired_on(EPOCH)] == ["today"]
    assert [row.registry.name for row in found.drifting()] == ["open"]
    assert [row.registry.name for row in Wanted(drift=True).of(found, EPOCH)] == ["open", "today"]


async def test_words_are_looked_for_in_the_whole_id_in_any_case() -> None:
    ledger = MemoryLedger()
    for name in ("models-eu", "models-us", "other-eu"):
        await know(ledger, name)

    found = await whole(ledger)

    assert [row.registry.name for row in Wanted(text="EU models").of(found, EPOCH)] == ["models-eu"]
    assert len(Wanted(text="rg-ml").of(found, EPOCH)) == 3


async def test_unreadable_input_of_the_last_day_is_counted() -> None:
    ledger = MemoryLedger()
    for hours in (1, 25):
        at = EPOCH - timedelta(hours=hours)
        await ledger.append([HistoryEntry(at=at, registry=None, kind="rejected", subject="x", sentence="x")])

    assert (await whole(ledger)).unreadable == 1


# --- reading ----------------------------------------------------------------------------------------------------------


async def test_many_who_look_at_once_cost_one_reading() -> None:
    ledger = SlowLedger(timedelta(milliseconds=10))
    board = board_of(ledger)

    found = await asyncio.gather(*(board.look() for _ in range(20)))

    assert ledger.pages == 1
    assert all(each.complete for each in found)


async def test_rows_are_read_again_only_after_a_while_and_nobody_waits_for_that() -> None:
    ledger = SlowLedger()
    board = board_of(ledger)
    await board.look()
    ledger.takes = timedelta(seconds=5)

    await asyncio.sleep(FRESH.total_seconds() / 2)
    await board.look()
    assert ledger.pages == 1
    await asyncio.sleep(FRESH.total_seconds())
    clock = LoopClock()
    before = clock.now()
    await board.look()
    assert clock.now() - before < timedelta(milliseconds=50)
    await asyncio.sleep(6)
    assert ledger.pages == 2


async def test_whoever_acted_sees_it_at_the_next_reading() -> None:
    ledger = SlowLedger()
    board = board_of(ledger)
    await board.look()
    await know(ledger, "new")

    board.forget()
    await board.look()
    await asyncio.sleep(0.1)

    assert len((await board.look()).rows) == 1


async def test_the_first_one_who_looks_sees_what_was_read_in_a_moment() -> None:
    ledger = SlowLedger(timedelta(milliseconds=100))
    for number in range(5):
        await know(ledger, f"r{number}")
    board = board_of(ledger)

    first = await board.look()
    await asyncio.sleep(1)
    later = await board.look()

    assert (first.complete, len(first.rows)) == (False, 2)
    assert (later.complete, len(later.rows)) == (True, 5)


async def test_reading_can_begin_before_anybody_looks() -> None:
    ledger = SlowLedger(timedelta(seconds=1))
    board = board_of(ledger)
    board.begin()
    board.begin()
    await asyncio.sleep(2)

    assert (await board.look()).complete
    assert ledger.pages == 1


async def test_what_is_old_is_worth_a_short_wait() -> None:
    ledger = SlowLedger()
    board = board_of(ledger)
    await board.look()
    await know(ledger, "new")
    await asyncio.sleep(STALE.total_seconds() + 1)

    assert len((await board.look()).rows) == 1


async def test_a_ledger_that_is_away_is_told_and_asked_again() -> None:
    ledger = SlowLedger()
    ledger.away = True
    board = board_of(ledger)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await board.look()
    ledger.away = False
    await know(ledger, "a")
    await asyncio.sleep(FRESH.total_seconds() + 1)

    assert len((await board.look()).rows) == 1

    ledger.away = True
    await asyncio.sleep(FRESH.total_seconds() + 1)
    await board.look()
    await asyncio.sleep(0.1)
    kept = await board.look()
    assert (len(kept.rows), kept.problem) == (1, "The storage account does not answer.")
