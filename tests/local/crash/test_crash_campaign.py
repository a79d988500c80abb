"""A slice of the crash campaign: a real host, SIGKILL, and an end that cannot be told from one without it."""

from datetime import timedelta
from pathlib import Path

import pytest

from local.azurite import start_azurite
from local.crash.points import Point
from local.crash.rig import Rig
from local.crash.tally import Tally

POINTS = (
    "queue registry-work put#1.before",  # the ledger knows of the request, and no message bears it
    "azure PUT MachineLearningServices/registries#1.after",  # Azure closes, and nobody has noted it
    "table PUT registries#9.after",  # the row is written, and the writer never learns
)


@pytest.mark.slow
async def test_a_host_that_is_killed_at_three_points_of_one_story_ends_like_one_that_is_not(tmp_path: Path) -> None:
    with start_azurite(tmp_path / "azurite") as azurite:
        async with Rig(tmp_path / "rig", azurite, scale=0.01, lease=timedelta(seconds=3)) as rig:
            tally = Tally(await rig.play())
            assert tally.wrong_from_the_start == ""
            trial = await rig.play(*map(Point.parse, POINTS))
            assert trial.met, "a point is no longer on the path"
            assert tally.problems_of(trial) == []
