"""One pass: who may do it, what it reads and writes, when the next one comes, and what it leaves behind."""

import asyncio
import json
import logging
from datetime import timedelta
from itertools import pairwise

import pytest

from shared.core.changes import PutZoneGroup, key_of
from shared.core.errors import Locked, Throttled
from shared.core.registry import Access, TargetKind
from shared.core.report import BlockedOutcome, Converged, Done, Superseded, Waiting
from shared.core.requests import WorkMessage
from shared.engine.records import Claim
from tests.core.worlds import a_policy, a_registry, closed, private, with_target
from tests.engine.desk import ALPHA, MINUTE, SECOND, UNAVAILABLE, Desk, reasons, wait_of
from tests.engine.plane import SUCCEEDED
from tests.engine.test_pacing import an_operation
from tests.engine.test_results import ended
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time

POLICY = a_policy()
NEW = a_registry(POLICY)
PRIVATE = private(NEW, POLICY)
ISOLATED = closed(PRIVATE)


def message(generation: int = 1, attempt: int = 1) -> WorkMessage:
    return WorkMessage(registry=ALPHA, generation=generation, attempt=attempt)


# --- who may do it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stale", "row"),
    [
        (message(1, 9), {"generation": 2}),
        (message(2, 3), {"generation": 2, "sequence": 3}),
        (message(2, 1), {"generation": 2, "sequence": 3}),
    ],
)
async def test_a_message_of_an_older_request_or_of_a_pass_that_is_done_is_dropped(
    stale: WorkMessage, row: dict[str, int]
) -> None:
    desk = Desk()
    await desk.ask()
    await desk.remember(**row)
    before = await desk.row()

    assert await desk.reconciler.run(stale) == Superseded()
    assert desk.plane.calls == []
    assert await desk.row() == before
    assert len(desk.queue) == 1


async def test_a_registry_that_another_pass_claims_is_put_back_for_two_seconds_and_nothing_is_read_of_azure() -> None:
    desk = Desk()
    await desk.ask()
    await desk.remember(claim=Claim(holder="1.7@other", until=EPOCH + 20 * SECOND))
    before = await desk.row()

    outcome = await desk.pass_()

    assert (reasons(outcome), wait_of(outcome, desk.clock)) == (["AnotherPass"], 2 * SECOND)
    assert desk.plane.calls == []
    assert await desk.row() == before
    assert desk.queue.next_visible == EPOCH + 2 * SECOND
    (delivery,) = await _due(desk)
    assert WorkMessage.decode(delivery) == message()


async def test_a_claim_that_ends_sooner_is_waited_for_no_longer_than_that() -> None:
    desk = Desk()
    await desk.ask()
    await desk.remember(claim=Claim(holder="1.7@other", until=EPOCH + SECOND))

    assert wait_of(await desk.pass_(), desk.clock) == SECOND
    assert reasons(await desk.pass_()) == ["OperationRunning"] * 6


@pytest.mark.parametrize("holder", ["1.3@dead", "1.2@dead"])
async def test_a_claim_for_the_same_message_or_for_one_that_led_to_it_holds_nobody_up(holder: str) -> None:
    desk = Desk()
    await desk.ask()
    await desk.remember(claim=Claim(holder=holder, until=EPOCH + 20 * SECOND), sequence=1)

    assert "AnotherPass" not in reasons(await desk.reconciler.run(message(1, 3)))
    assert (await desk.row()).claim is None


@pytest.mark.parametrize("holder", ["1.4@at work", "2.1@at work", "12.1@at work", "somebody", "", "1.x@", "1"])
async def test_any_other_claim_is_waited_for(holder: str) -> None:
    desk = Desk()
    await desk.ask()
    await desk.remember(claim=Claim(holder=holder, until=EPOCH + 20 * SECOND), sequence=1)

    assert reasons(await desk.reconciler.run(message(1, 3))) == ["AnotherPass"]
    assert desk.plane.calls == []


async def test_a_message_whose_row_is_gone_begins_again_and_goes_on() -> None:
    desk = Desk()

    outcome = await desk.reconciler.run(message(7, 3))

    row = await desk.row()
    assert isinstance(outcome, Waiting)
    assert (row.generation, row.sequence) == (7, 3)
    assert len(desk.queue) == 1


