"""Subscriptions, resource groups and lists of resources."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.azure import SimulatedAzure
from local.simulator.world import World
from tests.local.simulator.arm_client import SUB, ArmClient

STORAGE = "/providers/Microsoft.Storage/storageAccounts"


def account(arm: ArmClient, group: str, name: str, **members: object) -> None:
    body = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}} | members
    arm.azure.world.put({"id": f"{group}{STORAGE}/{name}"} | body)


def test_a_group_is_created_then_updated() -> None:
    arm = ArmClient()
    path = f"{SUB}/resourceGroups/rg"
    assert arm.put(path, {"location": "West Europe", "tags": {"a": "1"}}).status == 201
    again = arm.put(path, {"location": "westeurope", "tags": {"b": "2"}})
    assert (again.status, again.json()["tags"], again.json()["location"]) == (200, {"b": "2"}, "westeurope")


def test_a_group_does_not_move() -> None:
    arm = ArmClient()
    arm.group()
    moved = arm.put(f"{SUB}/resourceGroups/rg-ml", {"location": "eastus"})
    assert arm.error(moved) == (409, "InvalidResourceGroupLocation")


def test_a_group_in_no_region_is_refused_with_the_list_of_regions() -> None:
    arm = ArmClient()
    refused = arm.put(f"{SUB}/resourceGroups/rg", {"location": "atlantis"})
    assert arm.error(refused) == (400, "LocationNotAvailableForResourceGroup")
    assert "westeurope" in refused.json()["error"]["message"]


def test_deleting_a_group_hands_out_another_location_at_every_poll() -> None:
    arm = ArmClient()
    group = arm.group()
    account(arm, group, "inside")
    first = arm.delete(group)
    assert (first.status, first.header("Retry-After"), first.header("Azure-AsyncOperation")) == (202, "15", "")
    second = arm.get(first.header("Location"))
    assert second.status == 202
    assert second.header("Location") != first.header("Location")
    arm.rest()
    assert arm.get(second.header("Location")).status == 200
    assert arm.error(arm.get(group)) == (404, "ResourceGroupNotFound")
    assert arm.azure.world.get(f"{group}{STORAGE}/inside") is None


def test_tags_of_a_group_are_patched() -> None:
    arm = ArmClient()
    group = arm.group()
    assert arm.patch(group, {"tags": {"owner": "ml"}}).json()["tags"] == {"owner": "ml"}
    found = arm.get(f"{SUB}/resourceGroups?$filter=tagName eq 'owner' and tagValue eq 'ml'").json()["value"]
    assert [each["name"] for each in found] == ["rg-ml"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"one", "two", "vn"}),
        ("resourceType eq 'Microsoft.Storage/storageAccounts'", {"one", "two"}),
        ("resourceType eq 'microsoft.storage/storageaccounts' and name eq 'two'", {"two"}),
        ("resourceType ne 'Microsoft.Storage/storageAccounts'", {"vn"}),
        ("tagName eq 'env' and tagValue eq 'prod'", {"one"}),
        ("substringof('n', name)", {"one", "vn"}),
        ("startswith(name, 't')", {"two"}),
        ("location eq 'eastus'", {"two"}),
        ("resourceGroup eq 'rg-ml'", {"one", "two", "vn"}),
    ],
)
def test_resources_are_listed_by_filter(query: str, names: set[str]) -> None:
    arm = ArmClient()
    group = arm.group()
    account(arm, group, "one", tags={"env": "prod", "team": "ml"})
    account(arm, group, "two", location="eastus")
    arm.azure.world.put({"id": f"{group}/providers/Microsoft.Network/virtualNetworks/vn", "location": "westeurope"})
    arm.azure.world.put({"id": f"{group}/providers/Microsoft.Network/virtualNetworks/vn/subnets/hidden"})
    for scope in (group, SUB):
        path = f"{scope}/resources" + (f"?$filter={query}" if query else "")
        found = [each["name"] for each in arm.get(path).json()["value"]]
        assert sorted(found) == sorted(names)


def test_a_filter_that_is_not_understood_is_refused() -> None:
    arm = ArmClient()
    refused = arm.get(f"{arm.group()}/resources?$filter=name gt 'a'")
    assert arm.error(refused) == (400, "InvalidFilterInQueryString")


def test_expanded_lists_tell_when_and_in_which_state() -> None:
    arm = ArmClient()
    group = arm.group()
    account(arm, group, "one")
    (row,) = arm.get(f"{group}/resources?$expand=createdTime,changedTime,provisioningState").json()["value"]
    assert row["createdTime"] == row["changedTime"] == "2026-01-05T08:00:00.0000000Z"
    assert row["provisioningState"] == "Succeeded"


def test_long_lists_come_in_pages() -> None:
    arm = ArmClient()
    group = arm.group()
    for number in range(7):
        account(arm, group, f"account{number}")
    seen: list[str] = []
    path = f"{group}/resources?$top=3"
    for _ in range(3):
        answer = arm.get(path).json()
        seen += [each["name"] for each in answer["value"]]
        path = answer.get("nextLink", "")
    assert seen == [f"account{number}" for number in range(7)]
    assert path == ""


def test_a_principal_sees_the_subscriptions_it_has_a_role_in() -> None:
    others = [f"1111111{number}-1111-4111-8111-111111111111" for number in range(3)]
    azure = SimulatedAzure(subscriptions=others)
    azure.rbac.principal("reader", actions=["*/read"], scope=f"/subscriptions/{others[1]}/resourceGroups/rg")
    seen = ArmClient(azure, principal="reader").get("/subscriptions").json()["value"]
    assert [each["subscriptionId"] for each in seen] == [others[1]]


def test_the_tenant_is_listed() -> None:
    arm = ArmClient()
    assert [each["tenantId"] for each in arm.get("/tenants").json()["value"]] == [arm.azure.tenant_id]


def test_an_unknown_namespace_is_told() -> None:
    arm = ArmClient()
    assert arm.error(arm.get(f"{SUB}/providers/Microsoft.Quantum")) == (404, "InvalidResourceNamespace")


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.booleans()), max_size=40))
def test_the_indexes_of_the_world_agree_with_its_resources(steps: list[tuple[str, str, bool]]) -> None:
    """Whatever is put and deleted, lists by parent and by type hold exactly what is there."""
    world = World()
    for group, name, keep in steps:
        group_id = f"/subscriptions/s/resourceGroups/{group}"
        if keep:
            world.put({"id": group_id})
            world.put({"id": f"{group_id}/providers/Microsoft.X/things/{name}"})
            world.put({"id": f"{group_id}/providers/Microsoft.X/things/{name}/parts/{name}"})
        else:
            world.delete(f"{group_id}/providers/Microsoft.X/things/{name}")
    things = {key for key in world.resources if "/things/" in key}
    listed = {each.key for kind in ("Microsoft.X/things", "Microsoft.X/things/parts") for each in world.of_type(kind)}
    assert listed == things
    assert {each.key for each in world.below("/subscriptions/s")} == set(world.resources)


def test_locations_tenants_and_providers_are_listed() -> None:
    arm = ArmClient(version="2022-12-01")
    regions = {each["name"] for each in arm.get(f"{SUB}/locations").json()["value"]}
    assert {"westeurope", "northeurope"} <= regions
    providers = {each["namespace"] for each in arm.get(f"{SUB}/providers").json()["value"]}
    assert {"Microsoft.Network", "Microsoft.MachineLearningServices"} <= providers
    (tenant,) = arm.get("/tenants").json()["value"]
    assert tenant["tenantId"] == arm.azure.tenant_id


def test_a_patch_of_a_group_without_tags_leaves_them_and_one_with_none_takes_them_away() -> None:
    arm = ArmClient(version="2021-04-01")
    group = arm.group()
    arm.patch(group, {"tags": {"a": "b"}})
    assert arm.patch(group, {}).json()["tags"] == {"a": "b"}
    assert arm.patch(group, {"tags": None}).json()["tags"] == {}


@pytest.mark.parametrize(
    "text",
    [
        "name",
        "name eq 'a' or name eq 'b'",
        "name eq 'a' resourceType eq 'b'",
        "name gt 'a'",
        "name eq 'a' and",
        "endswith(name, 'a')",
    ],
)
def test_a_filter_that_is_not_understood_entirely_is_refused(text: str) -> None:
    arm = ArmClient(version="2021-04-01")
    refused = arm.get(f"{SUB}/resources?$filter={quote(text)}")
    assert arm.error(refused) == (400, "InvalidFilterInQueryString")


def test_a_group_with_several_matching_tags_is_listed_once() -> None:
    arm = ArmClient(version="2021-04-01")
    arm.patch(arm.group(), {"tags": {"a": "x", "b": "x"}})
    found = arm.get(f"{SUB}/resourceGroups?$filter={quote("tagValue eq 'x'")}").json()["value"]
    assert [each["name"] for each in found] == ["rg-ml"]


def test_a_position_that_nobody_handed_out_is_refused() -> None:
    arm = ArmClient(version="2021-04-01")
    arm.group()
    assert arm.error(arm.get(f"{SUB}/resourceGroups?$skiptoken=elsewhere")) == (400, "InvalidQueryParameter")


def test_deny_assignments_of_a_subscription_that_is_not_there_are_not_found() -> None:
    arm = ArmClient(version="2022-04-01")
    for scope in ("/subscriptions/nowhere", ""):
        path = f"{scope}/providers/Microsoft.Authorization/denyAssignments"
        assert arm.error(arm.get(path)) == (404, "SubscriptionNotFound")


def test_permissions_are_those_of_the_assignments_at_the_scope_and_above() -> None:
    arm = ArmClient(version="2022-04-01")
    group, other = arm.group(), arm.group("rg-other")
    rights = ["Microsoft.Authorization/permissions/read"]
    arm.azure.rbac.principal("app", actions=rights, scope=SUB)
    arm.azure.rbac.principal("app", actions=["*/read"], scope=other, not_actions=["Microsoft.Web/*"])
    client = ArmClient(arm.azure, version="2022-04-01", principal="app")
    told = {
        scope: client.get(f"{scope}/providers/Microsoft.Authorization/permissions").json()["value"]
        for scope in (group, other)
    }
    entry: dict[str, list[str]] = {"notActions": [], "dataActions": [], "notDataActions": []}
    assert told[group] == [entry | {"actions": rights}]
    assert told[other][1] == entry | {"actions": ["*/read"], "notActions": ["Microsoft.Web/*"]}
