import json
import os
from dataclasses import FrozenInstanceError, asdict
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import InvalidSettings
from shared.settings import APP_ROOT, Settings, load, setting_names

DEVELOPMENT = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
DEPLOYED = {"AzureWebJobsStorage__accountName": "stisolation", "AzureWebJobsStorage__credential": "managedidentity"}
GUID = "ABCDEF00-2222-4333-8444-555555555555"
LOCAL = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_environ(environ)
    return list(refused.value.problems)


def test_the_sample_holds_every_setting_and_no_other() -> None:
    sample = json.loads((APP_ROOT / "local.settings.sample.json").read_text("utf-8"))
    values = sample["Values"]

    identity = {name for name in setting_names() if name.startswith("AzureWebJobsStorage__")}
    assert sample["IsEncrypted"] is False
    assert values.keys() == {*setting_names(), "FUNCTIONS_WORKER_RUNTIME"} - identity
    assert values["FUNCTIONS_WORKER_RUNTIME"] == "python"
    assert values["AzureWebJobsStorage"] == "UseDevelopmentStorage=true"


def test_the_sample_is_usable_and_says_what_is_the_default_anyway() -> None:
    values = json.loads((APP_ROOT / "local.settings.sample.json").read_text("utf-8"))["Values"]

    assert Settings.from_environ(values) == Settings.from_environ(DEVELOPMENT)


def test_every_field_reads_a_variable_of_its_own() -> None:
    found = Settings.from_environ(DEPLOYED)
    groups = [
        asdict(found.state),
        asdict(found.work),
        asdict(found.http),
        asdict(found.dashboard),
        asdict(found.outcomes),
        asdict(found.simulation),
        asdict(found.azure),
    ]

    assert len(set(setting_names())) == len(setting_names()) == sum(len(group) for group in groups)


def test_a_deployment_needs_nothing_but_its_storage_account() -> None:
    found = Settings.from_environ(DEPLOYED)

    assert found.azure.cloud.name == "AzureCloud"
    assert found.azure.registry_api_version == "2025-06-01"
    assert found.work.policy_path == APP_ROOT / "policy.yaml"
    assert found.work.pass_deadline == timedelta(seconds=60)
    assert found.state.work_queue == "registry-work"
    assert found.state.blob_uri == "https://stisolation.blob.core.windows.net"
    assert found.state.queue_uri == "https://stisolation.queue.core.windows.net"
    assert found.state.table_uri == "https://stisolation.table.core.windows.net"
    assert (found.development, found.simulation.arm_endpoint, found.simulation.pace) == (False, "", 1.0)


def test_the_state_account_follows_the_cloud_unless_a_service_is_named() -> None:
    environ = DEPLOYED | {
        "AZURE_CLOUD": "AzureUSGovernment",
        "AzureWebJobsStorage__queueServiceUri": "https://queues.example.us:8443/",
    }
    found = Settings.from_environ(environ).state

    assert found.blob_uri == "https://stisolation.blob.core.usgovcloudapi.net"
    assert found.queue_uri == "https://queues.example.us:8443"


def test_three_service_uris_stand_for_an_account() -> None:
    uris = {f"AzureWebJobsStorage__{name}ServiceUri": f"https://{name}.example" for name in ("blob", "queue", "table")}

    assert Settings.from_environ(uris).state.table_uri == "https://table.example"
    del uris["AzureWebJobsStorage__tableServiceUri"]
    assert "AzureWebJobsStorage__tableServiceUri" in problems(uris)[0]


def test_a_connection_string_wins_and_is_shown_nowhere() -> None:
    secret = "DefaultEndpointsProtocol=https;AccountName=st;AccountKey=c2VjcmV0"
    found = Settings.from_environ(DEPLOYED | {"AzureWebJobsStorage": secret})

    assert found.state.connection_string == secret
    assert found.state.blob_uri == ""
    assert "c2VjcmV0" not in repr(found)
    for name in ("AzureWebJobsStorage", "ISOLATION_ARM_ENDPOINT", "AzureWebJobsStorage__blobServiceUri"):
        assert "c2VjcmV0" not in " ".join(problems(DEVELOPMENT | LOCAL | {name: "c2VjcmV0", "AZURE_CLOUD": "x"}))


def test_callers_get_names_by_the_fingerprints_of_their_keys() -> None:
    found = Settings.from_environ(
        DEVELOPMENT | {"ISOLATION_EASY_AUTH": "True", "ISOLATION_KEY_NAMES": "1a2b3c4d=alice-laptop, 00000000=ci,"}
    ).http

    assert found.easy_auth
    assert found.key_names == {"1a2b3c4d": "alice-laptop", "00000000": "ci"}


