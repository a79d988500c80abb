"""Three registries: one isolated, one open, one that could not be closed because its container registry is not Premium."""

from dataclasses import dataclass
from typing import Any

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.scenery_many import put_isolated_registries

AUDITOR = "00000000-0000-4000-8000-0000000000dd"
"""Object id of somebody who is Reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditWorld:
    """The world, and a policy under which one of the three is as it should be."""

    azure: SimulatedAzure
    policy: dict[str, Any]
    subscription: str


def three_registries(**options: Any) -> AuditWorld:
    """Make the world; Resource Graph knows all of it."""
    azure = SimulatedAzure(**options)
    scene = scenery.standard_world(azure)
    scenery.create_registry(azure, "open")
    blocked = scenery.create_registry(azure, "blocked")
    for part in scenery.parts_of(azure, blocked):
        if part.type.lower() == "microsoft.containerregistry/registries":
            part.body["sku"] = {"name": "Standard", "tier": "Standard"}
    crowd = put_isolated_registries(azure, 1)
    azure.rbac.principal(AUDITOR, name="auditor", actions=("*/read",))
    hub = {
        "name": "spoke",
        "subnet": scene.subnet,
        "serves": {"registries": ["open", "blocked"]},
        "dns": {"zones_resource_group": scene.dns_group},
    }
    subscription = next(iter(azure.subscriptions.values()))
    policy = {
        "version": 1,
        "mode": "enforce",
        "scope": {"subscriptions": [subscription]},
        "networks": [*crowd.policy_networks, hub],
    }
    return AuditWorld(azure=azure, policy=policy, subscription=subscription)
