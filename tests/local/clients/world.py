"""What a real client is told, and what its answers are compared with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.arm_user import AzureAddress
from local.azurite import REPOSITORY
from local.stage import clean_environment
from tests import started
from tests.local.isolated import IsolatedWorld

_PATIENCE = 120.0
"""Seconds; a client compiles itself at its first start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedWorld:
    """The running front, and the same world in this process."""

    azure: AzureAddress
    world: IsolatedWorld

    @property
    def managed_group(self) -> str:
        return str(self.world.registry.properties["managedResourceGroup"]["resourceId"]).rsplit("/", 1)[-1]

    def environment(self, home: Path) -> dict[str, str]:
        """Variables of a client that knows this Azure only, keeps its files in *home* and reaches nothing else."""
        return clean_environment() | {
            "HOME": str(home),
            "REQUESTS_CA_BUNDLE": str(self.azure.ca),
            "IDENTITY_ENDPOINT": self.azure.identity_endpoint,
            "IDENTITY_HEADER": self.azure.identity_header,
            "AZURE_CONFIG_DIR": str(home / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "0",
            "HTTPS_PROXY": "http://127.0.0.1:9",  # whatever is not on loopback fails at once
            "HTTP_PROXY": "http://127.0.0.1:9",
        }


def interpreter(environment: str) -> Path:
    """Python of one of the environments that `make cli` makes."""
    path = REPOSITORY / ".local" / environment / "bin" / "python"
    if not os.access(path, os.X_OK):
        pytest.skip(f"{path} is not installed; `make cli` does that")
    return path


def run(python: Path, *arguments: str, environment: Mapping[str, str]) -> str:
    """What a client's program prints; its complaint is the failure's message."""
    done = started.run([str(python), *arguments], env=environment, timeout=_PATIENCE, check=False)
    assert done.returncode == 0, f"{' '.join(arguments)} failed: {done.stderr}"
    return done.stdout
