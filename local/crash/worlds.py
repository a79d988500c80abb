"""
The world of one trial: a landing zone, a workspace that shares with registries, and a registry that is being created.

Every world is the same but for the registry's name, so one policy and one host serve all of them, and the ledger's rows of
earlier trials concern nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.house import DATA_ROLE, ROLE
from local.simulator import scenery
from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.durations import Durations
from local.simulator.options import Options
from local.stage_scene import APP_CLIENT, APP_PRINCIPAL, OUTCOME_TOPIC

_LONG_AGO = timedelta(hours=2)
"""The landing zone is older than the trial: building it takes some of the world's time."""
_SCOPE = f"/subscriptions/{SUBSCRIPTION}"
_PROVIDERS = f"{_SCOPE}/resourceGroups/rg-ml/providers"
WORKSPACE = f"{_PROVIDERS}/Microsoft.MachineLearningServices/workspaces/ws"
ACCOUNT = f"{_PROVIDERS}/Microsoft.Storage/storageAccounts/stshared"
FOREIGN_RULE = {
    "tenantId": "99999999-0000-4000-8000-000000000009",
    "resourceId": (
        "/subscriptions/99999999-0000-4000-8000-000000000001/resourceGroups/rg-theirs/providers/"
        "Microsoft.MachineLearningServices/workspaces/theirs"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenery:
    """
    What all worlds of a campaign share.

    Attributes:
        webhook: Where Event Grid delivers; "" for nowhere.
        header: The identity endpoint's secret.
        scale: Factor on Azure's durations.
    """

    webhook: str
    header: str
    scale: float


def build(scenes: Scenery) -> SimulatedAzure:
    """Give a world without a registry."""
    azure = SimulatedAzure(
        start=datetime.now(UTC) - _LONG_AGO,
        durations=Durations().scaled(scenes.scale),
        options=Options(event_lag=Options().event_lag * scenes.scale),
    )
    azure.identity_header = scenes.header
    azure.rbac.principal(APP_PRINCIPAL, name="registry-isolation", actions=ROLE, data_actions=DATA_ROLE)
    azure.rbac.principals[APP_PRINCIPAL].application_id = APP_CLIENT
    scenery.standard_world(azure)
    acls = {"bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [], "resourceAccessRules": [FOREIGN_RULE]}
    scenery.create_storage_account(azure, "stshared", publicNetworkAccess="Disabled", networkAcls=acls)
    scenery.create_workspace(azure, "ws", ACCOUNT)
    scenery.create_topic(azure, OUTCOME_TOPIC)
    scenery.rest(azure)
    if scenes.webhook:
        scenery.subscribe(azure, scenes.webhook)
    return azure


def policy() -> dict[str, Any]:
    """One hub network for every registry, and a workspace that they share with."""
    dns = {"zones_resource_group": f"{_SCOPE}/resourceGroups/rg-dns", "create_zones": True, "link_vnet": True}
    network = f"{_SCOPE}/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/hub"
    return {
        "version": 1,
        "mode": "enforce",
        "scope": {"subscriptions": [SUBSCRIPTION]},
        "networks": [{"name": "hub", "subnet": f"{network}/subnets/endpoints", "dns": dns}],
        "sharing": [{"registries": ["*"], "workspaces": [WORKSPACE]}],
        "deletion": {"endpoints": True, "resource_rules": True, "grace_minutes": 0},
    }


def registry_id(name: str) -> str:
    """The id of the registry *name* in every world."""
    return scenery.registry_id(f"{_SCOPE}/resourceGroups/rg-ml", name)


def wrongly_let_in(azure: SimulatedAzure, *registries: str) -> Iterator[str]:
    """What is wrong when the workspace's storage account is to let in *registries*, and the workspace of somebody else."""
    account = azure.world.get(ACCOUNT)
    rules = account.properties["networkAcls"].get("resourceAccessRules", []) if account else []
    ids = sorted(str(rule["resourceId"]).lower() for rule in rules)
    if ids != sorted((FOREIGN_RULE["resourceId"].lower(), *(registry.lower() for registry in registries))):
        yield f"The workspace's storage account lets in {ids}."
