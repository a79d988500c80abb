"""What becomes of changes and operations in the row and the history, and which errors last."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.memory import MemoryLedger
from shared.core.audit import Effect
from shared.core.changes import Change, ClosePublicAccess, CreateZone, LinkZone, key_of
from shared.core.errors import (
    AccessDenied,
    Busy,
    ChangedUnderneath,
    Locked,
    MalformedResourceId,
    OperationFailed,
    RegistryIsolationError,
)
from shared.core.plan import Plan
from shared.core.registry import TargetKind
from shared.core.report import ChangeFailed, ChangeResult, Done, Reason, Skipped, Started
from shared.core.requests import WorkMessage
from shared.core.storage_rules import AddResourceRules
from shared.engine.apply import Applied, Attempt
from shared.engine.pacing import Pacing
from shared.engine.ports import LedgerEntry, Progress, ProgressState
from shared.engine.records import Operation
from shared.engine.results import (
    DENIED_LIMIT,
    Results,
    count_repairs,
    not_refused,
    snapshots,
    without_dependents,
)
from shared.engine.work import Work
from tests.core.worlds import a_policy, a_registry, closed, registry_id, zone_id
from tests.engine.desk import ALPHA, MINUTE, SECOND, a_retrier, a_row
from tests.engine.plane import RUNNING, SUCCEEDED
from tests.engine.test_apply import CLOSE, ENDPOINT, GROUP, LINK, ZONE
from tests.engine.test_pacing import at
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time
FAILED = OperationFailed("It ended badly.")
DENIED = AccessDenied("You may not.", resource_id=ZONE.resource.text)


class Booking:
    """Results and one pass's work."""

    def __init__(self, **members: Any) -> None:
        self.clock = LoopClock()
        self.results = Results(self.clock, Pacing())
        message = WorkMessage(registry=ALPHA, generation=1, attempt=1)
        entry = LedgerEntry(row=a_row(origin="event-1", caller="p", **members), etag="e")
        self.work = Work(MemoryLedger(), entry, message, a_retrier(self.clock), self.clock.now())

    def settle(self, *told: tuple[Change, Progress]) -> RegistryIsolationError | None:
        return self.results.settle(self.work, {key_of(change): progress for change, progress in told})

    def note(self, *attempts: Attempt, **members: Any) -> RegistryIsolationError | None:
        return self.results.note(self.work, Applied(attempts=attempts, **members), "digest")

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(entry.subject, entry.result) for entry in self.work.entries]


def an_operation(change: Change, **members: Any) -> Operation:
    return Operation(**{"change": change, "started": EPOCH, "due": EPOCH} | members)


def an_attempt(
    change: Change, result: ChangeResult | None = None, error: RegistryIsolationError | None = None
) -> Attempt:
    if error is not None:
        reason = Reason(name=error.name, sentence=error.sentence)
        result = ChangeFailed(reason=reason, fate=error.fate.value)
    return Attempt(change=change, result=result or Started(), error=error)


def ended(error: RegistryIsolationError) -> Progress:
    return Progress(state=ProgressState.FAILED, error=error)


# --- operations -------------------------------------------------------------------------------------------------------


async def test_a_finished_operation_leaves_the_row_and_tells_how_long_it_took() -> None:
    its = Booking(operations=(an_operation(ZONE, checks=2, tries=3), an_operation(ENDPOINT)), failures=3)
    await its.clock.sleep(40 * SECOND)

    assert its.settle((ZONE, SUCCEEDED)) is None

    assert [operation.change for operation in its.work.row.operations] == [ENDPOINT]
    (entry,) = its.work.entries
    assert (entry.kind, entry.subject, entry.result) == ("change", key_of(ZONE), "succeeded")
    assert (entry.duration_seconds, entry.attempts, entry.at) == (40.0, 3, at(40))
    assert (entry.sentence, entry.origin, entry.caller) == (ZONE.sentence, "event-1", "p")
    assert its.work.row.failures == 0


async def test_a_running_operation_is_looked_at_later_and_the_others_when_they_were_due() -> None:
    waiting = an_operation(ENDPOINT, due=at(50))
    its = Booking(operations=(an_operation(ZONE, due=at(30)), waiting))
    await its.clock.sleep(30 * SECOND)

    its.settle((ZONE, RUNNING))

    looked, kept = its.work.row.operations
    assert (looked.checks, looked.due) == (1, at(33))
    assert kept == waiting
    assert its.work.entries == []


