"""Microsoft.ContainerRegistry: what is synchronous, what is not, and what needs Premium."""

from typing import Any

import pytest

from local.simulator.faults import Fault, FaultKind
from local.simulator.wire import Response
from tests.local.simulator.arm_client import GROUP, SUB, ArmClient

REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/contosoacr"
PREMIUM: dict[str, Any] = {"location": "West Europe", "sku": {"name": "Premium"}, "properties": {}}


@pytest.fixture
def client() -> ArmClient:
    client = ArmClient(version="2025-11-01")
    client.group()
    return client


@pytest.fixture
def premium(client: ArmClient) -> ArmClient:
    assert client.put(REGISTRY, PREMIUM).status == 200
    return client


def close(client: ArmClient) -> Response:
    return client.patch(REGISTRY, {"properties": {"publicNetworkAccess": "Disabled"}})


def replicate(client: ArmClient, region: str = "northeurope") -> Response:
    return client.put(f"{REGISTRY}/replications/{region}", {"location": region})


def members(client: ArmClient) -> list[str]:
    (group,) = client.get(f"{REGISTRY}/privateLinkResources").json()["value"]
    assert group["properties"]["requiredZoneNames"] == ["privatelink.azurecr.io"]
    found: list[str] = group["properties"]["requiredMembers"]
    return found


def test_a_plain_creation_is_done_at_once(client: ArmClient) -> None:
    answer = client.put(REGISTRY, PREMIUM)
    assert answer.status == 200
    assert answer.json()["properties"]["provisioningState"] == "Succeeded"
    assert answer.json()["properties"]["loginServer"] == "contosoacr.azurecr.io"
    assert answer.json()["location"] == "westeurope"


def test_a_creation_that_mentions_anonymous_pull_goes_on_after_its_201(client: ArmClient) -> None:
    answer = client.put(REGISTRY, {**PREMIUM, "properties": {"anonymousPullEnabled": False}})
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (201, "Creating")
    poll = answer.header("Azure-AsyncOperation")
    assert "/registries/contosoacr/operationStatuses/registries-" in poll
    assert client.get(poll).json() == {"status": "Creating"}
    client.wait(11)
    assert client.get(poll).json() == {"status": "Succeeded"}
    assert client.get(REGISTRY).json()["properties"]["provisioningState"] == "Succeeded"


def test_closing_public_access_is_synchronous_and_leaves_the_rule_set_alone(premium: ArmClient) -> None:
    answer = close(premium)
    assert (answer.status, answer.json()["properties"]["publicNetworkAccess"]) == (200, "Disabled")
    assert answer.json()["properties"]["networkRuleSet"]["defaultAction"] == "Allow"


def test_opening_again_leaves_the_default_action_denied(premium: ArmClient) -> None:
    both = {"publicNetworkAccess": "Disabled", "networkRuleSet": {"defaultAction": "Deny"}}
    premium.patch(REGISTRY, {"properties": both})
    opened = premium.patch(REGISTRY, {"properties": {"publicNetworkAccess": "Enabled"}}).json()["properties"]
    assert (opened["publicNetworkAccess"], opened["networkRuleSet"]["defaultAction"]) == ("Enabled", "Deny")


def test_a_rule_list_that_is_not_sent_stays(premium: ArmClient) -> None:
    address = {"defaultAction": "Deny", "ipRules": [{"value": "198.51.100.0/24"}]}
    premium.patch(REGISTRY, {"properties": {"networkRuleSet": address}})
    answer = premium.patch(REGISTRY, {"properties": {"networkRuleSet": {"defaultAction": "Allow"}}})
    assert answer.json()["properties"]["networkRuleSet"]["ipRules"] == [{"action": "Allow", "value": "198.51.100.0/24"}]


@pytest.mark.parametrize("tier", ["Basic", "Standard"])
def test_below_premium_nothing_can_be_closed(client: ArmClient, tier: str) -> None:
    made = client.put(REGISTRY, {"location": "westeurope", "sku": {"name": tier}})
    assert "networkRuleSet" not in made.json()["properties"]
    assert client.error(close(client)) == (400, "DisablingPublicNetworkAccessNotSupported")
    assert client.get(REGISTRY).json()["properties"]["publicNetworkAccess"] == "Enabled"


def test_an_upgrade_to_premium_makes_closing_possible(client: ArmClient) -> None:
    client.put(REGISTRY, {"location": "westeurope", "sku": {"name": "Standard"}})
    both = {"sku": {"name": "Premium"}, "properties": {"publicNetworkAccess": "Disabled"}}
    assert client.patch(REGISTRY, both).status == 200


