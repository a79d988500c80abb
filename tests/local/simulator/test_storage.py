"""Microsoft.Storage: creation, network rules, connections and refusals."""

from typing import Any

import pytest

from local.simulator.rbac import DenyAssignment
from local.simulator.scenery import create_storage_account
from tests.local.simulator.arm_client import GROUP, SUB, ArmClient

ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/contosodata"
REGISTRY = f"{GROUP}/providers/Microsoft.MachineLearningServices/registries/contoso"
TENANT = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def client() -> ArmClient:
    client = ArmClient(version="2025-06-01")
    client.group()
    create_storage_account(client.azure, "contosodata")
    return client


def acls(client: ArmClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get(ACCOUNT).json()["properties"]["networkAcls"]
    return found


def rules(count: int) -> list[dict[str, str]]:
    return [{"tenantId": TENANT, "resourceId": f"{REGISTRY}{number}"} for number in range(count)]


def test_creation_is_a_202_without_body_whose_location_ends_in_the_account() -> None:
    client = ArmClient()
    client.group()
    answer = client.put(ACCOUNT, {"location": "West Europe", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}})
    assert (answer.status, answer.body, answer.header("Content-Type")) == (202, b"", "text/plain; charset=utf-8")
    assert answer.header("Retry-After") == "17"
    assert not answer.header("Azure-AsyncOperation")

    pending = client.get(answer.header("Location"))
    client.wait(30)
    done = client.get(answer.header("Location"))
    assert (pending.status, pending.body, done.status) == (202, b"", 200)
    assert done.json()["location"] == "westeurope"
    assert done.json() == client.get(ACCOUNT).json()


def test_an_account_does_not_exist_before_its_creation_has_ended() -> None:
    client = ArmClient()
    client.group()
    client.put(ACCOUNT, {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}})
    assert client.error(client.get(ACCOUNT)) == (404, "ResourceNotFound")


def test_public_network_access_is_absent_until_it_is_set(client: ArmClient) -> None:
    assert "publicNetworkAccess" not in client.get(ACCOUNT).json()["properties"]
    answer = client.patch(ACCOUNT, {"properties": {"publicNetworkAccess": "disabled"}})
    assert answer.status == 200
    assert answer.json()["properties"]["publicNetworkAccess"] == "Disabled"
    assert answer.header("Content-Type") == "application/json"


def test_a_patch_leaves_what_it_does_not_mention(client: ArmClient) -> None:
    client.patch(ACCOUNT, {"tags": {"a": "b"}, "properties": {"networkAcls": {"defaultAction": "Deny"}}})
    client.patch(ACCOUNT, {"properties": {"minimumTlsVersion": "TLS1_2"}})
    body = client.get(ACCOUNT).json()
    assert body["tags"] == {"a": "b"}
    assert body["properties"]["networkAcls"]["defaultAction"] == "Deny"


def test_network_rules_are_replaced_as_a_whole(client: ArmClient) -> None:
    first = {"defaultAction": "Deny", "ipRules": [{"value": "198.51.100.0/24"}], "resourceAccessRules": rules(2)}
    client.patch(ACCOUNT, {"properties": {"networkAcls": first}})
    assert acls(client)["ipRules"] == [{"value": "198.51.100.0/24", "action": "Allow"}]
    assert acls(client)["resourceAccessRules"] == rules(2)

    client.patch(ACCOUNT, {"properties": {"networkAcls": {"defaultAction": "deny", "bypass": "None"}}})
    assert acls(client)["ipRules"] == []
    assert "resourceAccessRules" not in acls(client)
    assert (acls(client)["defaultAction"], acls(client)["bypass"]) == ("Deny", "None")


def test_two_hundred_resource_rules_are_the_limit(client: ArmClient) -> None:
    full = {"properties": {"networkAcls": {"defaultAction": "Deny", "resourceAccessRules": rules(200)}}}
    over = {"properties": {"networkAcls": {"defaultAction": "Deny", "resourceAccessRules": rules(201)}}}
    assert client.patch(ACCOUNT, full).status == 200
    assert client.error(client.patch(ACCOUNT, over)) == (400, "NetworkAclsValidationFailure")
    assert len(acls(client)["resourceAccessRules"]) == 200


def test_the_default_action_is_required(client: ArmClient) -> None:
    answer = client.patch(ACCOUNT, {"properties": {"networkAcls": {"bypass": "None"}}})
    assert client.error(answer) == (400, "InvalidValuesForRequestParameters")


