"""Microsoft.MachineLearningServices/registries: the life of a registry as recorded."""

import re
from typing import Any

import pytest

from local.simulator.azure import SimulatedAzure
from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from local.simulator.scenery import create_registry, parts_of, registry_body
from local.simulator.wire import Response
from tests.local.simulator.arm_client import GROUP, SUB, ArmClient

REGISTRY = f"{GROUP}/providers/Microsoft.MachineLearningServices/registries/contoso"
GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture
def client() -> ArmClient:
    client = ArmClient(version="2025-06-01")
    client.group()
    return client


def made(options: Options | None = None, regions: tuple[str, ...] = ("westeurope", "northeurope")) -> ArmClient:
    client = ArmClient(SimulatedAzure(seed=5, options=options), version="2025-06-01")
    create_registry(client.azure, "contoso", regions)
    return client


def body_of(client: ArmClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get(REGISTRY).json()
    return found


def properties(client: ArmClient) -> dict[str, Any]:
    found: dict[str, Any] = body_of(client)["properties"]
    return found


def accesses(client: ArmClient) -> set[str]:
    registry = client.azure.world.get(REGISTRY)
    assert registry is not None
    return {each.properties.get("publicNetworkAccess", "Enabled") for each in parts_of(client.azure, registry)}


def close(client: ArmClient, *, version: str = "") -> Response:
    """What a careful client does: everything as read, one field changed."""
    body = body_of(client)
    body["properties"]["publicNetworkAccess"] = "Disabled"
    return client.put(REGISTRY, body, version=version)


# -- creation ----------------------------------------------------------------------------------------------------------


def test_creation_is_a_202_without_body_with_two_operation_urls_and_no_retry_after(client: ArmClient) -> None:
    answer = client.put(REGISTRY, registry_body())
    assert (answer.status, answer.body, answer.header("Content-Type")) == (202, b"", "")
    status, location = answer.header("Azure-AsyncOperation"), answer.header("Location")
    assert "/registryOperationsStatus/" in status
    assert "&type=async&" in status
    assert status.split("?")[0] == location.split("?")[0]
    assert "&type=location&" in location
    assert not answer.header("Retry-After")


def test_the_operation_ends_with_percent_complete(client: ArmClient) -> None:
    url = client.put(REGISTRY, registry_body()).header("Azure-AsyncOperation")
    assert client.get(url).json() == {"status": "InProgress"}
    client.wait(51)
    assert client.get(url).json() == {"status": "Succeeded", "percentComplete": 100.0}


def test_reads_during_the_creation_say_404_first_and_then_show_no_ids(client: ArmClient) -> None:
    client.put(REGISTRY, registry_body())
    refused = client.get(REGISTRY).json()
    assert refused["error"]["code"] == "UserError"
    assert refused["error"]["innerError"]["innerError"]["code"] == "RegistryNotFound"
    client.wait(20)
    early = properties(client)
    assert early["managedResourceGroup"] is None
    (detail,) = early["regionDetails"]
    assert detail["storageAccountDetails"][0]["systemCreatedStorageAccount"]["armResourceId"] is None
    assert detail["acrDetails"][0]["systemCreatedAcrAccount"]["armResourceId"] is None


def test_a_registry_that_is_not_visible_yet_is_in_no_list(client: ArmClient) -> None:
    listing = f"{GROUP}/providers/Microsoft.MachineLearningServices/registries"
    client.put(REGISTRY, registry_body())
    assert client.get(listing).json()["value"] == []
    client.wait(51)
    assert [each["name"] for each in client.get(listing).json()["value"]] == ["contoso"]


def test_a_finished_registry_owns_a_group_with_random_names_in_it(client: ArmClient) -> None:
    client.put(REGISTRY, registry_body(("westeurope", "northeurope")))
    client.wait(51)
    found = properties(client)
    group_id = found["managedResourceGroup"]["resourceId"]
    assert re.fullmatch(rf"{SUB}/resourceGroups/azureml-rg-contoso_{GUID}", group_id)
    group = client.get(group_id, version="2021-04-01").json()
    assert group["managedBy"] == REGISTRY

    storages = [
        each["storageAccountDetails"][0]["systemCreatedStorageAccount"]["armResourceId"]["resourceId"]
        for each in found["regionDetails"]
    ]
    container_registries = {
        each["acrDetails"][0]["systemCreatedAcrAccount"]["armResourceId"]["resourceId"]
        for each in found["regionDetails"]
    }
    assert len(set(storages)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{11}", each.rsplit("/", 1)[-1]) for each in storages)
    assert [client.get(each).json()["location"] for each in storages] == ["westeurope", "northeurope"]

    (container_registry,) = container_registries
    assert client.get(container_registry, version="2025-11-01").json()["sku"]["name"] == "Premium"
    replications = client.get(f"{container_registry}/replications", version="2025-11-01").json()["value"]
    assert {each["location"] for each in replications} == {"westeurope", "northeurope"}
    assert {each["properties"]["provisioningState"] for each in replications} == {"Succeeded"}


def test_a_registry_has_no_provisioning_state_and_shows_its_nulls(client: ArmClient) -> None:
    client.put(REGISTRY, registry_body())
    client.wait(51)
    found = body_of(client)
    assert "provisioningState" not in found["properties"]
    assert found["systemData"] is None
    assert found["properties"]["managedResourceGroupSettings"] is None
    assert found["properties"]["regionDetails"][0]["acrDetails"][0]["userCreatedAcrAccount"] is None
    assert found["properties"]["discoveryUrl"] == (
        "https://westeurope.api.azureml.ms/registrymanagement/v1.0/registries/contoso/discovery"
    )


def test_requested_account_names_are_ignored(client: ArmClient) -> None:
    body = registry_body()
    body["properties"]["regionDetails"][0]["storageAccountDetails"][0]["systemCreatedStorageAccount"] |= {
        "storageAccountName": "mine"
    }
    client.put(REGISTRY, body)
    client.wait(51)
    details = properties(client)["regionDetails"][0]["storageAccountDetails"][0]["systemCreatedStorageAccount"]
    assert details["storageAccountName"] != "mine"


def test_one_404_after_the_creation_is_not_a_deletion() -> None:
    client = ArmClient(SimulatedAzure(options=Options(registry_missing_once=True)))
    client.group()
    client.put(REGISTRY, registry_body())
    client.wait(51)
    assert [client.get(REGISTRY).status for _ in range(3)] == [404, 200, 200]


def test_a_registry_that_is_first_read_long_after_its_creation_is_there() -> None:
    client = ArmClient(SimulatedAzure(options=Options(registry_missing_once=True)))
    client.group()
    client.put(REGISTRY, registry_body())
    client.wait(60 * 60)
    assert client.get(REGISTRY).status == 200


def test_a_creation_that_fails_leaves_no_registry(client: ArmClient) -> None:
    client.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, method="PUT", path="registries/contoso$", code="Bad"))
    url = client.put(REGISTRY, registry_body()).header("Azure-AsyncOperation")
    client.wait(51)
    assert client.get(url).json()["status"] == "Failed"
    assert client.get(url).json()["error"]["code"] == "Bad"
    assert client.get(REGISTRY).status == 404


