"""
Many registries created at the same moment, under Azure's published limits: `python -m bench.rush [REGISTRIES ...]`.

In virtual time, through the whole app, in one subscription, with the buckets of Resource Manager and of the providers
enforced. The reference is what the limits alone allow: the time until the last write that the final world needed could be
let through, and then what the app needs after its last network write when it is alone. Reads are not counted into the bound
except the three that nobody can do without (the registry, its storage account, its container registry). Afterwards every
registry of which the app says so must be isolated in the simulated Azure. One that is not within an hour is lost.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from bench import program
from bench.budgets import THROTTLED_RATIO, Budget
from bench.rows import ReferenceFailed, Row, Section, bounded, compared, exactly, told
from bench.sizes import RUSH_OF_THE_BUDGET
from local.house import APP, House, as_id
from local.simulator import scenery
from local.simulator.provider_limits import PUBLISHED, READ, WRITE
from local.simulator.throttling import MANAGER, Throttle
from local.verdict import unisolated
from local.virtual_time import run_virtual
from shared.core.arm import ResourceId
from shared.core.requests import WorkMessage

PER_NETWORK = 333
"""A network takes 1000 private endpoints (documentation of Azure subscription limits), a registry has three."""
_PER_USER = 150
"""Registries that one person may create at once: below the bucket of writes of one principal."""
_LIMIT = timedelta(hours=1)
"""Whoever is not isolated by then counts as lost."""
_THROTTLED = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """
    One run.

    Attributes:
        waits: From creation to the app's word, in seconds, shortest first.
        tail: From the app's last network write to its last word, in seconds.
        refused: The app's requests that were answered 429.
        written: The app's writes.
        writes: That the final world needed: all, and those to the network provider.
    """

    registries: int
    waits: tuple[float, ...]
    tail: float
    calls: int
    refused: int
    written: int
    writes: int
    network_writes: int
    passes: int
    poisoned: int
    processor_seconds: float


class RushHouse(House):
    """A house in which the moment of each registry's isolation is noted."""

    def install(self) -> None:
        """Begin with none isolated."""
        self.isolated: dict[ResourceId, datetime] = {}
        self.passes = 0
        super().install()

    def lay_out(self, registries: int) -> None:
        """As many networks as the registries need, instead of the one."""
        self.document["networks"] = [self._network(at) for at in range(-(-registries // PER_NETWORK))]

    def _network(self, number: int) -> dict[str, object]:
        group = f"{self.scene.subscription}/resourceGroups/rg-rush-{number}"
        scenery.send(self.azure, "PUT", group, {"location": scenery.LOCATION}, api_version=scenery.GROUP_API)
        network = f"{group}/providers/Microsoft.Network/virtualNetworks/rush-{number}"
        subnet = {"name": "endpoints", "properties": {"addressPrefix": f"10.{10 + number}.0.0/20"}}
        space = {"addressPrefixes": [f"10.{10 + number}.0.0/16"]}
        body = {"location": scenery.LOCATION, "properties": {"addressSpace": space, "subnets": [subnet]}}
        scenery.send(self.azure, "PUT", network, body, api_version=scenery.NETWORK_API)
        scenery.rest(self.azure)
        return {
            "name": f"rush-{number}",
            "subnet": f"{network}/subnets/endpoints",
            "serves": {"registries": [f"rush-{number}-*"]},
            "dns": {"zones_resource_group": group, "create_zones": True, "link_vnet": True},
        }

    async def _function(self, text: str) -> None:
        self.passes += 1
        await super()._function(text)
        registry = WorkMessage.decode(text).registry
        entry = await self.ledger.read(registry)
        if entry is not None and entry.row.outcome is not None and entry.row.outcome.kind == "converged":
            self.isolated.setdefault(registry, self.now())


def rushing(registries: int) -> Section:
    """
    Give the rows; they answer to the budget if *registries* are as many as it speaks of.

    Raises:
        ReferenceFailed: A registry is not isolated although the app says so.
    """
    alone, many = run_virtual(rush(1)), run_virtual(rush(registries))
    return Section(
        title=f"{registries} registries at once, under the published limits",
        rows=tuple(_rows(alone, many)),
    )


async def rush(registries: int) -> Rush:
    """
    Create them all, and wait for the app.

    Raises:
        ReferenceFailed: A registry is not isolated although the app says so.
    """
    async with RushHouse() as house:
        house.lay_out(registries)
        house.install()
        house.azure.throttle = Throttle(enforced=True)
        before, at, logged = set(house.azure.world.resources), house.now(), len(house.azure.log)
        names = list(_create(house, registries))

        async def all_isolated() -> bool:
            return len(house.isolated) == registries

        began = time.process_time()
        await house.live(all_isolated, _LIMIT)
        spent = time.process_time() - began
        demand_isolated(house, names)
        made = [each for key, each in house.azure.world.resources.items() if key not in before]
        network = sum(each.type.lower() in _NETWORK_WRITES for each in made)
        zones = sum(each.type.lower() in _ZONE_WRITES for each in made)
        calls = [call for call in house.azure.log[logged:] if call.principal == APP or call.status == _THROTTLED]
        last = max(call.at for call in calls if call.method == "PUT" and "privateendpoints" in call.url.lower())
        return Rush(
            registries=registries,
            waits=tuple(sorted((each - at).total_seconds() for each in house.isolated.values())),
            tail=(max(house.isolated.values()) - last).total_seconds(),
            calls=len(calls),
            refused=sum(call.status == _THROTTLED for call in calls),
            written=sum(call.kind == "write" for call in calls),
            writes=network + zones + registries,
            network_writes=network,
            passes=house.passes,
            poisoned=len(house.poisoned),
            processor_seconds=spent,
        )


def demand_isolated(house: RushHouse, names: Sequence[str]) -> None:
    """
    Look at the world, whatever the app says.

    Raises:
        ReferenceFailed: A registry is not isolated although the app says so, or it says so of none.
    """
    if not house.isolated:
        raise ReferenceFailed(f"none of {len(names)} registries was isolated within {_LIMIT}")
    said = [name for name in names if as_id(name) in house.isolated]
    problems = [problem for name in said for problem in unisolated(house.azure, name)]
    if problems:
        raise ReferenceFailed(f"{len(problems)} things are open after a rush: {problems[:3]}")


_NETWORK_WRITES = frozenset(
    {"microsoft.network/privateendpoints", "microsoft.network/privateendpoints/privatednszonegroups"}
)
_ZONE_WRITES = frozenset({"microsoft.network/privatednszones", "microsoft.network/privatednszones/virtualnetworklinks"})


def _create(house: RushHouse, registries: int) -> Iterator[str]:
    """All in one moment, by as many people as one subscription lets do so."""
    for number in range(registries):
        user = f"00000000-0000-4000-8000-{0xB0000 + number // _PER_USER:012x}"
        house.azure.rbac.principal(user, name="data scientist", actions=("*",) if number % _PER_USER == 0 else ())
        name = f"rush-{number // PER_NETWORK}-{number:04d}"
        registry = scenery.registry_id(house.scene.registries_group, name)
        body = scenery.registry_body()
        scenery.send(house.azure, "PUT", registry, body, api_version=scenery.REGISTRY_API, principal=user)
        yield registry


def bounds(many: Rush) -> dict[str, float]:
    """Seconds until each limit has let the necessary calls through."""
    needed = {
        "Resource Manager writes": (many.writes, *MANAGER["writes"]),
        "Resource Manager reads": (3 * many.registries, *MANAGER["reads"]),
    }
    for limit in PUBLISHED:
        if limit.counts("Microsoft.Network/privateEndpoints", WRITE) and WRITE in limit.kinds:
            needed[limit.name] = (many.network_writes, limit.count, limit.per_second)
        if limit.counts("Microsoft.Storage/storageAccounts", READ) and READ in limit.kinds:
            needed[limit.name] = (many.registries, limit.count, limit.per_second)
    return {name: max(0.0, (count - size) / refill) for name, (count, size, refill) in needed.items()}


def lower_bound(alone: Rush, many: Rush) -> float:
    """Take what nobody can beat: a registry that is alone, or the tightest limit and what follows the last write."""
    return max(alone.waits[-1], max(bounds(many).values()) + alone.tail)


def _rows(alone: Rush, many: Rush) -> Iterator[Row]:
    tightest = max(bounds(many).items(), key=lambda each: each[1])
    bound = f"{tightest[0]} would allow the last write after {tightest[1]:.0f} s"
    alone_text = f"alone, a registry takes {alone.waits[-1]:.0f} s"
    about = Budget.THROTTLED if many.registries >= RUSH_OF_THE_BUDGET else None
    lost = many.registries - len(many.waits)
    note = f"The limits' lower bound for {many.registries} registries: {bound}; {alone_text}."
    least = lower_bound(alone, many)
    if lost:
        limit = _LIMIT.total_seconds()
        yield bounded(
            "from creation to all isolated",
            ours=limit,
            most=THROTTLED_RATIO * least,
            unit="s",
            about=about,
            note=f"It had not ended when the run did. {note}",
        )
    else:
        yield compared(
            "from creation to all isolated",
            ours=many.waits[-1],
            reference=least,
            most=THROTTLED_RATIO,
            about=about,
            note=note,
        )
    yield exactly("  registries lost", ours=lost, needed=0, about=about)
    yield exactly("  messages given up", ours=many.poisoned, needed=0)
    yield told(
        "  longest wait of a registry", f"{many.waits[-1]:.0f} s", reference=f"median {median(many.waits):.0f} s"
    )
    yield told(
        "  requests",
        f"{many.calls / many.registries:.3g} for each, {many.written} writes in all",
        reference=f"{alone.calls} when alone, {many.writes} writes are necessary",
    )
    yield told("  of them answered 429", str(many.refused), reference=f"{many.passes} passes")
    yield told("  processor time, simulated Azure included", f"{many.processor_seconds:.0f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; ends with status 1 when the app said isolated and Azure did not."""
    parser = argparse.ArgumentParser(prog="python -m bench.rush", description="Measure many registries at once.")
    parser.add_argument("registries", type=program.some, nargs="*", default=[50])
    asked = parser.parse_args(arguments)
    return program.run(lambda: [rushing(count) for count in asked.registries])


if __name__ == "__main__":
    sys.exit(main())
