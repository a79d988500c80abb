"""
One registry, from the event to isolated, in virtual time: the run that latency and request figures are taken from.

Everything but Azure is the real product. Azure's latencies are the simulated Azure's, as recorded; nothing is taken from
the app's own word: an independent look at the world says when it was isolated, and whether it was at all.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from bench.faulty_azure import FaultyAzure
from bench.rows import ReferenceFailed
from bench.sharing import demand_shared, lay_out_workspace
from bench.watched_azure import WatchedAzure
from local.house import APP, House
from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.call import LoggedCall
from local.simulator.operations import Operation
from local.simulator.world import Resource
from local.verdict import unisolated
from local.virtual_time import run_virtual
from shared.core.report import Outcome, Waiting
from shared.core.requests import WorkMessage

NAME = "contoso-models"
_ANOTHER = "fabrikam-models"
_AFTER_THE_SECOND_LOOK = timedelta(minutes=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    What is measured: a registry in *regions*, served by *networks* networks, and *sharing* with a workspace.

    *warm* is a process that has isolated a registry before, in another network; otherwise this is its first one.
    """

    name: str
    regions: tuple[str, ...] = ("westeurope",)
    networks: int = 1
    sharing: bool = False
    warm: bool = False


CASES = (
    Case(name="one region"),
    Case(name="three regions", regions=("westeurope", "northeurope", "eastus")),
    Case(name="two networks", networks=2),
)
WARM = Case(name="one region, not the process's first", warm=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """
    One pass as the host saw it.

    Attributes:
        processor_seconds: What this machine's processor worked for it, the simulated Azure's share included.
        calls: How many requests it made.
    """

    started: datetime
    ended: datetime
    outcome: Outcome
    processor_seconds: float
    calls: int

    @property
    def due(self) -> datetime | None:
        """When the next pass was asked for."""
        return self.outcome.until if isinstance(self.outcome, Waiting) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """
    What one run left behind.

    Attributes:
        event: When Event Grid delivered the registry's event.
        known: When the app said converged.
        closings: Resource key to when its public access closed.
        calls: The app's requests from the registry's creation to *known*.
        second_look: Its requests when it judged the closing a quarter of an hour later.
        second_pass: Its requests when it was asked again.
        operations: Long operations of the world, by resource key, newest last.
        before: Keys of what was there before the registry.
    """

    case: Case
    azure: SimulatedAzure
    registry: Resource
    event: datetime
    known: datetime
    closings: dict[str, datetime]
    passes: tuple[Pass, ...]
    calls: tuple[LoggedCall, ...]
    second_look: tuple[LoggedCall, ...]
    second_pass: tuple[LoggedCall, ...]
    operations: tuple[Operation, ...]
    before: frozenset[str]

    @property
    def isolated(self) -> datetime:
        """When the last door closed."""
        return max(self.closings.values())


class MeasuredHouse(House):
    """A house that remembers its passes."""

    def install(self) -> None:
        """Begin with no pass."""
        self.passes: list[Pass] = []
        super().install()

    async def _function(self, text: str) -> None:
        started, processor, count = self.clock.now(), time.process_time(), len(self.azure.log)
        outcome = await self.reconciler.run(WorkMessage.decode(text))
        self.passes.append(
            Pass(
                started=started,
                ended=self.clock.now(),
                outcome=outcome,
                processor_seconds=time.process_time() - processor,
                calls=len(self.azure.log) - count,
            )
        )


def isolate(case: Case) -> Isolation:
    """
    Run *case* and look at the world afterwards.

    Raises:
        ReferenceFailed: The registry is not isolated, whatever the app says.
    """
    return run_virtual(_story(case, WatchedAzure, lambda _azure: None))


def isolate_despite(case: Case, seed: int, rate: float) -> Isolation:
    """
    Run *case* while a share *rate* of Azure's answers are faults.

    Raises:
        ReferenceFailed: The registry is not isolated, whatever the app says.
    """
    return run_virtual(_story(case, FaultyAzure, lambda azure: cast("FaultyAzure", azure).roll(seed, rate)))


async def _story(case: Case, azure_type: type[WatchedAzure], begin: Callable[[SimulatedAzure], None]) -> Isolation:
    async with MeasuredHouse(azure_type=azure_type) as house:
        for number in range(1, case.networks):
            house.add_network(f"spoke-{number}", f"10.{10 + number}.0.0/16")
        if case.sharing:
            house.document["sharing"] = [dict(lay_out_workspace(house.azure))]
        if case.warm:
            _serve_apart(house)
        house.install()
        if case.warm:
            await _isolate_another(house)
        start, first = len(house.azure.log), len(house.passes)
        before = frozenset(house.azure.world.resources)
        scenery.put_registry(house.azure, NAME, case.regions, house.clock.now())
        registry = scenery.registry_id(house.scene.registries_group, NAME)
        begin(house.azure)
        if not await house.live(lambda: _converged(house, registry)):
            raise ReferenceFailed(f"{case.name}: the app has not said converged within two hours")
        known = len(house.azure.log)
        passes = tuple(house.passes[first:])
        demand_isolated(house.azure, case.name, registry)
        await house.live(house.after(_AFTER_THE_SECOND_LOOK))
        await house.settle(registry)
        looked = len(house.azure.log)
        await house.ask(registry)
        await house.settle(registry)
        demand_isolated(house.azure, case.name, registry)
        if case.sharing:
            demand_shared(house.azure, registry)
        told = await house.told(registry)
        azure = house.azure
        found = azure.world.get(registry)
        if found is None or not told or not isinstance(azure, WatchedAzure):
            raise ReferenceFailed(f"{case.name}: the registry or its history is gone")
        return Isolation(
            case=case,
            azure=azure,
            registry=found,
            event=_told_of(azure, registry),
            known=min(entry.at for entry in told if entry.kind == "outcome" and entry.result == "converged"),
            closings={each.key: azure.closings[each.key] for each in (found, *scenery.parts_of(azure, found))},
            passes=passes,
            calls=_own(house.azure.log[start:known]),
            second_look=_own(house.azure.log[known:looked]),
            second_pass=_own(house.azure.log[looked:]),
            operations=tuple(azure.operations.all.values()),
            before=before,
        )


def _serve_apart(house: House) -> None:
    """One network for the measured registry, and another for the one before."""
    house.add_network("apart", "10.99.0.0/16")
    hub, apart = house.document["networks"]
    hub["serves"], apart["serves"] = {"registries": [NAME]}, {"registries": [_ANOTHER]}


async def _isolate_another(house: MeasuredHouse) -> None:
    """Let the process isolate a registry and come to rest."""
    scenery.put_registry(house.azure, _ANOTHER, ("westeurope",), house.clock.now())
    registry = scenery.registry_id(house.scene.registries_group, _ANOTHER)
    await house.live(lambda: _converged(house, registry))
    await house.live(house.after(_AFTER_THE_SECOND_LOOK))
    demand_isolated(house.azure, _ANOTHER, registry)


def _told_of(azure: SimulatedAzure, registry: str) -> datetime:
    """When Event Grid delivered the registry's own event; events of its parts may come while Azure still makes it."""
    found = [at for at, _, event in azure.events.delivered if event.subject.lower() == registry.lower()]
    if not found:
        raise ReferenceFailed(f"no event of {registry} was delivered")
    return found[0]


async def _converged(house: MeasuredHouse, registry: str) -> bool:
    row = await house.row(registry)
    return row is not None and row.outcome is not None and row.outcome.kind == "converged"


def demand_isolated(azure: SimulatedAzure, name: str, registry: str) -> None:
    """
    Look at the world, whatever anybody says of it.

    Raises:
        ReferenceFailed: The registry is not isolated.
    """
    problems = unisolated(azure, registry)
    if problems:
        raise ReferenceFailed(f"{name}: the registry is not isolated. {' '.join(problems)}")


def _own(calls: Sequence[LoggedCall]) -> tuple[LoggedCall, ...]:
    return tuple(call for call in calls if call.principal == APP)
