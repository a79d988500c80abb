"""The arguments of the local host: what is taken, and what is refused before anything starts."""

from datetime import timedelta
from pathlib import Path

import pytest

from local.host.__main__ import parse_arguments

NEEDED = ["--app", "app", "--data", "data"]


def test_folders_and_files_are_found_from_wherever_the_app_goes_later() -> None:
    options = parse_arguments([*NEEDED, "--settings", "s.json", "--keys", "k.json"])

    assert (options.app, options.data) == (Path.cwd() / "app", Path.cwd() / "data")
    assert (options.settings, options.keys) == (Path.cwd() / "s.json", Path.cwd() / "k.json")


def test_a_free_port_ten_seconds_to_finish_and_no_files_are_the_default() -> None:
    options = parse_arguments(NEEDED)

    assert (options.port, options.settings, options.keys) == (0, None, None)
    assert (options.grace, options.message_lease) == (timedelta(seconds=10), timedelta(seconds=15))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([*NEEDED, "--message-lease", "0"], "--message-lease: must be positive"),
        ([*NEEDED, "--message-lease", "inf"], "--message-lease: must be positive and at most 86400"),
        ([*NEEDED, "--grace", "nan"], "--grace: must be positive"),
        ([*NEEDED, "--grace", "short"], "--grace: invalid"),
        ([*NEEDED, "--port", "70000"], "--port: must be from 0 to 65535"),
        (["--app", "app"], "the following arguments are required: --data"),
    ],
)
def test_arguments_that_mean_nothing_are_exit_status_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        parse_arguments(arguments)

    assert refused.value.code == 2
    assert sentence in capsys.readouterr().err
