"""Where and when figures were taken, as far as they depend on it."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("azure-functions", "azure-core", "azure-mgmt-network", "pydantic")


def facts() -> Mapping[str, str]:
    """Date, machine and versions; nothing that names a person, a folder or a host."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}",
        "load when it began": load(),
        "versions": ", ".join(
            (f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in _PACKAGES))
        ),
    }


def load() -> str:
    """How busy the machine was in the last minute, the bench itself included once it has begun."""
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    """The processor's name as Linux tells it; elsewhere its architecture."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
