"""What is taken away behind everybody's back while something is under way: the operation ends, and makes nothing anew."""

from collections.abc import Callable

import pytest

from local.simulator.scenery import registry_body
from local.simulator.wire import Response
from tests.local.simulator.scene import Scene

ACR, ML = "2023-11-01-preview", "2024-04-01"
PREMIUM = {"location": "westeurope", "sku": {"name": "Premium"}}


class Place(Scene):
    """The scene, with names for what else may be made in it."""

    def __init__(self) -> None:
        super().__init__()
        self.acr = f"{self.rg}/providers/Microsoft.ContainerRegistry/registries/contosoacr"
        provider = f"{self.rg}/providers/Microsoft.MachineLearningServices"
        self.registry, self.workspace = f"{provider}/registries/contoso", f"{provider}/workspaces/studio"
        self.pe = f"{self.network}/privateEndpoints/pe"
        self.zone_group_id = f"{self.pe}/privateDnsZoneGroups/default"

    def made(self, path: str, body: object, version: str) -> None:
        assert self.put(path, body, version=version).status < 300
        self.rest()

    def connection(self, target: str, group: str, version: str) -> str:
        """An approved connection on a target."""
        body = self.endpoint_body(target)
        body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"] = [group]
        self.made(self.pe, body, self.version)
        (found,) = self.get(f"{target}/privateEndpointConnections", version=version).json()["value"]
        return str(found["id"])


type Start = Callable[[Place], tuple[Response, str]]
"""Starts something long; the answer, and the id of what is taken away meanwhile."""


def endpoint_itself(place: Place) -> tuple[Response, str]:
    return place.endpoint(), place.pe


def endpoint_of_a_zone_group(place: Place) -> tuple[Response, str]:
    place.endpoint()
    place.rest()
    return place.zone_group(), place.pe


def container_registry(place: Place) -> tuple[Response, str]:
    return place.put(place.acr, {**PREMIUM, "identity": {"type": "SystemAssigned"}}, version=ACR), place.acr


def replication(place: Place) -> tuple[Response, str]:
    place.made(place.acr, PREMIUM, ACR)
    path = f"{place.acr}/replications/northeurope"
    return place.put(path, {"location": "northeurope"}, version=ACR), path


def registry_of_a_replication_that_goes(place: Place) -> tuple[Response, str]:
    place.made(place.acr, PREMIUM, ACR)
    place.made(f"{place.acr}/replications/northeurope", {"location": "northeurope"}, ACR)
    return place.delete(f"{place.acr}/replications/northeurope", version=ACR), place.acr


def decided_connection(place: Place) -> tuple[Response, str]:
    place.made(place.acr, PREMIUM, ACR)
    path = place.connection(place.acr, "registry", ACR)
    state = {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "no"}}
    return place.put(path, {"properties": state}, version=ACR), path


def learning_registry(place: Place) -> tuple[Response, str]:
    return place.put(place.registry, registry_body(), version=ML), place.registry


def changed_learning_registry(place: Place) -> tuple[Response, str]:
    place.made(place.registry, registry_body(), ML)
    return place.put(place.registry, registry_body(), version=ML), place.registry


def deleted_learning_registry(place: Place) -> tuple[Response, str]:
    place.made(place.registry, registry_body(), ML)
    return place.delete(place.registry, version=ML), place.registry


def connection_of_a_learning_registry(place: Place) -> tuple[Response, str]:
    place.made(place.registry, registry_body(), ML)
    path = place.connection(place.registry, "amlregistry", ML)
    return place.delete(path, version=ML), path


def changed_workspace(place: Place) -> tuple[Response, str]:
    place.made(place.workspace, {"location": "westeurope", "properties": {}}, ML)
    return place.patch(place.workspace, {"tags": {"a": "b"}}, version=ML), place.workspace


STARTS = (
    endpoint_itself,
    endpoint_of_a_zone_group,
    container_registry,
    replication,
    registry_of_a_replication_that_goes,
    decided_connection,
    learning_registry,
    changed_learning_registry,
    deleted_learning_registry,
    connection_of_a_learning_registry,
    changed_workspace,
)


@pytest.mark.parametrize("start", STARTS)
def test_an_operation_ends_though_its_resource_was_taken_away(start: Start) -> None:
    place = Place()
    answer, taken = start(place)
    assert answer.status in (200, 201, 202)

    assert place.azure.world.delete(taken)
    place.rest()

    assert place.azure.world.get(taken) is None
    assert [each.id for each in place.azure.operations.all.values() if each.running] == []


@pytest.mark.parametrize("word", ["Reject", "Disconnect"])
def test_a_target_that_said_no_meanwhile_is_not_told_of_the_connection(word: str) -> None:
    place = Place()
    place.endpoint(manual=True)
    place.azure.links.state_changed(place.account, place.pe, f"{word}ed", "no")
    place.rest()

    assert place.connection_now()["status"] == f"{word}ed"
    assert place.get(f"{place.account}/privateEndpointConnections", version="2023-05-01").json()["value"] == []


def test_a_managed_group_that_was_deleted_during_the_creation_stays_empty_until_its_end() -> None:
    place = Place()
    place.put(place.registry, registry_body(), version=ML)
    place.wait(20)
    (group,) = (
        each for each in place.azure.world.of_type("Microsoft.Resources/resourceGroups") if each.key != place.rg.lower()
    )
    place.azure.world.delete(group.id)
    place.wait(20)

    assert place.azure.world.get(group.id) is None
    assert not list(place.azure.world.children(group.id))


def test_a_learning_registry_that_is_deleted_while_it_is_made_leaves_nothing() -> None:
    place = Place()
    place.put(place.registry, registry_body(), version=ML)
    place.wait(1)
    assert place.delete(place.registry, version=ML).status == 202
    place.rest()

    assert place.get(place.registry, version=ML).status == 404


def test_a_subnet_that_is_gone_takes_no_address_back() -> None:
    place = Place()
    place.endpoint()
    place.rest()
    place.azure.world.delete(place.subnet)
    place.azure.links.members_changed(place.account)

    assert place.delete(place.pe).status == 202
    place.rest()
    assert place.get(place.pe).status == 404
