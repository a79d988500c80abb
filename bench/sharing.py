"""A workspace beside the registry, whose storage the registry is to be let into."""

from collections.abc import Mapping
from typing import Any

from bench.rows import ReferenceFailed
from local.simulator import scenery
from local.simulator.azure import SimulatedAzure

ACCOUNT = "stshared"
_RULES = {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}


def lay_out_workspace(azure: SimulatedAzure) -> Mapping[str, Any]:
    """Make a workspace on a closed storage account; gives the policy's entry for it."""
    account = scenery.create_storage_account(azure, ACCOUNT, publicNetworkAccess="Disabled", networkAcls=dict(_RULES))
    workspace = scenery.create_workspace(azure, "ws", account.id)
    return {"registries": ["*"], "workspaces": [workspace.id]}


def demand_shared(azure: SimulatedAzure, registry: str) -> None:
    """
    Look at the storage account's rules.

    Raises:
        ReferenceFailed: None of them lets the registry in.
    """
    (account,) = (each for each in azure.world.of_type("Microsoft.Storage/storageAccounts") if each.name == ACCOUNT)
    rules = account.properties["networkAcls"].get("resourceAccessRules", [])
    if registry.lower() not in {str(rule["resourceId"]).lower() for rule in rules}:
        raise ReferenceFailed(f"{ACCOUNT} has no rule that lets the registry in")
