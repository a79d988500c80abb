"""What machine learning registries and workspaces refuse, and what becomes of operations that fail."""

from typing import Any

import pytest

from local.simulator.azure import SimulatedAzure
from local.simulator.durations import Durations
from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from local.simulator.scenery import create_registry, parts_of, registry_body
from tests.local.simulator.arm_client import GROUP, ArmClient

PROVIDER = f"{GROUP}/providers/Microsoft.MachineLearningServices"
REGISTRY, WORKSPACE = f"{PROVIDER}/registries/contoso", f"{PROVIDER}/workspaces/studio"


@pytest.fixture
def client() -> ArmClient:
    client = ArmClient(version="2025-06-01")
    client.group()
    return client


def made() -> ArmClient:
    client = ArmClient(version="2025-06-01")
    create_registry(client.azure, "contoso")
    return client


def identities(body: dict[str, Any], *ids: str) -> dict[str, Any]:
    return {**body, "identity": {"type": "UserAssigned", "userAssignedIdentities": {each: {} for each in ids}}}


# -- registries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"location": None}, 400, "LocationRequired"),
        ({"location": "northeurope"}, 400, "UserError"),
        ({"properties": {**registry_body()["properties"], "publicNetworkAccess": "Ajar"}}, 400, "UserError"),
    ],
    ids=["no location", "a location without details", "a word that is none"],
)
def test_a_creation_that_makes_no_sense_is_refused(
    client: ArmClient, changes: dict[str, Any], status: int, code: str
) -> None:
    assert client.error(client.put(REGISTRY, registry_body() | changes)) == (status, code)
    assert client.azure.world.get(REGISTRY) is None


def test_a_registry_that_is_being_made_takes_no_second_creation(client: ArmClient) -> None:
    assert client.put(REGISTRY, registry_body()).status == 202
    assert client.error(client.put(REGISTRY, registry_body())) == (409, "UserError")
    client.rest()
    assert client.put(REGISTRY, registry_body()).status == 202


def test_a_creation_that_fails_leaves_no_registry(client: ArmClient) -> None:
    client.azure.faults.add(
        Fault(kind=FaultKind.FAIL_OPERATION, path="registries/contoso$", code="InternalServerError")
    )
    started = client.put(REGISTRY, registry_body())
    client.rest()
    told = client.get(started.header("Azure-AsyncOperation")).json()
    assert (told["status"], told["error"]["code"]) == ("Failed", "InternalServerError")
    assert client.get(REGISTRY).status == 404


def test_identities_of_the_user_keep_their_principals_and_may_be_exchanged() -> None:
    client = made()
    first, second = (f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}" for name in "ab")
    body = client.get(REGISTRY).json()
    client.patch(REGISTRY, identities({}, first))
    before = client.get(REGISTRY).json()["identity"]
    assert set(before) == {"type", "userAssignedIdentities"}

    client.put(REGISTRY, identities(body, first, second) | {"tags": {"team": "red"}})
    client.rest()
    after = client.get(REGISTRY).json()
    assert after["identity"]["userAssignedIdentities"][first] == before["userAssignedIdentities"][first]
    assert set(after["identity"]["userAssignedIdentities"]) == {first, second}
    assert after["tags"] == {"team": "red"}

    del body["tags"]
    client.put(REGISTRY, body)
    client.rest()
    assert client.get(REGISTRY).json()["tags"] == {"team": "red"}


def test_closing_reaches_no_part_where_the_platform_does_not_hand_it_down() -> None:
    client = ArmClient(SimulatedAzure(options=Options(public_access_propagates=False)), version="2025-06-01")
    registry = create_registry(client.azure, "contoso")
    body = client.get(REGISTRY).json()
    body["properties"]["publicNetworkAccess"] = "Disabled"
    client.put(REGISTRY, body)
    client.rest()
    assert client.get(REGISTRY).json()["properties"]["publicNetworkAccess"] == "Disabled"
    parts = parts_of(client.azure, registry)
    assert {each.properties.get("publicNetworkAccess", "Enabled") for each in parts} == {"Enabled"}


