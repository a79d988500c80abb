"""A slice of the fault campaign: runs that keep every promise, and what the command says."""

from datetime import timedelta
from functools import cache

import pytest

from local.campaign.__main__ import main
from local.campaign.cases import Case, Injection, Story
from local.campaign.grid import Path, places
from local.campaign.kinds import Kind
from local.campaign.tally import Tally
from local.campaign.trial import Trial, attempt


@cache
def the_path(story: Story) -> Path:
    """The calls of a story in which nothing goes wrong."""
    clean = attempt(Case(story=story, seed=1))
    return Path(calls=clean.calls, store_calls=clean.store_calls)


def with_faults(story: Story, *faults: tuple[Kind, int]) -> Case:
    """The story with each of these at the middle one of the calls where it can happen, that many times or minutes."""
    found = [(kind, places(kind, the_path(story)), amount) for kind, amount in faults]
    injections = (Injection(kind=kind, at=at[len(at) // 2], amount=amount) for kind, at, amount in found)
    return Case(story=story, seed=1, injections=tuple(injections))


@pytest.mark.parametrize(
    ("story", "faults"),
    [
        (Story.CREATE, [(Kind.TOKEN_DOWN, 10), (Kind.BUCKETS, 5)]),
        (Story.CREATE, [(Kind.STUCK, 180)]),
        (Story.CREATE, [(Kind.EVENT_DROPPED, 100)]),
        (Story.CREATE, [(Kind.KILLED_AFTER, 60), (Kind.KILLED, 1)]),
        (Story.REGIONS, [(Kind.THROTTLED_AHEAD, 2), (Kind.MISSING, 3)]),
        (Story.TOGETHER, [(Kind.MESSAGE_TWICE, 60), (Kind.SLOW, 50)]),
        (Story.EGRESS, [(Kind.PRECONDITION, 1), (Kind.CUT, 2)]),
        (Story.AUDIT, [(Kind.EMPTY, 1), (Kind.QUEUE_DOWN, 10)]),
        (Story.DRIFT, [(Kind.STALE, 3), (Kind.EXPIRED, 2)]),
        (Story.SWEEP, [(Kind.GRAPH_TRUNCATED, 90), (Kind.THROTTLED_LONG, 1)]),
        (Story.GROW, [(Kind.LOST, 1), (Kind.TABLE_DOWN, 10)]),
        (Story.UNDO, [(Kind.LOCKED, 1)]),
        (Story.DELETE, [(Kind.FAILED, 1), (Kind.STORE_LOST, 2)]),
        (Story.POLICY, [(Kind.KILLED, 60)]),
        (Story.REPLACE, [(Kind.THROTTLED_TEXT, 5)]),
        (Story.RECREATE, [(Kind.EVENT_REORDERED, 10), (Kind.TIMEOUT, 5)]),
    ],
)
def test_a_run_in_which_something_goes_wrong_keeps_every_promise(story: Story, faults: list[tuple[Kind, int]]) -> None:
    trial = attempt(with_faults(story, *faults))

    assert trial.problems == ()
    assert {each.kind for each in trial.struck} == {kind for kind, _ in faults}


@pytest.mark.parametrize("at", [2, 3], ids=["the timer", "its first step"])
def test_a_sweep_goes_on_by_itself_after_its_storage_was_away(at: int) -> None:
    trial = attempt(Case(story=Story.SWEEP, seed=2, injections=(Injection(kind=Kind.STORE_RESET, at=at, amount=6),)))

    assert (trial.problems, trial.swept) == ((), False)


@pytest.mark.parametrize(
    "case",
    [
        "replace:0:throttled-text@20x5",
        "replace:5:throttled@172x5+full@17x1",  # throttled while all was well, in the look after the closing
    ],
)
def test_an_endpoint_that_azure_refused_to_make_is_not_remembered_as_made(case: str) -> None:
    """Its target went with the registry's first life, so nobody asks for it again."""
    assert attempt(Case.parse(case)).problems == ()


def test_a_person_is_asked_for_only_while_something_stands_in_the_way() -> None:
    trial = attempt(with_faults(Story.CREATE, (Kind.REFUSED, 1)))

    assert trial.problems == ()
    assert trial.blocked
    assert trial.swept


def test_the_recovery_ends_when_the_registry_is_isolated_and_not_when_the_queue_is_empty() -> None:
    trial = attempt(Case.parse("create:0:reset@20x1"))

    assert trial.recovery is not None
    assert timedelta(minutes=3) < trial.recovery < timedelta(minutes=5)


def a_trial(**members: object) -> Trial:
    plain = {
        "case": Case.parse("create:3:lost@4x1"),
        "problems": (),
        "struck": (Injection(kind=Kind.LOST, at=4),),
        "recovery": timedelta(seconds=90),
    }
    return Trial(**plain | members)  # type: ignore[arg-type]


def test_the_tally_says_what_broke_and_how_to_replay_it() -> None:
    tally = Tally()
    broken = a_trial(problems=("contoso is open",))
    tally.add(broken)
    tally.add(a_trial(recovery=timedelta(minutes=9)))
    tally.add(a_trial(case=Case(story=Story.UNDO), struck=(), recovery=None))

    command = "python -m local.campaign --replay 'create:3:lost@4x1'"
    assert f"  - contoso is open\n  replay: {command}" in tally.failure(broken)
    said = tally.summary().splitlines()
    assert said[0] == "3 runs (create 2, undo 1)"
    assert said[1] == "2 faults (lost 2)"
    assert said[2] == "2 kept every promise, 1 broke one"
    assert said[3] == "1 recovered by themselves from what they met, 1 met nothing"
    assert said[-1] == f"slowest recovery after the last fault: 0:09:00: {command}"


def test_one_case_is_replayed_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--replay", "audit:0:reset@5x1"]) == 0

    assert "audit:0:reset@5x1 kept every promise in " in capsys.readouterr().out


def test_arguments_that_mean_nothing_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--replay", "wander:1:"])

    assert refused.value.code == 2
    assert "--replay" in capsys.readouterr().err
