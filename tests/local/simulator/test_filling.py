"""Sparse resources of a seed document become what the service would show."""

from typing import Any

import pytest

from local.simulator.azure import SimulatedAzure
from local.simulator.providers.filling import fill
from local.simulator.scenery import parts_of
from local.simulator.world import Resource
from tests.local.simulator.arm_client import GROUP, ArmClient

REGISTRY = f"{GROUP}/providers/Microsoft.MachineLearningServices/registries/contoso"


def filled(client: ArmClient, kind: str, name: str, **body: Any) -> Resource:
    resource = client.azure.world.put({"id": f"{GROUP}/providers/{kind}/{name}", "properties": {}, **body})
    fill(client.azure, resource)
    return resource


@pytest.fixture
def client() -> ArmClient:
    client = ArmClient(SimulatedAzure(seed=8))
    client.group()
    return client


def test_an_account_keeps_what_the_document_says(client: ArmClient) -> None:
    acls = {"defaultAction": "Deny", "ipRules": [{"value": "198.51.100.1"}]}
    properties = {"publicNetworkAccess": "Disabled", "networkAcls": acls, "oddMember": 1}
    account = filled(client, "Microsoft.Storage/storageAccounts", "sparse", location="eastus", properties=properties)
    shown = client.get(account.id).json()
    assert (shown["location"], shown["kind"]) == ("eastus", "StorageV2")
    assert shown["properties"]["publicNetworkAccess"] == "Disabled"
    assert shown["properties"]["oddMember"] == 1
    assert shown["properties"]["networkAcls"]["virtualNetworkRules"] == []
    assert shown["properties"]["primaryEndpoints"]["blob"] == "https://sparse.blob.core.windows.net/"
    assert client.patch(account.id, {"properties": {"networkAcls": {"defaultAction": "Deny"}}}).status == 200


def test_a_container_registry_is_premium_unless_told(client: ArmClient) -> None:
    plain = filled(client, "Microsoft.ContainerRegistry/registries", "plain")
    basic = filled(client, "Microsoft.ContainerRegistry/registries", "basic", sku={"name": "Basic"})
    assert client.get(plain.id, version="2025-11-01").json()["sku"]["name"] == "Premium"
    assert client.get(basic.id, version="2025-11-01").json()["sku"]["name"] == "Basic"
    assert len(client.get(f"{plain.id}/replications", version="2025-11-01").json()["value"]) == 1


def test_a_registry_without_parts_gets_them(client: ArmClient) -> None:
    regions = [{"location": "westeurope"}, {"location": "northeurope"}]
    kind = "Microsoft.MachineLearningServices/registries"
    registry = filled(client, kind, "contoso", location="westeurope", properties={"regionDetails": regions})
    assert len(parts_of(client.azure, registry)) == 3
    assert client.get(registry.id).json()["properties"]["publicNetworkAccess"] == "Enabled"


def test_a_registry_that_names_its_parts_is_left_with_them(client: ArmClient) -> None:
    registry = filled(client, "Microsoft.MachineLearningServices/registries", "contoso")
    other = SimulatedAzure(seed=9)
    copied = {name: value for name, value in registry.body.items() if name in {"id", "location", "properties"}}
    again = other.world.put(copied)
    fill(other, again)
    assert again.properties["regionDetails"] == registry.properties["regionDetails"]
    assert again.properties["managedResourceGroup"] == registry.properties["managedResourceGroup"]


def test_a_workspace_is_completed(client: ArmClient) -> None:
    kind = "Microsoft.MachineLearningServices/workspaces"
    workspace = filled(client, kind, "studio", properties={"storageAccount": "/somewhere"})
    shown = client.get(workspace.id, version="2024-04-01").json()["properties"]
    assert (shown["storageAccount"], shown["provisioningState"]) == ("/somewhere", "Succeeded")


def test_other_types_stay_as_they_are(client: ArmClient) -> None:
    resource = filled(client, "Microsoft.KeyVault/vaults", "vault", location="westeurope")
    assert resource.properties == {}
