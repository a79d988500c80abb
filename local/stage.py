"""
Everything that a run without Azure needs, started in order: Azurite, the simulated Azure, the Functions host.

The demo, `make up` and the tests that need real processes stand on it. A stage lives in a folder of its own (data,
logs, settings, policy) and knows nothing of what is played on it; ending it ends every process.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import yaml

from local.arm_user import AzureAddress
from local.azurite import REPOSITORY, Azurite, start_azurite
from local.host.host_json import OVERRIDE
from local.processes import Child, ChildFailed, start
from local.stage_scene import APP_CLIENT, APP_PRINCIPAL, OUTCOME_TOPIC, Scene, policy, seed

READY_WITHIN = timedelta(seconds=60)
"""Generous: a cold disk or a busy machine must not look like a defect."""
_OURS = ("ISOLATION_", "AZURE_", "IDENTITY_", "MSI_", "AZUREWEBJOBS", "FUNCTIONS_")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningHost:
    """A Functions host with the app in it."""

    child: Child
    url: str
    webhook: str
    """Where Event Grid delivers, key included."""
    key: str
    """Opens the HTTP API."""


class Stage:
    """
    Azurite, a simulated Azure and a Functions host, in one folder; a context manager that ends them all.

    Args:
        folder: Where everything is kept; must be empty or new.
        scale: Factor on all durations of the simulated Azure; the app's own waits follow it.
        port: Of the simulated Azure; 0 takes a free one.
        host_port: Of the Functions host; 0 takes a free one.
    """

    def __init__(self, folder: Path, *, scale: float, port: int = 0, host_port: int = 0) -> None:
        self.folder = folder
        self.scale = scale
        self._port = port
        self._ending = ExitStack()
        self._host_port = host_port
        self.azurite: Azurite
        self.azure: AzureAddress
        self.host: RunningHost

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.close()

    def start_clouds(self) -> None:
        """Start the simulated Azure and Azurite, side by side."""
        self._azure_process = self._ending.enter_context(launch_azure(self.folder, scale=self.scale, port=self._port))
        self.azurite = self._ending.enter_context(start_azurite(self.folder / "azurite"))
        self.azure = await_azure(self._azure_process)

    def start_host(self) -> None:
        """Start the Functions host; again after it was killed, with its address, keys and state where they were."""
        folder = self.folder / "host"
        settings = self._write_settings(folder)
        command = [sys.executable, "-m", "local.host", "--app", str(REPOSITORY), "--port", str(self._host_port)]
        command += ["--settings", str(settings), "--data", str(folder / "data")]
        child = start(
            command, name="host", folder=folder, environment=clean_environment(), working_directory=REPOSITORY
        )
        self._ending.enter_context(child)
        ready = json.loads(child.first_line(within=READY_WITHIN))
        self._host_port = urlsplit(ready["url"]).port or 0
        webhook = next(each["url"] for each in ready["functions"] if each["trigger"] == "eventGridTrigger")
        self.host = RunningHost(child=child, url=ready["url"], webhook=webhook, key=ready["keys"]["function"])

    def check(self) -> None:
        """
        Make sure that everything still runs.

        Raises:
            ChildFailed: Something ended that should not have; its last words are in the message.
        """
        for child in (self.azurite.child, self._azure_process, self.host.child):
            if not child.running:
                status = child.process.returncode
                raise ChildFailed(f"{child.name} ended with exit status {status}.\n{child.log_tail()}")

    def settings(self) -> dict[str, str]:
        """The app's settings, as its local.settings.json holds them."""
        return app_settings(
            storage=self.azurite.connection_string,
            azure=self.azure,
            scale=self.scale,
            policy=self.folder / "policy.yaml",
        )

    def _write_settings(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "policy.yaml").write_text(yaml.safe_dump(policy(self.azure.scene), sort_keys=False))
        path = folder / "local.settings.json"
        path.write_text(json.dumps({"IsEncrypted": False, "Values": self.settings()}, indent=2))
        path.chmod(0o600)
        return path


def app_settings(*, storage: str, azure: AzureAddress, scale: float, policy: Path) -> dict[str, str]:
    """
    Give the settings of an app that lives in *azure*.

    Args:
        storage: Connection string of its storage account.
        scale: Factor on Azure's durations; the app's own waits follow it.
        policy: The policy file.
    """
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "AzureWebJobsStorage": storage,
        "AZURE_CLOUD": "AzureCloud",
        "IDENTITY_ENDPOINT": azure.identity_endpoint,
        "IDENTITY_HEADER": azure.identity_header,
        "ISOLATION_CLIENT_ID": APP_CLIENT,
        "ISOLATION_PRINCIPAL_ID": APP_PRINCIPAL,
        "ISOLATION_WORK_QUEUE": "registry-work",
        "ISOLATION_SWEEP_SCHEDULE": "0 7 * * * *",
        "ISOLATION_POLICY_PATH": str(policy),
        "ISOLATION_OUTCOME_TOPIC": f"{azure.endpoint}/topics/{OUTCOME_TOPIC}/api/events",
        "ISOLATION_ARM_ENDPOINT": azure.endpoint,
        "ISOLATION_ARM_CA": str(azure.ca),
        "ISOLATION_PACE": f"{_pace(scale):g}",
        # How long a host looks away from an empty queue is a wait like the others: a second at the pace of Azure (host.json).
        f"{OVERRIDE}extensions__queues__maxPollingInterval": f"00:00:{max(_pace(scale), 0.25):09.6f}",
    }


def _pace(scale: float) -> float:
    return min(max(scale, 0.01), 1.0)


def launch_azure(folder: Path, *, scale: float, port: int = 0, document: Mapping[str, Any] | None = None) -> Child:
    """
    Start a simulated Azure without waiting for it.

    Args:
        document: The world to start from; None for an empty one in which the app's identity is known.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seed_file = folder / "seed.json"
    seed_file.write_text(json.dumps(seed() if document is None else document))
    command = [sys.executable, "-m", "local.simulator", "--scale", f"{scale:g}", "--port", str(port)]
    command += ["--ca-folder", str(folder), "--seed", str(seed_file)]
    return start(command, name="azure", folder=folder, environment=clean_environment(), working_directory=REPOSITORY)


def await_azure(child: Child) -> AzureAddress:
    """Wait until the simulated Azure serves."""
    ready = json.loads(child.first_line(within=READY_WITHIN))
    return AzureAddress(
        endpoint=ready["endpoint"],
        ca=Path(ready["ca"]),
        identity_endpoint=ready["identity_endpoint"],
        identity_header=ready["identity_header"],
        scene=Scene(subscription=ready["subscription"]),
    )


def clean_environment() -> dict[str, str]:
    """This process's environment without what would speak to another Azure, or through a proxy to this one."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_OURS)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling Azure's SDKs anew costs ten seconds at every start
    return kept | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