def test_a_registry_that_goes_before_its_parts_are_told_leaves_them_alone() -> None:
    client = made()
    body = client.get(REGISTRY).json()
    body["properties"]["publicNetworkAccess"] = "Disabled"
    client.put(REGISTRY, body)
    client.wait(client.azure.durations.registry_update + 0.5)
    registry = client.azure.require(REGISTRY)
    parts = parts_of(client.azure, registry)
    client.azure.world.delete(REGISTRY)
    client.rest()
    assert {each.properties.get("publicNetworkAccess", "Enabled") for each in parts} == {"Enabled"}


def test_a_registry_whose_managed_group_is_gone_can_be_deleted() -> None:
    client = made()
    group = client.get(REGISTRY).json()["properties"]["managedResourceGroup"]["resourceId"]
    client.azure.world.delete(group)
    assert client.delete(REGISTRY).status == 202
    client.rest()
    assert client.get(REGISTRY).status == 404


def test_a_server_answers_discovery_itself() -> None:
    azure = SimulatedAzure(endpoint="https://127.0.0.1:8443")
    create_registry(azure, "contoso")
    client = ArmClient(azure, version="2025-06-01")
    url = client.get(REGISTRY).json()["properties"]["discoveryUrl"]
    assert url.startswith("https://127.0.0.1:8443/")
    assert client.get(url).json()["registryName"] == "contoso"


# -- connections -------------------------------------------------------------------------------------------------------


def test_a_state_that_nobody_knows_is_refused_and_a_connection_that_is_gone_is_gone() -> None:
    client = made()
    connection = f"{REGISTRY}/privateEndpointConnections/one"
    properties = {
        "privateEndpoint": {"id": f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe"},
        "privateLinkServiceConnectionState": {"status": "Pending"},
        "provisioningState": "Succeeded",
    }
    client.azure.world.put({"id": connection, "location": "westeurope", "properties": properties})
    odd = client.put(connection, {"properties": {"privateLinkServiceConnectionState": {"status": "Perhaps"}}})
    assert client.error(odd) == (400, "UserError")
    assert client.delete(connection).status == 202
    client.rest()
    assert client.delete(connection).status == 204


# -- workspaces --------------------------------------------------------------------------------------------------------


def test_a_workspace_needs_a_location(client: ArmClient) -> None:
    answer = client.put(WORKSPACE, {"properties": {}}, version="2024-04-01")
    assert client.error(answer) == (400, "LocationRequired")


def test_a_put_on_a_workspace_changes_what_it_mentions_and_shows_the_vault_in_its_own_casing(client: ArmClient) -> None:
    vault = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv"
    for properties in ({"friendlyName": "one", "keyVault": vault}, {"description": "two", "keyVault": vault}):
        body = {"location": "westeurope", "properties": properties}
        assert client.put(WORKSPACE, body, version="2024-04-01").status == 202
        client.rest()
    shown = client.get(WORKSPACE, version="2024-04-01").json()["properties"]
    assert (shown["friendlyName"], shown["description"]) == ("one", "two")
    assert shown["keyVault"] == vault.replace("KeyVault", "Keyvault")


def test_a_registry_that_is_deleted_before_it_is_made_never_is() -> None:
    client = ArmClient(SimulatedAzure(durations=Durations(registry_delete=5.0)), version="2025-06-01")
    client.group()
    client.put(REGISTRY, registry_body())
    client.wait(2)
    assert client.delete(REGISTRY).status == 202
    client.wait(6)
    assert client.azure.world.get(REGISTRY) is None
    client.rest()
    assert client.azure.world.get(REGISTRY) is None


def test_a_part_that_somebody_deleted_is_left_out_when_the_others_are_closed() -> None:
    client = made()
    storage, container = parts_of(client.azure, client.azure.require(REGISTRY))
    client.azure.world.delete(storage.id)
    body = client.get(REGISTRY).json()
    body["properties"]["publicNetworkAccess"] = "Disabled"
    client.put(REGISTRY, body)
    client.rest()
    assert container.properties["publicNetworkAccess"] == "Disabled"
    assert client.azure.world.get(storage.id) is None
