"""
Azurite, Microsoft's storage emulator, as a child process on loopback.

Installed by npm into `node_modules/`. It stands in for the one storage account that the app and its host need: blobs,
queues and tables. Its data folder survives restarts, and so do its ports when they are given again, so that a
connection string handed out earlier stays good.
"""

import re
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from local.processes import Child, start

REPOSITORY = Path(__file__).resolve().parent.parent
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The emulator's well-known account and key (Azurite's README): the same everywhere, and no secret."""

READY_WITHIN = timedelta(seconds=30)
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at http://127\.0\.0\.1:(\d+)")


class AzuriteMissing(RuntimeError):
    """Azurite is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzuritePorts:
    """TCP ports on loopback; 0 lets the kernel choose."""

    blob: int = 0
    queue: int = 0
    table: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Azurite:
    child: Child
    folder: Path
    ports: AzuritePorts

    @property
    def connection_string(self) -> str:
        parts = {
            "DefaultEndpointsProtocol": "http",
            "AccountName": ACCOUNT,
            "AccountKey": ACCOUNT_KEY,
            "BlobEndpoint": _endpoint(self.ports.blob),
            "QueueEndpoint": _endpoint(self.ports.queue),
            "TableEndpoint": _endpoint(self.ports.table),
        }
        return ";".join(f"{name}={value}" for name, value in parts.items())

    def stop(self) -> None:
        """End it in order: it writes its last changes to the data folder first."""
        self.child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def start_azurite(
    folder: Path,
    *,
    ports: AzuritePorts = AzuritePorts(),
    repository: Path = REPOSITORY,
) -> Azurite:
    """
    Start Azurite on the data in *folder* (created if missing) and wait until its three services answer.

    Raises:
        AzuriteMissing: It is not installed in *repository*.
        ChildFailed: It ended, or was not ready in time; the message says why.
    """
    program = repository / "node_modules" / ".bin" / "azurite"
    if not program.exists():
        raise AzuriteMissing(f"Azurite is not installed ({program} does not exist); run `npm ci` in {repository}.")
    command = [str(program), "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    command += ["--location", str(folder / "data")]
    for service, port in (("blob", ports.blob), ("queue", ports.queue), ("table", ports.table)):
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
    child = start(command, name="azurite", folder=folder, death_signal=signal.SIGTERM)
    try:
        listening = child.wait_for(_all_listening, within=READY_WITHIN)
    except BaseException:
        child.kill()
        raise
    return Azurite(child=child, folder=folder, ports=listening)


def _all_listening(output: str) -> AzuritePorts | None:
    found = {service.lower(): int(port) for service, port in _LISTENING.findall(output)}
    if set(found) != {"blob", "queue", "table"}:
        return None
    return AzuritePorts(**found)


def _endpoint(port: int) -> str:
    return f"http://127.0.0.1:{port}/{ACCOUNT}"
