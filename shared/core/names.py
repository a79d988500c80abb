"""
What private DNS lacks so that every name of a registry's endpoints resolves privately.

Zones live where the policy says, are made only if the policy allows, and are linked to the network if it asks. Each
endpoint has one zone group. Records that do not come although the zone group says Succeeded are waited for once, then
the group is put again, then deleted and made anew, which is put again once too, then a person is asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from shared.core import dns
from shared.core.arm import ResourceId
from shared.core.changes import Change, CreateEndpoint, CreateZone, DeleteZoneGroup, LinkZone, PutZoneGroup, key_of
from shared.core.endpoints import Standing
from shared.core.naming import ZONE_GROUP_NAME, link_name, zone_config_name
from shared.core.plan import Wait
from shared.core.policy import Network
from shared.core.registry import ZONE_TYPE, NetworkView, PrivateEndpoint, Registry, ZoneGroup
from shared.core.report import Finding, Reason, Severity

_LINK_DELAY = timedelta(seconds=15)
_RECORD_DELAY = timedelta(seconds=10)
_FOREIGN_DNS_DELAY = timedelta(minutes=1)
_FOREIGN_DNS_LOOKS = 30
_RECLAIMS = 3
_IN_PROGRESS = {"updating", "creating", "deleting"}


@dataclass(slots=True, kw_only=True)
class NamesPlan:
    """What the names of one network need; *ready* while nothing was found missing, *absent* zones nobody may create."""

    ready: bool = True
    changes: list[Change] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    blocks: list[Reason] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    sound: list[str] = field(default_factory=list)
    absent: set[ResourceId] = field(default_factory=set)

    def wait(self, name: str, sentence: str, resource: ResourceId, delay: timedelta) -> None:
        """Note something to wait for."""
        self.ready = False
        self.waits.append(Wait(reason=Reason(name=name, sentence=sentence, resource=resource.text), delay=delay))

    def block(self, name: str, sentence: str, resource: ResourceId) -> None:
        """Note something that a person must do."""
        self.ready = False
        self.blocks.append(Reason(name=name, sentence=sentence, resource=resource.text))

    def change(self, change: Change) -> None:
        """Note a write."""
        self.ready = False
        self.changes.append(change)


def zone_names(group: str, registry: Registry, table: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Zones that the target says its *group* needs, else what the cloud's table says; lower case."""
    required = tuple(name.lower() for name in registry.required_zones.get(group, ()) if dns.is_zone_name(name))
    return required or table.get(group, ())


def zone_findings(registry: Registry, table: Mapping[str, tuple[str, ...]]) -> tuple[Finding, ...]:
    """Say where Azure asks for other zones than the table knows."""
    return tuple(
        Finding(
            code="dns-zone-unexpected",
            severity=Severity.WARNING,
            sentence=f"Azure asks for zone {', '.join(names)} for group {group}, where {', '.join(table[group])} was expected.",
            resource=registry.id,
        )
        for group, names in sorted(registry.required_zones.items())
        if group in table and {name.lower() for name in names} != set(table[group])
    )


def zone_ids(network: Network, names: Iterable[str]) -> dict[str, ResourceId]:
    """Zone name to the zone's id where the policy says zones live; empty when it does not say."""
    home = network.dns.zones_resource_group
    return {} if home is None else {name: home.resource(ZONE_TYPE, name) for name in names}


def foreign_zone_groups(view: NetworkView, zones: Iterable[ResourceId]) -> frozenset[ResourceId]:
    """Endpoints whose zone group serves other zones than ours; changing those would break somebody else's names."""
    wanted = set(zones)
    return frozenset(
        endpoint.id
        for endpoint in view.endpoints
        if (group := view.zone_groups.get(endpoint.id.key)) is not None
        and group.zones
        and not wanted & set(group.zones.values())
    )


def plan_names(
    network: Network,
    view: NetworkView,
    standings: Sequence[Standing],
    registry: Registry,
    table: Mapping[str, tuple[str, ...]],
    repairs: Mapping[str, int],
) -> NamesPlan:
    """Plan zones, links and zone groups of one network for the endpoints in *standings*."""
    plan = NamesPlan()
    names_by_group = {
        standing.wanted.group: zone_names(standing.wanted.group, registry, table) for standing in standings
    }
    zones = zone_ids(network, sorted({name for names in names_by_group.values() for name in names}))
    if network.dns.manage:
        for zone in zones.values():
            _plan_zone(plan, network, view, zone)
    for standing, groups in _by_endpoint(standings):
        names = tuple(dict.fromkeys(name for group in groups for name in names_by_group[group]))
        theirs = _serves_more(standing.endpoint, groups)
        homes = {name: zones[name] for name in names if name in zones}
        _plan_endpoint(plan, network, view, standing, homes, names, repairs, theirs=theirs)
    return plan


