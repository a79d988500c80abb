"""
The command that fuzzes: every parser in a process of its own, findings that are told, and shown again.

In the place of atheris, which is native and installed by `make fuzz` only, stands one that feeds a parser what it is told.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from local.fuzz import child
from local.fuzz.__main__ import main
from local.fuzz.parsers import PARSERS

ATHERIS = """
import os, sys
from contextlib import nullcontext
included, asked, parser = [], [], None
def instrument_imports(include):
    included.extend(include)
    return nullcontext()
def Setup(arguments, function):
    global parser
    asked.extend(arguments[1:])
    parser = function
def Fuzz():
    for text in os.environ["FED"].split():
        parser(bytes.fromhex(text))
    print("INFO: began\\nDone 3 runs in 1 second(s)", file=sys.stderr)
    sys.exit(int(os.environ.get("STATUS", "0")))
"""
SOUND = "2f7b7d"
"""`/{}`, which every parser takes."""


@pytest.fixture
def atheris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is found where `make fuzz` says that atheris is."""
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "atheris.py").write_text(ATHERIS)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    monkeypatch.setenv("FED", SOUND)
    monkeypatch.delitem(sys.modules, "atheris", raising=False)


@pytest.mark.usefixtures("atheris")
def test_a_fuzzing_process_hands_its_parser_and_libfuzzers_options_over(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        child.main(["ids", "-max_total_time=1", "corpus"])

    stand_in = sys.modules["atheris"]
    assert ended.value.code == 0
    assert stand_in.parser is PARSERS["ids"]
    assert stand_in.asked == ["-max_total_time=1", "corpus"]
    assert stand_in.included == ["shared", "handlers", "local.fuzz"]  # what the fuzzer looks into for new ways
    assert "Done 3 runs" in capsys.readouterr().err


def test_every_parser_is_fuzzed_for_as_long_as_asked_and_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> CompletedProcess[str]:
        commands.append(command)
        return CompletedProcess(command, 0, stderr="INFO: began\nDone 3 runs in 7 second(s)\n")

    assert main(["--seconds", "7"], findings=tmp_path / "findings", run=run) == 0

    told = [f"{name:16} Done 3 runs in 7 second(s)" for name in PARSERS]
    assert capsys.readouterr().out.splitlines() == told
    assert [command[3] for command in commands] == list(PARSERS)
    assert {"-max_total_time=7", f"-artifact_prefix={tmp_path}/findings/ids-"} < set(
        commands[list(PARSERS).index("ids")]
    )
    assert (tmp_path / "findings").is_dir()


@pytest.mark.slow
@pytest.mark.usefixtures("atheris")
def test_a_finding_is_exit_status_1_with_the_command_that_shows_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FED", "no-hexadecimal-number")  # the process ends with a traceback

    assert main(["--only", "ids", "--seconds", "1"], findings=tmp_path) == 1

    said = capsys.readouterr().out
    assert said.startswith("ids              did not end by itself\n")
    assert "ValueError: non-hexadecimal number found" in said
    again = f"make fuzz ARGS='--only ids --again <file of {tmp_path}>'"
    assert said.endswith(f"ids met input that it cannot take: {again}\n")


def test_a_finding_that_was_repaired_is_shown_again_and_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "finding").write_bytes(bytes.fromhex(SOUND))

    assert main(["--only", "ids", "--again", str(tmp_path / "finding")], findings=tmp_path) == 0
    assert capsys.readouterr().out == "ids takes it.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--again", __file__], "--again needs --only"),
        (["--only", "ids", "--again", "/no/such/finding"], "there is no file /no/such/finding"),
        (["--only", "tea-leaves"], "--only: invalid choice: 'tea-leaves'"),
        (["--seconds", "0"], "--seconds: must be 1 or more: libFuzzer takes 0 for no end"),
        (["--seconds", "soon"], "--seconds: invalid"),
    ],
)
def test_arguments_that_mean_nothing_are_exit_status_2(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments, findings=tmp_path)

    assert refused.value.code == 2
    assert sentence in capsys.readouterr().err
