"""The way out: which rules count, which are missing, and that enforcing them ends and takes nothing from anybody."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.arm import ResourceId
from shared.core.changes import key_of
from shared.core.egress import needs, plan_egress
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.plan import Part, in_order
from shared.core.policy import IsolationPolicy
from shared.core.registry import Access, Registry, TargetKind
from shared.core.security import EndpointPolicy, EndpointPolicyDefinition, SecurityGroup, SecurityRule, WayOut
from tests.core.perfect_egress import allowed
from tests.core.worlds import a_policy, a_registry, closed, group_id, with_target

NSG = group_id("rg-hub").resource("Microsoft.Network/networkSecurityGroups", "nsg")
SEP = group_id("rg-hub").resource("Microsoft.Network/serviceEndpointPolicies", "sep")


def policy_with(mode: str = "enforce", **entry: Any) -> IsolationPolicy:
    return a_policy(egress=[{"registries": ["*"], "nsg": NSG.text, "mode": mode, **entry}])


def a_rule(name: str, priority: int, to: str, **changed: Any) -> SecurityRule:
    rule = SecurityRule(
        name=name,
        priority=priority,
        outbound=True,
        allows=True,
        protocol="*",
        sources=("*",),
        destinations=(to,),
        ports=("*",),
    )
    return replace(rule, **changed)


def world(policy: IsolationPolicy, *rules: SecurityRule, regions: tuple[str, ...] = ("westeurope",)) -> Registry:
    way = WayOut(nsg=NSG, group=SecurityGroup(id=NSG, rules=rules))
    return replace(closed(a_registry(policy, regions=regions)), ways_out=(way,))


def written(part: Part) -> list[AllowEgress]:
    return [change for change in part.changes if isinstance(change, AllowEgress)]


def codes(part: Part) -> list[str]:
    return [finding.code for finding in part.findings]


def tags(part: Part) -> set[str]:
    return {change.tag for change in written(part)}


# --- what is needed ---------------------------------------------------------------------------------------------------


def test_each_region_has_its_tags_and_the_service_has_both_protocols() -> None:
    found = {(need.tag, need.protocol): need.ports for need in needs(("West Europe", "westeurope", "eastus"))}

    assert found[("AzureMachineLearning", "Tcp")] == ("443", "8787", "18881")
    assert found[("AzureMachineLearning", "Udp")] == ("5831",)
    assert len(found) == 3 + 3 * 2
    assert ("Storage.westeurope", "Tcp") in found


def test_rule_names_differ_and_fit_into_azures_eighty_characters() -> None:
    names = [need.rule_name for need in needs(("germanywestcentral", "westeurope"))]

    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 80


# --- what counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["*", "Internet", "AzureCloud", "0.0.0.0/0", "internet"])
def test_a_rule_to_everything_covers_everything(to: str) -> None:
    policy = policy_with()

    assert plan_egress(world(policy, a_rule("all", 100, to)), policy) == Part()


@pytest.mark.parametrize(
    "changed",
    [
        {"allows": False},
        {"outbound": False},
        {"sources": ("10.0.0.0/24",)},
        {"sources": ()},
        {"source_ports": ("1024",)},
        {"protocol": "Udp"},
        {"ports": ("80", "444-500")},
        {"ports": ("http",)},
        {"destinations": ("Storage.northeurope",)},
        {"destinations": ("Stor",)},
        {"destinations": ("20.1.2.0/24",)},
        {"destinations": ()},
    ],
)
def test_a_rule_that_does_not_let_every_client_through_does_not_count(changed: dict[str, Any]) -> None:
    policy = policy_with()
    rule = a_rule("theirs", 100, "Storage.westeurope", **changed)

    assert "Storage.westeurope" in tags(plan_egress(world(policy, rule), policy))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"protocol": "TCP", "ports": ("443",)},
        {"ports": ("80", "400-500")},
        {"destinations": ("10.0.0.0/8", "storage.WestEurope")},
        {"destinations": ("Storage",)},
        {"sources": ("VirtualNetwork",), "source_ports": ("0-65535",)},
    ],
)
def test_an_equivalent_rule_counts_whatever_its_name(changed: dict[str, Any]) -> None:
    policy = policy_with()
    rule = a_rule("theirs", 100, "Storage.westeurope", **changed)

    assert "Storage.westeurope" not in tags(plan_egress(world(policy, rule), policy))


def test_several_rules_may_cover_a_need_together() -> None:
    policy = policy_with()
    rules = [a_rule(port, 100 + n, "AzureMachineLearning", ports=(port,)) for n, port in enumerate(("443", "8787"))]

    short = plan_egress(world(policy, *rules), policy)
    whole = plan_egress(world(policy, *rules, a_rule("last", 300, "AzureMachineLearning", ports=("18881",))), policy)

    assert [change.protocol for change in written(short) if change.tag == "AzureMachineLearning"] == ["Tcp", "Udp"]
    assert [change.protocol for change in written(whole) if change.tag == "AzureMachineLearning"] == ["Udp"]


# --- priorities -------------------------------------------------------------------------------------------------------


def test_priorities_of_outbound_rules_are_avoided_and_those_of_inbound_ones_are_not() -> None:
    policy = policy_with(priority_from=200)
    rules = [a_rule("out", 200, "Sql", allows=True), a_rule("in", 201, "*", outbound=False)]

    priorities = [change.priority for change in written(plan_egress(world(policy, *rules), policy))]

    assert priorities == list(range(201, 207))


def test_a_rule_of_ours_that_somebody_narrowed_is_put_again_at_its_priority() -> None:
    policy = policy_with()
    name = needs(("westeurope",))[0].rule_name
    narrowed = a_rule(name.upper(), 3500, "AzureMachineLearning", ports=("443",), protocol="Tcp")

    (change,) = [c for c in written(plan_egress(world(policy, narrowed), policy)) if c.rule.name == name]

    assert change.priority == 3500


def test_when_priorities_run_out_the_rest_is_blocked_and_told() -> None:
    policy = policy_with(priority_from=4094)

    part = plan_egress(world(policy), policy)

    assert [change.priority for change in written(part)] == [4094, 4095, 4096]
    assert codes(part) == ["egress-priorities-used-up"] * 3
    assert [block.name for block in part.blocks] == ["EgressPrioritiesUsedUp"] * 3


def test_one_rule_waits_for_the_other() -> None:
    policy = policy_with()

    changes = written(plan_egress(world(policy), policy))

    assert [change.depends_on for change in changes] == [(), *((key_of(change),) for change in changes[:-1])]
    assert in_order(tuple(changes)) == tuple(changes)


# --- deny rules -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("priority", "expected"), [(50, ["egress-shadowed"]), (150, [])])
def test_a_deny_rule_counts_only_before_the_allowing_one(priority: int, expected: list[str]) -> None:
    policy = policy_with()
    deny = a_rule("deny", priority, "Storage", allows=False, ports=("443",), sources=("10.0.0.0/8",))

    assert codes(plan_egress(world(policy, a_rule("all", 100, "*"), deny), policy)) == expected


@pytest.mark.parametrize(
    "changed",
    [{"ports": ("80",)}, {"protocol": "Icmp"}, {"destinations": ("Sql",)}, {"outbound": False}, {"destinations": ()}],
)
def test_a_deny_rule_about_something_else_is_no_finding(changed: dict[str, Any]) -> None:
    policy = policy_with()
    deny = a_rule("deny", 50, "Storage", **{"allows": False, **changed})

    assert codes(plan_egress(world(policy, a_rule("all", 100, "*"), deny), policy)) == []


def test_a_shadow_is_told_once_for_a_tag_with_all_its_ports() -> None:
    policy = policy_with("audit")
    deny = a_rule("deny", 50, "AzureMachineLearning", allows=False, ports=("8000-19000",))

    (finding,) = plan_egress(world(policy, a_rule("all", 100, "*"), deny), policy).findings

    assert "TCP 8787, 18881 to AzureMachineLearning" in finding.sentence


# --- modes and what cannot be read ------------------------------------------------------------------------------------


def test_audit_never_plans_a_change() -> None:
    policy = policy_with("audit", service_endpoint_policy=SEP.text)
    registry = world(policy)
    way = replace(registry.ways_out[0], policy=EndpointPolicy(id=SEP))

    part = plan_egress(replace(registry, ways_out=(way,)), policy)

    assert (part.changes, part.blocks) == ((), ())
    assert codes(part) == ["egress-rule-missing"] * 6 + ["endpoint-policy-alias-missing"]


def test_a_group_that_was_not_looked_at_is_judged_by_the_pass_that_looks() -> None:
    policy = policy_with()
    registry = replace(world(policy), ways_out=())

    assert plan_egress(registry, policy) == Part()


def test_a_registry_that_no_entry_names_needs_nothing() -> None:
    policy = a_policy(egress=[{"registries": ["beta"], "nsg": NSG.text}])

    assert plan_egress(a_registry(policy), policy) == Part()


@pytest.mark.parametrize(("mode", "blocks"), [("audit", 0), ("enforce", 2)])
def test_what_cannot_be_read_is_told_and_blocks_only_who_asked_for_more(mode: str, blocks: int) -> None:
    policy = policy_with(mode, service_endpoint_policy=SEP.text)
    way = WayOut(nsg=NSG, group_problem="No.", policy_problem="Neither.")

    part = plan_egress(replace(closed(a_registry(policy)), ways_out=(way,)), policy)

    assert codes(part) == ["egress-group-unreadable", "endpoint-policy-unreadable"]
    assert len(part.blocks) == blocks
    assert part.changes == ()


@pytest.mark.parametrize(
    ("service", "resource", "knows"),
    [
        ("Global", "/services/Azure/MachineLearning", True),
        ("global", "/services/azure/machinelearning", True),
        ("Microsoft.Storage", "/services/Azure/MachineLearning", False),
        ("Global", "/services/Azure/DataFactory", False),
    ],
)
def test_the_alias_counts_under_service_global_only(service: str, resource: str, knows: bool) -> None:  # noqa: FBT001
    policy = policy_with(service_endpoint_policy=SEP.text)
    definition = EndpointPolicyDefinition(name="x", service=service, resources=("/subscriptions/x", resource))
    way = WayOut(
        nsg=NSG,
        group=SecurityGroup(id=NSG, rules=(a_rule("all", 100, "*"),)),
        policy=EndpointPolicy(id=SEP, definitions=(definition,)),
    )

    part = plan_egress(replace(closed(a_registry(policy)), ways_out=(way,)), policy)

    assert (part.changes == ()) == knows


def test_two_groups_with_one_endpoint_policy_ask_for_the_alias_once() -> None:
    other = ResourceId.parse(NSG.text + "2")
    entries = [
        {"registries": ["*"], "nsg": nsg.text, "mode": "enforce", "service_endpoint_policy": SEP.text}
        for nsg in (NSG, other)
    ]
    policy = a_policy(egress=entries)
    ways = tuple(
        WayOut(nsg=nsg, group=SecurityGroup(id=nsg, rules=(a_rule("all", 100, "*"),)), policy=EndpointPolicy(id=SEP))
        for nsg in (NSG, other)
    )

    changes = plan_egress(replace(closed(a_registry(policy)), ways_out=ways), policy).changes

    assert [type(change) for change in changes] == [AllowSystemRegistry]


# --- isolation first --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sections", "access", "rules"),
    [
        ({}, Access.OPEN, 0),
        ({}, Access.CLOSED, 6),
        ({"targets": {"registry": {"public_access": "keep"}}}, Access.OPEN, 6),
        ({"lockdown": {"when": "never"}}, Access.OPEN, 6),
        ({"mode": "audit"}, Access.OPEN, 6),
    ],
)
def test_a_registry_that_is_to_be_closed_is_closed_first(sections: dict[str, Any], access: Access, rules: int) -> None:
    policy = a_policy(egress=[{"registries": ["*"], "nsg": NSG.text, "mode": "enforce"}], **sections)
    registry = with_target(world(policy), TargetKind.REGISTRY, access=access)

    assert len(plan_egress(registry, policy).changes) == rules


# --- properties -------------------------------------------------------------------------------------------------------

DESTINATIONS = ["*", "Internet", "Storage", "Storage.westeurope", "AzureMachineLearning", "10.0.0.0/8", "AzureCloud"]
RULES = st.builds(
    a_rule,
    name=st.sampled_from([*"abcdef", *(need.rule_name for need in needs(("westeurope",)))]),
    priority=st.integers(100, 4096),
    to=st.sampled_from(DESTINATIONS),
    outbound=st.booleans(),
    allows=st.booleans(),
    protocol=st.sampled_from(["*", "Tcp", "udp"]),
    ports=st.lists(st.sampled_from(["*", "443", "8787", "1-9000", "5831", "x"]), max_size=3).map(tuple),
    sources=st.sampled_from([("*",), ("VirtualNetwork",), ("10.0.0.0/24",), ()]),
)
GROUPS = st.lists(RULES, max_size=8, unique_by=(lambda r: r.name, lambda r: (r.outbound, r.priority)))


@settings(deadline=None, max_examples=200)
@given(GROUPS, st.integers(100, 4080))
def test_any_group_ends_with_every_need_allowed_and_every_foreign_rule_as_it_was(
    rules: list[SecurityRule], first: int
) -> None:
    policy = policy_with(priority_from=first)
    registry = world(policy, *rules, regions=("westeurope", "eastus"))
    own = {need.rule_name for need in needs(("westeurope", "eastus"))}

    part = plan_egress(registry, policy)
    after = registry
    for change in in_order(part.changes):
        assert isinstance(change, AllowEgress)
        after = allowed(after, change)
    again = plan_egress(after, policy)

    assert (part.blocks, again.changes, again.blocks) == ((), (), ())
    group = after.ways_out[0].group
    assert group is not None
    foreign = [rule for rule in rules if rule.name not in own]
    assert [rule for rule in group.rules if rule.name not in own] == foreign
    assert all(change.rule.name in own for change in written(part))


@settings(deadline=None, max_examples=100)
@given(GROUPS)
def test_audit_says_missing_exactly_where_enforcing_writes(rules: list[SecurityRule]) -> None:
    audit, enforce = policy_with("audit"), policy_with()

    told = [code for code in codes(plan_egress(world(audit, *rules), audit)) if code == "egress-rule-missing"]

    assert len(told) == len(written(plan_egress(world(enforce, *rules), enforce)))
