"""What the demo sees, and what it says about a change."""

from typing import Any

import pytest

from local.demo_sight import Sight, news, sight
from local.simulator import seed
from tests.local.isolated import IsolatedWorld, isolated_world


@pytest.fixture
def world() -> IsolatedWorld:
    return isolated_world()


def look(world: IsolatedWorld) -> Sight:
    return sight(seed.dump(world.azure), world.registry.id)


def test_an_isolated_registry_is_seen_with_all_its_parts_behind_an_open_gate(world: IsolatedWorld) -> None:
    seen = look(world)
    assert [part.kind for part in seen.parts] == [
        "registry",
        "storage account",
        "storage account",
        "container registry",
    ]
    assert [part.location for part in seen.parts[1:3]] == ["westeurope", "northeurope"]
    assert seen.closed
    assert seen.gate_open
    assert seen.gate == "4 of 4 endpoints approved, 7 of 7 names resolve"
    assert {each.target for each in seen.endpoints} == {part.name for part in seen.parts}
    assert all(zone.linked for zone in seen.zones)


def test_nothing_is_seen_of_a_registry_that_does_not_exist(world: IsolatedWorld) -> None:
    assert sight(seed.dump(world.azure), f"{world.registry.id}-not") == Sight()


def test_a_registry_that_azure_still_makes_has_no_parts_and_is_not_closed(world: IsolatedWorld) -> None:
    del world.registry.properties["managedResourceGroup"]
    seen = look(world)
    assert [part.name for part in seen.parts] == ["contoso-models"]
    assert not seen.closed
    assert not seen.gate_open


def test_a_resource_without_a_type_does_no_harm(world: IsolatedWorld) -> None:
    document = seed.dump(world.azure)
    document["resources"].append({"id": "/subscriptions/x/providers/y/z/w", "type": None, "properties": {}})
    assert sight(document, world.registry.id) == look(world)


def endpoint_of(world: IsolatedWorld, part: int) -> Any:
    return world.azure.world.resources[world.endpoint(world.parts[part]).lower()].properties


def test_the_gate_is_closed_while_an_endpoint_is_pending(world: IsolatedWorld) -> None:
    connection = endpoint_of(world, 0)["privateLinkServiceConnections"][0]["properties"]
    connection["privateLinkServiceConnectionState"]["status"] = "Pending"
    assert look(world).gate == "3 of 4 endpoints approved, 7 of 7 names resolve"
    assert not look(world).gate_open


@pytest.mark.parametrize("missing", ["virtualNetworkLinks/hub", "A/{storage}"])
def test_the_gate_is_closed_while_a_name_does_not_resolve(world: IsolatedWorld, missing: str) -> None:
    world.azure.world.delete(f"{world.zone('blob')}/{missing.format(storage=world.parts[0].name)}")
    assert not look(world).gate_open


def test_the_first_look_tells_everything_in_its_order(world: IsolatedWorld) -> None:
    said = list(news(Sight(), look(world)))
    beginnings = ["Azure made", "found storage account", "found storage account", "found container registry"]
    assert [each.startswith(begin) for each, begin in zip(said, beginnings, strict=False)] == [True] * 4
    assert said.index(next(each for each in said if each.startswith("record"))) < said.index(
        "the gate opens: 4 of 4 endpoints approved, 7 of 7 names resolve"
    )
    assert said[-1] == f"public access of container registry {world.parts[-1].name} is closed"


def test_nothing_is_said_twice(world: IsolatedWorld) -> None:
    assert list(news(look(world), look(world))) == []


def test_a_door_that_opens_again_is_said(world: IsolatedWorld) -> None:
    before = look(world)
    world.parts[0].properties["publicNetworkAccess"] = "Enabled"
    assert list(news(before, look(world))) == [f"public access of storage account {world.parts[0].name} is open again"]


def test_an_endpoint_that_changes_or_goes_is_said(world: IsolatedWorld) -> None:
    before = look(world)
    endpoint_of(world, 0)["provisioningState"] = "Failed"
    world.azure.world.delete(world.endpoint(world.parts[1]))
    said = set(news(before, look(world)))
    assert f"private endpoint pe-{world.parts[0].name} is Failed, Approved" in said
    assert f"private endpoint pe-{world.parts[1].name} is gone" in said
