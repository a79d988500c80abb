"""One pass's copy of the ledger row: what survives when requests and other passes write at the same time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.memory import MemoryLedger
from shared.core.errors import ChangedUnderneath, Unavailable
from shared.core.report import Converged, Reason, Report, Superseded
from shared.core.requests import WorkMessage
from shared.engine.intake import next_generation
from shared.engine.ports import LedgerEntry
from shared.engine.records import Claim, HistoryEntry, LedgerRow, Operation
from shared.engine.work import CLAIM, TakenOver, Work, reason_of
from tests.core.worlds import registry_id
from tests.engine.desk import ALPHA, MINUTE, SECOND, UNAVAILABLE, a_request, a_retrier, a_row
from tests.engine.test_pacing import create
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time

REFUSED = {"create-zone:x": Reason(name="Locked", sentence="A lock.")}
OPERATION = Operation(change=create(), started=EPOCH, due=EPOCH + 31 * SECOND)


def a_report(phase: str = "converged") -> Report:
    return Report(registry=ALPHA, at=EPOCH, phase=phase)


def an_entry(subject: str) -> HistoryEntry:
    return HistoryEntry(at=EPOCH, registry=ALPHA, kind="change", subject=subject, sentence=subject)


class Passes:
    """A ledger with one row, and passes that begin on it."""

    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        self.clock = LoopClock()
        self.ledger = ledger or MemoryLedger()

    async def begin(self, generation: int = 1, attempt: int = 1) -> Work:
        entry = await self.ledger.read(ALPHA)
        message = WorkMessage(registry=ALPHA, generation=generation, attempt=attempt)
        return Work(self.ledger, entry, message, a_retrier(self.clock), self.clock.now())

    async def request(self) -> None:
        """Somebody asks for the registry again."""
        entry = await self.ledger.read(ALPHA)
        row = next_generation(entry.row if entry else None, a_request(origin="newer", caller="p"), self.clock.now())
        await self.ledger.write(row, entry.etag if entry else None)

    async def row(self) -> LedgerRow:
        entry = await self.ledger.read(ALPHA)
        assert entry is not None
        return entry.row


async def passes(ledger: MemoryLedger | None = None, **members: Any) -> Passes:
    made = Passes(ledger)
    await made.ledger.write(a_row(**members), None)
    return made


async def test_a_pass_saves_what_it_found_out() -> None:
    its = await passes()
    work = await its.begin()

    work.update(operations=(OPERATION,), failures=2)
    work.entries.append(an_entry("one"))
    await work.save()

    row = await its.row()
    assert (row.operations, row.failures) == ((OPERATION,), 2)
    assert [entry.subject for entry in await its.ledger.history(ALPHA)] == ["one"]
    assert work.entries == []


async def test_one_pass_saves_several_times() -> None:
    its = await passes()
    work = await its.begin()

    for failures in range(3):
        work.update(failures=failures)
        await work.save()

    assert (await its.row()).failures == 2


async def test_a_message_whose_row_is_gone_begins_a_new_one() -> None:
    its = Passes()
    await its.clock.sleep(MINUTE)

    work = await its.begin(generation=7, attempt=3)
    await work.save()

    row = await its.row()
    assert (row.generation, row.sequence) == (7, 0)
    assert row.first_seen == row.requested == EPOCH + MINUTE
    assert work.current


async def test_a_row_that_vanishes_under_a_pass_is_written_again() -> None:
    its = await passes()
    work = await its.begin()
    its.ledger._rows.clear()

    work.update(failures=4)
    await work.save()

    assert (await its.row()).failures == 4


# --- a newer request --------------------------------------------------------------------------------------------------


async def test_a_newer_request_keeps_its_own_members_and_gets_this_passes_results() -> None:
    its = await passes(reason="event", origin="older", sequence=4, failures=3, refused=REFUSED, waiting_since=EPOCH)
    work = await its.begin(attempt=5)
    work.update(operations=(OPERATION,), repairs={"pe": 1}, closed_since=EPOCH)
    await its.clock.sleep(MINUTE)
    await its.request()

    await work.save()

    row = await its.row()
    assert (row.generation, row.sequence, row.requested) == (2, 0, EPOCH + MINUTE)
    assert row.waiting_since == EPOCH + MINUTE, "nothing was waited for when it came"
    assert (row.origin, row.caller) == ("newer", "p")
    assert (row.refused, row.failures, row.watch) == ({}, 0, None)
    assert (row.operations, row.repairs, row.closed_since) == ((OPERATION,), {"pe": 1}, EPOCH)
    assert not work.current


async def test_finishing_counts_as_the_last_pass_of_its_own_generation_only() -> None:
    its = await passes()
    alone = await its.begin(attempt=3)
    await alone.finish(Converged(), a_report())
    assert (await its.row()).sequence == 3

    overtaken = await its.begin(attempt=4)
    await its.request()
    await overtaken.finish(Superseded(), a_report("superseded"))
    row = await its.row()
    assert (row.generation, row.sequence) == (2, 0)


async def test_a_pass_does_not_go_on_from_what_it_saw_before_an_earlier_one_ended() -> None:
    its = await passes()
    earlier, later = await its.begin(attempt=3), await its.begin(attempt=4)
    await earlier.finish(Converged(), a_report())

    with pytest.raises(TakenOver) as taken:
        await later.claim(its.clock.now())

    assert taken.value.by_earlier


async def test_a_request_between_two_saves_is_seen_by_the_second() -> None:
    its = await passes()
    work = await its.begin()
    await work.claim(its.clock.now())
    await its.request()

    await work.finish(Converged(), a_report())

    row = await its.row()
    assert (row.generation, row.sequence, row.claim) == (2, 0, None)
    assert row.outcome == Converged()


async def test_several_requests_in_a_row_are_all_kept() -> None:
    its = await passes()
    work = await its.begin()
    for failures in range(1, 4):
        await its.request()
        work.update(failures=failures)
        await work.save()

    assert (await its.row()).generation == 4


# --- other passes -----------------------------------------------------------------------------------------------------


async def test_a_claim_tells_others_to_stay_away_for_twenty_seconds() -> None:
    its = await passes()
    await its.clock.sleep(MINUTE)
    work = await its.begin()

    await work.claim(its.clock.now())

    claim = (await its.row()).claim
    assert claim is not None
    assert CLAIM == 20 * SECOND
    assert claim.until == EPOCH + MINUTE + CLAIM


async def test_a_pass_whose_registry_another_one_has_claimed_stops_writing() -> None:
    its = await passes()
    first = await its.begin()
    await first.claim(its.clock.now())
    await its.clock.sleep(MINUTE)
    second = await its.begin()
    await second.claim(its.clock.now())
    claimed = await its.row()

    first.update(failures=9)
    with pytest.raises(TakenOver):
        await first.save()

    assert await its.row() == claimed


async def test_two_deliveries_of_one_message_at_the_same_moment_do_not_share_a_claim() -> None:
    its = await passes()
    first, second = await its.begin(), await its.begin()
    await first.claim(its.clock.now())

    with pytest.raises(TakenOver):
        await second.claim(its.clock.now())

    await first.save()


async def test_a_pass_that_another_delivery_has_finished_meanwhile_stops_writing() -> None:
    its = await passes()
    slow, quick = await its.begin(attempt=2), await its.begin(attempt=2)
    quick.update(operations=(OPERATION,))
    await quick.finish(Converged(), a_report())

    slow.update(failures=1)
    with pytest.raises(TakenOver) as stopped:
        await slow.save()

    assert not stopped.value.by_earlier, "its work is done, so nobody need ask for it again"
    row = await its.row()
    assert (row.operations, row.sequence, row.failures) == ((OPERATION,), 2, 0)


async def test_a_pass_older_than_a_finished_pass_of_a_newer_request_stops_writing() -> None:
    its = await passes()
    slow = await its.begin()
    await its.request()
    newer = await its.begin(generation=2)
    newer.update(operations=(OPERATION,))
    await newer.finish(Converged(), a_report())

    with pytest.raises(TakenOver) as stopped:
        await slow.save()

    assert not stopped.value.by_earlier, "a later pass has done its work, so nobody need ask for it again"
    assert (await its.row()).operations == (OPERATION,)


# --- failures ---------------------------------------------------------------------------------------------------------


class Flaky(MemoryLedger):
    """Its writes fail as told, before or after they took effect."""

    def __init__(self, *, before: int = 0, after: int = 0) -> None:
        super().__init__()
        self.before = before
        self.after = after
        self.armed = False

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        if self.armed and self.before:
            self.before -= 1
            raise UNAVAILABLE
        entry = await super().write(row, etag)
        if self.armed and self.after:
            self.after -= 1
            raise UNAVAILABLE
        return entry


class Racing(MemoryLedger):
    """Somebody else writes before every write, as often as told."""

    def __init__(self, races: int) -> None:
        super().__init__()
        self.races = races
        self.armed = False

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        if self.armed and self.races:
            self.races -= 1
            self.armed = False
            current = await super().read(row.registry)
            assert current is not None
            await super().write(next_generation(current.row, a_request(), EPOCH), current.etag)
            self.armed = True
        return await super().write(row, etag)


async def test_a_ledger_that_does_not_answer_for_a_moment_is_tried_again() -> None:
    its = await passes(flaky := Flaky(before=3))
    work = await its.begin()
    flaky.armed = True

    work.update(failures=1)
    await work.save()

    assert (await its.row()).failures == 1


async def test_a_ledger_that_stays_silent_fails_the_pass() -> None:
    its = await passes(flaky := Flaky(before=4))
    work = await its.begin()
    flaky.armed = True

    with pytest.raises(Unavailable):
        await work.save()


@pytest.mark.parametrize("end", [lambda work: work.claim(EPOCH), lambda work: work.finish(Converged(), a_report())])
async def test_a_write_whose_answer_was_lost_is_known_again_as_ones_own(end: Callable[[Work], Any]) -> None:
    its = await passes(flaky := Flaky(after=1))
    work = await its.begin(attempt=2)
    flaky.armed = True

    work.update(failures=1)
    await end(work)
    work.update(failures=2)
    await work.save()

    assert (await its.row()).failures == 2


async def test_seven_lost_races_are_run_again_and_the_eighth_is_an_error() -> None:
    patient, hopeless = await passes(seven := Racing(7)), await passes(eight := Racing(8))
    works = [await patient.begin(), await hopeless.begin()]
    seven.armed = eight.armed = True

    await works[0].save()
    with pytest.raises(ChangedUnderneath, match="The ledger row of alpha changes faster than it can be written"):
        await works[1].save()

    assert (await patient.row()).generation == 8


def test_an_error_becomes_a_reason_with_everything_it_says() -> None:
    error = ChangedUnderneath("It moved.", resource_id=registry_id().text)

    assert reason_of(error) == Reason(name="ChangedUnderneath", sentence="It moved.", resource=registry_id().text)


async def test_history_is_written_even_if_the_row_then_is_not() -> None:
    its = await passes(flaky := Flaky(before=4))
    work = await its.begin()
    work.entries.append(an_entry("one"))
    flaky.armed = True

    with pytest.raises(Unavailable):
        await work.save()

    assert [entry.subject for entry in await its.ledger.history(ALPHA)] == ["one"]


async def test_the_claim_of_a_pass_that_died_is_nobodys_once_it_is_past() -> None:
    its = await passes(claim=Claim(holder="dead", until=EPOCH + timedelta(seconds=20)))
    await its.clock.sleep(21 * SECOND)
    work = await its.begin()
    await its.request()

    work.update(failures=1)
    await work.save()

    assert (await its.row()).generation == 2