def _serves_more(endpoint: PrivateEndpoint | None, groups: Iterable[str]) -> bool:
    """It also leads to groups that the policy does not ask for, so some of its names are its owner's business."""
    known = {group.lower() for group in groups}
    connections = endpoint.connections if endpoint else ()
    return any(group.lower() not in known for connection in connections for group in connection.groups)


def _by_endpoint(standings: Iterable[Standing]) -> Iterable[tuple[Standing, tuple[str, ...]]]:
    """Each endpoint once, with the groups it serves: another's may serve several, and has one zone group for all."""
    found: dict[ResourceId, tuple[Standing, tuple[str, ...]]] = {}
    for standing in standings:
        key = standing.endpoint.id if standing.endpoint else standing.wanted.id
        first, groups = found.get(key, (standing, ()))
        found[key] = (first, (*groups, standing.wanted.group))
    return found.values()


def _plan_zone(plan: NamesPlan, network: Network, view: NetworkView, zone: ResourceId) -> None:
    seen = view.zones.get(zone.name.lower())
    create = CreateZone(zone=zone)
    exists = seen is not None and seen.exists
    if not exists and not network.dns.create_zones:
        plan.absent.add(zone)
        plan.block(
            "ZoneMissing",
            f"Private DNS zone {zone.name} does not exist in {zone.resource_group}. Create it, or allow the app to with "
            f"dns.create_zones of network {network.name} in the policy.",
            zone,
        )
        return
    if not exists:
        plan.change(create)
    if not network.dns.link_vnet:
        return
    link = dns.linked(seen, network.vnet_id) if seen is not None and exists else None
    if link is None:
        plan.change(
            LinkZone(
                zone=zone,
                link=zone.child("virtualNetworkLinks", link_name(network.vnet_id)),
                network=network.vnet_id,
                depends_on=() if exists else (key_of(create),),
            )
        )
    elif not link:
        plan.wait("LinkInProgress", f"Zone {zone.name} is being linked to {network.vnet_id.name}.", zone, _LINK_DELAY)


def _plan_endpoint(
    plan: NamesPlan,
    network: Network,
    view: NetworkView,
    standing: Standing,
    zones: Mapping[str, ResourceId],
    names: tuple[str, ...],
    repairs: Mapping[str, int],
    *,
    theirs: bool,
) -> None:
    """Plan one endpoint's names; *theirs*: some that no zone of ours serves may be somebody else's."""
    if standing.endpoint is None:
        plan.ready = False
        if network.dns.manage and isinstance(standing.change, CreateEndpoint) and not standing.change.repair:
            _put_group(plan, standing.change.endpoint, ZONE_GROUP_NAME, zones, after=(key_of(standing.change),))
        return
    endpoint = standing.endpoint
    records, homeless = dns.expected_records(endpoint, names)
    if theirs and records:
        homeless = ()
    for fqdn in homeless:
        plan.block(
            "NameWithoutZone",
            f"{fqdn} of private endpoint {endpoint.id.name} belongs to none of the zones {', '.join(names)}; the app does "
            "not know which private DNS zone should answer it.",
            endpoint.id,
        )
    if not records:
        if not homeless:
            plan.wait("NamesUnknown", f"{endpoint.id.name} does not say its names yet.", endpoint.id, _RECORD_DELAY)
        return
    group = view.zone_groups.get(endpoint.id.key)
    if zones:
        missing = dns.missing_in_zones(records, view.zones)
    else:
        missing = dns.missing_in_report(records, group.records if group else {})
    key = repair_key(endpoint.id)
    if not missing:
        plan.sound.append(key)
    elif network.dns.manage:
        own = endpoint.id == standing.wanted.id
        _repair_group(plan, endpoint, group, zones, missing, repairs, own=own)
    else:
        _await_foreign_dns(plan, network, endpoint, missing, repairs.get(key, 0))


def repair_key(endpoint: ResourceId) -> str:
    """Under which the repairs of the names of *endpoint* are counted."""
    return f"names:{endpoint.key}"


