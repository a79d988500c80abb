"""The host as a child process, for whatever needs an app running: the demo, the benchmarks, tests."""

import json
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.processes import Child, start

REPOSITORY = Path(__file__).resolve().parents[2]
READY_WITHIN = timedelta(seconds=60)
"""Far more than the second or two that it takes, for machines that are busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostProcess:
    """A host that serves."""

    child: Child
    ready: Mapping[str, Any]
    """What the host printed: `url`, `keys`, `functions`, `pid`."""

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def master_key(self) -> str:
        return str(self.ready["keys"]["master"])

    @property
    def function_key(self) -> str:
        return str(self.ready["keys"]["function"])

    def function(self, name: str) -> Mapping[str, Any]:
        """The ready line's entry of the function *name*."""
        for entry in self.ready["functions"]:
            if entry["name"] == name:
                found: Mapping[str, Any] = entry
                return found
        raise KeyError(f"The app has no function {name}.")

    def webhook(self, name: str) -> str:
        """Where Event Grid delivers to the function *name*, key included."""
        return str(self.function(name)["url"])

    def log(self) -> str:
        return self.child.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """Let running invocations finish, then end; answers the exit status."""
        return self.child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def start_host(
    *,
    app: Path,
    settings: Path,
    folder: Path,
    port: int = 0,
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    name: str = "host",
) -> HostProcess:
    """
    Start a host and wait until it serves.

    Args:
        app: The folder of function_app.py and host.json.
        settings: A local.settings.json.
        folder: Where the host keeps its keys and timers (`data/`) and its log (`NAME.log`).
        port: TCP port on loopback; 0 lets the kernel choose.
        environment: The host's whole environment; this process's own when None. It wins over *settings*.
        arguments: Further command-line arguments, such as `--message-lease 2`.
        name: What messages call it.

    Raises:
        ChildFailed: The app cannot be served; the message says why.
    """
    command = [sys.executable, "-m", "local.host", "--app", str(app), "--settings", str(settings)]
    command += ["--data", str(folder / "data"), "--port", str(port), *arguments]
    child = start(
        command,
        name=name,
        folder=folder,
        environment=environment,
        working_directory=REPOSITORY,
        death_signal=signal.SIGKILL,
    )
    try:
        ready = json.loads(child.first_line(within=READY_WITHIN))
    except BaseException:
        child.kill()
        raise
    return HostProcess(child=child, ready=ready)
