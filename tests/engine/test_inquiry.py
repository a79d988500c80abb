"""What the app says of registries: cheaply, and nothing about those that are none of its business."""

from dataclasses import replace
from datetime import timedelta

import pytest

from local.memory import MemoryLedger
from shared.core.arm import ResourceId
from shared.core.errors import OutOfScope, Unavailable, UnknownRegistry
from shared.core.report import BlockedOutcome, Converged, Outcome, Reason, Superseded, Waiting
from shared.engine.deadline import within
from shared.engine.inquiry import Dossier, Inquiry
from shared.engine.ports import LedgerEntry
from tests.core.worlds import a_policy, registry_id
from tests.engine.desk import a_row
from tests.virtual_time import EPOCH, LoopClock

ALPHA = registry_id("alpha")
FOREIGN = ResourceId.parse(ALPHA.text.replace(ALPHA.subscription, "99999999-9999-4999-8999-999999999999"))
WAITING = Waiting(until=EPOCH, reasons=())
MINUTE = timedelta(minutes=1)


class CountingLedger(MemoryLedger):
    """Counts what is read of it."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        self.reads += 1
        return await super().read(registry)


def inquiry_of(ledger: MemoryLedger, clock: LoopClock | None = None) -> Inquiry:
    return Inquiry(ledger, a_policy(), clock or LoopClock())


@pytest.mark.virtual_time
async def test_what_is_out_of_scope_is_not_even_read() -> None:
    ledger = CountingLedger()
    await ledger.write(a_row(registry=FOREIGN), None)
    inquiry = inquiry_of(ledger)

    for call in (inquiry.dossier(FOREIGN), inquiry.history(FOREIGN), inquiry.settled(FOREIGN, 1, MINUTE)):
        with pytest.raises(OutOfScope, match="outside the policy's scope"):
            await call

    assert ledger.reads == 0
    assert (await inquiry.list()).rows == ()


@pytest.mark.virtual_time
async def test_what_nobody_knows_is_said_to_be_unknown() -> None:
    inquiry = inquiry_of(MemoryLedger())

    for call in (inquiry.dossier(ALPHA), inquiry.history(ALPHA), inquiry.settled(ALPHA, 1, MINUTE)):
        with pytest.raises(UnknownRegistry):
            await call


@pytest.mark.parametrize(
    ("outcome", "sequence", "final"),
    [
        (None, 0, False),
        (Converged(), 0, False),
        (Converged(), 2, True),
        (WAITING, 2, False),
        (Superseded(), 2, False),
        (BlockedOutcome(reasons=(Reason(name="x", sentence="x"),)), 1, True),
    ],
)
def test_an_answer_is_final_when_it_is_this_generations_and_nothing_follows_by_itself(
    outcome: Outcome | None, sequence: int, *, final: bool
) -> None:
    assert Dossier(row=a_row(outcome=outcome, sequence=sequence), done=()).final is final


@pytest.mark.virtual_time
async def test_a_minute_of_waiting_costs_a_handful_of_reads() -> None:
    ledger, clock = CountingLedger(), LoopClock()
    await ledger.write(a_row(outcome=WAITING, sequence=1), None)
    began = clock.now()

    assert await inquiry_of(ledger, clock).settled(ALPHA, 1, MINUTE) is None

    assert ledger.reads <= 20
    assert MINUTE <= clock.now() - began < MINUTE + timedelta(seconds=1)


@pytest.mark.virtual_time
async def test_a_later_requests_end_ends_the_wait_and_an_earlier_ones_does_not() -> None:
    ledger = MemoryLedger()
    entry = await ledger.write(a_row(generation=3, outcome=Converged(), sequence=1), None)
    assert await inquiry_of(ledger).settled(ALPHA, 4, timedelta(seconds=3)) is None

    await ledger.write(replace(entry.row, generation=5), entry.etag)
    found = await inquiry_of(ledger).settled(ALPHA, 4, timedelta())

    assert found is not None
    assert found.phase == "converged"


@pytest.mark.virtual_time
async def test_nobody_waits_longer_than_they_are_willing_to() -> None:
    clock = LoopClock()

    async def slow() -> str:
        await clock.sleep(timedelta(seconds=4))
        return "done"

    assert await within(timedelta(seconds=5), slow(), what="it") == "done"
    with pytest.raises(Unavailable, match="No answer from it within 3 s"):
        await within(timedelta(seconds=3), slow(), what="it")
