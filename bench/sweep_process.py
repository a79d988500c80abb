"""
What a sweep needs of its process: memory as the operating system counts it, and the processor's time.

The app sweeps in a fresh process, which holds nothing else: Azure is served over HTTPS from here, ledger and queue are
Azurite's. So everything in its resident memory is what a hosting plan would bill. A sweep's memory is to depend on the
page and not on the crowd, therefore two sizes stand beside each other.
"""

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bench.dashboard import fill
from bench.rows import ReferenceFailed, Row, Section, compared, exactly, told
from bench.several_hosts import storage
from local.arm_user import AzureAddress
from local.azurite import REPOSITORY
from local.demo import work_folder
from local.house import DATA_ROLE, ROLE
from local.simulator.azure import SimulatedAzure
from local.simulator.scenery_many import Crowd, put_isolated_registries
from local.simulator.server import SimulatorServer
from local.stage import app_settings, clean_environment
from local.stage_scene import APP_CLIENT, APP_PRINCIPAL, Scene
from local.sweep_house import isolated_rows
from shared.core.clouds import CLOUDS

_SUBSCRIPTIONS = 50
_AGO = timedelta(hours=1)
_PATIENCE = 1000.0
_LAST_WORDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """
    What one process told, and what the served Azure saw of it.

    Attributes:
        loaded_mib: Peak of resident memory before the sweep began.
        peak_mib: The same when it had ended.
        reads: Requests of the app to Resource Manager that were no Resource Graph queries.
    """

    registries: int
    seen: int
    state: str
    verdicts: dict[str, int]
    enqueued: int
    steps: int
    loaded_mib: float
    peak_mib: float
    processor_seconds: float
    seconds: float
    queries: int
    reads: int


def sweep_apart(registries: int) -> Swept:
    """
    Sweep *registries* isolated registries in a fresh process.

    Raises:
        ReferenceFailed: The process failed, or it did not see every registry isolated.
    """
    with work_folder(f"sweep-{registries}") as folder:
        swept = asyncio.run(_serve(folder.path, registries))
    demand_complete(swept)
    return swept


def demand_complete(swept: Swept) -> None:
    """
    Look at what the process told.

    Raises:
        ReferenceFailed: It did not see every registry, or not every one isolated.
    """
    count = swept.registries
    if swept.state != "done" or swept.seen != count or swept.verdicts != {"compliant": count}:
        raise ReferenceFailed(f"a sweep over {count} isolated registries ended as {swept}")


async def _serve(folder: Path, registries: int) -> Swept:
    header, now = secrets.token_urlsafe(24), datetime.now(UTC)
    azure = SimulatedAzure(start=now - _AGO)
    azure.identity_header = header
    azure.rbac.principal(APP_PRINCIPAL, name="registry-isolation", actions=ROLE, data_actions=DATA_ROLE)
    azure.rbac.principals[APP_PRINCIPAL].application_id = APP_CLIENT
    crowd = put_isolated_registries(azure, registries, subscriptions=min(_SUBSCRIPTIONS, registries))
    rows = list(isolated_rows(azure, crowd.registries, CLOUDS["AzureCloud"].zones, now - _AGO))
    with storage(folder / "azurite") as azurite:
        await fill(azurite.connection_string, rows)
        front = SimulatorServer(azure, ca_folder=folder)
        await front.start()
        try:
            settings = _settings(folder, azurite.connection_string, front, header, crowd)
            since = len(azure.log)
            told_by_child = await asyncio.to_thread(_run, settings)
        finally:
            await front.stop()
    calls = [call.url.lower() for call in azure.log[since:] if call.principal == APP_PRINCIPAL]
    queries = sum("microsoft.resourcegraph" in url for url in calls)
    return Swept(registries=registries, queries=queries, reads=len(calls) - queries, **told_by_child)


def _settings(folder: Path, connection: str, front: SimulatorServer, header: str, crowd: Crowd) -> dict[str, str]:
    document = {
        "version": 1,
        "mode": "enforce",
        "scope": {"subscriptions": list(crowd.subscriptions)},
        "networks": crowd.policy_networks,
    }
    policy = folder / "policy.yaml"
    policy.write_text(yaml.safe_dump(document, sort_keys=False))
    address = AzureAddress(
        endpoint=front.endpoint,
        ca=front.ca_file,
        identity_endpoint=front.identity_endpoint,
        identity_header=header,
        scene=Scene(subscription=crowd.subscriptions[0]),
    )
    return app_settings(storage=connection, azure=address, scale=1.0, policy=policy)


def _run(settings: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.sweep_child"],
        cwd=REPOSITORY,
        env=clean_environment() | settings,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    if done.returncode:
        raise ReferenceFailed(f"a sweep's process failed: {done.stderr.strip()[-_LAST_WORDS:]}")
    told_by_child: dict[str, Any] = json.loads(done.stdout)
    return told_by_child


def sweeping_apart(counts: Iterable[int]) -> Section:
    """
    Give the rows; memory of the larger crowds is compared with the first one's.

    Raises:
        ReferenceFailed: A process failed, or it did not see every registry isolated.
    """
    sweeps = [sweep_apart(count) for count in counts]
    rows = [row for swept in sweeps for row in _rows(swept, sweeps[0])]
    return Section(title="A sweep in a fresh process", rows=tuple(rows))


def _rows(swept: Swept, least: Swept) -> list[Row]:
    count = f"{swept.registries:,} registries"
    memory = (
        told(
            f"peak memory of the process, {count}",
            f"{swept.peak_mib:.0f} MiB",
            reference=f"{swept.loaded_mib:.0f} MiB before the sweep",
        )
        if swept is least
        else compared(
            f"peak memory of the process, {count}",
            ours=round(swept.peak_mib),
            reference=round(least.peak_mib),
            unit="MiB",
        )
    )
    return [
        memory,
        told(
            f"  processor time for each, {count}",
            f"{1000 * swept.processor_seconds / swept.registries:.3g} ms",
            reference="HTTPS and storage included",
        ),
        told(
            f"  Resource Graph queries, {count}",
            str(swept.queries),
            reference=f"{swept.seconds:.0f} s in {swept.steps} steps",
        ),
        exactly(f"  other requests to Resource Manager, {count}", ours=swept.reads, needed=0),
    ]
