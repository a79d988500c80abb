"""Requests become generations and messages, however many come at once and whatever fails in between."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from local.memory import MemoryLedger, MemoryWorkQueue
from shared.core.errors import ChangedUnderneath, Unavailable
from shared.core.report import Reason
from shared.core.requests import RequestReason, WorkMessage
from shared.engine.intake import Intake, next_generation
from shared.engine.ports import LedgerEntry
from shared.engine.records import Claim, HistoryEntry, LedgerRow
from tests.contract.state import a_full_row
from tests.core.worlds import registry_id
from tests.engine.desk import ALPHA, MINUTE, SECOND, UNAVAILABLE, a_request, a_row
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time


class Door:
    """An intake and what is behind it."""

    def __init__(self, ledger: MemoryLedger | None = None, queue: MemoryWorkQueue | None = None) -> None:
        self.clock = LoopClock()
        self.ledger = ledger or MemoryLedger()
        self.queue = MemoryWorkQueue(self.clock) if queue is None else queue
        self.intake = Intake(self.ledger, self.queue, self.clock)

    async def row(self) -> LedgerRow:
        entry = await self.ledger.read(ALPHA)
        assert entry is not None
        return entry.row

    async def messages(self) -> list[WorkMessage]:
        return [WorkMessage.decode(delivery.text) for delivery in await self.queue.receive()]


class RacingLedger(MemoryLedger):
    """Somebody else writes between the reading and the writing, *times* times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.tries = 0

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        self.tries += 1
        if self.times:
            self.times -= 1
            current = await super().read(row.registry)
            other = next_generation(current.row if current else None, a_request(origin="other"), EPOCH)
            await super().write(other, current.etag if current else None)
        return await super().write(row, etag)


class DeafQueue(MemoryWorkQueue):
    """Fails as often as told."""

    times = 1

    async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
        if self.times:
            self.times -= 1
            raise UNAVAILABLE
        await super().send(message, delay)


class ForgetfulLedger(MemoryLedger):
    """Cannot append to the history."""

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        raise Unavailable(f"{len(entries)} entries were not written.")


async def test_the_first_request_makes_the_row_and_asks_for_the_first_pass() -> None:
    door = Door()

    message = await door.intake.accept(a_request(caller="person"))

    assert message == WorkMessage(registry=ALPHA, generation=1, attempt=1)
    assert await door.messages() == [message]
    row = await door.row()
    assert (row.generation, row.sequence, row.first_seen, row.requested) == (1, 0, EPOCH, EPOCH)
    assert (row.reason, row.origin, row.caller) == ("event", "event-1", "person")


async def test_the_next_request_raises_the_generation_and_keeps_the_beginning() -> None:
    door = Door()
    await door.intake.accept(a_request())
    await door.clock.sleep(MINUTE)

    message = await door.intake.accept(a_request(reason=RequestReason.HTTP, origin="http"))

    row = await door.row()
    assert message.generation == row.generation == 2
    assert (row.first_seen, row.requested) == (EPOCH, EPOCH + MINUTE)
    assert (row.reason, row.origin, row.caller) == ("http", "http", "")


def test_what_runs_goes_on_and_what_was_refused_may_be_tried_again() -> None:
    row = a_full_row(ALPHA)

    after = next_generation(row, a_request(), EPOCH + MINUTE)

    kept = ("operations", "pending", "claim", "repairs", "zones", "observed", "snapshots", "closed_since", "report")
    assert {name: getattr(after, name) for name in kept} == {name: getattr(row, name) for name in kept}
    assert (after.refused, after.failures, after.sequence, after.watch) == ({}, 0, 0, None)


async def test_each_request_leaves_a_line_in_the_history() -> None:
    door = Door()
    await door.intake.accept(a_request(caller="person"))

    (entry,) = await door.ledger.history(ALPHA)

    assert (entry.kind, entry.subject, entry.sentence) == ("request", "generation 1", "asked for by event")
    assert (entry.at, entry.origin, entry.caller) == (EPOCH, "event-1", "person")


async def test_two_doors_at_once_get_a_generation_each() -> None:
    ledger = MemoryLedger()
    clock = LoopClock()
    queue = MemoryWorkQueue(clock)
    doors = [Intake(ledger, queue, clock) for _ in range(2)]

    messages = await asyncio.gather(*(door.accept(a_request()) for door in doors))

    assert sorted(message.generation for message in messages) == [1, 2]
    assert len(queue) == 2
    assert len(await ledger.history(ALPHA)) == 2


async def test_seven_lost_races_are_run_again_and_the_eighth_is_handed_back() -> None:
    patient, hopeless = Door(RacingLedger(7)), Door(RacingLedger(8))

    assert (await patient.intake.accept(a_request())).generation == 8
    with pytest.raises(ChangedUnderneath, match="Requests for alpha come faster than they can be recorded; ask again"):
        await hopeless.intake.accept(a_request())

    assert len(hopeless.queue) == 0
    assert await hopeless.ledger.history(ALPHA) == ()


async def test_a_queue_that_fails_fails_the_door_and_knocking_again_is_safe() -> None:
    clock = LoopClock()
    door = Door(queue=DeafQueue(clock))

    with pytest.raises(Unavailable):
        await door.intake.accept(a_request())
    again = await door.intake.accept(a_request())

    assert again.generation == (await door.row()).generation == 2
    assert await door.messages() == [again]


async def test_a_history_that_fails_fails_the_door_before_anything_is_enqueued() -> None:
    door = Door(ForgetfulLedger())

    with pytest.raises(Unavailable, match="1 entries were not written"):
        await door.intake.accept(a_request())

    assert len(door.queue) == 0


async def test_the_row_is_written_before_the_message_is_sent() -> None:
    class Nosy(MemoryWorkQueue):
        seen: LedgerRow | None = None

        async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
            entry = await door.ledger.read(message.registry)
            self.seen = entry.row if entry else None
            await super().send(message, delay)

    queue = Nosy(LoopClock())
    door = Door(queue=queue)
    await door.intake.accept(a_request())

    assert queue.seen is not None
    assert queue.seen.generation == 1


async def test_registries_of_similar_names_have_generations_of_their_own() -> None:
    door = Door()
    await door.intake.accept(a_request())

    message = await door.intake.accept(a_request(registry_id("alpha_2")))

    assert message.generation == 1
    assert (await door.row()).generation == 1


async def test_a_pass_that_is_at_work_keeps_its_claim_through_a_request() -> None:
    door = Door()
    claim = Claim(holder="pass", until=EPOCH + 20 * SECOND)
    await door.ledger.write(a_row(claim=claim, refused={"x": Reason(name="Locked", sentence="s")}), None)

    await door.intake.accept(a_request())

    row = await door.row()
    assert row.claim == claim
    assert row.refused == {}
