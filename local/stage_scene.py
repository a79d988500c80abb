"""
What stands on the stage: the ids, the landing zone and the policy of the local run.

A user of the simulated Azure creates the groups, the network and the event subscription from here, and
the app gets its policy from here, so both speak of the same subnet.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.azurite import REPOSITORY
from shared.core.events import OPERATION_NAMES, SUBSCRIPTION_EVENTS

APP_PRINCIPAL = "00000000-0000-4000-8000-0000000000aa"
"""Object id of the app's managed identity."""
APP_CLIENT = "00000000-0000-4000-8000-0000000000ab"
"""Client id of the same identity."""

LOCATION = "westeurope"
REGIONS = (LOCATION, "northeurope")

API_VERSIONS = {
    "groups": "2021-04-01",
    "network": "2024-05-01",
    "private-dns": "2024-06-01",
    "event-grid": "2025-02-15",
    "registries": "2025-06-01",
    "storage": "2025-01-01",
    "container-registries": "2025-04-01",
}
"""The user's: a client of its own with versions of its own, the app's may differ."""

ROLES = (REPOSITORY / "infra" / "role.json", REPOSITORY / "infra" / "role-deletion.json")
"""The roles that a policy with its defaults needs; the demo shows that they suffice."""
OUTCOME_ROLE = REPOSITORY / "infra" / "role-outcomes.json"
"""The role on the topic."""
OUTCOME_TOPIC = "registry-outcomes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Ids of the local run in one subscription."""

    subscription: str

    @property
    def scope(self) -> str:
        return f"/subscriptions/{self.subscription}"

    def group(self, name: str) -> str:
        return f"{self.scope}/resourceGroups/{name}"

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(self.group(name) for name in ("rg-ml", "rg-network", "rg-dns", "rg-events"))

    @property
    def network(self) -> str:
        return f"{self.group('rg-network')}/providers/Microsoft.Network/virtualNetworks/vnet-hub"

    @property
    def subnet(self) -> str:
        return f"{self.network}/subnets/endpoints"

    @property
    def topic(self) -> str:
        return f"{self.group('rg-events')}/providers/Microsoft.EventGrid/systemTopics/subscription-events"

    @property
    def outcome_topic(self) -> str:
        """Where the app tells what became of registries."""
        return f"{self.group('rg-events')}/providers/Microsoft.EventGrid/topics/{OUTCOME_TOPIC}"

    @property
    def event_subscription(self) -> str:
        return f"{self.topic}/eventSubscriptions/registry-isolation"

    def registry(self, name: str) -> str:
        return f"{self.group('rg-ml')}/providers/Microsoft.MachineLearningServices/registries/{name}"


def seed() -> dict[str, Any]:
    """The world before anybody did anything: only the app's identity with its role is there."""
    data_actions = json.loads(OUTCOME_ROLE.read_text())["DataActions"]
    actions = [action for role in ROLES for action in json.loads(role.read_text())["Actions"]]
    role = {"scope": "/", "actions": actions, "dataActions": data_actions}
    app = {"id": APP_PRINCIPAL, "applicationId": APP_CLIENT, "name": "registry-isolation", "assignments": [role]}
    return {"principals": [app]}


def policy(scene: Scene) -> dict[str, Any]:
    """One hub network for every registry of the subscription; everything else as the defaults have it."""
    dns = {"zones_resource_group": scene.group("rg-dns"), "create_zones": True, "link_vnet": True}
    return {
        "version": 1,
        "mode": "enforce",
        "scope": {"subscriptions": [scene.subscription]},
        "networks": [{"name": "hub", "subnet": scene.subnet, "dns": dns}],
    }


def network_body() -> dict[str, Any]:
    """A hub with one subnet for endpoints."""
    return {
        "location": LOCATION,
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.20.0.0/16"]},
            "subnets": [{"name": "endpoints", "properties": {"addressPrefix": "10.20.1.0/24"}}],
        },
    }


def topic_body(scene: Scene) -> dict[str, Any]:
    """Every write and deletion of the subscription."""
    properties = {"source": scene.scope, "topicType": "Microsoft.Resources.Subscriptions"}
    return {"location": "global", "properties": properties}


def outcome_topic_body() -> dict[str, Any]:
    """A topic for CloudEvents from identities alone."""
    return {"location": LOCATION, "properties": {"inputSchema": "CloudEventSchemaV1_0", "disableLocalAuth": True}}


def event_subscription_body(webhook: str) -> dict[str, Any]:
    """What the app listens to goes to *webhook*; the rest of the subscription's noise stays where it is."""
    listened = {"operatorType": "StringIn", "key": "data.operationName", "values": list(OPERATION_NAMES)}
    return {
        "properties": {
            "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": webhook}},
            "eventDeliverySchema": "EventGridSchema",
            "filter": {"includedEventTypes": list(SUBSCRIPTION_EVENTS), "advancedFilters": [listened]},
        }
    }


def registry_body(regions: Sequence[str] = REGIONS) -> dict[str, Any]:
    """A registry as the documentation creates it: one storage account a region, one Premium container registry."""
    details = [
        {
            "location": region,
            "storageAccountDetails": [
                {
                    "systemCreatedStorageAccount": {
                        "storageAccountType": "Standard_LRS",
                        "storageAccountHnsEnabled": False,
                    }
                }
            ],
            "acrDetails": [{"systemCreatedAcrAccount": {"acrAccountSku": "Premium"}}],
        }
        for region in regions
    ]
    return {
        "location": regions[0],
        "identity": {"type": "SystemAssigned"},
        "tags": {"team": "ml-platform"},
        "properties": {"publicNetworkAccess": "Enabled", "regionDetails": details},
    }
