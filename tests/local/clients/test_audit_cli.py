"""`python -m local audit` as a newcomer runs it: the real Azure CLI is signed in, Azure answers over HTTPS."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from local.arm_user import AzureAddress
from local.azurite import REPOSITORY
from local.simulator import seed
from local.stage import await_azure, clean_environment, launch_azure
from tests import started
from tests.local.audit_world import AuditWorld, three_registries
from tests.local.clients.world import interpreter, run

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody with a terminal."""

    world: AuditWorld
    azure: AzureAddress
    environment: dict[str, str]
    home: Path

    def audit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        simulated = ("--arm-endpoint", self.azure.endpoint, "--arm-ca", str(self.azure.ca))
        command = [sys.executable, "-m", "local", "audit", *arguments, *simulated]
        return started.run(command, cwd=REPOSITORY, env=self.environment, check=False)


@pytest.fixture(scope="module")
def signed_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedIn]:
    """The CLI has registered the cloud and logged in."""
    python = interpreter("cli")
    world = three_registries()
    folder, home = tmp_path_factory.mktemp("azure"), tmp_path_factory.mktemp("home")
    with launch_azure(folder, scale=0.01, document=seed.dump(world.azure)) as child:
        azure = await_azure(child)
        environment = clean_environment() | {
            "HOME": str(home),
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "REQUESTS_CA_BUNDLE": str(azure.ca),
            "IDENTITY_ENDPOINT": azure.identity_endpoint,
            "IDENTITY_HEADER": azure.identity_header,
            "AZURE_CONFIG_DIR": str(home / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "0",
        }
        for command in (
            ("cloud", "register", "--name", "Simulated", "--endpoint-resource-manager", azure.endpoint),
            ("cloud", "set", "--name", "Simulated"),
            ("login", "--identity"),
        ):
            run(python, "-m", "azure.cli", *command, "--output", "none", environment=environment)
        yield SignedIn(world=world, azure=azure, environment=environment, home=home)


def test_a_newcomer_sees_what_is_open_with_one_command(signed_in: SignedIn) -> None:
    ran = signed_in.audit("--no-policy")

    assert ran.returncode == 1, ran.stderr
    assert "public-access-open" in ran.stdout
    assert "Closed to the public internet: reg-" in ran.stdout
    assert "all of them reads. Nothing was changed." in ran.stderr


def test_a_pipeline_gets_a_file_and_an_exit_status(signed_in: SignedIn) -> None:
    policy, file = signed_in.home / "policy.yaml", signed_in.home / "registries.sarif"
    policy.write_text(yaml.safe_dump(signed_in.world.policy))

    ran = signed_in.audit("--policy", str(policy), "--format", "sarif", "--output", str(file), "--fail-on", "never")

    run_of = json.loads(file.read_text())["runs"][0]
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    assert {"public-access-open", "change-planned", "enforcement-obstacle"} <= {
        result["ruleId"] for result in run_of["results"]
    }
    assert run_of["invocations"][0]["executionSuccessful"]
