"""Zone groups: the records that private endpoints write and take out again."""

import pytest

from local.simulator.options import Options
from local.simulator.providers.zone_groups import record_name
from tests.local.simulator.scene import BLOB_ZONE, Scene


def ready(options: Options | None = None) -> Scene:
    """A scene with a finished endpoint."""
    scene = Scene(options)
    scene.endpoint()
    scene.rest()
    return scene


def test_a_zone_group_lists_its_records_at_once_and_writes_them_at_the_end() -> None:
    scene = ready()
    first = scene.zone_group()
    properties = first.json()["properties"]
    (config,) = properties["privateDnsZoneConfigs"]
    expected = {
        "recordType": "A",
        "recordSetName": "contoso",
        "fqdn": f"contoso.{BLOB_ZONE}",
        "ttl": 10,
        "provisioningState": "Updating",
        "ipAddresses": ["10.0.1.4"],
    }
    assert (first.status, properties["provisioningState"]) == (201, "Updating")
    assert config["properties"]["recordSets"] == [expected]
    assert scene.records() == {}
    scene.rest()
    shown = scene.get(f"{scene.network}/privateEndpoints/pe/privateDnsZoneGroups/default")
    (config,) = shown.json()["properties"]["privateDnsZoneConfigs"]
    assert config["properties"]["recordSets"] == [expected | {"provisioningState": "Succeeded"}]
    assert scene.records() == {"contoso": ["10.0.1.4"]}
    assert scene.zone_group().status == 200


@pytest.mark.parametrize(("option", "count"), [(True, 0), (False, 1)])
def test_the_endpoints_own_names_are_empty_while_a_zone_group_serves_them(option: bool, count: int) -> None:  # noqa: FBT001
    scene = ready(Options(dns_configs_empty_with_zone_group=option))
    scene.zone_group()
    scene.rest()
    assert len(scene.endpoint_now()["properties"]["customDnsConfigs"]) == count
    scene.delete(f"{scene.network}/privateEndpoints/pe/privateDnsZoneGroups/default")
    scene.rest()
    assert len(scene.endpoint_now()["properties"]["customDnsConfigs"]) == 1
    assert scene.records() == {}


