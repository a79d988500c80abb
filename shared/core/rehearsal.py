"""
What private endpoints and private DNS would look like after a plan, if all of it works.

The forecast's stage set: it knows what a write does to what the planner reads, and that whatever is under way ends well.
It never decides what is needed. Addresses and names of endpoints that do not exist yet are invented (192.0.2.0/24 is for
documentation, RFC 5737); no change carries them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from shared.core import dns
from shared.core.arm import ResourceId
from shared.core.changes import (
    Change,
    CreateEndpoint,
    CreateZone,
    DeleteEndpoint,
    DeleteZoneGroup,
    LinkZone,
    PutZoneGroup,
)
from shared.core.endpoints import WantedEndpoint, candidates, wanted_endpoints
from shared.core.names import zone_ids, zone_names
from shared.core.plan import Plan
from shared.core.policy import IsolationPolicy, Network
from shared.core.registry import (
    Address,
    Connection,
    ConnectionStatus,
    EndpointConnection,
    NetworkView,
    PrivateEndpoint,
    Registry,
    Zone,
    ZoneGroup,
    ZoneLink,
)

_DONE = "Succeeded"
_UNDER_WAY = {"creating", "updating"}
_UNDECIDED = {ConnectionStatus.PENDING, ConnectionStatus.UNKNOWN}
_INVENTED = "192.0.2.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """One network of one registry while a plan is played through."""

    registry: Registry
    network: Network
    changes: tuple[Change, ...]
    blocked: frozenset[str]
    table: Mapping[str, tuple[str, ...]]
    wishes: tuple[WantedEndpoint, ...]

    def names(self, wish: WantedEndpoint) -> tuple[str, ...]:
        """Zones that answer for *wish*."""
        return zone_names(wish.group, self.registry, self.table)

    def of[T: Change](self, kind: type[T]) -> Iterator[T]:
        """The plan's changes of one kind."""
        return (change for change in self.changes if isinstance(change, kind))


def rehearse(registry: Registry, plan: Plan, policy: IsolationPolicy, table: Mapping[str, tuple[str, ...]]) -> Registry:
    """*registry* with the changes of *plan* done to its networks; what a person must do is not done."""
    changes, blocked = plan.changes, frozenset(block.resource for block in plan.blocks)
    regions = tuple(region.location for region in registry.document.regions)
    views = {view.name: view for view in registry.networks}
    for network in policy.networks_for(registry.id, regions):
        wishes = wanted_endpoints(registry, policy, (network,))
        scene = _Scene(registry=registry, network=network, changes=changes, blocked=blocked, table=table, wishes=wishes)
        view = _with_endpoints(scene, registry.network(network.name))
        views[network.name] = _with_records(scene, _with_zones(scene, view))
    touched = {change.endpoint for change in changes if isinstance(change, CreateEndpoint | DeleteEndpoint)}
    targets = tuple(
        replace(target, connections=_confirmed(each for each in target.connections if each.endpoint not in touched))
        for target in registry.targets
    )
    return replace(registry, networks=tuple(views.values()), targets=targets)


def _confirmed(connections: Iterable[Connection]) -> tuple[Connection, ...]:
    """The target's own word, once it has seen what its endpoints say."""
    return tuple(
        replace(each, status=ConnectionStatus.APPROVED) if each.status in _UNDECIDED else each for each in connections
    )


# --- endpoints --------------------------------------------------------------------------------------------------------


def _with_endpoints(scene: _Scene, view: NetworkView) -> NetworkView:
    deleted = {change.endpoint for change in scene.of(DeleteEndpoint)}
    created = {change.endpoint: change for change in scene.of(CreateEndpoint)}
    kept = {each.id: each for each in view.endpoints if each.id not in deleted and each.state.lower() != "deleting"}
    for wish in scene.wishes:
        for endpoint in candidates(wish, replace(view, endpoints=tuple(kept.values()))):
            if endpoint.state.lower() in _UNDER_WAY:
                kept[endpoint.id] = _finished(endpoint)
        if wish.id in created:
            kept[wish.id] = _made(scene, wish, created[wish.id], kept.get(wish.id))
    return replace(view, endpoints=tuple(_addressed(scene, endpoint) for endpoint in kept.values()))


def _made(
    scene: _Scene, wish: WantedEndpoint, change: CreateEndpoint, before: PrivateEndpoint | None
) -> PrivateEndpoint:
    connection = EndpointConnection(target=change.target, groups=(change.group,), status=ConnectionStatus.APPROVED)
    return PrivateEndpoint(
        id=change.endpoint,
        location=change.location,
        subnet=change.subnet,
        state=_DONE,
        connections=(connection,),
        addresses=(before.addresses if before else None) or _invented(change.endpoint, scene.names(wish)),
        tags=change.tags,
    )


def _finished(endpoint: PrivateEndpoint) -> PrivateEndpoint:
    connections = tuple(
        replace(each, status=ConnectionStatus.APPROVED) if each.status in _UNDECIDED else each
        for each in endpoint.connections
    )
    return replace(endpoint, state=_DONE, connections=connections)


