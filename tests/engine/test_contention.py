"""Everybody who writes the ledger's row meets somebody who writes it too: a few times, always, or until the row is gone."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from local.memory import MemoryLedger, MemoryWorkQueue
from shared.core.errors import ChangedUnderneath, Refused
from shared.core.mishaps import Mishap, MishapFate
from shared.core.requests import WorkMessage
from shared.engine.drift import DriftIntake
from shared.engine.mishaps import Mishaps
from shared.engine.poison import PoisonCabinet
from shared.engine.ports import LedgerEntry
from shared.engine.records import Claim, LedgerRow
from shared.engine.work import _is_earlier
from tests.core.worlds import ACR_NAME, MANAGED
from tests.engine.desk import ALPHA, UNAVAILABLE, Desk, a_request, a_row
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time
PART = MANAGED.resource("Microsoft.ContainerRegistry/registries", ACR_NAME)
MESSAGE = WorkMessage(registry=ALPHA, generation=1, attempt=1)
ALWAYS = 1000


class Crowded(MemoryLedger):
    """Somebody else writes the row just before every write that *meets* asks about, as often as told."""

    def __init__(self, times: int, meets: Callable[[LedgerRow], bool] = lambda _: True) -> None:
        super().__init__()
        self.times = times
        self.meets = meets

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        if etag is not None and self.times and self.meets(row):
            self.times -= 1
            entry = await self.read(row.registry)
            assert entry is not None
            await super().write(replace(entry.row, failures=entry.row.failures + 1), entry.etag)
        return await super().write(row, etag)


async def refused(action: Awaitable[object]) -> ChangedUnderneath:
    with pytest.raises(ChangedUnderneath) as told:
        await action
    return told.value


# --- an event of a part -----------------------------------------------------------------------------------------------


async def test_an_event_of_a_part_that_cannot_be_recorded_for_others_is_delivered_again() -> None:
    desk = Desk(ledger=Crowded(ALWAYS))
    await desk.ledger.write(a_row(sequence=1), None)

    told = await refused(DriftIntake(desk.ledger, desk.queue, desk.clock).accept(a_request(), PART))

    assert "changes faster than an event of one of its parts" in told.sentence
    assert (told.resource_id, told.operation) == (ALPHA.text, "record event")
    assert len(desk.queue) == 0


async def test_a_pass_that_nobody_can_be_told_of_is_planned_all_the_same() -> None:
    desk = Desk(ledger=Crowded(ALWAYS, meets=lambda row: row.planned is not None))
    await desk.ledger.write(a_row(sequence=1), None)

    assert await DriftIntake(desk.ledger, desk.queue, desk.clock).accept(a_request(), PART) is not None

    assert len(desk.queue) == 1
    assert (await desk.row()).planned is None


# --- why a pass failed ------------------------------------------------------------------------------------------------


async def noted(ledger: MemoryLedger) -> tuple[Mishap, Mishap | None]:
    """What is said of an error, and what the row then says of it."""
    clock = LoopClock()
    mishap = await Mishaps(ledger, MemoryWorkQueue(clock), clock).note(MESSAGE, UNAVAILABLE)
    entry = await ledger.read(ALPHA)
    return mishap, entry.row.last_error if entry else None


async def test_an_error_is_noted_however_others_write_for_a_moment() -> None:
    ledger = Crowded(3)
    await ledger.write(a_row(), None)

    mishap, kept = await noted(ledger)

    assert kept == mishap
    assert (mishap.name, mishap.deliveries) == ("Unavailable", 1)


async def test_an_error_that_could_not_be_noted_is_known_to_who_asked() -> None:
    ledger = Crowded(ALWAYS)
    await ledger.write(a_row(), None)

    mishap, kept = await noted(ledger)

    assert (mishap.name, kept) == ("Unavailable", None)


async def test_an_error_of_a_message_that_nobody_waits_for_is_not_noted_at_the_registry() -> None:
    ledger = MemoryLedger()
    unknown, _ = await noted(ledger)
    await ledger.write(a_row(generation=2), None)

    mishap, kept = await noted(ledger)

    assert (unknown.name, mishap.name, kept) == ("Unavailable", "Unavailable", None)


# --- a poisoned message -----------------------------------------------------------------------------------------------


async def returned(error: Mishap | None) -> int:
    """How many messages go back to work where the return cannot be counted."""
    clock = LoopClock()
    ledger, queue = Crowded(ALWAYS), MemoryWorkQueue(clock)
    await ledger.write(a_row(last_error=error), None)
    await PoisonCabinet(ledger, clock, queue=queue).keep(MESSAGE)
    return len(queue)


async def test_a_message_whose_error_passes_comes_back_even_if_the_return_is_not_counted() -> None:
    mishap, _ = await noted(MemoryLedger())

    assert await returned(mishap) == 1


async def test_a_message_that_may_come_back_once_comes_back_only_if_that_is_counted() -> None:
    told = await refused(returned(None))

    assert told.resource_id in {"", ALPHA.text}


async def test_a_message_whose_error_lasts_does_not_come_back() -> None:
    clock = LoopClock()
    ledger, queue = MemoryLedger(), MemoryWorkQueue(clock)
    await ledger.write(a_row(), None)
    mishap = await Mishaps(ledger, queue, clock).note(MESSAGE, Refused("No."))
    await PoisonCabinet(ledger, clock, queue=queue).keep(MESSAGE)

    assert (mishap.fate, len(queue)) == (MishapFate.BLOCKED, 0)


# --- a claim ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holder", "earlier"),
    [
        ("1.1@a", True),
        ("1.2@a", True),
        ("2.1@a", True),
        ("2.3@a", False),
        ("3.1@a", False),
        ("x@a", False),
        ("", False),
    ],
)
def test_only_a_claim_for_an_older_message_is_waited_for(holder: str, *, earlier: bool) -> None:
    claim = Claim(holder=holder, until=EPOCH + timedelta(seconds=1))

    assert _is_earlier(claim, WorkMessage(registry=ALPHA, generation=2, attempt=2)) is earlier
    assert not _is_earlier(None, MESSAGE)
