"""Cases that are played together: each ends as if it had been played alone, whatever its neighbours do."""

import os
import signal
from collections.abc import Callable

import pytest

from local.campaign.cases import Case, Place
from local.campaign.crossroads import Crossroads, attempt_together, places_of, safely
from local.campaign.trial import Trial, attempt
from local.campaign.workers import bundles
from tests.local.playing import descendants

pytestmark = pytest.mark.slow
PATIENCE = 60.0


def together(*lines: str, patience: float = PATIENCE) -> dict[str, Trial]:
    told: list[Trial] = []
    attempt_together([Case.parse(line) for line in lines], told.append, patience)
    assert sorted(str(trial.case) for trial in told) == sorted(lines)
    return {str(trial.case): trial for trial in told}


def test_each_case_ends_as_if_it_had_been_played_alone() -> None:
    """One leaves at once, two at one call, one at a call to the storage, one nowhere: there is no such call."""
    lines = (
        "audit:1:event-late@0x10",
        "audit:1:unavailable@4x30",
        "audit:1:lost@4x1+table-down@9x10",
        "audit:1:store-lost@5x2",
        "audit:1:reset@900x1",
    )

    for line, trial in together(*lines).items():
        assert trial == attempt(Case.parse(line)), line
        assert trial.problems == ()


def test_a_case_that_computes_for_too_long_takes_no_other_with_it() -> None:
    trials = together("create:0:throttled@30x1", "create:0:throttled@31x1", patience=0.02)

    assert {trial.problems for trial in trials.values()} <= {(), ("it still ran after 0.02 s of computing",)}


def test_nothing_is_left_of_the_copies() -> None:
    before = descendants(os.getpid())  # what other tests of this process keep running

    together("audit:1:reset@4x1", "audit:1:reset@6x1")

    assert descendants(os.getpid()) <= before


def die() -> None:
    os._exit(5)


def compute_for_ever() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("ends", "patience", "problem"),
    [
        (die, PATIENCE, "its process ended with status 5"),
        (compute_for_ever, 0.3, "it still ran after 0.3 s of computing"),
    ],
)
async def test_a_copy_that_ends_without_a_word_is_a_broken_promise_and_the_calm_day_goes_on(
    ends: Callable[[], None], patience: float, problem: str
) -> None:
    told: list[Trial] = []
    one, other = Case.parse("audit:1:reset@4x1"), Case.parse("audit:1:reset@9x1")
    crossroads = Crossroads([one, other], told.append, patience)

    assert crossroads(Place("call", 3)) is None
    assert told == []
    if crossroads(Place("call", 4)) is not None:  # the copy
        ends()
    signal.setitimer(signal.ITIMER_PROF, 0)  # of the calm day, which is this process
    assert told == [Trial(case=one, problems=(problem,))]
    assert crossroads.case is None


def test_a_run_that_raises_is_a_broken_promise() -> None:
    class Slip(Crossroads):
        def __call__(self, place: Place) -> Case | None:
            raise LookupError(place.on)

    case = Case.parse("audit:1:reset@4x1")
    trial = safely(case, Slip([case], print, PATIENCE))

    assert trial == Trial(case=case, problems=("it ended with LookupError('loose')",))


@pytest.mark.parametrize(
    ("line", "places"),
    [
        ("create:0:", {Place("loose")}),
        ("create:0:table-down@0x10", {Place("loose")}),
        ("create:0:event-twice@0x1", {Place("loose")}),
        ("create:0:stale@9x1", {Place("loose")}),
        ("create:0:lost@9x1", {Place("call", 9)}),
        ("create:0:store-lost@9x1", {Place("store", 9)}),
        ("create:0:lost@9x1+store-lost@4x1", {Place("call", 9), Place("store", 4)}),
        ("create:0:lost@9x1+stale@4x1", {Place("loose")}),
    ],
)
def test_a_case_leaves_where_it_first_makes_a_difference(line: str, places: set[Place]) -> None:
    assert places_of(Case.parse(line)) == places


def test_bundles_are_of_one_story_in_one_world() -> None:
    lines = ("create:0:lost@1x1", "audit:0:lost@1x1", "create:1:lost@1x1", "create:0:lost@2x1")
    cases = [Case.parse(line) for line in lines]

    assert bundles(cases) == [[cases[0], cases[3]], [cases[1]], [cases[2]]]
