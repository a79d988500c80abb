"""A security group between clients and public registries, with rules of somebody else, and what it lets through."""

from typing import Any

from local.house import House
from local.simulator import scenery

_NEEDS = [
    ("tcp", "AzureMachineLearning", "443"),
    ("tcp", "AzureMachineLearning", "8787"),
    ("tcp", "AzureMachineLearning", "18881"),
    ("udp", "AzureMachineLearning", "5831"),
    ("tcp", "AzureFrontDoor.FirstParty", "443"),
    ("tcp", "Storage.westeurope", "443"),
    ("tcp", "AzureContainerRegistry.westeurope", "443"),
    ("tcp", "MicrosoftContainerRegistry.westeurope", "443"),
]
"""What a client of a registry in West Europe has to reach (Azure Machine Learning, network isolation with registries)."""


def add_group(house: House) -> str:
    """A security group with two rules of somebody else; gives its id."""
    group = f"{house.scene.network_group}/providers/Microsoft.Network/networkSecurityGroups/nsg"
    body = {"location": "westeurope", "properties": {"securityRules": _theirs()}}
    scenery.send(house.azure, "PUT", group, body, api_version=scenery.NETWORK_API)
    scenery.rest(house.azure)
    house.document["egress"] = [{"registries": ["*"], "nsg": group, "mode": "enforce"}]
    return group


def shut_in(house: House, group: str) -> list[str]:
    """What clients need and cannot reach, and rules of somebody else that are gone; [] is good."""
    rules = {each["name"]: each["properties"] for each in house.azure.require(group).properties["securityRules"]}
    lost = [f"the rule {each['name']} of somebody else is gone" for each in _theirs() if not _holds(rules, each)]
    outbound = [each for each in rules.values() if each["direction"] == "Outbound"]
    ordered = sorted(outbound, key=lambda each: int(each["priority"]))
    return [*lost, *(f"clients do not reach {need[1]}:{need[2]}" for need in _NEEDS if not _passes(ordered, *need))]


def _theirs() -> list[dict[str, Any]]:
    return [_rule("deny-all", 4096, "*", "*", "Deny"), _rule("sql", 3001, "Sql", "1433", "Allow")]


def _holds(rules: dict[str, dict[str, Any]], theirs: dict[str, Any]) -> bool:
    """Whether a rule is there as it was written; Azure adds members of its own."""
    now = rules.get(theirs["name"], {})
    return all(now.get(name) == value for name, value in theirs["properties"].items())


def _passes(rules: list[dict[str, Any]], protocol: str, tag: str, port: str) -> bool:
    for each in rules:
        ports = {each.get("destinationPortRange"), *each.get("destinationPortRanges", [])}
        tags = {each.get("destinationAddressPrefix"), *each.get("destinationAddressPrefixes", [])}
        if each["protocol"].lower() in {"*", protocol} and {"*", port} & ports and {"*", tag} & tags:
            return bool(each["access"] == "Allow")
    return False


def _rule(name: str, priority: int, to: str, ports: str, access: str) -> dict[str, Any]:
    return {
        "name": name,
        "properties": {
            "priority": priority,
            "direction": "Outbound",
            "access": access,
            "protocol": "*",
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": to,
            "destinationPortRange": ports,
        },
    }