def test_a_replication_is_made_in_the_background_and_adds_a_member(premium: ArmClient) -> None:
    assert members(premium) == ["registry_data_westeurope", "registry"]
    answer = replicate(premium)
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (201, "Creating")
    assert members(premium) == ["registry_data_westeurope", "registry"]

    premium.wait(46)
    assert members(premium) == ["registry_data_westeurope", "registry_data_northeurope", "registry"]
    listed = premium.get(f"{REGISTRY}/replications").json()["value"]
    assert {each["name"]: each["properties"]["provisioningState"] for each in listed} == {
        "westeurope": "Succeeded",
        "northeurope": "Succeeded",
    }


def test_dedicated_data_endpoints_are_named_per_region_when_on(premium: ArmClient) -> None:
    replicate(premium)
    premium.wait(46)
    assert premium.get(REGISTRY).json()["properties"]["dataEndpointHostNames"] == []
    answer = premium.patch(REGISTRY, {"properties": {"dataEndpointEnabled": True}})
    assert answer.json()["properties"]["dataEndpointHostNames"] == [
        "contosoacr.westeurope.data.azurecr.io",
        "contosoacr.northeurope.data.azurecr.io",
    ]


def test_the_home_replication_cannot_be_deleted(premium: ArmClient) -> None:
    assert premium.delete(f"{REGISTRY}/replications/westeurope").status == 400


def test_a_replication_that_goes_takes_its_member_along(premium: ArmClient) -> None:
    replicate(premium)
    premium.wait(46)
    answer = premium.delete(f"{REGISTRY}/replications/northeurope")
    assert answer.status == 202
    premium.wait(26)
    assert members(premium) == ["registry_data_westeurope", "registry"]


def test_a_single_registry_goes_at_once_and_a_replicated_one_takes_its_time(premium: ArmClient) -> None:
    assert premium.delete(REGISTRY).status == 200
    assert premium.delete(REGISTRY).status == 204

    premium.put(REGISTRY, PREMIUM)
    replicate(premium)
    premium.wait(46)
    answer = premium.delete(REGISTRY)
    assert (answer.status, answer.header("Retry-After")) == (202, "10")
    assert answer.json()["properties"]["provisioningState"] == "Deleting"
    premium.wait(26)
    assert premium.get(answer.header("Location")).status == 200
    assert premium.get(REGISTRY).status == 404


def test_a_name_is_taken_everywhere(premium: ArmClient) -> None:
    check = f"{SUB}/providers/Microsoft.ContainerRegistry/checkNameAvailability"
    taken = premium.post(check, {"name": "ContosoAcr", "type": "Microsoft.ContainerRegistry/registries"})
    assert taken.json()["nameAvailable"] is False
    assert premium.post(check, {"name": "free"}).json() == {"nameAvailable": True}


def test_registries_are_listed_by_group_and_by_subscription(premium: ArmClient) -> None:
    for scope in (GROUP, SUB):
        listed = premium.get(f"{scope}/providers/Microsoft.ContainerRegistry/registries").json()["value"]
        assert [each["name"] for each in listed] == ["contosoacr"]


# -- what a request may ask for ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"sku": {"name": "Premium"}}, 400, "LocationRequired"),
        ({"location": "westeurope"}, 400, "InvalidSku"),
        ({"location": "westeurope", "sku": {"name": "Gold"}}, 400, "InvalidSku"),
    ],
)
def test_a_creation_without_its_essentials_is_refused(
    client: ArmClient, body: dict[str, Any], status: int, code: str
) -> None:
    assert client.error(client.put(REGISTRY, body)) == (status, code)
    assert client.get(REGISTRY).status == 404


def test_a_name_that_another_group_has_taken_is_refused(premium: ArmClient) -> None:
    other = premium.group("rg-other")
    path = f"{other}/providers/Microsoft.ContainerRegistry/registries/ContosoAcr"
    assert premium.error(premium.put(path, PREMIUM)) == (409, "AlreadyInUse")


def test_a_put_on_a_registry_changes_what_it_mentions_and_keeps_the_rest(premium: ArmClient) -> None:
    premium.patch(REGISTRY, {"tags": {"team": "red"}, "properties": {"adminUserEnabled": True}})
    answer = premium.put(REGISTRY, {**PREMIUM, "properties": {"zoneRedundancy": "Enabled"}})
    assert answer.status == 200
    assert answer.json()["tags"] == {"team": "red"}
    assert answer.json()["properties"]["adminUserEnabled"] is True
    assert answer.json()["properties"]["zoneRedundancy"] == "Enabled"


def test_below_premium_there_are_no_network_rules_even_with_another_sku_below(client: ArmClient) -> None:
    client.put(REGISTRY, {"location": "westeurope", "sku": {"name": "Basic"}})
    rules = {"sku": {"name": "Standard"}, "properties": {"networkRuleSet": {"defaultAction": "Deny"}}}
    assert client.error(client.patch(REGISTRY, rules)) == (400, "NetworkRulesNotSupported")
    assert client.get(REGISTRY).json()["sku"]["name"] == "Basic"