def _repair_group(
    plan: NamesPlan,
    endpoint: PrivateEndpoint,
    group: ZoneGroup | None,
    zones: Mapping[str, ResourceId],
    missing: Sequence[dns.ExpectedRecord],
    repairs: Mapping[str, int],
    *,
    own: bool,
) -> None:
    """Repair a zone group; another's one keeps what else it holds and is never deleted."""
    key = repair_key(endpoint.id)
    if plan.absent & set(zones.values()):  # no record can come before somebody makes the zone
        return
    if group is None:
        _put_group(plan, endpoint.id, ZONE_GROUP_NAME, zones)
        return
    if group.state.lower() in _IN_PROGRESS:
        plan.wait(
            "ZoneGroupInProgress", f"The zone group of {endpoint.id.name} is {group.state}.", endpoint.id, _RECORD_DELAY
        )
        return
    kept = {} if own else group.zones
    if not set(zones.values()) <= set(group.zones.values()):
        _reclaim_group(plan, endpoint, group, zones, kept, repairs.get(_contest_key(endpoint), 0))
        return
    plan.broken.append(key)
    what = ", ".join(record.fqdn for record in missing)
    match repairs.get(key, 0):
        case 0:
            plan.wait("RecordsMissing", f"{what} has no right record yet.", endpoint.id, _RECORD_DELAY)
        case 1:
            _put_group(plan, endpoint.id, group.name, zones, kept=kept)
        case 3 if own:  # what was made anew gets another chance as well
            _put_group(plan, endpoint.id, group.name, zones)
        case 2 if own:
            plan.change(DeleteZoneGroup(endpoint=endpoint.id, name=group.name))
        case _:
            plan.block(
                "RecordsMissing",
                f"{what} does not resolve to private endpoint {endpoint.id.name}, although its zone group was put again"
                f"{' and made anew' if own else ''}. Look for a record of the same name that somebody else owns in "
                f"{', '.join(zone.text for zone in zones.values())}.",
                endpoint.id,
            )


def _reclaim_group(
    plan: NamesPlan,
    endpoint: PrivateEndpoint,
    group: ZoneGroup,
    zones: Mapping[str, ResourceId],
    kept: Mapping[str, ResourceId],
    seen: int,
) -> None:
    """
    Give a zone group our zones again, but not for ever: somebody else may take them out each time.

    The count ends when the registry converges; a contest is never sound in between, so no key of it is reported as such.
    """
    plan.broken.append(_contest_key(endpoint))
    if seen < _RECLAIMS:
        _put_group(plan, endpoint.id, group.name, zones, kept=kept)
        return
    plan.block(
        "ZoneGroupContested",
        f"The zone group {group.name} of private endpoint {endpoint.id.name} was given {', '.join(sorted(zones))} "
        f"{_RECLAIMS} times and does not keep it. Find who writes it (often an Azure Policy that deploys zone groups) and "
        "exempt the endpoint there, or set dns.manage to false for this network in the policy.",
        endpoint.id,
    )


def _contest_key(endpoint: PrivateEndpoint) -> str:
    return f"zones:{endpoint.id.key}"


def _await_foreign_dns(
    plan: NamesPlan, network: Network, endpoint: PrivateEndpoint, missing: Sequence[dns.ExpectedRecord], seen: int
) -> None:
    what = ", ".join(record.fqdn for record in missing)
    plan.broken.append(repair_key(endpoint.id))
    if seen < _FOREIGN_DNS_LOOKS:
        plan.wait(
            "RecordsMissing", f"{what} has no record yet; DNS is managed elsewhere.", endpoint.id, _FOREIGN_DNS_DELAY
        )
        return
    plan.block(
        "RecordsMissing",
        f"{what} has no record for private endpoint {endpoint.id.name}. DNS of network {network.name} is managed elsewhere "
        "(dns.manage is false): attach a private DNS zone group, or let the app manage it.",
        endpoint.id,
    )


def _put_group(
    plan: NamesPlan,
    endpoint: ResourceId,
    name: str,
    zones: Mapping[str, ResourceId],
    after: tuple[str, ...] = (),
    kept: Mapping[str, ResourceId] = MappingProxyType({}),
) -> None:
    """Put zone group *name* with *zones* and whatever it is to keep."""
    if plan.absent & set(zones.values()):
        return
    created = {key_of(change) for change in plan.changes if isinstance(change, CreateZone)}
    before = tuple(key for zone in zones.values() if (key := key_of(CreateZone(zone=zone))) in created)
    held = set(kept.values())
    configs = {zone_config_name(zone.name): zone for zone in zones.values() if zone not in held}
    plan.change(PutZoneGroup(endpoint=endpoint, name=name, zones={**kept, **configs}, depends_on=(*after, *before)))
