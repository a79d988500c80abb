"""
Several real host processes on one queue, in real time: the stage of `hosts` and of `storm`.

Azurite holds the queue and the ledger that they share; the simulated Azure is served from this process, which delivers its
events to the hosts in turn, as a load balancer does in front of the instances of an app. What is judged afterwards is judged
by the simulated Azure's world and log alone.
"""

import asyncio
import json
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import yaml
from aiohttp import ClientSession, ClientTimeout, TCPConnector

from bench.balance import Balance
from bench.rows import ReferenceFailed
from local.arm_user import AzureAddress
from local.azurite import REPOSITORY, Azurite, AzuriteMissing, start_azurite
from local.crash import worlds
from local.processes import Child, ChildFailed, start
from local.simulator import scenery
from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.server import SimulatorServer, utc_now
from local.stage import app_settings, clean_environment
from local.stage_scene import APP_PRINCIPAL, Scene
from local.verdict import unisolated
from shared.cloud.ledger import TableLedger
from shared.cloud.state_clients import StateAccount
from shared.core.arm import ResourceId
from shared.engine.records import LedgerRow

_READY_SECONDS = 90.0
_LOOK_AGAIN = 0.2
_TIMEOUT = ClientTimeout(total=300)
_NEVER = "0 0 3 1 1 *"
"""The sweep must not help."""
_PASS = re.compile(r"executed function=reconcile_registry .*result=succeeded")
_ZONES = re.compile(r"/privatednszones/[^/]+(/virtualnetworklinks/[^/]+)?$")
_SHARED = re.compile(rf"{_ZONES.pattern}|{re.escape(worlds.ACCOUNT.lower())}$|/api/events$")
"""What is not one registry's: zones, the account whose rules name many registries, the topic."""
_EVENT = re.compile(r"executed function=registry_events .*result=succeeded")