def _addressed(scene: _Scene, endpoint: PrivateEndpoint) -> PrivateEndpoint:
    """An endpoint that says its addresses, those that it has or invented ones."""
    if endpoint.addresses or endpoint.state.lower() != _DONE.lower():
        return endpoint
    wish = _wish_of(scene, endpoint)
    return replace(endpoint, addresses=_invented(endpoint.id, scene.names(wish))) if wish else endpoint


def _wish_of(scene: _Scene, endpoint: PrivateEndpoint) -> WantedEndpoint | None:
    alone = NetworkView(name=scene.network.name, endpoints=(endpoint,))
    return next((wish for wish in scene.wishes if candidates(wish, alone)), None)


def _invented(endpoint: ResourceId, zones: Iterable[str]) -> tuple[Address, ...]:
    names = tuple(f"{endpoint.name.lower()}.{zone.removeprefix('privatelink.')}" for zone in zones)
    return (Address(ip=_INVENTED, fqdns=names),) if names else ()


# --- names ------------------------------------------------------------------------------------------------------------


def _with_zones(scene: _Scene, view: NetworkView) -> NetworkView:
    zones = {name: _linked(scene, zone) for name, zone in view.zones.items()}
    for create in scene.of(CreateZone):
        if create.zone.group == scene.network.dns.zones_resource_group:
            zones[create.zone.name.lower()] = Zone(id=create.zone, exists=True, links=())
    for change in scene.of(LinkZone):
        zone = zones.get(change.zone.name.lower())
        if zone is not None and zone.id == change.zone:
            link = ZoneLink(id=change.link, network=change.network, state="Completed")
            zones[change.zone.name.lower()] = replace(zone, links=(*(zone.links or ()), link))
    return replace(view, zones=zones)


def _linked(scene: _Scene, zone: Zone) -> Zone:
    """*zone* once a link that is being made to this network is there."""
    ours = scene.network.vnet_id
    links = (replace(link, state="Completed") if link.network == ours else link for link in zone.links or ())
    return zone if zone.links is None else replace(zone, links=tuple(links))


def _with_records(scene: _Scene, view: NetworkView) -> NetworkView:
    groups = dict(view.zone_groups)
    groups |= {change.endpoint.key: None for change in scene.of(DeleteZoneGroup)}
    written: set[ResourceId] = set()
    for change in scene.of(PutZoneGroup):
        groups[change.endpoint.key] = ZoneGroup(name=change.name, state=_DONE, zones=change.zones)
        written.add(change.endpoint)
    for endpoint in view.endpoints:
        group = groups.get(endpoint.id.key)
        if group is not None and group.state.lower() in _UNDER_WAY:
            groups[endpoint.id.key] = replace(group, state=_DONE)
            written |= {endpoint.id} if _leads_home(scene, endpoint, group) else set()
        elif group is not None and group.state.lower() == "deleting":
            groups[endpoint.id.key] = None
    view = replace(view, zone_groups=groups)
    for endpoint in view.endpoints:
        if endpoint.id in written or _somebody_else_writes(scene, endpoint):
            view = _recorded(scene, view, endpoint)
        else:
            view = replace(view, zone_groups={endpoint.id.key: None} | dict(view.zone_groups))
    return view


def _somebody_else_writes(scene: _Scene, endpoint: PrivateEndpoint) -> bool:
    return not scene.network.dns.manage and endpoint.id.text not in scene.blocked


def _leads_home(scene: _Scene, endpoint: PrivateEndpoint, group: ZoneGroup) -> bool:
    """*group* writes into every zone that answers for *endpoint*, not into somebody else's."""
    wish = _wish_of(scene, endpoint)
    homes = zone_ids(scene.network, scene.names(wish)) if wish else {}
    return set(homes.values()) <= set(group.zones.values())


def _recorded(scene: _Scene, view: NetworkView, endpoint: PrivateEndpoint) -> NetworkView:
    """Every name of *endpoint* resolves: in the zones, or where somebody else keeps them in the zone group's own report."""
    wish = _wish_of(scene, endpoint)
    if wish is None:
        return view
    records, _ = dns.expected_records(endpoint, scene.names(wish))
    zones = dict(view.zones)
    homes = zone_ids(scene.network, scene.names(wish))
    for record in records:
        home = homes.get(record.zone)
        if home is not None:
            zone = zones.get(record.zone.lower()) or Zone(id=home, exists=True)
            zones[record.zone.lower()] = replace(
                zone, records={**zone.records, record.name: tuple(sorted(record.addresses))}
            )
    group = view.zone_groups.get(endpoint.id.key) or ZoneGroup(name="default", state=_DONE, zones={})
    reported = {record.fqdn: tuple(sorted(record.addresses)) for record in records}
    groups = {**view.zone_groups, endpoint.id.key: replace(group, records={**group.records, **reported})}
    return replace(view, zones=zones, zone_groups=groups)