@pytest.mark.parametrize("name", ["a", "-start", "x" * 33, "dot.ted"])
def test_an_impossible_name_is_refused(client: ArmClient, name: str) -> None:
    assert client.put(REGISTRY.replace("/contoso", f"/{name}"), registry_body()).status == 400


def test_an_existing_storage_account_cannot_be_brought_along(client: ArmClient) -> None:
    body = registry_body()
    body["properties"]["regionDetails"][0]["storageAccountDetails"] = [
        {"userCreatedStorageAccount": {"armResourceId": {"resourceId": "/x"}}}
    ]
    assert client.put(REGISTRY, body).status == 400


def test_an_unknown_api_version_is_told_with_the_known_ones(client: ArmClient) -> None:
    answer = client.put(REGISTRY, registry_body(), version="2099-01-01")
    assert client.error(answer) == (400, "NoRegisteredProviderFound")
    assert "2025-06-01" in answer.json()["error"]["message"]


# -- update ------------------------------------------------------------------------------------------------------------


def test_an_update_that_repeats_what_was_read_changes_one_field_only() -> None:
    client = made()
    before = body_of(client)
    answer = close(client)
    assert (answer.status, answer.body) == (202, b"")
    assert body_of(client) == before
    client.wait(16)
    after = body_of(client)
    assert after["properties"].pop("publicNetworkAccess") == "Disabled"
    before["properties"].pop("publicNetworkAccess")
    assert after == before


def test_closing_reaches_storage_and_container_registry_after_a_while() -> None:
    client = made()
    close(client)
    client.wait(16)
    assert accesses(client) == {"Enabled"}
    client.wait(120)
    assert accesses(client) == {"Disabled"}


def test_closing_may_reach_nothing_at_all() -> None:
    client = made(Options(public_access_propagates=False))
    close(client)
    client.wait(100_000)
    assert properties(client)["publicNetworkAccess"] == "Disabled"
    assert accesses(client) == {"Enabled"}


def test_a_registry_born_closed_closes_its_parts() -> None:
    client = ArmClient()
    create_registry(client.azure, "contoso", public_access="Disabled")
    assert accesses(client) == {"Disabled"}


def test_a_second_region_adds_storage_and_a_replication() -> None:
    client = made(regions=("westeurope",))
    body = body_of(client)
    body["properties"]["regionDetails"].append({"location": "northeurope"})
    url = client.put(REGISTRY, body).header("Azure-AsyncOperation")
    client.wait(51)
    assert client.get(url).json()["status"] == "Succeeded"
    assert [each["location"] for each in properties(client)["regionDetails"]] == ["westeurope", "northeurope"]
    registry = client.azure.world.get(REGISTRY)
    assert registry is not None
    assert [each.location for each in parts_of(client.azure, registry)][:2] == ["westeurope", "northeurope"]


