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
