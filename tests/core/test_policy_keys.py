"""
Every key of the policy changes something that a test sees.

Most keys change what the planner makes of one and the same world: for those, a pair of policies that differ in nothing
else. What the engine does over time (modes, deletion, rollback) is named with the story that shows it.
"""

import re
import typing
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from shared.core.egress import plan_egress
from shared.core.errors import InvalidPolicy
from shared.core.lockdown import Memory
from shared.core.plan import Part, Plan
from shared.core.planner import make_plan, serving_networks
from shared.core.policy import IsolationPolicy
from shared.core.policy_values import WORKSPACE_TYPE
from shared.core.registry import STORAGE_TYPE, Access, Registry, TargetKind
from shared.core.remarks import plan_remarks
from shared.core.security import EndpointPolicy, SecurityGroup, WayOut
from shared.core.sharing import plan_sharing
from shared.core.sharing_view import SharingView, Workspace
from tests.core.worlds import (
    NOW,
    SUB,
    ZONES,
    a_network,
    a_policy,
    a_registry,
    a_view,
    closed,
    group_id,
    private,
    subnet_id,
    with_target,
)

ROOT = Path(__file__).parents[2]
NSG, OTHER_NSG = (group_id("rg-hub").resource("Microsoft.Network/networkSecurityGroups", name) for name in ("a", "b"))
SEP = group_id("rg-hub").resource("Microsoft.Network/serviceEndpointPolicies", "sep")
WORKSPACE = group_id("rg-ws").resource(WORKSPACE_TYPE, "ws")
ACCOUNT, OTHER = (group_id("rg-ws").resource(STORAGE_TYPE, name) for name in ("stws", "stother"))
RULES: dict[str, Any] = {"publicNetworkAccess": "Disabled", "networkAcls": {"defaultAction": "Deny"}}

type Document = dict[str, Any]
type Look = Callable[[IsolationPolicy], object]


