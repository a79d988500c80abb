"""
Which members a resource shows, by api-version and by date.

Providers keep one body per resource: the newest shape. The real service leaves out what an older api-version does not
know, and it began to send some members on a day of its own rather than with an api-version. Both are tables here, read
off recorded answers, so that no provider needs a branch for them.

Only members that the service adds by itself are listed. A member that a caller set is stored and shown as it was sent.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from local.simulator.wire import JsonObject, Response

_DATE = re.compile(r"^(?!0000)\d{4}-\d{2}-\d{2}")
_LAST = "9999"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    When one member is shown.

    `path` is dotted, `[]` steps into every item of a list. `since` and `until` are api-version dates (until is
    exclusive), `rolled_out` and `withdrawn` are dates of the calendar.
    """

    path: str
    since: str = ""
    until: str = _LAST
    rolled_out: str = ""
    withdrawn: str = _LAST

    def shown(self, version: str, day: str) -> bool:
        return self.since <= version < self.until and self.rolled_out <= day < self.withdrawn


def _prefixed(prefix: str, members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(
        Member(
            path=f"{prefix}{each.path}",
            since=each.since,
            until=each.until,
            rolled_out=each.rolled_out,
            withdrawn=each.withdrawn,
        )
        for each in members
    )


_SUBNET = (
    Member(path="properties.delegations", since="2018-08-01"),
    Member(path="properties.privateEndpointNetworkPolicies", since="2019-04-01"),
    Member(path="properties.privateLinkServiceNetworkPolicies", since="2019-04-01"),
    Member(path="properties.ipamPoolPrefixAllocations", since="2024-01-01"),
)

_STORAGE_SERVICES = ("blob", "file")

_GROUP = (Member(path="type", since="2018-05-01"),)

MEMBERS: Mapping[str, tuple[Member, ...]] = {
    "microsoft.resources/resourcegroups": _GROUP,
    "microsoft.resources/subscriptions/resourcegroups": _GROUP,
    "microsoft.network/virtualnetworks": (
        Member(path="properties.enableDdosProtection", since="2016-09-01"),
        Member(path="properties.virtualNetworkPeerings", since="2016-06-01"),
        Member(path="properties.enableVmProtection", since="2016-09-01", withdrawn="2022-01-01"),
        Member(path="properties.privateEndpointVNetPolicies", since="2024-01-01"),
        Member(path="properties.addressSpace.ipamPoolPrefixAllocations", since="2024-01-01"),
        *_prefixed("properties.subnets[].", _SUBNET),
    ),
    "microsoft.network/virtualnetworks/subnets": _SUBNET,
    "microsoft.network/networkinterfaces": (
        Member(path="properties.hostedWorkloads", since="2018-08-01"),
        Member(path="properties.tapConfigurations", since="2018-08-01"),
        Member(path="properties.ipConfigurations[].type", since="2018-08-01"),
        Member(path="properties.nicType", since="2020-05-01"),
        Member(path="properties.vnetEncryptionSupported", since="2020-11-01"),
        Member(path="properties.disableTcpStateTracking", since="2022-05-01"),
        Member(path="properties.auxiliaryMode", since="2022-05-01"),
        Member(path="properties.auxiliarySku", since="2022-07-01"),
        Member(path="properties.allowPort25Out", since="2021-08-01"),
    ),
    "microsoft.network/privateendpoints": (
        Member(path="properties.resourceGuid", since="2019-09-01"),
        Member(path="properties.customDnsConfigs", since="2020-03-01"),
        Member(path="properties.customNetworkInterfaceName", since="2021-05-01"),
        Member(path="properties.ipConfigurations", since="2021-05-01"),
        Member(path="properties.ipVersionType", since="2024-10-01"),
    ),
    "microsoft.network/privatednszones/a": (Member(path="properties.isAutoRegistered", rolled_out="2019-07-01"),),
    "microsoft.network/privatednszones/virtualnetworklinks": (
        Member(path="properties.resolutionPolicy", since="2024-06-01"),
    ),
    "microsoft.storage/storageaccounts": (
        Member(path="properties.keyCreationTime", since="2021-01-01"),
        Member(path="properties.privateEndpointConnections", since="2019-06-01"),
        *(
            Member(path=f"properties.encryption.services.{each}.keyType", since="2019-06-01")
            for each in _STORAGE_SERVICES
        ),
        *(Member(path=f"properties.primaryEndpoints.{each}", since="2018-02-01") for each in ("dfs", "web")),
        *(Member(path=f"properties.secondaryEndpoints.{each}", since="2018-02-01") for each in ("dfs", "web")),
        Member(path="properties.allowBlobPublicAccess", since="2019-06-01"),
        Member(path="properties.minimumTlsVersion", since="2019-06-01"),
        Member(path="properties.publicNetworkAccess", since="2021-06-01"),
        Member(path="properties.allowCrossTenantReplication", since="2021-04-01"),
        Member(path="properties.allowSharedKeyAccess", since="2019-06-01"),
        Member(path="properties.networkAcls.resourceAccessRules", since="2020-08-01"),
        Member(path="properties.networkAcls.ipv6Rules", since="2023-01-01", rolled_out="2024-01-01"),
        Member(path="properties.allowCrossTenantDelegationSas", since="2025-06-01"),
    ),
    "microsoft.containerregistry/registries": (
        Member(path="systemData", since="2019-12-01", rolled_out="2020-08-01"),
        Member(path="properties.networkRuleSet", rolled_out="2018-09-01"),
        Member(path="properties.dataEndpointEnabled", since="2019-12-01"),
        Member(path="properties.dataEndpointHostNames", since="2019-12-01"),
        Member(path="properties.encryption", since="2019-12-01"),
        Member(path="properties.policies", since="2019-12-01"),
        Member(path="properties.privateEndpointConnections", since="2019-12-01"),
        Member(path="properties.publicNetworkAccess", since="2019-12-01"),
        Member(path="properties.anonymousPullEnabled", since="2020-11-01"),
        Member(path="properties.networkRuleBypassOptions", since="2020-11-01"),
        Member(path="properties.zoneRedundancy", since="2020-11-01"),
        Member(path="properties.networkRuleSet.virtualNetworkRules", since="2017-10-01", until="2021-09-01"),
        Member(path="properties.policies.exportPolicy", since="2021-06-01"),
        Member(path="properties.policies.azureADAuthenticationAsArmPolicy", since="2021-12-01"),
        Member(path="properties.policies.softDeletePolicy", since="2021-12-01"),
        Member(path="properties.metadataSearch", since="2023-11-01"),
        Member(path="properties.networkRuleBypassAllowedForTasks", since="2024-11-01"),
        Member(path="properties.autoGeneratedDomainNameLabelScope", since="2024-11-01"),
        Member(path="properties.roleAssignmentMode", since="2024-11-01"),
    ),
    "microsoft.machinelearningservices/registries": (
        Member(path="properties.managedResourceGroupSettings", since="2024-01-01"),
        Member(path="properties.privateEndpointConnections", since="2023-02-01"),
    ),
}
"""Per lower-cased type; read off recordings of 2018 to 2026 with api-versions from 2015-06-15 to 2025-06-01."""


def rendered(response: Response, kind: str, api_version: str, now: datetime) -> Response:
    """
    The answer about a resource of type *kind*, or a list of them, as *api_version* shows it at *now*.

    An api-version without a date (a masked one) shows everything. Errors and empty answers come back as they are, and so
    does an answer from which nothing is left out: it is not even read.
    """
    if not response.body or not 200 <= response.status < 300:
        return response
    found = _DATE.match(api_version)
    version = found.group(0) if found else "9998-01-01"
    hidden = _hidden(kind.lower(), version, now.strftime("%Y-%m-%d"))
    if not hidden:
        return response
    shown = _shown(json.loads(response.body), hidden)
    return replace(response, body=json.dumps(shown, separators=(",", ":")).encode())


@lru_cache(maxsize=4096)
def _hidden(kind: str, version: str, day: str) -> tuple[tuple[str, ...], ...]:
    """The paths of a type's members that are not shown, split into steps."""
    return tuple(tuple(each.path.split(".")) for each in MEMBERS.get(kind, ()) if not each.shown(version, day))


def _shown(body: JsonObject, hidden: tuple[tuple[str, ...], ...]) -> JsonObject:
    items = body.get("value")
    if isinstance(items, list) and "type" not in body:
        return {**body, "value": [_shown(each, hidden) if isinstance(each, dict) else each for each in items]}
    for steps in hidden:
        body = _without(body, steps)
    return body


def _without(value: JsonObject, steps: tuple[str, ...]) -> JsonObject:
    """A copy of *value* without the member at *steps*; the same object where there is nothing to leave out."""
    step, rest = steps[0], steps[1:]
    key = step.removesuffix("[]")
    if key not in value:
        return value
    if not rest:
        return {name: each for name, each in value.items() if name != key}
    inner = value[key]
    if step.endswith("[]") and isinstance(inner, list):
        return {**value, key: [_without(each, rest) if isinstance(each, dict) else each for each in inner]}
    if isinstance(inner, dict):
        return {**value, key: _without(inner, rest)}
    return value
