"""SIGKILL of the Functions host in the middle of the work costs time and nothing else."""

import asyncio
import io
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from local.arm_user import ArmUser
from local.demo_show import Show
from local.demo_story import Ending, Story
from local.stage import Stage
from local.stage_scene import API_VERSIONS, APP_PRINCIPAL

pytestmark = pytest.mark.slow

SCALE = 0.03
TIMEOUT = timedelta(seconds=120)
ENDPOINT = r"/privateEndpoints/[^/]+$"


async def test_a_host_that_is_killed_between_azures_yes_and_its_own_note_finishes_after_a_restart(
    tmp_path: Path,
) -> None:
    with Stage(tmp_path / "stage", scale=SCALE) as stage:
        stage.start_clouds()
        stage.start_host()
        said = io.StringIO()
        story = Story(stage, Show(Console(file=said, width=160)), timeout=TIMEOUT)
        async with ArmUser(stage.azure) as user, asyncio.TaskGroup() as group:
            await answer_late(user)
            playing = group.create_task(story.play())
            killed = group.create_task(kill_in_the_middle(stage, user))
        first = killed.result()
        ending: Ending = playing.result()
        assert ending.problems == [], said.getvalue()
        async with ArmUser(stage.azure) as user:
            endpoints = await user.list(
                f"{stage.azure.scene.scope}/providers/Microsoft.Network/privateEndpoints", API_VERSIONS["network"]
            )
            calls = (await user.look("log"))["calls"]
        assert len(endpoints) == 4  # the registry, two storage accounts, one container registry: nothing twice
        assert first.lower() in {str(each["id"]).lower() for each in endpoints}
        created = [each["url"] for each in calls if is_endpoint_write(each) and each["status"] == 201]
        assert len(created) == 4  # what was there already was not made again


async def answer_late(user: ArmUser) -> None:
    """Azure takes the first endpoint at once and says so too late for a host that is about to die."""
    await user.disturb({"kind": "slow", "method": "PUT", "path": ENDPOINT, "times": 4, "seconds": 30})


async def kill_in_the_middle(stage: Stage, user: ArmUser) -> str:
    """SIGKILL once Azure has taken an endpoint; the id of that endpoint."""
    while True:
        calls = (await user.look("log"))["calls"]
        written = [each["url"] for each in calls if is_endpoint_write(each)]
        if written:
            break
        await asyncio.sleep(0.02)
    await user.disturb(None)
    stage.host.child.kill()
    stage.start_host()  # nothing awaited in between: the story never sees the gap
    return str(written[0]).removeprefix(stage.azure.endpoint).partition("?")[0]


def is_endpoint_write(call: dict[str, str]) -> bool:
    url = call["url"].partition("?")[0]
    direct = "/privateEndpoints/" in url and "/privateDnsZoneGroups/" not in url
    return call["method"] == "PUT" and call["principal"] == APP_PRINCIPAL and direct
