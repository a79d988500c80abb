"""What every kind of change does, told from the change and what was seen before it."""

import json
from dataclasses import replace
from types import UnionType
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.audit import MOST_CHARACTERS, Effect, Seen, effect_of, effects_of
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
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.registry import ConnectionStatus, Json, TargetKind
from shared.core.restore import RestoreSettings
from shared.core.security import EndpointPolicy, EndpointPolicyDefinition, SecurityGroup, SecurityRule, WayOut
from shared.core.sharing_view import SharingView
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules, ResourceRule
from tests.core.test_changes import changes
from tests.core.worlds import (
    a_policy,
    a_registry,
    a_zone_group,
    an_endpoint,
    group_id,
    plan_for,
    subnet_id,
    want,
    with_endpoint,
    with_target,
    with_zone_group,
    with_zones,
)

POLICY = a_policy()
NEW = a_registry(POLICY)
WISH = want(NEW, POLICY, "storage")
ENDPOINT = an_endpoint(WISH, status=ConnectionStatus.REJECTED)
SICK = with_endpoint(NEW, WISH, ENDPOINT)
STORAGE = next(target for target in NEW.targets if target.kind is TargetKind.STORAGE)
NSG = group_id("rg-net").resource("Microsoft.Network/networkSecurityGroups", "nsg")
ENDPOINT_POLICY = group_id("rg-net").resource("Microsoft.Network/serviceEndpointPolicies", "sep")
ACCOUNT = group_id("rg-ws").resource("Microsoft.Storage/storageAccounts", "stws")
RULES = (ResourceRule(tenant="t", resource=NEW.id), ResourceRule(tenant="t", resource=ACCOUNT))
DOCUMENTS: list[Json] = [{"tenantId": "t", "resourceId": rule.resource.text} for rule in RULES]
EGRESS = AllowEgress(rule=NSG.child("securityRules", "r"), tag="Storage", protocol="Tcp", ports=("443",), priority=3000)
CREATE = CreateEndpoint(
    endpoint=ENDPOINT.id, location="westeurope", subnet=subnet_id(), target=STORAGE.id, group="blob", tags={}
)
EVERY: tuple[Change, ...] = (
    *plan_for(NEW, POLICY).changes,
    PutZoneGroup(endpoint=ENDPOINT.id, name="default", zones={}),
    DeleteEndpoint(endpoint=ENDPOINT.id),
    DeleteZoneGroup(endpoint=ENDPOINT.id, name="default"),
    ClosePublicAccess(target=STORAGE.id, target_kind=TargetKind.STORAGE),
    EGRESS,
    AllowSystemRegistry(definition=ENDPOINT_POLICY.child("serviceEndpointPolicyDefinitions", "d")),
    AddResourceRules(account=ACCOUNT, rules=RULES),
    RemoveResourceRules(account=ACCOUNT, rules=RULES),
    RestoreSettings(target=STORAGE.id, target_kind=TargetKind.STORAGE, settings={"publicNetworkAccess": "Enabled"}),
)


def effect(change: Change, registry: Any = NEW) -> tuple[Any, Any]:
    found = effect_of(change, Seen(registry=registry), "digest")
    assert found.digest == "digest"
    return found.before, found.after


def kinds_of_changes() -> set[type]:
    union = get_args(Change.__value__)[0]
    assert isinstance(union, UnionType)
    return set(get_args(union))


def test_every_kind_of_change_has_an_effect_and_no_two_sides_of_one_are_equal() -> None:
    assert {type(change) for change in EVERY} == kinds_of_changes()

    for change in EVERY:
        found = effect_of(change, Seen(registry=SICK, targets=SICK.targets))
        assert found.before != found.after, change
        assert found.after, change


@pytest.mark.parametrize("change", EVERY, ids=lambda change: change.kind)
def test_a_change_without_anything_seen_has_an_effect_too(change: Change) -> None:
    assert effect_of(change, Seen()).after


def test_effects_are_found_by_the_keys_of_the_changes() -> None:
    assert effects_of(EVERY, Seen(), "d").keys() == {key_of(change) for change in EVERY}


def test_a_new_endpoint_was_not_there_and_an_ailing_one_is_shown_as_it_was() -> None:
    after = {
        "exists": True,
        "location": "westeurope",
        "subnet": subnet_id().text,
        "target": STORAGE.id.text,
        "group": "blob",
    }
    assert effect(CREATE) == ({"exists": False}, after)
    before, again = effect(replace(CREATE, repair=True), SICK)
    assert again == after
    assert before["exists"]
    assert before["connections"] == [{"target": STORAGE.id.text, "groups": ["blob"], "status": "Rejected"}]
    assert effect(DeleteEndpoint(endpoint=ENDPOINT.id), SICK) == (before, {"exists": False})


def test_a_zone_group_shows_its_zones() -> None:
    group = a_zone_group(WISH)
    known = with_zone_group(SICK, WISH, group)
    zones = {name: zone.text for name, zone in group.zones.items()}
    put = PutZoneGroup(endpoint=ENDPOINT.id, name="default", zones=dict(group.zones))

    assert effect(put, SICK) == ({"exists": False}, {"exists": True, "zones": zones})
    before, after = effect(DeleteZoneGroup(endpoint=ENDPOINT.id, name="default"), known)
    assert (before["zones"], after) == (zones, {"exists": False})


