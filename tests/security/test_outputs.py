"""Programs that tests start are heard: what they write is searched, wherever and however briefly it lies."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from local.processes import KEPT, start
from tests.emitted import FUNCTION_KEY, Emitted
from tests.outputs import Outputs, keys_in

ROOT = Path(__file__).parents[2]
SOON = timedelta(seconds=60)
KEY = "k3yOfAHost-0123456789_abcdefghijklmn"
READY = json.dumps({"url": "http://127.0.0.1:1", "keys": {"master": KEY}})


def heard(folder: Path) -> Emitted:
    made = Emitted()
    made.hear(Outputs(folder=folder))
    return made


def wrote(folder: Path, text: str, name: str = "host.log") -> None:
    (folder / "host-1").mkdir(exist_ok=True)
    with (folder / "host-1" / name).open("a") as file:
        file.write(text)


def test_a_secret_is_found_once_however_the_log_grows(tmp_path: Path) -> None:
    found = heard(tmp_path)
    wrote(tmp_path, f"began\nsaid {FUNCTION_KEY[:5]}")
    assert found.leaks() == []
    wrote(tmp_path, f"{FUNCTION_KEY[5:]}\n")

    assert len(found.leaks()) == 1
    wrote(tmp_path, "and went on\n")
    assert found.leaks() == []


def test_a_key_that_a_host_told_its_starter_may_stand_nowhere_else(tmp_path: Path) -> None:
    found = heard(tmp_path)
    wrote(tmp_path, f"{READY}\n", "host.out")
    wrote(tmp_path, "GET /api/health?code=***\n")
    assert found.leaks() == []

    wrote(tmp_path, f"GET /api/health?code={KEY}\n")
    assert len(found.leaks()) == 1
    wrote(tmp_path, f"{KEY}\n", "host.out")
    assert len(found.leaks()) == 1


def test_a_host_that_is_started_again_is_read_from_its_beginning(tmp_path: Path) -> None:
    found = heard(tmp_path)
    wrote(tmp_path, f"{READY}\nsomething longer than that\n", "host.out")
    assert found.leaks() == []
    (tmp_path / "host-1" / "host.out").write_text(f"{FUNCTION_KEY}\n")

    assert len(found.leaks()) == 1


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        (READY, {KEY}),
        (json.dumps({"identity_header": KEY}), {KEY}),
        (json.dumps({"keys": {"master": "short"}}), set()),
        (json.dumps({"keys": [KEY], "identity_header": 7}), set()),
        ("[1]", set()),
        (f"Azurite says {KEY}", set()),
    ],
)
def test_only_an_answer_tells_keys(line: str, keys: set[str]) -> None:
    assert keys_in(line) == keys


def test_this_very_run_hears_the_programs_that_it_starts() -> None:
    assert Path(os.environ[KEPT]).is_dir()


@pytest.mark.slow
def test_what_a_child_wrote_outlives_its_folder(tmp_path: Path) -> None:
    kept = list(Path(os.environ[KEPT]).glob("*/*"))
    with start(
        [sys.executable, "-c", "print('ready', flush=True); input()"], name="c", folder=tmp_path / "own"
    ) as child:
        child.first_line(within=SOON)
    shutil.rmtree(tmp_path / "own")

    new = [file for file in Path(os.environ[KEPT]).glob("*/*") if file not in kept]
    assert sorted(file.name for file in new) == ["c.log", "c.out"]
    assert "ready\n" in {file.read_text() for file in new}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("planted", "deep", "code"),
    [(FUNCTION_KEY, True, 1), (FUNCTION_KEY, False, 1), ("nothing", False, 0)],
    ids=["a child of a child", "a child", "nothing"],
)
def test_a_test_whose_program_writes_a_secret_fails_whatever_it_asserts(
    tmp_path: Path, planted: str, *, deep: bool, code: int
) -> None:
    speak = f"import sys; sys.stderr.write({planted!r} + chr(10))"
    outer = f"import sys, pathlib\nfrom local.processes import start\nstart([sys.executable, '-c', {speak!r}], name='inner', "
    outer += "folder=pathlib.Path(sys.argv[1])).process.wait()"
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_planted.py").write_text(
        "import sys\nfrom pathlib import Path\nfrom local.processes import start\n\n"
        f"def test_it(tmp_path):\n    command = [sys.executable, '-c', {(outer if deep else speak)!r}, str(tmp_path / 'b')]\n"
        f"    child = start(command, name='c', folder=tmp_path / 'a', working_directory=Path({str(ROOT)!r}))\n"
        "    assert child.process.wait() == 0\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.emitted", "-c", str(tmp_path / "pytest.ini")]

    result = subprocess.run(  # noqa: S603 -- our own interpreter and file
        [*command, str(tmp_path / "test_planted.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert result.returncode == code, result.stdout + result.stderr
    assert ("emitted what looks like a secret" in result.stdout) == bool(code)


def test_tests_start_programs_only_where_they_are_heard() -> None:
    heard_of = {
        "tests/local/playing.py",
        "tests/local/simulator/test_server.py",
        "tests/local/test_processes.py",  # in the text of a program that is a child itself
        "tests/started.py",
        *{f"tests/security/test_{name}.py" for name in ("emitted", "outputs")},  # theirs are planted
    }
    starts = re.compile(
        r"subprocess\.(?:run|Popen|call|check_\w+)\(|create_subprocess_\w+\(|os\.(?:system|popen|spawn\w+)\("
    )
    starting = {
        str(file.relative_to(ROOT)) for file in (ROOT / "tests").rglob("*.py") if starts.search(file.read_text("utf-8"))
    }

    assert starting <= heard_of
    assert len(starting) > len(heard_of) / 2, "the pattern finds what it should"
