"""
Child processes that leave nothing behind.

Azurite, the simulated Azure and the Functions host run as children of whatever needs them. Each one gets a session of
its own, so that Ctrl-C reaches only the parent, which then stops the children in order; and each one is bound to the
parent's life by the kernel (see `local.die_with_parent`), so that even SIGKILL of the parent leaves no orphan.

A child's output goes to files, never to pipes: a pipe that nobody reads stops the child when it is full. Whoever wants to
read it after the child's folder is gone names another folder in the environment (`KEPT`); children of children heed it, too.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

LAUNCHER = Path(__file__).with_name("die_with_parent.py")
LOOK_AGAIN = timedelta(milliseconds=20)
LOG_TAIL_LINES = 40
KEPT = "LOCAL_OUTPUT_FOLDER"
"""Environment variable: an existing folder in which every child's output is kept, whatever becomes of the child's own."""


class ChildFailed(RuntimeError):
    """A child ended, or did not get ready in time; the message carries the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    output: Path
    """What the child wrote to its standard output; empty at its start."""
    log: Path
    """What the child wrote to its standard error; earlier runs come first."""

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def first_line(self, *, within: timedelta) -> str:
        """Wait for the first complete line of standard output, which is how our programs say that they are ready."""
        return self.wait_for(lambda text: text.partition("\n")[0] if "\n" in text else None, within=within)

    def wait_for[Found](self, look: Callable[[str], Found | None], *, within: timedelta) -> Found:
        """
        Wait until *look*, given all standard output so far, answers something else than None.

        Raises:
            ChildFailed: The child ended first, or *within* passed.
        """
        deadline = time.monotonic() + within.total_seconds()
        while True:
            running = self.running  # asked before reading, so that the last words of an ending child are seen
            found = look(self.output.read_text(errors="replace"))
            if found is not None:
                return found
            if not running:
                raise ChildFailed(f"{self.name} ended with exit status {self.process.returncode}.\n{self.log_tail()}")
            if time.monotonic() >= deadline:
                seconds = within.total_seconds()
                raise ChildFailed(f"{self.name} was not ready within {seconds:g} seconds.\n{self.log_tail()}")
            time.sleep(LOOK_AGAIN.total_seconds())

    def log_tail(self) -> str:
        lines = [*_lines(self.log), *_lines(self.output)]
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def stop(self, *, patience: timedelta = timedelta(seconds=15)) -> int:
        """End the child: SIGTERM, then SIGKILL to its whole group after *patience*. Answers its exit status."""
        if self.running:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience.total_seconds())
        return self.kill()

    def kill(self) -> int:
        """SIGKILL the child and whatever it started in its session. Answers its exit status."""
        with contextlib.suppress(ProcessLookupError):  # the group is gone with its last member
            os.killpg(self.pid, signal.SIGKILL)
        return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def start(
    command: Sequence[str],
    *,
    name: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    working_directory: Path | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> Child:
    """
    Start *command* as a child that ends when this process ends, however it ends.

    Args:
        command: The program and its arguments.
        name: What messages call it; also the name of its two files.
        folder: Where `NAME.out` and `NAME.log` are written; created if missing.
        environment: The child's whole environment; this process's own when None.
        working_directory: Where the child starts; this process's own when None.
        death_signal: What the kernel sends the child when this process dies: SIGKILL, or SIGTERM for a program
            that is known to end on it and has something to put in order.

    Call it from a thread that lives as long as the process: to the kernel, the parent is the calling thread.
    """
    folder.mkdir(parents=True, exist_ok=True)
    output, log = folder / f"{name}.out", folder / f"{name}.log"
    _keep(output, log)
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(death_signal))]
    with output.open("wb") as stdout, log.open("ab") as stderr:
        process = subprocess.Popen(
            [*launcher, *command],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=None if environment is None else dict(environment),
            cwd=working_directory,
            start_new_session=True,
        )
    return Child(name=name, process=process, output=output, log=log)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit inside the block, so that `with` statements stop their children."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _keep(*files: Path) -> None:
    """Let *files* that are not there yet lie in the folder for what is kept, if there is one."""
    kept = os.environ.get(KEPT)
    fresh = [file for file in files if kept and not file.exists()]
    if fresh:
        place = Path(tempfile.mkdtemp(prefix=f"{fresh[0].stem}-", dir=kept))
        for file in fresh:
            (place / file.name).touch()
            file.symlink_to(place / file.name)


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []
