"""Workspaces, as far as sharing with registries needs them."""

import pytest

from local.simulator.scenery import create_storage_account, create_workspace
from tests.local.simulator.arm_client import GROUP, SUB, ArmClient

WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/studio"


@pytest.fixture
def client() -> ArmClient:
    client = ArmClient(version="2024-04-01")
    client.group()
    storage = create_storage_account(client.azure, "workspacedata")
    create_workspace(client.azure, "studio", storage.id)
    return client


def test_creation_is_a_202_with_both_operation_urls() -> None:
    client = ArmClient(version="2024-04-01")
    client.group()
    answer = client.put(WORKSPACE, {"location": "westeurope", "properties": {"storageAccount": "/x"}})
    assert (answer.status, answer.body) == (202, b"")
    assert "/workspaceOperationsStatus/" in answer.header("Azure-AsyncOperation")
    assert client.get(answer.header("Azure-AsyncOperation")).json() == {"status": "InProgress"}
    client.wait(31)
    assert client.get(answer.header("Azure-AsyncOperation")).json()["status"] == "Succeeded"
    assert client.get(WORKSPACE).json()["properties"]["provisioningState"] == "Succeeded"


def test_a_workspace_names_its_storage_account(client: ArmClient) -> None:
    assert client.get(WORKSPACE).json()["properties"]["storageAccount"].endswith("/storageAccounts/workspacedata")


def test_a_patch_takes_its_time(client: ArmClient) -> None:
    answer = client.patch(WORKSPACE, {"properties": {"publicNetworkAccess": "Disabled"}, "tags": {"a": "b"}})
    assert answer.status == 202
    assert client.get(WORKSPACE).json()["properties"]["publicNetworkAccess"] == "Enabled"
    client.wait(41)
    found = client.get(WORKSPACE).json()
    assert (found["properties"]["publicNetworkAccess"], found["tags"]) == ("Disabled", {"a": "b"})


def test_workspaces_are_listed_by_group_and_by_subscription(client: ArmClient) -> None:
    for scope in (GROUP, SUB):
        listed = client.get(f"{scope}/providers/Microsoft.MachineLearningServices/workspaces").json()["value"]
        assert [each["name"] for each in listed] == ["studio"]


def test_deletion_is_a_202(client: ArmClient) -> None:
    assert client.delete(WORKSPACE).status == 202
    client.wait(31)
    assert client.error(client.get(WORKSPACE)) == (404, "ResourceNotFound")
    assert client.delete(WORKSPACE).status == 204
