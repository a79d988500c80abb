"""Network interfaces that callers make themselves, and those that belong to endpoints."""

from typing import Any

from tests.local.simulator.scene import Scene


def interface(scene: Scene, name: str, subnets: list[str] | None = None, **properties: Any) -> tuple[int, str]:
    """Status and code of a PUT; the code is empty when it was accepted."""
    configurations = [
        {"name": f"ip{number}", "properties": {"subnet": {"id": each}, **properties}}
        for number, each in enumerate(subnets or [scene.subnet])
    ]
    body = {"location": "westeurope", "properties": {"ipConfigurations": configurations}}
    answer = scene.put(f"{scene.network}/networkInterfaces/{name}", body)
    return answer.status, "" if answer.status < 400 else answer.json()["error"]["code"]


def test_an_interface_takes_an_address_and_gives_it_back() -> None:
    scene = Scene(prefix="10.0.1.0/29")
    assert [interface(scene, f"nic{number}") for number in range(3)] == [(201, "")] * 3
    assert interface(scene, "nic3") == (400, "SubnetIsFull")
    assert scene.error(scene.endpoint()) == (400, "SubnetIsFull")
    assert scene.delete(f"{scene.network}/networkInterfaces/nic1").status == 202
    scene.rest()
    assert scene.endpoint().status == 201
    scene.rest()
    assert scene.endpoint_now()["properties"]["customDnsConfigs"][0]["ipAddresses"] == ["10.0.1.5"]


def test_an_interface_may_ask_for_its_address() -> None:
    scene = Scene()
    static: dict[str, Any] = {"privateIPAllocationMethod": "Static", "privateIPAddress": "10.0.1.50"}
    assert interface(scene, "a", **static) == (201, "")
    assert interface(scene, "b", **static) == (400, "PrivateIPAddressIsAllocated")


def test_an_interface_lives_in_one_subnet_that_exists() -> None:
    scene = Scene()
    assert interface(scene, "a", [f"{scene.subnet}x"]) == (400, "InvalidResourceReference")
    two = [scene.subnet, f"{scene.subnet}x"]
    assert interface(scene, "a", two) == (400, "IpConfigurationsOnSameNicCannotUseDifferentSubnets")


def test_the_interface_of_an_endpoint_belongs_to_it() -> None:
    scene = Scene()
    scene.endpoint(customNetworkInterfaceName="mine")
    scene.rest()
    assert interface(scene, "mine") == (400, "NicInUseByPrivateEndpoint")
    assert scene.error(scene.delete(f"{scene.network}/networkInterfaces/mine")) == (400, "NicInUseByPrivateEndpoint")


def test_an_interface_that_is_put_again_gives_its_old_address_back() -> None:
    scene = Scene(prefix="10.0.1.0/29")
    for _ in range(4):
        assert interface(scene, "a") in ((201, ""), (200, ""))
    shown = scene.get(f"{scene.network}/networkInterfaces/a").json()["properties"]["ipConfigurations"]
    assert [each["properties"]["privateIPAddress"] for each in shown] == ["10.0.1.4"]


def test_an_interface_needs_a_subnet_and_an_address_that_is_one() -> None:
    scene = Scene()
    path = f"{scene.network}/networkInterfaces/a"
    answer = scene.put(path, {"location": "westeurope", "properties": {"ipConfigurations": []}})
    assert scene.error(answer) == (400, "SubnetsMissing")
    odd: dict[str, Any] = {"privateIPAllocationMethod": "Static", "privateIPAddress": "here"}
    assert interface(scene, "a", **odd) == (400, "PrivateIPAddressNotInSubnet")


def test_an_interface_names_a_public_address_and_a_security_group_that_are_there_and_ready() -> None:
    scene = Scene()
    public, group = f"{scene.network}/publicIPAddresses/ip", f"{scene.network}/networkSecurityGroups/nsg"
    assert interface(scene, "a", publicIPAddress={"id": public}) == (400, "InvalidResourceReference")

    scene.azure.world.put({"id": public, "properties": {"provisioningState": "Succeeded"}})
    scene.put(group, {"location": "westeurope", "properties": {}})
    configuration = {"subnet": {"id": scene.subnet}, "publicIPAddress": {"id": public}}
    asked = {"ipConfigurations": [{"name": "one", "properties": configuration}], "networkSecurityGroup": {"id": group}}
    path = f"{scene.network}/networkInterfaces/a"
    busy = scene.put(path, {"location": "westeurope", "properties": asked})
    assert scene.error(busy) == (429, "RetryableError")
    assert busy.json()["error"]["details"][0]["code"] == "ReferencedResourceNotProvisioned"

    scene.rest()
    shown = scene.put(path, {"location": "westeurope", "properties": asked}).json()["properties"]
    assert shown["networkSecurityGroup"] == {"id": group}
    assert shown["ipConfigurations"][0]["properties"]["publicIPAddress"] == {"id": public}


def test_the_interface_of_a_deleted_endpoint_gives_its_address_back() -> None:
    scene = Scene(prefix="10.0.1.0/29")
    for number in range(5):
        name = f"pe{number}"
        assert scene.endpoint(name).status == 201
        scene.rest()
        assert scene.delete(f"{scene.network}/privateEndpoints/{name}").status == 202
        scene.rest()


def test_when_one_member_finds_no_address_those_before_it_give_theirs_back() -> None:
    scene = Scene(prefix="10.0.1.0/29")
    for each in ("a", "b"):
        assert interface(scene, each) == (201, "")
    registry = f"{scene.rg}/providers/Microsoft.ContainerRegistry/registries/contosoacr"
    scene.put(registry, {"location": "westeurope", "sku": {"name": "Premium"}}, version="2023-11-01-preview")
    body = scene.endpoint_body(registry)
    body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"] = ["registry"]
    answer = scene.put(f"{scene.network}/privateEndpoints/pe", body)
    assert scene.error(answer) == (400, "SubnetIsFull")
    assert interface(scene, "c") == (201, "")
