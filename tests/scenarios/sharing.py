"""Workspaces beside the registry, and other people who write to the same storage accounts."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.world import Resource
from tests.scenarios.house import House

STORAGE_API = "2025-06-01"
OTHER_TENANT = "99999999-0000-4000-8000-000000000009"


def foreign_rule(name: str) -> dict[str, str]:
    """A rule that somebody else has for somebody else's workspace."""
    resource = (
        "/subscriptions/99999999-0000-4000-8000-000000000001/resourcegroups/RG-Theirs/providers/"
        f"Microsoft.MachineLearningServices/workspaces/{name}"
    )
    return {"tenantId": OTHER_TENANT, "resourceId": resource}


BUSY_ACLS: dict[str, Any] = {
    "bypass": "Logging, Metrics",
    "defaultAction": "Deny",
    "ipRules": [{"value": "203.0.113.7", "action": "Allow"}],
    "ipv6Rules": [{"value": "2001:db8::/32", "action": "Allow"}],
    "resourceAccessRules": [foreign_rule("theirs")],
}
"""Network rules with something of somebody else in every list."""


class Neighbourhood:
    """Storage accounts and workspaces in *house*, and a policy entry for them."""

    def __init__(self, house: House) -> None:
        self.house = house

    @property
    def azure(self) -> SimulatedAzure:
        return self.house.azure

    def account(self, name: str = "stshared", acls: Mapping[str, Any] | None = None, **properties: Any) -> Resource:
        """A storage account that is closed, with *acls* as its network rules."""
        settings = {"publicNetworkAccess": "Disabled", **properties}
        if acls is not None:
            settings["networkAcls"] = dict(acls)
        return scenery.create_storage_account(self.azure, name, **settings)

    def workspace(self, account: Resource, name: str = "ws") -> Resource:
        return scenery.create_workspace(self.azure, name, account.id)

    def share(self, *workspaces: Resource, registries: str = "*", **more: Any) -> None:
        """Add an entry to the policy."""
        entry: dict[str, Any] = {"registries": [registries], **more}
        if workspaces:
            entry["workspaces"] = [workspace.id for workspace in workspaces]
        self.house.document.setdefault("sharing", []).append(entry)


def acls_of(azure: SimulatedAzure, account: Resource | str) -> dict[str, Any]:
    """The account's network rules now."""
    found = azure.world.get(account if isinstance(account, str) else account.id)
    assert found is not None
    acls: dict[str, Any] = copy.deepcopy(found.properties["networkAcls"])
    return acls


def let_in(azure: SimulatedAzure, account: Resource | str) -> list[str]:
    """Ids of the resources that the account lets in, in Azure's casing."""
    return [rule["resourceId"] for rule in acls_of(azure, account).get("resourceAccessRules", [])]


def change_acls(azure: SimulatedAzure, account: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change an account's network rules as the portal does: read, change, write, without a pause."""
    acls = acls_of(azure, account)
    change(acls)
    scenery.send(azure, "PATCH", account, {"properties": {"networkAcls": acls}}, api_version=STORAGE_API)


def add_address(address: str) -> Callable[[dict[str, Any]], None]:
    """A change that lets one more address in."""

    def change(acls: dict[str, Any]) -> None:
        acls["ipRules"].append({"value": address, "action": "Allow"})

    return change
