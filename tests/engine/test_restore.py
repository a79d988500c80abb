"""Restoring against an Azure that refuses, forgets, waits or is gone; the stories are told among the scenarios."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.changes import key_of
from shared.core.registry import TargetKind
from shared.core.report import BlockedOutcome, Done, Paused, Waiting
from shared.core.restore import Pause, Restoration, RestoreSettings
from shared.engine.restore import PATIENCE
from tests.core.worlds import a_policy, a_registry, closed, want
from tests.engine.desk import ALPHA, MINUTE, SECOND, UNAVAILABLE, Desk, reasons, wait_of
from tests.engine.test_pacing import an_operation
from tests.engine.test_results import ended
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time
CLOSED = closed(a_registry(a_policy()))
OPEN: dict[str, Any] = {"publicNetworkAccess": "Enabled"}
PAUSE = Pause(by="somebody", at=EPOCH, why="a demonstration")
UNDO = Restoration(kind="undo", since=EPOCH, why="Undone at the request of somebody.")
OPENING = RestoreSettings(target=ALPHA, target_kind=TargetKind.REGISTRY, settings=OPEN)


async def undone(desk: Desk, **members: Any) -> Desk:
    """A registry that is closed and that somebody asked to have as it was."""
    await desk.ask()
    await desk.remember(**{"paused": PAUSE, "restoring": UNDO, "snapshots": {ALPHA.key: OPEN}} | members)
    return desk


async def test_writes_that_azure_accepts_and_does_not_show_are_looked_at_again_and_then_told_to_a_person() -> None:
    desk = await undone(Desk(CLOSED))
    desk.plane.starts["restore-settings"] = Done()

    first = await desk.pass_()

    assert reasons(first) == ["Propagation"]
    assert timedelta() < wait_of(first, desk.clock) <= MINUTE
    assert desk.plane.started == ["restore-settings"] * 3
    last = first
    while isinstance(last, Waiting):
        last = await desk.pass_()
    assert isinstance(last, BlockedOutcome)
    assert reasons(last) == ["NotRestored"]
    assert "still shows other network settings" in last.reasons[0].sentence
    assert desk.clock.now() - EPOCH > PATIENCE


@pytest.mark.parametrize("paused", [PAUSE, None])
async def test_a_registry_that_stays_gone_needs_nothing_restored(paused: Pause | None) -> None:
    desk = await undone(Desk(CLOSED), paused=paused, observed=True)
    desk.plane.registry = None

    outcome = await desk.pass_()

    assert reasons(outcome) == ["RegistryNotFound"]
    assert (await desk.row()).restoring == UNDO
    await desk.clock.sleep(2 * MINUTE)
    await desk.pass_()
    assert desk.plane.started == []
    assert (await desk.row()).restoring is None


async def test_of_a_registry_that_is_gone_nothing_is_restored_while_what_was_made_for_it_waits_to_be_removed() -> None:
    made = want(a_registry(a_policy()), a_policy(), "acr").id
    desk = await undone(Desk(CLOSED), observed=True, made=(made,))
    desk.plane.registry = None
    assert reasons(await desk.pass_()) == ["RegistryNotFound"]
    await desk.clock.sleep(2 * MINUTE)

    outcome = await desk.pass_()

    assert reasons(outcome) == ["GracePeriod"]
    row = await desk.row()
    assert (row.restoring, row.made, row.paused) == (None, (made,), PAUSE)
    told = [entry for entry in (await desk.ledger.history_page(ALPHA, 20)).entries if entry.subject == UNDO.kind]
    assert [(entry.sentence, entry.result) for entry in told] == [(UNDO.why, "gone")]


async def test_a_registry_that_was_gone_for_one_look_is_restored_by_the_next() -> None:
    desk = await undone(Desk(CLOSED), observed=True)
    there, desk.plane.registry = desk.plane.registry, None
    await desk.pass_()
    desk.plane.registry = there

    await desk.pass_()

    row = await desk.row()
    assert desk.plane.started
    assert row.missing_since is None
    assert row.restoring is not None


async def test_a_look_that_does_not_show_it_makes_the_time_begin_anew_in_which_it_has_to_last() -> None:
    shown = replace(UNDO, written=EPOCH, shown=EPOCH)
    desk = await undone(Desk(CLOSED), restoring=shown)
    desk.plane.starts["restore-settings"] = Done()
    await desk.clock.sleep(10 * MINUTE)

    outcome = await desk.pass_()

    assert reasons(outcome) == ["Propagation"]
    row = await desk.row()
    assert row.restoring is not None
    assert row.restoring.shown is None


async def test_a_write_that_fails_twice_for_a_passing_reason_is_not_repeated_at_once() -> None:
    desk = await undone(Desk(CLOSED), operations=(an_operation(OPENING),), failures=1)
    desk.plane.ends = {key_of(OPENING): ended(UNAVAILABLE)}

    outcome = await desk.pass_()

    assert reasons(outcome) == ["Unavailable"]
    assert wait_of(outcome, desk.clock) > 10 * SECOND
    assert desk.plane.started == []


async def test_a_write_that_fails_once_for_a_passing_reason_is_repeated_at_once() -> None:
    desk = await undone(Desk(CLOSED), operations=(an_operation(OPENING),))
    desk.plane.ends = {key_of(OPENING): ended(UNAVAILABLE)}

    assert reasons(await desk.pass_()) == ["OperationRunning"]
    assert desk.plane.started == ["restore-settings"]


async def test_a_write_that_failed_while_nobody_could_look_is_repeated_however_late_that_is() -> None:
    """Azure did not ignore what it says has failed, so the hour is not over that it has to show what it accepted."""
    desk = await undone(Desk(CLOSED), operations=(an_operation(OPENING),), restoring=replace(UNDO, written=EPOCH))
    desk.plane.ends = {key_of(OPENING): ended(UNAVAILABLE)}
    await desk.clock.sleep(2 * PATIENCE)

    assert reasons(await desk.pass_()) == ["OperationRunning"]
    assert desk.plane.started == ["restore-settings"]


@pytest.mark.parametrize("members", [{"restoring": None}, {"snapshots": {}}])
async def test_a_registry_that_the_policy_has_let_go_rests_without_a_look_at_azure(members: dict[str, Any]) -> None:
    desk = Desk(CLOSED, a_policy(scope={"subscriptions": ["99999999-2222-4333-8444-555555555555"]}))
    await undone(desk, **members)

    outcome = await desk.pass_()

    assert outcome == Paused(by=PAUSE.by, since=PAUSE.at, why=PAUSE.why)
    assert desk.plane.asked("read_registry") == []
    assert (await desk.row()).restoring is None


async def test_a_registry_that_is_gone_rests_if_the_policy_has_let_it_go() -> None:
    """What was made for it is not cleaned up by an app that is not to care for it any more."""
    desk = Desk(CLOSED, a_policy(scope={"subscriptions": ["99999999-2222-4333-8444-555555555555"]}))
    await undone(desk)
    desk.plane.registry = None

    assert isinstance(await desk.pass_(), Paused)
    assert len(desk.plane.asked("read_registry")) == 1
    assert (await desk.row()).restoring is None


async def test_what_rests_and_is_gone_is_missed() -> None:
    desk = await undone(Desk(CLOSED), restoring=None)
    desk.plane.registry = None

    outcome = await desk.pass_()

    assert isinstance(outcome, Waiting)
    assert (await desk.row()).missing_since is not None
