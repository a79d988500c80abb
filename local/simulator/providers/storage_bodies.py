"""
What a storage account looks like, and what a request may change about it.

Bodies are those of the newest api-version; members an older version does not know are taken away elsewhere. Pure: it
knows no world and no clock. Defaults, order and the endpoints per kind are as recorded (aso2512, azcli2411).
"""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from local.simulator.errors import ArmError
from local.simulator.wire import JsonObject

TYPE = "Microsoft.Storage/storageAccounts"

MAX_RESOURCE_RULES = 200
MAX_ADDRESS_RULES = 400
MAX_NETWORK_RULES = 400
"""Rules per account (documentation: scalability targets for storage accounts, 2025)."""

NEWEST = "9999-12-31"
"""An api-version newer than all."""

_DEFAULTS = (
    ("allowCrossTenantReplication", False, "2023-01-01"),
    ("allowCrossTenantDelegationSas", False, "2025-06-01"),
    ("minimumTlsVersion", "TLS1_2", "2021-09-01"),
    ("allowBlobPublicAccess", False, "2021-09-01"),
)
"""Name, value and the first api-version whose creations set it (recorded: aso2512, azcli2411)."""

_SERVICES_BY_KIND = {
    "storagev2": ("dfs", "web", "blob", "queue", "table", "file"),
    "storage": ("blob", "queue", "table", "file"),
    "blobstorage": ("dfs", "blob", "table"),
    "blockblobstorage": ("dfs", "web", "blob"),
    "filestorage": ("file",),
    "edgezone": ("blob", "web"),
}
_PAIRS = {
    "westeurope": "northeurope",
    "eastus": "westus",
    "eastus2": "centralus",
    "westus2": "westcentralus",
    "westus3": "eastus",
    "uksouth": "ukwest",
    "usgovvirginia": "usgovtexas",
    "usgovarizona": "usgovtexas",
    "chinaeast2": "chinanorth2",
}
_REGION_PAIRS = {**{second: first for first, second in _PAIRS.items()}, **_PAIRS}
_PASSED_THROUGH = (
    "publicNetworkAccess",
    "allowCrossTenantReplication",
    "allowCrossTenantDelegationSas",
    "allowedCopyScope",
    "minimumTlsVersion",
    "allowBlobPublicAccess",
    "allowSharedKeyAccess",
    "defaultToOAuthAuthentication",
    "isHnsEnabled",
    "isNfsV3Enabled",
    "isSftpEnabled",
    "isLocalUserEnabled",
    "largeFileSharesState",
    "keyPolicy",
    "sasPolicy",
    "azureFilesIdentityBasedAuthentication",
    "routingPreference",
    "dnsEndpointType",
    "immutableStorageWithVersioning",
    "customDomain",
    "supportsHttpsTrafficOnly",
    "accessTier",
)
_PUBLIC_ACCESS = {"enabled": "Enabled", "disabled": "Disabled", "securedbyperimeter": "SecuredByPerimeter"}
_LISTS = (
    ("ipv6Rules", MAX_ADDRESS_RULES),
    ("ipRules", MAX_ADDRESS_RULES),
    ("virtualNetworkRules", MAX_NETWORK_RULES),
    ("resourceAccessRules", MAX_RESOURCE_RULES),
)


def groups(kind: str, sku: str) -> tuple[str, ...]:
    """Private link groups of an account, in the recorded order; the secondaries exist for RA-* redundancy."""
    order = ("blob", "table", "queue", "file", "web", "dfs")
    services = _SERVICES_BY_KIND.get(kind.lower(), order)
    found: list[str] = []
    for name in order:
        if name in services:
            found.append(name)
            if _reads_secondary(sku) and name != "file":
                found.append(f"{name}_secondary")
    return tuple(found)


def new_account(
    resource_id: str, request: Mapping[str, Any], *, suffix: str, now: datetime, api_version: str = NEWEST
) -> JsonObject:
    """
    A finished account.

    Args:
        suffix: The cloud's storage suffix, for example core.windows.net.
        api_version: The one it is made with: it decides which defaults the account gets for life.
    """
    name = resource_id.rsplit("/", 1)[-1]
    sku = str((request.get("sku") or {}).get("name") or "Standard_LRS")
    kind = str(request.get("kind") or "StorageV2")
    asked: Mapping[str, Any] = request.get("properties") or {}
    made = _time(now)
    location = _normalised(str(request["location"]))
    properties: JsonObject = {
        "keyCreationTime": {"key1": made, "key2": made},
        **{name: value for name, value, since in _DEFAULTS if api_version >= since},
        "privateEndpointConnections": [],
        "networkAcls": network_acls(None),
        "supportsHttpsTrafficOnly": True,
        "encryption": _encryption(asked.get("encryption"), made),
        "accessTier": "Hot",
        "provisioningState": "Succeeded",
        "creationTime": made,
        "primaryEndpoints": _endpoints(name, _kind_in_zone(kind, request), suffix),
        "primaryLocation": location,
        "statusOfPrimary": "available",
    }
    if kind.lower() == "storage":
        del properties["accessTier"]
    properties |= _secondary(name, kind, sku, location, suffix)
    body: JsonObject = {
        "sku": _sku(sku),
        "kind": kind,
        "id": resource_id,
        "name": name,
        "type": TYPE,
        "location": location,
        "tags": dict(request.get("tags") or {}),
        "properties": properties,
    }
    if request.get("extendedLocation"):
        body["extendedLocation"] = dict(request["extendedLocation"])
        properties["primaryExtendedLocation"] = dict(request["extendedLocation"])
    return changed(body, {"properties": dict(asked)}, suffix=suffix)


