"""A house with an inventory over the same simulated Azure, and both ways to a verdict: from rows, and from a look at ARM."""

from collections.abc import Mapping
from datetime import timedelta

from local.simulator.scenery_many import put_isolated_registries
from local.simulator.world import Resource
from shared.cloud.arm_client import ArmClient
from shared.cloud.inventory import ResourceGraphInventory
from shared.core.arm import ResourceId
from shared.core.lockdown import Memory
from shared.core.plan import Plan
from shared.core.planner import make_plan
from shared.core.policy import IsolationPolicy
from shared.core.registry import Registry
from shared.engine.observe import Observer
from shared.engine.retrying import Retrier
from shared.engine.sweep_ports import Inventoried, InventoryPage
from tests.scenarios.house import APP, House, SimulatedCredential, as_id

LAG = timedelta(minutes=5)
"""Longer than the simulated Resource Graph lags behind."""


class IsolatedHouse(House):
    """A house in which *count* registries have been isolated in the past."""

    def __init__(self, count: int) -> None:
        super().__init__()
        crowd = put_isolated_registries(self.azure, count)
        self.hub = crowd.hubs[0]
        self.registries = [self.azure.require(registry) for registry in crowd.registries]
        self.document["networks"] = crowd.policy_networks

    def zone(self, group: str) -> str:
        """The hub's zone for endpoints of *group*."""
        name = self.cloud.zones[group][0]
        return f"{self.hub.zones_group}/providers/Microsoft.Network/privateDnsZones/{name}"


class Graph:
    """The inventory of *house* with its present policy."""

    def __init__(self, house: House, *, page_size: int = 1000) -> None:
        self.house = house
        self.policy = IsolationPolicy.from_document(house.document)
        arm = ArmClient(credential=SimulatedCredential(house.azure, APP), cloud=house.cloud, transport=house.transport)
        self.inventory = ResourceGraphInventory(
            arm=arm, policy=self.policy, zone_table=house.cloud.zones, clock=house.clock, page_size=page_size
        )

    async def page(self, cursor: str = "") -> InventoryPage:
        """One page."""
        return await self.inventory.page(cursor)

    async def catch_up(self) -> None:
        """Let Resource Graph see everything, and the app do nothing."""
        await self.house.stop()
        await self.house.clock.sleep(LAG)
        self.house.azure.advance(self.house.clock.now())

    async def pages(self) -> list[InventoryPage]:
        """Every page of a Resource Graph that has caught up."""
        await self.catch_up()
        read = [await self.page()]
        while read[-1].cursor:
            read.append(await self.page(read[-1].cursor))
        return read

    async def found(self) -> Mapping[ResourceId, Inventoried]:
        return {each.id: each for page in await self.pages() for each in page.registries}

    async def look(self, registry: Resource | str) -> Registry:
        """What a precise look at ARM gives."""
        house, identifier = self.house, as_id(registry)
        row = await house.row(registry)
        observer = Observer(house.plane, self.policy, house.cloud.zones)
        retrier = Retrier(house.clock, house.clock.now() + timedelta(minutes=1))
        exempt = self.policy.exempt_targets(identifier, on=house.clock.now().date())
        found = await observer.observe(identifier, retrier, {}, exempt, row.made if row else ())
        assert found is not None
        return found

    async def plan(self, registry: Registry) -> Plan:
        """The plan for it, with what the ledger remembers."""
        row = await self.house.row(registry.id.text)
        memory = Memory(
            now=self.house.clock.now(),
            closed_since=row.closed_since if row else None,
            repairs=row.repairs if row else {},
            rules_added=row.rules_added if row else (),
        )
        return make_plan(registry, self.policy, self.house.cloud.zones, memory)

    async def verdicts(self) -> list[tuple[bool, bool]]:
        """Whether each registry is converged by rows, and by a look; a doubtful one is not. In the inventory's order."""
        return [
            (
                each.registry is not None and (await self.plan(each.registry)).converged,
                (await self.plan(await self.look(each.id.text))).converged,
            )
            for each in (await self.found()).values()
        ]
