"""`make up` keeps everything running, and what it tells its user to type works as it stands."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.azurite import REPOSITORY
from tests.local.clients.world import interpreter
from tests.local.playing import descendants, living, program, until
from tests.started import run

pytestmark = pytest.mark.slow

READY = "Ctrl-C here stops everything."
CURL, APP, CLI, AUDIT, SDK, END = (
    "Create another registry",
    "Ask the app itself",
    "Point the Azure CLI",
    "Audit it with that sign-in",
    "azure-ai-ml finds it",
    "Ctrl-C",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    process: "subprocess.Popen[bytes]"
    output: Path

    def commands(self, heading: str, next_heading: str) -> str:
        """What stands indented between two headings."""
        text = self.output.read_text().partition(heading)[2].partition(next_heading)[0]
        return "\n".join(line for line in text.splitlines() if line.startswith("  "))

    @property
    def load(self) -> str:
        return self.commands("In another shell", CURL)

    def shell(self, *scripts: str, home: Path) -> str:
        """Type commands into a shell that knows nothing yet; `az` is the CLI that the tests use."""
        function = f'az() {{ {REPOSITORY}/.local/cli/bin/python -m azure.cli "$@"; }}'
        command = ["bash", "-euo", "pipefail", "-c", "\n".join((function, self.load, *scripts))]
        done = run(command, env={"HOME": str(home), "PATH": os.environ["PATH"]}, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def running_until_ctrl_c(output: Path) -> Iterator[Up]:
    with program("local.up", "--empty", "--scale", "0.03", output=output) as process:
        until(lambda: READY in output.read_text() or process.poll() is not None)
        assert process.poll() is None, output.read_text()
        children = descendants(process.pid)
        yield Up(process=process, output=output)
        process.send_signal(signal.SIGINT)
        until(lambda: process.poll() is not None)
        assert process.returncode == 0
        assert len(children) >= 3
        assert living(children) == set()
        assert "Everything was stopped." in output.read_text()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with running_until_ctrl_c(tmp_path_factory.mktemp("up") / "output") as found:
        yield found


def test_a_registry_made_with_curl_as_told_becomes_isolated(up: Up, tmp_path: Path) -> None:
    said = up.shell(up.commands(CURL, APP), home=tmp_path)
    assert "HTTP/1.1 202" in said
    assert said.splitlines()[-1] == '"publicNetworkAccess":"Disabled"'


def test_the_app_answers_as_told(up: Up, tmp_path: Path) -> None:
    said = up.shell(up.commands(APP, CLI).replace('"\n', '"; echo\n'), home=tmp_path)
    listed, plan, report, history, sweep = (line for line in said.splitlines() if line.startswith("{"))
    name = "fabrikam-models"
    assert [each["name"] for each in json.loads(listed)["registries"]] == [name]
    assert json.loads(plan)["mode"] == "enforce"
    assert json.loads(report)["phase"] == "converged"
    assert len(json.loads(history)["entries"]) == 5
    assert "HTTP/1.1 202" in said
    assert json.loads(sweep)["state"] in {"running", "done"}


def test_the_azure_cli_and_an_audit_with_its_sign_in_work_as_told(up: Up, tmp_path: Path) -> None:
    interpreter("cli")
    installed = f'export PATH="{REPOSITORY}/.local/cli/bin:$PATH"'
    asked = up.commands(CLI, AUDIT).replace("--output table", "--output json")
    said = up.shell(installed, asked, up.commands(AUDIT, SDK), home=tmp_path)
    assert '"environmentName": "SimulatedAzure"' in said
    assert "vnet-hub" in said
    assert "Closed to the public internet: fabrikam-models." in said


def test_azure_ai_ml_works_as_told(up: Up, tmp_path: Path) -> None:
    interpreter("ai-ml")
    listed = json.loads(up.shell(up.commands(SDK, END), home=tmp_path).splitlines()[-1].replace("'", '"'))
    assert isinstance(listed, list)


def test_the_app_and_the_simulated_azure_are_named(up: Up) -> None:
    text = up.output.read_text()
    for name in (
        "simulated Azure  https://127.0.0.1:",
        "Functions host  http://127.0.0.1:",
        "policy  /",
        "app's log  /",
    ):
        assert name in text