def _kind_in_zone(kind: str, request: Mapping[str, Any]) -> str:
    """An account in an edge zone serves blobs and websites only (recorded: azcli2411)."""
    return "EdgeZone" if request.get("extendedLocation") else kind


def changed(body: JsonObject, request: Mapping[str, Any], *, suffix: str) -> JsonObject:
    """
    The account after a PATCH, or after a PUT on an existing one.

    What is not mentioned stays; `networkAcls` and `tags` are replaced as wholes.
    """
    result = deepcopy(body)
    if request.get("tags") is not None:
        result["tags"] = dict(request["tags"])
    if sku := (request.get("sku") or {}).get("name"):
        result["sku"] = _sku(sku)
        for member in ("secondaryLocation", "statusOfSecondary", "secondaryEndpoints"):
            result["properties"].pop(member, None)
        result["properties"] |= _secondary(result["name"], result["kind"], sku, result["location"], suffix)
    asked: Mapping[str, Any] = request.get("properties") or {}
    properties = result["properties"]
    properties |= {name: deepcopy(asked[name]) for name in _PASSED_THROUGH if asked.get(name) is not None}
    if "publicNetworkAccess" in properties:
        properties["publicNetworkAccess"] = _public_access(properties["publicNetworkAccess"])
    if asked.get("networkAcls") is not None:
        properties["networkAcls"] = network_acls(asked["networkAcls"])
    return result


def network_acls(asked: Mapping[str, Any] | None) -> JsonObject:
    """`networkAcls` as the service keeps it: every list there, `resourceAccessRules` only when it holds something."""
    if asked is None:
        asked = {"defaultAction": "Allow"}
    action = str(asked.get("defaultAction") or "").capitalize()
    if action not in {"Allow", "Deny"}:
        raise invalid_values("networkAcls.defaultAction")
    for name, limit in _LISTS:
        if len(asked.get(name) or ()) > limit:
            raise refusal(
                400,
                "NetworkAclsValidationFailure",
                f"Validation of network acls failure: {len(asked[name])} {name} exceed the limit of {limit}.",
            )
    acls: JsonObject = {"ipv6Rules": [_with_action(rule) for rule in asked.get("ipv6Rules") or ()]}
    if asked.get("resourceAccessRules"):
        acls["resourceAccessRules"] = [_resource_rule(rule) for rule in asked["resourceAccessRules"]]
    return acls | {
        "bypass": asked.get("bypass") or "AzureServices",
        "virtualNetworkRules": [
            {**_with_action(rule), "state": "Succeeded"} for rule in asked.get("virtualNetworkRules") or ()
        ],
        "ipRules": [_with_action(rule) for rule in asked.get("ipRules") or ()],
        "defaultAction": action,
    }


def invalid_values(name: str) -> ArmError:
    """Recorded for a bad parameter (net2003); the same code refuses an impossible change of a connection."""
    return refusal(400, "InvalidValuesForRequestParameters", f"Values for request parameters are invalid: {name}.")


def refusal(status: int, code: str, message: str) -> ArmError:
    """An error of Storage itself: it names no charset (recorded: net2003)."""
    return ArmError(status, code, message, headers={"Content-Type": "application/json"})


def _resource_rule(rule: Mapping[str, Any]) -> JsonObject:
    if not rule.get("tenantId") or not rule.get("resourceId"):
        raise invalid_values("networkAcls.resourceAccessRules")
    return {"tenantId": rule["tenantId"], "resourceId": rule["resourceId"]}


def _with_action(rule: Mapping[str, Any]) -> JsonObject:
    kept = {name: value for name, value in rule.items() if name != "state"}
    return {**kept, "action": rule.get("action") or "Allow"}


def _public_access(value: object) -> str:
    known = _PUBLIC_ACCESS.get(str(value).lower())
    if known is None:
        raise invalid_values("publicNetworkAccess")
    return known


def _sku(name: str) -> JsonObject:
    return {"name": name, "tier": name.split("_", 1)[0]}


def _encryption(asked: Mapping[str, Any] | None, made: str) -> JsonObject:
    service = {"keyType": "Account", "enabled": True, "lastEnabledTime": made}
    kept = {name: value for name, value in (asked or {}).items() if name not in {"services", "keySource"}}
    return {**kept, "services": {"file": dict(service), "blob": dict(service)}, "keySource": "Microsoft.Storage"}


def _endpoints(name: str, kind: str, suffix: str) -> JsonObject:
    services = _SERVICES_BY_KIND.get(kind.lower(), _SERVICES_BY_KIND["storagev2"])
    return {service: f"https://{host(name, service, suffix)}/" for service in services}


def host(name: str, service: str, suffix: str) -> str:
    """The public host name of one service; static websites carry a zone label."""
    label = "z6.web" if service == "web" else service
    return f"{name}.{label}.{suffix}"


def _secondary(name: str, kind: str, sku: str, location: str, suffix: str) -> JsonObject:
    if "GRS" not in sku.upper() and "GZRS" not in sku.upper():
        return {}
    found: JsonObject = {
        "secondaryLocation": _REGION_PAIRS.get(location, "eastus"),
        "statusOfSecondary": "available",
    }
    if _reads_secondary(sku):
        endpoints = _endpoints(f"{name}-secondary", kind, suffix)
        endpoints.pop("file", None)
        found["secondaryEndpoints"] = endpoints
    return found


def _reads_secondary(sku: str) -> bool:
    return sku.upper().startswith("STANDARD_RAG")


def _normalised(location: str) -> str:
    return location.replace(" ", "").lower()


def _time(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}1Z"