def test_an_id_that_is_sent_as_null_is_refused() -> None:
    client = made()
    body = body_of(client)
    body["properties"]["regionDetails"][0]["acrDetails"][0]["systemCreatedAcrAccount"]["armResourceId"] = None
    assert client.put(REGISTRY, body).status == 400


def test_settings_are_dropped_by_an_api_version_that_does_not_know_them() -> None:
    client = ArmClient(version="2025-06-01")
    settings = {"assignedIdentities": [{"principalId": "me"}]}
    create_registry(client.azure, "contoso", managedResourceGroupSettings=settings)
    close(client)
    client.wait(16)
    assert properties(client)["managedResourceGroupSettings"] == settings
    close(client, version="2024-10-01")
    client.wait(16)
    assert properties(client)["managedResourceGroupSettings"] is None


def test_a_registry_stays_where_it_is() -> None:
    client = made()
    body = body_of(client) | {"location": "eastus"}
    assert client.error(client.put(REGISTRY, body)) == (409, "InvalidResourceLocation")


def test_a_patch_knows_identity_sku_and_tags_only() -> None:
    client = made()
    answer = client.patch(REGISTRY, {"tags": {"a": "b"}})
    assert (answer.status, answer.json()["tags"]) == (200, {"a": "b"})
    assert client.patch(REGISTRY, {"properties": {"publicNetworkAccess": "Disabled"}}).status == 400
    assert properties(client)["publicNetworkAccess"] == "Enabled"


def test_the_identity_keeps_its_principal() -> None:
    client = made()
    before = body_of(client)["identity"]["principalId"]
    close(client)
    client.wait(16)
    assert body_of(client)["identity"]["principalId"] == before


# -- the managed group -------------------------------------------------------------------------------------------------


def test_a_denied_managed_group_lets_only_assigned_identities_write() -> None:
    azure = SimulatedAzure(options=Options(deny_managed_groups=True))
    chosen = azure.rbac.principal("chosen", actions=["*"])
    settings = {"assignedIdentities": [{"principalId": chosen.id}]}
    registry = create_registry(azure, "contoso", managedResourceGroupSettings=settings)
    storage = parts_of(azure, registry)[0].id
    patch = {"properties": {"publicNetworkAccess": "Disabled"}}
    owner = ArmClient(azure)
    assert owner.error(owner.patch(storage, patch)) == (403, "DenyAssignmentAuthorizationFailed")
    assert owner.get(storage).status == 200
    assert ArmClient(azure, principal=chosen.id).patch(storage, patch).status == 200


# -- deletion ----------------------------------------------------------------------------------------------------------


def test_deletion_takes_the_managed_group_along() -> None:
    client = made()
    group = properties(client)["managedResourceGroup"]["resourceId"]
    answer = client.delete(REGISTRY)
    assert (answer.status, answer.body) == (202, b"")
    assert client.get(REGISTRY).status == 200
    client.wait(61)
    assert client.get(answer.header("Azure-AsyncOperation")).json()["status"] == "Succeeded"
    assert client.error(client.get(REGISTRY)) == (404, "ResourceNotFound")
    assert client.get(group, version="2021-04-01").status == 404
    assert not list(client.azure.world.of_type("Microsoft.Storage/storageAccounts"))


def test_deleting_what_is_not_there_is_no_error(client: ArmClient) -> None:
    assert client.delete(REGISTRY).status == 204


# -- lists and discovery -----------------------------------------------------------------------------------------------


def test_registries_are_listed_in_pages() -> None:
    client = ArmClient()
    for number in range(103):
        create_registry(client.azure, f"reg{number:03}")
    url = f"{SUB}/providers/Microsoft.MachineLearningServices/registries"
    first = client.get(url).json()
    second = client.get(first["nextLink"]).json()
    assert (len(first["value"]), len(second["value"]), "nextLink" in second) == (100, 3, False)


def test_discovery_names_regions_and_hosts() -> None:
    client = made()
    found = client.get(properties(client)["discoveryUrl"]).json()
    assert (found["primaryRegion"], found["regions"]) == ("westeurope", ["westeurope", "northeurope"])
    assert found["resourceGroup"] == "rg-ml"
    assert set(found["registryFqdns"]) == {"westeurope", "northeurope"}
    assert found["registryFqdns"]["westeurope"]["uri"].endswith(".workspace.westeurope.api.azureml.ms/")


def test_discovery_tells_a_stranger_nothing() -> None:
    client = made()
    url = properties(client)["discoveryUrl"]
    client.azure.rbac.principal("stranger")
    assert ArmClient(client.azure, principal="stranger").get(url).status == 403
    assert client.get(url.replace("/contoso/", "/unknown/")).status == 403


def test_a_sovereign_cloud_has_hosts_of_its_own() -> None:
    client = ArmClient(SimulatedAzure(cloud="AzureUSGovernment"))
    create_registry(client.azure, "contoso", ("usgovarizona",))
    url = properties(client)["discoveryUrl"]
    assert url.startswith("https://usgovarizona.api.ml.azure.us/")
    (resource,) = client.get(f"{REGISTRY}/privateLinkResources").json()["value"]
    assert resource["properties"]["requiredZoneNames"] == ["privatelink.api.ml.azure.us"]