async def test_what_began_together_with_an_operation_that_still_runs_is_looked_at_with_it() -> None:
    zones = [CreateZone(zone=zone_id(f"privatelink.{name}.net")) for name in "abc"]
    its = Booking(operations=tuple(an_operation(zone, due=at(33)) for zone in zones))
    await its.clock.sleep(33 * SECOND)

    its.settle((zones[0], RUNNING))

    assert {operation.due for operation in its.work.row.operations} == {at(36.3)}


async def test_nothing_asked_changes_nothing() -> None:
    operations = (an_operation(ZONE), an_operation(ENDPOINT))
    its = Booking(operations=operations, failures=2)

    assert its.settle() is None
    assert (its.work.row.operations, its.work.row.failures) == (operations, 2)


async def test_a_failed_operation_takes_what_waits_for_it_out_of_the_pending_ones() -> None:
    its = Booking(operations=(an_operation(ZONE), an_operation(ENDPOINT)), pending=(LINK, GROUP))

    assert its.settle((ZONE, ended(FAILED)), (ENDPOINT, RUNNING)) is FAILED

    assert its.work.row.pending == ()
    assert its.work.row.failures == 1
    assert its.work.row.refused == {}
    assert its.told == [(key_of(ZONE), "OperationFailed")]
    assert its.work.entries[0].sentence == f"{ZONE.sentence}: It ended badly."


async def test_what_does_not_wait_for_the_failed_operation_stays_pending() -> None:
    its = Booking(operations=(an_operation(ENDPOINT),), pending=(LINK, GROUP))

    its.settle((ENDPOINT, ended(FAILED)))

    assert its.work.row.pending == (LINK,)


async def test_an_operation_that_ended_in_a_refusal_is_remembered_as_refused() -> None:
    its = Booking(operations=(an_operation(ZONE),))

    assert its.settle((ZONE, ended(Locked("A lock.")))) is None
    assert its.work.row.refused == {key_of(ZONE): Reason(name="Locked", sentence="A lock.")}
    assert its.work.row.failures == 0


async def test_of_two_failures_the_first_is_handed_back_and_both_are_told() -> None:
    its = Booking(operations=(an_operation(ZONE), an_operation(ENDPOINT)), failures=4)
    other = ChangedUnderneath("Other.")

    assert its.settle((ZONE, ended(FAILED)), (ENDPOINT, ended(other))) is FAILED
    assert its.work.row.failures == 5
    assert [result for _, result in its.told] == ["OperationFailed", "ChangedUnderneath"]


@pytest.mark.parametrize("kind", TargetKind)
async def test_only_the_registrys_own_closing_starts_the_time_of_propagation(kind: TargetKind) -> None:
    close = ClosePublicAccess(target=registry_id(), target_kind=kind)
    at_once, later = Booking(), Booking(operations=(an_operation(close),))
    await later.clock.sleep(5 * SECOND)

    at_once.note(an_attempt(close, Done()))
    later.settle((close, SUCCEEDED))

    expected = at(5) if kind is TargetKind.REGISTRY else None
    assert (at_once.work.row.closed_since, later.work.row.closed_since) == (expected, expected)


async def test_a_failed_closing_does_not_start_the_time_of_propagation() -> None:
    its = Booking(operations=(an_operation(CLOSE),))

    its.settle((CLOSE, ended(FAILED)))

    assert its.work.row.closed_since is None


# --- changes ----------------------------------------------------------------------------------------------------------


async def test_every_attempt_is_a_line_in_the_history_with_what_it_does_and_what_it_took() -> None:
    open_door, closed_door = {"publicNetworkAccess": "Enabled"}, {"publicNetworkAccess": "Disabled"}
    effect = Effect(digest="of the plan", before=dict(open_door), after=dict(closed_door))
    its = Booking(effects={key_of(change): effect for change in (CLOSE, LINK, ENDPOINT)})

    passing = its.note(
        replace(an_attempt(CLOSE), tries=2, seconds=1.5),
        an_attempt(ZONE, Done()),
        replace(an_attempt(LINK, Skipped(because="x")), tries=0),
        an_attempt(ENDPOINT, error=DENIED),
    )

    assert passing is DENIED
    lines = its.work.entries
    assert [result for _, result in its.told] == ["started", "done", "skipped", "AccessDenied"]
    assert [line.digest for line in lines] == ["of the plan", "digest", "of the plan", "of the plan"]
    assert [line.before for line in lines] == [open_door, None, open_door, open_door]
    assert [line.after for line in lines] == [closed_door, None, None, None]  # what failed left nothing behind
    assert [(line.attempts, line.duration_seconds) for line in lines] == [(2, 1.5), (1, 0.0), (0, None), (1, 0.0)]
    assert {line.generation for line in lines} == {1}
    assert lines[2].sentence == f"{LINK.sentence}: not tried, because x did not succeed"
    assert lines[3].sentence == f"{ENDPOINT.sentence}: You may not."


