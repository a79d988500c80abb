"""Crowds of isolated registries: as the app would have left them, and small enough to have ten thousand."""

import gc
import json
import re
from typing import Any

import pytest

from local.simulator import arm_ids, scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.scenery_many import ENDPOINTS_PER_NETWORK, REGISTRIES_PER_HUB, Crowd, put_isolated_registries
from local.simulator.world import Resource
from tests.local.simulator.arm_client import ArmClient
from tests.local.simulator.graph_asking import rows
from tests.scenarios.house import House
from tests.scenarios.verdict import unisolated
from tests.virtual_time import run_virtual

_RANDOM = (
    (re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"), "<guid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)"), "<time>"),
    (re.compile(r"\b10\.\d+\.\d+\.\d+\b"), "<address>"),
    (re.compile(r"\b[0-9a-f]{11}\b"), "<name>"),
    (re.compile(r"-[0-9a-f]{8}\b"), "-<hash>"),
    (re.compile(r"\b[0-9a-f]{26}\b"), "<suffix>"),
)


def crowded_house(count: int) -> tuple[House, Crowd]:
    """A house whose policy is about a crowd."""
    house = House()
    crowd = put_isolated_registries(house.azure, count, subscriptions=4)
    house.document["scope"] = {"subscriptions": list(crowd.subscriptions)}
    house.document["networks"] = crowd.policy_networks
    return house, crowd


def likeness(azure: SimulatedAzure, name: str, other: str) -> set[str]:
    """Everything about the registry *name* without what is drawn at random; *other* is another registry's name."""
    registry = next(
        each for each in azure.world.of_type("Microsoft.MachineLearningServices/registries") if each.name == name
    )
    words = {name, *(part.name for part in scenery.parts_of(azure, registry))}
    words |= {
        nic.id.rsplit(".", 1)[0] for nic in azure.world.of_type("Microsoft.Network/networkInterfaces") if name in nic.id
    }
    found = set()
    for resource in azure.world.resources.values():
        text = json.dumps(stripped(resource), sort_keys=True)
        if any(word in text for word in words) and other not in text:
            found.add(random_free(text.replace(name, "<registry>")))
    return found


def stripped(resource: Resource) -> Any:
    """The body without entity tags; a subnet and a topic name everything, so they say nothing about one registry."""
    if resource.type.endswith("/subnets") or "EventGrid" in resource.type:
        return {}
    return json.loads(
        json.dumps(resource.body), object_hook=lambda each: {k: v for k, v in each.items() if k != "etag"}
    )


def random_free(text: str) -> str:
    for pattern, word in _RANDOM:
        text = pattern.sub(word, text)
    return text


def test_a_crowd_is_what_the_app_makes_of_a_registry() -> None:
    async def story() -> None:
        house, crowd = crowded_house(1)
        async with house:
            name = crowd.hubs[0].pattern.replace("*", "999999")
            fresh = scenery.create_registry(house.azure, name, now=house.now())
            assert await house.settle(fresh) == "converged"
            made = arm_ids.parse(crowd.registries[0]).name
            expected = likeness(house.azure, name, made)
            assert len(expected) == 21
            assert likeness(house.azure, made, name) == expected

    run_virtual(story())


def test_the_app_finds_a_crowd_isolated_and_writes_nothing() -> None:
    async def story() -> None:
        house, crowd = crowded_house(20)
        async with house:
            before = len(house.azure.log)
            for registry in crowd.registries:
                await house.ask(registry)
            for registry in crowd.registries:
                assert await house.settle(registry) == "converged"
                assert unisolated(house.azure, registry) == []
            assert house.writes(before) == []

    run_virtual(story())


def test_a_crowd_is_spread_over_subscriptions_and_networks() -> None:
    azure = SimulatedAzure()
    crowd = put_isolated_registries(azure, REGISTRIES_PER_HUB + 1, subscriptions=3)
    assert {arm_ids.parse(each).subscription for each in crowd.registries} == set(crowd.subscriptions)
    assert (len(crowd.registries), len(crowd.subscriptions), len(crowd.hubs)) == (334, 3, 2)
    held: dict[str, int] = {}
    for endpoint in azure.world.of_type("Microsoft.Network/privateEndpoints"):
        subnet = str(endpoint.properties["subnet"]["id"])
        held[subnet] = held.get(subnet, 0) + 1
    assert sorted(held.values()) == [3, 999]
    assert max(held.values()) <= ENDPOINTS_PER_NETWORK


def test_a_crowd_is_in_the_graph_at_once() -> None:
    azure = SimulatedAzure()
    before = azure.world.now
    put_isolated_registries(azure, 5, subscriptions=2)
    assert azure.world.now == before
    found = rows(ArmClient(azure), "Resources | summarize n = count() by type | order by type asc")
    counts = {each["type"].rpartition("/")[2]: each["n"] for each in found}
    assert counts["privateendpoints"] == counts["networkinterfaces"] == 15
    assert counts["virtualnetworklinks"] == counts["privatednszones"] == 3
    records = rows(ArmClient(azure), "DnsResources | count")
    assert records == [{"Count": 20}]


def test_more_than_the_hubs_can_serve_is_refused() -> None:
    with pytest.raises(scenery.SceneryError, match="more than"):
        put_isolated_registries(SimulatedAzure(), 250 * REGISTRIES_PER_HUB + 1)


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collection_of_garbage_goes_on_as_it_was(collecting: bool) -> None:  # noqa: FBT001
    before = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        put_isolated_registries(SimulatedAzure(), 1)
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if before else gc.disable)()
