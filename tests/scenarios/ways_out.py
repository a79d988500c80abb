"""Security groups and service endpoint policies in a house, and an independent look at what they let through."""

from typing import Any

from local.simulator import scenery
from local.simulator.world import Resource
from tests.scenarios.house import House

CLIENTS = [
    ("tcp", "AzureMachineLearning", "443"),
    ("tcp", "AzureMachineLearning", "8787"),
    ("tcp", "AzureMachineLearning", "18881"),
    ("udp", "AzureMachineLearning", "5831"),
    ("tcp", "AzureFrontDoor.FirstParty", "443"),
]
IN_A_REGION = ["Storage", "AzureContainerRegistry", "MicrosoftContainerRegistry"]


def rule(
    name: str, priority: int, *, to: str, ports: str = "*", access: str = "Allow", protocol: str = "*", **more: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "properties": {
            "priority": priority,
            "direction": "Outbound",
            "access": access,
            "protocol": protocol,
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": to,
            "destinationPortRange": ports,
            **more,
        },
    }


DENY_ALL = rule("deny-all", 4096, to="*", access="Deny")


def add_group(house: House, name: str = "nsg", rules: list[dict[str, Any]] | None = None) -> str:
    """A security group; gives its id."""
    group = f"{house.scene.network_group}/providers/Microsoft.Network/networkSecurityGroups/{name}"
    body = {"location": "westeurope", "properties": {"securityRules": [DENY_ALL] if rules is None else rules}}
    scenery.send(house.azure, "PUT", group, body, api_version=scenery.NETWORK_API)
    scenery.rest(house.azure)
    return group


def add_policy(house: House, *, alias: bool = False, name: str = "sep") -> str:
    """A service endpoint policy that lets through one storage account; gives its id."""
    policy = f"{house.scene.network_group}/providers/Microsoft.Network/serviceEndpointPolicies/{name}"
    account = f"{house.scene.network_group}/providers/Microsoft.Storage/storageAccounts/stown"
    definitions = [{"name": "own", "properties": {"service": "Microsoft.Storage", "serviceResources": [account]}}]
    if alias:
        resources = ["/services/Azure/MachineLearning"]
        definitions.append({"name": "ml", "properties": {"service": "Global", "serviceResources": resources}})
    body = {"location": "westeurope", "properties": {"serviceEndpointPolicyDefinitions": definitions}}
    scenery.send(house.azure, "PUT", policy, body, api_version=scenery.NETWORK_API)
    scenery.rest(house.azure)
    return policy


def found(house: House, resource: str) -> Resource:
    there = house.azure.world.get(resource)
    assert there is not None
    return there


def rules_of(house: House, group: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each["properties"] for each in found(house, group).properties["securityRules"]}


def stopped(house: House, group: str, regions: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """What a client of a registry in *regions* needs and the group does not let through."""
    wanted = CLIENTS + [("tcp", f"{tag}.{region}", "443") for region in regions for tag in IN_A_REGION]
    outbound = [each for each in rules_of(house, group).values() if each["direction"] == "Outbound"]
    rules = sorted(outbound, key=lambda each: int(each["priority"]))
    return [need for need in wanted if not _passes(rules, *need)]


def _passes(rules: list[dict[str, Any]], protocol: str, tag: str, port: str) -> bool:
    for each in rules:
        ports = [each.get("destinationPortRange"), *each.get("destinationPortRanges", [])]
        tags = [each.get("destinationAddressPrefix"), *each.get("destinationAddressPrefixes", [])]
        if each["protocol"].lower() in {"*", protocol} and {"*", port} & set(ports) and {"*", tag} & set(tags):
            return bool(each["access"] == "Allow")
    return False