def test_a_zone_that_does_not_fit_succeeds_without_records() -> None:
    scene = ready()
    zone = f"{scene.network}/privateDnsZones/privatelink.vaultcore.azure.net"
    scene.put(zone, {"location": "global"})
    scene.rest()
    scene.zone_group(zone=zone)
    scene.rest()
    properties = scene.get(f"{scene.network}/privateEndpoints/pe/privateDnsZoneGroups/default").json()["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["privateDnsZoneConfigs"][0]["properties"]["recordSets"] == []
    assert scene.records(zone) == {}


def test_a_deleted_endpoint_takes_its_records_along() -> None:
    scene = ready()
    scene.zone_group()
    scene.rest()
    scene.delete(f"{scene.network}/privateEndpoints/pe")
    scene.rest()
    assert scene.records() == {}


def test_a_pending_endpoint_gets_its_records_when_it_is_approved() -> None:
    scene = Scene()
    scene.endpoint(manual=True)
    scene.rest()
    scene.zone_group()
    scene.rest()
    assert scene.records() == {}
    scene.azure.links.state_changed(scene.account, f"{scene.network}/privateEndpoints/pe", "Approved", "yes")
    assert scene.records() == {"contoso": ["10.0.1.4"]}


def test_a_second_endpoint_to_the_same_target_takes_the_record_over() -> None:
    """One zone, one name: the last writer wins, and the first one's deletion leaves the record alone."""
    scene = ready()
    scene.zone_group()
    scene.endpoint("other")
    scene.rest()
    scene.zone_group("other")
    scene.rest()
    assert scene.records() == {"contoso": ["10.0.1.5"]}
    scene.delete(f"{scene.network}/privateEndpoints/pe")
    scene.rest()
    assert scene.records() == {"contoso": ["10.0.1.5"]}


def test_a_record_written_by_hand_over_it_survives_the_endpoint() -> None:
    scene = ready()
    scene.zone_group()
    scene.rest()
    by_hand = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.9.9.9"}]}}
    assert scene.put(f"{scene.zone}/A/contoso", by_hand).status == 200
    scene.delete(f"{scene.network}/privateEndpoints/pe")
    scene.rest()
    assert scene.records() == {"contoso": ["10.9.9.9"]}


def test_an_endpoint_that_is_being_written_takes_no_zone_group() -> None:
    scene = Scene()
    scene.endpoint()
    busy = scene.zone_group()
    assert scene.error(busy) == (429, "RetryableError")
    assert busy.header("Retry-After") != ""


def test_an_endpoint_has_one_zone_group() -> None:
    scene = ready()
    scene.zone_group()
    path = f"{scene.network}/privateEndpoints/pe/privateDnsZoneGroups/second"
    assert scene.put(path, {"properties": {"privateDnsZoneConfigs": []}}).status == 400


def test_a_zone_group_names_five_zones_at_most_and_only_zones_that_exist() -> None:
    scene = ready()
    config = {"name": "z", "properties": {"privateDnsZoneId": scene.zone}}
    path = f"{scene.network}/privateEndpoints/pe/privateDnsZoneGroups/default"
    assert scene.put(path, {"properties": {"privateDnsZoneConfigs": [config] * 6}}).status == 400
    assert scene.error(scene.zone_group(zone=f"{scene.zone}.no")) == (400, "InvalidResourceReference")


def test_a_zone_group_needs_the_right_to_join_the_zone() -> None:
    scene = ready()
    scene.azure.rbac.principal("app", actions=["Microsoft.Network/privateEndpoints/*"])
    scene.principal = "app"
    refused = scene.zone_group()
    assert scene.error(refused) == (403, "LinkedAuthorizationFailed")
    assert scene.zone in refused.json()["error"]["message"]


def test_a_zone_that_vanishes_meanwhile_fails_the_operation() -> None:
    scene = ready()
    first = scene.zone_group()
    scene.azure.world.delete(scene.zone)
    scene.rest()
    assert scene.get(first.header("Azure-AsyncOperation")).json()["status"] == "Failed"
    shown = scene.get(f"{scene.network}/privateEndpoints/pe/privateDnsZoneGroups/default").json()
    assert shown["properties"]["provisioningState"] == "Failed"


def test_an_absent_zone_group_is_not_found_by_the_provider() -> None:
    scene = ready()
    path = f"{scene.network}/privateEndpoints/pe/privateDnsZoneGroups/default"
    assert scene.error(scene.get(path)) == (404, "NotFound")
    assert scene.delete(path).status == 204
    assert scene.get(path.rpartition("/")[0]).json() == {"value": []}


def test_new_members_of_a_target_get_addresses_and_records() -> None:
    """A container registry that is replicated has a data endpoint more."""
    scene = Scene()
    registry = f"{scene.rg}/providers/Microsoft.ContainerRegistry/registries/acr"
    zone = f"{scene.network}/privateDnsZones/privatelink.azurecr.io"
    scene.put(registry, {"location": "westeurope", "sku": {"name": "Premium"}, "properties": {}}, version="2023-07-01")
    scene.put(zone, {"location": "global"})
    scene.rest()
    body = scene.endpoint_body(registry)
    body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"] = ["registry"]
    assert scene.put(f"{scene.network}/privateEndpoints/pe", body).status == 201
    scene.rest()
    scene.zone_group(zone=zone)
    scene.rest()
    assert set(scene.records(zone)) == {"acr", "acr.westeurope.data"}
    scene.put(f"{registry}/replications/eastus", {"location": "eastus", "properties": {}}, version="2023-07-01")
    scene.rest()
    assert set(scene.records(zone)) == {"acr", "acr.westeurope.data", "acr.eastus.data"}
    addresses = [address for each in scene.records(zone).values() for address in each]
    assert len(set(addresses)) == 3


@pytest.mark.parametrize(
    ("fqdn", "zone", "name"),
    [
        ("contoso.blob.core.windows.net", "privatelink.blob.core.windows.net", "contoso"),
        ("Contoso.Blob.core.windows.net", "privatelink.blob.core.windows.net", "contoso"),
        ("acr.westeurope.data.azurecr.io", "privatelink.azurecr.io", "acr.westeurope.data"),
        ("x.westeurope.api.azureml.ms", "privatelink.api.azureml.ms", "x.westeurope"),
        ("contoso.blob.core.windows.net", "privatelink.dfs.core.windows.net", ""),
        ("notblob.core.windows.net", "privatelink.blob.core.windows.net", ""),
    ],
)
def test_a_record_is_what_remains_of_a_name_before_its_zone(fqdn: str, zone: str, name: str) -> None:
    assert record_name(fqdn, zone) == name


def test_new_members_need_room_in_every_subnet_or_nothing_changes() -> None:
    scene = Scene(prefix="10.0.1.0/29")
    registry = f"{scene.rg}/providers/Microsoft.ContainerRegistry/registries/acr"
    scene.put(registry, {"location": "westeurope", "sku": {"name": "Premium"}, "properties": {}}, version="2023-07-01")
    scene.rest()
    body = scene.endpoint_body(registry)
    body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"] = ["registry"]
    assert scene.put(f"{scene.network}/privateEndpoints/pe", body).status == 201
    assert scene.endpoint("blob").status == 201
    scene.rest()
    before = scene.endpoint_now()["properties"]["customDnsConfigs"]
    scene.put(f"{registry}/replications/eastus", {"location": "eastus", "properties": {}}, version="2023-07-01")
    scene.rest()
    assert scene.endpoint_now()["properties"]["customDnsConfigs"] == before
    shown = scene.get(f"{registry}/replications/eastus", version="2023-07-01")
    assert shown.status == 404 or shown.json()["properties"]["provisioningState"] == "Failed"


def test_a_group_whose_zone_was_deleted_does_not_hold_the_endpoint_back() -> None:
    scene = ready()
    scene.zone_group()
    scene.rest()
    scene.azure.world.delete(scene.zone)
    scene.azure.links.state_changed(scene.account, f"{scene.network}/privateEndpoints/pe", "Approved", "again")
    assert scene.endpoint_now()["properties"]["provisioningState"] == "Succeeded"
    assert scene.connection_now()["description"] == "again"


def test_news_of_an_endpoint_that_is_gone_is_no_news() -> None:
    scene = ready()
    scene.azure.links.state_changed(scene.account, f"{scene.network}/privateEndpoints/gone", "Approved", "late")
    assert scene.connection_now()["description"] == "Auto Approved"


def test_a_zone_group_that_is_still_being_written_is_not_touched_by_a_decision() -> None:
    scene = Scene()
    scene.endpoint(manual=True)
    scene.rest()
    scene.zone_group()
    scene.azure.links.state_changed(scene.account, f"{scene.network}/privateEndpoints/pe", "Approved", "yes")
    assert scene.records() == {}
    scene.rest()
    assert scene.records() == {"contoso": ["10.0.1.4"]}


def test_a_zone_group_without_its_endpoint_can_go() -> None:
    """A seed may hold one."""
    scene = Scene()
    path = f"{scene.network}/privateEndpoints/gone/privateDnsZoneGroups/default"
    scene.azure.world.put({"id": path, "properties": {"privateDnsZoneConfigs": []}})
    assert [each.id for each in scene.azure.world.delete(path)] == [path]
