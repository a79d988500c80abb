"""What failed five times is recorded, shown at its registry, and says nothing about a registry that went on."""

import logging
from typing import Any

import pytest

from local.memory import MemoryLedger
from shared.core.errors import ChangedUnderneath, Unavailable
from shared.core.report import Condition, ConditionStatus, ConditionType, Converged, Failed, Report
from shared.core.requests import WorkMessage
from shared.engine.poison import PoisonCabinet
from shared.engine.ports import LedgerEntry
from shared.engine.records import Claim, LedgerRow
from tests.engine.desk import ALPHA, SECOND, UNAVAILABLE, a_row
from tests.engine.test_pacing import an_operation, create
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time
MESSAGE = WorkMessage(registry=ALPHA, generation=3, attempt=2)
RUNNING = Report(
    registry=ALPHA,
    at=EPOCH,
    phase="waiting",
    digest="d",
    conditions=(Condition(type=ConditionType.DISCOVERED, status=ConditionStatus.TRUE),),
)


async def kept(ledger: MemoryLedger | None = None, **members: Any) -> tuple[MemoryLedger, LedgerRow]:
    """The ledger and the row after a poisoned message of generation 3, pass 2."""
    ledger = ledger or MemoryLedger()
    await ledger.write(a_row(**{"generation": 3, "sequence": 1} | members), None)
    await PoisonCabinet(ledger, LoopClock()).keep(MESSAGE)
    entry = await ledger.read(ALPHA)
    assert entry is not None
    return ledger, entry.row


async def test_the_registry_shows_failed_and_says_what_to_do() -> None:
    _, row = await kept(report=RUNNING, claim=Claim(holder="3.2@x", until=EPOCH + 20 * SECOND))

    assert isinstance(row.outcome, Failed)
    assert row.outcome.reason.name == "Poisoned"
    assert row.outcome.reason.resource == ALPHA.text
    assert "failed five times in a row (generation 3, pass 2)" in row.outcome.reason.sentence
    assert "then ask for it again" in row.outcome.reason.sentence
    assert row.claim is None


async def test_the_report_keeps_what_was_known_and_says_failed() -> None:
    _, row = await kept(report=RUNNING)

    assert row.report is not None
    assert (row.report.phase, row.report.digest, row.report.conditions) == ("failed", "d", RUNNING.conditions)
    assert [reason.name for reason in row.report.reasons] == ["Poisoned"]


async def test_what_runs_is_kept_so_that_the_next_request_goes_on() -> None:
    operation = an_operation(create())

    _, row = await kept(operations=(operation,), repairs={"pe": 1})

    assert (row.operations, row.repairs, row.generation) == ((operation,), {"pe": 1}, 3)


async def test_the_message_itself_is_kept_in_the_history(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "registry_isolation"):
        ledger, _ = await kept()

    (entry,) = await ledger.history(ALPHA)
    assert (entry.kind, entry.subject, entry.result, entry.at) == ("poison", "generation 3", "failed", EPOCH)
    assert entry.before is not None
    assert WorkMessage.decode(str(entry.before["message"])) == MESSAGE
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(("generation", "sequence"), [(4, 0), (4, 9), (3, 2), (3, 7), (2, 0)])
async def test_a_registry_that_went_on_without_the_message_is_not_blamed(generation: int, sequence: int) -> None:
    ledger, row = await kept(generation=generation, sequence=sequence, outcome=Converged())

    assert row.outcome == Converged()
    assert len(await ledger.history(ALPHA)) == 1


async def test_a_registry_without_a_row_still_gets_its_line_in_the_history() -> None:
    ledger = MemoryLedger()

    await PoisonCabinet(ledger, LoopClock()).keep(MESSAGE)

    assert await ledger.read(ALPHA) is None
    assert len(await ledger.history(ALPHA)) == 1


class Racing(MemoryLedger):
    """Somebody else writes the row before every write, as often as told."""

    def __init__(self, races: int, generation: int = 3) -> None:
        super().__init__()
        self.races = races
        self.generation = generation

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        if etag is not None and self.races:
            self.races -= 1
            await super().write(a_row(generation=self.generation, sequence=1, origin="other"), etag)
        return await super().write(row, etag)


async def test_seven_lost_races_are_run_again_and_the_eighth_is_an_error() -> None:
    _, row = await kept(Racing(7))

    assert isinstance(row.outcome, Failed)
    assert row.origin == "other"
    with pytest.raises(ChangedUnderneath, match="changes faster than it can be written"):
        await kept(Racing(8))


async def test_a_request_that_comes_in_between_is_left_alone() -> None:
    _, row = await kept(Racing(1, generation=4))

    assert row.outcome is None


async def test_a_ledger_that_fails_brings_the_poisoned_message_back() -> None:
    class Deaf(MemoryLedger):
        async def append(self, entries: Any) -> None:
            raise UNAVAILABLE

    with pytest.raises(Unavailable):
        await kept(Deaf())
