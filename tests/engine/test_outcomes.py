"""Outcome events in the row: with the outcome or not at all, whoever else writes meanwhile."""

import random
from dataclasses import replace

import pytest

from local.memory import MemoryLedger
from local.memory_outcomes import MemoryOutcomeQueue
from shared.cloud.ledger_entities import from_row_entity, to_row_entity
from shared.core.audit import Effect
from shared.core.errors import Unavailable
from shared.core.outcome_messages import OutcomeMessage
from shared.core.outcomes import MOST_KEPT, OutcomeKind, Told
from shared.core.registry import Json
from shared.core.report import BlockedOutcome, Converged, Failed, Outcome, Reason, Report, Waiting
from shared.core.requests import WorkMessage
from shared.engine.outcomes import Outbox, announce, announce_drift, overflow, silence, told
from shared.engine.ports import LedgerEntry
from shared.engine.records import LedgerRow
from shared.engine.work import Work
from tests.core.test_outcomes import an_event
from tests.core.worlds import a_policy, a_registry, plan_for
from tests.engine.desk import ALPHA, MINUTE, a_retrier, a_row
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time
ISOLATED = Told(kind=OutcomeKind.ISOLATED, phase="converged")
PLAN = plan_for(a_registry(a_policy()), a_policy())
LOST = Unavailable("The answer was lost.")


def a_report(outcome: Outcome) -> Report:
    return Report(registry=ALPHA, at=EPOCH + MINUTE, phase=outcome.kind, digest="d", changes=("close it",))


class Pass:
    """One pass's work over a ledger that others write as well."""

    def __init__(self, ledger: MemoryLedger, entry: LedgerEntry, *, tells: bool = True) -> None:
        self.ledger = ledger
        clock = LoopClock()
        message = WorkMessage(registry=ALPHA, generation=1, attempt=1)
        self.work = Work(ledger, entry, message, a_retrier(clock), clock.now(), tells=tells)

    async def finish(self, outcome: Outcome) -> None:
        await self.work.finish(outcome, a_report(outcome))

    async def row(self) -> LedgerRow:
        entry = await self.ledger.read(ALPHA)
        assert entry is not None
        return entry.row

    async def others_write(self, **members: object) -> None:
        entry = await self.ledger.read(ALPHA)
        assert entry is not None
        await self.ledger.write(replace(entry.row, **members), entry.etag)  # type: ignore[arg-type]


async def a_pass(*, tells: bool = True, **members: object) -> Pass:
    ledger = MemoryLedger()
    entry = await ledger.write(a_row(**members), None)
    return Pass(ledger, entry, tells=tells)


def kinds(row: LedgerRow) -> list[str]:
    return [event.kind.value for event in row.outbox]


def test_an_outcome_is_announced_once_however_often_it_is_written() -> None:
    row = announce(a_row(), Converged(), a_report(Converged()))

    assert kinds(row) == ["Isolated"]
    assert row.told == Told(kind=OutcomeKind.ISOLATED, phase="converged", number=1)
    assert announce(row, Converged(), a_report(Converged())) == row
    assert row.outbox[0].changes == ()  # the changes of a plan belong to drift


def test_drift_holds_what_will_be_done_and_is_none_before_isolation() -> None:
    row = announce_drift(a_row(told=ISOLATED), PLAN, EPOCH)

    assert kinds(row) == ["Drifted"]
    assert row.outbox[0].digest == PLAN.digest
    assert row.outbox[0].changes[0] == PLAN.changes[0].sentence[:150]
    assert announce_drift(row, PLAN, EPOCH) == row
    assert announce_drift(a_row(), PLAN, EPOCH) == a_row()


def test_who_tells_nobody_keeps_nothing() -> None:
    row = a_row(told=ISOLATED, outbox=(an_event(),))

    assert silence(row) == a_row()


async def test_somebody_else_than_a_pass_tells_by_the_same_rules() -> None:
    outcome = Failed(reason=Reason(name="Poisoned", sentence="Five times."))
    outbox = Outbox(MemoryOutcomeQueue(LoopClock()))
    row = told(a_row(), outcome, a_report(outcome), outbox)

    assert kinds(row) == ["Failed"]
    assert told(row, outcome, a_report(outcome), None) == a_row()


async def test_a_pass_writes_the_event_with_its_outcome() -> None:
    its = await a_pass()
    await its.finish(Converged())

    row = await its.row()
    assert (row.outcome, kinds(row), its.work.announced) == (Converged(), ["Isolated"], True)


async def test_a_pass_that_waits_tells_nothing() -> None:
    its = await a_pass(told=ISOLATED)
    await its.finish(Waiting(until=EPOCH, reasons=()))

    assert (kinds(await its.row()), its.work.announced) == ([], False)


async def test_drift_is_in_the_row_before_the_first_write_to_azure() -> None:
    its = await a_pass(told=ISOLATED)
    its.work.drift(PLAN, EPOCH)
    await its.work.claim(EPOCH)
    assert kinds(await its.row()) == ["Drifted"]

    await its.finish(Converged())
    assert kinds(await its.row()) == ["Drifted", "Isolated"]


