"""The command of the crash campaign: which points are played, what is said, and how it ends."""

import asyncio
import shutil
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import pytest

from local.azurite import Azurite, AzuritePorts, start_azurite
from local.crash.__main__ import main
from local.crash.points import Point, numbered
from local.crash.rig import Rig, Trial
from local.crash.verdict import Ending
from local.processes import ChildFailed, start

pytestmark = pytest.mark.slow

STEPS = tuple(numbered(["azure GET subnets", "table PUT registries", "azure PUT registries", "table PUT registries"]))
FIRST, SECOND = "table PUT registries#2.after", "azure PUT registries#1.before"
ZONE = "PUT microsoft.network/privatednszones/one"


class ScriptedRig(Rig):
    """A rig on which nothing runs: trials end as a test says."""

    played: ClassVar[list[tuple[str, str]]] = []
    wrong: ClassVar[dict[str, Trial | Exception]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        return

    async def play(self, *points: Point) -> Trial:
        told = " ".join(map(str, points))
        self.played.append((self.folder.name, told))
        await asyncio.sleep(0)
        found = self.wrong.get(told, a_trial(*points))
        if isinstance(found, Exception):
            raise found
        return found


def a_trial(*points: Point, problems: tuple[str, ...] = ()) -> Trial:
    ending = Ending(resources={}, writes={ZONE: 1}, told={})
    recovered = timedelta(seconds=2) if points else None
    return Trial(points=points, met=True, recovered=recovered, ending=ending, steps=STEPS, problems=problems)


@pytest.fixture(autouse=True)
def nothing_played() -> None:
    ScriptedRig.played.clear()
    ScriptedRig.wrong.clear()


def nobodys_azurite(folder: Path) -> Azurite:
    """One that nobody asks anything."""
    return Azurite(child=start(["/bin/true"], name="azurite", folder=folder), folder=folder, ports=AzuritePorts())


def command(*arguments: str) -> int:
    return main(arguments, storage=nobodys_azurite, rig_type=ScriptedRig)


def played() -> list[str]:
    """Where hosts were killed, after the plays in which none is."""
    return [told for _, told in ScriptedRig.played if told]


def test_every_point_is_played_and_those_of_writes_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert command() == 0

    assert len(played()) == len(STEPS) * 2
    assert played()[-2:] == ["azure GET subnets#1.before", "azure GET subnets#1.after"]
    assert [told for _, told in ScriptedRig.played[:2]] == ["", ""]  # to get warm, and to be held against
    said = capsys.readouterr()
    assert said.out.splitlines()[-2] == "8 kills, 0 failed; 0 points were not met."
    assert said.err == ""


def test_the_points_are_listed_with_the_numbers_by_which_they_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--list") == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[0] == "   1 azure GET subnets#1.before"
    assert len(listed) == len(STEPS) * 2
    assert played() == []

    number = next(line.split()[0] for line in listed if line.endswith(FIRST))
    assert command("--points", f"{number},{SECOND}") == 0
    assert played() == [FIRST, SECOND]


def test_rigs_side_by_side_share_the_points(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--points", "1-4", "--jobs", "2") == 0

    by_rig = Counter(rig for rig, told in ScriptedRig.played if told)
    assert by_rig == {"rig-1": 2, "rig-2": 2}
    assert len(set(played())) == 4
    assert "4 kills, 0 failed" in capsys.readouterr().out


def test_a_broken_promise_is_exit_status_1_with_its_replay_and_the_logs_are_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    point = Point.parse(FIRST)
    ScriptedRig.wrong[FIRST] = replace(a_trial(point), ending=Ending(resources={}, writes={}, told={}))

    assert command("--points", f"{SECOND},{FIRST}") == 1

    said = capsys.readouterr()
    assert f"{ZONE} was never written." in said.out
    assert f"--points '{FIRST}'" in said.out
    assert "2 kills, 1 failed" in said.out
    kept(said.err)


def test_a_story_that_goes_wrong_by_itself_kills_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    ScriptedRig.wrong[""] = a_trial(problems=("It was not done within 100 s.",))

    assert command() == 1

    said = capsys.readouterr()
    assert said.out == "Nobody was killed, and yet:\nIt was not done within 100 s.\n"
    assert played() == []
    kept(said.err)


def test_a_host_that_ends_by_itself_is_told_with_its_last_words_and_the_logs_are_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """While another rig is in the middle of a trial."""
    ScriptedRig.wrong[FIRST] = ChildFailed("The host ended by itself.\nout of memory")

    assert command("--points", f"{SECOND},{FIRST},1-3", "--jobs", "2") == 1

    told = capsys.readouterr().err
    assert "The crash campaign did not get to its end. The host ended by itself.\nout of memory\n" in told
    kept(told)


def test_a_missing_azurite_is_told_with_its_remedy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([], storage=partial(start_azurite, repository=tmp_path), rig_type=ScriptedRig) == 1
    assert f"run `npm ci` in {tmp_path}." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("points", "sentence"),
    [("9", "'9' is out of range: there are 8 points."), ("everything", "'everything' is not a point; one looks like")],
)
def test_points_that_mean_nothing_are_exit_status_2(
    points: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--points", points) == 2
    assert capsys.readouterr().err.startswith(sentence)
    assert played() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--jobs", "many"], "--jobs: invalid"),
        (["--jobs", "0"], "--jobs: must be 1 or more"),
        (["--scale", "0"], "--scale: must be from 0.01 to 10"),
        (["--story", "fable"], "--story: invalid choice"),
    ],
)
def test_arguments_that_mean_nothing_are_exit_status_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command(*arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def kept(told: str) -> None:
    """The folder with the logs is named and there; it goes now."""
    folder = Path(told.partition("Logs, settings and data are in ")[2].partition(".\n")[0])
    assert (folder / "azurite-1" / "azurite.log").exists()
    shutil.rmtree(folder)
