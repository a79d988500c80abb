import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from local.processes import Child, ChildFailed, ended_by_signals, start
from tests.started import run

pytestmark = pytest.mark.slow

SOON = timedelta(seconds=60)
REPOSITORY = Path(__file__).resolve().parents[2]

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
WITH_GRANDCHILD = """
import subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(grandchild.pid, flush=True)
time.sleep(600)
"""
PARENT = """
import signal, sys, time
from datetime import timedelta
from pathlib import Path
from local.processes import ended_by_signals, start
with ended_by_signals():
    with start([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"],
               name="child", folder=Path(sys.argv[1]), death_signal=signal.Signals[sys.argv[2]]) as child:
        child.first_line(within=timedelta(seconds=60))
        print(child.pid, flush=True)
        time.sleep(600)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def exists(pid: int) -> bool:
    """Whether *pid* runs; one that nobody has waited for yet counts as gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def gone(pid: int) -> bool:
    """Wait until *pid* is gone."""
    deadline = time.monotonic() + SOON.total_seconds()
    while exists(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@contextlib.contextmanager
def a_parent(tmp_path: Path, death_signal: str) -> Iterator[tuple[Child, int]]:
    """A process that has started a child of its own; yields it with the child's pid."""
    command = [*python(PARENT), str(tmp_path / "inner"), death_signal]
    with start(command, name="parent", folder=tmp_path, working_directory=REPOSITORY) as parent:
        yield parent, int(parent.first_line(within=SOON))


def test_the_first_line_of_a_child_is_awaited(tmp_path: Path) -> None:
    with start(python("print('{\"ready\": 1}', flush=True); input()"), name="c", folder=tmp_path) as child:
        assert child.first_line(within=SOON) == '{"ready": 1}'


def test_a_child_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with (
        start(python("import sys; sys.exit('no licence found')"), name="c", folder=tmp_path) as child,
        pytest.raises(ChildFailed, match=r"c ended with exit status 1\.\nno licence found"),
    ):
        child.first_line(within=SOON)


def test_a_child_that_is_never_ready_is_reported(tmp_path: Path) -> None:
    with (
        start(python("import time; time.sleep(600)"), name="c", folder=tmp_path) as child,
        pytest.raises(ChildFailed, match=r"c was not ready within 0\.1 seconds"),
    ):
        child.first_line(within=timedelta(seconds=0.1))


def test_a_program_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    with (
        start(["/no/such/program"], name="c", folder=tmp_path) as child,
        pytest.raises(ChildFailed, match="cannot start /no/such/program: No such file or directory"),
    ):
        child.first_line(within=SOON)


def test_a_child_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    child = start(python(STUBBORN), name="c", folder=tmp_path)
    child.first_line(within=SOON)

    assert child.stop(patience=timedelta(seconds=0.2)) == -signal.SIGKILL
    assert not exists(child.pid)


def test_stopping_a_child_takes_its_own_children_with_it(tmp_path: Path) -> None:
    child = start(python(WITH_GRANDCHILD), name="c", folder=tmp_path)
    grandchild = int(child.first_line(within=SOON))

    child.stop()

    assert gone(grandchild)


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    child = start(python("pass"), name="c", folder=tmp_path)
    child.process.wait()

    assert (child.stop(), child.stop()) == (0, 0)


def test_a_child_has_exactly_the_environment_and_the_folder_it_was_given(tmp_path: Path) -> None:
    code = "import os; print(os.environ.get('GIVEN'), os.environ.get('HOME'), os.getcwd(), flush=True)"
    with start(
        python(code), name="c", folder=tmp_path, environment={"GIVEN": "yes"}, working_directory=tmp_path
    ) as child:
        assert child.first_line(within=SOON) == f"yes None {tmp_path}"


@pytest.mark.parametrize("death_signal", ["SIGKILL", "SIGTERM"])
def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path, death_signal: str) -> None:
    with a_parent(tmp_path, death_signal) as (parent, child):
        assert exists(child)

        os.kill(parent.pid, signal.SIGKILL)

        assert gone(child)


@pytest.mark.parametrize("request_to_end", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_parent_that_is_asked_to_end_stops_its_child_first(tmp_path: Path, request_to_end: signal.Signals) -> None:
    with a_parent(tmp_path, "SIGKILL") as (parent, child):
        os.kill(parent.pid, request_to_end)

        assert gone(child)
        assert gone(parent.pid)


def test_a_child_whose_parent_is_gone_already_does_not_start(tmp_path: Path) -> None:
    launcher = REPOSITORY / "local" / "die_with_parent.py"
    somebody_else = "1"
    command = [sys.executable, str(launcher), somebody_else, "9", "/bin/echo", "started"]

    ended = run(command, check=False)

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "is gone already" in ended.stderr


def test_signal_handlers_are_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(SystemExit, match="143"), ended_by_signals():
        signal.raise_signal(signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is before
