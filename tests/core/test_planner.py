"""
Every case of tests/core/cases/planner, replayed: a perfect Azure obeys the plan, time passes, and planning again must end
where the case says. What a case file cannot say well is told below.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shared.core.changes import CreateZone, PutZoneGroup, key_of
from shared.core.lockdown import Memory
from shared.core.plan import Plan
from shared.core.planner import approved_endpoints, make_plan, serving_networks
from shared.core.registry import Address, Connection, ConnectionStatus, Registry, TargetKind
from shared.core.report import ConditionStatus, ConditionType, Severity
from shared.engine.results import count_repairs
from tests.core.perfect_azure import World, look, obey, rest
from tests.core.planner_cases import CASES, told, world_of
from tests.core.worlds import (
    MANAGED,
    ZONES,
    a_network,
    a_policy,
    a_registry,
    an_endpoint,
    closed,
    kinds,
    names_of,
    only,
    plan_for,
    private,
    refused_by_target,
    want,
    with_endpoint,
    with_record,
    with_view,
    with_zone_group,
    with_zones,
)

POLICY = a_policy()
LOOKS = 40


def plan_of(world: World) -> Plan:
    memory = Memory(now=world.now, closed_since=world.closed_since, repairs=world.repairs)
    return make_plan(look(world), world.policy, ZONES, memory)


def replayed(world: World) -> str:
    """How the story goes on when Azure obeys and nothing else happens."""
    for _ in range(LOOKS):
        plan = plan_of(world)
        if plan.converged:
            return "converged"
        if not plan.changes and not plan.waits:
            return "blocked"
        repairs = count_repairs(world.repairs, plan)
        world = rest(obey(replace(world, repairs=repairs), plan.changes))
    return "restless"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_plans_what_it_says_and_ends_where_it_says(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    world = world_of(case)

    plan = plan_of(world)

    assert [told(change, world) for change in plan.changes] == case.get("changes", [])
    assert names_of(plan.waits) == case.get("waits", [])
    assert names_of(plan.blocks) == case.get("blocks", [])
    assert plan.verified is case.get("verified", False)
    sentences = " ".join([reason.sentence for reason in (*plan.blocks, *(wait.reason for wait in plan.waits))])
    assert [said for said in case.get("says", []) if said not in sentences] == []
    assert replayed(world) == case["ends"]


def test_there_are_cases() -> None:
    assert len(CASES) >= 40


# --- order and dependence ---------------------------------------------------------------------------------------------


def test_a_zone_group_waits_for_its_zone_and_its_endpoint_and_a_link_for_its_zone() -> None:
    plan = plan_for(a_registry(POLICY), POLICY)
    places = {key_of(change): place for place, change in enumerate(plan.changes)}

    for change in plan.changes:
        assert all(places[key] < places[key_of(change)] for key in change.depends_on)
        match change.kind:
            case "put-zone-group":
                assert [key.partition(":")[0] for key in change.depends_on] == ["create-endpoint", "create-zone"]
            case "link-zone":
                assert [key.partition(":")[0] for key in change.depends_on] == ["create-zone"]
            case _:
                assert change.depends_on == ()


def test_a_zone_group_of_an_existing_endpoint_waits_for_a_new_zone_only() -> None:
    policy = a_policy(targets=only("storage"))
    wish = want(a_registry(policy), policy, "storage")

    plan = plan_for(with_endpoint(a_registry(policy), wish, an_endpoint(wish)), policy)

    (put,) = [change for change in plan.changes if isinstance(change, PutZoneGroup)]
    (create,) = [change for change in plan.changes if isinstance(change, CreateZone)]
    assert put.depends_on == (key_of(create),)


def test_a_zone_group_is_not_planned_for_an_endpoint_that_finds_no_room() -> None:
    registry = with_zones(a_registry(POLICY), POLICY)
    subnet = registry.network("hub").subnet
    assert subnet is not None

    plan = plan_for(with_view(registry, subnet=replace(subnet, free_addresses=1)), POLICY)

    assert plan.changes == ()
    assert names_of(plan.blocks) == ["SubnetUnusable"]


def test_a_conflict_between_networks_leaves_their_records_uncounted_by_writes() -> None:
    policy = a_policy(a_network("hub"), a_network("spoke"))
    registry = private(a_registry(policy), policy)

    plan = plan_for(registry, policy)

    assert not plan.verified
    assert kinds(plan) == []
    (conflict,) = [reason for reason in plan.blocks if reason.name == "DnsConflict"]
    home = policy.networks[0].dns.zones_resource_group
    assert home is not None
    assert conflict.resource == home.text != home.key  # as the policy writes it


def test_networks_share_zones_in_peace_while_no_endpoint_is_asked_for() -> None:
    policy = a_policy(a_network("hub"), a_network("spoke"), targets=only(registry={"endpoint": False}))

    assert kinds(plan_for(a_registry(policy), policy)) == ["close-public-access"]


# --- which networks ---------------------------------------------------------------------------------------------------


def test_a_network_serves_by_name_and_region() -> None:
    policy = a_policy(
        a_network("hub"),
        a_network("east", serves={"regions": ["eastus*"]}),
        a_network("beta", serves={"registries": ["beta-*"]}),
    )

    def serving(registry: Registry) -> list[str]:
        return [network.name for network in serving_networks(registry, policy)]

    assert serving(a_registry(policy)) == ["hub"]
    assert serving(a_registry(policy, regions=("westeurope", "eastus2"))) == ["hub", "east"]
    assert serving(a_registry(policy, name="beta-1")) == ["hub", "beta"]


# --- findings, memory, conditions -------------------------------------------------------------------------------------


def test_what_registry_and_group_disagree_about_is_found() -> None:
    plan = plan_for(replace(closed(private(a_registry(POLICY), POLICY)), unlisted=("acr9 is odd.",)), POLICY)

    finding = plan.findings[0]
    assert plan.converged
    assert (finding.code, finding.severity, finding.sentence) == (
        "discovery-disagreement",
        Severity.WARNING,
        "acr9 is odd.",
    )
    assert finding.resource == MANAGED


def test_zones_that_azure_asks_for_unexpectedly_are_found() -> None:
    registry = replace(a_registry(POLICY), required_zones={"blob": ("privatelink.blob.example.net",)})

    plan = plan_for(registry, POLICY)

    assert [finding.code for finding in plan.findings] == ["dns-zone-unexpected"]
    assert "privatelink.blob.example.net" in [
        change.zone.name for change in plan.changes if isinstance(change, CreateZone)
    ]


def test_a_plan_tells_what_is_broken_and_what_is_sound_for_the_next_pass_to_count() -> None:
    registry = private(a_registry(POLICY), POLICY)
    storage, acr = want(registry, POLICY, "storage"), want(registry, POLICY, "acr")
    own = want(registry, POLICY, "registry")
    registry = with_endpoint(registry, storage, an_endpoint(storage, status=ConnectionStatus.REJECTED))
    registry = with_record(registry, "hub", ZONES["registry"][0], acr.target.id.name)

    plan = plan_for(with_zone_group(registry, acr, None), POLICY)

    assert plan.broken == (storage.id.key,)
    assert plan.sound == (own.id.key, acr.id.key, f"names:{own.id.key}")


@pytest.mark.parametrize("status", [ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED])
def test_only_endpoints_that_everybody_calls_approved_are_safe_from_deletion(status: ConnectionStatus) -> None:
    registry = private(a_registry(POLICY), POLICY)
    storage, acr = want(registry, POLICY, "storage"), want(registry, POLICY, "acr")
    own = want(registry, POLICY, "registry")

    assert approved_endpoints(registry) == {storage.id, acr.id, own.id}
    assert approved_endpoints(refused_by_target(registry, acr, status)) == {storage.id, own.id}
    assert approved_endpoints(refused_by_target(registry, acr, ConnectionStatus.PENDING)) == {
        storage.id,
        acr.id,
        own.id,
    }
    registry = with_endpoint(registry, storage, an_endpoint(storage, state="Failed"))
    registry = with_endpoint(registry, own, an_endpoint(own, status=ConnectionStatus.PENDING))
    assert approved_endpoints(registry) == {acr.id}


def conditions(registry: Registry) -> dict[str, str]:
    """Each condition's status, or the message of one that is false."""
    plan = plan_for(registry, POLICY)
    assert [condition.type for condition in plan.conditions] == list(ConditionType)
    assert all((condition.message == "") == (condition.status is ConditionStatus.TRUE) for condition in plan.conditions)
    return {condition.type.value: condition.message or condition.status.value for condition in plan.conditions}


