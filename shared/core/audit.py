"""
What a change does to the resource it writes, for the history: the members it concerns, before and after.

Derived from the change and from what was read right before the plan was made, never from what was meant. `exists` tells
apart what was not there from what had nothing to say. A change of rules shows the rules it concerns, not everybody
else's. What a change of another resource did in between (a zone that a record needs) has its own line.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    key_of,
)
from shared.core.egress import ALIAS
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.registry import (
    Json,
    NetworkView,
    PrivateEndpoint,
    Registry,
    Target,
    Zone,
    ZoneGroup,
)
from shared.core.restore import ACCESS, RestoreSettings, body_of
from shared.core.security import SecurityRule
from shared.core.storage_rules import (
    AddResourceRules,
    RemoveResourceRules,
    ResourceRule,
    missing_rules,
    selects_networks,
)

type Members = dict[str, Json]
type _OfSettings = (
    ClosePublicAccess | AllowEgress | AllowSystemRegistry | AddResourceRules | RemoveResourceRules | RestoreSettings
)

MOST_CHARACTERS = 4_000
"""Of JSON, per side: a plan of sixty changes must fit into a ledger row beside everything else."""

_ABSENT: Members = {"exists": False}
_RULES = "resourceAccessRules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """
    One change's line in the history, before there is a result.

    Attributes:
        digest: Of the plan that the change belongs to.
        before: As it was seen.
        after: As the change leaves it.
    """

    digest: str = ""
    before: dict[str, Json] = field(default_factory=dict)
    after: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was read: a whole registry, or only some targets (when it is restored or gone)."""

    registry: Registry | None = None
    targets: tuple[Target, ...] = ()

    @property
    def views(self) -> tuple[NetworkView, ...]:
        """The networks, none where no registry was read."""
        return self.registry.networks if self.registry else ()

    def target(self, wanted: ResourceId) -> Target | None:
        """The target *wanted*, if it was read."""
        every = (*self.targets, *(self.registry.targets if self.registry else ()))
        return next((target for target in every if target.id == wanted), None)

    def endpoint(self, wanted: ResourceId) -> PrivateEndpoint | None:
        """The endpoint *wanted*, if it is there."""
        left = self.registry.left_over if self.registry else ()
        listed = (*(endpoint for view in self.views for endpoint in view.endpoints), *left)
        return next((endpoint for endpoint in listed if endpoint.id == wanted), None)

    def zone_group(self, endpoint: ResourceId) -> ZoneGroup | None:
        """The zone group of *endpoint*, if it was read and is there."""
        return next((found for view in self.views if (found := view.zone_groups.get(endpoint.key))), None)

    def zone(self, wanted: ResourceId) -> Zone | None:
        """The zone *wanted*, if it was read."""
        return next((zone for view in self.views for zone in view.zones.values() if zone.id == wanted), None)


def effects_of(changes: Iterable[Change], seen: Seen, digest: str) -> dict[str, Effect]:
    """Change key to effect, for every one of *changes*."""
    return {key_of(change): effect_of(change, seen, digest) for change in changes}


def effect_of(change: Change, seen: Seen, digest: str = "") -> Effect:
    """What *change* does to what was *seen*."""
    before, after = _sides(change, seen)
    return Effect(digest=digest, before=_bounded(before), after=_bounded(after))


def _sides(change: Change, seen: Seen) -> tuple[Members, Members]:
    match change:
        case CreateZone():
            return _ABSENT, {"exists": True}
        case LinkZone():
            return _link(change, seen)
        case CreateEndpoint():
            return _created_endpoint(change, seen)
        case DeleteEndpoint():
            return _endpoint(seen.endpoint(change.endpoint)) or {"exists": True}, _ABSENT
        case PutZoneGroup():
            return _zone_group(seen.zone_group(change.endpoint)), {"exists": True, "zones": _ids(change.zones)}
        case DeleteZoneGroup():
            return _zone_group(seen.zone_group(change.endpoint)) | {"exists": True}, _ABSENT
        case _:
            return _sides_of_settings(change, seen)


def _sides_of_settings(change: _OfSettings, seen: Seen) -> tuple[Members, Members]:
    match change:
        case ClosePublicAccess():
            return _closing(change, seen)
        case AllowEgress():
            return _egress(change, seen)
        case AllowSystemRegistry():
            return _definition(change, seen), {"exists": True, "resources": [ALIAS]}
        case AddResourceRules():
            return _added_rules(change, seen)
        case RemoveResourceRules():
            return {_RULES: _documents(change.rules)}, {_RULES: []}
        case RestoreSettings():
            return _restored(change, seen)
        case _:
            assert_never(change)


# --- one function for each kind that has something to tell ------------------------------------------------------------


def _link(change: LinkZone, seen: Seen) -> tuple[Members, Members]:
    zone = seen.zone(change.zone)
    links = (zone.links or ()) if zone else ()
    present = next((link for link in links if link.network == change.network), None)
    before: Members = {"exists": True, "state": present.state} if present else dict(_ABSENT)
    return before, {"exists": True, "virtualNetwork": change.network.text}


