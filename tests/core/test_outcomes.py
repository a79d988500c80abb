"""What is told of a registry, and when: every change once, nothing twice, and the last word is true."""

import itertools
import json
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.core.outcomes import (
    MOST_KEPT,
    OutcomeEvent,
    OutcomeKind,
    Told,
    drifted,
    kept,
    make_event,
    remembered,
    told_by,
)
from shared.core.report import (
    Audited,
    BlockedOutcome,
    Converged,
    Exempt,
    Failed,
    Gone,
    Outcome,
    Paused,
    Reason,
    Superseded,
    Waiting,
)
from tests.core.worlds import registry_id
from tests.virtual_time import EPOCH

ALPHA = registry_id()
DENIED = Reason(name="MissingPermission", sentence="Grant it.")
FULL = Reason(name="SubnetUnusable", sentence="Make room.")
WAITING = Waiting(until=EPOCH, reasons=(Reason(name="OperationRunning", sentence="An endpoint is made."),))
CONVERGED = Converged()
BLOCKED = BlockedOutcome(reasons=(DENIED,))
FAILED = Failed(reason=Reason(name="Poisoned", sentence="Five times."))
PAUSED = Paused(by="p", since=EPOCH, why="debugging")
RESTING: list[Outcome] = [
    CONVERGED,
    BLOCKED,
    BlockedOutcome(reasons=(FULL, DENIED)),
    FAILED,
    Gone(),
    PAUSED,
    Exempt(why="by name"),
    Audited(changes=2),
]


def an_event(told: Told | None = None, kind: OutcomeKind = OutcomeKind.ISOLATED, **members: object) -> OutcomeEvent:
    values: dict[str, object] = {
        "registry": ALPHA,
        "first_seen": EPOCH,
        "at": EPOCH,
        "generation": 1,
        "phase": "converged",
    }
    return make_event(told, kind, **values | members)  # type: ignore[arg-type]


def tell(outcomes: list[Outcome]) -> tuple[list[OutcomeEvent], Told | None]:
    """Everything that is told on a registry's way through *outcomes*."""
    told: Told | None = None
    events = []
    for outcome in outcomes:
        telling = told_by(told, outcome)
        if telling is not None:
            kind, reasons = telling
            events.append(an_event(told, kind, phase=outcome.kind, reasons=reasons))
            told = remembered(events[-1], reasons)
    return events, told


def kinds(*outcomes: Outcome) -> list[str]:
    return [event.kind.value for event in tell(list(outcomes))[0]]


def test_isolation_is_told_once_and_waiting_never() -> None:
    assert kinds(WAITING, WAITING, CONVERGED, CONVERGED, WAITING, CONVERGED) == ["Isolated"]


def test_a_block_is_told_when_it_begins_and_when_its_reasons_change() -> None:
    other = BlockedOutcome(reasons=(DENIED, FULL))
    turned = BlockedOutcome(reasons=(FULL, DENIED, FULL))
    assert kinds(BLOCKED, WAITING, BLOCKED, other, turned, BLOCKED, CONVERGED) == ["Blocked"] * 3 + ["Isolated"]


def test_another_sentence_of_the_same_reason_is_no_news() -> None:
    again = BlockedOutcome(reasons=(Reason(name=DENIED.name, sentence="Grant it, please."),))
    assert kinds(BLOCKED, again) == ["Blocked"]


def test_a_registry_that_comes_to_rest_unisolated_without_a_block_has_drifted_if_it_was_told_isolated() -> None:
    for outcome, name in ((PAUSED, "Paused"), (Exempt(why="w"), "Exempt"), (Audited(changes=1), "AuditMode")):
        assert kinds(outcome) == []
        assert kinds(CONVERGED, outcome, outcome, CONVERGED) == ["Isolated", "Drifted", "Isolated"]
        events, _ = tell([CONVERGED, outcome])
        assert events[-1].reasons[0].name == name


