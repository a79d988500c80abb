"""The hooks around `azd up`, run by a real shell with a stand-in for the Azure CLI."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from shared.policy_file import load_policy
from tests import started
from tests.infra.bicep import INFRA

HUB = "6d3f0000-0000-4000-8000-000000000001"
SPOKE = "6d3f0000-0000-4000-8000-000000000002"
SUBNET = f"/subscriptions/{HUB}/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints"
NOBODY = "00000000-0000-0000-0000-000000000000"
pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "infra").mkdir()
    shutil.copytree(INFRA / "hooks", tmp_path / "infra" / "hooks")
    shutil.copy(INFRA / "policy.start.yaml", tmp_path / "infra")
    return tmp_path


def run(project: Path, hook: str, **environ: str) -> subprocess.CompletedProcess[str]:
    settings = {"PATH": f"{project / 'bin'}:{os.environ['PATH']}", "AZURE_SUBSCRIPTION_ID": HUB} | environ
    command = ["/bin/sh", f"infra/hooks/{hook}.sh"]
    return started.run(command, cwd=project, env=settings, check=False)


def write_policy(project: Path, text: str) -> None:
    (project / "policy.yaml").write_text(text)


def test_without_a_policy_one_is_written_that_only_audits(project: Path) -> None:
    result = run(project, "preprovision", AZURE_ENDPOINT_SUBNET=SUBNET)

    policy = load_policy(project / "policy.yaml")
    (network,) = policy.networks
    assert result.returncode == 0, result.stderr
    assert policy.mode == "audit"
    assert policy.scope.subscriptions == (HUB,)
    assert network.subnet.text == SUBNET
    assert network.dns.zones_resource_group == network.subnet.group


def test_the_zones_may_be_elsewhere(project: Path) -> None:
    zones = f"/subscriptions/{SPOKE}/resourceGroups/rg-dns"

    run(project, "preprovision", AZURE_ENDPOINT_SUBNET=SUBNET, AZURE_ZONES_RESOURCE_GROUP=zones)

    group = load_policy(project / "policy.yaml").networks[0].dns.zones_resource_group
    assert group is not None
    assert group.text == zones


def test_the_policy_that_is_written_covers_all_subscriptions_with_registries(project: Path) -> None:
    run(project, "preprovision", AZURE_ENDPOINT_SUBNET=SUBNET, AZURE_REGISTRY_SUBSCRIPTIONS=f"{HUB},{SPOKE}")

    assert load_policy(project / "policy.yaml").scope.subscriptions == (HUB, SPOKE)


@pytest.mark.parametrize("subnet", ["", "hub", f"/subscriptions/{HUB}/resourceGroups/rg-hub"])
def test_without_a_policy_and_a_subnet_nothing_is_written(project: Path, subnet: str) -> None:
    result = run(project, "preprovision", AZURE_ENDPOINT_SUBNET=subnet)

    assert result.returncode == 1
    assert "AZURE_ENDPOINT_SUBNET" in result.stderr
    assert not (project / "policy.yaml").exists()


def test_a_policy_that_is_there_is_left_as_it_is(project: Path) -> None:
    text = f"version: 1\nmode: audit # for now\nscope:\n  subscriptions: [{SPOKE}]\n"
    write_policy(project, text)

    assert run(project, "preprovision").returncode == 0
    assert (project / "policy.yaml").read_text() == text


def test_a_policy_that_enforces_is_not_deployed_unasked(project: Path) -> None:
    write_policy(project, f"version: 1\nmode: enforce\nscope:\n  subscriptions: [{HUB}]\n")

    refused = run(project, "preprovision")
    allowed = run(project, "preprovision", AZURE_ISOLATION_MODE="enforce")

    assert refused.returncode == 1
    assert "azd env set AZURE_ISOLATION_MODE enforce" in refused.stderr
    assert allowed.returncode == 0
    assert "mode: enforce" in allowed.stdout


@pytest.mark.parametrize("mode", ["", '"mode": enforce\n', "mode: audit\nmode: enforce\n", "mode:  enforce\n"])
def test_a_policy_whose_mode_is_not_plain_to_see_is_not_deployed(project: Path, mode: str) -> None:
    write_policy(project, f"version: 1\n{mode}scope:\n  subscriptions: [{HUB}]\n")

    result = run(project, "preprovision", AZURE_ISOLATION_MODE="enforce")

    assert result.returncode == 1
    assert "exactly one line" in result.stderr


def test_the_example_s_placeholder_is_not_deployed(project: Path) -> None:
    shutil.copy(INFRA.parent / "policy.example.yaml", project / "policy.yaml")

    result = run(project, "preprovision")

    assert result.returncode == 1
    assert NOBODY in result.stderr


def test_a_mode_that_is_misspelt_is_refused(project: Path) -> None:
    assert run(project, "preprovision", AZURE_ISOLATION_MODE="enforced").returncode == 1


def cli(project: Path, status: int = 0, *, until: int = 99) -> Path:
    """A stand-in for the Azure CLI that writes down how it was called, one argument a line; *until* it has *status*."""
    log = project / "called"
    (project / "bin").mkdir()
    script = project / "bin" / "az"
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{log}"\n'
        f'[ "$(grep -c "^deployment$" "{log}")" -ge {until} ] || exit {status}\n'
    )
    script.chmod(0o755)
    return log


OUTPUTS = {
    "AZURE_LOCATION": "westeurope",
    "AZURE_ENV_NAME": "prod",
    "APP_PRINCIPAL_ID": SPOKE,
    "APP_ID": "/subscriptions/s/app",
    "APP_STORAGE_ID": "/subscriptions/s/storage",
}


def test_each_subscription_with_registries_gets_its_roles_and_events(project: Path) -> None:
    log = cli(project)

    result = run(project, "postdeploy", AZURE_REGISTRY_SUBSCRIPTIONS=f"{HUB},{SPOKE}", **OUTPUTS)

    called = log.read_text().splitlines()
    assert result.returncode == 0, result.stderr
    assert [called[at + 1] for at, word in enumerate(called) if word == "--subscription"] == [HUB, SPOKE]
    assert called.count("infra/subscription.bicep") == 2
    assert f"principalId={SPOKE}" in called
    assert "functionAppId=/subscriptions/s/app" in called
    assert 'optionalRoles=["deletion"]' in called
    assert "mode=audit" in called


def test_roles_beyond_the_basic_one_are_asked_for_by_name(project: Path) -> None:
    log = cli(project)

    run(project, "postdeploy", AZURE_OPTIONAL_ROLES='["sharing"]', AZURE_ISOLATION_MODE="enforce", **OUTPUTS)

    called = log.read_text().splitlines()
    assert 'optionalRoles=["sharing"]' in called
    assert "mode=enforce" in called


def test_what_azure_does_not_know_everywhere_yet_is_tried_again(project: Path) -> None:
    log = cli(project, status=1, until=3)

    result = run(project, "postdeploy", AZURE_RETRY_SECONDS="0", **OUTPUTS)

    assert result.returncode == 0, result.stderr
    assert log.read_text().splitlines().count("infra/subscription.bicep") == 3
    assert "Again in 0 s (3 of 5)" in result.stderr


def test_a_subscription_that_cannot_be_deployed_to_ends_the_hook(project: Path) -> None:
    log = cli(project, status=1)

    result = run(
        project, "postdeploy", AZURE_REGISTRY_SUBSCRIPTIONS=f"{HUB},{SPOKE}", AZURE_RETRY_SECONDS="0", **OUTPUTS
    )

    assert result.returncode == 1
    assert log.read_text().splitlines().count("infra/subscription.bicep") == 5
    assert "azd hooks run postdeploy" in result.stderr
    assert SPOKE not in [word for word in log.read_text().splitlines() if "=" not in word]


def test_a_hook_that_lacks_an_output_says_which(project: Path) -> None:
    cli(project)

    result = run(project, "postdeploy", **{key: value for key, value in OUTPUTS.items() if key != "APP_ID"})

    assert result.returncode != 0
    assert "APP_ID" in result.stderr


def test_the_hooks_can_be_run_as_programs() -> None:
    assert all(os.access(hook, os.X_OK) for hook in (INFRA / "hooks").glob("*.sh"))
