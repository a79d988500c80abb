"""Whom a plan is about, what it says to a person, and whose endpoints it takes for its own."""

from dataclasses import replace

from shared.core.arm import ResourceId
from shared.core.storage_rules import AddResourceRules
from tests.core.test_sharing import WS, a_sharing_policy, a_view, a_workspace
from tests.core.worlds import (
    ZONE_HOME,
    a_network,
    a_policy,
    a_registry,
    a_zone_group,
    an_endpoint,
    group_id,
    kinds,
    only,
    plan_for,
    private,
    registry_id,
    want,
    with_endpoint,
    with_zone_group,
    with_zones,
)


def test_a_plan_says_which_registry_it_is_for() -> None:
    policy = a_policy()

    assert plan_for(a_registry(policy), policy).registry == registry_id()


def test_a_plan_lets_the_registry_into_the_storage_of_its_workspaces() -> None:
    policy = a_sharing_policy(WS)
    registry = replace(private(a_registry(policy), policy), sharing=a_view(a_workspace()))

    assert [change for change in plan_for(registry, policy).changes if isinstance(change, AddResourceRules)]


def test_a_registry_that_no_network_serves_is_told_whole() -> None:
    policy = a_policy(a_network(serves={"regions": ["uksouth"]}))

    (block,) = plan_for(a_registry(policy), policy).blocks

    assert block.resource == registry_id().text
    assert block.sentence == (
        "No network of the policy serves registry alpha (westeurope). Add one to networks, or widen "
        "serves.registries or serves.regions of one that is there."
    )


def test_networks_that_quarrel_about_names_are_told_whole() -> None:
    policy = a_policy(a_network("hub"), a_network("spoke"))

    (block,) = plan_for(private(a_registry(policy), policy), policy).blocks

    assert ResourceId.parse(block.resource) == group_id(ZONE_HOME)
    assert block.sentence == (
        "Networks hub and spoke both serve registry alpha and keep their zones in the same resource group, where each name "
        "can point to one network's endpoint only. Give each network its own zones."
    )


def created(*, zones: str, home: str) -> bool:
    """Whether an endpoint is made beside somebody's, whose names lie in *home*; the policy's are in *zones*."""
    policy = a_policy(a_network(zones=zones), targets=only("acr"))
    registry = with_zones(a_registry(policy), policy) if zones else a_registry(policy)
    wish = want(registry, policy, "acr")
    theirs = an_endpoint(wish, name="somebodys")
    registry = with_endpoint(registry, wish, theirs)
    registry = with_zone_group(registry, wish, a_zone_group(wish, home=home), of=theirs.id.key)
    return "create-endpoint" in kinds(plan_for(registry, policy))


def test_somebodys_endpoint_is_adopted_unless_its_names_lie_where_the_app_would_have_to_take_them_away() -> None:
    assert not created(zones=ZONE_HOME, home=ZONE_HOME)
    assert created(zones=ZONE_HOME, home="rg-central")


def test_where_the_app_leaves_names_alone_somebodys_endpoint_is_adopted_wherever_they_lie() -> None:
    assert not created(zones="", home="rg-central")
