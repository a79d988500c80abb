"""Programs of the local run as a test starts them, and what is left of them."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from local.azurite import ACCOUNT_KEY, REPOSITORY
from tests.emitted import note

PATIENCE = timedelta(seconds=90)
LOOK_AGAIN = 0.02


@contextmanager
def program(module: str, *arguments: str, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module of `local` with its output in a file; whatever happens, it is gone afterwards."""
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 -- a module of this repository
            [sys.executable, "-m", module, *arguments], cwd=REPOSITORY, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE.total_seconds())
        # The emulator's key is the same everywhere, and `up` is there to show it.
        note(output.read_text(errors="replace").replace(ACCOUNT_KEY, "***"))


def until[Found](look: Callable[[], Found], *, within: timedelta = PATIENCE) -> Found:
    """Wait in real time, because processes live in it, until *look* answers something true."""
    deadline = time.monotonic() + within.total_seconds()
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {within.total_seconds():g} s; last seen: {found!r}"
        time.sleep(LOOK_AGAIN)
    return found


def descendants(pid: int) -> set[int]:
    """Every process that *pid* started, directly or not."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it ended between the listing and the reading
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    fresh = {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def living(pids: set[int]) -> set[int]:
    """Those that still run; one that has ended and only waits to be noticed does not."""
    found = set()
    for pid in pids:
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                found.add(pid)
    return found


def work_folder(pids: set[int]) -> Path:
    """The folder that these processes of a demo work in."""
    for pid in pids:
        with suppress(OSError):
            found = re.search(r"[^\0]*/\.local/(?:demo|up)-[^/\0]+", Path(f"/proc/{pid}/cmdline").read_text())
            if found:
                return Path(found.group())
    raise AssertionError("none of the processes names a work folder")
