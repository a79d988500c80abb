"""Whom the policy leaves alone: registries out of scope, audits, and plans that are too large."""

from dataclasses import replace

import pytest

from shared.core.arm import ResourceId
from shared.core.changes import key_of
from shared.core.errors import UnsafePlan
from shared.core.registry import Registry, TargetKind
from shared.core.report import Audited, BlockedOutcome, Exempt, Waiting
from tests.core.worlds import a_policy, a_registry, closed, private
from tests.engine.desk import ALPHA, MINUTE, Desk
from tests.engine.plane import SUCCEEDED

pytestmark = pytest.mark.virtual_time

POLICY = a_policy()
NEW = a_registry(POLICY)


async def test_a_registry_outside_the_scope_is_not_even_read() -> None:
    desk = Desk(policy=a_policy(scope={"subscriptions": [ALPHA.subscription], "registries": {"exclude": ["alpha"]}}))
    await desk.ask()

    assert isinstance(await desk.pass_(), Exempt)
    assert desk.plane.calls == []
    assert len(desk.queue) == 0
    assert (await desk.row()).outcome == Exempt(why="The registry is outside the policy's scope.")


async def test_a_registry_that_its_tags_take_out_of_the_scope_is_read_and_left_alone() -> None:
    policy = a_policy(scope={"subscriptions": [ALPHA.subscription], "tags": {"exclude": {"isolation": "off"}}})
    tagged = replace(NEW, document=replace(NEW.document, tags={"isolation": "off"}))
    left_alone, looked_after = Desk(tagged, policy), Desk(NEW, policy)
    for desk in (left_alone, looked_after):
        await desk.ask()

    assert await left_alone.pass_() == Exempt(why="The registry's tags take it out of the policy's scope.")
    assert left_alone.plane.started == []
    assert len(left_alone.queue) == 0
    assert isinstance(await looked_after.pass_(), Waiting)


@pytest.mark.parametrize("mode", ["enforce", "audit"])
async def test_what_a_registry_names_in_a_subscription_out_of_scope_is_left_alone(mode: str) -> None:
    elsewhere = ResourceId.parse(
        "/subscriptions/99999999-2222-4333-8444-555555555555/resourceGroups/rg-pay/providers/"
        "Microsoft.Storage/storageAccounts/stpayroll"
    )
    brought = replace(next(t for t in NEW.targets if t.kind is TargetKind.STORAGE), id=elsewhere)
    regions = tuple(replace(region, storage_accounts=(elsewhere,)) for region in NEW.document.regions)
    named = replace(
        NEW,
        document=replace(NEW.document, regions=regions),
        targets=tuple(brought if t.kind is TargetKind.STORAGE else t for t in NEW.targets),
    )
    desk = Desk(named, a_policy(mode=mode))
    await desk.ask()

    outcome = await desk.pass_()

    assert isinstance(outcome, BlockedOutcome | Audited)
    reason = outcome.reasons[0]
    assert reason.name == UnsafePlan.__name__
    assert "of stpayroll) in endpoints: the registry names it as its own" in reason.sentence
    assert "subscription 99999999-2222-4333-8444-555555555555 is not among" in reason.sentence
    assert desk.plane.started == []


async def test_audit_mode_counts_the_changes_reports_them_and_writes_nothing() -> None:
    desk = Desk(policy=a_policy(mode="audit"))
    await desk.ask()

    outcome = await desk.pass_()

    assert isinstance(outcome, Audited)
    report = (await desk.row()).report
    assert report is not None
    assert outcome.changes == len(report.changes) > 0
    assert report.phase == "audited"
    assert desk.plane.started == []
    assert len(desk.queue) == 0


async def test_audit_mode_says_what_would_stand_in_the_way_and_what_would_be_waited_for() -> None:
    targets = tuple(
        replace(target, sku="Standard") if target.kind is TargetKind.ACR else target for target in NEW.targets
    )
    desk = Desk(replace(NEW, targets=targets), a_policy(mode="audit"))
    await desk.ask()

    outcome = await desk.pass_()

    assert isinstance(outcome, Audited)
    assert "UnsupportedSku" in [reason.name for reason in outcome.reasons]
    report = (await desk.row()).report
    assert report is not None
    assert report.reasons == outcome.reasons
    assert desk.plane.started == []


async def test_a_plan_above_the_limit_is_audited_all_the_same_and_told_as_unsafe() -> None:
    desk = Desk(policy=a_policy(mode="audit", limits={"changes_per_registry": 5}))
    await desk.ask()

    outcome = await desk.pass_()

    assert isinstance(outcome, Audited)
    assert outcome.changes > 5
    reason, lockdown = outcome.reasons
    assert reason.name == UnsafePlan.__name__
    assert "limits.changes_per_registry (5)" in reason.sentence
    assert lockdown.name == "Lockdown"


@pytest.mark.parametrize(
    ("registry", "lockdown", "words"),
    [
        (NEW, {}, "Public access would be closed once every endpoint is approved and every name has its record."),
        (private(NEW, POLICY), {}, ""),
        (NEW, {"when": "never"}, ""),
        (closed(NEW), {}, ""),
    ],
)
async def test_audit_mode_says_what_would_be_closed_later(registry: Registry, lockdown: object, words: str) -> None:
    desk = Desk(registry, a_policy(mode="audit", lockdown=lockdown))
    await desk.ask()

    outcome = await desk.pass_()

    assert isinstance(outcome, Audited)
    said = [reason.sentence for reason in outcome.reasons if reason.name == "Lockdown"]
    assert (words in said[0]) if words else said == []


async def test_audit_mode_asks_after_what_still_runs_and_starts_nothing_that_waited_for_it() -> None:
    enforcing = Desk()
    await enforcing.ask()
    await enforcing.pass_()
    desk = Desk(policy=a_policy(mode="audit"), ledger=enforcing.ledger, plane=enforcing.plane)
    row = await desk.row()
    assert row.operations
    assert row.pending
    desk.plane.ends = {key_of(operation.change): SUCCEEDED for operation in row.operations}
    desk.plane.calls.clear()
    await desk.ask()
    await desk.clock.sleep(MINUTE)

    assert isinstance(await desk.pass_(), Audited)
    assert desk.plane.calls[0][0] == "progress"
    assert desk.plane.started == []
    row = await desk.row()
    assert (row.operations, row.pending) == ((), ())


async def test_a_plan_above_the_limit_is_blocked_with_the_numbers_and_nothing_is_started() -> None:
    desk = Desk(policy=a_policy(limits={"changes_per_registry": 5}))
    await desk.ask()

    outcome = await desk.pass_()

    assert isinstance(outcome, BlockedOutcome)
    (reason,) = outcome.reasons
    assert reason.name == UnsafePlan.__name__
    assert "more than limits.changes_per_registry (5) allows" in reason.sentence
    assert desk.plane.started == []
    assert len(desk.queue) == 0
    report = (await desk.row()).report
    assert report is not None
    assert len(report.changes) > 5
