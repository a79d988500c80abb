"""What counts as made by the app, and what of it goes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.arm import ResourceId
from shared.core.changes import CreateEndpoint, DeleteEndpoint
from shared.core.cleanup import LEFT_OVER, cut_off, forget_made, kind_of, made_for, plan_left_overs, remember_made
from shared.core.naming import MANAGED_BY_TAG, REGISTRY_TAG, endpoint_tags
from shared.core.registry import ConnectionStatus, PrivateEndpoint, TargetKind
from tests.core.worlds import a_policy, a_registry, an_endpoint, group_id, kinds, plan_for, registry_id, want

POLICY = a_policy()
REGISTRY = a_registry(POLICY)
OTHER = registry_id("beta")


def ours(kind: str = "storage", **changed: Any) -> PrivateEndpoint:
    return an_endpoint(want(REGISTRY, POLICY, kind), **changed)


@pytest.mark.parametrize("kind", TargetKind)
def test_an_endpoint_with_the_apps_name_and_tags_is_the_apps(kind: TargetKind) -> None:
    assert made_for(ours(kind.value), REGISTRY.id)


def test_casing_does_not_matter() -> None:
    endpoint = ours()
    shouted = ResourceId.parse(endpoint.id.text.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))
    tags = {**endpoint.tags, REGISTRY_TAG: REGISTRY.id.text.upper()}
    assert made_for(replace(endpoint, id=shouted, tags=tags), REGISTRY.id)


def test_tags_alone_do_not_make_an_endpoint_the_apps() -> None:
    assert not made_for(ours(name="copied-tags", tags=endpoint_tags(REGISTRY.id)), REGISTRY.id)


def test_a_name_alone_does_not_make_an_endpoint_the_apps() -> None:
    assert not made_for(ours(tags={}), REGISTRY.id)


def test_a_name_and_the_ledgers_word_do() -> None:
    endpoint = ours(tags={})
    assert made_for(endpoint, REGISTRY.id, (endpoint.id,))


@pytest.mark.parametrize("tags", [endpoint_tags(OTHER), {MANAGED_BY_TAG: "terraform", REGISTRY_TAG: REGISTRY.id.text}])
def test_tags_of_another_registry_or_another_owner_do_not_count(tags: dict[str, str]) -> None:
    assert not made_for(ours(tags=tags), REGISTRY.id)


def test_another_registrys_endpoint_is_not_this_ones() -> None:
    assert not made_for(ours(), OTHER)


def test_only_an_endpoint_without_any_living_connection_is_cut_off() -> None:
    endpoint = ours(status=ConnectionStatus.DISCONNECTED)
    (dead,) = endpoint.connections
    assert cut_off(endpoint)
    assert not cut_off(replace(endpoint, connections=(dead, replace(dead, status=ConnectionStatus.APPROVED))))


def test_a_vault_is_no_kind_of_target() -> None:
    assert kind_of(group_id("rg").resource("Microsoft.KeyVault/vaults", "kv")) is None


def test_what_is_left_over_is_deleted_once_and_not_while_it_is_being_deleted() -> None:
    gone = ours(status=ConnectionStatus.DISCONNECTED)
    going = ours("acr", state="Deleting")

    plan = plan_for(replace(REGISTRY, left_over=(gone, going)), POLICY)

    deletions = [change for change in plan.changes if isinstance(change, DeleteEndpoint)]
    assert deletions == [DeleteEndpoint(endpoint=gone.id, because=LEFT_OVER)]
    assert deletions[0].sentence == f"delete private endpoint {gone.id.name}, which leads to a resource that is gone"


def test_the_policy_may_forbid_it() -> None:
    policy = a_policy(deletion={"endpoints": False})
    gone = replace(REGISTRY, left_over=(ours(status=ConnectionStatus.DISCONNECTED),))

    assert plan_left_overs(gone, policy).changes == ()
    assert "delete-endpoint" not in kinds(plan_for(gone, policy))


def creation(endpoint: ResourceId, *, repair: bool = False) -> CreateEndpoint:
    subnet = want(REGISTRY, POLICY, "storage").network.subnet
    return CreateEndpoint(
        endpoint=endpoint, location="x", subnet=subnet, target=REGISTRY.id, group="g", tags={}, repair=repair
    )


IDS = st.sampled_from([group_id("rg").resource("Microsoft.Network/privateEndpoints", f"pe-{n}") for n in range(4)])
STEPS = st.lists(st.tuples(st.sampled_from(["create", "repair", "delete"]), IDS), max_size=12)


@given(STEPS)
def test_what_is_remembered_is_what_was_created_and_not_deleted(steps: list[tuple[str, ResourceId]]) -> None:
    made: tuple[ResourceId, ...] = ()
    expected: set[ResourceId] = set()
    for step, endpoint in steps:
        if step == "delete":
            made, expected = forget_made(made, DeleteEndpoint(endpoint=endpoint)), expected - {endpoint}
        else:
            made = remember_made(made, REGISTRY.id, (), (creation(endpoint, repair=step == "repair"),))
            expected |= {endpoint} if step == "create" else set()

    assert set(made) == expected
    assert len(made) == len(expected)


def test_the_apps_endpoints_are_remembered_when_they_are_seen() -> None:
    mine, theirs = ours(), ours("acr", name="theirs")

    assert remember_made((), REGISTRY.id, (mine, theirs), ()) == (mine.id,)