def keys(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Keys that hold a value; a section is there for what is in it."""
    for name, field in model.model_fields.items():
        parts = [
            part
            for part in (field.annotation, *typing.get_args(field.annotation))
            if isinstance(part, type) and issubclass(part, BaseModel)
        ]
        for part in parts:
            yield from keys(part, f"{before}{name}.")
        if not parts:
            yield before + name


# --- looks: one world, seen through a policy --------------------------------------------------------------------------


def planned(registry: Registry, policy: IsolationPolicy, **memory: Any) -> Plan:
    views = tuple(registry.network(network.name) for network in serving_networks(registry, policy))
    known = tuple(
        view if view.subnet else a_view(network)
        for view, network in zip(views, serving_networks(registry, policy), strict=True)
    )
    return make_plan(replace(registry, networks=known), policy, ZONES, Memory(now=NOW, **memory))


def new(policy: IsolationPolicy) -> object:
    return planned(a_registry(a_policy(), regions=("westeurope",)), policy)


def unlinked(policy: IsolationPolicy) -> object:
    """Nothing is there yet; what is made for names, by kind."""
    return [change.kind for change in planned(a_registry(a_policy()), policy).changes]


def ready(policy: IsolationPolicy) -> object:
    base = a_policy()
    return planned(private(a_registry(base), base), policy).changes


def half_closed(policy: IsolationPolicy) -> object:
    base = a_policy()
    registry = closed(private(a_registry(base), base), TargetKind.REGISTRY)
    return planned(registry, policy, closed_since=NOW - timedelta(minutes=20)).changes


def scope(policy: IsolationPolicy) -> object:
    return policy.in_scope(a_registry(a_policy()).id, {"env": "dev"})


def sharing(policy: IsolationPolicy) -> object:
    settings = {"networkAcls": {"defaultAction": "Deny"}, "publicNetworkAccess": "Disabled"}
    registry = with_target(a_registry(a_policy()), TargetKind.STORAGE, network_settings=settings, access=Access.CLOSED)
    view = SharingView(
        tenant=SUB,
        workspaces=(Workspace(id=WORKSPACE, storage_account=ACCOUNT),),
        accounts={ACCOUNT: RULES, OTHER: RULES},
    )
    return plan_sharing(replace(registry, sharing=view), policy, Memory(now=NOW))


def egress(policy: IsolationPolicy) -> Part:
    ways = tuple(
        WayOut(nsg=nsg, group=SecurityGroup(id=nsg), policy=EndpointPolicy(id=SEP)) for nsg in (NSG, OTHER_NSG)
    )
    return plan_egress(replace(closed(a_registry(a_policy())), ways_out=ways), policy)


def exemptions(policy: IsolationPolicy) -> object:
    registry = a_registry(a_policy())
    on = NOW.date()
    return policy.exempt_targets(registry.id, on=on), plan_remarks(registry, policy, Memory(now=NOW))


# --- pairs ------------------------------------------------------------------------------------------------------------


def network(**changed: Any) -> Document:
    return {"networks": [{**a_network(), **changed}]}


def dns(**changed: Any) -> Document:
    return network(dns={**a_network()["dns"], **changed})


def target(kind: str, **changed: Any) -> Document:
    return {"targets": {kind: changed}}


def entry(section: str, **changed: Any) -> Document:
    whole: dict[str, Document] = {
        "sharing": {"registries": ["*"], "workspaces": [WORKSPACE.text]},
        "egress": {"registries": ["*"], "nsg": NSG.text},
        "exemptions": {"registry": "*", "reason": "Why", "owner": "Who", "expires": "2026-12-31"},
    }
    return {section: [{**whole[section], **changed}]}


def scoped(**changed: Any) -> Document:
    return {"scope": {"subscriptions": [SUB], **changed}}


ELSEWHERE = "99999999-2222-4333-8444-555555555555"
PAIRS: dict[str, tuple[Look, Document, Document]] = {
    "scope.subscriptions": (scope, {}, scoped(subscriptions=[ELSEWHERE])),
    "scope.registries.include": (scope, {}, scoped(registries={"include": ["beta"]})),
    "scope.registries.exclude": (scope, {}, scoped(registries={"exclude": ["alpha"]})),
    "scope.tags.include": (scope, {}, scoped(tags={"include": {"env": "prod"}})),
    "scope.tags.exclude": (scope, {}, scoped(tags={"exclude": {"env": "dev"}})),
    "networks.subnet": (new, network(), network(subnet=subnet_id("spoke").text)),
    "networks.endpoints_resource_group": (new, network(), network(endpoints_resource_group=group_id("rg-pe").text)),
    "networks.serves.registries": (new, network(), network(serves={"registries": ["beta"]})),
    "networks.serves.regions": (new, network(), network(serves={"regions": ["eastus"]})),
    "networks.dns.manage": (unlinked, network(), network(dns={"manage": False})),
    "networks.dns.zones_resource_group": (new, dns(), dns(zones_resource_group=group_id("rg-other").text)),
    "networks.dns.create_zones": (unlinked, dns(), dns(create_zones=False)),
    "networks.dns.link_vnet": (unlinked, dns(), dns(link_vnet=False)),
    **{f"targets.{kind}.endpoint": (new, {}, target(kind, endpoint=False)) for kind in ("registry", "storage", "acr")},
    "targets.registry.public_access": (ready, {}, target("registry", public_access="keep")),
    "targets.storage.public_access": (half_closed, {}, target("storage", public_access="keep")),
    "targets.acr.public_access": (half_closed, {}, target("acr", public_access="keep")),
    "targets.storage.subresources": (new, {}, target("storage", subresources=["blob", "dfs"])),
    "targets.storage.allow_resource_instances": (
        sharing,
        {},
        target("storage", allow_resource_instances=[WORKSPACE.text]),
    ),
    "lockdown.when": (new, {}, {"lockdown": {"when": "immediately"}}),
    "lockdown.propagation_minutes": (half_closed, {}, {"lockdown": {"propagation_minutes": 60}}),
    "sharing.registries": (sharing, entry("sharing"), entry("sharing", registries=["beta"])),
    "sharing.workspaces": (
        sharing,
        entry("sharing", storage_accounts=[OTHER.text]),
        entry("sharing", storage_accounts=[OTHER.text], workspaces=[]),
    ),
    "sharing.storage_accounts": (sharing, entry("sharing"), entry("sharing", storage_accounts=[OTHER.text])),
    "sharing.public_access": (sharing, entry("sharing"), entry("sharing", public_access="selected-networks")),
    "egress.registries": (egress, entry("egress"), entry("egress", registries=["beta"])),
    "egress.nsg": (egress, entry("egress"), entry("egress", nsg=OTHER_NSG.text)),
    "egress.service_endpoint_policy": (egress, entry("egress"), entry("egress", service_endpoint_policy=SEP.text)),
    "egress.mode": (egress, entry("egress"), entry("egress", mode="enforce")),
    "egress.priority_from": (
        egress,
        entry("egress", mode="enforce"),
        entry("egress", mode="enforce", priority_from=200),
    ),
    "exemptions.registry": (exemptions, entry("exemptions"), entry("exemptions", registry="beta")),
    "exemptions.targets": (exemptions, entry("exemptions"), entry("exemptions", targets=["acr"])),
    "exemptions.reason": (exemptions, entry("exemptions"), entry("exemptions", reason="Other")),
    "exemptions.owner": (exemptions, entry("exemptions"), entry("exemptions", owner="Else")),
    "exemptions.expires": (exemptions, entry("exemptions"), entry("exemptions", expires="2026-01-04")),
}

STORIES = {
    "mode": ("scenarios/test_findings.py", "test_audit_tells_the_plan_and_the_findings_and_writes_nothing"),
    "networks.name": ("core/test_policy_keys.py", "test_a_network_is_told_by_its_name"),
    "version": ("core/test_policy_keys.py", "test_another_version_is_refused"),
    "limits.changes_per_registry": ("engine/test_reconcile_scope.py", "changes_per_registry"),
    "limits.registries_per_sweep": ("engine/test_sweep_limits.py", "test_one_sweep_hands_over_no_more_than_its_limit"),
    "lockdown.rollback_on_failure": ("scenarios/test_rollback.py", "rollback_on_failure"),
    "deletion.grace_minutes": ("scenarios/test_deletion.py", "grace_minutes"),
    "deletion.endpoints": ("scenarios/test_deletion.py", '"endpoints": False'),
    "deletion.resource_rules": ("scenarios/test_sharing_deletion.py", "resource_rules"),
}


@pytest.mark.parametrize("key", PAIRS)
def test_a_key_changes_what_is_seen(key: str) -> None:
    look, one, other = PAIRS[key]

    assert look(policy_of(one)) == look(policy_of(one))
    assert look(policy_of(one)) != look(policy_of(other))


@pytest.mark.parametrize("key", STORIES)
def test_a_key_that_works_over_time_has_its_story(key: str) -> None:
    file, words = STORIES[key]

    assert words in (ROOT / "tests" / file).read_text()


def test_no_key_is_left_without_a_proof() -> None:
    assert sorted(keys(IsolationPolicy)) == sorted({*PAIRS, *STORIES})


def test_a_network_is_told_by_its_name() -> None:
    policy = a_policy(a_network("north"), a_network("south"))
    sentences = [block.sentence for block in planned(a_registry(policy), policy).blocks]

    assert any("Networks north and south" in sentence for sentence in sentences)


def test_another_version_is_refused() -> None:
    with pytest.raises(InvalidPolicy, match=re.escape("version")):
        a_policy(version=2)


def policy_of(document: Document) -> IsolationPolicy:
    networks = document.get("networks", [a_network()])
    return a_policy(*networks, **{name: value for name, value in document.items() if name != "networks"})
