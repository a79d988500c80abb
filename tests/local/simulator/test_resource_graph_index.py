"""The index behind Resource Graph: once the world is quiet it shows exactly the world, whatever has happened."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.resource_graph_index import LaggingIndex
from local.simulator.resource_graph_rows import place_of, row_of
from local.simulator.resource_graph_values import Row
from local.simulator.scenery_many import put_isolated_registries
from local.simulator.world import EPOCH
from tests.local.simulator.scene import Scene
from tests.scenarios.house import House
from tests.virtual_time import run_virtual


def shown(azure: SimulatedAzure) -> dict[str, Row]:
    """Everything that the index shows once all changes have come through."""
    azure.graph.index.photograph(azure.world.now)
    azure.advance(azure.world.now + azure.graph.lag)
    azure.graph.index.photograph(azure.world.now)
    tables = ("resources", "resourcecontainers", "dnsresources")
    return {row["id"].lower(): row for name in tables for _, rows in azure.graph.index.rows(name, None) for row in rows}


def world_of(azure: SimulatedAzure) -> dict[str, Row]:
    """The same, taken from the world at once."""
    found = azure.world.resources.values()
    return {each.key: row_of(azure, each) for each in found if place_of(each.type.lower()) is not None}


def test_a_registry_that_is_isolated_and_deleted_is_followed_at_every_step() -> None:
    async def story() -> None:
        async with House() as house:
            scenery.put_registry(house.azure, "contoso", now=house.now())
            registry = scenery.registry_id(house.scene.registries_group, "contoso")
            assert await house.settle(registry) == "converged"
            assert shown(house.azure) == world_of(house.azure)
            scenery.send(house.azure, "DELETE", registry, api_version=scenery.REGISTRY_API)
            scenery.rest(house.azure)
            assert shown(house.azure) == world_of(house.azure)
            assert registry.lower() not in shown(house.azure)

    run_virtual(story())


def test_rejections_zone_groups_and_tags_are_followed() -> None:
    scene = Scene()
    scene.endpoint(manual=True)
    scene.rest()
    connections = scene.get(f"{scene.account}/privateEndpointConnections", version="2023-05-01").json()["value"]
    for status in ("Approved", "Rejected"):
        state = {"privateLinkServiceConnectionState": {"status": status, "description": "x"}}
        scene.put(connections[0]["id"], {"properties": state}, version="2023-05-01")
        scene.rest()
        assert shown(scene.azure) == world_of(scene.azure)
    scene.zone_group()
    scene.rest()
    scene.patch(scene.account, {"tags": {"a": "b"}}, version="2023-05-01")
    assert shown(scene.azure) == world_of(scene.azure)
    scene.delete(f"{scene.network}/privateEndpoints/pe")
    scene.rest()
    assert shown(scene.azure) == world_of(scene.azure)


def test_a_crowd_is_shown_as_it_is() -> None:
    azure = SimulatedAzure()
    put_isolated_registries(azure, 3, subscriptions=2)
    assert shown(azure) == world_of(azure)


def test_a_row_shares_nothing_with_the_world() -> None:
    azure = SimulatedAzure()
    registry = scenery.create_registry(azure, "contoso")
    row = row_of(azure, registry)
    row["properties"]["regionDetails"][0]["location"] = "elsewhere"
    row["identity"]["type"] = "None"
    assert row_of(azure, registry)["properties"]["regionDetails"][0]["location"] == "westeurope"
    assert row_of(azure, registry)["identity"]["type"] == "SystemAssigned"


STORAGE = "/subscriptions/s/resourcegroups/g/providers/microsoft.storage/storageaccounts/"


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from("ab"), st.one_of(st.none(), st.integers())), max_size=12),
    st.integers(0, 60),
)
def test_the_index_shows_what_was_so_a_lag_ago(changes: list[tuple[int, str, Any]], lag: int) -> None:
    held: dict[str, Any] = {}

    def picture(key: str) -> Row | None:
        return None if held.get(key) is None else {"id": key, "value": held[key]}

    index = LaggingIndex(picture, lag=timedelta(seconds=lag))
    past: list[tuple[int, dict[str, Any]]] = [(0, {})]
    now = 0
    for wait, name, content in changes:
        now += wait
        held[STORAGE + name] = content
        index.mark(STORAGE + name)
        index.photograph(EPOCH + timedelta(seconds=now))
        past.append((now, dict(held)))
        then = [state for at, state in past if at <= now - lag] or [{}]
        expected = {key: value for key, value in then[-1].items() if value is not None}
        found = {row["id"]: row["value"] for _, rows in index.rows("resources", None) for row in rows}
        assert found == expected
        assert len(index) == len(expected)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (f"{STORAGE}a/privateendpointconnections/x", f"{STORAGE}a"),
        (f"{STORAGE}a", f"{STORAGE}a"),
    ],
)
def test_a_change_of_a_part_is_a_change_of_the_whole(part: str, whole: str) -> None:
    taken: list[str] = []

    def picture(key: str) -> Row | None:
        taken.append(key)
        return None

    index = LaggingIndex(picture, lag=timedelta(0))
    index.mark(part)
    index.photograph(EPOCH)
    assert taken == [whole]