def test_conditions_of_an_isolated_registry_are_all_true() -> None:
    assert set(conditions(closed(private(a_registry(POLICY), POLICY))).values()) == {"True"}


def test_conditions_of_a_new_registry_say_what_is_missing() -> None:
    registry = a_registry(POLICY)
    found = conditions(registry)

    assert found["Discovered"] == "True"
    assert found["EndpointsApproved"] == "Not approved: {}.".format(
        ", ".join(want(registry, POLICY, kind).id.name for kind in ("registry", "storage", "acr"))
    )
    assert found["NamesResolve"].startswith(
        "To do: create private DNS zone privatelink.api.azureml.ms in rg-dns. To do: "
    )
    assert found["PublicAccessClosed"] == "Open: alpha, stwesteurope0, acralpha."


def test_names_wait_for_endpoints_when_there_is_nothing_else_to_say() -> None:
    registry = private(a_registry(POLICY), POLICY)
    storage = want(registry, POLICY, "storage")

    found = conditions(with_endpoint(registry, storage, an_endpoint(storage, state="Updating")))

    assert found["NamesResolve"] == "Endpoints come first."


def test_names_that_are_waited_for_or_need_a_person_are_told_together() -> None:
    registry = with_zones(private(a_registry(POLICY), POLICY), POLICY, link="InProgress")
    acr = want(registry, POLICY, "acr")
    stray = (Address(ip="10.0.0.4", fqdns=("acr.example.com",)),)

    found = conditions(with_endpoint(registry, acr, an_endpoint(acr, addresses=stray)))["NamesResolve"]

    assert "Zone privatelink.azurecr.io is being linked to vnet-hub." in found
    assert "acr.example.com of private endpoint" in found