def test_an_identity_takes_a_while_and_stays_the_same_when_it_is_sent_again(premium: ArmClient) -> None:
    assigned = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one"
    both = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {assigned: {}}}
    answer = premium.patch(REGISTRY, {"identity": both})
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (201, "Updating")
    premium.rest()
    first = premium.get(REGISTRY).json()["identity"]
    assert first["type"] == "systemAssigned, UserAssigned"
    assert set(first["userAssignedIdentities"][assigned]) == {"principalId", "clientId"}

    premium.patch(REGISTRY, {"identity": {"type": "SystemAssigned"}})
    premium.rest()
    assert premium.get(REGISTRY).json()["identity"] == {
        "type": "systemAssigned",
        "principalId": first["principalId"],
        "tenantId": first["tenantId"],
    }

    premium.patch(REGISTRY, {"identity": {"type": "None"}})
    assert premium.get(REGISTRY).json()["identity"] == {"type": "none"}


def test_a_key_of_the_customer_tells_its_version_and_when_it_was_changed(premium: ArmClient) -> None:
    def encrypted(key: str) -> dict[str, Any]:
        wanted = {"status": "enabled", "keyVaultProperties": {"keyIdentifier": key}}
        assert premium.patch(REGISTRY, {"properties": {"encryption": wanted}}).status == 201
        premium.rest()
        shown: dict[str, Any] = premium.get(REGISTRY).json()["properties"]["encryption"]
        return shown

    first, second = "https://kv.vault.azure.net/keys/k/1", "https://kv.vault.azure.net/keys/k/2"
    assert encrypted(first)["keyVaultProperties"] == {
        "versionedKeyIdentifier": first,
        "keyRotationEnabled": False,
        "keyIdentifier": first,
    }
    assert "lastKeyRotationTimestamp" not in encrypted(first)["keyVaultProperties"]
    assert "lastKeyRotationTimestamp" in encrypted(second)["keyVaultProperties"]
    off = premium.patch(REGISTRY, {"properties": {"encryption": {"status": "disabled"}}})
    assert off.json()["properties"]["encryption"] == {"status": "disabled"}


def test_policies_are_merged_one_by_one(premium: ArmClient) -> None:
    before = premium.get(REGISTRY).json()["properties"]["policies"]
    premium.wait(60)
    change = {"policies": {"retentionPolicy": {"status": "enabled", "days": 30}, "exportPolicy": None}}
    after = premium.patch(REGISTRY, {"properties": change}).json()["properties"]["policies"]
    assert (after["retentionPolicy"]["status"], after["retentionPolicy"]["days"]) == ("enabled", 30)
    assert after["retentionPolicy"]["lastUpdatedTime"] > before["retentionPolicy"]["lastUpdatedTime"]
    assert after["exportPolicy"] == before["exportPolicy"]
    assert after["trustPolicy"] == before["trustPolicy"]


# -- replications ------------------------------------------------------------------------------------------------------


def test_below_premium_there_are_no_replications(client: ArmClient) -> None:
    client.put(REGISTRY, {"location": "westeurope", "sku": {"name": "Standard"}})
    assert client.error(replicate(client)) == (400, "ReplicationNotSupported")
    assert client.get(f"{REGISTRY}/replications").json()["value"] == []


def test_a_replication_that_is_put_again_is_there_at_once_and_one_that_is_gone_is_gone(premium: ArmClient) -> None:
    replicate(premium)
    premium.rest()
    again = replicate(premium)
    assert (again.status, again.json()["properties"]["provisioningState"]) == (200, "Succeeded")
    assert premium.delete(f"{REGISTRY}/replications/northeurope").status == 202
    premium.rest()
    assert premium.delete(f"{REGISTRY}/replications/northeurope").status == 204


@pytest.mark.parametrize(
    ("path", "state"), [(f"{REGISTRY}/replications/northeurope", "Failed"), (REGISTRY, "Failed")], ids=["part", "whole"]
)
def test_an_operation_that_fails_leaves_its_resource_failed(premium: ArmClient, path: str, state: str) -> None:
    fault = Fault(kind=FaultKind.FAIL_OPERATION, method="PUT", path=f"{path}$", code="Conflict")
    premium.azure.faults.add(fault)
    body = (
        {"location": "northeurope"} if "replications" in path else {**PREMIUM, "identity": {"type": "SystemAssigned"}}
    )
    assert premium.put(path, body).status == 201
    premium.rest()
    assert premium.get(path).json()["properties"]["provisioningState"] == state