async def test_the_end_of_an_operation_has_digest_before_and_after_too_and_no_after_if_it_failed() -> None:
    effect = Effect(digest="d", before={"exists": False}, after={"exists": True})
    effects = {key_of(change): effect for change in (ZONE, ENDPOINT)}
    its = Booking(operations=(an_operation(ZONE), an_operation(ENDPOINT)), effects=effects)

    its.settle((ZONE, SUCCEEDED), (ENDPOINT, ended(FAILED)))

    told = [(line.result, line.digest, line.before, line.after) for line in its.work.entries]
    assert told == [
        ("succeeded", "d", {"exists": False}, {"exists": True}),
        ("OperationFailed", "d", {"exists": False}, None),
    ]


async def test_applying_replaces_what_runs_and_what_waits() -> None:
    its = Booking(operations=(an_operation(ZONE),), pending=(GROUP,))

    its.note(operations=(an_operation(ENDPOINT),), pending=(LINK,))

    assert [operation.change for operation in its.work.row.operations] == [ENDPOINT]
    assert its.work.row.pending == (LINK,)


async def test_the_first_error_that_may_pass_is_handed_back_whatever_else_was_refused() -> None:
    its = Booking()
    busy = Busy("Busy.")

    assert its.note(an_attempt(ZONE, error=Locked("A lock.")), an_attempt(ENDPOINT, error=busy)) is busy
    assert list(its.work.row.refused) == [key_of(ZONE)]


# --- which errors last ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Locked("l"), MalformedResourceId("m")])
async def test_a_refusal_lasts_at_once(error: RegistryIsolationError) -> None:
    its = Booking()

    reason = its.results.lasting(its.work, "key", error)

    assert reason == Reason(name=error.name, sentence=error.sentence)
    assert its.work.row.refused == {"key": reason}


@pytest.mark.parametrize("error", [Busy("b"), ChangedUnderneath("c"), FAILED])
async def test_what_may_pass_never_lasts(error: RegistryIsolationError) -> None:
    its = Booking()
    await its.clock.sleep(60 * MINUTE)

    assert its.results.lasting(its.work, "key", error) is None
    assert its.work.row.refused == {}


async def test_a_403_lasts_when_it_has_been_there_for_ten_minutes_and_not_a_second_earlier() -> None:
    its = Booking()
    found = []
    for seconds in (0, 300, 599, 600):
        await its.clock.sleep(at(seconds) - its.clock.now())
        found.append(its.results.lasting(its.work, "key", DENIED))

    assert DENIED_LIMIT == 10 * MINUTE
    assert found[:3] == [None, None, None]
    assert found[3] == Reason(name="MissingPermission", sentence="You may not.", resource=ZONE.resource.text)
    assert its.work.row.refused == {"key": found[3]}
    assert its.work.row.denied_since == {"key": EPOCH}


async def test_each_change_has_ten_minutes_of_its_own() -> None:
    its = Booking()
    its.results.lasting(its.work, "early", DENIED)
    await its.clock.sleep(9 * MINUTE)
    its.results.lasting(its.work, "late", DENIED)
    await its.clock.sleep(2 * MINUTE)

    assert its.results.lasting(its.work, "late", DENIED) is None
    assert its.results.lasting(its.work, "early", DENIED) is not None


@pytest.mark.parametrize("result", [Done(), Started()])
async def test_a_change_that_was_let_through_ends_the_run_of_403s(result: ChangeResult) -> None:
    its = Booking(denied_since={key_of(ZONE): EPOCH, "other": EPOCH})

    its.note(an_attempt(ZONE, result))

    assert its.work.row.denied_since == {"other": EPOCH}


