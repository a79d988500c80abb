"""
All registries at little cost: the sweep's inventory over Azure Resource Graph.

One page is up to 1,000 registries with everything that a plan of them needs, in about six queries:

    registries                                       1
    their storage accounts and container registries  1, packed by managed resource group
    private endpoints with their interfaces          2, packed by what they lead to
    zones and links, A records                       2
    workspaces, their storage, security groups       0 to 3, where the policy names any

Nothing of a page stays in memory when the next one is read. Resource Graph lags behind Azure and leaves out what the app
may not read without saying so, which is why nothing here is ever a reason to write.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.cloud import inventory_queries as queries
from shared.cloud.arm_client import ArmClient
from shared.cloud.documents import Document, resource_id
from shared.cloud.inventory_assembly import Assembler, PageRows
from shared.cloud.inventory_graph import MOST_ROWS, ResourceGraph, Tally
from shared.cloud.inventory_rows import Endpoints, Parts, Zones
from shared.cloud.inventory_surroundings import read_surroundings
from shared.cloud.registries import document_of
from shared.core import discovery
from shared.core.arm import ResourceId
from shared.core.endpoints import ACR_GROUP, REGISTRY_GROUP
from shared.core.errors import ChangedUnderneath
from shared.core.policy import IsolationPolicy, Network
from shared.core.registry import RegistryDocument
from shared.engine.ports import Clock
from shared.engine.sweep_ports import InventoryPage, Known

_MOST_LABELS = 4 * MOST_ROWS
"""Records come packed by zone and character, so that rows do not limit how many names one query is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """Which thousand of the policy's subscriptions, how many of their registries were read, and Azure's own token."""

    part: int = 0
    seen: int = 0
    token: str = ""

    @classmethod
    def decode(cls, text: str) -> "_Cursor":
        if not text:
            return cls()
        part, _, rest = text.partition(".")
        seen, _, token = rest.partition(".")
        if not (_is_number(part) and _is_number(seen) and token.isprintable()):
            raise ChangedUnderneath("The inventory's cursor is not one of this app; begin again.")
        return cls(part=int(part), seen=int(seen), token=token)

    def encode(self) -> str:
        return f"{self.part}.{self.seen}.{self.token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A registry's row and what it says."""

    id: ResourceId
    row: Document
    document: RegistryDocument


