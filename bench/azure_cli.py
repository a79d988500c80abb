"""The Azure CLI as anybody installs it, pointed at the served Azure, in a home of its own."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.rows import ReferenceFailed
from bench.served_azure import ServedAzure
from local.azurite import REPOSITORY
from local.stage import clean_environment

PYTHON = REPOSITORY / ".local" / "cli" / "bin" / "python"
_HOOK = Path(__file__).with_name("cli_time")
_PATIENCE = 300.0
_CLOUD = "ServedAzure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a command ended: its answer as JSON, None if it failed or said nothing."""

    worked: bool
    answer: Any = None
    complaint: str = ""


class AzureCli:
    """
    A CLI that has registered the served cloud and logged in with the managed identity.

    Args:
        home: Where it keeps its files.
        python: Of the environment that it is installed in.

    Raises:
        ReferenceFailed: It is not installed, or cannot log in.
    """

    def __init__(self, served: ServedAzure, home: Path, python: Path = PYTHON) -> None:
        if not os.access(python, os.X_OK):
            raise ReferenceFailed("the Azure CLI is not installed; `make cli` does that")
        self._python = python
        self._environment = clean_environment() | {
            "HOME": str(home),
            "AZURE_CONFIG_DIR": str(home / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "0",
            "REQUESTS_CA_BUNDLE": str(served.server.ca_file),
            "IDENTITY_ENDPOINT": served.server.identity_endpoint,
            "IDENTITY_HEADER": served.azure.identity_header,
            "HTTPS_PROXY": "http://127.0.0.1:9",  # whatever is not on loopback fails at once
            "HTTP_PROXY": "http://127.0.0.1:9",
            "PYTHONPATH": str(_HOOK),
            "BENCH_TIME": served.time_address,
        }
        for command in (
            ("cloud", "register", "--name", _CLOUD, "--endpoint-resource-manager", served.server.endpoint),
            ("cloud", "set", "--name", _CLOUD),
            ("login", "--identity"),
        ):
            said = self.run(*command)
            if not said.worked:
                raise ReferenceFailed(f"az {' '.join(command[:2])} failed: {said.complaint}")

    def run(self, *arguments: str) -> Said:
        """Run one command to its end."""
        done = subprocess.run(
            [str(self._python), "-m", "azure.cli", *arguments, "--output", "json"],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        if done.returncode:
            return Said(worked=False, complaint=done.stderr.strip()[-400:])
        return Said(worked=True, answer=json.loads(done.stdout) if done.stdout.strip() else None)
