"""The Azure CLI gives figures only when it is there and signed in, and a step survives only with the right answer."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.article import ByHand, _stormy_rows, _survives, demand_complete
from bench.article_steps import LOOK_SECONDS, Step
from bench.azure_cli import AzureCli, Said
from bench.faulty_azure import FaultyAzure
from bench.rows import ReferenceFailed, Row
from bench.served_azure import ServedAzure, SkippingClock

CALM = ByHand(steps=25, failed=Counter(), waited=700.0, computed=30.0, requests=80, problems=())


class Scripted(AzureCli):
    """Says what a test wants it to say, one answer after the other."""

    def __init__(self, *answers: Said) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._answers: Iterator[Said] = iter(answers)

    def run(self, *arguments: str) -> Said:
        self.asked.append(arguments)
        return next(self._answers)


WORKED, FAILED = Said(worked=True, answer={"state": "open"}), Said(worked=False, complaint="503")
CLOSED = Said(worked=True, answer={"state": "closed"})
CHANGE = Step(what="close registry", command=("resource", "update"))
CHECK = Step(what="wait", command=("resource", "show"), check=lambda said: bool(said["state"] == "closed"), looks=3)


def test_a_command_survives_when_it_worked() -> None:
    assert _survives(CHANGE, Scripted(WORKED), SkippingClock())
    assert not _survives(CHANGE, Scripted(FAILED), SkippingClock())


def test_a_check_survives_only_with_the_right_answer() -> None:
    once = replace(CHECK, looks=1)

    assert _survives(once, Scripted(CLOSED), SkippingClock())
    assert not _survives(once, Scripted(WORKED), SkippingClock())


def test_a_check_is_repeated_until_it_holds_and_time_passes_in_between() -> None:
    clock, cli = SkippingClock(), Scripted(WORKED, FAILED, CLOSED)

    assert _survives(CHECK, cli, clock)
    assert cli.asked == [CHECK.command] * 3
    assert clock.skipped.total_seconds() == 2 * LOOK_SECONDS


def test_a_check_that_never_holds_is_given_up() -> None:
    assert not _survives(CHECK, Scripted(WORKED, WORKED, WORKED), SkippingClock())


@pytest.mark.parametrize(
    "calm", [replace(CALM, failed=Counter({"zone": 1})), replace(CALM, problems=("models is open",))]
)
def test_commands_that_did_not_isolate_on_a_calm_day_give_no_figures(calm: ByHand) -> None:
    with pytest.raises(ReferenceFailed, match=r"the CLI's way did not work: .*(zone|models is open)"):
        demand_complete(calm)


def test_commands_that_isolated_give_figures() -> None:
    demand_complete(CALM)


def rows(*stormy: ByHand) -> dict[str, Row]:
    return {row.measure.strip(): row for row in _stormy_rows(list(stormy), [200.0, 260.0, 900.0], 51.4)}


def test_what_the_commands_lost_on_bad_days_is_told_by_name() -> None:
    broken = replace(CALM, failed=Counter({"close registry": 1, "wait": 2}), problems=("models is open",), requests=90)

    found = rows(CALM, broken)

    survived = found["5 % of answers are faults: steps that survive"]
    assert (survived.ours, survived.reference) == ("all, in 3 of 3 runs", "47 of 50, in 2 runs")
    assert survived.note.endswith("1 close registry, 2 wait. Afterwards: models is open")
    assert (found["isolated afterwards"].ours, found["isolated afterwards"].reference) == ("3 of 3", "1 of 2")
    assert found["time to isolated"].ours == "median 260 s, longest 900 s"
    assert found["time to isolated"].reference == "median 730 s, then by hand"
    assert (found["requests"].ours, found["requests"].reference) == ("51 on average", "85 on average")


def test_bad_days_that_the_commands_survived_are_told_as_such() -> None:
    found = rows(CALM)

    assert found["5 % of answers are faults: steps that survive"].note.endswith(": none. Afterwards: isolated.")
    assert found["time to isolated"].reference == "median 730 s"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("python", "said"),
    [
        (Path("/nowhere/python"), "the Azure CLI is not installed; `make cli` does that"),
        (Path(sys.executable), "az cloud register failed: .*No module named"),
    ],
)
def test_without_a_cli_that_works_there_are_no_figures(tmp_path: Path, python: Path, said: str) -> None:
    clock = SkippingClock()
    azure = FaultyAzure(start=clock.now())

    with ServedAzure(azure, tmp_path, clock) as served, pytest.raises(ReferenceFailed, match=said):
        AzureCli(served, tmp_path, python)
