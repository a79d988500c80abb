"""
A house that sweeps: the app over a crowd of registries that were isolated in the past, in virtual time.

The inventory is the real one, over the simulated Resource Graph; records of sweeps and their queue are in memory.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from local.house import APP, ROLE, House, as_id
from local.memory import MemoryWorkQueue, QueueTrigger
from local.memory_sweeps import MemorySweepQueue, MemorySweeps
from local.simulator.azure import SimulatedAzure
from local.simulator.options import Options
from local.simulator.scenery_many import Crowd, put_isolated_registries
from shared.cloud.arm_client import ArmClient
from shared.cloud.inventory import ResourceGraphInventory
from shared.core.arm import ResourceId
from shared.core.policy import IsolationPolicy
from shared.core.report import Converged, Report
from shared.core.sweep_verdicts import turn
from shared.core.sweeps import SweepRecord, SweepState
from shared.engine.records import LedgerRow
from shared.engine.sweep import Sweeper, SweepServices
from shared.engine.sweep_pages import Pages

HOUR = timedelta(hours=1)
LAG = timedelta(minutes=2)
"""Longer than the simulated Resource Graph lags behind."""


class _Deaf:
    """Event Grid without a listener: events are taken and forgotten."""

    async def receive(self, _event: object) -> None:
        return None


class SweepHouse(House):
    """
    A house in which *count* registries have been isolated in the past, in *subscriptions* subscriptions.

    Attributes:
        registries: Those registries.
        page_size: Registries on a page of the inventory.
        limit: `limits.registries_per_sweep`.
    """

    def __init__(
        self,
        count: int = 0,
        *,
        subscriptions: int = 1,
        page_size: int = 1000,
        limit: int = 500,
        options: Options | None = None,
        azure_type: type[SimulatedAzure] = SimulatedAzure,
        seed: int = 0,
        **sections: Any,
    ) -> None:
        super().__init__(options=options, azure_type=azure_type, seed=seed)
        self.crowd: Crowd | None = None
        if count:
            self.crowd = put_isolated_registries(self.azure, count, subscriptions=subscriptions)
            self.document["networks"] = [*self.crowd.policy_networks, *_for_others(self.document["networks"])]
            self.document["scope"]["subscriptions"] = list(self.crowd.subscriptions)
        self.document |= {"limits": {"registries_per_sweep": limit}} | sections
        self.registries = self.crowd.registries if self.crowd else ()
        self.page_size = page_size
        self.sweeps = MemorySweeps()

    def install(self) -> None:
        """Make a new process of the app; its queues are new and empty, the records of sweeps are kept."""
        super().install()
        policy = IsolationPolicy.from_document(self.document)
        arm = ArmClient(credential=self.credential(), cloud=self.cloud, transport=self.transport)
        self.inventory = ResourceGraphInventory(
            arm=arm, policy=policy, zone_table=self.cloud.zones, clock=self.clock, page_size=self.page_size
        )
        self.steps = MemoryWorkQueue(self.clock)
        self.poisoned_steps = MemoryWorkQueue(self.clock)
        pages = Pages(
            ledger=self.ledger,
            intake=self.intake,
            clock=self.clock,
            policy=policy,
            zone_table=self.cloud.zones,
            nudger=self.outbox,
        )
        self.sweeper = Sweeper(
            SweepServices(
                make_inventory=lambda: self.inventory,
                ledger=self.ledger,
                sweeps=self.sweeps,
                queue=MemorySweepQueue(self.steps),
                pages=pages,
                reception=self.reception,
                clock=self.clock,
            )
        )
        self.sweep_trigger = QueueTrigger(
            self.steps, self._step_text, poison=self.poisoned_steps, retry_after=timedelta(seconds=10)
        )

    async def _step_text(self, text: str) -> None:
        await self.sweeper.work(text.encode())

    def switch_off_events(self) -> None:
        """From now on every event is lost."""
        self.reception = _Deaf()  # type: ignore[assignment]

    def freeze_graph(self) -> None:
        """From now on Resource Graph shows nothing new."""
        self.azure.graph.weather.frozen = True

    def grant(self, *missing: str) -> None:
        """Give the app its role without the actions *missing*."""
        principal = self.azure.rbac.principal(self.app)
        principal.assignments.clear()
        self.azure.rbac.principal(self.app, actions=ROLE, not_actions=missing)

    async def remember(self, registries: Iterable[str] = (), *, ago: timedelta = timedelta()) -> None:
        """Ledger rows as passes leave them of isolated registries, each verified at its last turn so long *ago*."""
        for row in isolated_rows(self.azure, registries or self.registries, self.cloud.zones, self.clock.now() - ago):
            await self.ledger.write(row, None)

    async def sweep(self, *, catch_up: bool = True, limit: timedelta = 12 * HOUR) -> SweepRecord:
        """
        Sweep once, and run until everything that the sweep asked for has been done.

        Args:
            catch_up: Let Resource Graph see the present first.
        """
        if catch_up:
            await self.live(self.after(LAG))
        begun = await self.sweeper.begin("timer", "test")
        serving = asyncio.create_task(self.sweep_trigger.drain())
        await self.live(self.idle, limit)
        await serving
        ended = await self.sweeper.read(begun.id)
        if ended is None or ended.state is SweepState.RUNNING:
            raise LookupError(f"sweep {begun.id} did not end: {ended}")
        return ended

    async def idle(self) -> bool:
        """Neither steps nor passes are planned."""
        return not len(self.steps) and not len(self.queue)

    async def passes(self, registries: Iterable[str] = ()) -> Counter[str]:
        """How often each registry was asked for by a sweep, by name; those never asked for are absent."""
        found: Counter[str] = Counter()
        for registry in registries or self.registries:
            entries = await self.ledger.history(as_id(registry), 1000)
            found[as_id(registry).name] = sum(each.kind == "request" for each in entries)
        return +found

    def queries(self, since: int = 0) -> int:
        """Resource Graph queries after position *since* of the log."""
        return sum("microsoft.resourcegraph" in call.url.lower() for call in self.azure.log[since:])

    def arm_calls(self, since: int = 0) -> list[Any]:
        """The app's other calls."""
        calls = self.azure.log[since:]
        return [call for call in calls if call.principal == APP and "microsoft.resourcegraph" not in call.url.lower()]

    def touched(self, since: int = 0) -> set[ResourceId]:
        """Registries of the crowd that the app read precisely after position *since* of the log."""
        paths = {urlsplit(call.url).path.lower() for call in self.arm_calls(since)}
        return {as_id(one) for one in self.registries if one.lower() in paths}


def _for_others(networks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The hub for registries that are not of the crowd, whose names begin with `reg-`."""
    return [network | {"serves": {"registries": ["contoso*"]}} for network in networks]


def isolated_rows(
    azure: SimulatedAzure, registries: Iterable[str], zones: Mapping[str, tuple[str, ...]], at: datetime
) -> Iterator[LedgerRow]:
    """Ledger rows as passes leave them of isolated registries, each verified at its last turn before *at*."""
    made: dict[str, list[ResourceId]] = {}
    for endpoint in azure.world.of_type("Microsoft.Network/privateEndpoints"):
        made.setdefault(str(endpoint.body["tags"]["registry-isolation-registry"]).lower(), []).append(as_id(endpoint))
    for registry in registries:
        identifier = as_id(registry)
        turned = turn(identifier, at)
        yield LedgerRow(
            registry=identifier,
            generation=1,
            sequence=1,
            first_seen=turned,
            requested=turned,
            observed=True,
            zones={group: zones[group] for group in ("amlregistry", "blob", "registry")},
            verified=turned,
            made=tuple(sorted(made.get(identifier.key, ()))),
            outcome=Converged(),
            report=Report(registry=identifier, at=turned, phase="converged"),
        )