def test_a_key_that_was_set_in_place_of_its_name_is_shown_nowhere() -> None:
    assert "c2VjcmV0" not in " ".join(problems(DEVELOPMENT | {"ISOLATION_KEY_NAMES": "c2VjcmV0=alice"}))


def test_a_simulated_azure_is_taken_in_development() -> None:
    environ = DEVELOPMENT | LOCAL | {
        "ISOLATION_ARM_ENDPOINT": "https://127.0.0.1:8443/",
        "ISOLATION_ARM_CA": "/tmp/ca.pem",  # noqa: S108 -- only a path
        "ISOLATION_PACE": "0.1",
    }  # fmt: skip
    found = Settings.from_environ(environ)

    assert found.development
    assert found.simulation.arm_endpoint == "https://127.0.0.1:8443"
    assert (found.simulation.arm_ca, found.simulation.pace) == ("/tmp/ca.pem", 0.1)  # noqa: S108 -- the same


@pytest.mark.parametrize(
    ("name", "value"),
    [("ISOLATION_ARM_ENDPOINT", "https://127.0.0.1"), ("ISOLATION_ARM_CA", "ca.pem"), ("ISOLATION_PACE", "0.5")],
)
@pytest.mark.parametrize("mark", ["WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME"])
def test_a_machine_of_azure_is_no_place_of_development_whatever_its_settings_say(
    name: str, value: str, mark: str
) -> None:
    azure = DEPLOYED | {"AZURE_FUNCTIONS_ENVIRONMENT": "Development", mark: "0a1b"}

    assert len(problems(azure | {name: value})) == 1
    assert not Settings.from_environ(azure).development


@pytest.mark.parametrize(
    ("name", "value"),
    [("ISOLATION_ARM_ENDPOINT", "https://127.0.0.1"), ("ISOLATION_ARM_CA", "ca.pem"), ("ISOLATION_PACE", "0.5")],
)
@pytest.mark.parametrize("environment", ["", "Production", "development", "Staging"])
def test_a_simulated_azure_is_refused_outside_development(name: str, value: str, environment: str) -> None:
    told = problems(DEPLOYED | {name: value, "AZURE_FUNCTIONS_ENVIRONMENT": environment})

    assert told == [
        f"{name} points the app at a simulated Azure and is refused unless AZURE_FUNCTIONS_ENVIRONMENT is Development."
    ]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("AZURE_CLOUD", "Azure", "known clouds are AzureCloud, AzureUSGovernment, AzureChinaCloud"),
        ("ISOLATION_CLIENT_ID", "my-app", "a GUID is needed"),
        ("ISOLATION_PRINCIPAL_ID", "1", "a GUID is needed"),
        ("ISOLATION_REGISTRY_API_VERSION", "latest", "an api-version like 2025-06-01"),
        ("ISOLATION_WORK_QUEUE", "Registry_Work", "3 to 47 of a-z"),
        ("ISOLATION_WORK_QUEUE", "a--b", "single hyphens"),
        ("ISOLATION_WORK_QUEUE", "a" * 48, "3 to 47"),
        ("ISOLATION_SWEEP_SCHEDULE", "hourly", "NCRONTAB expression of five or six fields"),
        ("ISOLATION_SWEEP_SCHEDULE", "01:00:00", "NCRONTAB"),
        ("ISOLATION_SWEEP_SCHEDULE", "0 0 7 * * * *", "NCRONTAB"),
        ("ISOLATION_SWEEP_SCHEDULE", "0 7 * * *; rm", "NCRONTAB"),
        ("ISOLATION_PASS_DEADLINE_SECONDS", "4", "from 5 to 300"),
        ("ISOLATION_PASS_DEADLINE_SECONDS", "301", "from 5 to 300"),
        ("ISOLATION_PASS_DEADLINE_SECONDS", "1e2", "whole number"),
        ("ISOLATION_PASS_DEADLINE_SECONDS", "\u0661\u0660", "whole number"),
        ("ISOLATION_EASY_AUTH", "on", "true or false"),
        ("ISOLATION_KEY_NAMES", "alice", "pairs like 1a2b3c4d=alice-laptop"),
        ("ISOLATION_KEY_NAMES", "1a2b3c4d=a,1a2b3c4d=b", "each fingerprint once"),
        ("ISOLATION_PACE", "0", "above 0"),
        ("ISOLATION_PACE", "fast", "above 0"),
        ("ISOLATION_PACE", "2", "at most 1"),
        ("ISOLATION_ARM_ENDPOINT", "http://127.0.0.1:8080", "https://host"),
        ("ISOLATION_ARM_ENDPOINT", "https://user:pw@127.0.0.1", "https://host"),
        ("ISOLATION_ARM_ENDPOINT", "https://127.0.0.1/path", "https://host"),
        ("ISOLATION_ARM_ENDPOINT", "https://[::1", "https://host"),
        ("ISOLATION_ARM_ENDPOINT", "https://host:99999", "https://host"),
        ("AzureWebJobsStorage", "st", "not a storage connection string"),
        ("AzureWebJobsStorage__accountName", "St", "3 to 24"),
        ("AzureWebJobsStorage__blobServiceUri", "https://x/?sig=1", "https://host"),
        ("AzureWebJobsStorage__clientId", "x", "a GUID is needed"),
        ("AzureWebJobsStorage__credential", "key", "only managedidentity"),
        ("ISOLATION_OUTCOME_TOPIC", "https://evil.example/api/events", "is not a topic of AzureCloud"),
        ("ISOLATION_OUTCOME_SOURCE", "two words", "a URI"),
        ("ISOLATION_POLICY_PTH", "x", "did you mean ISOLATION_POLICY_PATH?"),
        ("ISOLATION_ZZZZZZZZZZ", "x", "is not a setting of this app."),
    ],
)
def test_an_unusable_value_is_named_with_what_is_needed(name: str, value: str, told: str) -> None:
    found = problems(DEPLOYED | DEVELOPMENT | LOCAL | {name: value})

    assert len(found) == 1
    assert found[0].startswith(name)
    assert told in found[0]


