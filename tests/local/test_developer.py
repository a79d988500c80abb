"""Which Azure a command at this terminal looks at."""

import argparse
from collections.abc import Callable, Sequence

import pytest

from local import audit, doctor
from shared.core.clouds import CLOUDS

type Parse = Callable[[Sequence[str]], argparse.Namespace]
COMMANDS = pytest.mark.parametrize("parse", [audit.parse_arguments, doctor.parse_arguments], ids=["audit", "doctor"])


@COMMANDS
def test_the_public_cloud_is_meant_where_nobody_says_another(parse: Parse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_CLOUD", raising=False)
    assert parse([]).cloud == "AzureCloud"

    monkeypatch.setenv("AZURE_CLOUD", "")
    assert parse([]).cloud == "AzureCloud"


@COMMANDS
@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_is_asked_for_by_the_environment_or_the_command_line(
    parse: Parse, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLOUD", name)
    assert parse([]).cloud == name

    monkeypatch.setenv("AZURE_CLOUD", "AzureChinaCloud")
    assert parse(["--cloud", name]).cloud == name


@COMMANDS
@pytest.mark.parametrize("arguments", [[], ["--cloud", "AzureGermanCloud"]], ids=["environment", "command line"])
def test_a_cloud_that_is_none_is_refused_with_those_that_are(
    parse: Parse, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A traceback would end with 1, which says that something was found."""
    monkeypatch.setenv("AZURE_CLOUD", "AzureGermanCloud")

    with pytest.raises(SystemExit) as refused:
        parse(arguments)

    assert refused.value.code == 2
    assert "'AzureGermanCloud' is no cloud; known clouds are AzureCloud, " in capsys.readouterr().err
