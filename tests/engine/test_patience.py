"""A wait that leads nowhere ends after an hour; an error that keeps coming back says since when."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from local.memory import MemoryLedger
from shared.core.report import BlockedOutcome, Converged, Outcome, Reason, Waiting
from shared.core.requests import WorkMessage
from shared.engine.patience import LIMIT, OWN_LIMIT, PASSING, WORTH_TELLING, endured
from shared.engine.retrying import Retrier
from shared.engine.work import Work
from tests.engine.desk import ALPHA, MINUTE, Desk, a_row
from tests.virtual_time import EPOCH, LoopClock


def a_work(**members: Any) -> Work:
    message = WorkMessage(registry=ALPHA, generation=1, attempt=1)
    work = Work(MemoryLedger(), None, message, Retrier(LoopClock(), EPOCH + MINUTE), EPOCH)
    work.row = a_row(**members)
    return work


def waiting(*names: str, resource: str = "/x", until: datetime = EPOCH) -> Waiting:
    return Waiting(
        until=until, reasons=tuple(Reason(name=name, sentence=f"{name}.", resource=resource) for name in names)
    )


def after(work: Work, duration: timedelta, outcome: Outcome) -> Outcome:
    return endured(work, outcome, EPOCH + duration)


def test_the_same_wait_ends_after_an_hour_with_a_sentence() -> None:
    work = a_work()
    for minutes in range(0, 60, 7):
        assert after(work, minutes * MINUTE, waiting("LinkUpdating")) == waiting("LinkUpdating")

    ended = after(work, LIMIT, waiting("LinkUpdating"))

    assert isinstance(ended, BlockedOutcome)
    (reason,) = ended.reasons
    assert (reason.name, reason.resource) == ("StuckOperation", "/x")
    assert reason.sentence.startswith("LinkUpdating. Nothing about it has changed since 2026-01-05 00:00 UTC")


def test_whatever_moves_begins_the_hour_anew() -> None:
    work = a_work()
    after(work, 0 * MINUTE, waiting("OperationRunning", resource="/a"))
    for minutes in (50, 75):
        after(work, minutes * MINUTE, waiting("OperationRunning", resource="/b"))

    assert after(work, 100 * MINUTE, waiting("OperationRunning", resource="/b")) == waiting(
        "OperationRunning", resource="/b"
    )
    assert isinstance(after(work, 110 * MINUTE, waiting("OperationRunning", resource="/b")), BlockedOutcome)


def test_an_hour_in_which_the_app_could_not_look_is_no_hour_without_progress() -> None:
    work = a_work()
    after(work, 0 * MINUTE, waiting("LinkUpdating"))

    assert after(work, 2 * LIMIT, waiting("LinkUpdating")) == waiting("LinkUpdating")


def test_an_end_in_between_begins_the_hour_anew() -> None:
    work = a_work()
    after(work, 0 * MINUTE, waiting("LinkUpdating"))
    assert after(work, 30 * MINUTE, Converged()) == Converged()
    assert work.row.waited is None

    after(work, 31 * MINUTE, waiting("LinkUpdating"))
    assert after(work, 80 * MINUTE, waiting("LinkUpdating")) == waiting("LinkUpdating")


@pytest.mark.parametrize("name", sorted(OWN_LIMIT))
def test_waits_with_a_limit_of_their_own_keep_it(name: str) -> None:
    work = a_work()
    after(work, 0 * MINUTE, waiting(name))

    assert after(work, 10 * LIMIT, waiting(name)) == waiting(name)


def test_beside_a_wait_with_its_own_limit_the_other_one_ends() -> None:
    work = a_work()
    for minutes in (0, 20, 40):
        after(work, minutes * MINUTE, waiting("Propagation", "LinkUpdating"))

    ended = after(work, LIMIT, waiting("Propagation", "LinkUpdating"))

    assert isinstance(ended, BlockedOutcome)
    assert [reason.name for reason in ended.reasons] == ["Propagation", "StuckOperation"]


@pytest.mark.parametrize("name", sorted(PASSING))
def test_a_temporary_error_never_ends_and_says_since_when(name: str) -> None:
    work = a_work()
    after(work, 1 * MINUTE, waiting(name, resource="/a"))
    assert after(work, MINUTE, waiting(name)) == waiting(name)

    told = after(work, 100 * LIMIT, waiting(name, resource="/another"))

    assert isinstance(told, Waiting)
    assert told.reasons[0].sentence == f"{name}. So since 2026-01-05 00:01 UTC."


def test_a_hiccup_is_not_worth_telling() -> None:
    work = a_work()
    after(work, 0 * MINUTE, waiting("Busy"))

    assert after(work, WORTH_TELLING - MINUTE, waiting("Busy")) == waiting("Busy")


@pytest.mark.virtual_time
async def test_an_operation_that_never_ends_blocks_its_registry_and_a_request_tries_again() -> None:
    desk = Desk()  # its Azure starts whatever it is told to and never gets done
    await desk.ask()
    outcome = await desk.pass_()
    while isinstance(outcome, Waiting):
        outcome = await desk.pass_()

    assert isinstance(outcome, BlockedOutcome)
    assert {reason.name for reason in outcome.reasons} == {"StuckOperation"}
    assert LIMIT <= desk.clock.now() - EPOCH <= LIMIT + 5 * MINUTE
    assert len(desk.queue) == 0

    await desk.ask()
    assert (await desk.pass_()).kind == "waiting"
