"""
An Azure without faults, as a pure function: what it is told to do is done, and whatever is under way ends well.

The planner is right when this Azure, obeying its plans, comes to rest. It shares no reasoning with the planner: it knows
what writes do, never what is needed. `way_in` is its own, plain answer to the question of the gate.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from shared.core.arm import ResourceId
from shared.core.changes import (
    Change,
    ClosePublicAccess,
    CreateEndpoint,
    CreateZone,
    DeleteEndpoint,
    DeleteZoneGroup,
    LinkZone,
    PutZoneGroup,
)
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.policy import IsolationPolicy, Network
from shared.core.registry import (
    Access,
    Connection,
    ConnectionStatus,
    NetworkView,
    PrivateEndpoint,
    Registry,
    TargetKind,
    Zone,
    ZoneGroup,
    ZoneLink,
)
from shared.core.restore import RestoreSettings
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules
from tests.core.perfect_egress import allowed
from tests.core.perfect_restore import restored
from tests.core.perfect_sharing import ruled
from tests.core.worlds import DONE, NOW, ZONES, addresses_of, an_endpoint, wanted, with_view

UNDER_WAY = {"creating", "updating", "inprogress"}
NO_WAY_IN = {status for status in ConnectionStatus if status is not ConnectionStatus.APPROVED}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """
    The whole truth about one registry, and what the app remembers of it.

    Attributes:
        stubborn: Keys of endpoints that no second PUT heals, and of those (`names:<key>`) whose zone group stays empty until
            it is made anew.
    """

    registry: Registry
    policy: IsolationPolicy
    stubborn: frozenset[str] = frozenset()
    now: datetime = NOW
    closed_since: datetime | None = None
    repairs: dict[str, int] = field(default_factory=dict)


# --- the gate's question ----------------------------------------------------------------------------------------------


def way_in(world: World) -> bool:
    """Tell whether every endpoint that the policy asks for is approved and each of its names has exactly its record."""
    return all(
        any(_serves(world.registry, view, endpoint, wish.target.id, wish.group) for endpoint in view.endpoints)
        for wish in wanted(world.registry, world.policy)
        for view in [world.registry.network(wish.network.name)]
    )


def _serves(registry: Registry, view: NetworkView, endpoint: PrivateEndpoint, target: ResourceId, group: str) -> bool:
    approved = any(
        connection.target == target and group in connection.groups and connection.status is ConnectionStatus.APPROVED
        for connection in endpoint.connections
    )
    refused = any(
        said.endpoint == endpoint.id and said.status in NO_WAY_IN
        for known in registry.targets
        for said in known.connections
    )
    names = [(fqdn, address.ip) for address in endpoint.addresses or () for fqdn in address.fqdns]
    return (
        endpoint.state == DONE
        and approved
        and not refused
        and bool(names)
        and all(_held(view, group, fqdn) == (ip,) for fqdn, ip in names)
    )


def _held(view: NetworkView, group: str, fqdn: str) -> tuple[str, ...]:
    zone = view.zones.get(ZONES[group][0])
    return zone.records.get(fqdn.removesuffix("." + ZONES[group][0].removeprefix("privatelink.")), ()) if zone else ()


# --- looking ----------------------------------------------------------------------------------------------------------


def look(world: World) -> Registry:
    """What the app reads: zone groups only of endpoints whose records are not right."""
    registry = world.registry
    for view in registry.networks:
        right = {
            endpoint.id.key
            for wish in wanted(registry, world.policy)
            for endpoint in view.endpoints
            if wish.network.name == view.name and _serves(registry, view, endpoint, wish.target.id, wish.group)
        }
        groups = {key: group for key, group in view.zone_groups.items() if key not in right}
        registry = with_view(registry, view.name, zone_groups=groups)
    return registry


# --- obeying ----------------------------------------------------------------------------------------------------------


def obey(world: World, changes: Iterable[Change]) -> World:
    """Carry out *changes* in their order; each finds what it needs, or the order was wrong."""
    for change in changes:
        world = _done(world, change)
    return world


def _done(world: World, change: Change) -> World:  # noqa: C901 -- one line for each kind of change
    match change:
        case CreateZone():
            return _with_zone(world, Zone(id=change.zone, exists=True, links=()))
        case LinkZone():
            return _with_link(world, change)
        case CreateEndpoint():
            return _created(world, change)
        case DeleteEndpoint():
            return _deleted(world, change.endpoint)
        case PutZoneGroup():
            group = ZoneGroup(name=change.name, state=DONE, zones=change.zones)
            return _recorded(_with_group(world, change.endpoint, group), change.endpoint, anew=True)
        case DeleteZoneGroup():
            return _without_group(world, change.endpoint)
        case ClosePublicAccess():
            return _closed(world, change)
        case RestoreSettings():
            return replace(world, registry=restored(world.registry, change))
        case AddResourceRules() | RemoveResourceRules():
            return replace(world, registry=ruled(world.registry, change))
        case AllowEgress() | AllowSystemRegistry():
            return replace(world, registry=allowed(world.registry, change))
        case _:
            assert_never(change)


def _network_of(world: World, endpoint: ResourceId) -> tuple[Network, PrivateEndpoint]:
    return next(
        (network, found)
        for network in world.policy.networks
        for found in world.registry.network(network.name).endpoints
        if found.id == endpoint
    )


def _with_zone(world: World, zone: Zone) -> World:
    registry = world.registry
    for network in world.policy.networks:
        if network.dns.zones_resource_group == zone.id.group:
            zones = {**registry.network(network.name).zones, zone.id.name: zone}
            registry = with_view(registry, network.name, zones=zones)
    return replace(world, registry=registry)


def _zone(world: World, zone: ResourceId) -> Zone:
    """A zone that exists; asking for another one means that the plan's order is wrong."""
    network = next(n for n in world.policy.networks if n.dns.zones_resource_group == zone.group)
    found = world.registry.network(network.name).zones[zone.name]
    assert found.exists
    return found


