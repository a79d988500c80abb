"""Microsoft.ContainerRegistry: what is synchronous, what is not, and what needs Premium."""

from typing import Any

import pytest

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