def test_every_problem_is_told_at_once() -> None:
    found = problems({"AZURE_CLOUD": "x", "ISOLATION_CLIENT_ID": "x", "ISOLATION_PACE": "7", "ISOLATION_X": ""})

    assert len(found) == 6
    assert any("AzureWebJobsStorage (a connection string)" in problem for problem in found)


def test_a_topic_is_one_of_the_cloud_or_of_the_simulated_azure() -> None:
    real = "https://outcomes.westeurope-1.eventgrid.azure.net/api/events"
    made = "https://127.0.0.1:8443/topics/outcomes/api/events"
    simulation = DEVELOPMENT | LOCAL | {"ISOLATION_ARM_ENDPOINT": "https://127.0.0.1:8443"}

    assert Settings.from_environ(DEPLOYED | {"ISOLATION_OUTCOME_TOPIC": real}).outcomes.topic == real
    assert Settings.from_environ(simulation | {"ISOLATION_OUTCOME_TOPIC": made}).outcomes.topic == made
    for environ in (DEPLOYED | {"ISOLATION_OUTCOME_TOPIC": made}, simulation | {"ISOLATION_OUTCOME_TOPIC": real}):
        assert problems(environ)[0].startswith("ISOLATION_OUTCOME_TOPIC is not a topic of")


def test_blank_is_absent_and_spaces_do_not_count() -> None:
    blank = dict.fromkeys(setting_names(), " ")

    assert Settings.from_environ(blank | DEVELOPMENT) == Settings.from_environ(DEVELOPMENT)
    assert (
        Settings.from_environ(DEVELOPMENT | {"ISOLATION_PRINCIPAL_ID": f" {GUID} "}).azure.principal_id == GUID.lower()
    )


def test_an_absolute_policy_path_stays_absolute(tmp_path: Path) -> None:
    environ = DEVELOPMENT | {"ISOLATION_POLICY_PATH": str(tmp_path / "p.yaml")}

    assert Settings.from_environ(environ).work.policy_path == tmp_path / "p.yaml"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings.from_environ(DEVELOPMENT).state.work_queue = "other"  # type: ignore[misc]


@given(st.dictionaries(st.sampled_from([*setting_names(), "AZURE_FUNCTIONS_ENVIRONMENT"]), st.text(max_size=20)))
def test_whatever_the_environment_says_the_answer_is_settings_or_problems(environ: dict[str, str]) -> None:
    found: object
    try:
        found = Settings.from_environ(environ)
    except InvalidSettings as refused:
        found = refused.problems

    assert found


def test_the_process_environment_is_read_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("ISOLATION_", "AzureWebJobs", "AZURE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    monkeypatch.setenv("AZURE_CLOUD", "AzureChinaCloud")

    assert load().azure.cloud.name == "AzureChinaCloud"