def test_an_audit_that_finds_drift_says_what_stands_in_the_way_as_well() -> None:
    events, _ = tell([CONVERGED, Audited(changes=1, reasons=(FULL,))])
    assert [reason.name for reason in events[-1].reasons] == ["AuditMode", "SubnetUnusable"]


def test_what_nobody_was_told_of_is_not_told_removed() -> None:
    assert kinds(WAITING, Gone()) == []
    assert kinds(BLOCKED, Gone(), Gone(), CONVERGED) == ["Blocked", "Removed", "Isolated"]


def test_a_superseded_pass_tells_nothing() -> None:
    assert kinds(CONVERGED, Superseded(), CONVERGED) == ["Isolated"]


def test_changes_are_drift_only_after_isolated() -> None:
    _, told = tell([CONVERGED])
    assert drifted(told)
    assert not drifted(None)
    assert not drifted(tell([CONVERGED, BLOCKED])[1])


@given(st.lists(st.sampled_from([*RESTING, WAITING, Superseded()]), max_size=12))
def test_no_two_equal_events_follow_one_another_and_the_last_one_is_true_at_rest(outcomes: list[Outcome]) -> None:
    events, told = tell(outcomes)

    said = [(event.kind, tuple(sorted({reason.name for reason in event.reasons}))) for event in events]
    assert all(one != other for one, other in itertools.pairwise(said))
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert len({event.id for event in events}) == len(events)
    rest = next((each for each in reversed(outcomes) if each.kind not in {"waiting", "superseded"}), None)
    last = told.kind if told else None
    match rest:
        case Converged():
            assert last is OutcomeKind.ISOLATED
        case BlockedOutcome():
            assert last is OutcomeKind.BLOCKED
            assert told is not None
            assert told.reasons == tuple(sorted({reason.name for reason in rest.reasons}))
        case Failed():
            assert last is OutcomeKind.FAILED
        case Gone():
            assert last in {OutcomeKind.REMOVED, None}
        case _:
            assert last is not OutcomeKind.ISOLATED


def test_an_event_has_the_same_id_whoever_makes_it_and_another_after_the_row_was_lost() -> None:
    later = EPOCH + timedelta(days=1)
    assert an_event().id == an_event(at=later, generation=9, phase="x").id
    assert an_event().id != an_event(first_seen=later).id
    assert an_event().id != an_event(kind=OutcomeKind.BLOCKED).id
    assert an_event().id != an_event(Told(kind=OutcomeKind.BLOCKED)).id


def test_the_data_says_what_was_what_is_and_where_to_read_more() -> None:
    told = Told(kind=OutcomeKind.ISOLATED, phase="converged", number=4)
    event = an_event(told, OutcomeKind.BLOCKED, phase="blocked", reasons=[FULL], findings=2, digest="d", generation=7)

    assert event.type == "RegistryIsolation.Blocked"
    assert event.data == {
        "registry": ALPHA.text,
        "sequence": 5,
        "generation": 7,
        "phase": {"before": "converged", "after": "blocked"},
        "reasons": [{"name": "SubnetUnusable", "sentence": "Make room."}],
        "changes": [],
        "findings": 2,
        "planDigest": "d",
        "link": f"/api/registries/{ALPHA.subscription}/{ALPHA.resource_group}/{ALPHA.name}",
    }


def test_twenty_of_the_longest_events_fit_into_one_request() -> None:
    flood = Reason(name="\U0001f512" * 5_000, sentence="\U0001f512" * 9_000)
    event = an_event(reasons=[flood] * 90, changes=["\u2028" * 5_000] * 90)

    weight = len(json.dumps(event.data))
    assert weight < 64 * 1024
    assert weight * MOST_KEPT < 1024 * 1024


def test_only_the_newest_events_are_kept() -> None:
    events = [an_event(Told(kind=OutcomeKind.BLOCKED, number=number)) for number in range(MOST_KEPT + 3)]

    assert kept(events[:MOST_KEPT]) == (tuple(events[:MOST_KEPT]), 0)
    assert kept(events) == (tuple(events[3:]), 3)