def _with_link(world: World, change: LinkZone) -> World:
    zone = _zone(world, change.zone)
    link = ZoneLink(id=change.link, network=change.network, state="Completed")
    return _with_zone(world, replace(zone, links=(*(zone.links or ()), link)))


def _created(world: World, change: CreateEndpoint) -> World:
    if change.repair and change.endpoint.key in world.stubborn:
        return world
    wish = next(wish for wish in wanted(world.registry, world.policy) if wish.id == change.endpoint)
    assert (wish.target.id, wish.group, wish.network.subnet) == (change.target, change.group, change.subnet)
    regions = [region.location for region in world.registry.document.regions]
    return _with_endpoint(
        _forgotten(world, change.endpoint), wish.network.name, an_endpoint(wish, addresses=addresses_of(wish, regions))
    )


def _with_endpoint(world: World, network: str, endpoint: PrivateEndpoint) -> World:
    others = [other for other in world.registry.network(network).endpoints if other.id != endpoint.id]
    return replace(world, registry=with_view(world.registry, network, endpoints=(*others, endpoint)))


def _forgotten(world: World, endpoint: ResourceId) -> World:
    """No target knows a connection of *endpoint* any more."""
    targets = tuple(
        replace(target, connections=tuple(c for c in target.connections if c.endpoint != endpoint))
        for target in world.registry.targets
    )
    document = replace(world.registry.document, target=targets[0])
    return replace(world, registry=replace(world.registry, targets=targets, document=document))


def _deleted(world: World, endpoint: ResourceId) -> World:
    network, _ = _network_of(world, endpoint)
    world = _without_group(_forgotten(world, endpoint), endpoint)
    left = tuple(other for other in world.registry.network(network.name).endpoints if other.id != endpoint)
    return replace(
        world,
        registry=with_view(world.registry, network.name, endpoints=left),
        stubborn=world.stubborn - {endpoint.key},
    )


def _with_group(world: World, endpoint: ResourceId, group: ZoneGroup | None) -> World:
    network, found = _network_of(world, endpoint)
    assert found.state == DONE
    groups = {**world.registry.network(network.name).zone_groups, endpoint.key: group}
    return replace(world, registry=with_view(world.registry, network.name, zone_groups=groups))


def _without_group(world: World, endpoint: ResourceId) -> World:
    """A zone group takes its records with it."""
    network, found = _network_of(world, endpoint)
    for zone, name, ip in _names(world, network, found):
        held = zone.records.get(name)
        if held == (ip,):
            world = _with_record(world, zone.id, name, ())
    groups = {**world.registry.network(network.name).zone_groups, endpoint.key: None}
    registry = with_view(world.registry, network.name, zone_groups=groups)
    return replace(world, registry=registry, stubborn=world.stubborn - {f"names:{endpoint.key}"})


