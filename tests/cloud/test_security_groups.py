"""Security groups and service endpoint policies: read without loss, written one rule at a time."""

from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.faults import Fault, FaultKind
from shared.cloud.security_groups import group_of, policy_of, rule_properties
from shared.core.arm import ResourceId
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.errors import ChangedUnderneath, MissingPermission, RegistryIsolationError
from shared.engine.ports import ProgressState
from tests.cloud.rig import Rig

GROUP = "Microsoft.Network/networkSecurityGroups"
POLICY = "Microsoft.Network/serviceEndpointPolicies"


def put(rig: Rig, kind: str, name: str, **properties: Any) -> ResourceId:
    """Make a resource of *kind* in the network's group; gives its id."""
    resource = rig.network_group.resource(kind, name)
    body = {"location": "westeurope", "properties": properties}
    scenery.send(rig.azure, "PUT", resource.text, body, api_version=scenery.NETWORK_API)
    scenery.rest(rig.azure)
    rig.moment = rig.azure.world.now
    return resource


def a_rule(name: str, priority: int, **properties: Any) -> dict[str, Any]:
    shape = {"priority": priority, "direction": "Outbound", "access": "Allow", "protocol": "Tcp"}
    return {"name": name, "properties": shape | properties}


def allow(group: ResourceId, *, priority: int = 3000, name: str = "ours") -> AllowEgress:
    rule = group.child("securityRules", name)
    return AllowEgress(rule=rule, tag="Storage.westeurope", protocol="Tcp", ports=("443",), priority=priority)


def test_single_members_and_lists_of_a_rule_are_one() -> None:
    rules = [
        a_rule("one", 100, destinationAddressPrefix="Storage", destinationPortRange="443", sourceAddressPrefix="*"),
        a_rule("two", 101, destinationAddressPrefixes=["a", "b"], destinationPortRanges=["1", "2-3"], access="Deny"),
        a_rule("three", 102, direction="Inbound", destinationAddressPrefix="", sourcePortRanges=["5"]),
    ]
    group = ResourceId.parse(f"/subscriptions/{'1' * 8}-2222-4333-8444-555555555555/resourceGroups/rg")

    one, two, three = group_of({"properties": {"securityRules": rules, "defaultSecurityRules": rules}}, group).rules

    assert (one.destinations, one.ports, one.sources, one.outbound, one.allows) == (
        ("Storage",),
        ("443",),
        ("*",),
        True,
        True,
    )
    assert (two.destinations, two.ports, two.sources, two.allows) == (("a", "b"), ("1", "2-3"), (), False)
    assert (three.destinations, three.source_ports, three.outbound) == ((), ("5",), False)


def test_documents_without_what_is_expected_are_read_as_empty() -> None:
    resource = ResourceId.parse(f"/subscriptions/{'1' * 8}-2222-4333-8444-555555555555/resourceGroups/rg")

    assert group_of({}, resource).rules == ()
    assert policy_of({"properties": None}, resource).definitions == ()
    (odd,) = group_of(
        {"properties": {"securityRules": [{"name": "x", "properties": {"priority": "high"}}]}}, resource
    ).rules
    assert (odd.priority, odd.outbound, odd.allows) == (0, False, False)


def test_several_ports_go_as_a_list_and_one_alone() -> None:
    resource = ResourceId.parse(f"/subscriptions/{'1' * 8}-2222-4333-8444-555555555555/resourceGroups/rg")
    group = resource.resource(GROUP, "nsg")
    several = AllowEgress(
        rule=group.child("securityRules", "x"), tag="T", protocol="Tcp", ports=("443", "8787"), priority=1
    )

    assert rule_properties(several)["destinationPortRanges"] == ["443", "8787"]
    assert "destinationPortRange" not in rule_properties(several)
    assert rule_properties(allow(group))["destinationPortRange"] == "443"


async def test_a_rule_is_put_beside_the_others_and_tells_when_it_is_there() -> None:
    rig = Rig()
    group = put(rig, GROUP, "nsg", securityRules=[a_rule("theirs", 100, destinationPortRange="80")])

    operation = await rig.started(allow(group))
    assert (await rig.progress(operation)).state is ProgressState.RUNNING
    rig.pass_time(10)

    assert (await rig.progress(operation)).state is ProgressState.SUCCEEDED
    seen = await rig.plane.read_security_group(group)
    assert seen is not None
    assert [(rule.name, rule.priority, rule.ports) for rule in seen.rules] == [
        ("theirs", 100, ("80",)),
        ("ours", 3000, ("443",)),
    ]


async def test_a_rule_may_be_put_again() -> None:
    rig = Rig()
    group = put(rig, GROUP, "nsg")
    await rig.finished(allow(group))

    assert (await rig.finished(allow(group))).state is ProgressState.SUCCEEDED


async def test_a_taken_priority_means_that_the_world_has_changed() -> None:
    rig = Rig()
    group = put(rig, GROUP, "nsg", securityRules=[a_rule("theirs", 3000)])

    with pytest.raises(ChangedUnderneath, match="same Priority"):
        await rig.plane.start(allow(group))


async def test_other_refusals_stay_what_they_are() -> None:
    rig = Rig()
    group = put(rig, GROUP, "nsg")
    rig.azure.faults.add(
        Fault(kind=FaultKind.RESPOND, method="PUT", path="securityRules", status=403, code="LinkedAuthorizationFailed")
    )

    with pytest.raises(MissingPermission):
        await rig.plane.start(allow(group))


async def test_the_alias_is_added_beside_other_definitions() -> None:
    rig = Rig()
    account = f"{rig.network_group.text}/providers/Microsoft.Storage/storageAccounts/own"
    own = {"name": "own", "properties": {"service": "Microsoft.Storage", "serviceResources": [account]}}
    policy = put(rig, POLICY, "sep", serviceEndpointPolicyDefinitions=[own])
    change = AllowSystemRegistry(definition=policy.child("serviceEndpointPolicyDefinitions", "ml"))

    operation = await rig.started(change)
    assert (await rig.progress(operation)).state is ProgressState.RUNNING
    rig.pass_time(10)

    assert (await rig.progress(operation)).state is ProgressState.SUCCEEDED
    seen = await rig.plane.read_endpoint_policy(policy)
    assert seen is not None
    assert [(entry.name, entry.service, entry.resources) for entry in seen.definitions] == [
        ("own", "Microsoft.Storage", (account,)),
        ("ml", "Global", ("/services/Azure/MachineLearning",)),
    ]


async def test_what_is_not_there_is_none() -> None:
    rig = Rig()

    assert await rig.plane.read_security_group(rig.network_group.resource(GROUP, "nsg")) is None
    assert await rig.plane.read_endpoint_policy(rig.network_group.resource(POLICY, "sep")) is None


async def test_a_rule_that_vanishes_is_told() -> None:
    rig = Rig()
    group = put(rig, GROUP, "nsg")
    operation = await rig.started(allow(group))
    found = rig.azure.world.get(group.text)
    assert found is not None
    found.properties["securityRules"] = []
    rig.pass_time(300)

    told = await rig.progress(operation)

    assert told.state is ProgressState.FAILED
    assert isinstance(told.error, RegistryIsolationError)
