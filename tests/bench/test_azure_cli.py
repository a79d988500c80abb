"""The Azure CLI gives figures only when it is there and signed in, and a step survives only with the right answer."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bench.article import ByHand, _survives, section
from bench.article_steps import LOOK_SECONDS, Step
from bench.azure_cli import AzureCli, Said
from bench.faulty_azure import FaultyAzure
from bench.isolation import CASES, Isolation, isolate
from bench.rows import ReferenceFailed, Row
from bench.served_azure import ServedAzure, SkippingClock

CALM = ByHand(steps=25, failed=Counter(), waited=700.0, computed=30.0, requests=80, problems=())


@pytest.fixture(scope="module")
def ours() -> Isolation:
    return isolate(CASES[0])


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
def test_commands_that_did_not_isolate_on_a_calm_day_give_no_figures(calm: ByHand, ours: Isolation) -> None:
    with pytest.raises(ReferenceFailed, match=r"the CLI's way did not work: .*(zone|models is open)"):
        section(calm, [CALM], ours, [ours])


def rows(ours: Isolation, *stormy: ByHand) -> dict[str, Row]:
    """The app's bad days took two and five minutes, and one took as long as it takes without faults."""
    late = [replace(ours, known=ours.event + timedelta(seconds=seconds)) for seconds in (120, 300)]
    found = section(CALM, stormy, ours, [*late, ours])
    return {row.measure.strip() + (" when faults strike" if row.measure[0] == " " else ""): row for row in found.rows}


def test_the_app_is_held_against_what_the_commands_waited_and_computed(ours: Isolation) -> None:
    found = rows(ours, CALM)

    seconds = (ours.known - ours.event).total_seconds()
    timed = found["from the first command (or the event) to isolated"]
    assert (timed.ours, timed.reference, timed.ratio) == (f"{seconds:.4g} s", "730 s", f"{seconds / 730:.3g}")
    asked = found["requests to Azure Resource Manager"]
    assert (asked.ours, asked.reference) == (str(len(ours.calls)), "80")
    assert found["commands a person types"].reference == "25"


def test_what_the_commands_lost_on_bad_days_is_told_by_name(ours: Isolation) -> None:
    broken = replace(CALM, failed=Counter({"close registry": 1, "wait": 2}), problems=("models is open",), requests=90)

    found = rows(ours, CALM, broken)

    survived = found["5 % of answers are faults: steps that survive"]
    assert (survived.ours, survived.reference) == ("all, in 3 of 3 runs", "47 of 50, in 2 runs")
    assert survived.note.endswith("1 close registry, 2 wait. Afterwards: models is open")
    isolated = found["isolated afterwards when faults strike"]
    assert (isolated.ours, isolated.reference) == ("3 of 3", "1 of 2")
    timed = found["time to isolated when faults strike"]
    seconds = (ours.known - ours.event).total_seconds()
    assert 120 < seconds < 300
    assert (timed.ours, timed.reference) == (
        f"median {seconds:.4g} s, longest 300 s",
        "median 730 s, then by hand",
    )
    asked = found["requests when faults strike"]
    assert (asked.ours, asked.reference) == (f"{len(ours.calls)} on average", "85 on average")


def test_bad_days_that_the_commands_survived_are_told_as_such(ours: Isolation) -> None:
    found = rows(ours, CALM)

    assert found["5 % of answers are faults: steps that survive"].note.endswith(": none. Afterwards: isolated.")
    assert found["time to isolated when faults strike"].reference == "median 730 s"


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