def test_a_broken_link_is_shown_with_its_state() -> None:
    linked = with_zones(NEW, POLICY, link="Failed")
    zone = next(iter(linked.networks[0].zones.values()))
    change = LinkZone(zone=zone.id, link=zone.id.child("virtualNetworkLinks", "l"), network=subnet_id().parent)

    assert effect(change, linked)[0] == {"exists": True, "state": "Failed"}
    assert effect(change) == ({"exists": False}, {"exists": True, "virtualNetwork": subnet_id().parent.text})
    assert effect(CreateZone(zone=zone.id)) == ({"exists": False}, {"exists": True})


def test_closing_changes_one_member_of_the_network_settings_and_shows_the_others() -> None:
    settings: dict[str, Json] = {"publicNetworkAccess": "Enabled", "networkRuleSet": {"defaultAction": "Allow"}}
    registry = with_target(NEW, TargetKind.ACR, network_settings=settings)
    acr = next(target for target in registry.targets if target.kind is TargetKind.ACR)

    change = ClosePublicAccess(target=acr.id, target_kind=TargetKind.ACR)
    assert effect(change, registry) == (settings, settings | {"publicNetworkAccess": "Disabled"})


def test_restoring_shows_the_members_that_it_writes() -> None:
    target = replace(STORAGE, network_settings={"publicNetworkAccess": "Disabled", "other": 1})
    change = RestoreSettings(
        target=STORAGE.id, target_kind=TargetKind.STORAGE, settings={"publicNetworkAccess": "Enabled"}
    )
    found = effect_of(change, Seen(targets=(target,)))

    assert (found.before, found.after) == ({"publicNetworkAccess": "Disabled"}, {"publicNetworkAccess": "Enabled"})


def test_a_security_rule_is_shown_as_it_was_and_as_it_will_be() -> None:
    narrowed = SecurityRule(
        name="R",
        priority=3000,
        outbound=True,
        allows=False,
        protocol="Tcp",
        sources=("*",),
        destinations=("Storage",),
        ports=("80",),
    )
    way = WayOut(nsg=NSG, group=SecurityGroup(id=NSG, rules=(narrowed,)))
    before, after = effect(EGRESS, replace(NEW, ways_out=(way,)))

    assert (before["access"], before["ports"], after["access"], after["ports"]) == ("Deny", ["80"], "Allow", ["443"])
    assert before.keys() == after.keys()
    assert effect(EGRESS)[0] == {"exists": False}


def test_the_definition_of_an_endpoint_policy_is_shown_with_its_resources() -> None:
    definition = EndpointPolicyDefinition(name="D", service="Microsoft.Storage", resources=("/subscriptions/x",))
    way = WayOut(nsg=NSG, policy=EndpointPolicy(id=ENDPOINT_POLICY, definitions=(definition,)))
    change = AllowSystemRegistry(definition=ENDPOINT_POLICY.child("serviceEndpointPolicyDefinitions", "d"))
    before, after = effect(change, replace(NEW, ways_out=(way,)))

    assert before == {"exists": True, "resources": ["/subscriptions/x"]}
    assert after == {"exists": True, "resources": ["/services/Azure/MachineLearning"]}


def test_rules_of_a_storage_account_are_those_that_the_change_concerns_and_nobody_elses() -> None:
    foreign: Json = {"tenantId": "t", "resourceId": "/subscriptions/x/somebody"}
    acls: Json = {"defaultAction": "Allow", "resourceAccessRules": [foreign, DOCUMENTS[0]]}
    settings = {"publicNetworkAccess": "Enabled", "networkAcls": acls}
    registry = replace(NEW, sharing=SharingView(accounts={ACCOUNT: settings}))
    add = AddResourceRules(account=ACCOUNT, rules=RULES)

    assert effect(add, registry) == ({"resourceAccessRules": [DOCUMENTS[0]]}, {"resourceAccessRules": DOCUMENTS})
    before, after = effect(replace(add, select_networks=True), registry)
    assert (before["defaultAction"], after["defaultAction"]) == ("Allow", "Deny")
    assert effect(RemoveResourceRules(account=ACCOUNT, rules=RULES)) == (
        {"resourceAccessRules": DOCUMENTS},
        {"resourceAccessRules": []},
    )


@given(st.lists(changes, max_size=3))
def test_whatever_the_change_its_effect_is_json_of_bounded_length(found: list[Change]) -> None:
    for change in found:
        told = effect_of(change, Seen(registry=SICK))
        assert len(json.dumps(told.before)) <= MOST_CHARACTERS
        assert len(json.dumps(told.after)) <= MOST_CHARACTERS


def test_what_is_too_long_leaves_a_marker_and_the_rest() -> None:
    settings: dict[str, Json] = {"networkAcls": {"ipRules": ["1.2.3.4"] * 2_000}, "publicNetworkAccess": "Enabled"}
    registry = with_target(NEW, TargetKind.STORAGE, network_settings=settings)
    before, after = effect(ClosePublicAccess(target=STORAGE.id, target_kind=TargetKind.STORAGE), registry)

    assert (before["publicNetworkAccess"], after["publicNetworkAccess"]) == ("Enabled", "Disabled")
    assert "characters of JSON" in before["networkAcls"]["truncated"]
    flood = Seen(registry=with_target(NEW, TargetKind.STORAGE, network_settings={f"n{i}": "x" for i in range(999)}))
    told = effect_of(ClosePublicAccess(target=STORAGE.id, target_kind=TargetKind.STORAGE), flood)
    assert told.before.keys() == {"truncated"}
    assert told == Effect(before=told.before, after=told.after)