class ResourceGraphInventory:
    """
    `Inventory` on Azure Resource Graph.

    Args:
        arm: Access to the cloud; its credential and transport belong to the composition root.
        zone_table: Group id to zone names of the cloud.
        page_size: Most registries of one page; Resource Graph gives at most 1,000.
    """

    def __init__(
        self,
        *,
        arm: ArmClient,
        policy: IsolationPolicy,
        zone_table: Mapping[str, tuple[str, ...]],
        clock: Clock,
        page_size: int = MOST_ROWS,
    ) -> None:
        self._graph = ResourceGraph(arm, clock)
        self._policy = policy
        self._table = zone_table
        self._clock = clock
        self._page_size = min(page_size, MOST_ROWS)

    async def page(self, cursor: str = "") -> InventoryPage:
        """
        Read one page of the registries in the policy's subscriptions.

        Raises:
            Throttled: The quota is used up; `retry_after` says until when.
            ChangedUnderneath: *cursor* is not understood any more; begin again.
        """
        here = _Cursor.decode(cursor)
        scope = self._policy.scope.subscriptions[here.part * MOST_ROWS :]
        if not scope:
            raise ChangedUnderneath("The inventory's cursor lies behind the policy's subscriptions; begin again.")
        tally = Tally()
        found = await self._graph.page(
            tally, queries.REGISTRIES, scope[:MOST_ROWS], token=here.token, top=self._page_size
        )
        seen = here.seen + len(found.rows)
        if found.token:
            following = _Cursor(part=here.part, seen=seen, token=found.token).encode()
        else:
            if seen < found.total:
                tally.doubt(f"Resource Graph gave {seen} of {found.total} registries.")
            following = _Cursor(part=here.part + 1).encode() if len(scope) > MOST_ROWS else ""
        rows = tuple(_read(found.rows, tally))
        assembler = Assembler(self._policy, self._table, await self._around(tally, rows), self._clock.now().date())
        registries = tuple(assembler.assemble(each.id, each.row, each.document) for each in rows)
        return InventoryPage(registries=registries, cursor=following, partial=tally.partial, queries=tally.queries)

    async def known(self, registries: Sequence[ResourceId]) -> Known:
        """Tell which of *registries* Resource Graph has."""
        tally = Tally()
        found: set[ResourceId] = set()
        for start in range(0, len(registries), MOST_ROWS):
            batch = registries[start : start + MOST_ROWS]
            subscriptions = (registry.subscription for registry in batch)
            keys = (registry.key for registry in batch)
            rows = await self._graph.about(tally, "known", queries.registries_among, keys, subscriptions)
            found.update(identifier for row in rows if (identifier := resource_id(row, "id")))
        return Known(ids=frozenset(found), partial=tally.partial, queries=tally.queries)

    async def _around(self, tally: Tally, rows: Sequence[_Row]) -> PageRows:
        """Everything of the page's registries."""
        parts = await self._parts(tally, rows)
        endpoints = await self._endpoints(tally, rows)
        zones, foreign = await self._names(tally, endpoints)
        surroundings = await read_surroundings(self._graph, tally, self._policy, (each.id for each in rows))
        return PageRows(parts=parts, endpoints=endpoints, zones=zones, foreign=foreign, surroundings=surroundings)

    async def _parts(self, tally: Tally, rows: Sequence[_Row]) -> Parts:
        parts = Parts()
        groups = _groups(rows)
        names = (group.resource_group for group in groups)
        subscriptions = (group.subscription for group in groups)
        parts.take_in(await self._graph.about(tally, "parts", queries.parts_of_groups, names, subscriptions), tally)
        missing = sum(part not in parts.by_id for each in rows for part in _named(each.document))
        if missing:
            tally.doubt(f"Resource Graph does not show {missing} storage accounts or container registries.")
        return parts

    async def _endpoints(self, tally: Tally, rows: Sequence[_Row]) -> Endpoints:
        endpoints = Endpoints()
        homes = tuple(dict.fromkeys(network.endpoints_group for network in self._policy.networks))
        if not homes or not rows:
            return endpoints
        holding = [home.resource_group for home in homes]
        subscriptions = [home.subscription for home in homes]

        def to_groups(names: Sequence[str]) -> str:
            return queries.endpoints_to_groups(names, holding)

        def to_registries(ids: Sequence[str]) -> str:
            return queries.endpoints_to_targets(ids, holding)

        groups = (group.resource_group.lower() for group in _groups(rows))
        ids = (each.id.key for each in rows)
        endpoints.take_in(await self._graph.about(tally, "to groups", to_groups, groups, subscriptions), tally)
        endpoints.take_in(await self._graph.about(tally, "to registries", to_registries, ids, subscriptions), tally)
        return endpoints

    async def _names(self, tally: Tally, endpoints: Endpoints) -> tuple[Zones, Zones]:
        """Zones of the policy, and records of those that somebody else manages; nothing where there is no endpoint."""
        own, foreign = Zones(), Zones()
        labels = tuple(dict.fromkeys(endpoints.labels()))
        names = self._zone_names()
        managed = [network for network in self._policy.networks if network.dns.zones_resource_group is not None]
        if managed and names and endpoints.by_target:
            await self._own_zones(tally, own, managed, names, labels)
        if len(managed) < len(self._policy.networks) and labels:

            def anywhere(some: Sequence[str]) -> str:
                return queries.records(some, names, None)

            found = await self._graph.about(tally, "anywhere", anywhere, labels, (), _MOST_LABELS)
            foreign.take_in_records(found, tally)
        return own, foreign

    async def _own_zones(
        self, tally: Tally, own: Zones, managed: Sequence[Network], names: Sequence[str], labels: Sequence[str]
    ) -> None:
        homes = [home for network in managed if (home := network.dns.zones_resource_group) is not None]
        groups = [home.resource_group for home in homes]
        subscriptions = tuple(dict.fromkeys(home.subscription for home in homes))
        networks = [network.vnet_id.key for network in managed]
        own.take_in_zones(await self._graph.every(tally, queries.zones(names, groups, networks), subscriptions))

        def held(some: Sequence[str]) -> str:
            return queries.records(some, names, groups)

        found = await self._graph.about(tally, "records", held, labels, subscriptions, _MOST_LABELS)
        own.take_in_records(found, tally)

    def _zone_names(self) -> tuple[str, ...]:
        """Zones that endpoints of the policy's groups need."""
        groups = (REGISTRY_GROUP, ACR_GROUP, *self._policy.targets.storage.subresources)
        return tuple(dict.fromkeys(name for group in groups for name in self._table.get(group, ())))


def _read(rows: Iterable[Document], tally: Tally) -> Iterable[_Row]:
    for row in rows:
        identifier = resource_id(row, "id")
        if identifier is None:
            tally.doubt("Resource Graph gave a registry without a resource id.")
            continue
        yield _Row(id=identifier, row=row, document=document_of(row, identifier))


def _named(document: RegistryDocument) -> tuple[ResourceId, ...]:
    return (*discovery.storage_accounts(document), *discovery.container_registries(document))


def _groups(rows: Iterable[_Row]) -> tuple[ResourceId, ...]:
    """Resource groups that hold parts of registries: the managed ones, and those of resources that a user brought."""
    found: dict[ResourceId, None] = {}
    for each in rows:
        if each.document.managed_group is not None:
            found.setdefault(each.document.managed_group)
        for part in _named(each.document):
            found.setdefault(part.group)
    return tuple(found)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