def test_a_subnet_rule_needs_the_right_to_join_the_subnet(client: ArmClient) -> None:
    subnet = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets/a"
    weak = client.azure.rbac.principal("weak", actions=["Microsoft.Storage/*"])
    rule = {"defaultAction": "Deny", "virtualNetworkRules": [{"id": subnet}]}
    answer = ArmClient(client.azure, principal=weak.id).patch(ACCOUNT, {"properties": {"networkAcls": rule}})
    assert client.error(answer) == (403, "LinkedAuthorizationFailed")
    assert client.patch(ACCOUNT, {"properties": {"networkAcls": rule}}).status == 200
    assert acls(client)["virtualNetworkRules"] == [{"id": subnet, "action": "Allow", "state": "Succeeded"}]


def test_private_link_groups_follow_kind_and_redundancy(client: ArmClient) -> None:
    def names(path: str) -> list[str]:
        return [each["name"] for each in client.get(f"{path}/privateLinkResources").json()["value"]]

    assert names(ACCOUNT) == ["blob", "table", "queue", "file", "web", "dfs"]
    client.patch(ACCOUNT, {"sku": {"name": "Standard_RAGRS"}})
    assert "blob_secondary" in names(ACCOUNT)
    first = client.get(f"{ACCOUNT}/privateLinkResources").json()["value"][0]
    assert first["properties"] == {
        "groupId": "blob",
        "requiredMembers": ["blob"],
        "requiredZoneNames": ["privatelink.blob.core.windows.net"],
    }


def test_a_geo_redundant_account_names_its_second_region(client: ArmClient) -> None:
    body = client.patch(ACCOUNT, {"sku": {"name": "Standard_GRS"}}).json()["properties"]
    assert (body["secondaryLocation"], body["statusOfSecondary"]) == ("northeurope", "available")
    assert "secondaryEndpoints" not in body


@pytest.mark.parametrize("name", ["ab", "Contoso", "with-dash", "x" * 25])
def test_an_impossible_name_is_refused(client: ArmClient, name: str) -> None:
    path = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{name}"
    assert client.error(client.put(path, {"location": "westeurope"})) == (400, "AccountNameInvalid")


def test_a_name_is_taken_everywhere(client: ArmClient) -> None:
    other = client.group("rg-other")
    path = f"{other}/providers/Microsoft.Storage/storageAccounts/contosodata"
    assert client.error(client.put(path, {"location": "westeurope"})) == (409, "StorageAccountAlreadyTaken")
    check = f"{SUB}/providers/Microsoft.Storage/checkNameAvailability"
    assert client.post(check, {"name": "contosodata"}).json()["reason"] == "AlreadyExists"
    assert client.post(check, {"name": "free"}).json() == {"nameAvailable": True}


def test_deletion_is_synchronous_and_says_when_there_was_nothing(client: ArmClient) -> None:
    assert client.delete(ACCOUNT).status == 200
    assert client.delete(ACCOUNT).status == 204


def test_accounts_are_listed_by_group_and_by_subscription(client: ArmClient) -> None:
    for scope in (GROUP, SUB):
        listed = client.get(f"{scope}/providers/Microsoft.Storage/storageAccounts").json()["value"]
        assert [each["name"] for each in listed] == ["contosodata"]


def test_a_deny_assignment_stops_even_an_owner_of_the_subscription(client: ArmClient) -> None:
    client.azure.rbac.deny(
        DenyAssignment(id=f"{GROUP}/deny", name="d", scope=GROUP, actions=("*",), not_actions=("*/read",))
    )
    answer = client.patch(ACCOUNT, {"properties": {"publicNetworkAccess": "Disabled"}})
    assert client.error(answer) == (403, "DenyAssignmentAuthorizationFailed")
    assert client.get(ACCOUNT).status == 200


# -- what a request may ask for ----------------------------------------------------------------------------------------


def test_a_put_on_an_account_changes_it_at_once(client: ArmClient) -> None:
    again = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    answer = client.put(ACCOUNT, {**again, "properties": {"minimumTlsVersion": "TLS1_1"}})
    assert answer.status == 200
    assert answer.json()["properties"]["minimumTlsVersion"] == "TLS1_1"


