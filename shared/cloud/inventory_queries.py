"""
The questions that the inventory asks of Azure Resource Graph.

A page of registries takes a handful of queries, so rows that belong together come packed into one: its documentation
limits an answer to 1,000 rows, and only plain rows that keep their `id` can be paged. `held` counts what was packed, so
that a list which came back shorter is noticed. Types are lower case there, ids in any casing.
"""

from collections.abc import Iterable

from shared.cloud.inventory_kql import literals

_STORAGE = "microsoft.storage/storageaccounts"
_CONTAINER_REGISTRY = "microsoft.containerregistry/registries"
_REGISTRY = "microsoft.machinelearningservices/registries"
_WORKSPACE = "microsoft.machinelearningservices/workspaces"
_ENDPOINT = "microsoft.network/privateendpoints"
_INTERFACE = "microsoft.network/networkinterfaces"
_ZONE = "microsoft.network/privatednszones"
_SECURITY_GROUP = "microsoft.network/networksecuritygroups"
_ENDPOINT_POLICY = "microsoft.network/serviceendpointpolicies"

REGISTRIES = f"""Resources
| where type =~ '{_REGISTRY}'
| project id, location, tags, identity, tenantId, properties
| order by id asc"""
"""Every registry, in a stable order."""


def registries_among(ids: Iterable[str]) -> str:
    """Which of *ids* are registries."""
    return f"""Resources
| where type =~ '{_REGISTRY}'
| where tolower(id) in {literals(ids)}
| project id
| order by id asc"""


def parts_of_groups(groups: Iterable[str]) -> str:
    """Storage accounts and container registries of the resource groups called *groups*, one row for each group."""
    members = (
        "provisioningState",
        "publicNetworkAccess",
        "networkAcls",
        "networkRuleSet",
        "networkRuleBypassOptions",
        "privateEndpointConnections",
    )
    return f"""Resources
| where type in~ ('{_STORAGE}', '{_CONTAINER_REGISTRY}')
| extend owner = tolower(resourceGroup)
| where owner in {literals(groups)}
| project owner, packed = bag_pack('id', id, 'location', location, 'sku', sku, 'properties', {_bag(members)})
| summarize rows = make_list(packed), held = count() by owner"""


def endpoints_to_groups(groups: Iterable[str], holding: Iterable[str]) -> str:
    """
    Private endpoints that lead to anything in the resource groups called *groups*, one row for each of these.

    Args:
        holding: Names of the resource groups in which the policy's endpoints live.
    """
    return _endpoints("tostring(split(target, '/')[4])", groups, holding)


def endpoints_to_targets(targets: Iterable[str], holding: Iterable[str]) -> str:
    """Private endpoints that lead to *targets*, one row for each target; *holding* as above."""
    return _endpoints("target", targets, holding)


def _endpoints(owner: str, owners: Iterable[str], holding: Iterable[str]) -> str:
    """An endpoint has one connection and one interface; it and its interface live in one resource group."""
    members = (
        "provisioningState",
        "subnet",
        "privateLinkServiceConnections",
        "manualPrivateLinkServiceConnections",
        "networkInterfaces",
    )
    homes = literals(holding)
    return f"""Resources
| where type =~ '{_ENDPOINT}'
| where resourceGroup in~ {homes}
| extend connection = iff(array_length(properties.manualPrivateLinkServiceConnections) > 0,
    properties.manualPrivateLinkServiceConnections[0], properties.privateLinkServiceConnections[0])
| extend target = tolower(tostring(connection.properties.privateLinkServiceId))
| extend owner = {owner}
| where owner in {literals(owners)}
| extend interface = tolower(tostring(properties.networkInterfaces[0].id))
| join kind=leftouter (Resources
    | where type =~ '{_INTERFACE}'
    | where resourceGroup in~ {homes}
    | project interface = tolower(id), configurations = properties.ipConfigurations) on interface
| project owner, packed = bag_pack('id', id, 'location', location, 'tags', tags, 'properties', {_bag(members)},
    'configurations', configurations)
| summarize rows = make_list(packed), held = count() by owner"""


def records(labels: Iterable[str], zones: Iterable[str], groups: Iterable[str] | None) -> str:
    """
    A records of private zones called *zones* whose names begin with one of *labels*.

    Packed by zone and last character of the label, which spreads names that begin alike.

    Args:
        groups: Names of the resource groups that hold the zones; None looks everywhere.
    """
    where = "" if groups is None else f"\n| where resourceGroup in~ {literals(groups)}"
    return f"""DnsResources
| where type =~ '{_ZONE}/a'{where}
| extend segments = split(tolower(id), '/')
| extend zone = tostring(segments[8]), record = tostring(segments[10])
| where zone in {literals(zones)}
| extend label = tostring(split(record, '.')[0])
| where label in {literals(labels)}
| project zone, tail = substring(label, strlen(label) - 1), packed = bag_pack('id', id, 'name', record,
    'properties', bag_pack('aRecords', coalesce(properties.aRecords, properties.ARecords, properties.records)))
| summarize rows = make_list(packed), held = count() by zone, tail"""


def zones(names: Iterable[str], groups: Iterable[str], networks: Iterable[str]) -> str:
    """Private zones called *names* in the resource groups called *groups*, and their links to *networks*."""
    members = ("provisioningState", "virtualNetworkLinkState", "virtualNetwork")
    return f"""Resources
| where type in~ ('{_ZONE}', '{_ZONE}/virtualnetworklinks')
| where resourceGroup in~ {literals(groups)}
| extend zone = tostring(split(tolower(id), '/')[8])
| where zone in {literals(names)}
| extend network = tolower(tostring(properties.virtualNetwork.id))
| where isempty(network) or network in {literals(networks)}
| project id, properties = {_bag(members)}
| order by id asc"""


def workspaces(ids: Iterable[str]) -> str:
    """Those of *ids* that are workspaces."""
    return _by_id((_WORKSPACE,), ids, _bag(("storageAccount", "privateEndpointConnections", "managedNetwork")))


def storage_accounts(ids: Iterable[str]) -> str:
    """Network rules of the storage accounts *ids*."""
    return _by_id((_STORAGE,), ids, _bag(("publicNetworkAccess", "networkAcls")))


def ways_out(ids: Iterable[str]) -> str:
    """Those of *ids* that are network security groups or service endpoint policies."""
    types = (_SECURITY_GROUP, _ENDPOINT_POLICY)
    return _by_id(types, ids, _bag(("securityRules", "serviceEndpointPolicyDefinitions")))


def _by_id(types: Iterable[str], ids: Iterable[str], properties: str) -> str:
    return f"""Resources
| where type in~ {literals(types)}
| where tolower(id) in {literals(ids)}
| project id, properties = {properties}
| order by id asc"""


def _bag(members: Iterable[str]) -> str:
    """Only *members* of `properties`: answers are limited to 16 MB (message of ResponsePayloadTooLarge)."""
    return "bag_pack(" + ", ".join(f"'{name}', properties.{name}" for name in members) + ")"
