"""The independent look that campaigns, storms and scenarios have the last word of sees whatever is wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.world import Resource
from local.verdict import endpoints_of, resolve, unisolated
from tests.local.isolated import IsolatedWorld, isolated_world, put


@pytest.fixture
def world() -> IsolatedWorld:
    return isolated_world()


def the_endpoint(world: IsolatedWorld) -> Resource:
    """Of the registry itself."""
    return world.azure.require(world.endpoint(world.registry))


def the_connection(world: IsolatedWorld) -> dict[str, Any]:
    found: dict[str, Any] = the_endpoint(world).properties["privateLinkServiceConnections"][0]["properties"]
    return found


def the_interface(world: IsolatedWorld) -> Resource:
    return world.azure.require(the_endpoint(world).properties["networkInterfaces"][0]["id"])


def forget(world: IsolatedWorld, *resources: Resource) -> None:
    """Without Azure's own tidying up."""
    for resource in resources:
        world.azure.world.delete(resource.id)


def test_an_isolated_registry_has_no_problem(world: IsolatedWorld) -> None:
    assert unisolated(world.azure, world.registry.id) == []


def open_registry(world: IsolatedWorld) -> None:
    world.registry.properties["publicNetworkAccess"] = "Enabled"


def say_nothing_of_access(world: IsolatedWorld) -> None:
    """What Azure does not say is open."""
    del world.parts[0].properties["publicNetworkAccess"]


def lose_endpoint(world: IsolatedWorld) -> None:
    forget(world, the_endpoint(world))


def reject(world: IsolatedWorld) -> None:
    the_connection(world)["privateLinkServiceConnectionState"]["status"] = "Rejected"


def stay_updating(world: IsolatedWorld) -> None:
    the_endpoint(world).properties["provisioningState"] = "Updating"


def lose_interface(world: IsolatedWorld) -> None:
    forget(world, the_interface(world))


def lose_records(world: IsolatedWorld) -> None:
    forget(world, *world.azure.world.children(world.zone("amlregistry"), "Microsoft.Network/privateDnsZones/A"))


def lose_links(world: IsolatedWorld) -> None:
    links = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
    forget(world, *world.azure.world.children(world.zone("amlregistry"), links))


def lead_elsewhere(world: IsolatedWorld) -> None:
    for record in world.azure.world.children(world.zone("amlregistry"), "Microsoft.Network/privateDnsZones/A"):
        record.properties["aRecords"] = [{"ipv4Address": "203.0.113.7"}]


def lose_names(world: IsolatedWorld) -> None:
    for configuration in the_interface(world).properties["ipConfigurations"]:
        configuration["properties"]["privateLinkConnectionProperties"]["fqdns"] = []


NAME = "contoso-models"


@pytest.mark.parametrize(
    ("break_it", "sentences"),
    [
        (open_registry, [f"{NAME} is open"]),
        (say_nothing_of_access, [" is open"]),
        (lose_endpoint, [f"{NAME} has no endpoint"]),
        (reject, [f"pe-{NAME} is Rejected"]),
        (stay_updating, [f"pe-{NAME} is Updating"]),
        (lose_interface, [f"pe-{NAME} has no network interface", f"pe-{NAME} has no names"]),
        (lose_records, [" does not resolve to "]),
        (lose_links, [" does not resolve to "]),
        (lead_elsewhere, [" does not resolve to "]),
        (lose_names, [f"pe-{NAME} has no names"]),
    ],
)
def test_whatever_is_wrong_is_a_sentence(
    world: IsolatedWorld, break_it: Callable[[IsolatedWorld], None], sentences: list[str]
) -> None:
    break_it(world)

    problems = unisolated(world.azure, world.registry.id)

    assert problems != []
    assert all(any(sentence in problem for sentence in sentences) for problem in problems)
    assert all(any(sentence in problem for problem in problems) for sentence in sentences)


def test_a_broken_endpoint_beside_a_working_one_does_no_harm(world: IsolatedWorld) -> None:
    connection = {"name": "x", "properties": {"privateLinkServiceId": world.registry.id, "groupIds": ["amlregistry"]}}
    properties = {"subnet": {"id": world.scene.subnet}, "privateLinkServiceConnections": [connection]}
    put(world, world.endpoint(world.registry) + "-2", {"location": "westeurope", "properties": properties})
    scenery.rest(world.azure)
    second = world.azure.require(world.endpoint(world.registry) + "-2")
    second.properties["provisioningState"] = "Failed"
    assert len(endpoints_of(world.azure, world.registry)) == 2

    assert unisolated(world.azure, world.registry.id) == []

    reject(world)
    assert unisolated(world.azure, world.registry.id) != []


def test_a_registry_that_is_gone_is_not_isolated(world: IsolatedWorld) -> None:
    assert unisolated(world.azure, f"{world.registry.id}-2") == [f"{world.registry.id}-2 does not exist"]


def test_names_resolve_only_in_the_network_that_the_zone_is_linked_to(world: IsolatedWorld) -> None:
    endpoint = the_endpoint(world)
    names = the_interface(world).properties["ipConfigurations"][0]["properties"]
    (fqdn, *_) = names["privateLinkConnectionProperties"]["fqdns"]
    assert resolve(world.azure, fqdn, endpoint) == [names["privateIPAddress"]]
    assert resolve(world.azure, "www.example.com", endpoint) == []

    endpoint.properties["subnet"]["id"] = world.scene.subnet.replace("/virtualNetworks/", "/virtualNetworks/x-")
    assert resolve(world.azure, fqdn, endpoint) == []
