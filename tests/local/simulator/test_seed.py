"""A world written down and read again."""

import json
from typing import Any

import pytest

from local.simulator import seed
from local.simulator.azure import SimulatedAzure
from local.simulator.seed import SeedError
from tests.local.simulator.arm_client import SUB, ArmClient
from tests.local.simulator.scene import Scene


def reread(document: Any) -> ArmClient:
    azure = SimulatedAzure(seed=9)
    seed.load(azure, json.loads(json.dumps(document)))
    return ArmClient(azure, version="2024-05-01")


def test_a_dumped_world_is_the_same_world_when_it_is_read_again() -> None:
    scene = Scene()
    scene.endpoint()
    scene.rest()
    scene.zone_group()
    scene.rest()
    document = seed.dump(scene.azure)
    again = reread(document)
    assert seed.dump(again.azure) == document
    for path in (scene.vnet, scene.subnet, f"{scene.network}/privateEndpoints/pe", scene.zone):
        assert again.get(path).json() == scene.get(path).json()


def test_a_read_world_lives_on() -> None:
    """Addresses stay held, records are taken out with their endpoint, targets are still watched."""
    scene = Scene()
    scene.endpoint()
    scene.rest()
    scene.zone_group()
    scene.rest()
    again = reread(seed.dump(scene.azure))
    second = again.put(f"{scene.network}/privateEndpoints/second", scene.endpoint_body())
    assert second.status == 201
    again.rest()
    configs = again.get(f"{scene.network}/privateEndpoints/second").json()["properties"]["customDnsConfigs"]
    assert configs[0]["ipAddresses"] == ["10.0.1.5"]
    again.delete(f"{scene.network}/privateEndpoints/pe")
    again.rest()
    assert again.get(f"{scene.zone}/A").json()["value"] == []
    again.delete(scene.account, version="2023-05-01")
    state = again.get(f"{scene.network}/privateEndpoints/second").json()["properties"]["privateLinkServiceConnections"][
        0
    ]
    assert state["properties"]["privateLinkServiceConnectionState"]["status"] == "Disconnected"


def test_groups_subnets_and_members_that_the_service_adds_may_be_left_out() -> None:
    network = f"{SUB}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vn"
    arm = reread(
        {
            "resources": [
                {
                    "id": network,
                    "location": "westeurope",
                    "properties": {
                        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                        "subnets": [{"name": "pe", "properties": {"addressPrefix": "10.0.0.0/24"}}],
                    },
                }
            ]
        }
    )
    assert arm.get(f"{SUB}/resourceGroups/rg").json()["location"] == "westeurope"
    shown = arm.get(network).json()
    assert shown["name"] == "vn"
    assert shown["properties"]["subnets"][0]["properties"]["provisioningState"] == "Succeeded"


def test_principals_and_denials_are_read() -> None:
    arm = reread(
        {
            "subscriptions": ["33333333-3333-4333-8333-333333333333"],
            "principals": [{"id": "app", "assignments": [{"actions": ["*/read"], "notActions": []}]}],
            "denyAssignments": [{"id": "/d", "name": "d", "scope": SUB, "actions": ["*/delete"]}],
            "unregistered": [["s", "Microsoft.Storage"]],
        }
    )
    assert arm.get("/subscriptions/33333333-3333-4333-8333-333333333333").status == 200
    assert ArmClient(arm.azure, principal="app").get(SUB).status == 200
    assert [each.id for each in arm.azure.rbac.denials(SUB)] == ["/d"]
    assert ("s", "microsoft.storage") in arm.azure.unregistered


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        ({"location": "westeurope"}, r"resources\[0\].*'id'"),
        ({"id": "contoso"}, r"resources\[0\].*not 'contoso'"),
        ({"id": f"{SUB}/resourceGroups/rg/providers/A.B/c/d", "properties": 7}, "'properties' must be an object"),
    ],
)
def test_a_seed_that_is_no_world_says_where(resource: dict[str, Any], said: str) -> None:
    with pytest.raises(SeedError, match=said):
        reread({"resources": [resource]})


