"""Somebody else's endpoint that serves several groups of one account at once: adopted as a whole, named once."""

from dataclasses import replace

from shared.core.changes import CreateEndpoint, PutZoneGroup
from shared.core.lockdown import Memory
from shared.core.plan import Plan, guard
from shared.core.planner import approved_endpoints, make_plan
from shared.core.policy import IsolationPolicy
from shared.core.registry import EndpointConnection, PrivateEndpoint, Registry
from tests.core.worlds import (
    NOW,
    ZONES,
    a_policy,
    a_registry,
    addresses_of,
    an_endpoint,
    names_of,
    only,
    wanted,
    with_endpoint,
    with_records,
    with_zones,
)

BOTH = a_policy(targets=only("storage") | {"storage": {"subresources": ["blob", "dfs"]}})
BLOB_ONLY = a_policy(targets=only("storage"))
BLOB, DFS = wanted(a_registry(BOTH), BOTH)


def theirs() -> PrivateEndpoint:
    one = an_endpoint(BLOB, name="somebodys")
    (connection,) = one.connections
    groups = EndpointConnection(target=connection.target, groups=("blob", "DFS"), status=connection.status)
    addresses = (*addresses_of(BLOB, endpoint=one.id), *addresses_of(DFS, endpoint=one.id))
    return replace(one, connections=(groups,), addresses=addresses)


def registry_with(endpoint: PrivateEndpoint, policy: IsolationPolicy) -> Registry:
    return with_endpoint(with_zones(a_registry(policy), policy), BLOB, endpoint)


def plan_for(registry: Registry, policy: IsolationPolicy) -> Plan:
    plan = make_plan(registry, policy, ZONES, Memory(now=NOW))
    return guard(plan, limit=60, closing_needs_verification=True, healthy=approved_endpoints(registry))


def test_an_endpoint_that_serves_two_groups_gets_one_zone_group_with_the_zones_of_both() -> None:
    plan = plan_for(registry_with(theirs(), BOTH), BOTH)

    assert plan.blocks == ()
    assert [change for change in plan.changes if isinstance(change, CreateEndpoint)] == []
    (put,) = (change for change in plan.changes if isinstance(change, PutZoneGroup))
    assert {zone.name for zone in put.zones.values()} == {*ZONES["blob"], *ZONES["dfs"]}


def test_once_the_names_of_both_groups_resolve_the_gate_is_open() -> None:
    registry = registry_with(theirs(), BOTH)
    for wish in (BLOB, DFS):
        own = replace(theirs(), addresses=addresses_of(wish, endpoint=theirs().id))
        registry = with_records(registry, wish, own)

    assert plan_for(registry, BOTH).verified


def test_names_of_a_group_that_the_policy_does_not_ask_for_hold_nothing_up() -> None:
    registry = registry_with(theirs(), BLOB_ONLY)
    blob = replace(theirs(), addresses=addresses_of(BLOB, endpoint=theirs().id))

    plan = plan_for(with_records(registry, BLOB, blob), BLOB_ONLY)

    assert plan.verified
    assert plan.blocks == ()


def test_a_name_of_our_own_endpoint_that_no_zone_serves_is_still_told() -> None:
    (wish,) = wanted(a_registry(BLOB_ONLY), BLOB_ONLY)
    addresses = (*addresses_of(BLOB), *addresses_of(DFS, endpoint=BLOB.id))
    registry = registry_with(an_endpoint(wish, addresses=addresses), BLOB_ONLY)

    assert "NameWithoutZone" in names_of(plan_for(registry, BLOB_ONLY).blocks)