def _created_endpoint(change: CreateEndpoint, seen: Seen) -> tuple[Members, Members]:
    after: Members = {
        "exists": True,
        "location": change.location,
        "subnet": change.subnet.text,
        "target": change.target.text,
        "group": change.group,
    }
    return _endpoint(seen.endpoint(change.endpoint)) or dict(_ABSENT), after


def _endpoint(endpoint: PrivateEndpoint | None) -> Members:
    if endpoint is None:
        return {}
    connections: list[Json] = [
        {"target": each.target.text, "groups": list(each.groups), "status": each.status.value}
        for each in endpoint.connections
    ]
    return {
        "exists": True,
        "state": endpoint.state,
        "subnet": endpoint.subnet.text,
        "connections": connections,
    }


def _zone_group(group: ZoneGroup | None) -> Members:
    return {"exists": True, "state": group.state, "zones": _ids(group.zones)} if group else dict(_ABSENT)


def _closing(change: ClosePublicAccess, seen: Seen) -> tuple[Members, Members]:
    target = seen.target(change.target)
    before: Members = dict(target.network_settings) if target else {}
    return before, before | {ACCESS: "Disabled"}


def _egress(change: AllowEgress, seen: Seen) -> tuple[Members, Members]:
    ways = seen.registry.ways_out if seen.registry else ()
    group = next((way.group for way in ways if way.group and way.group.id == change.rule.parent), None)
    rules = group.rules if group else ()
    present = next((rule for rule in rules if rule.name.lower() == change.rule.name.lower()), None)
    after: Members = {
        "exists": True,
        "priority": change.priority,
        "direction": "Outbound",
        "access": "Allow",
        "protocol": change.protocol,
        "destination": [change.tag],
        "ports": list(change.ports),
    }
    return _security_rule(present) if present else dict(_ABSENT), after


def _security_rule(rule: SecurityRule) -> Members:
    return {
        "exists": True,
        "priority": rule.priority,
        "direction": "Outbound" if rule.outbound else "Inbound",
        "access": "Allow" if rule.allows else "Deny",
        "protocol": rule.protocol,
        "destination": list(rule.destinations),
        "ports": list(rule.ports),
    }


def _definition(change: AllowSystemRegistry, seen: Seen) -> Members:
    ways = seen.registry.ways_out if seen.registry else ()
    policies = (way.policy for way in ways if way.policy and way.policy.id == change.definition.parent)
    listed = (each for policy in policies for each in policy.definitions)
    present = next((each for each in listed if each.name.lower() == change.definition.name.lower()), None)
    return {"exists": True, "resources": list(present.resources)} if present else dict(_ABSENT)


def _added_rules(change: AddResourceRules, seen: Seen) -> tuple[Members, Members]:
    sharing = seen.registry.sharing if seen.registry else None
    settings = sharing.accounts.get(change.account, {}) if sharing else {}
    lacking = {rule.key for rule in missing_rules(settings, change.rules)}
    before: Members = {_RULES: _documents(rule for rule in change.rules if rule.key not in lacking)}
    after: Members = {_RULES: _documents(change.rules)}
    if not change.select_networks or selects_networks(settings):
        return before, after
    acls = settings.get("networkAcls")
    action = acls.get("defaultAction") if isinstance(acls, Mapping) else None
    before |= {ACCESS: settings.get(ACCESS), "defaultAction": action}
    return before, after | {ACCESS: "Enabled", "defaultAction": "Deny"}


def _restored(change: RestoreSettings, seen: Seen) -> tuple[Members, Members]:
    target = seen.target(change.target)
    if target is None:
        return {}, dict(change.settings)
    return {name: target.network_settings.get(name) for name in change.settings}, body_of(target, change)


# --- JSON -------------------------------------------------------------------------------------------------------------


def _ids(zones: Mapping[str, ResourceId]) -> Json:
    return {name: zone.text for name, zone in zones.items()}


def _documents(rules: Iterable[ResourceRule]) -> list[Json]:
    return [{"tenantId": rule.tenant, "resourceId": rule.resource.text} for rule in rules]


def _bounded(members: Members) -> Members:
    """*members*, the longest of them replaced by a marker until the rest is short enough."""
    kept = dict(members)
    while (length := _length(kept)) > MOST_CHARACTERS:
        longest = max(kept, key=lambda name: (_length(kept[name]), name))
        if _marked(kept[longest]):  # only names and markers are left, and of them too many
            return {"truncated": f"{length} characters of JSON were too long for the history."}
        kept[longest] = {"truncated": f"{_length(kept[longest])} characters of JSON were too long for the history."}
    return kept


def _marked(value: Json) -> bool:
    return isinstance(value, dict) and "truncated" in value


def _length(value: Json | Members) -> int:
    return len(json.dumps(value))
