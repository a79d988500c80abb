"""
Read everything that a plan needs to know about one registry, and nothing else.

Reads go out together as soon as their ids are known. Some happen only when a plan could need them: the subnet when an
endpoint is missing, replications before the registry's container registry gets one, zone groups where records are wrong.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.core import discovery, dns
from shared.core.arm import ResourceId
from shared.core.endpoints import ACR_GROUP, WantedEndpoint, candidates, status_towards, wanted_endpoints
from shared.core.errors import NotReadyYet
from shared.core.names import zone_ids, zone_names
from shared.core.planner import serving_networks
from shared.core.policy import IsolationPolicy, Network
from shared.core.registry import (
    ConnectionStatus,
    NetworkView,
    PrivateEndpoint,
    Registry,
    RegistryDocument,
    Target,
    TargetKind,
    Zone,
    ZoneGroup,
)
from shared.engine.gather import all_of, both
from shared.engine.left_over import observe_left_over
from shared.engine.observe_egress import observe_egress
from shared.engine.observe_sharing import observe_sharing
from shared.engine.observe_workspaces import observe_workspaces
from shared.engine.ports import ControlPlane, ZoneQuery
from shared.engine.recall import Recollection
from shared.engine.retrying import Retrier
from shared.engine.telemetry import staged


class Observer:
    """
    Observes registries for one policy and one cloud.

    Args:
        zone_table: Group id to zone names of the cloud, for groups whose target was not asked.
    """

    def __init__(self, plane: ControlPlane, policy: IsolationPolicy, zone_table: Mapping[str, tuple[str, ...]]) -> None:
        self._plane = plane
        self._policy = policy
        self._zone_table = zone_table

    @staged("observe")
    async def observe(
        self,
        registry: ResourceId,
        retrier: Retrier,
        known_zones: Mapping[str, tuple[str, ...]],
        exempt: frozenset[TargetKind] = frozenset(),
        made: Sequence[ResourceId] = (),
        recollection: Recollection | None = None,
    ) -> Registry | None:
        """
        Observe *registry*; None when ARM answers 404 for it.

        Args:
            exempt: Kinds of targets that the policy leaves as they are; they are read and then left out.
            made: Endpoints that the app made for it, whatever became of what they lead to.
            known_zones: Group id to zone names as the targets said in an earlier pass; asked again only when empty.
            recollection: What need not be read again; nothing unless given.

        Raises:
            NotReadyYet: Azure is still creating it.
            AmbiguousGroup: Its managed group cannot be told from another one.
        """
        observation = _Observation(
            self._plane, self._policy, self._zone_table, retrier, made, recollection or Recollection.nothing()
        )
        return await observation.run(registry, known_zones, exempt)


class _Observation:
    """One observation under one deadline."""

    def __init__(
        self,
        plane: ControlPlane,
        policy: IsolationPolicy,
        zone_table: Mapping[str, tuple[str, ...]],
        retrier: Retrier,
        made: Sequence[ResourceId],
        recollection: Recollection,
    ) -> None:
        self._plane = plane
        self._policy = policy
        self._table = zone_table
        self._retrier = retrier
        self._made = made
        self._recollection = recollection
        self._held: list[PrivateEndpoint] = []
        self._since: datetime | None = None
        self._links_since: datetime | None = None
        self._demand_later()

    async def run(
        self, registry: ResourceId, known_zones: Mapping[str, tuple[str, ...]], exempt: frozenset[TargetKind]
    ) -> Registry | None:
        document = await self._call(lambda: self._plane.read_registry(registry))
        if document is None:
            return None
        discovery.require_complete(document)
        group = document.managed_group or await self._find_group(document)
        bare = Registry(document=document, managed_group=group, targets=(), networks=(), required_zones=known_zones)
        networks = serving_networks(bare, self._policy)
        listed, everything = await self._together(document, group)
        self._allow_earlier(everything)
        targets = tuple(target for target in everything if target.kind not in exempt)
        partial = replace(bare, targets=targets, unlisted=discovery.disagreements(document, listed))
        partial = replace(partial, networks=await self._endpoints(partial, networks))
        if self._since != self._recollection.names_since and any(view.endpoints for view in partial.networks):
            self._demand_later()
            partial = replace(partial, networks=await self._endpoints(partial, networks))
        left_over = await observe_left_over(self._plane, partial, self._held, self._made, self._retrier)
        partial = await self._fill_gaps(replace(partial, left_over=left_over, absent=self._absent(networks)), networks)
        sharing = await observe_sharing(self._plane, self._policy, document, self._retrier)
        complete = replace(partial, networks=await self._read_names(partial, networks), sharing=sharing)
        complete = await observe_workspaces(complete, self._held, self._plane, self._retrier)
        return await observe_egress(complete, self._policy, self._plane, self._retrier)

    def _absent(self, networks: tuple[Network, ...]) -> tuple[ResourceId, ...]:
        """Endpoints of the ledger that are in none of the lists; of groups that were not read nothing is known."""
        read, held = {network.endpoints_group for network in networks}, {endpoint.id for endpoint in self._held}
        return tuple(each for each in self._made if each.group in read and each not in held)

    def _allow_earlier(self, targets: tuple[Target, ...]) -> None:
        """A registry that nobody has seen and nothing leads to has nothing of its own in what it shares with others."""
        first = self._recollection.first_since
        if first is not None and not any(target.connections for target in targets):
            self._since, self._links_since = first, first

    def _demand_later(self) -> None:
        """Whatever may decide a closing is read after the pass has seen its own operations end."""
        self._since, self._links_since = self._recollection.names_since, self._recollection.links_since

    async def _call[T](self, call: Callable[[], Awaitable[T]]) -> T:
        return await self._retrier.call(call)

    async def _find_group(self, document: RegistryDocument) -> ResourceId:
        registry = document.target.id
        found = await self._call(
            lambda: self._plane.find_groups(registry.subscription, discovery.group_prefix(registry))
        )
        return discovery.choose_group(registry, found)

    async def _together(
        self, document: RegistryDocument, group: ResourceId
    ) -> tuple[tuple[ResourceId, ...], tuple[Target, ...]]:
        """Read the managed group and all targets at the same time."""
        listing = self._listing(group)
        targets = all_of(
            [
                *(self._target(a, self._plane.read_storage_account) for a in discovery.storage_accounts(document)),
                *(
                    self._target(a, self._plane.read_container_registry)
                    for a in discovery.container_registries(document)
                ),
            ]
        )
        listed, found = await both(listing, targets)
        if listed is None:
            raise NotReadyYet(
                f"The managed resource group {group.name} of registry {document.target.id.name} does not exist yet.",
                resource_id=group.text,
                operation="list managed resource group",
            )
        return listed, (document.target, *found)

    async def _listing(self, group: ResourceId) -> tuple[ResourceId, ...] | None:
        known = self._recollection.listed()
        if known is not None:
            return known
        listed = await self._call(lambda: self._plane.list_group(group))
        if listed is not None:
            self._recollection.note_listed(listed)
        return listed

    async def _endpoints(self, registry: Registry, networks: tuple[Network, ...]) -> tuple[NetworkView, ...]:
        """Read the endpoints that touch the registry's targets, one resource group at a time for each network's."""
        groups = tuple(dict.fromkeys(network.endpoints_group for network in networks))
        known = self._expected_endpoints(registry, networks)
        lists = await all_of(self._list_endpoints(group, known.get(group, ())) for group in groups)
        held = dict(zip(groups, lists, strict=True))
        self._held = [endpoint for listed in lists for endpoint in listed]
        return tuple(
            NetworkView(
                name=network.name,
                endpoints=_touching(held[network.endpoints_group], registry.targets),
                taken=_taken(held[network.endpoints_group], wanted_endpoints(registry, self._policy, (network,))),
            )
            for network in networks
        )

    def _expected_endpoints(
        self, registry: Registry, networks: tuple[Network, ...]
    ) -> dict[ResourceId, tuple[ResourceId, ...]]:
        """Every endpoint that can matter, by resource group: those the targets know and those the app would make."""
        wanted = [want.id for want in wanted_endpoints(registry, self._policy, networks)]
        connected = [c.endpoint for target in registry.targets for c in target.connections if c.endpoint is not None]
        known: dict[ResourceId, tuple[ResourceId, ...]] = {}
        for endpoint in dict.fromkeys([*wanted, *connected, *self._made]):
            known[endpoint.group] = (*known.get(endpoint.group, ()), endpoint)
        return known

    async def _list_endpoints(self, group: ResourceId, known: tuple[ResourceId, ...]) -> tuple[PrivateEndpoint, ...]:
        return await self._call(lambda: self._plane.list_endpoints(group, known, self._since))

    async def _target(self, target: ResourceId, read: Callable[[ResourceId], Awaitable[Target | None]]) -> Target:
        found = self._recollection.target(target) or await self._call(lambda: read(target))
        if found is None:
            raise NotReadyYet(
                f"{target.name} is named by its registry but does not exist yet.",
                resource_id=target.text,
                operation=f"read {target.type}",
            )
        return found

    async def _fill_gaps(self, registry: Registry, networks: tuple[Network, ...]) -> Registry:
        """Read what is only needed to create endpoints: subnets, replications, zone names."""
        missing = {network.name: self._missing(registry, network) for network in networks}
        lacking = [network for network in networks if missing[network.name]]
        views = await all_of(self._with_subnet(registry.network(network.name), network) for network in lacking)
        by_name = {view.name: view for view in views}
        registry = replace(registry, networks=tuple(by_name.get(view.name, view) for view in registry.networks))
        if any(wanted.group == ACR_GROUP for group in missing.values() for wanted in group):
            registry = replace(registry, targets=tuple(await all_of(self._with_replicas(t) for t in registry.targets)))
        if lacking and not registry.required_zones:
            asked = {target.kind: target for target in reversed(registry.targets)}
            zones = await all_of(self._zones_of(target) for target in asked.values())
            merged = {group: names for found in zones for group, names in found.items()}
            registry = replace(registry, required_zones=merged)
        return registry

    def _missing(self, registry: Registry, network: Network) -> tuple[WantedEndpoint, ...]:
        view = registry.network(network.name)
        wanted = wanted_endpoints(registry, self._policy, (network,))
        return tuple(want for want in wanted if not any(_approved(e, want) for e in candidates(want, view)))

    async def _with_subnet(self, view: NetworkView, network: Network) -> NetworkView:
        subnet = await self._call(lambda: self._plane.read_subnet(network.subnet, self._since))
        if subnet is None:
            return replace(view, subnet_problem="does not exist, or its virtual network does not")
        return replace(view, subnet=subnet)

    async def _with_replicas(self, target: Target) -> Target:
        if target.kind is not TargetKind.ACR:
            return target
        return replace(target, replicas_pending=await self._call(lambda: self._plane.pending_replications(target.id)))

    async def _zones_of(self, target: Target) -> Mapping[str, tuple[str, ...]]:
        known = self._recollection.zone_names(target.kind)
        if known is None:
            known = await self._call(lambda: self._plane.required_zones(target))
            self._recollection.note_zone_names(target.kind, known)
        return known

    async def _read_names(self, registry: Registry, networks: tuple[Network, ...]) -> tuple[NetworkView, ...]:
        views = [await self._with_addresses(registry, network) for network in networks]
        return tuple(
            await all_of(
                self._with_names(registry, view, network) for view, network in zip(views, networks, strict=True)
            )
        )

    async def _with_addresses(self, registry: Registry, network: Network) -> NetworkView:
        view = registry.network(network.name)
        wanted = wanted_endpoints(registry, self._policy, (network,))
        ready = [e for e in view.endpoints if any(_approved(e, want) for want in wanted)]
        interfaces = tuple(dict.fromkeys(nic for endpoint in ready for nic in endpoint.interfaces))
        if not interfaces:
            return view
        found = self._recollection.addresses(interfaces)
        if found is None:
            found = await self._call(lambda: self._plane.read_addresses(interfaces, self._since))
            self._recollection.note_addresses(found)
        return replace(
            view,
            endpoints=tuple(
                replace(e, addresses=tuple(a for nic in e.interfaces for a in found.get(nic, ()))) if e in ready else e
                for e in view.endpoints
            ),
        )

    async def _with_names(self, registry: Registry, view: NetworkView, network: Network) -> NetworkView:
        """Read zones and links, and zone groups of the endpoints whose records are not right."""
        records = self._expected_records(registry, view, network)
        zones = await self._zones(registry, network, records)
        view = replace(view, zones=zones)
        doubtful = [
            endpoint
            for endpoint, expected in records
            if not expected or not zones or dns.missing_in_zones(expected, zones)
        ]
        groups = await all_of(self._zone_group(endpoint) for endpoint in doubtful)
        keys = [endpoint.id.key for endpoint in doubtful]
        return replace(view, zone_groups=dict(zip(keys, groups, strict=True)))

    def _expected_records(
        self, registry: Registry, view: NetworkView, network: Network
    ) -> list[tuple[PrivateEndpoint, tuple[dns.ExpectedRecord, ...]]]:
        found = []
        for wanted in wanted_endpoints(registry, self._policy, (network,)):
            names = zone_names(wanted.group, registry, self._table)
            ready = [endpoint for endpoint in candidates(wanted, view) if _approved(endpoint, wanted)]
            found += [(endpoint, dns.expected_records(endpoint, names)[0]) for endpoint in ready]
        return found

    async def _zones(
        self,
        registry: Registry,
        network: Network,
        records: list[tuple[PrivateEndpoint, tuple[dns.ExpectedRecord, ...]]],
    ) -> dict[str, Zone]:
        wanted = wanted_endpoints(registry, self._policy, (network,))
        names = sorted({name for want in wanted for name in zone_names(want.group, registry, self._table)})
        ids = zone_ids(network, names)
        expected = [record for _, group in records for record in group]
        queries = [
            ZoneQuery(
                zone=zone,
                records=tuple(sorted({record.name for record in expected if record.zone == name})),
                links=network.dns.manage and network.dns.link_vnet,
                since=self._since,
                links_since=self._links_since,
            )
            for name, zone in ids.items()
        ]
        if not queries:
            return {}
        found = self._recollection.zones(queries)
        if found is None:
            found = await self._call(lambda: self._plane.read_zones(queries))
            self._recollection.note_zones(queries, found)
        return {name: found[zone] for name, zone in ids.items()}

    async def _zone_group(self, endpoint: PrivateEndpoint) -> ZoneGroup | None:
        return await self._call(lambda: self._plane.read_zone_group(endpoint.id))


def _approved(endpoint: PrivateEndpoint, wanted: WantedEndpoint) -> bool:
    return endpoint.state.lower() == "succeeded" and status_towards(endpoint, wanted) is ConnectionStatus.APPROVED


def _touching(endpoints: Iterable[PrivateEndpoint], targets: tuple[Target, ...]) -> tuple[PrivateEndpoint, ...]:
    ids = {target.id for target in targets}
    return tuple(endpoint for endpoint in endpoints if any(c.target in ids for c in endpoint.connections))


def _taken(endpoints: Iterable[PrivateEndpoint], wanted: Iterable[WantedEndpoint]) -> frozenset[ResourceId]:
    """Wanted endpoints whose name is another one's: its connections, as far as it shows any, lead to other targets."""
    targets = {want.id: want.target.id for want in wanted}
    return frozenset(
        endpoint.id
        for endpoint in endpoints
        if endpoint.id in targets
        and endpoint.connections
        and all(connection.target != targets[endpoint.id] for connection in endpoint.connections)
    )
