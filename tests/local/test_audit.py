"""An audit tells where registries stand and what would be changed, and nothing that could change anything gets through."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from azure.core.rest import HttpRequest
from rich.console import Console

from local.audit import CLEAN, FOUND, NOT_LOOKED, audit, main, parse_arguments
from local.audit_show import TableRendering
from local.auditor import Auditor
from local.developer import DeveloperCredential
from local.house import SimulatedCredential
from local.read_only import ReadOnlyTransport, reads
from local.simulator.faults import Fault, FaultKind
from local.simulator.transport import SimulatedTransport
from shared.core.clouds import CLOUDS
from shared.core.errors import AuditMode, MissingPermission
from shared.core.report_forms import FORMS
from shared.core.reports import Ending, Origin
from tests.core.postures import a_finding, a_posture
from tests.local.audit_world import AUDITOR, AuditWorld, three_registries
from tests.virtual_time import EPOCH, LoopClock, run_virtual

CLOUD = CLOUDS["AzureCloud"]
ORIGIN = Origin(version="1.2.3")


@pytest.fixture
def world() -> AuditWorld:
    return three_registries(start=EPOCH - timedelta(days=1))


@pytest.fixture
def policy(world: AuditWorld, tmp_path: Path) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(world.policy))
    return file


class Terminal:
    """One run of the command in virtual time, with the sign-in of a Reader."""

    def __init__(self, world: AuditWorld, *arguments: str) -> None:
        self.notes = io.StringIO()
        self.options = parse_arguments(arguments)
        self.status = run_virtual(self._run(world))

    async def _run(self, world: AuditWorld) -> int:
        clock = LoopClock()
        form = self.options.format
        self.rendering = TableRendering(ORIGIN) if form == "table" else FORMS[form].rendering(ORIGIN)
        auditor = Auditor(
            credential=SimulatedCredential(world.azure, AUDITOR),
            cloud=CLOUD,
            transport=SimulatedTransport(world.azure, clock.now),
            clock=clock,
        )
        async with auditor:
            return await audit(self.options, auditor, self.rendering, Console(file=self.notes, width=200))


def refuse(world: AuditWorld, status: int, code: str) -> None:
    """Let every look at registry `open` be answered so."""
    world.azure.faults.add(
        Fault(kind=FaultKind.RESPOND, method="GET", path=r"registries/open$", times=99, status=status, code=code)
    )


def findings(text: str) -> dict[str, set[str]]:
    """Codes by registry, of a JSON document."""
    return {each["name"]: {one["code"] for one in each["findings"]} for each in json.loads(text)["registries"]}


# --- with a policy ----------------------------------------------------------------------------------------------------


def test_an_audit_by_a_policy_tells_what_is_open_and_what_would_be_changed(
    world: AuditWorld, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = Terminal(world, "--policy", str(policy), "--format", "json")
    document = json.loads(capsys.readouterr().out)

    assert ran.status == FOUND
    by_name = {each["name"]: each for each in document["registries"]}
    isolated = next(name for name in by_name if name not in {"open", "blocked"})
    assert by_name[isolated]["phase"] == "converged"
    assert by_name[isolated]["changes"] == []
    assert {door["access"] for door in by_name[isolated]["doors"]} == {"closed"}
    assert len(by_name["open"]["planDigest"]) == 64
    sentences = " ".join(by_name["open"]["changes"])
    assert "private endpoint" in sentences
    assert "public" in sentences
    codes = {name: {one["code"] for one in each["findings"]} for name, each in by_name.items()}
    assert {"public-access-open", "change-planned"} <= codes["open"]
    assert {"public-access-open", "enforcement-obstacle"} <= codes["blocked"]
    told = " ".join(one["sentence"] for one in by_name["blocked"]["findings"])
    assert "UnsupportedSku" in told


def test_an_audit_writes_nothing(world: AuditWorld, policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = len(world.azure.log)

    ran = Terminal(world, "--policy", str(policy))

    calls = world.azure.log[before:]
    assert calls
    assert {call.method for call in calls} == {"GET", "POST"}
    assert {urlsplit(call.url).path for call in calls if call.method == "POST"} == {
        "/providers/Microsoft.ResourceGraph/resources"
    }
    assert f"{len(calls)} requests, all of them reads" in ran.notes.getvalue()


def test_the_table_shows_findings_and_the_plan(
    world: AuditWorld, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Terminal(world, "--policy", str(policy))

    told = capsys.readouterr().out
    assert "public-access-open" in told
    assert "What would be changed for open, were it enforced:" in told
    assert "Closed to the public internet: reg-" in told
    assert "3 registries; findings:" in told


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_to_be_had_as_a_file(world: AuditWorld, policy: Path, tmp_path: Path, form: str) -> None:
    file = tmp_path / "report"

    Terminal(world, "--policy", str(policy), "--format", form, "--output", str(file))

    text = file.read_bytes().decode()
    assert "public-access-open" in text
    if form == "csv":
        assert text.count("\r\n") > len(list(csv.DictReader(io.StringIO(text))))


def test_a_policy_can_be_tried_on_other_subscriptions(
    world: AuditWorld, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = yaml.safe_load(policy.read_text())
    document["scope"]["subscriptions"] = ["99999999-9999-4999-8999-999999999999"]
    policy.write_text(yaml.safe_dump(document))

    assert Terminal(world, "--policy", str(policy), "--format", "json").status == CLEAN
    assert json.loads(capsys.readouterr().out)["registries"] == []
    Terminal(world, "--policy", str(policy), "--subscription", world.subscription, "--format", "json")
    assert len(json.loads(capsys.readouterr().out)["registries"]) == 3


# --- without ----------------------------------------------------------------------------------------------------------


def test_without_a_policy_every_subscription_is_looked_at_and_nothing_is_planned(
    world: AuditWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = Terminal(world, "--no-policy", "--format", "json")
    text = capsys.readouterr().out

    assert ran.status == FOUND
    codes = findings(text)
    assert codes["open"] == codes["blocked"] == {"public-access-open"}
    assert all(each["changes"] == [] for each in json.loads(text)["registries"])
    assert "Without a policy, in 1 subscription" in ran.notes.getvalue()


def test_a_sign_in_that_sees_nothing_cannot_look(world: AuditWorld) -> None:
    world.azure.rbac.principal(AUDITOR).assignments.clear()

    with pytest.raises(MissingPermission, match="sees no subscription"):
        Terminal(world, "--no-policy")


async def test_somebody_who_is_not_signed_in_is_told_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    credential = DeveloperCredential(CLOUD)

    with pytest.raises(MissingPermission, match="az login"):
        await credential.get_token(CLOUD.audience)
    await credential.close()


def test_an_empty_subscription_is_clean_and_says_what_may_be_hidden(
    world: AuditWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = Terminal(world, "--no-policy", "--subscription", "99999999-9999-4999-8999-999999999999")

    assert ran.status == CLEAN
    assert "No registry was found" in ran.notes.getvalue()


# --- the exit status --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fail_on", "status"), [("error", FOUND), ("warning", FOUND), ("info", FOUND), ("never", CLEAN)]
)
def test_the_exit_status_follows_the_worst_finding(
    world: AuditWorld, capsys: pytest.CaptureFixture[str], fail_on: str, status: int
) -> None:
    assert Terminal(world, "--no-policy", "--fail-on", fail_on).status == status


def test_what_could_not_be_looked_at_is_told_and_outweighs_findings(
    world: AuditWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(world, 403, "AuthorizationFailed")

    ran = Terminal(world, "--no-policy", "--format", "json")

    document = json.loads(capsys.readouterr().out)
    assert ran.status == NOT_LOOKED
    assert [missed.split(":")[0] for missed in document["missed"]] == ["open"]
    assert findings(json.dumps(document))["open"] == {"posture-unknown"}
    assert findings(json.dumps(document))["blocked"] == {"public-access-open"}


def test_a_registry_that_was_deleted_meanwhile_is_left_out(
    world: AuditWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(world, 404, "ResourceNotFound")

    ran = Terminal(world, "--no-policy", "--format", "json")

    assert ran.status == FOUND
    assert "open" not in findings(capsys.readouterr().out)


def test_a_policy_that_is_not_valid_is_told_and_nobody_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("version: 1\nmode: on\n")

    assert main(["--policy", str(file)]) == NOT_LOOKED
    assert "line 2" in capsys.readouterr().err


def test_what_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parse_arguments(["--subscription", "mine"])

    assert refused.value.code == 2
    assert "not a subscription id" in capsys.readouterr().err


# --- nothing is written, whatever asks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "passes"),
    [
        ("GET", "/subscriptions", True),
        ("HEAD", "/subscriptions/x", True),
        ("POST", "/providers/Microsoft.ResourceGraph/resources", True),
        ("POST", "/providers/microsoft.resourcegraph/Resources", True),
        ("POST", "/providers/Microsoft.ResourceGraph/resources/../x", False),
        ("POST", "/subscriptions/x/providers/Microsoft.Storage/storageAccounts/y/listKeys", False),
        ("PUT", "/providers/Microsoft.ResourceGraph/resources", False),
        ("PATCH", "/subscriptions", False),
        ("DELETE", "/subscriptions", False),
        ("get", "/subscriptions", False),
    ],
)
async def test_only_what_reads_gets_through(world: AuditWorld, method: str, path: str, *, passes: bool) -> None:
    assert reads(method, f"https://management.azure.com{path}?api-version=1") is passes


@pytest.mark.virtual_time
async def test_what_could_write_is_not_sent(world: AuditWorld) -> None:
    clock = LoopClock()
    transport = ReadOnlyTransport(SimulatedTransport(world.azure, clock.now))
    before = len(world.azure.log)

    with pytest.raises(AuditMode, match="was not sent"):
        await transport.send(HttpRequest("DELETE", "https://management.azure.com/subscriptions/x?api-version=1"))

    assert (len(world.azure.log), transport.asked) == (before, 0)


# --- the table --------------------------------------------------------------------------------------------------------


def test_nothing_in_the_table_moves_the_cursor_or_is_markup() -> None:
    rendering = TableRendering(ORIGIN)
    rendering.add(
        a_posture(findings=(a_finding("\x1b[2J\x07[bold]x[/bold]\r\u202ehid\u200bden"),), changes=("\x1b]8;;x\x07",))
    )

    text = rendering.finish(Ending(missed=("\x1b[31mred",)))

    assert not {"\x1b", "\x07", "\r", "\u202e", "\u200b"} & set(text)
    assert "\\u202ehid\\u200bden" in text
    assert "[bold]x[/bold]" in text
