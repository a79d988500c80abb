"""
The whole product in one process and in virtual time: events in, Azure's state out.

Real: core, engine, the control plane's adapters and Azure's SDKs beneath them. Simulated: Azure itself, at the HTTP seam.
In memory: ledger, queue and leases, behind the ports that the Azure ones implement as well.
"""

import asyncio
import json
import math
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from azure.core.credentials import AccessToken

from local.memory import MemoryLeases, MemoryLedger, MemoryWorkQueue, QueueTrigger
from local.memory_index import MemoryOwnerIndex
from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.durations import Durations
from local.simulator.options import Options
from local.simulator.transport import SimulatedTransport
from local.simulator.world import Resource
from local.virtual_time import EPOCH, LoopClock
from shared.cloud.arm_client import ArmClient
from shared.cloud.control_plane import ArmControlPlane
from shared.cloud.ownership_source import ArmOwnerSource
from shared.core.arm import ResourceId
from shared.core.clouds import CLOUDS
from shared.core.errors import RegistryIsolationError
from shared.core.policy import IsolationPolicy
from shared.core.requests import ReconcileRequest, RequestReason, WorkMessage
from shared.engine.drift import DriftIntake
from shared.engine.intake import Intake
from shared.engine.mishaps import Mishaps
from shared.engine.outcomes import Outbox
from shared.engine.owners import Owners
from shared.engine.pacing import Pacing
from shared.engine.poison import PoisonCabinet
from shared.engine.ports import Leases
from shared.engine.reception import Reception
from shared.engine.reconcile import Reconciler, Services
from shared.engine.records import HistoryEntry, LedgerRow
from shared.engine.worker import Worker

HOOK = "https://functions.example/runtime/webhooks/eventgrid?functionName=registry_events"
APP = "00000000-0000-4000-8000-0000000000aa"
"""Object id of the app's identity in the simulated Azure."""
DAY = timedelta(days=1)
_ROLES = [json.loads(file.read_text()) for file in sorted((Path(__file__).parents[1] / "infra").glob("role*.json"))]
ROLE = tuple(action for role in _ROLES for action in role["Actions"])
"""What the app may do: exactly the roles that users are told to assign, those for optional rules included."""
DATA_ROLE = tuple(action for role in _ROLES for action in role["DataActions"])
"""The same for what it may do with data."""
_STEP = 1.0
_LONGEST_STEP = 5.0
"""Virtual seconds between two looks of the test at the world."""


class SimulatedCredential:
    """Tokens of one principal of the simulated Azure."""

    def __init__(self, azure: SimulatedAzure, principal: str) -> None:
        self._azure = azure
        self._principal = principal

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """A new token at each call: the SDK compares its expiry with real time, which is later than virtual time."""
        return AccessToken(self._azure.token(self._principal), 0)

    async def close(self) -> None:
        pass


