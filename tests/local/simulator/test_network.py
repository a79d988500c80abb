"""Virtual networks, subnets, addresses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.addresses import AddressPool
from local.simulator.wire import Request
from tests.local.simulator.scene import Scene


def test_a_network_is_shown_with_its_subnets() -> None:
    scene = Scene()
    shown = scene.get(scene.vnet)
    (subnet,) = shown.json()["properties"]["subnets"]
    assert subnet["properties"]["addressPrefix"] == "10.0.1.0/24"
    assert shown.header("ETag") == shown.json()["etag"]
    assert scene.get(scene.subnet).json()["id"] == scene.subnet


def test_writing_a_network_again_answers_200_and_drops_the_subnets_it_does_not_name() -> None:
    scene = Scene()
    body = scene.get(scene.vnet).json()
    body["properties"]["subnets"] = []
    assert scene.put(scene.vnet, body).status == 200
    assert scene.error(scene.get(scene.subnet)) == (404, "NotFound")


def test_a_subnet_in_use_cannot_go() -> None:
    scene = Scene()
    scene.endpoint()
    body = scene.get(scene.vnet).json()
    body["properties"]["subnets"] = []
    assert scene.error(scene.put(scene.vnet, body)) == (400, "InUseSubnetCannotBeDeleted")
    assert scene.error(scene.delete(scene.subnet)) == (400, "InUseSubnetCannotBeDeleted")
    assert scene.error(scene.delete(scene.vnet)) == (400, "InUseSubnetCannotBeDeleted")
    assert scene.get(scene.subnet).status == 200


@pytest.mark.parametrize(
    ("prefix", "code"),
    [
        ("10.0.4.0/24--no-wait", "InvalidAddressPrefixFormat"),
        ("192.168.0.0/24", "NetcfgInvalidSubnet"),
        ("10.0.1.128/25", "NetcfgSubnetRangesOverlap"),
    ],
)
def test_an_impossible_prefix_is_refused(prefix: str, code: str) -> None:
    scene = Scene()
    answer = scene.put(f"{scene.vnet}/subnets/more", {"properties": {"addressPrefix": prefix}})
    assert scene.error(answer) == (400, code)


def test_a_refused_network_leaves_nothing_behind() -> None:
    scene = Scene()
    subnets = [{"name": "a", "properties": {"addressPrefix": "172.16.0.0/24"}}]
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": subnets}
    path = f"{scene.network}/virtualNetworks/other"
    refused = scene.put(path, {"location": "westeurope", "properties": space})
    assert scene.error(refused) == (400, "NetcfgInvalidSubnet")
    assert scene.get(path).status == 404


def test_a_network_takes_one_write_at_a_time() -> None:
    scene = Scene()
    body = {"properties": {"addressPrefix": "10.0.2.0/24"}}
    assert scene.put(f"{scene.vnet}/subnets/a", body).status == 201
    busy = scene.put(f"{scene.vnet}/subnets/b", {"properties": {"addressPrefix": "10.0.3.0/24"}})
    assert scene.error(busy) == (429, "RetryableError")
    assert busy.json()["error"]["details"][0]["code"] == "RetryableErrorDueToAnotherOperation"
    scene.wait(int(busy.header("Retry-After")))
    assert scene.put(f"{scene.vnet}/subnets/b", {"properties": {"addressPrefix": "10.0.3.0/24"}}).status == 201


def test_a_stale_etag_is_refused_with_412() -> None:
    scene = Scene()
    url = f"{scene.azure.endpoint}{scene.vnet}?api-version=2024-05-01"
    headers = scene.azure.headers() | {"If-Match": 'W/"old"'}
    answer = scene.azure.handle(Request("PUT", url, headers, b"{}"), scene.azure.world.now)
    assert scene.error(answer) == (412, "PreconditionFailed")


def test_usages_count_addresses_without_the_five_that_azure_keeps() -> None:
    scene = Scene()
    scene.endpoint()
    (row,) = scene.get(f"{scene.vnet}/usages").json()["value"]
    assert (row["id"], row["currentValue"], row["limit"]) == (scene.subnet, 1.0, 251.0)


def test_a_network_is_deleted_with_both_operation_urls_and_ends_in_204() -> None:
    scene = Scene()
    answer = scene.delete(scene.vnet)
    assert (answer.status, answer.header("Retry-After")) == (202, "10")
    assert scene.get(answer.header("Location")).status == 202
    scene.rest()
    assert scene.get(answer.header("Azure-AsyncOperation")).json() == {"status": "Succeeded"}
    assert scene.get(answer.header("Location")).status == 204
    assert scene.get(scene.vnet).status == 404
    assert scene.delete(scene.vnet).status == 204


def test_networks_are_listed_by_group_and_by_subscription() -> None:
    scene = Scene()
    for scope in (scene.rg, scene.rg.partition("/resourceGroups/")[0]):
        rows = scene.get(f"{scope}/providers/Microsoft.Network/virtualNetworks").json()["value"]
        assert [each["id"] for each in rows] == [scene.vnet]


def test_tags_of_a_network_are_patched() -> None:
    scene = Scene()
    assert scene.patch(scene.vnet, {"tags": {"a": "b"}}).json()["tags"] == {"a": "b"}


def test_a_subnet_refers_to_a_security_group_that_exists() -> None:
    scene = Scene()
    body = {"properties": {"addressPrefix": "10.0.2.0/24", "networkSecurityGroup": {"id": f"{scene.network}/nope/x"}}}
    assert scene.error(scene.put(f"{scene.vnet}/subnets/a", body)) == (400, "InvalidResourceReference")


def test_addresses_are_handed_out_from_the_fifth_on() -> None:
    pool = AddressPool("10.0.0.0/29")
    assert [pool.take(str(number)) for number in range(4)] == ["10.0.0.4", "10.0.0.5", "10.0.0.6", None]
    pool.release("10.0.0.5")
    assert (pool.free, pool.take("again"), pool.free) == (1, "10.0.0.5", 0)


def test_an_ipv6_prefix_has_no_pool() -> None:
    with pytest.raises(TypeError, match="not an IPv4 prefix"):
        AddressPool("fd00::/64")


@given(st.lists(st.tuples(st.sampled_from(["take", "release", "claim"]), st.integers(4, 14)), max_size=60))
def test_an_address_is_never_held_twice_and_none_is_lost(steps: list[tuple[str, int]]) -> None:
    pool = AddressPool("10.0.0.0/28")
    for step, number in steps:
        address = f"10.0.0.{number}"
        if step == "take":
            full = pool.free == 0
            assert (pool.take("somebody") is None) is full
        elif step == "release":
            pool.release(address)
        else:
            free = address not in pool.held
            assert pool.claim(address, f"claimant {number}") is (free or pool.held[address] == f"claimant {number}")
        assert pool.free + len(pool.held) == pool.size == 11
        assert all(pool.covers(each) for each in pool.held)


def test_a_subnet_of_two_prefixes_has_its_addresses_in_the_ipv4_one_in_either_order() -> None:
    scene = Scene()
    body = scene.get(scene.vnet).json()
    body["properties"]["addressSpace"]["addressPrefixes"].append("fd00:1::/48")
    assert scene.put(scene.vnet, body).status == 200
    scene.rest()
    for number, prefixes in enumerate((["fd00:1:0:1::/64", "10.0.8.0/24"], ["10.0.9.0/24", "fd00:1:0:2::/64"])):
        path = f"{scene.vnet}/subnets/two{number}"
        assert scene.put(path, {"properties": {"addressPrefixes": prefixes}}).status == 201
        scene.rest()
        assert scene.get(path).json()["properties"]["addressPrefixes"] == prefixes
    rows = scene.get(f"{scene.vnet}/usages").json()["value"]
    assert [row["limit"] for row in rows] == [251.0] * 3


def test_a_subnet_has_ipv4_addresses() -> None:
    scene = Scene()
    answer = scene.put(f"{scene.vnet}/subnets/six", {"properties": {"addressPrefix": "fd00:1::/64"}})
    assert scene.error(answer) == (400, "NetcfgInvalidSubnet")


@pytest.mark.parametrize("prefix", ["everywhere", "10.0.0.1/16", "10.0.0.0/33"])
def test_an_address_space_that_cannot_be_read_is_refused(prefix: str) -> None:
    scene = Scene()
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16", prefix]}}
    answer = scene.put(scene.vnet, {"location": "westeurope", "properties": space})
    assert scene.error(answer) == (400, "InvalidAddressPrefixFormat")
    assert scene.get(scene.vnet).json()["properties"]["addressSpace"]["addressPrefixes"] == ["10.0.0.0/16"]


@pytest.mark.parametrize("asked", [{"enabled": True}, {"enforcement": "DropUnencrypted"}])
def test_encryption_needs_its_intent_and_its_enforcement(asked: dict[str, object]) -> None:
    scene = Scene()
    body = scene.get(scene.vnet).json()
    body["properties"]["encryption"] = asked
    refused = scene.error(scene.put(scene.vnet, body))
    assert refused == (400, "MustSpecifyBothEncryptionIntentAndEnforcementPolicy")


def test_a_network_that_is_put_with_its_subnets_keeps_them_and_their_addresses() -> None:
    scene = Scene()
    scene.endpoint()
    scene.rest()
    body = scene.get(scene.vnet).json()
    body["properties"]["subnets"].append({"name": "more", "properties": {"addressPrefix": "10.0.7.0/24"}})
    assert scene.put(scene.vnet, body).status == 200
    scene.rest()
    listed = scene.get(f"{scene.vnet}/subnets").json()["value"]
    assert [each["name"] for each in listed] == ["pe", "more"]
    assert len(listed[0]["properties"]["ipConfigurations"]) == 1


def test_a_prefix_in_use_cannot_be_changed() -> None:
    scene = Scene()
    scene.endpoint()
    scene.rest()
    answer = scene.put(scene.subnet, {"properties": {"addressPrefix": "10.0.6.0/24"}})
    assert scene.error(answer) == (400, "InUsePrefixCannotBeDeleted")


def test_a_subnet_refers_to_what_is_there_and_its_services_are_ready_when_it_is() -> None:
    scene = Scene()
    group = f"{scene.network}/networkSecurityGroups/nsg"
    scene.put(group, {"location": "westeurope", "properties": {}})
    scene.rest()
    asked: dict[str, Any] = {"addressPrefix": "10.0.2.0/24", "networkSecurityGroup": {"id": group}}
    asked["serviceEndpoints"] = [{"service": "Microsoft.Storage"}]
    first = scene.put(f"{scene.vnet}/subnets/a", {"properties": asked}).json()["properties"]
    assert first["serviceEndpoints"][0]["provisioningState"] == "Updating"
    scene.rest()
    shown = scene.get(f"{scene.vnet}/subnets/a").json()["properties"]
    assert shown["networkSecurityGroup"] == {"id": group}
    assert shown["serviceEndpoints"] == [
        {"service": "Microsoft.Storage", "provisioningState": "Succeeded", "locations": ["*"]}
    ]


def test_a_freed_address_that_somebody_claimed_is_not_handed_out() -> None:
    pool = AddressPool("10.0.0.0/28")
    assert [pool.take("a"), pool.take("b")] == ["10.0.0.4", "10.0.0.5"]
    pool.release("10.0.0.4")
    assert pool.claim("10.0.0.4", "c")
    assert pool.take("d") == "10.0.0.6"
    assert pool.covers("10.0.0.7")
    assert not pool.covers("here")
