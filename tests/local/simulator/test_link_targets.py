"""Registries, storage accounts, container registries and workspaces as targets of private endpoints."""

from typing import Any

import pytest

from local.simulator.azure import SimulatedAzure
from local.simulator.scenery import (
    Scene,
    create_registry,
    create_storage_account,
    create_workspace,
    parts_of,
    send,
    standard_world,
)
from local.simulator.wire import Response
from local.simulator.world import Resource
from tests.local.simulator.arm_client import ArmClient

NETWORK = "2024-05-01"


class Stage:
    """A registry in a standard world, and a way to connect things to its network."""

    def __init__(self, regions: tuple[str, ...] = ("westeurope",), prefix: str = "10.0.1.0/24") -> None:
        self.azure = SimulatedAzure(seed=9)
        self.scene: Scene = standard_world(self.azure, subnet_prefix=prefix)
        self.registry = create_registry(self.azure, "contoso", regions, group=self.scene.registries_group)
        *self.storages, self.container_registry = parts_of(self.azure, self.registry)
        self.client = ArmClient(self.azure, version="2025-06-01")

    def connect(self, name: str, target: Resource, group: str, *, manual: bool = False) -> Response:
        member = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
        link = {"privateLinkServiceId": target.id, "groupIds": [group], "requestMessage": "please"}
        connection = {"name": name, "properties": link}
        body = {"location": "westeurope", "properties": {"subnet": {"id": self.scene.subnet}, member: [connection]}}
        return self.client.put(self.endpoint_id(name), body, version=NETWORK)

    def endpoint_id(self, name: str) -> str:
        return f"{self.scene.network_group}/providers/Microsoft.Network/privateEndpoints/{name}"

    def endpoint(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(self.endpoint_id(name), version=NETWORK).json()["properties"]
        return found

    def link_state(self, name: str) -> str:
        properties = self.endpoint(name)
        (link,) = properties["privateLinkServiceConnections"] + properties["manualPrivateLinkServiceConnections"]
        return str(link["properties"]["privateLinkServiceConnectionState"]["status"])

    def connections(self, target: Resource, version: str = "2025-06-01") -> list[dict[str, Any]]:
        found = self.client.get(f"{target.id}/privateEndpointConnections", version=version).json()["value"]
        return list(found)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def approve(stage: Stage, connection: dict[str, Any], status: str, *, version: str = "2025-06-01") -> Response:
    state = {"status": status, "description": "because"}
    body = {"properties": {"privateLinkServiceConnectionState": state}}
    return stage.client.put(connection["id"], body, version=version)


def test_each_target_lists_an_approved_connection_in_its_own_words(stage: Stage) -> None:
    stage.connect("pe-registry", stage.registry, "amlregistry")
    stage.connect("pe-blob", stage.storages[0], "blob")
    stage.connect("pe-acr", stage.container_registry, "registry")
    stage.client.rest()

    (registry,) = stage.connections(stage.registry)
    (blob,) = stage.connections(stage.storages[0])
    (container_registry,) = stage.connections(stage.container_registry, "2025-11-01")
    assert registry["properties"]["privateLinkServiceConnectionState"]["actionsRequired"] == "None"
    assert (registry["isApproved"], registry["type"], registry["peName"]) == (True, None, "pe-registry")
    assert registry["connectionDetails"][0]["privateIpAddress"].startswith("10.0.1.")
    assert blob["properties"]["privateLinkServiceConnectionState"] == {
        "status": "Approved",
        "description": "Auto-Approved",
        "actionRequired": "None",
    }
    assert container_registry["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    assert "-" not in container_registry["name"].split(".")[1]


def test_the_registry_names_its_connections_by_api_version(stage: Stage) -> None:
    stage.connect("pe-registry", stage.registry, "amlregistry")
    stage.client.rest()
    old = stage.client.get(stage.registry.id, version="2024-04-01").json()["properties"]
    new = stage.client.get(stage.registry.id, version="2025-06-01").json()["properties"]
    (before,) = old["privateEndpointConnections"]
    (after,) = new["registryPrivateEndpointConnections"]
    assert before["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    assert after["properties"]["registryPrivateLinkServiceConnectionState"]["status"] == "Approved"
    assert after["properties"]["privateEndpoint"]["subnetArmId"] == stage.scene.subnet
    assert "privateEndpointConnections" not in new


def test_endpoint_names_follow_the_target(stage: Stage) -> None:
    stage.connect("pe-registry", stage.registry, "amlregistry")
    stage.connect("pe-acr", stage.container_registry, "registry")
    stage.client.rest()
    names = [each["fqdn"] for each in stage.endpoint("pe-acr")["customDnsConfigs"]]
    login = f"{stage.container_registry.name}.azurecr.io"
    assert names == [f"{stage.container_registry.name}.westeurope.data.azurecr.io", login]
    (name,) = [each["fqdn"] for each in stage.endpoint("pe-registry")["customDnsConfigs"]]
    assert name.endswith(".workspace.westeurope.api.azureml.ms")


def test_a_manual_connection_waits_until_somebody_approves_it_on_the_target(stage: Stage) -> None:
    stage.connect("pe-registry", stage.registry, "amlregistry", manual=True)
    stage.client.rest()
    (waiting,) = stage.connections(stage.registry)
    assert (waiting["isApproved"], waiting["requestDescription"]) == (False, "please")
    assert stage.link_state("pe-registry") == "Pending"

    answer = approve(stage, waiting, "Approved")
    assert (answer.status, answer.json()["isApproved"]) == (200, True)
    assert stage.link_state("pe-registry") == "Approved"
    approve(stage, waiting, "Rejected")
    assert stage.link_state("pe-registry") == "Rejected"


def test_storage_refuses_to_approve_what_is_approved(stage: Stage) -> None:
    stage.connect("pe-blob", stage.storages[0], "blob")
    stage.client.rest()
    (blob,) = stage.connections(stage.storages[0])
    assert stage.client.error(approve(stage, blob, "Approved")) == (400, "InvalidValuesForRequestParameters")
    assert approve(stage, blob, "Rejected").json()["properties"]["privateLinkServiceConnectionState"] == {
        "status": "Rejected",
        "description": "because",
        "actionRequired": "None",
    }
    assert stage.link_state("pe-blob") == "Rejected"
    assert stage.client.error(approve(stage, blob, "Approved"))[0] == 400


def test_a_container_registry_answers_an_approval_with_the_state_before(stage: Stage) -> None:
    stage.connect("pe-acr", stage.container_registry, "registry", manual=True)
    stage.client.rest()
    (waiting,) = stage.connections(stage.container_registry, "2025-11-01")
    answer = approve(stage, waiting, "Approved", version="2025-11-01")
    assert answer.status == 201
    assert answer.json()["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending"
    assert answer.json()["properties"]["provisioningState"] == "Updating"

    poll = stage.client.get(answer.header("Azure-AsyncOperation"))
    assert (poll.status, poll.json()["status"]) == (201, "Updating")
    stage.client.wait(31)
    done = stage.client.get(answer.header("Azure-AsyncOperation"))
    assert (done.status, done.json()["status"]) == (200, "Succeeded")
    assert stage.link_state("pe-acr") == "Approved"


def test_a_deleted_connection_disconnects_its_endpoint(stage: Stage) -> None:
    for name, target, group in (
        ("pe-registry", stage.registry, "amlregistry"),
        ("pe-blob", stage.storages[0], "blob"),
        ("pe-acr", stage.container_registry, "registry"),
    ):
        stage.connect(name, target, group)
        stage.client.rest()
        (connection,) = stage.connections(target)
        assert stage.client.delete(connection["id"]).status in {200, 202}
        stage.client.rest()
        assert stage.link_state(name) == "Disconnected"
        assert stage.connections(target) == []


def test_an_unknown_connection_of_a_registry_is_missed_in_its_own_words(stage: Stage) -> None:
    answer = stage.client.get(f"{stage.registry.id}/privateEndpointConnections/nobody")
    assert answer.status == 404
    assert answer.json()["error"]["innerError"] is None
    assert answer.json()["error"]["message"] == "Can't find PrivateEndpointConnection: nobody"


def test_a_deleted_registry_disconnects_every_endpoint_of_its_parts(stage: Stage) -> None:
    stage.connect("pe-registry", stage.registry, "amlregistry")
    stage.connect("pe-blob", stage.storages[0], "blob")
    stage.connect("pe-acr", stage.container_registry, "registry")
    stage.client.rest()
    stage.client.delete(stage.registry.id)
    stage.client.rest()
    assert {stage.link_state(name) for name in ("pe-registry", "pe-blob", "pe-acr")} == {"Disconnected"}


def test_a_deleted_endpoint_leaves_no_connection_behind(stage: Stage) -> None:
    stage.connect("pe-registry", stage.registry, "amlregistry")
    stage.client.rest()
    stage.client.delete(stage.endpoint_id("pe-registry"), version=NETWORK)
    stage.client.rest()
    assert stage.connections(stage.registry) == []


def test_a_connection_turns_data_endpoints_on(stage: Stage) -> None:
    stage.connect("pe-acr", stage.container_registry, "registry")
    stage.client.rest()
    body = stage.client.get(stage.container_registry.id, version="2025-11-01").json()["properties"]
    assert body["dataEndpointEnabled"] is True
    assert len(body["dataEndpointHostNames"]) == 1


def test_no_endpoint_is_made_while_a_replication_is_under_way(stage: Stage) -> None:
    replication = f"{stage.container_registry.id}/replications/northeurope"
    send(stage.azure, "PUT", replication, {"location": "northeurope"}, api_version="2025-11-01")
    assert stage.client.error(stage.connect("pe-acr", stage.container_registry, "registry"))[0] == 409
    stage.client.rest()
    assert stage.connect("pe-acr", stage.container_registry, "registry").status == 201


def test_a_new_replication_gives_existing_endpoints_another_address(stage: Stage) -> None:
    stage.connect("pe-acr", stage.container_registry, "registry")
    stage.client.rest()
    assert len(stage.endpoint("pe-acr")["customDnsConfigs"]) == 2
    replication = f"{stage.container_registry.id}/replications/northeurope"
    send(stage.azure, "PUT", replication, {"location": "northeurope"}, api_version="2025-11-01")
    stage.client.rest()
    assert len(stage.endpoint("pe-acr")["customDnsConfigs"]) == 3


def test_a_replication_without_a_free_address_is_undone() -> None:
    stage = Stage(prefix="10.0.1.0/29")
    stage.connect("pe-acr", stage.container_registry, "registry")
    stage.connect("pe-blob", stage.storages[0], "blob")
    stage.client.rest()
    replication = f"{stage.container_registry.id}/replications/northeurope"
    started = stage.client.put(replication, {"location": "northeurope"}, version="2025-11-01")
    stage.client.rest()
    poll = stage.client.get(started.header("Azure-AsyncOperation")).json()
    assert poll["status"] == "Failed"
    assert "endpoints" not in poll["error"]["message"]
    assert stage.client.get(replication, version="2025-11-01").status == 404
    assert len(stage.endpoint("pe-acr")["customDnsConfigs"]) == 2


def test_a_workspace_is_a_target_with_two_zones(stage: Stage) -> None:
    storage = create_storage_account(stage.azure, "workspacedata")
    workspace = create_workspace(stage.azure, "studio", storage.id)
    (resource,) = stage.client.get(f"{workspace.id}/privateLinkResources").json()["value"]
    assert resource["properties"]["requiredZoneNames"] == [
        "privatelink.api.azureml.ms",
        "privatelink.notebooks.azure.net",
    ]
    stage.connect("pe-workspace", workspace, "amlworkspace")
    stage.client.rest()
    shown = stage.client.get(workspace.id).json()["properties"]
    assert (shown["privateLinkCount"], len(shown["privateEndpointConnections"])) == (1, 1)