async def test_a_request_during_a_pass_keeps_what_it_started_and_is_followed_by_its_own_message_only() -> None:
    desk = Desk()
    await desk.ask()
    desk.plane.take("start create-zone", 5 * SECOND)

    async def interrupt() -> None:
        await desk.clock.sleep(2 * SECOND)
        await desk.ask()

    await asyncio.gather(desk.reconciler.run(message()), interrupt())

    row = await desk.row()
    assert (row.generation, row.sequence, len(row.operations)) == (2, 0, 6)
    assert [WorkMessage.decode(text).generation for text in await _due(desk)] == [1, 2]
    assert desk.queue.next_visible is not None


async def _due(desk: Desk) -> list[str]:
    """Texts of every message in the queue, in the order in which they become visible."""
    due = desk.queue.next_visible
    found: list[str] = []
    while due is not None and len(found) < len(desk.queue):
        await desk.clock.sleep(due - desk.clock.now())
        found += [delivery.text for delivery in await desk.queue.receive()]
        due = desk.queue.next_visible
    return found


# --- passes -----------------------------------------------------------------------------------------------------------


async def test_an_isolated_registry_is_converged_after_one_look_and_nothing_follows() -> None:
    desk = Desk(ISOLATED)
    await desk.ask()
    await desk.remember(failures=3, repairs={"x": 1}, denied_since={"y": EPOCH})

    assert await desk.pass_() == Converged()
    assert desk.plane.started == []
    assert len(desk.queue) == 0
    row = await desk.row()
    assert (row.failures, row.repairs, row.denied_since, row.claim, row.sequence) == (0, {}, {}, None, 1)
    assert row.outcome == Converged()


async def test_a_pass_starts_what_it_can_and_comes_back_at_the_first_look() -> None:
    desk = Desk()
    await desk.ask()

    outcome = await desk.pass_()

    row = await desk.row()
    assert sorted(set(desk.plane.started)) == ["create-endpoint", "create-zone"]
    assert {change.kind for change in row.pending} == {"link-zone", "put-zone-group"}
    assert wait_of(outcome, desk.clock) == 36 * SECOND
    assert desk.queue.next_visible == EPOCH + 36 * SECOND
    assert [WorkMessage.decode(text) for text in await _due(desk)] == [message(1, 2)]


async def test_while_operations_run_a_pass_asks_after_them_and_reads_nothing_else() -> None:
    desk = Desk()
    await desk.ask()
    await desk.pass_()
    desk.plane.calls.clear()

    outcome = await desk.pass_()

    assert {name for name, _ in desk.plane.calls} == {"progress"}
    assert set(reasons(outcome)) == {"OperationRunning"}
    assert wait_of(outcome, desk.clock) == 3.6 * SECOND


async def test_the_report_keeps_what_the_last_plan_said_while_operations_run() -> None:
    desk = Desk()
    await desk.ask()
    await desk.pass_()
    first = (await desk.row()).report
    await desk.pass_()
    second = (await desk.row()).report

    assert first is not None
    assert second is not None
    kept = ("conditions", "findings", "changes", "digest", "registry", "phase")
    assert {name: getattr(first, name) for name in kept} == {name: getattr(second, name) for name in kept}
    assert first.conditions
    assert (first.at, second.at) == (EPOCH, EPOCH + 36 * SECOND)


async def test_what_waited_for_an_operation_is_started_without_another_observation() -> None:
    desk = Desk()
    await desk.ask()
    await desk.pass_()
    operations = (await desk.row()).operations
    desk.plane.ends = {key_of(op.change): SUCCEEDED for op in operations}
    desk.plane.calls.clear()

    await desk.passes(2)

    assert desk.plane.asked("read_registry") == []
    assert set(desk.plane.started) == {"link-zone", "put-zone-group"}


async def test_the_outcome_is_told_in_the_history_when_it_changes_and_not_with_every_look() -> None:
    desk = Desk()
    await desk.ask()
    await desk.passes(4)
    desk.plane.registry = ISOLATED
    await desk.remember(operations=(), pending=())
    await desk.passes(1)

    assert await desk.told("outcome") == ["waiting", "converged"]


