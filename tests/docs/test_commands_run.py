"""
The commands of the pages, run: those for the app by a real curl against the real host, `init` in a folder of its own.

One host, one isolated registry, one simulated Azure for all of them. What a page leaves to its reader (a key, an address,
a digest) is filled in; everything else is typed as it stands, and curl fails on any status that is an error.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from local.arm_user import ArmUser
from local.azurite import REPOSITORY
from local.landing_zone import lay_out
from local.stage import Stage
from local.stage_scene import API_VERSIONS, LOCATION, registry_body
from shared.policy_file import load_policy
from tests import started
from tests.docs.commands import Command, Fate, all_commands
from tests.local.playing import until

pytestmark = pytest.mark.slow

SCALE = 0.02
NAME = "contoso-models"
SUBSCRIPTION = "6d3f0000-0000-4000-8000-000000000001"
SUBNET = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/hub/subnets/pe"
)
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/w"
)

COMMANDS = {command.text: command for command in all_commands()}
ASKED = [each for each in COMMANDS.values() if each.fate is Fate.ASKED_OF_THE_APP]
INIT = [each for each in COMMANDS.values() if each.fate is Fate.RUN]
PROGRAM = re.compile(r"(?:python -m (local|bench)((?:\.\w+)*)(?: (audit|doctor|init))?)")
CURL = 'curl() { command curl --silent --show-error --fail-with-body --max-time 90 "$@"; }'


def shown(command: Command) -> str:
    return f"{command.page}: {command.text.splitlines()[0][:70]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who types what the pages say."""

    stage: Stage

    @property
    def registry(self) -> str:
        return f"{self.stage.azure.scene.subscription}/rg-ml/{NAME}"

    @property
    def variables(self) -> dict[str, str]:
        azure, host = self.stage.azure, self.stage.host
        subscription, group, name = self.registry.split("/")
        return {
            "APP": host.url,
            "KEY": host.key,
            "REGISTRY": self.registry,
            "SUBSCRIPTION": subscription,
            "GROUP": group,
            "NAME": name,
            "ENDPOINT": azure.endpoint,
            "CA": str(azure.ca),
            "IDENTITY_ENDPOINT": azure.identity_endpoint,
            "HEADER": azure.identity_header,
        }

    def rests(self) -> bool:
        """The registry is isolated, and nobody is at work on it."""
        listed = self.ask("registries")["registries"]
        return [each["phase"] for each in listed] == ["converged"]

    def ask(self, path: str) -> dict[str, Any]:
        request = Request(f"{self.stage.host.url}/api/{path}", headers={"x-functions-key": self.stage.host.key})  # noqa: S310 -- our host
        with urlopen(request, timeout=90) as answer:  # noqa: S310 -- our host
            document: dict[str, Any] = json.loads(answer.read())
        return document

    def typed(self, command: str) -> str:
        """*command* with what the page leaves to its reader."""
        text = command.replace("https://$APP", "$APP").replace("<APP_URL>", "$APP").replace("<key>", "$KEY")
        if '"…"' in text:
            asyncio.run(open_a_door(self.stage))
            text = text.replace("…", self.ask(f"registries/{self.registry}/plan")["digest"])
        return text


def run(script: str, folder: Path, variables: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    given = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(REPOSITORY), **variables}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return started.run(command, cwd=folder, env=given, check=False, asks_for_a_token="$IDENTITY_ENDPOINT" in script)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with Stage(tmp_path_factory.mktemp("pages") / "stage", scale=SCALE) as stage:
        stage.start_clouds()
        stage.start_host()
        asyncio.run(prepare(stage))
        found = Reader(stage=stage)
        until(found.rests)
        yield found


async def prepare(stage: Stage) -> None:
    async with ArmUser(stage.azure, scale=SCALE) as user:
        await lay_out(user, stage)
        await user.put(stage.azure.scene.registry(NAME), registry_body((LOCATION,)), API_VERSIONS["registries"])


async def open_a_door(stage: Stage) -> None:
    """Somebody opens the container registry, and no event tells: there is something to plan."""
    async with ArmUser(stage.azure, scale=SCALE) as user:
        await user.delete(stage.azure.scene.event_subscription, API_VERSIONS["event-grid"])
        registry = await user.get(stage.azure.scene.registry(NAME), API_VERSIONS["registries"])
        assert registry is not None
        (account,) = (
            each["systemCreatedAcrAccount"] for each in registry["properties"]["regionDetails"][0]["acrDetails"]
        )
        body = {"properties": {"publicNetworkAccess": "Enabled"}}
        await user.patch(account["armResourceId"]["resourceId"], body, API_VERSIONS["container-registries"])


@pytest.mark.parametrize("command", ASKED, ids=shown)
def test_a_command_for_the_app_works_as_it_is_shown(reader: Reader, command: Command, tmp_path: Path) -> None:
    until(reader.rests)

    done = run(f"{CURL}\n{reader.typed(command.text)}", tmp_path, reader.variables)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout or any(tmp_path.iterdir()), "an answer, or the file that it went to"


@pytest.mark.parametrize("command", INIT, ids=shown)
def test_a_policy_that_a_page_has_written_is_one_that_the_app_takes(command: Command, tmp_path: Path) -> None:
    text = command.text.removeprefix(".venv/bin/").replace("<subnet id>", SUBNET).replace("<workspace id>", WORKSPACE)

    done = run(f'python() {{ "$EXECUTABLE" "$@"; }}\n{text}', tmp_path, {"EXECUTABLE": sys.executable})

    assert done.returncode == 0, done.stderr
    assert load_policy(tmp_path / "policy.yaml").mode == "audit"


def programs() -> dict[str, set[str]]:
    """Each program of ours that is not run here, with the options that the pages give it."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    recipes = dict(
        re.findall(r"^([a-z-]+):.*\n\t@(?:\w+=\S+ )?\$\((PYTHON\) -m .*) \$\(ARGS\)", makefile, re.MULTILINE)
    )
    found: dict[str, set[str]] = {}
    for text in COMMANDS:
        target = re.search(r"\bmake ([a-z-]+)(?: ARGS=(.*))?$", text, re.DOTALL)
        line = f"{recipes.get(target[1], '').replace('PYTHON)', 'python')} {target[2] or ''}" if target else text
        if program := PROGRAM.search(line):
            options = set(re.findall(r"(?<=[\s'\[])--[a-z][a-z-]*", line))
            found.setdefault(program[0].partition("-m ")[2], set()).update(options)
    return {program: options for program, options in found.items() if options}


@pytest.mark.parametrize(("program", "options"), sorted(programs().items()))
def test_a_program_knows_the_options_that_the_pages_give_it(program: str, options: set[str], tmp_path: Path) -> None:
    done = run(f'"$EXECUTABLE" -m {program} --help', tmp_path, {"EXECUTABLE": sys.executable})

    assert done.returncode == 0, done.stderr
    assert {option for option in options if option not in done.stdout} == set()