def _recorded(world: World, endpoint: ResourceId, *, anew: bool) -> World:
    """Write what the endpoint's zone group should write; not *anew* adds only what is missing altogether."""
    network, found = _network_of(world, endpoint)
    group = world.registry.network(network.name).zone_groups.get(endpoint.key)
    if group is None or f"names:{endpoint.key}" in world.stubborn:
        return world
    for zone, name, ip in _names(world, network, found):
        if zone.id in group.zones.values() and (anew or name not in zone.records):
            world = _with_record(world, _zone(world, zone.id).id, name, (ip,))
    return world


def _names(world: World, network: Network, endpoint: PrivateEndpoint) -> Iterator[tuple[Zone, str, str]]:
    for zone in list(world.registry.network(network.name).zones.values()):
        suffix = "." + zone.id.name.removeprefix("privatelink.")
        for address in endpoint.addresses or ():
            for fqdn in address.fqdns:
                if fqdn.endswith(suffix) and zone.exists:
                    yield zone, fqdn.removesuffix(suffix), address.ip


def _with_record(world: World, zone: ResourceId, name: str, addresses: tuple[str, ...]) -> World:
    found = _zone(world, zone)
    records = {key: value for key, value in found.records.items() if key != name}
    return _with_zone(world, replace(found, records=records | ({name: addresses} if addresses else {})))


def _closed(world: World, change: ClosePublicAccess) -> World:
    targets = tuple(
        replace(target, access=Access.CLOSED) if target.id == change.target else target
        for target in world.registry.targets
    )
    document = replace(world.registry.document, target=targets[0])
    closed_since = world.now if change.target_kind is TargetKind.REGISTRY else world.closed_since
    return replace(
        world, registry=replace(world.registry, targets=targets, document=document), closed_since=closed_since
    )


# --- resting ----------------------------------------------------------------------------------------------------------


def rest(world: World) -> World:
    """Let ten minutes pass: what is under way ends, and a person approves what awaits approval."""
    registry = world.registry
    targets = tuple(
        replace(target, provisioning=DONE, replicas_pending=(), connections=_confirmed(target.connections))
        for target in registry.targets
    )
    document = replace(registry.document, target=targets[0])
    world = replace(
        world, registry=replace(registry, targets=targets, document=document), now=world.now + timedelta(minutes=10)
    )
    for network in world.policy.networks:
        for zone in list(world.registry.network(network.name).zones.values()):
            links = None if zone.links is None else tuple(replace(link, state="Completed") for link in zone.links)
            world = _with_zone(world, replace(zone, links=links))
        for endpoint in world.registry.network(network.name).endpoints:
            world = _rested(world, network, endpoint)
    return world


def _confirmed(connections: tuple[Connection, ...]) -> tuple[Connection, ...]:
    pending = ConnectionStatus.PENDING
    return tuple(replace(c, status=ConnectionStatus.APPROVED) if c.status is pending else c for c in connections)


def _rested(world: World, network: Network, endpoint: PrivateEndpoint) -> World:
    if endpoint.state.lower() == "deleting":
        return _deleted(world, endpoint.id)
    waits = {ConnectionStatus.PENDING, ConnectionStatus.UNKNOWN}
    connections = tuple(
        replace(c, status=ConnectionStatus.APPROVED) if c.status in waits else c for c in endpoint.connections
    )
    state = DONE if endpoint.state.lower() in UNDER_WAY else endpoint.state
    addresses = endpoint.addresses
    if addresses is None:
        regions = [region.location for region in world.registry.document.regions]
        ours = (wish for wish in wanted(world.registry, world.policy) if wish.target.id == connections[0].target)
        addresses = next(
            addresses_of(wish, regions, endpoint.id) for wish in ours if wish.group in connections[0].groups
        )
    rested = replace(endpoint, state=state, connections=connections, addresses=addresses)
    world = _with_endpoint(world, network.name, rested)
    group = world.registry.network(network.name).zone_groups.get(endpoint.id.key)
    if group is None:
        return world
    if group.state.lower() == "deleting":
        return _without_group(world, endpoint.id)
    finished = group.state.lower() in UNDER_WAY
    groups = {
        **world.registry.network(network.name).zone_groups,
        endpoint.id.key: replace(group, state=DONE) if finished else group,
    }
    world = replace(world, registry=with_view(world.registry, network.name, zone_groups=groups))
    return _recorded(world, endpoint.id, anew=finished)
