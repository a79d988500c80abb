"""
What a container registry and its replications look like, and what a request may change about them.

Bodies are those of the newest api-version; members an older version does not know are taken away elsewhere. Pure: it
knows no world and no clock. Defaults and member names are as recorded (aso2512, azcli2411).
"""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from local.simulator.errors import ArmError
from local.simulator.wire import JsonObject

TYPE = "Microsoft.ContainerRegistry/registries"
REPLICATION_TYPE = f"{TYPE}/replications"

MAX_PRIVATE_ENDPOINTS = 200
"""Per registry (documentation: connect privately to an Azure container registry, 2026)."""

_SLOW_MEMBERS = frozenset(("anonymousPullEnabled", "encryption"))
_OPEN: JsonObject = {"defaultAction": "Allow", "virtualNetworkRules": [], "ipRules": []}
"""`networkRuleSet` of a new registry; newer api-versions do not show `virtualNetworkRules`."""
_PASSED_THROUGH = (
    "adminUserEnabled",
    "dataEndpointEnabled",
    "publicNetworkAccess",
    "networkRuleBypassOptions",
    "networkRuleBypassAllowedForTasks",
    "zoneRedundancy",
    "anonymousPullEnabled",
    "metadataSearch",
    "roleAssignmentMode",
    "storageAccount",
)


def is_premium(body: Mapping[str, Any]) -> bool:
    return str(body["sku"]["name"]).lower() == "premium"


def takes_a_while(request: Mapping[str, Any]) -> bool:
    """Recorded: requests that touch identity, encryption or anonymous pull answer 201 and go on, all others 200."""
    asked = request.get("properties") or {}
    return bool(_SLOW_MEMBERS & set(asked)) or request.get("identity") is not None


def new_registry(
    resource_id: str, request: Mapping[str, Any], *, suffix: str, now: datetime, system_data: JsonObject
) -> JsonObject:
    """A finished registry. *suffix* is the cloud's login server suffix, for example azurecr.io."""
    name = resource_id.rsplit("/", 1)[-1]
    sku = str((request.get("sku") or {}).get("name") or "")
    if sku not in {"Basic", "Standard", "Premium", "Classic"}:
        raise ArmError(400, "InvalidSku", f"The sku '{sku}' of the registry {name} is not valid.")
    properties: JsonObject = {
        "loginServer": f"{name.lower()}.{suffix}",
        "creationDate": _zulu(now),
        "provisioningState": "Succeeded",
        "adminUserEnabled": False,
        "policies": _policies(now),
        "encryption": {"status": "disabled"},
        "dataEndpointEnabled": False,
        "dataEndpointHostNames": [],
        "privateEndpointConnections": [],
        "publicNetworkAccess": "Enabled",
        "networkRuleBypassOptions": "AzureServices",
        "zoneRedundancy": "Disabled",
        "anonymousPullEnabled": False,
        "metadataSearch": "Disabled",
    }
    body: JsonObject = {
        "sku": {"name": sku, "tier": sku},
        "type": TYPE,
        "id": resource_id,
        "name": name,
        "location": str(request["location"]).replace(" ", "").lower(),
        "tags": dict(request.get("tags") or {}),
        "systemData": system_data,
        "properties": properties,
    }
    if is_premium(body):
        properties["networkRuleSet"] = deepcopy(_OPEN)
    return changed(body, {key: value for key, value in request.items() if key != "sku"}, suffix=suffix, now=now)


def changed(body: JsonObject, request: Mapping[str, Any], *, suffix: str, now: datetime) -> JsonObject:
    """
    The registry after a PATCH (or a PUT on an existing one): what is not mentioned stays.

    Closing public access leaves `networkRuleSet` alone, and opening it again leaves `defaultAction: Deny` behind
    (recorded: azcli2411).

    Raises:
        ArmError: 400 when a tier below Premium would be closed or given network rules.
    """
    result = deepcopy(body)
    if request.get("tags") is not None:
        result["tags"] = dict(request["tags"])
    if sku := (request.get("sku") or {}).get("name"):
        result["sku"] = {"name": sku, "tier": sku}
        if is_premium(result):
            result["properties"].setdefault("networkRuleSet", deepcopy(_OPEN))
    asked: Mapping[str, Any] = request.get("properties") or {}
    _refuse_below_premium(result, asked)
    properties = result["properties"]
    properties |= {name: deepcopy(asked[name]) for name in _PASSED_THROUGH if asked.get(name) is not None}
    if asked.get("encryption") is not None:
        properties["encryption"] = _encryption(properties["encryption"], asked["encryption"], now)
    if asked.get("networkRuleSet") is not None:
        properties["networkRuleSet"] = _rule_set(properties.get("networkRuleSet") or _OPEN, asked["networkRuleSet"])
    if asked.get("policies") is not None:
        properties["policies"] = _merged_policies(properties["policies"], asked["policies"], now)
    return with_data_endpoints(result, [result["location"]], suffix=suffix)