def test_a_creation_needs_a_location_and_a_name_in_small_letters(client: ArmClient) -> None:
    path = ACCOUNT.replace("contosodata", "another")
    assert client.error(client.put(path, {"sku": {"name": "Standard_LRS"}})) == (400, "LocationRequired")
    bad = ACCOUNT.replace("contosodata", "Not-A-Name")
    assert client.error(client.put(bad, {"location": "westeurope"})) == (400, "AccountNameInvalid")
    check = f"{SUB}/providers/Microsoft.Storage/checkNameAvailability"
    told = client.post(check, {"name": "x"}).json()
    assert (told["nameAvailable"], told["reason"]) == (False, "AccountNameInvalid")


def test_an_identity_must_exist_and_keeps_its_principal(client: ArmClient) -> None:
    assigned = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one"
    both = {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {assigned: {}}}
    assert client.error(client.patch(ACCOUNT, {"identity": both})) == (400, "FailedIdentityOperation")

    client.azure.world.put({"id": assigned, "location": "westeurope", "properties": {}})
    first = client.patch(ACCOUNT, {"identity": both}).json()["identity"]
    assert set(first["userAssignedIdentities"][assigned]) == {"principalId", "clientId"}
    second = client.patch(ACCOUNT, {"identity": {"type": "SystemAssigned"}}).json()["identity"]
    assert second == {
        "type": "SystemAssigned",
        "principalId": first["principalId"],
        "tenantId": first["tenantId"],
    }
    assert client.patch(ACCOUNT, {"identity": {"type": "None"}}).json()["identity"] == {"type": "None"}


def test_a_domain_that_nobody_verified_is_refused_with_the_hosts_it_may_point_at(client: ArmClient) -> None:
    answer = client.patch(ACCOUNT, {"properties": {"customDomain": {"name": "www.contoso.com"}}})
    assert client.error(answer) == (409, "StorageDomainNameCouldNotVerify")
    assert "contosodata.blob.core.windows.net,contosodata.z6.web.core.windows.net" in answer.json()["error"]["message"]


def test_a_word_for_public_access_that_is_none_is_refused(client: ArmClient) -> None:
    answer = client.patch(ACCOUNT, {"properties": {"publicNetworkAccess": "Ajar"}})
    assert client.error(answer) == (400, "InvalidValuesForRequestParameters")


def test_a_resource_rule_needs_both_its_members(client: ArmClient) -> None:
    for rule in ({"resourceId": REGISTRY}, {"tenantId": TENANT}):
        wanted = {"defaultAction": "Deny", "resourceAccessRules": [rule]}
        answer = client.patch(ACCOUNT, {"properties": {"networkAcls": wanted}})
        assert client.error(answer) == (400, "InvalidValuesForRequestParameters")
        assert "networkAcls.resourceAccessRules" in answer.json()["error"]["message"]


def test_a_subnet_that_is_allowed_already_needs_no_right_to_join_it_again(client: ArmClient) -> None:
    subnet = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vn/subnets/one"
    rule = {"networkAcls": {"virtualNetworkRules": [{"id": subnet}], "defaultAction": "Deny"}}
    assert client.patch(ACCOUNT, {"properties": rule}).status == 200
    seen = len(client.azure.log)
    assert client.patch(ACCOUNT, {"properties": rule}).status == 200
    first, again = (call.demands for call in (client.azure.log[seen - 1], client.azure.log[seen]))
    assert any("joinViaServiceEndpoint" in str(each) for each in first)
    assert not any("joinViaServiceEndpoint" in str(each) for each in again)


def test_an_account_in_an_edge_zone_serves_blobs_and_websites_only(client: ArmClient) -> None:
    path = ACCOUNT.replace("contosodata", "edged")
    zone = {"name": "losangeles", "type": "EdgeZone"}
    body = {"location": "westeurope", "sku": {"name": "Premium_LRS"}, "extendedLocation": zone}
    assert client.put(path, body).status == 202
    client.rest()
    shown = client.get(path).json()
    assert shown["extendedLocation"] == shown["properties"]["primaryExtendedLocation"] == zone
    assert set(shown["properties"]["primaryEndpoints"]) == {"blob", "web"}


def test_an_account_of_blocks_has_no_queues_to_link_to(client: ArmClient) -> None:
    path = ACCOUNT.replace("contosodata", "blocks")
    client.put(path, {"location": "westeurope", "sku": {"name": "Premium_LRS"}, "kind": "BlockBlobStorage"})
    client.rest()
    listed = client.get(f"{path}/privateLinkResources").json()["value"]
    assert [each["name"] for each in listed] == ["blob", "web", "dfs"]


def test_a_connection_that_is_gone_is_gone(client: ArmClient) -> None:
    assert client.delete(f"{ACCOUNT}/privateEndpointConnections/none").status == 204
