"""The processes of a campaign: each run has a result, whatever becomes of its process."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from itertools import batched

import pytest

from local.campaign import workers
from local.campaign.cases import Case, Story
from local.campaign.crossroads import Tell
from local.campaign.trial import Trial
from local.campaign.workers import run_all

pytestmark = pytest.mark.slow
HANGS, DIES, RAISES, SLEEPS = 3, 4, 5, 6
PATIENCE = 0.2


def attempt_one(case: Case) -> Trial:
    while case.seed == HANGS:
        pass
    if case.seed == DIES:
        os.kill(os.getpid(), signal.SIGKILL)
    if case.seed == SLEEPS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as one whose handler fails
        threading.Event().wait()
    if case.seed == RAISES:
        raise LookupError("a slip")
    return Trial(case=case, problems=())


def play(bundle: Sequence[Case], tell: Tell, patience: float) -> None:
    assert patience == PATIENCE
    for case in bundle:
        tell(attempt_one(case))


def keep(bundle: Sequence[Case], tell: Tell, patience: float) -> None:
    assert patience == workers.PATIENCE
    for case in bundle:
        tell(Trial(case=case, problems=()))


def cases() -> Iterator[Case]:
    return (Case(story=Story.AUDIT, seed=seed) for seed in range(8))


@pytest.mark.parametrize(("jobs", "size"), [(1, 8), (2, 3)])
def test_a_run_that_hangs_dies_or_raises_is_a_failure_and_the_others_go_on(jobs: int, size: int) -> None:
    trials = {
        trial.case.seed: trial.problems
        for trial in run_all(batched(cases(), size, strict=False), jobs, patience=PATIENCE, play=play)
    }

    assert set(trials) == set(range(8))
    assert trials.pop(HANGS) == ("it still ran after 0.2 s of computing",)
    assert trials.pop(SLEEPS) == ("it gave no answer for 6 s of real time",)
    assert trials.pop(DIES) == ("its process ended with status -9",)
    assert trials.pop(RAISES) == ("it ended with LookupError('a slip')",)
    assert set(trials.values()) == {()}


def test_equal_cases_have_a_trial_each() -> None:
    """Pairs of faults are drawn for ever, so one may come a second time."""
    same = Case(story=Story.AUDIT, seed=1)

    trials = list(run_all([[same, same, same], [same]], 1, play=keep))

    assert trials == [Trial(case=same, problems=())] * 4


def test_no_cases_no_trials() -> None:
    assert list(run_all(iter(()), 2)) == []
