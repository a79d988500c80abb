"""
Planner cases are JSON files: what was observed, what the policy asks, what the plan must say.

    from          new | zones | private | isolated: how far the registry is before *facts* change it
    facts         what is different, each of one kind of target, in one network
    changes, waits, blocks, verified, says      the plan
    ends          where planning comes to rest when a perfect Azure obeys
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

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
from shared.core.endpoints import WantedEndpoint
from shared.core.policy import IsolationPolicy
from shared.core.registry import Access, ConnectionStatus, Registry
from shared.core.restore import RestoreSettings
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules
from tests.core.perfect_azure import World
from tests.core.worlds import (
    NOW,
    ZONES,
    a_network,
    a_policy,
    a_registry,
    a_zone_group,
    an_endpoint,
    closed,
    private,
    refused_by_target,
    subnet_id,
    want,
    wanted,
    with_endpoint,
    with_record,
    with_target,
    with_view,
    with_zone_group,
    with_zones,
)

CASES = sorted((Path(__file__).parent / "cases" / "planner").glob("*.json"))


# --- reading a case ---------------------------------------------------------------------------------------------------


def _endpoint(registry: Registry, wish: WantedEndpoint, said: dict[str, Any]) -> Registry:
    changed: dict[str, Any] = {key: said[key] for key in ("state", "name") if key in said}
    if "subnet" in said:
        changed["subnet"] = subnet_id("hub", said["subnet"])
    if "status" in said:
        changed["status"] = ConnectionStatus(said["status"])
    registry = with_endpoint(registry, wish, an_endpoint(wish, **changed))
    if "zone group in" in said:
        endpoint = an_endpoint(wish, **changed)
        registry = with_zone_group(registry, wish, a_zone_group(wish, home=said["zone group in"]), of=endpoint.id.key)
    return registry


def _absent(registry: Registry, wish: WantedEndpoint, _said: dict[str, Any]) -> Registry:
    left = tuple(endpoint for endpoint in registry.network(wish.network.name).endpoints if endpoint.id != wish.id)
    return with_view(registry, wish.network.name, endpoints=left)


def _record(registry: Registry, wish: WantedEndpoint, said: dict[str, Any]) -> Registry:
    registry = with_record(registry, wish.network.name, ZONES[wish.group][0], wish.target.id.name, *said["addresses"])
    return with_zone_group(registry, wish, a_zone_group(wish, said.get("zone group", "Succeeded")))


def _refused(registry: Registry, wish: WantedEndpoint, said: dict[str, Any]) -> Registry:
    return refused_by_target(registry, wish, ConnectionStatus(said["status"]))


def _subnet(registry: Registry, wish: WantedEndpoint, said: dict[str, Any]) -> Registry:
    if "problem" in said:
        return with_view(registry, wish.network.name, subnet=None, subnet_problem=said["problem"])
    subnet = registry.network(wish.network.name).subnet
    assert subnet is not None
    members = {name.replace(" ", "_"): value for name, value in said.items() if name not in {"fact", "of", "network"}}
    return with_view(registry, wish.network.name, subnet=replace(subnet, **members))


def _target(registry: Registry, wish: WantedEndpoint, said: dict[str, Any]) -> Registry:
    changed = {name: value for name, value in said.items() if name not in {"fact", "of"}}
    if "replicas_pending" in changed:
        changed["replicas_pending"] = tuple(changed["replicas_pending"])
    if "access" in changed:
        changed["access"] = Access(changed["access"])
    return with_target(registry, wish.target.kind, **changed)


def _closed(registry: Registry, wish: WantedEndpoint, _said: dict[str, Any]) -> Registry:
    return closed(registry, wish.target.kind)


FACTS: dict[str, Callable[[Registry, WantedEndpoint, dict[str, Any]], Registry]] = {
    "endpoint": _endpoint,
    "no endpoint": _absent,
    "record": _record,
    "target refuses": _refused,
    "subnet": _subnet,
    "target": _target,
    "closed": _closed,
}


def policy_of(case: dict[str, Any]) -> IsolationPolicy:
    asked = dict(case.get("policy", {}))
    networks = [a_network(**network) for network in asked.pop("networks", [{"name": "hub"}])]
    return a_policy(networks=networks, **asked)


def world_of(case: dict[str, Any]) -> World:
    policy = policy_of(case)
    registry = a_registry(policy, **case.get("registry", {}))
    match case["from"]:
        case "new":
            pass
        case "zones":
            registry = with_zones(registry, policy)
        case "private":
            registry = private(registry, policy)
        case "isolated":
            registry = closed(private(registry, policy))
    for said in case.get("facts", []):
        wish = want(registry, policy, said["of"], said.get("network", "hub"))
        registry = FACTS[said["fact"]](registry, wish, said)
    minutes = case.get("closed minutes ago")
    return World(
        registry=registry,
        policy=policy,
        closed_since=None if minutes is None else NOW - timedelta(minutes=minutes),
        repairs={_key(registry, policy, name): seen for name, seen in case.get("seen before", {}).items()},
        stubborn=frozenset(_key(registry, policy, name) for name in case.get("stubborn", [])),
    )


def _key(registry: Registry, policy: IsolationPolicy, name: str) -> str:
    """The planner's key of an endpoint ("storage") or of its names ("names storage")."""
    key = want(registry, policy, name.removeprefix("names ")).id.key
    return f"names:{key}" if name.startswith("names ") else key


def told(change: Change, world: World) -> str:
    """A change in the words of the cases."""
    own = {wish.id: wish for wish in wanted(world.registry, world.policy)}
    match change:
        case CreateEndpoint():
            wish = own[change.endpoint]
            again = " again" if change.repair else ""
            return f"create-endpoint {wish.network.name} {change.target.name} {change.group}{again}"
        case DeleteEndpoint() | DeleteZoneGroup() | PutZoneGroup() if change.endpoint in own:
            return f"{change.kind} {own[change.endpoint].network.name} {own[change.endpoint].target.id.name}"
        case DeleteEndpoint() | DeleteZoneGroup() | PutZoneGroup():
            return f"{change.kind} {change.endpoint.name}"
        case CreateZone() | LinkZone():
            return f"{change.kind} {change.zone.resource_group} {change.zone.name}"
        case ClosePublicAccess():
            return f"close-public-access {change.target.name}"
        case AllowEgress() | AllowSystemRegistry() | AddResourceRules() | RemoveResourceRules() | RestoreSettings():
            return f"{change.kind} {change.resource.name}"
