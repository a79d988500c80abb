"""
A real host in a process of its own, for the tests of what only a real one can show.
"""

import json
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient

from local.host.process import HostProcess, start_host

HERE = Path(__file__).parent
PATIENCE = timedelta(seconds=90)
"""Far beyond what anything here takes on a machine that is busy with others; only what never comes is noticed later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folder and the settings of one app; several hosts may run there, one after another or at once."""

    folder: Path
    settings: dict[str, str]

    @classmethod
    def prepare(cls, folder: Path, connection_string: str, *, schedule: str = "0 0 0 1 1 *") -> "Place":
        settings = {
            "AzureWebJobsStorage": connection_string,
            "WORK_QUEUE": f"work-{uuid.uuid4().hex[:12]}",
            "SCHEDULE": schedule,
            "RECORD_FILE": str(folder / "record.jsonl"),
        }
        document = {"IsEncrypted": False, "Values": settings}
        (folder / "local.settings.json").write_text(json.dumps(document))
        return cls(folder=folder, settings=settings)

    def queue(self, suffix: str = "") -> QueueClient:
        """The app's queue, there whether or not a host has made it by now; close it."""
        connection = self.settings["AzureWebJobsStorage"]
        queue = QueueClient.from_connection_string(connection, self.settings["WORK_QUEUE"] + suffix)
        with suppress(ResourceExistsError):
            queue.create_queue()
        return queue

    def host(self, *arguments: str, app: Path = HERE / "app", port: int = 0, name: str = "host") -> HostProcess:
        settings = self.folder / "local.settings.json"
        return start_host(app=app, settings=settings, folder=self.folder, port=port, arguments=arguments, name=name)

    def seen(self, function: str) -> list[dict[str, Any]]:
        """What *function* recorded so far."""
        record = Path(self.settings["RECORD_FILE"])
        if not record.exists():
            return []
        lines = [json.loads(line) for line in record.read_text().splitlines()]
        return [line for line in lines if line["function"] == function]


def until[Found](look: Callable[[], Found], *, within: timedelta = PATIENCE) -> Found:
    """Wait until *look* answers something true; the wait is real, because the host's time is."""
    deadline = time.monotonic() + within.total_seconds()
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(
                f"It did not come true within {within.total_seconds():g} seconds; last seen: {found!r}"
            )
        time.sleep(0.02)
