"""
Rows of Resource Graph: what it shows of a resource of the world.

`properties` are those of the provider's own GET in its newest shape. ASSUMED: the real index is filled from every
provider's newest api-version, whose spelling may differ from what a client reads at another one. Of private DNS it has
zones and links among the resources, and A records in a table of their own. Zone groups of private endpoints are not in
it (ASSUMED; the documented list of types does not have them), nor are connections, subnets and rules, which are parts.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local.simulator import arm_ids
from local.simulator.kernel import Kernel
from local.simulator.providers import container_registry, machine_learning, network, private_dns, storage, workspaces
from local.simulator.providers.network_answers import as_stored
from local.simulator.resource_graph_values import Kind, Row
from local.simulator.wire import JsonObject
from local.simulator.world import Resource

RESOURCES = "resources"
CONTAINERS = "resourcecontainers"
DNS = "dnsresources"
SUBSCRIPTION_TYPE = "microsoft.resources/subscriptions"
GROUP_TYPE = "microsoft.resources/subscriptions/resourcegroups"

COLUMNS: Mapping[str, Kind] = {
    "id": Kind.STRING,
    "name": Kind.STRING,
    "type": Kind.STRING,
    "tenantId": Kind.STRING,
    "kind": Kind.STRING,
    "location": Kind.STRING,
    "resourceGroup": Kind.STRING,
    "subscriptionId": Kind.STRING,
    "managedBy": Kind.STRING,
    "sku": Kind.DYNAMIC,
    "plan": Kind.DYNAMIC,
    "properties": Kind.DYNAMIC,
    "tags": Kind.DYNAMIC,
    "identity": Kind.DYNAMIC,
    "zones": Kind.DYNAMIC,
    "extendedLocation": Kind.DYNAMIC,
}
"""Columns in the order in which the service gives them (recorded: azext2508); every table has them (ASSUMED)."""

TABLES = (RESOURCES, CONTAINERS, DNS)
EMPTY_TABLES = frozenset(
    (
        "advisorresources",
        "alertsmanagementresources",
        "authorizationresources",
        "extendedlocationresources",
        "guestconfigurationresources",
        "healthresources",
        "kubernetesconfigurationresources",
        "maintenanceresources",
        "patchassessmentresources",
        "patchinstallationresources",
        "policyresources",
        "recoveryservicesresources",
        "securityresources",
        "servicehealthresources",
    )
)
"""Tables of the documentation whose resource types this Azure does not have."""

_REGISTRY_VERSION = "9999"
"""Newer than every api-version: the newest shape."""

_VIEWS: dict[str, Callable[[Kernel, Resource], JsonObject]] = {
    "microsoft.machinelearningservices/registries": lambda azure, each: machine_learning.shown(
        azure, each, _REGISTRY_VERSION
    ),
    "microsoft.machinelearningservices/workspaces": workspaces.shown,
    "microsoft.storage/storageaccounts": storage.shown,
    "microsoft.containerregistry/registries": container_registry.shown,
    "microsoft.network/virtualnetworks": network.network_view,
    "microsoft.network/privatednszones": private_dns.zone_view,
    "microsoft.network/privatednszones/virtualnetworklinks": as_stored,
    "microsoft.network/privateendpoints": as_stored,
    "microsoft.network/networkinterfaces": as_stored,
    "microsoft.network/networksecuritygroups": as_stored,
    "microsoft.network/serviceendpointpolicies": as_stored,
}
"""The resource types in the table Resources, and how their GET shows them."""

_GROUPS = "microsoft.resources/resourcegroups"
_RECORDS = "microsoft.network/privatednszones/a"


def place_of(resource_type: str) -> tuple[str, str] | None:
    """Table and shown type of a lower-cased resource type; `None` when Resource Graph does not have it."""
    if resource_type in _VIEWS:
        return RESOURCES, resource_type
    if resource_type == _GROUPS:
        return CONTAINERS, GROUP_TYPE
    return (DNS, _RECORDS) if resource_type == _RECORDS else None


def row_of(azure: Kernel, resource: Resource) -> Row:
    """The resource's row, sharing nothing with the world."""
    kind = resource.type.lower()
    body = _VIEWS.get(kind, as_stored)(azure, resource)
    parts = arm_ids.parse(resource.id)
    place = place_of(kind)
    return {
        "id": resource.id,
        "name": resource.name,
        "type": place[1] if place is not None else kind,
        "tenantId": azure.tenant_id,
        "kind": str(body.get("kind") or ""),
        "location": str(body.get("location") or "").lower(),
        "resourceGroup": parts.resource_group.lower(),
        "subscriptionId": parts.subscription,
        "managedBy": str(body.get("managedBy") or ""),
        **{name: _copied(body.get(name)) for name, kind in COLUMNS.items() if kind is Kind.DYNAMIC},
    }


def subscription_row(azure: Kernel, subscription: str) -> Row:
    """A subscription's row in ResourceContainers."""
    empty = {name: "" if kind is Kind.STRING else None for name, kind in COLUMNS.items()}
    return {
        **empty,
        "id": f"/subscriptions/{subscription}",
        "name": subscription,
        "type": SUBSCRIPTION_TYPE,
        "tenantId": azure.tenant_id,
        "subscriptionId": subscription,
        "properties": {"state": "Enabled", "managedByTenants": []},
    }


def _copied(value: Any) -> Any:
    """A copy of JSON down to its leaves."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return value
