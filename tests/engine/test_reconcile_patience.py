"""How long a pass's chain waits: for a registry being made or gone, for a permission, for Azure's own closing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.changes import ClosePublicAccess, key_of
from shared.core.errors import AccessDenied, ChangedUnderneath, Locked, NotReadyYet, RegistryIsolationError
from shared.core.registry import Access, RegistryRegion, TargetKind
from shared.core.report import BlockedOutcome, Converged, Gone, Outcome, Waiting
from shared.engine.records import Watch
from tests.core.worlds import a_policy, a_registry, closed, private, with_target
from tests.engine.desk import ALPHA, MINUTE, SECOND, UNAVAILABLE, Desk, reasons, wait_of
from tests.engine.plane import SUCCEEDED, ObedientPlane
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time

POLICY = a_policy()
NEW = a_registry(POLICY)
PRIVATE = private(NEW, POLICY)
ISOLATED = closed(PRIVATE)
UNFINISHED = replace(
    NEW,
    document=replace(
        NEW.document,
        complete=False,
        regions=(RegistryRegion(location="westeurope", storage_accounts=(), container_registries=()),),
    ),
)
DENIED = AccessDenied("You may not.")


async def until_it_stops(desk: Desk, most: int = 400) -> Outcome:
    """Passes until nobody asks for another one."""
    for _ in range(most):
        outcome = await desk.pass_()
        if not len(desk.queue):
            return outcome
    raise AssertionError(f"still waiting after {most} passes: {outcome}")


# --- being made, being gone -------------------------------------------------------------------------------------------


async def test_a_registry_that_azure_still_makes_is_looked_at_every_twenty_seconds_and_ever_more_rarely() -> None:
    desk = Desk(UNFINISHED)
    await desk.ask()

    waits = [wait_of(await desk.pass_(), desk.clock) for _ in range(60)]

    assert waits[:5] == [20 * SECOND] * 5
    assert max(waits) == MINUTE
    assert reasons(await desk.pass_()) == ["NotReadyYet"]


async def test_a_registry_that_is_not_made_within_an_hour_is_handed_to_a_person() -> None:
    desk = Desk(UNFINISHED)
    await desk.ask()

    outcome = await until_it_stops(desk)

    assert isinstance(outcome, BlockedOutcome)
    assert "the resources of westeurope are not named yet" in outcome.reasons[0].sentence
    assert 60 * MINUTE < desk.clock.now() - EPOCH < 62 * MINUTE
    assert desk.plane.started == []


async def test_the_first_look_after_an_outage_hands_nothing_to_a_person() -> None:
    """What it shows may be from before the outage; only a second one says that it is so still."""
    desk = Desk(UNFINISHED)
    await desk.ask()
    await desk.pass_()
    await desk.remember(failures=20)
    await desk.clock.sleep(timedelta(hours=2))

    assert reasons(await desk.pass_()) == ["NotReadyYet"]
    assert isinstance(await desk.pass_(), BlockedOutcome)


async def test_another_request_gives_it_another_hour() -> None:
    desk = Desk(UNFINISHED)
    await desk.ask()
    await until_it_stops(desk)
    await desk.ask()

    assert reasons(await desk.pass_()) == ["NotReadyYet"]
    assert len(desk.queue) == 1


async def test_a_registry_that_was_never_seen_may_take_an_hour_to_appear() -> None:
    desk = Desk()
    desk.plane.registry = None
    await desk.ask()

    first = await desk.pass_()
    outcome = await until_it_stops(desk)

    assert reasons(first) == ["RegistryNotFound"]
    assert outcome == Gone()
    assert 60 * MINUTE <= desk.clock.now() - EPOCH < 62 * MINUTE


async def test_a_registry_that_was_seen_is_gone_after_two_minutes_of_404() -> None:
    desk = Desk(ISOLATED, a_policy(deletion={"grace_minutes": 0}))
    await desk.ask()
    await desk.pass_()
    desk.plane.registry = None
    begun = desk.clock.now()
    await desk.remember(closed_since=begun)
    await desk.ask()

    assert await until_it_stops(desk) == Gone()

    assert 2 * MINUTE <= desk.clock.now() - begun <= 130 * SECOND
    row = await desk.row()
    assert (row.observed, row.missing_since, row.closed_since) == (False, None, None)
    assert row.snapshots == {}


async def test_one_404_between_two_looks_is_forgotten() -> None:
    desk = Desk(ISOLATED)
    await desk.ask()
    await desk.pass_()
    for _ in range(3):
        desk.plane.registry = None
        await desk.ask()
        assert reasons(await desk.pass_()) == ["RegistryNotFound"]
        assert (await desk.row()).missing_since == desk.clock.now()
        await desk.clock.sleep(3 * MINUTE)
        desk.plane.registry = ISOLATED
        assert await desk.pass_() == Converged()
        assert (await desk.row()).missing_since is None


async def test_a_registry_that_is_gone_forgets_what_ran() -> None:
    desk = Desk()
    await desk.ask()
    await desk.pass_()
    operations = (await desk.row()).operations
    desk.plane.ends = {key_of(op.change): SUCCEEDED for op in operations}
    desk.plane.registry = None
    desk.plane.fail("start link-zone", *[ChangedUnderneath("gone")] * 9)

    desk.plane.fail("start put-zone-group", *[ChangedUnderneath("gone")] * 9)
    assert await until_it_stops(desk) == Gone()

    row = await desk.row()
    assert (row.operations, row.pending, row.observed) == ((), (), False)


async def test_a_registry_made_again_under_the_same_name_is_new_to_the_clock() -> None:
    desk = Desk(ISOLATED)
    await desk.ask()
    await desk.pass_()
    desk.plane.registry = None
    await desk.ask()
    await until_it_stops(desk)
    begun = desk.clock.now()
    await desk.ask()
    outcome = await until_it_stops(desk)

    assert outcome == Gone()
    assert desk.clock.now() - begun >= 60 * MINUTE


# --- permissions ------------------------------------------------------------------------------------------------------


async def test_a_403_on_reading_is_waited_for_ten_minutes() -> None:
    desk = Desk()
    desk.plane.fail("read_registry", *[DENIED] * 99)
    await desk.ask()

    assert reasons(await desk.pass_()) == ["AccessDenied"]
    outcome = await until_it_stops(desk)

    assert isinstance(outcome, BlockedOutcome)
    assert reasons(outcome) == ["MissingPermission"]
    assert 10 * MINUTE <= desk.clock.now() - EPOCH <= 11 * MINUTE


@pytest.mark.parametrize("call", ["list_endpoints", "read_zones", "read_storage_account", "list_group"])
async def test_a_403_on_any_read_keeps_the_pass_from_writing(call: str) -> None:
    desk = Desk()
    desk.plane.fail(call, *[DENIED] * 999)
    await desk.ask()

    assert reasons(await until_it_stops(desk)) == ["MissingPermission"]
    assert desk.plane.started == []


async def test_403s_with_a_good_look_in_between_are_two_runs() -> None:
    desk = Desk(with_target(PRIVATE, TargetKind.STORAGE, provisioning="Updating"), a_policy(lockdown={"when": "never"}))
    desk.plane.fail("read_registry", DENIED)
    await desk.ask()
    await desk.pass_()
    await desk.pass_()
    assert (await desk.row()).denied_since == {}
    await desk.clock.sleep(11 * MINUTE)
    desk.plane.fail("read_registry", DENIED)
    await desk.ask()

    assert reasons(await desk.pass_()) == ["AccessDenied"]


async def test_a_change_denied_for_the_first_time_is_not_blamed_for_an_older_403_of_another() -> None:
    desk = Desk()
    desk.plane.fail("start create-zone", *[DENIED] * 3)
    await desk.ask()
    await desk.pass_()
    for operation in (await desk.row()).operations:
        desk.plane.ends[key_of(operation.change)] = SUCCEEDED
    await desk.clock.sleep(11 * MINUTE)
    desk.plane.fail("start create-endpoint", *[DENIED] * 3)
    desk.plane.registry = NEW

    for _ in range(3):
        outcome = await desk.pass_()

        assert isinstance(outcome, Waiting), outcome


async def test_a_change_that_stays_denied_blocks_after_ten_minutes_and_everything_else_goes_on() -> None:
    desk = Desk(NEW, POLICY, plane=ObedientPlane(NEW, POLICY, LoopClock()))
    desk.plane.fail("start create-endpoint", *[DENIED] * 999)
    await desk.ask()

    outcome = await until_it_stops(desk)

    assert isinstance(outcome, BlockedOutcome)
    assert set(reasons(outcome)) == {"MissingPermission"}
    assert 10 * MINUTE <= desk.clock.now() - EPOCH <= 13 * MINUTE
    assert set(desk.plane.started) == {"create-zone", "link-zone", "create-endpoint"}


async def test_what_was_refused_is_not_tried_again_before_the_next_request() -> None:
    desk = Desk()
    desk.plane.fail("start create-zone", *[Locked("A lock.")] * 3)
    await desk.ask()
    await desk.pass_()
    refused = (await desk.row()).refused
    assert {key.partition(":")[0] for key in refused} == {"create-zone"}
    tried = desk.plane.started.count("create-zone")
    await desk.remember(operations=(), pending=())

    await desk.pass_()
    assert desk.plane.started.count("create-zone") == tried

    await desk.ask()
    await desk.remember(operations=(), pending=())
    await desk.clock.sleep(MINUTE)
    await desk.passes(2)
    assert desk.plane.started.count("create-zone") == 2 * tried


# --- errors that pass -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [UNAVAILABLE, ChangedUnderneath("It moved.")])
async def test_errors_that_may_pass_are_waited_for_ever_longer_and_never_given_up(
    error: RegistryIsolationError,
) -> None:
    desk = Desk(ISOLATED)
    desk.plane.fail("read_registry", *[error] * 4 * 12)
    await desk.ask()

    passes = 12 if error is UNAVAILABLE else 48
    waits = [wait_of(await desk.pass_(), desk.clock) for _ in range(passes)]

    assert timedelta(seconds=3) < waits[0] <= 5 * SECOND
    assert 6 * MINUTE < max(waits[8:]) <= 10 * MINUTE
    assert await desk.pass_() == Converged()
    assert (await desk.row()).failures == 0


async def test_a_change_that_is_not_ready_for_an_hour_is_handed_to_a_person() -> None:
    desk = Desk(policy=a_policy(lockdown={"when": "never"}))
    desk.plane.fail("start create-zone", *[NotReadyYet("Not yet.")] * 9999)
    desk.plane.fail("start create-endpoint", *[NotReadyYet("Not yet.")] * 9999)
    await desk.ask()

    outcome = await until_it_stops(desk)

    assert reasons(outcome) == ["NotReadyYet"]
    assert desk.clock.now() - EPOCH > 60 * MINUTE


# --- azure's own closing ----------------------------------------------------------------------------------------------

CLOSING = with_target(PRIVATE, TargetKind.REGISTRY, access=Access.CLOSED)


async def watching(kind: TargetKind = TargetKind.STORAGE) -> Desk:
    """A desk whose registry was closed a moment ago, and where one target is watched."""
    desk = Desk(CLOSING)
    await desk.ask()
    target = next(target for target in CLOSING.targets if target.kind is kind)
    await desk.remember(closed_since=desk.clock.now(), watch=Watch(target=target.id, target_kind=kind))
    return desk


@pytest.mark.parametrize(
    ("kind", "call"),
    [(TargetKind.STORAGE, "read_storage_account"), (TargetKind.ACR, "read_container_registry")],
)
async def test_while_azure_closes_a_target_it_alone_is_read(kind: TargetKind, call: str) -> None:
    desk = await watching(kind)

    waits = [wait_of(await desk.pass_(), desk.clock) for _ in range(8)]

    assert {name for name, _ in desk.plane.calls} == {call}
    assert waits[:6] == [32 * SECOND] * 6
    assert waits[-1] > 32 * SECOND


async def test_the_report_names_the_target_that_is_waited_for() -> None:
    desk = await watching()

    outcome = await desk.pass_()

    assert isinstance(outcome, Waiting)
    (reason,) = outcome.reasons
    assert reason.name == "Propagation"
    assert reason.sentence == "Waiting for Azure to close stwesteurope0 after its registry."
    assert reason.resource == CLOSING.targets[1].id.text


async def test_after_the_closing_of_the_registry_the_wait_is_no_longer_called_an_operation() -> None:
    desk = Desk(PRIVATE)
    await desk.ask()
    assert reasons(await desk.pass_()) == ["OperationRunning"]
    close = ClosePublicAccess(target=ALPHA, target_kind=TargetKind.REGISTRY)
    desk.plane.ends = {key_of(close): SUCCEEDED}
    desk.plane.registry = CLOSING

    assert reasons(await desk.pass_()) == ["Propagation"]
    assert reasons(await desk.pass_()) == ["Propagation"]


async def test_a_target_that_azure_has_closed_ends_the_watch_with_a_whole_look() -> None:
    desk = await watching()
    desk.plane.registry = ISOLATED

    assert await desk.pass_() == Converged()
    assert desk.plane.calls[0][0] == "read_storage_account"
    assert len(desk.plane.asked("read_registry")) == 1
    assert (await desk.row()).watch is None


async def test_a_watch_ends_with_the_time_that_the_policy_gives_azure_and_the_app_closes_the_rest() -> None:
    desk = await watching()

    for _ in range(100):
        await desk.pass_()
        if desk.plane.started:
            break

    assert desk.clock.now() - EPOCH == timedelta(minutes=POLICY.lockdown.propagation_minutes)
    assert set(desk.plane.started) == {"close-public-access"}
    closing = desk.plane.asked("start close-public-access")
    assert {change.target for change in closing if isinstance(change, ClosePublicAccess)} == {
        target.id for target in CLOSING.targets[1:]
    }


async def test_a_watched_target_that_vanished_ends_the_watch() -> None:
    desk = await watching()
    desk.plane.registry = replace(CLOSING, targets=CLOSING.targets[:1])

    outcome = await desk.pass_()

    assert reasons(outcome) == ["NotReadyYet"]
    assert (await desk.row()).watch is None


async def test_a_request_ends_the_watch_with_a_whole_look() -> None:
    desk = await watching()
    await desk.ask()

    await desk.passes(2)

    assert len(desk.plane.asked("read_registry")) >= 1
