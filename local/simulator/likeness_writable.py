"""
Which members of a resource a caller may send, per type.

Where a sample lacks the request that made a resource, the tool makes it through the simulated Azure's own PUT. Only
what a caller could have sent is taken from the recorded body: nothing that the service computes reaches the simulator.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

type Tree = Mapping[str, "Tree"] | None
"""Members that may be sent; `None` stands for anything. Lists are read item by item."""


def _named(*names: str) -> dict[str, Tree]:
    return dict.fromkeys(names)


_TRACKED = _named("location", "tags")
_ID: Tree = _named("id")
_IDENTITY: Tree = {"type": None, "userAssignedIdentities": {"*": {}}}

_SUBNET_PROPERTIES: dict[str, Tree] = {
    **_named("addressPrefix", "addressPrefixes", "serviceEndpointPolicies", "defaultOutboundAccess"),
    **_named("privateEndpointNetworkPolicies", "privateLinkServiceNetworkPolicies"),
    "networkSecurityGroup": _ID,
    "routeTable": _ID,
    "natGateway": _ID,
    "delegations": {"name": None, "properties": _named("serviceName")},
    "serviceEndpoints": _named("service", "locations", "networkIdentifier"),
}
_SUBNET: Tree = {"name": None, "properties": _SUBNET_PROPERTIES}
_CONNECTION: Tree = {"name": None, "properties": _named("privateLinkServiceId", "groupIds", "requestMessage")}

_STORAGE_ENCRYPTION: Tree = {
    **_named("keySource", "keyvaultproperties", "requireInfrastructureEncryption", "identity"),
    "services": {"*": _named("enabled", "keyType")},
}
_STORAGE_PROPERTIES: Tree = {
    **_named("publicNetworkAccess", "accessTier", "supportsHttpsTrafficOnly", "minimumTlsVersion"),
    **_named("allowBlobPublicAccess", "allowSharedKeyAccess", "allowCrossTenantReplication", "isHnsEnabled"),
    **_named("largeFileSharesState", "keyPolicy", "sasPolicy", "azureFilesIdentityBasedAuthentication"),
    **_named("routingPreference", "customDomain", "isSftpEnabled", "isNfsV3Enabled", "isLocalUserEnabled"),
    **_named("defaultToOAuthAuthentication", "allowedCopyScope", "dnsEndpointType", "immutableStorageWithVersioning"),
    "encryption": _STORAGE_ENCRYPTION,
    "networkAcls": {
        **_named("bypass", "defaultAction", "ipRules", "ipv6Rules", "resourceAccessRules"),
        "virtualNetworkRules": _named("id", "action"),
    },
}
_ACR_POLICIES: Tree = {
    "quarantinePolicy": _named("status"),
    "trustPolicy": _named("type", "status"),
    "retentionPolicy": _named("days", "status"),
    "exportPolicy": _named("status"),
    "azureADAuthenticationAsArmPolicy": _named("status"),
    "softDeletePolicy": _named("retentionDays", "status"),
}
_ACR_PROPERTIES: Tree = {
    **_named("adminUserEnabled", "publicNetworkAccess", "networkRuleBypassOptions", "zoneRedundancy"),
    **_named("dataEndpointEnabled", "anonymousPullEnabled", "metadataSearch", "networkRuleSet"),
    "storageAccount": _ID,
    "policies": _ACR_POLICIES,
    "encryption": {"status": None, "keyVaultProperties": _named("keyIdentifier", "identity")},
}
_REGION_DETAILS: Tree = {
    "location": None,
    "acrDetails": {"systemCreatedAcrAccount": _named("acrAccountName", "acrAccountSku")},
    "storageAccountDetails": {
        "systemCreatedStorageAccount": _named(
            "storageAccountName", "storageAccountType", "storageAccountHnsEnabled", "allowBlobPublicAccess"
        )
    },
}
_IP_CONFIGURATION: Tree = {
    "name": None,
    "properties": {
        **_named("privateIPAllocationMethod", "privateIPAddressVersion", "primary"),
        "subnet": _ID,
        "publicIPAddress": _ID,
    },
}

WRITABLE: Mapping[str, Tree] = {
    "microsoft.resources/resourcegroups": _named("location", "tags", "managedBy"),
    "microsoft.network/virtualnetworks": {
        **_TRACKED,
        "properties": {
            **_named("addressSpace", "dhcpOptions", "enableDdosProtection", "enableVmProtection", "encryption"),
            **_named("flowTimeoutInMinutes", "privateEndpointVNetPolicies"),
            "subnets": _SUBNET,
        },
    },
    "microsoft.network/virtualnetworks/subnets": _SUBNET,
    "microsoft.network/networkinterfaces": {
        **_TRACKED,
        "properties": {
            **_named("enableAcceleratedNetworking", "enableIPForwarding"),
            "dnsSettings": _named("dnsServers"),
            "networkSecurityGroup": _ID,
            "ipConfigurations": _IP_CONFIGURATION,
        },
    },
    "microsoft.network/networksecuritygroups": {**_TRACKED, "properties": _named("securityRules")},
    "microsoft.network/privateendpoints": {
        **_TRACKED,
        "properties": {
            **_named("customNetworkInterfaceName", "ipConfigurations", "applicationSecurityGroups"),
            "subnet": _ID,
            "privateLinkServiceConnections": _CONNECTION,
            "manualPrivateLinkServiceConnections": _CONNECTION,
        },
    },
    "microsoft.network/privateendpoints/privatednszonegroups": {
        "name": None,
        "properties": {"privateDnsZoneConfigs": {"name": None, "properties": _named("privateDnsZoneId")}},
    },
    "microsoft.network/privatednszones": _TRACKED,
    "microsoft.network/privatednszones/virtualnetworklinks": {
        **_TRACKED,
        "properties": {**_named("registrationEnabled", "resolutionPolicy"), "virtualNetwork": _ID},
    },
    "microsoft.network/privatednszones/a": {"properties": _named("ttl", "metadata", "aRecords")},
    "microsoft.storage/storageaccounts": {
        **_TRACKED,
        **_named("kind", "extendedLocation"),
        "sku": _named("name"),
        "identity": _IDENTITY,
        "properties": _STORAGE_PROPERTIES,
    },
    "microsoft.containerregistry/registries": {
        **_TRACKED,
        "sku": _named("name"),
        "identity": _IDENTITY,
        "properties": _ACR_PROPERTIES,
    },
    "microsoft.containerregistry/registries/replications": {
        **_TRACKED,
        "properties": _named("regionEndpointEnabled", "zoneRedundancy"),
    },
    "microsoft.machinelearningservices/registries": {
        **_TRACKED,
        **_named("kind", "sku"),
        "identity": _IDENTITY,
        "properties": {
            **_named("publicNetworkAccess", "intellectualPropertyPublisher", "managedResourceGroupSettings"),
            "regionDetails": _REGION_DETAILS,
        },
    },
    "microsoft.machinelearningservices/workspaces": {
        **_TRACKED,
        **_named("kind", "sku"),
        "identity": _IDENTITY,
        "properties": {
            **_named("friendlyName", "description", "storageAccount", "keyVault", "applicationInsights"),
            **_named("containerRegistry", "publicNetworkAccess", "hbiWorkspace", "imageBuildCompute"),
            **_named("primaryUserAssignedIdentity", "v1LegacyMode", "allowPublicAccessWhenBehindVnet"),
        },
    },
}
"""Per lower-cased type."""

_MINIMAL: Mapping[str, Mapping[str, Any]] = {
    "microsoft.network/virtualnetworks": {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}}},
    "microsoft.network/privatednszones": {"location": "global"},
    "microsoft.network/privatednszones/virtualnetworklinks": {
        "location": "global",
        "properties": {"registrationEnabled": False},
    },
    "microsoft.network/privatednszones/a": {
        "properties": {"ttl": 3600, "aRecords": [{"ipv4Address": "10.0.0.1"}]},
    },
    "microsoft.storage/storageaccounts": {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
    "microsoft.containerregistry/registries": {"sku": {"name": "Premium"}, "properties": {}},
    "microsoft.machinelearningservices/registries": {
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "regionDetails": [
                {
                    "acrDetails": [{"systemCreatedAcrAccount": {"acrAccountSku": "Premium"}}],
                    "storageAccountDetails": [{"systemCreatedStorageAccount": {"storageAccountType": "Standard_LRS"}}],
                }
            ]
        },
    },
    "microsoft.machinelearningservices/workspaces": {"identity": {"type": "SystemAssigned"}, "properties": {}},
}


def writable(kind: str, body: Any) -> dict[str, Any]:
    """What a caller could have sent to get *body*; empty for a type that is not listed."""
    tree = WRITABLE.get(kind.lower(), {})
    kept = _kept(body, tree)
    return kept if isinstance(kept, dict) else {}


def _kept(value: Any, tree: Tree) -> Any:
    if tree is None:
        return value
    if isinstance(value, list):
        return [_kept(each, tree) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {key: tree.get(key, tree.get("*")) for key in value if key in tree or "*" in tree}
    return {key: _kept(value[key], branch) for key, branch in inner.items() if value[key] is not None}


def minimal(kind: str, location: str) -> dict[str, Any]:
    """The least that makes a resource of this type when the recording shows nothing of it."""
    body: dict[str, Any] = {"location": location, **deepcopy(dict(_MINIMAL.get(kind.lower(), {"properties": {}})))}
    for region in body.get("properties", {}).get("regionDetails", ()):
        region.setdefault("location", location)
    if kind.lower().count("/") > 1 and "location" not in _MINIMAL.get(kind.lower(), {}):
        del body["location"]
    return body


def complete(kind: str, resource_id: str, sent: dict[str, Any], naming: str = "") -> None:
    """
    Add what a resource cannot do without and the recording does not show: a network, a subnet, a target, a zone.

    *naming* is the id of a subnet or public address that an interface must name.
    """
    group = resource_id.partition("/providers/")[0]
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/likeness-network"
    properties = sent.get("properties")
    if not isinstance(properties, dict):
        return
    if kind == "microsoft.network/privatednszones/virtualnetworklinks":
        properties.setdefault("virtualNetwork", {"id": network})
    if kind == "microsoft.network/networkinterfaces" and not properties.get("ipConfigurations"):
        inside = naming if "/subnets/" in naming.lower() else f"{network}/subnets/endpoints"
        configuration: dict[str, Any] = {"subnet": {"id": inside}}
        if "/publicipaddresses/" in naming.lower():
            configuration["publicIPAddress"] = {"id": naming}
        properties["ipConfigurations"] = [{"name": "ipconfig1", "properties": configuration}]
    if kind == "microsoft.network/privateendpoints":
        properties.setdefault("subnet", {"id": f"{network}/subnets/endpoints"})
        if not properties.get("privateLinkServiceConnections") and not properties.get(
            "manualPrivateLinkServiceConnections"
        ):
            account = f"{group}/providers/Microsoft.Storage/storageAccounts/likenessaccount"
            connection = {"privateLinkServiceId": account, "groupIds": ["blob"]}
            properties["privateLinkServiceConnections"] = [{"name": "connection", "properties": connection}]
    if kind == "microsoft.network/privateendpoints/privatednszonegroups" and not properties.get(
        "privateDnsZoneConfigs"
    ):
        zone = f"{group}/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net"
        properties["privateDnsZoneConfigs"] = [{"name": "config", "properties": {"privateDnsZoneId": zone}}]