class House:
    """One Azure and one installation of the app in it; use as an async context manager."""

    def __init__(
        self,
        *,
        cloud: str = "AzureCloud",
        seed: int = 0,
        options: Options | None = None,
        durations: Durations | None = None,
        subnet_prefix: str = "10.0.1.0/24",
        azure_type: type[SimulatedAzure] = SimulatedAzure,
    ) -> None:
        start = EPOCH - DAY
        self.azure = azure_type(cloud=cloud, seed=seed, options=options, durations=durations, start=start)
        self.scene = scenery.standard_world(self.azure, subnet_prefix=subnet_prefix)
        self.cloud = CLOUDS[cloud]
        self.seed = seed
        self.document: dict[str, Any] = self.default_policy()
        self.app = APP
        self.azure.rbac.principal(APP, name="registry-isolation", actions=ROLE, data_actions=DATA_ROLE)

    def default_policy(self) -> dict[str, Any]:
        """One hub network, everything else by default."""
        return {
            "version": 1,
            "mode": "enforce",
            "scope": {"subscriptions": [next(iter(self.azure.subscriptions.values()))]},
            "networks": [
                {
                    "name": "hub",
                    "subnet": self.scene.subnet,
                    "dns": {"zones_resource_group": self.scene.dns_group, "create_zones": True, "link_vnet": True},
                }
            ],
        }

    def add_network(self, name: str, prefix: str, *, zones: str = "") -> str:
        """One more network in the world and in the policy; gives its subnet's id."""
        group = f"{self.scene.subscription}/resourceGroups/rg-{name}"
        scenery.send(self.azure, "PUT", group, {"location": "westeurope"}, api_version=scenery.GROUP_API)
        network = f"{group}/providers/Microsoft.Network/virtualNetworks/{name}"
        body = {
            "location": "westeurope",
            "properties": {
                "addressSpace": {"addressPrefixes": [prefix]},
                "subnets": [{"name": "endpoints", "properties": {"addressPrefix": prefix.replace("/16", "/24")}}],
            },
        }
        scenery.send(self.azure, "PUT", network, body, api_version=scenery.NETWORK_API)
        scenery.rest(self.azure)
        dns = {"zones_resource_group": zones or group, "create_zones": True, "link_vnet": True}
        subnet = f"{network}/subnets/endpoints"
        self.document["networks"].append({"name": name, "subnet": subnet, "dns": dns})
        return subnet

    outbox: Outbox | None = None
    """Set by houses whose app tells outcomes, before `install`."""

    async def __aenter__(self) -> Self:
        self.clock = LoopClock()
        self.ledger = MemoryLedger()
        self.leases: Leases = MemoryLeases()
        self.index = MemoryOwnerIndex()
        self.transport = SimulatedTransport(self.azure, self.clock.now)
        self.install()
        scenery.subscribe(self.azure, HOOK)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def install(self) -> None:
        """Make a new process of the app over the same ledger; the queue is new and empty."""
        policy = IsolationPolicy.from_document(self.document)
        arm = ArmClient(
            credential=self.credential(),
            cloud=self.cloud,
            transport=self.transport,
        )
        self.queue = self.new_queue()
        self.poisoned = MemoryWorkQueue(self.clock)
        self.plane = ArmControlPlane(arm=arm, now=self.clock.now)
        self.services = Services(
            plane=self.plane,
            ledger=self.ledger,
            queue=self.queue,
            leases=self.leases,
            clock=self.clock,
            policy=policy,
            zone_table=self.cloud.zones,
            pacing=Pacing(rng=random.Random(self.seed)),
            principal=APP,
            outbox=self.outbox,
            index=self.index,
            throttle=arm.throttle,
        )
        self.reconciler = Reconciler(self.services)
        self.intake = Intake(self.ledger, self.queue, self.clock)
        self.reception = Reception(
            intake=self.intake,
            ledger=self.ledger,
            clock=self.clock,
            own_principal=APP,
            subscriptions=policy.scope.subscriptions,
            owners=Owners(
                policy=policy,
                index=self.index,
                ledger=self.ledger,
                clock=self.clock,
                make_source=lambda: ArmOwnerSource(arm),
            ),
            drift=DriftIntake(self.ledger, self.queue, self.clock),
        )
        self.poison = PoisonCabinet(self.ledger, self.clock, self.outbox, self.queue)
        self.worker = Worker(
            make_reconciler=lambda: self.reconciler,
            reception=self.reception,
            poison=self.poison,
            mishaps=Mishaps(self.ledger, self.queue, self.clock, random.Random(self.seed)),
        )
        self.trigger = QueueTrigger(self.queue, self._function, poison=self.poisoned, retry_after=timedelta(seconds=30))
        self._tasks: list[asyncio.Task[None]] = []

    def credential(self) -> SimulatedCredential:
        """The app's identity; a house whose token service fails makes another one."""
        return SimulatedCredential(self.azure, APP)

    def new_queue(self) -> MemoryWorkQueue:
        """The work queue of one process; a house whose queue fails makes another one."""
        return MemoryWorkQueue(self.clock)

    def _jobs(self) -> list[Coroutine[Any, Any, None]]:
        """What runs side by side while the house lives."""
        return [self.trigger.serve(), self._event_grid()]

    async def _function(self, text: str) -> None:
        await self.worker.work(text.encode())

    # --- running ------------------------------------------------------------------------------------------------------

    async def live(self, until: Callable[[], Awaitable[bool]], limit: timedelta = timedelta(hours=2)) -> bool:
        """Let the world and the app run until *until* holds; False when *limit* passed first."""
        end = self.clock.now() + limit
        if not self._tasks:
            self._tasks = [asyncio.create_task(job) for job in self._jobs()]
        while not await until():
            for task in self._tasks:
                if task.done():
                    task.result()
            if self.clock.now() >= end:
                return False
            await asyncio.sleep(self._step())
        return True

    async def ask(self, registry: Resource | str) -> WorkMessage:
        """Ask for a registry the way a door does."""
        return await self.intake.accept(
            ReconcileRequest(
                registry=as_id(registry), reason=RequestReason.HTTP, origin="test", received=self.clock.now()
            )
        )

    def after(self, duration: timedelta) -> Callable[[], Awaitable[bool]]:
        """Holds once *duration* has passed."""
        end = self.clock.now() + duration

        async def passed() -> bool:
            return self.clock.now() >= end

        return passed

    def exists(self, resource: str) -> Callable[[], Awaitable[bool]]:
        """Holds once Azure has finished creating the registry."""

        async def there() -> bool:
            found = self.azure.world.get(resource)
            return found is not None and bool(found.properties.get("managedResourceGroup"))

        return there

    def wrote(self, part: str) -> Callable[[], Awaitable[bool]]:
        """Holds once the app has written to a URL that contains *part*."""

        async def written() -> bool:
            return any(part in call.url for call in self.writes() if call.principal == APP)

        return written

    async def stop(self) -> None:
        """End the process, in the middle of whatever it does."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def settle(self, registry: Resource | str, limit: timedelta = timedelta(hours=2)) -> str:
        """Run until the app has nothing left to do; gives the outcome's kind for *registry*."""
        await self.live(lambda: self._idle(registry), limit)
        row = await self.row(registry)
        return row.outcome.kind if row and row.outcome else "none"

    async def _idle(self, registry: Resource | str) -> bool:
        if len(self.queue):
            return False
        row = await self.row(registry)
        return row is not None and row.outcome is not None and row.claim is None

    def _step(self) -> float:
        """Seconds until the next look: longer while neither Azure nor the app has anything before it."""
        moments = (self.queue.next_visible, self.azure.next_due(), self.azure.events.next_due())
        known = [moment for moment in moments if moment is not None]
        if not known:
            return 30 * _STEP
        seconds = math.ceil((min(known) - self.clock.now()).total_seconds())
        return min(max(_STEP, seconds), _LONGEST_STEP)

    async def _event_grid(self) -> None:
        while True:
            now = self.clock.now()
            self.azure.advance(now)
            for delivery in self.azure.events.due(now):
                status = 200
                try:
                    for event in json.loads(delivery.body):
                        await self.reception.receive(event)
                except RegistryIsolationError:
                    status = 500
                self.azure.events.report(delivery.id, status, self.clock.now())
            await asyncio.sleep(self._step())

    # --- looking ------------------------------------------------------------------------------------------------------

    async def row(self, registry: Resource | str) -> LedgerRow | None:
        """The registry's row in the ledger."""
        entry = await self.ledger.read(as_id(registry))
        return entry.row if entry else None

    def now(self) -> datetime:
        return self.clock.now()

    def access(self, registry: Resource | str) -> Mapping[str, str]:
        """`publicNetworkAccess` of the registry and of all its parts, by name."""
        found = self.azure.world.get(registry if isinstance(registry, str) else registry.id)
        if found is None:
            raise LookupError(f"there is no registry {registry}")
        return {
            part.name: str(part.properties.get("publicNetworkAccess", "Enabled"))
            for part in (found, *scenery.parts_of(self.azure, found))
        }

    def closed(self, registry: Resource | str) -> bool:
        return set(self.access(registry).values()) == {"Disabled"}

    def endpoints(self) -> list[Resource]:
        return list(self.azure.world.of_type("Microsoft.Network/privateEndpoints"))

    def writes(self, since: int = 0) -> list[Any]:
        """Logged writes after position *since* of the log."""
        return [call for call in self.azure.log[since:] if call.kind == "write"]

    def reads(self, since: int = 0) -> list[Any]:
        return [call for call in self.azure.log[since:] if call.kind == "read"]

    async def told(self, registry: Resource | str) -> tuple[HistoryEntry, ...]:
        """History, newest first."""
        return await self.ledger.history(as_id(registry), 1000)


def as_id(registry: Resource | str) -> ResourceId:
    return ResourceId.parse(registry if isinstance(registry, str) else registry.id)
