import json
from pathlib import Path

import pytest

from local.azurite import ACCOUNT_KEY
from local.host.app_settings import AppSettings, SettingsProblem, read_local_settings


def test_placeholders_become_settings_in_any_case() -> None:
    settings = AppSettings({"Work_Queue": "orders", "SUFFIX": "v2"})

    assert settings.resolve("%WORK_QUEUE%-%suffix%", used_by="The function f") == "orders-v2"


def test_a_missing_placeholder_is_named_together_with_who_needs_it() -> None:
    with pytest.raises(SettingsProblem, match=r"^The function f needs the app setting WORK_QUEUE, which is missing\.$"):
        AppSettings({}).resolve("%WORK_QUEUE%", used_by="The function f")


@pytest.mark.parametrize("name", [None, "", "Storage", "AzureWebJobsStorage"])
def test_a_connection_is_found_with_or_without_its_prefix(name: str | None) -> None:
    settings = AppSettings({"AzureWebJobsStorage": "AccountName=x"})

    assert settings.connection_string(name, used_by="The function f") == "AccountName=x"


def test_the_short_form_of_the_emulator_is_written_out() -> None:
    settings = AppSettings({"AzureWebJobsStorage": "UseDevelopmentStorage=true;"})

    expanded = settings.connection_string("AzureWebJobsStorage", used_by="The function f")

    assert "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1" in expanded.split(";")
    assert f"AccountKey={ACCOUNT_KEY}" in expanded.split(";")


def test_a_number_is_read_or_defaulted() -> None:
    assert AppSettings({"N": " 12 "}).number("n", default=5) == 12
    assert AppSettings({}).number("n", default=5) == 5


@pytest.mark.parametrize("text", ["", "ten", "-1", "1.5"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsProblem, match=r"The app setting N is .*, which is not a whole number"):
        AppSettings({"N": text}).number("N", default=5)


def test_a_missing_connection_is_refused() -> None:
    with pytest.raises(
        SettingsProblem, match=r"^The function f needs the connection string Orders, which is missing\.$"
    ):
        AppSettings({}).connection_string("Orders", used_by="The function f")


def test_an_identity_based_connection_is_refused_as_such() -> None:
    settings = AppSettings({"Orders__queueServiceUri": "https://x.queue.core.windows.net"})

    with pytest.raises(SettingsProblem, match="identity-based"):
        settings.connection_string("Orders", used_by="The function f")


def test_the_values_of_a_settings_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "local.settings.json"
    path.write_text(json.dumps({"IsEncrypted": False, "Values": {"A": "1"}, "Host": {"CORS": "*"}}))

    assert read_local_settings(path) == {"A": "1"}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "is not JSON"),
        ("{}", 'has no "Values" object'),
        ('{"Values": []}', 'has no "Values" object'),
        ('{"IsEncrypted": true, "Values": {}}', "is encrypted"),
        ('{"Values": {"B": 1, "A": true, "C": "x"}}', "these are not: A, B"),
    ],
)
def test_a_wrong_settings_file_is_refused(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "local.settings.json"
    path.write_text(text)

    with pytest.raises(SettingsProblem, match=part):
        read_local_settings(path)


def test_a_missing_settings_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsProblem, match="cannot be read: No such file"):
        read_local_settings(tmp_path / "none.json")
