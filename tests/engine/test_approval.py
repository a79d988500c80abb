"""A pass under an approval: the very forecast first, then only its changes, whoever asks in between."""

from dataclasses import replace

import pytest

from shared.core.approval import Approval
from shared.core.errors import PlanChanged
from shared.core.forecast import Forecast, forecast
from shared.core.lockdown import Memory
from shared.core.report import BlockedOutcome, Converged, Outcome, Reason, Waiting
from shared.core.requests import RequestReason, WorkMessage
from shared.engine.approval import hold_back, require_approved
from shared.engine.intake import next_generation
from shared.engine.work import Work
from tests.core.worlds import NOW, ZONES, a_policy, a_registry
from tests.engine.desk import ALPHA, Desk, a_request, a_retrier, a_row
from tests.virtual_time import EPOCH, LoopClock

DIGEST = "0" * 64
BEGUN = Approval(digest=DIGEST, marks=("x",))
REASON = Reason(name="PlanChanged", sentence="x")


def foreseen() -> Forecast:
    policy = a_policy()
    return forecast(a_registry(policy), policy, ZONES, Memory(now=NOW))


def work_on(approved: Approval | None) -> Work:
    desk, clock = Desk(), LoopClock()
    message = WorkMessage(registry=ALPHA, generation=1, attempt=1)
    work = Work(desk.ledger, None, message, a_retrier(clock), EPOCH)
    work.update(approved=approved, pending=foreseen().changes)
    return work


def never() -> Forecast:
    raise AssertionError("A begun approval needs no forecast.")


@pytest.mark.virtual_time
async def test_who_asks_without_a_digest_approves_whatever_the_policy_asks() -> None:
    work = work_on(None)

    hold_back(work)
    require_approved(work, foreseen().plan, never)

    assert work.row.pending == foreseen().changes


@pytest.mark.virtual_time
async def test_an_approval_begins_with_the_forecast_it_names() -> None:
    work = work_on(Approval(digest=foreseen().digest))

    hold_back(work)
    require_approved(work, foreseen().plan, foreseen)

    assert work.row.pending == ()
    assert work.row.approved == Approval(digest=foreseen().digest).begin(foreseen().changes)


@pytest.mark.virtual_time
async def test_another_forecast_is_refused_with_both_digests() -> None:
    work = work_on(Approval(digest=DIGEST))

    with pytest.raises(PlanChanged) as caught:
        require_approved(work, foreseen().plan, foreseen)

    assert DIGEST in caught.value.sentence
    assert foreseen().digest in caught.value.sentence
    assert work.row.approved == Approval(digest=DIGEST)


@pytest.mark.virtual_time
async def test_what_is_begun_goes_on_and_strangers_are_named() -> None:
    whole = foreseen()
    work = work_on(Approval(digest=whole.digest).begin(whole.changes))
    hold_back(work)
    require_approved(work, whole.plan, never)
    assert work.row.pending == whole.changes

    work.update(approved=Approval(digest=whole.digest).begin(whole.changes[4:]))
    with pytest.raises(PlanChanged, match="and 1 more") as caught:
        require_approved(work, replace(whole.plan, changes=whole.changes[:4]), never)
    assert whole.changes[0].sentence in caught.value.sentence


@pytest.mark.parametrize(
    ("reason", "sequence", "outcome", "kept"),
    [
        (RequestReason.EVENT, 0, Converged(), True),
        (RequestReason.RELATED, 3, Waiting(until=EPOCH, reasons=()), True),
        (RequestReason.EVENT, 3, BlockedOutcome(reasons=(REASON,)), True),
        (RequestReason.EVENT, 3, Converged(), False),
        (RequestReason.HTTP, 0, None, False),
        (RequestReason.SWEEP, 3, BlockedOutcome(reasons=(REASON,)), False),
        (RequestReason.REPLAY, 0, None, False),
    ],
)
def test_events_leave_an_approval_alone_until_its_work_has_ended(
    reason: RequestReason, sequence: int, outcome: Outcome | None, *, kept: bool
) -> None:
    row = a_row(approved=BEGUN, sequence=sequence, outcome=outcome)

    assert next_generation(row, a_request(reason=reason), EPOCH).approved == (BEGUN if kept else None)


def test_a_new_digest_replaces_an_approval() -> None:
    row = next_generation(a_row(approved=BEGUN), a_request(reason=RequestReason.HTTP, approved=DIGEST), EPOCH)

    assert row.approved == Approval(digest=DIGEST)


@pytest.mark.virtual_time
async def test_a_pass_that_is_overtaken_by_an_approval_saves_the_approval() -> None:
    desk = Desk()
    message = await desk.ask()
    entry = await desk.ledger.read(ALPHA)
    work = Work(desk.ledger, entry, message, a_retrier(desk.clock), desk.clock.now())
    await desk.intake.accept(a_request(reason=RequestReason.HTTP, approved=DIGEST))

    await work.save()

    assert (await desk.row()).approved == Approval(digest=DIGEST)