class SeveralHosts:
    """
    So many hosts, and what they share; an async context manager.

    Args:
        folder: New or empty.
        hosts: How many.
        scale: Factor on Azure's durations.

    Attributes:
        balance: Delivers events to the hosts in turn.
    """

    def __init__(self, folder: Path, hosts: int, *, scale: float = 0.01) -> None:
        self.folder = folder
        self.count = hosts
        self._scale = scale
        self._header = secrets.token_urlsafe(24)
        self._ending = AsyncExitStack()
        self.hosts: list[Child] = []
        self._logged = 0

    async def __aenter__(self) -> Self:
        azurite = self._ending.enter_context(storage(self.folder / "azurite"))
        self._account = StateAccount(connection_string=azurite.connection_string)
        self.ledger = TableLedger(self._account)
        self._ending.push_async_callback(self.ledger.aclose)
        self.azure: SimulatedAzure = worlds.build(worlds.Scenery(webhook="", header=self._header, scale=self._scale))
        self._front = SimulatorServer(self.azure, ca_folder=self.folder)
        await self._front.start()
        self._ending.push_async_callback(self._front.stop)
        self.balance = Balance(
            await self._ending.enter_async_context(ClientSession(connector=TCPConnector(limit=0), timeout=_TIMEOUT))
        )
        settings = self._settings(azurite.connection_string)
        self._start_host(settings, 0)
        self.balance.webhooks.append(await self._ready(self.hosts[0]))  # the first one makes the keys that all share
        for number in range(1, self.count):
            self._start_host(settings, number)
        self.balance.webhooks += [await self._ready(host) for host in self.hosts[1:]]
        scenery.subscribe(self.azure, await self.balance.serve(self._ending))
        self._logged = len(self.azure.log)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for host in self.hosts:
            host.kill()
        await self._ending.aclose()

    # --- what happens -------------------------------------------------------------------------------------------------

    def create(self, names: Sequence[str]) -> None:
        """A user asks for registries, all at once."""
        for name in names:
            scenery.put_registry(self.azure, name, now=utc_now())
        self._front.wake()

    async def until_isolated(self, names: Sequence[str], *, seconds: float) -> dict[str, float]:
        """
        Wait until the app says so of every registry and nothing newer is asked for; gives when each was, from now.

        Raises:
            ReferenceFailed: Not within *seconds*.
        """
        began, isolated = time.monotonic(), dict[str, float]()
        while True:
            rows = [await self.row(name) for name in names]
            for name, row in zip(names, rows, strict=True):
                if row is not None and row.outcome is not None and row.outcome.kind == "converged":
                    isolated.setdefault(name, time.monotonic() - began)
            if all(_is_settled(row) for row in rows):
                return isolated
            if time.monotonic() - began > seconds:
                behind = [name for name, row in zip(names, rows, strict=True) if not _is_settled(row)]
                raise ReferenceFailed(
                    f"{len(behind)} of {len(names)} registries were not done in {seconds:g} s: {behind[:3]}"
                )
            self._alive()
            await asyncio.sleep(_LOOK_AGAIN)

    # --- what is seen -------------------------------------------------------------------------------------------------

    async def row(self, name: str) -> LedgerRow | None:
        """The ledger's row of a registry."""
        entry = await self.ledger.read(ResourceId.parse(worlds.registry_id(name)))
        return entry.row if entry else None

    async def backlog(self, suffix: str = "") -> int:
        """Messages in the work queue, hidden ones included."""
        async with self._account.queue(f"registry-work{suffix}") as queue:
            return (await queue.get_queue_properties()).approximate_message_count or 0

    def resident(self) -> tuple[float, ...]:
        """Resident memory of each host in MiB."""
        return tuple(_resident(host.pid) for host in self.hosts)

    def passes(self) -> tuple[int, ...]:
        """Passes that each host has ended."""
        return tuple(_count(_PASS, host) for host in self.hosts)

    def events(self) -> tuple[int, ...]:
        """Events that each host has taken in."""
        return tuple(_count(_EVENT, host) for host in self.hosts)

    def repeated(self) -> list[str]:
        """What was written for one registry with success more than once, and how many seconds after the first time."""
        found = []
        for what, (first, *later) in self._written().items():
            if later and not _SHARED.search(what):
                apart = ", ".join(f"{(at - first).total_seconds():.1f}" for at in later)
                found.append(f"{what.rpartition('/providers/')[2]} again after {apart} s")
        return found

    def repeated_for_all(self) -> int:
        """Repeated writes of zones and links: registries that meet find none yet and each asks, with the same body."""
        return sum(len(times) - 1 for what, times in self._written().items() if _ZONES.search(what))

    def _written(self) -> dict[str, list[datetime]]:
        """When the app wrote what, with success."""
        written: dict[str, list[datetime]] = {}
        for call in self.azure.log[self._logged :]:
            if call.kind == "write" and call.principal == APP_PRINCIPAL and call.status < 300:
                written.setdefault(f"{call.method} {urlsplit(call.url).path.lower()}", []).append(call.at)
        return written

    async def check(self, names: Sequence[str]) -> None:
        """
        Hold the world to what was promised.

        Raises:
            ReferenceFailed: A registry is open, a rule is missing or double, or a message was given up.
        """
        problems = list(wrong(self.azure, [worlds.registry_id(name) for name in names], await self.backlog("-poison")))
        if problems:
            raise ReferenceFailed(f"{len(problems)} things are wrong with several hosts: {problems[:3]}")

    # --- the hosts ----------------------------------------------------------------------------------------------------

    def _alive(self) -> None:
        for host in self.hosts:
            if not host.running:
                raise ReferenceFailed(f"{host.name} ended by itself.\n{host.log_tail()}")

    def _start_host(self, settings: Path, number: int) -> None:
        folder = self.folder / f"host-{number}"
        command = [sys.executable, "-m", "local.host", "--app", str(REPOSITORY), "--settings", str(settings)]
        command += ["--data", str(folder / "data"), "--keys", str(self.folder / "keys.json")]
        host = start(
            command,
            name=f"host-{number}",
            folder=folder,
            environment=clean_environment(),
            working_directory=REPOSITORY,
        )
        self.hosts.append(host)

    async def _ready(self, host: Child) -> str:
        """Where Event Grid would deliver to it."""
        deadline = time.monotonic() + _READY_SECONDS
        while "\n" not in (said := host.output.read_text()):
            if not host.running or time.monotonic() > deadline:
                raise ReferenceFailed(f"{host.name} did not get ready.\n{host.log_tail()}")
            await asyncio.sleep(_LOOK_AGAIN)
        functions = json.loads(said.partition("\n")[0])["functions"]
        return next(str(each["url"]) for each in functions if each["trigger"] == "eventGridTrigger")

    def _settings(self, storage: str) -> Path:
        policy = self.folder / "policy.yaml"
        policy.write_text(yaml.safe_dump(worlds.policy(), sort_keys=False))
        address = AzureAddress(
            endpoint=self._front.endpoint,
            ca=self._front.ca_file,
            identity_endpoint=self._front.identity_endpoint,
            identity_header=self._header,
            scene=Scene(subscription=SUBSCRIPTION),
        )
        values = app_settings(storage=storage, azure=address, scale=self._scale, policy=policy)
        path = self.folder / "local.settings.json"
        path.write_text(json.dumps({"IsEncrypted": False, "Values": values | {"ISOLATION_SWEEP_SCHEDULE": _NEVER}}))
        path.chmod(0o600)
        return path


def wrong(azure: SimulatedAzure, registries: Sequence[str], given_up: int) -> Iterator[str]:
    """What is wrong with a world in which the app says that all *registries* are isolated, a sentence each."""
    for registry in registries:
        yield from unisolated(azure, registry)
    account = azure.require(worlds.ACCOUNT)
    rules = Counter(
        str(rule["resourceId"]).lower() for rule in account.properties["networkAcls"]["resourceAccessRules"]
    )
    wanted = {registry.lower() for registry in registries} | {worlds.FOREIGN_RULE["resourceId"].lower()}
    yield from (f"no rule for {one}" for one in sorted(wanted - set(rules)))
    yield from (f"{times} rules for {one}" for one, times in rules.items() if times > 1)
    if given_up:
        yield f"{given_up} messages are poison"


def storage(folder: Path) -> Azurite:
    """
    Start Azurite.

    Raises:
        ReferenceFailed: It is not installed, or does not start.
    """
    try:
        return start_azurite(folder)
    except (AzuriteMissing, ChildFailed) as problem:
        raise ReferenceFailed(str(problem)) from problem


def _is_settled(row: LedgerRow | None) -> bool:
    """The last request was worked off, and it is isolated."""
    if row is None or row.outcome is None:
        return False
    return row.outcome.kind == "converged" and row.sequence > 0 and row.claim is None


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _count(what: re.Pattern[str], host: Child) -> int:
    with host.log.open(errors="replace") as lines:
        return sum(what.search(line) is not None for line in lines)