def test_what_the_policy_keeps_open_is_not_called_open() -> None:
    policy = a_policy(targets={"acr": {"public_access": "keep"}})
    registry = closed(private(a_registry(policy), policy), TargetKind.REGISTRY, TargetKind.STORAGE)

    assert {condition.status for condition in plan_for(registry, policy).conditions} == {ConditionStatus.TRUE}


def test_names_that_do_not_resolve_are_told_with_their_trouble() -> None:
    registry = private(a_registry(POLICY), POLICY)
    acr = want(registry, POLICY, "acr")
    registry = with_record(registry, "hub", ZONES["registry"][0], acr.target.id.name)

    found = conditions(with_zone_group(registry, acr, None))

    assert found["EndpointsApproved"] == "True"
    assert found["NamesResolve"] == f"To do: attach privatelink.azurecr.io to private endpoint {acr.id.name}."


@pytest.mark.parametrize("kind", TargetKind)
def test_a_registry_that_no_network_serves_says_so_in_its_conditions(kind: TargetKind) -> None:
    policy = a_policy(a_network(serves={"regions": ["uksouth"]}), targets=only(kind.value))
    plan = plan_for(a_registry(policy, regions=("westeurope", "eastus")), policy)
    answers = {condition.type: condition for condition in plan.conditions}

    assert names_of(plan.blocks) == ["NoNetwork"]
    assert plan.blocks[0].sentence.startswith("No network of the policy serves registry alpha (westeurope, eastus).")
    assert answers[ConditionType.ENDPOINTS_APPROVED].message == plan.blocks[0].sentence
    assert answers[ConditionType.NAMES_RESOLVE].status is ConditionStatus.FALSE
    assert not plan.verified


def test_a_conflict_between_networks_is_told_where_names_are_asked_about() -> None:
    policy = a_policy(a_network("hub"), a_network("spoke"))
    plan = plan_for(private(a_registry(policy), policy), policy)
    messages = {condition.type: condition.message for condition in plan.conditions}

    assert messages[ConditionType.NAMES_RESOLVE].startswith("Networks hub and spoke both serve registry alpha")


def test_a_connection_that_the_target_keeps_to_itself_is_no_refusal() -> None:
    registry = private(a_registry(POLICY), POLICY)
    hidden = (Connection(endpoint=None, status=ConnectionStatus.REJECTED),)
    targets = tuple(replace(target, connections=hidden) for target in registry.targets)

    assert plan_for(replace(registry, targets=targets), POLICY).verified