def test_one_address_held_twice_is_no_world() -> None:
    scene = Scene()
    scene.endpoint("a")
    scene.endpoint("b")
    scene.rest()
    document = seed.dump(scene.azure)
    for resource in document["resources"]:
        for each in resource["properties"].get("ipConfigurations", []):
            if "privateIPAddress" in each["properties"]:
                each["properties"]["privateIPAddress"] = "10.0.1.4"
    with pytest.raises(SeedError, match="held twice"):
        reread(document)


def test_a_sparse_document_becomes_a_world_that_works() -> None:
    group = f"{SUB}/resourceGroups/rg"
    network = f"{group}/providers/Microsoft.Network"
    zone = f"{network}/privateDnsZones/privatelink.blob.core.windows.net"
    arm = reread(
        {
            "resources": [
                {
                    "id": f"{network}/virtualNetworks/vn",
                    "location": "westeurope",
                    "properties": {
                        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                        "subnets": [{"name": "pe", "properties": {"addressPrefix": "10.0.0.0/24"}}],
                    },
                },
                {"id": f"{group}/providers/Microsoft.Storage/storageAccounts/contoso", "location": "westeurope"},
                {"id": zone, "location": "global"},
                {
                    "id": f"{zone}/virtualNetworkLinks/vn",
                    "location": "global",
                    "properties": {"virtualNetwork": {"id": f"{network}/virtualNetworks/vn"}},
                },
            ]
        }
    )
    connection = {
        "privateLinkServiceId": f"{group}/providers/Microsoft.Storage/storageAccounts/contoso",
        "groupIds": ["blob"],
    }
    body = {
        "location": "westeurope",
        "properties": {
            "subnet": {"id": f"{network}/virtualNetworks/vn/subnets/pe"},
            "privateLinkServiceConnections": [{"name": "link", "properties": connection}],
        },
    }
    assert arm.put(f"{network}/privateEndpoints/pe", body).status == 201
    arm.rest()
    configs = [{"name": "z", "properties": {"privateDnsZoneId": zone}}]
    group_path = f"{network}/privateEndpoints/pe/privateDnsZoneGroups/default"
    assert arm.put(group_path, {"properties": {"privateDnsZoneConfigs": configs}}).status == 201
    arm.rest()
    assert [each["name"] for each in arm.get(f"{zone}/A").json()["value"]] == ["contoso"]
    assert arm.get(f"{zone}/virtualNetworkLinks/vn").json()["properties"]["virtualNetworkLinkState"] == "Completed"


def test_what_a_seed_leaves_out_or_names_elsewhere_does_not_stop_it() -> None:
    networks = f"{SUB}/resourceGroups/rg/providers/Microsoft.Network"
    configuration = {
        "id": f"{networks}/networkInterfaces/nic/ipConfigurations/one",
        "properties": {"privateIPAddress": "10.0.0.4", "subnet": {"id": f"{networks}/virtualNetworks/gone/subnets/a"}},
    }
    zone = {"properties": {"privateDnsZoneId": f"{networks}/privateDnsZones/gone.example"}}
    arm = reread(
        {
            "resources": [
                {"id": f"{SUB}/providers/Microsoft.Authorization/locks/keep", "properties": {"level": "ReadOnly"}},
                {"id": f"{networks}/networkInterfaces/nic", "properties": {"ipConfigurations": [configuration]}},
                {
                    "id": f"{networks}/privateEndpoints/pe/privateDnsZoneGroups/default",
                    "properties": {"privateDnsZoneConfigs": [zone]},
                },
            ]
        }
    )
    assert arm.azure.world.get(f"{networks}/networkInterfaces/nic") is not None
    assert arm.azure.require(f"{networks}/privateEndpoints/pe/privateDnsZoneGroups/default").private["written"] == {}
    assert arm.azure.world.get(f"{SUB}/resourceGroups/rg") is not None