async def test_a_change_that_was_skipped_was_not_let_through() -> None:
    its = Booking(denied_since={key_of(ZONE): EPOCH})

    its.note(an_attempt(ZONE, Skipped(because="x")))

    assert its.work.row.denied_since == {key_of(ZONE): EPOCH}


def test_a_new_request_gives_what_was_refused_for_good_its_minutes_again() -> None:
    refused = {"late": Reason(name="MissingPermission", sentence="s"), "zone": Reason(name="Locked", sentence="s")}
    row = a_row(denied_since={"late": EPOCH, "fresh": at(500)}, refused=refused)

    assert row.still_denied == {"fresh": at(500)}


# --- sets of changes --------------------------------------------------------------------------------------------------


def test_dependents_go_with_what_they_wait_for_however_far() -> None:
    last = LinkZone(zone=LINK.zone, link=zone_id("a.net").child("virtualNetworkLinks", "x"), network=LINK.network)
    last = LinkZone(zone=last.zone, link=last.link, network=last.network, depends_on=(key_of(LINK),))

    assert without_dependents((LINK, GROUP, last, ENDPOINT), key_of(ZONE)) == (ENDPOINT,)
    assert without_dependents((LINK, GROUP), key_of(ENDPOINT)) == (LINK,)
    assert without_dependents((LINK, GROUP), "unknown") == (LINK, GROUP)
    assert without_dependents((), "x") == ()


def test_what_was_refused_goes_with_what_waits_for_it() -> None:
    reason = Reason(name="Locked", sentence="s")

    assert not_refused((ZONE, ENDPOINT, LINK, GROUP), {key_of(ZONE): reason}) == (ENDPOINT,)
    assert not_refused((ZONE, ENDPOINT), {"observe": reason}) == (ZONE, ENDPOINT)
    assert not_refused((ZONE, ENDPOINT), {key_of(ZONE): reason, key_of(ENDPOINT): reason}) == ()


def test_repairs_are_counted_while_something_is_broken_and_forgotten_once_it_is_sound() -> None:
    plan = Plan(registry=ALPHA, broken=("a", "b"), sound=("c",))

    assert count_repairs({"a": 1, "c": 2, "d": 3}, plan) == {"a": 2, "b": 1, "d": 3}


def test_a_repair_that_may_not_be_done_is_not_counted() -> None:
    names = f"names:{ENDPOINT.endpoint.key}"
    plan = Plan(registry=ALPHA, changes=(GROUP,), broken=(names, "other"))

    assert GROUP.endpoint == ENDPOINT.endpoint
    assert count_repairs({names: 1}, plan, {key_of(GROUP)}) == {names: 1, "other": 1}
    assert count_repairs({names: 1}, plan, {key_of(LINK)}) == {names: 2, "other": 1}


def test_a_closing_takes_a_new_snapshot_of_its_target_and_of_nothing_else() -> None:
    registry = a_registry(a_policy())
    acr = registry.targets[-1]
    close = ClosePublicAccess(target=acr.id, target_kind=TargetKind.ACR)

    assert snapshots({}, registry, (ZONE, close)) == {acr.id.key: acr.network_settings}
    assert snapshots({acr.id.key: {"last": True}}, registry, (close,)) == {acr.id.key: acr.network_settings}
    assert snapshots({}, registry, (ZONE,)) == {}


def test_closing_the_registry_takes_a_snapshot_of_everything_that_is_open_still() -> None:
    registry = closed(a_registry(a_policy()), TargetKind.STORAGE)
    close = ClosePublicAccess(target=registry.id, target_kind=TargetKind.REGISTRY)

    taken = snapshots({}, registry, (close,))

    assert set(taken) == {target.id.key for target in registry.targets if target.kind is not TargetKind.STORAGE}


def test_another_write_to_a_target_takes_the_first_snapshot_only() -> None:
    registry = a_registry(a_policy())
    account = registry.targets[1].id
    adding = AddResourceRules(account=account, rules=())

    assert snapshots({}, registry, (adding,)) == {account.key: registry.targets[1].network_settings}
    assert snapshots({account.key: {"first": True}}, registry, (adding,)) == {account.key: {"first": True}}


async def test_the_time_that_an_operation_takes_is_told_in_seconds_with_fractions() -> None:
    its = Booking(operations=(an_operation(GROUP, started=EPOCH - timedelta(milliseconds=2500)),))

    its.settle((GROUP, SUCCEEDED))

    assert its.work.entries[0].duration_seconds == 2.5
