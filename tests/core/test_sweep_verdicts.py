"""When a sweep has a pass look at a registry, and when it leaves it alone."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.plan import Plan
from shared.core.report import Reason
from shared.core.sweep_verdicts import DAY, LATE, TRY_AGAIN, Verdict, inspect, review, turn
from tests.core.worlds import NOW, registry_id

ALPHA = registry_id()
EMPTY = Plan(registry=ALPHA)
OPEN = Plan(registry=ALPHA, blocks=(Reason(name="Busy", sentence="Something is left to do."),))
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
FINAL = ("converged", "blocked", "failed", "audited", "exempt", "gone", "paused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    phase: str = "converged"
    requested: datetime = NOW - 6 * HOUR
    at: datetime | None = NOW - 5 * HOUR
    due: datetime | None = None
    verified: datetime | None = NOW - MINUTE


def judged(
    row: Row | None, plan: Plan | None, *, scoped: bool = True, mode: Literal["enforce", "audit"] = "enforce"
) -> str:
    return inspect(plan, row, scoped=scoped, mode=mode, now=NOW).value


@pytest.mark.parametrize(
    ("phase", "empty", "left", "unknown"),
    [
        ("converged", "compliant", "drifted", "doubtful"),
        ("audited", "recovered", "drifted", "doubtful"),
        ("blocked", "recovered", "tried", "tried"),
        ("failed", "recovered", "tried", "tried"),
        ("exempt", "new", "new", "exempt"),
        ("paused", "paused", "paused", "paused"),
        ("gone", "new", "new", "new"),
    ],
)
def test_rows_and_ledger_together_make_the_verdict(phase: str, empty: str, left: str, unknown: str) -> None:
    row = Row(phase=phase)

    assert [judged(row, plan) for plan in (EMPTY, OPEN, None)] == [empty, left, unknown]


@pytest.mark.parametrize("plan", [EMPTY, OPEN, None])
def test_a_registry_that_no_pass_ever_saw_is_new_whatever_its_rows_say(plan: Plan | None) -> None:
    assert judged(None, plan) == "new"


@pytest.mark.parametrize("plan", [EMPTY, OPEN, None])
@pytest.mark.parametrize("row", [None, Row(), Row(phase="blocked"), Row(phase="waiting", due=NOW - DAY)])
def test_what_the_policy_leaves_alone_is_left_alone(row: Row | None, plan: Plan | None) -> None:
    assert judged(row, plan, scoped=False) == "exempt"


def test_an_audited_registry_is_drifted_only_where_the_policy_enforces() -> None:
    row = Row(phase="audited")

    assert judged(row, OPEN, mode="audit") == "audited"
    assert judged(row, EMPTY, mode="audit") == "recovered"


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row(phase="waiting", due=NOW + HOUR), "at-work"),
        (Row(phase="waiting", due=NOW - LATE), "at-work"),
        (Row(phase="waiting", due=NOW - LATE - MINUTE), "stuck"),
        (Row(phase="waiting", due=None), "stuck"),
        (Row(phase="requested", at=None, requested=NOW - MINUTE), "at-work"),
        (Row(phase="requested", at=None, requested=NOW - DAY), "stuck"),
        (Row(requested=NOW - MINUTE), "at-work"),
        (Row(requested=NOW - HOUR), "stuck"),
        (Row(phase="failed", requested=NOW - MINUTE), "at-work"),
    ],
)
def test_a_chain_of_passes_is_left_alone_until_it_is_overdue(row: Row, verdict: str) -> None:
    for plan in (EMPTY, OPEN, None):
        assert judged(row, plan) == verdict
    assert review(ALPHA, row, known=True, scoped=True, now=NOW).value == verdict


@pytest.mark.parametrize(
    ("phase", "plan"), [("blocked", EMPTY), ("failed", EMPTY), ("converged", None), ("gone", OPEN)]
)
def test_where_rows_and_ledger_disagree_nobody_asks_again_at_once(phase: str, plan: Plan | None) -> None:
    row = Row(phase=phase, requested=NOW - HOUR, at=NOW - MINUTE)

    assert judged(row, plan) == "tried"


@pytest.mark.parametrize(
    ("row", "known", "verdict"),
    [
        (Row(), True, "compliant"),
        (Row(), False, "missing"),
        (Row(), None, "compliant"),
        (Row(at=NOW - MINUTE, requested=NOW - HOUR), False, "tried"),
        (Row(phase="paused"), True, "paused"),
        (Row(phase="paused"), False, "missing"),
        (Row(phase="blocked"), True, "retry"),
        (Row(phase="blocked"), False, "missing"),
        (Row(phase="blocked"), None, "retry"),
        (Row(phase="failed", at=NOW - TRY_AGAIN), True, "retry"),
        (Row(phase="failed", at=NOW - TRY_AGAIN + MINUTE), True, "tried"),
        (Row(phase="gone"), False, "gone"),
        (Row(phase="exempt"), False, "exempt"),
        (Row(verified=None), True, "verify"),
        (Row(verified=NOW - DAY), True, "verify"),
        (Row(phase="audited", verified=NOW - DAY), True, "verify"),
        (Row(phase="audited"), True, "audited"),
    ],
)
def test_the_ledger_alone_says_whose_turn_it_is(row: Row, known: bool | None, verdict: str) -> None:  # noqa: FBT001
    assert review(ALPHA, row, known=known, scoped=True, now=NOW).value == verdict


def test_what_left_the_scope_is_not_reviewed() -> None:
    assert review(ALPHA, Row(phase="blocked"), known=False, scoped=False, now=NOW) is Verdict.EXEMPT


@pytest.mark.parametrize("phase", FINAL)
@pytest.mark.parametrize("plan", [EMPTY, OPEN, None])
def test_asked_for_once_a_registry_is_not_asked_for_again_while_its_pass_may_come(
    phase: str, plan: Plan | None
) -> None:
    row = replace(Row(phase=phase), requested=NOW - MINUTE)

    assert not inspect(plan, row, scoped=True, mode="enforce", now=NOW).asks
    assert not review(ALPHA, row, known=False, scoped=True, now=NOW).asks


@given(st.integers(min_value=0, max_value=10_000), st.integers(min_value=0, max_value=10**9))
def test_a_turn_comes_once_a_day_at_the_same_time(number: int, seconds: int) -> None:
    registry, now = registry_id(f"models-{number}"), NOW + timedelta(seconds=seconds)

    last = turn(registry, now)

    assert now - DAY < last <= now
    assert turn(registry, now + DAY) == last + DAY
    assert turn(registry_id(f"MODELS-{number}"), now) == last


@given(st.integers(min_value=1, max_value=6))
def test_every_registry_is_verified_once_a_day_whatever_the_schedule(hours: int) -> None:
    registry, seen, looks = registry_id("models"), NOW, 0
    for number in range(1, 3 * 24 // hours + 1):
        now = NOW + number * hours * HOUR
        row = Row(requested=seen, at=seen, verified=seen)
        if review(registry, row, known=True, scoped=True, now=now) is Verdict.VERIFY:
            looks, seen = looks + 1, now

    assert 2 <= looks <= 3


def test_turns_are_spread_evenly_over_the_day() -> None:
    hours = [turn(registry_id(f"models-{number}"), NOW).hour for number in range(2400)]

    assert all(60 < hours.count(hour) < 145 for hour in range(24))
