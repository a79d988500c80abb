"""Connections of private endpoints on a container registry: who may have one, and what becomes of its state."""

from typing import Any

import pytest

from local.simulator.faults import Fault, FaultKind
from local.simulator.providers.container_registry_bodies import MAX_PRIVATE_ENDPOINTS
from local.simulator.wire import Response
from tests.local.simulator.scene import Scene

VERSION = "2023-11-01-preview"


class Linked(Scene):
    """The scene, with a container registry."""

    def __init__(self, tier: str = "Premium") -> None:
        super().__init__(prefix="10.0.1.0/24")
        self.registry = f"{self.rg}/providers/Microsoft.ContainerRegistry/registries/contosoacr"
        made = self.put(self.registry, {"location": "westeurope", "sku": {"name": tier}}, version=VERSION)
        assert made.status == 200

    def linked(self, name: str = "pe", *, manual: bool = False) -> Response:
        body = self.endpoint_body(self.registry, manual=manual)
        member = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
        body["properties"][member][0]["properties"]["groupIds"] = ["registry"]
        return self.put(f"{self.network}/privateEndpoints/{name}", body)

    def connection(self) -> dict[str, Any]:
        (found,) = self.get(f"{self.registry}/privateEndpointConnections", version=VERSION).json()["value"]
        shown: dict[str, Any] = found
        return shown

    def decide(self, status: str) -> Response:
        body = {"properties": {"privateLinkServiceConnectionState": {"status": status, "description": "so be it"}}}
        return self.put(self.connection()["id"], body, version=VERSION)


@pytest.mark.parametrize("tier", ["Basic", "Standard"])
def test_below_premium_there_are_no_endpoints(tier: str) -> None:
    scene = Linked(tier)
    assert scene.error(scene.linked()) == (400, "PrivateEndpointNotSupported")


def test_a_registry_has_no_more_endpoints_than_the_documentation_says() -> None:
    scene = Linked()
    assert scene.linked().status == 201
    scene.rest()
    made = scene.connection()
    for number in range(MAX_PRIVATE_ENDPOINTS - 1):
        scene.azure.world.put({**made, "id": f"{made['id']}{number}", "name": f"{made['name']}{number}"})
    assert scene.error(scene.linked("pe-one-too-many")) == (400, "PrivateEndpointQuotaExceeded")


def test_an_endpoint_waits_until_a_replication_is_ready() -> None:
    scene = Linked()
    scene.put(f"{scene.registry}/replications/northeurope", {"location": "northeurope"}, version=VERSION)
    assert scene.error(scene.linked()) == (409, "RegistryReplicationInProgress")
    scene.rest()
    assert scene.linked().status == 201


def test_a_decision_shows_the_old_state_first_and_reaches_the_endpoint() -> None:
    scene = Linked()
    scene.linked(manual=True)
    scene.rest()
    answer = scene.decide("Approved")
    state = answer.json()["properties"]["privateLinkServiceConnectionState"]
    assert (answer.status, state, answer.json()["properties"]["provisioningState"]) == (
        201,
        {"status": "Pending"},
        "Updating",
    )
    scene.rest()
    assert scene.connection()["properties"]["privateLinkServiceConnectionState"] == {
        "status": "Approved",
        "description": "so be it",
    }
    assert scene.connection_now()["status"] == "Approved"


def test_a_state_that_nobody_knows_is_refused() -> None:
    scene = Linked()
    scene.linked()
    scene.rest()
    assert scene.error(scene.decide("Perhaps")) == (400, "InvalidConnectionState")
    assert scene.connection()["properties"]["provisioningState"] == "Succeeded"


def test_a_decision_that_fails_leaves_the_state_as_it_was() -> None:
    scene = Linked()
    scene.linked(manual=True)
    scene.rest()
    scene.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, method="PUT", path="privateEndpointConnections"))
    scene.decide("Approved")
    scene.rest()
    shown = scene.connection()["properties"]
    assert shown["provisioningState"] == "Failed"
    assert shown["privateLinkServiceConnectionState"]["status"] == "Pending"
    assert scene.connection_now()["status"] == "Pending"


def test_a_connection_that_is_deleted_disconnects_its_endpoint_and_is_gone() -> None:
    scene = Linked()
    scene.linked()
    scene.rest()
    connection = scene.connection()["id"]
    assert scene.delete(connection, version=VERSION).status == 202
    assert scene.connection()["properties"]["provisioningState"] == "Deleting"
    scene.rest()
    assert scene.connection_now()["status"] == "Disconnected"
    assert scene.delete(connection, version=VERSION).status == 204
