"""The command of the campaign: what is played, what is said, and how it ends."""

from collections.abc import Sequence
from itertools import islice

import pytest

from local.campaign.__main__ import main, record
from local.campaign.cases import Case, Story
from local.campaign.crossroads import Tell
from local.campaign.draw import draw
from local.campaign.grid import Path
from local.campaign.kinds import Kind
from local.campaign.trial import Trial
from local.campaign.weather import AppCall

CALLS = 30


def a_path(case: Case) -> Path:
    """One story makes calls, and the others none."""
    reads = tuple(AppCall(method="GET", path="/x") for _ in range(CALLS))
    return Path(calls=reads if case.story is Story.AUDIT else (), store_calls=())


def keeps(bundle: Sequence[Case], tell: Tell, patience: float) -> None:
    del patience
    for case in bundle:
        tell(Trial(case=case, problems=()))


def breaks(bundle: Sequence[Case], tell: Tell, patience: float) -> None:
    del patience
    for case in bundle:
        tell(Trial(case=case, problems=("contoso is open", "a zone is lost")))


@pytest.mark.slow
def test_a_long_campaign_says_how_far_it_is_and_sums_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--runs", "260", "--from", "40", "--only", "reset", "--jobs", "2"], record=a_path, play=keeps) == 0

    far, total, faults, kept, *_ = capsys.readouterr().out.splitlines()
    assert far.startswith("290 runs done, 0 broken, ")
    assert total.startswith("260 runs (audit ")
    assert faults == "0 faults (none)"
    assert kept == "260 kept every promise, 0 broke one"


@pytest.mark.slow
def test_a_campaign_goes_on_where_an_earlier_one_ended_and_a_broken_promise_is_exit_status_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--runs", "5", "--from", "15", "--only", "reset", "--seed", "3"], record=a_path, play=breaks) == 1

    said = capsys.readouterr().out
    for case in islice(draw(3, a_path, Kind.RESET), 15, 20):
        told = f"BROKEN {case}\n  - contoso is open\n  - a zone is lost\n"
        assert f"{told}  replay: python -m local.campaign --replay '{case}'\n" in said
    assert "0 kept every promise, 5 broke one" in said


def test_the_grid_is_shown_and_nothing_is_played(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(bundle: Sequence[Case], tell: Tell, patience: float) -> None:
        raise AssertionError(bundle, tell, patience)

    assert main(["--grid", "--only", "reset"], record=a_path, play=refuse) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{CALLS} cells"

    assert main(["--grid", "list", "--only", "reset"], record=a_path, play=refuse) == 0
    listed = [Case.parse(line) for line in capsys.readouterr().out.splitlines()]
    assert [case.injections[0].at for case in listed] == list(range(1, CALLS + 1))
    assert {case.injections[0].kind for case in listed} == {Kind.RESET}


def test_a_path_is_what_a_story_asks_for_when_nothing_goes_wrong() -> None:
    path = record(Case(story=Story.AUDIT, seed=1))

    assert {call.method for call in path.calls} <= {"GET", "POST"}  # an audit writes nothing
    assert "/registries/" in " ".join(call.path for call in path.calls)
    assert path.store_calls != ()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--runs", "0"], "--runs: must be 1 or more"),
        (["--jobs", "-2"], "--jobs: must be 1 or more"),
        (["--from", "-1"], "--from: must be 0 or more"),
        (["--runs", "many"], "--runs: invalid"),
        (["--only", "bad-luck"], "--only: invalid"),
        (["--grid", "chart"], "--grid: invalid choice: 'chart'"),
        (["--replay", "create:1:lost@0"], "--replay: invalid"),
    ],
)
def test_arguments_that_mean_nothing_are_exit_status_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments, record=a_path, play=keeps)

    assert refused.value.code == 2
    assert sentence in capsys.readouterr().err
