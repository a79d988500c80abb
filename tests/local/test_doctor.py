"""`make doctor`: the doctor at a terminal, with the sign-in of whoever sits there."""

import io
import json
import os
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from bench.served_azure import ServedAzure, SkippingClock
from local.doctor import MISSING, NOT_LOOKED, SOUND, examine, main, parse_arguments, show, status_of
from local.house import APP, House, SimulatedCredential
from local.read_only import ReadOnlyTransport
from local.simulator import scenery
from local.simulator.options import Options
from shared.cloud.arm_client import ArmClient
from shared.core.diagnosis import Diagnosis, Verdict
from shared.core.policy import IsolationPolicy
from tests.virtual_time import run_virtual


def diagnosis(verdict: Verdict, sentence: str = "It is so.", fix: str = "") -> Diagnosis:
    return Diagnosis(check="subnet", verdict=verdict, sentence=sentence, fix=fix)


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([Verdict.OK, Verdict.WARN], SOUND),
        ([Verdict.OK, Verdict.FAIL, Verdict.UNKNOWN], MISSING),
        ([Verdict.WARN, Verdict.UNKNOWN], NOT_LOOKED),
    ],
)
def test_the_exit_status_says_whether_something_is_missing(verdicts: list[Verdict], status: int) -> None:
    assert status_of([diagnosis(each) for each in verdicts]) == status


def test_commands_are_whole_lines_and_nothing_moves_the_cursor() -> None:
    text = io.StringIO()
    fix = "az " + "x" * 300

    show([diagnosis(Verdict.FAIL, "evil\x1b[2Jname", fix), diagnosis(Verdict.OK)], Console(file=text, width=80))

    assert f"  {fix}\n" in text.getvalue()
    assert "\x1b[2J" not in text.getvalue()


@pytest.mark.parametrize(
    ("cloud", "first"), [("AzureCloud", "az x"), ("AzureUSGovernment", "az cloud set --name AzureUS")]
)
def test_commands_for_another_cloud_begin_with_the_one_that_turns_to_it(cloud: str, first: str) -> None:
    text = io.StringIO()

    show([diagnosis(Verdict.FAIL, fix="az x")], Console(file=text, width=80), cloud)

    assert text.getvalue().partition("To put it right:")[2].strip().startswith(first)


def test_without_a_policy_nothing_can_be_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--policy", str(tmp_path / "none.yaml")]) == NOT_LOOKED
    assert "none.yaml" in capsys.readouterr().err


def test_it_reads_and_leaves_out_what_only_the_app_can_look_at() -> None:
    async def story() -> None:
        async with House() as house:
            transport = ReadOnlyTransport(house.transport)
            credential = SimulatedCredential(house.azure, APP)
            arm = ArmClient(credential=credential, cloud=house.cloud, transport=transport)
            policy = IsolationPolicy.from_document(house.document)

            found = await examine(parse_arguments([]), policy, arm)

            assert {each.check for each in found} == {
                "policy", "token", "permission", "provider", "events", "subnet", "zone",
            }  # fmt: skip
            assert status_of(found) == SOUND
            assert transport.asked == len([call for call in house.azure.log if call.principal == APP])

    run_virtual(story())


@pytest.mark.parametrize(("given", "said"), [((), "--principal"), (("--principal", APP), APP)])
def test_it_tells_whom_deny_assignments_do_not_spare(given: tuple[str, ...], said: str) -> None:
    async def story() -> None:
        async with House(options=Options(deny_managed_groups=True)) as house:
            scenery.create_registry(house.azure, "contoso", now=house.now())
            arm = ArmClient(
                credential=SimulatedCredential(house.azure, APP), cloud=house.cloud, transport=house.transport
            )

            found = await examine(parse_arguments(given), IsolationPolicy.from_document(house.document), arm)

            (told,) = [each for each in found if each.check == "deny-assignment"]
            assert "contoso" in told.sentence
            assert said in told.fix

    run_virtual(story())


@pytest.mark.slow
def test_the_command_examines_a_served_azure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house = House()
    policy = tmp_path / "policy.yaml"
    policy.write_text(yaml.safe_dump(house.document))
    (subscription,) = house.azure.subscriptions.values()
    house.azure.unregistered.add((subscription.lower(), "microsoft.storage"))
    for name in [name for name in os.environ if name.startswith(("AZURE_", "MSI_", "IDENTITY_"))]:
        monkeypatch.delenv(name)
    with ServedAzure(house.azure, tmp_path, SkippingClock()) as served:
        monkeypatch.setenv("IDENTITY_ENDPOINT", served.server.identity_endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", house.azure.identity_header)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        ca = str(served.server.ca_file)

        status = main(["--policy", str(policy), "--arm-endpoint", served.server.endpoint, "--arm-ca", ca, "--json"])

    found = json.loads(capsys.readouterr().out)
    assert status == MISSING
    assert [each["fix"] for each in found if each["verdict"] == "fail"] == [
        f"az provider register --namespace Microsoft.Storage --subscription {subscription} --wait"
    ]