async def test_a_delivery_during_the_pass_neither_loses_nor_revives_an_event() -> None:
    its = await a_pass(told=ISOLATED, outbox=(an_event(),))
    its.work.drift(PLAN, EPOCH)
    await its.work.claim(EPOCH)
    assert not its.work.announced_first  # somebody is about to deliver the first one
    await its.others_write(outbox=())  # the topic has both, and nobody looks again

    await its.finish(Converged())

    assert kinds(await its.row()) == ["Isolated"]
    assert its.work.announced_first


async def test_only_the_first_event_that_waits_asks_for_a_lasting_delivery() -> None:
    first = await a_pass()
    await first.finish(Converged())
    assert (first.work.announced, first.work.announced_first) == (True, True)

    second = await a_pass(told=ISOLATED, outbox=(an_event(),))
    await second.finish(BlockedOutcome(reasons=(Reason(name="Locked", sentence="A lock."),)))
    assert (second.work.announced, second.work.announced_first) == (True, False)


async def test_a_request_during_the_pass_costs_no_event() -> None:
    its = await a_pass()
    await its.others_write(generation=2, origin="another event")
    await its.finish(Converged())

    row = await its.row()
    assert (row.generation, kinds(row)) == (2, ["Isolated"])


async def test_a_write_whose_answer_was_lost_tells_once() -> None:
    class Deaf(MemoryLedger):
        lost = False

        async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
            written = await super().write(row, etag)
            if etag is not None and not self.lost:
                self.lost = True
                raise LOST
            return written

    ledger = Deaf()
    its = Pass(ledger, await ledger.write(a_row(), None))
    await its.finish(Converged())

    assert kinds(await its.row()) == ["Isolated"]


async def test_an_app_that_lost_its_topic_forgets_what_it_would_have_told() -> None:
    its = await a_pass(tells=False, told=ISOLATED, outbox=(an_event(),))
    await its.finish(BlockedOutcome(reasons=(Reason(name="Locked", sentence="A lock."),)))

    row = await its.row()
    assert (row.told, row.outbox) == (None, ())


async def test_events_that_nobody_takes_are_dropped_oldest_first_and_the_history_says_so() -> None:
    waiting = tuple(an_event(Told(kind=OutcomeKind.BLOCKED, number=number)) for number in range(MOST_KEPT))
    its = await a_pass(told=Told(kind=OutcomeKind.BLOCKED, number=MOST_KEPT), outbox=waiting, origin="e")
    await its.finish(Converged())

    row = await its.row()
    assert [event.id for event in row.outbox] == [*(event.id for event in waiting[1:]), row.outbox[-1].id]
    (line,) = [entry for entry in await its.ledger.history(ALPHA) if entry.subject == "outbox"]
    assert (line.result, line.origin, line.generation) == ("dropped", "e", 1)
    assert line.sentence.startswith("1 outcome event was dropped")
    assert overflow(row) == (row, 0)


async def test_a_list_shows_which_rows_have_something_to_deliver() -> None:
    its = await a_pass()
    assert [row.outbox for row in (await its.ledger.list_rows()).rows] == [False]
    await its.finish(Converged())

    assert [row.outbox for row in (await its.ledger.list_rows()).rows] == [True]
    assert (await its.ledger.summaries([ALPHA]))[ALPHA].outbox


async def test_a_pass_asks_for_ever_and_a_sweep_for_a_while() -> None:
    queue = MemoryOutcomeQueue(LoopClock())
    await Outbox(queue).announced(ALPHA)
    await Outbox(queue).announced(ALPHA, first=False)
    await Outbox(queue).wake(ALPHA)

    messages = [OutcomeMessage.decode(each.text) for each in await queue.texts.receive()]
    assert [message.lasting for message in messages] == [True, False, False]
    assert {message.registry for message in messages} == {ALPHA}


def test_the_longest_events_and_effects_fit_into_a_row_together() -> None:
    rng = random.Random(4)

    def noise(length: int) -> str:
        return "".join(chr(rng.randrange(0x4E00, 0x9FA0)) for _ in range(length))

    reasons = [Reason(name=noise(60), sentence=noise(400)) for _ in range(5)]
    changes = [noise(150) for _ in range(8)]
    last = ISOLATED
    events = []
    for number in range(MOST_KEPT):
        last = replace(last, number=number)
        events.append(an_event(last, OutcomeKind.BLOCKED, reasons=reasons, changes=changes))
    side: dict[str, Json] = {"a": f"{rng.getrandbits(4 * 3_900):x}"}
    effects = {f"create-endpoint:{ALPHA.key}{number}": Effect(before=side, after=side) for number in range(60)}
    row = a_row(told=last, outbox=tuple(events), effects=effects)

    assert from_row_entity(to_row_entity(row), ALPHA) == row