def with_data_endpoints(body: JsonObject, regions: list[str], *, suffix: str) -> JsonObject:
    """`dataEndpointHostNames` for *regions*; empty while dedicated data endpoints are off."""
    on = body["properties"].get("dataEndpointEnabled") is True
    name = body["name"].lower()
    hosts = [f"{name}.{region}.data.{suffix}" for region in regions] if on else []
    body["properties"]["dataEndpointHostNames"] = hosts
    return body


def new_replication(
    resource_id: str, location: str, *, tags: Mapping[str, str] | None, system_data: JsonObject, now: datetime
) -> JsonObject:
    """A finished geo-replication (members as in the documentation's examples)."""
    return {
        "type": REPLICATION_TYPE,
        "id": resource_id,
        "name": resource_id.rsplit("/", 1)[-1],
        "location": location.replace(" ", "").lower(),
        "tags": dict(tags or {}),
        "systemData": system_data,
        "properties": {
            "provisioningState": "Succeeded",
            "status": {"displayStatus": "Ready", "timestamp": _zulu(now)},
            "regionEndpointEnabled": True,
            "zoneRedundancy": "Disabled",
        },
    }


def _refuse_below_premium(body: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    if is_premium(body):
        return
    name, tier = body["name"], body["sku"]["name"]
    if str(asked.get("publicNetworkAccess") or "Enabled").lower() == "disabled":
        raise ArmError(
            400,
            "DisablingPublicNetworkAccessNotSupported",
            f"Disabling public network access is not supported for the SKU {tier} of the registry {name}.",
        )
    if asked.get("networkRuleSet") is not None:
        raise ArmError(
            400,
            "NetworkRulesNotSupported",
            f"Network rules are not supported for the SKU {tier} of the registry {name}.",
        )


def _encryption(old: Mapping[str, Any], asked: Mapping[str, Any], now: datetime) -> JsonObject:
    """With a key of the customer's, the service tells version and last rotation (recorded: azcli2411)."""
    key = asked.get("keyVaultProperties")
    if not key:
        return deepcopy(dict(asked))
    before = (old.get("keyVaultProperties") or {}).get("keyIdentifier")
    shown: JsonObject = {"versionedKeyIdentifier": key.get("keyIdentifier"), "keyRotationEnabled": False, **key}
    if before and before != key.get("keyIdentifier"):
        shown["lastKeyRotationTimestamp"] = _offset(now)
    return {**asked, "keyVaultProperties": shown}


def _rule_set(old: Mapping[str, Any], asked: Mapping[str, Any]) -> JsonObject:
    """A list that is not sent stays as it was (recorded: azcli2411), unlike the network rules of Storage."""
    merged = {**old, **{name: value for name, value in asked.items() if value is not None}}
    return {
        "defaultAction": merged.get("defaultAction") or "Allow",
        "virtualNetworkRules": [
            {"action": rule.get("action") or "Allow", "id": rule["id"]} for rule in merged["virtualNetworkRules"]
        ],
        "ipRules": [{"action": rule.get("action") or "Allow", "value": rule["value"]} for rule in merged["ipRules"]],
    }


def _policies(now: datetime) -> JsonObject:
    return {
        "quarantinePolicy": {"status": "disabled"},
        "trustPolicy": {"type": "Notary", "status": "disabled"},
        "retentionPolicy": {"days": 7, "lastUpdatedTime": _offset(now), "status": "disabled"},
        "exportPolicy": {"status": "enabled"},
        "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
        "softDeletePolicy": {"retentionDays": 7, "lastUpdatedTime": _offset(now), "status": "disabled"},
    }


def _merged_policies(old: Mapping[str, Any], asked: Mapping[str, Any], now: datetime) -> JsonObject:
    merged: JsonObject = {name: {**dict(value), **dict(asked.get(name) or {})} for name, value in old.items()}
    for name in ("retentionPolicy", "softDeletePolicy"):
        merged[name]["lastUpdatedTime"] = _offset(now)
    return merged


def _zulu(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}1Z"


def _offset(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}1+00:00"