async def test_a_pass_is_one_log_line_with_the_same_keys_always(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    await desk.ask()
    with caplog.at_level(logging.INFO, "registry_isolation"):
        await desk.pass_()
        await desk.reconciler.run(message())

    lines = [json.loads(line.removeprefix("pass ")) for line in caplog.messages if line.startswith("pass ")]
    times = {"seconds", "late_seconds", "isolated_seconds"}
    assert [line["outcome"] for line in lines] == ["waiting", "superseded"]
    assert all(
        set(line)
        == {"registry", "generation", "attempt", "outcome", "reason", "digest", "operations", "why", "reasons"} | times
        for line in lines
    )
    assert lines[0]["operations"] == 6


async def test_what_takes_effect_at_once_is_verified_in_the_same_pass() -> None:
    desk = Desk(with_target(PRIVATE, TargetKind.REGISTRY, access=Access.CLOSED))
    desk.plane.starts = {"close-public-access": Done()}
    await desk.ask()

    outcome = await desk.pass_()

    assert desk.plane.started == ["close-public-access"] * 6
    assert len(desk.plane.asked("read_registry")) == 3
    assert reasons(outcome) == ["ChangesDone"]


async def test_changes_that_somebody_undoes_at_once_are_made_again_ever_more_rarely() -> None:
    desk = Desk(with_target(PRIVATE, TargetKind.REGISTRY, access=Access.CLOSED))
    desk.plane.starts = {"close-public-access": Done()}
    await desk.ask()

    waits = [wait_of(await desk.pass_(), desk.clock) for _ in range(9)]

    assert timedelta(seconds=3) < waits[0] <= 5 * SECOND
    assert all(later > earlier for earlier, later in pairwise(waits[:7]))
    assert waits[-1] > 6 * MINUTE


async def test_no_observation_begins_after_the_deadline() -> None:
    desk = Desk(with_target(PRIVATE, TargetKind.REGISTRY, access=Access.CLOSED), deadline=10 * SECOND)
    desk.plane.starts = {"close-public-access": Done()}
    desk.plane.take("start close-public-access", 10 * SECOND)
    await desk.ask()

    await desk.pass_()

    assert len(desk.plane.asked("read_registry")) == 1
    assert len(desk.queue) == 1


async def test_what_the_deadline_cut_off_is_carried_on_by_the_next_pass() -> None:
    desk = Desk(deadline=10 * SECOND)
    desk.plane.take("start create-zone", 10 * SECOND)
    desk.plane.starts = {"create-zone": Done(), "create-endpoint": Done()}
    await desk.ask()

    await desk.pass_()
    desk.plane.take("start create-zone", timedelta())
    kinds = {change.kind for change in (await desk.row()).pending}
    desk.plane.calls.clear()
    await desk.pass_()

    assert kinds == {"link-zone", "put-zone-group"}
    assert desk.plane.asked("read_registry") == []
    assert set(desk.plane.started) == kinds


@pytest.mark.parametrize(("failures", "looks"), [(0, 1), (1, 0)])
async def test_an_operation_that_failed_is_looked_into_at_once_and_with_patience_the_second_time(
    failures: int, looks: int
) -> None:
    desk = Desk(ISOLATED)
    await desk.ask()
    await desk.remember(operations=(an_operation(_zone_group()),), failures=failures)
    desk.plane.ends = {key_of(_zone_group()): ended(UNAVAILABLE)}

    outcome = await desk.pass_()

    assert len(desk.plane.asked("read_registry")) == looks
    assert await desk.told("change") == ["Unavailable"]
    if not looks:
        assert reasons(outcome) == ["Unavailable"]
        assert timedelta(seconds=13) < wait_of(outcome, desk.clock) <= 20 * SECOND


def _zone_group() -> PutZoneGroup:
    return PutZoneGroup(endpoint=PRIVATE.networks[0].endpoints[0].id, name="default", zones={})


async def test_a_throttled_observation_waits_as_long_as_azure_asks() -> None:
    desk = Desk()
    desk.plane.fail("read_registry", Throttled("Slow down.", retry_after=7 * MINUTE))
    await desk.ask()

    outcome = await desk.pass_()

    assert (reasons(outcome), wait_of(outcome, desk.clock)) == (["Throttled"], 7 * MINUTE)
    assert (await desk.row()).failures == 1


async def test_a_lock_on_reading_is_handed_to_a_person() -> None:
    desk = Desk()
    desk.plane.fail("read_registry", Locked("A lock."))
    await desk.ask()

    outcome = await desk.pass_()

    assert isinstance(outcome, BlockedOutcome)
    assert reasons(outcome) == ["Locked"]
    assert len(desk.queue) == 0
