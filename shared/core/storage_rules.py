"""
Resource instance rules of a storage account: what a write must send so that nothing of anybody else is lost.

Storage replaces `networkAcls` as a whole and guards it with no ETag. So the app works on the JSON as it was read, sends
back every member of it, also those it does not know, and changes only `resourceAccessRules`, and `defaultAction` where
the policy asks for selected networks. Azure disagrees with itself about the casing of ids and tenants; here it plays no
part in telling rules apart, and what was read is sent back in its own casing.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from shared.core.arm import ResourceId

LIMIT = 200
"""Resource instance rules per account (documentation: resource instance rules of storage accounts, 2025)."""

_RULES = "resourceAccessRules"
_NETWORK_RULES = "virtualNetworkRules"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRule:
    """Lets one resource instance of a tenant into a storage account, whatever its network rules say."""

    tenant: str
    resource: ResourceId

    @property
    def key(self) -> tuple[str, str]:
        """What tells two rules apart."""
        return self.tenant.lower(), self.resource.key


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedRule:
    """A rule that the app added to *account*; what the ledger keeps so that it can be taken away again."""

    account: ResourceId
    tenant: str
    resource: ResourceId

    @property
    def rule(self) -> ResourceRule:
        """The rule itself."""
        return ResourceRule(tenant=self.tenant, resource=self.resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddResourceRules:
    """Let *rules* into *account*; with *select_networks* also close it to every network that it does not name."""

    kind: Literal["add-resource-rules"] = "add-resource-rules"
    account: ResourceId
    rules: tuple[ResourceRule, ...]
    select_networks: bool = False
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is written."""
        return self.account

    @property
    def sentence(self) -> str:
        """The change for a person."""
        names = ", ".join(rule.resource.name for rule in self.rules)
        parts = [f"let {names} into storage account {self.account.name}"] if names else []
        if self.select_networks:
            parts.append(f"set storage account {self.account.name} to enabled from selected networks")
        return " and ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveResourceRules:
    """Take *rules*, which the app added, away from *account*."""

    kind: Literal["remove-resource-rules"] = "remove-resource-rules"
    account: ResourceId
    rules: tuple[ResourceRule, ...]
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is written."""
        return self.account

    @property
    def sentence(self) -> str:
        """The change for a person."""
        names = ", ".join(rule.resource.name for rule in self.rules)
        return f"remove the rules that let {names} into storage account {self.account.name}"


# --- reading an account -----------------------------------------------------------------------------------------------


def missing_rules(settings: Mapping[str, Any], rules: Iterable[ResourceRule]) -> tuple[ResourceRule, ...]:
    """Those of *rules* that the account does not have, each once; *settings* are its properties as read."""
    held = set(_held(_acls(settings)))
    lacking = {rule.key: rule for rule in rules if rule.key not in held}
    return tuple(lacking.values())


def count_rules(settings: Mapping[str, Any]) -> int:
    """How many resource instance rules the account has."""
    return len(_listed(_acls(settings)))


def behind_perimeter(settings: Mapping[str, Any]) -> bool:
    """Tell whether a network security perimeter rules the account: its own network rules are then without effect."""
    return _public_access(settings) == "securedbyperimeter"


def open_to_all(settings: Mapping[str, Any]) -> bool:
    """Tell whether any network may reach the account; an absent publicNetworkAccess means enabled (recorded)."""
    return _public_access(settings) in {"", "enabled"} and _default_action(settings) != "deny"


def selects_networks(settings: Mapping[str, Any]) -> bool:
    """Tell whether the account is enabled from selected networks."""
    return _public_access(settings) in {"", "enabled"} and _default_action(settings) == "deny"


# --- writing to it ----------------------------------------------------------------------------------------------------


def addition(settings: Mapping[str, Any], change: AddResourceRules) -> dict[str, Any] | None:
    """
    The `properties` of the PATCH that makes *change* hold; None if it holds.

    Never enables public access without `defaultAction` Deny in the same body, and sends `publicNetworkAccess` only where
    selected networks are asked for.
    """
    lacking = missing_rules(settings, change.rules)
    select = change.select_networks and not behind_perimeter(settings) and not selects_networks(settings)
    if not lacking and not select:
        return None
    acls = _writable(_acls(settings))
    if lacking:
        acls[_RULES] = [*_listed(acls), *(_document(rule) for rule in lacking)]
    if not select:
        return {"networkAcls": acls}
    acls["defaultAction"] = "Deny"
    return {"publicNetworkAccess": "Enabled", "networkAcls": acls}


def removal(settings: Mapping[str, Any], change: RemoveResourceRules) -> dict[str, Any] | None:
    """The `properties` of the PATCH that makes *change* hold; None if it holds."""
    acls = _acls(settings)
    unwanted = {rule.key for rule in change.rules}
    kept = [entry for entry in _listed(acls) if rule_key(entry) not in unwanted]
    if len(kept) == len(_listed(acls)):
        return None
    return {"networkAcls": _writable(acls) | {_RULES: kept}}


# --- what the ledger keeps --------------------------------------------------------------------------------------------


def remembered(kept: Sequence[AddedRule], changes: Iterable[object]) -> tuple[AddedRule, ...]:
    """*kept* and what *changes* are about to add; noted before the write, so that a crash forgets nothing."""
    known = {(added.account, added.rule.key): added for added in kept}
    for change in changes:
        if isinstance(change, AddResourceRules):
            for rule in change.rules:
                added = AddedRule(account=change.account, tenant=rule.tenant, resource=rule.resource)
                known.setdefault((change.account, rule.key), added)
    return tuple(known.values())


def forgotten(kept: Sequence[AddedRule], change: object) -> tuple[AddedRule, ...]:
    """*kept* less what the finished *change* removed."""
    if not isinstance(change, RemoveResourceRules):
        return tuple(kept)
    gone = {rule.key for rule in change.rules}
    return tuple(added for added in kept if added.account != change.account or added.rule.key not in gone)


def disowned(kept: Sequence[AddedRule], change: object) -> tuple[AddedRule, ...]:
    """*kept* less what *change* was to add and Azure refused for good: if the rule appears later, a person added it."""
    if not isinstance(change, AddResourceRules):
        return tuple(kept)
    refused = {rule.key for rule in change.rules}
    return tuple(added for added in kept if added.account != change.account or added.rule.key not in refused)


def removals(added: Iterable[AddedRule]) -> tuple[RemoveResourceRules, ...]:
    """The changes that take every rule in *added* away again, one for each account."""
    rules: dict[ResourceId, list[ResourceRule]] = {}
    for each in added:
        rules.setdefault(each.account, []).append(each.rule)
    return tuple(RemoveResourceRules(account=account, rules=tuple(listed)) for account, listed in rules.items())


# --- raw JSON ---------------------------------------------------------------------------------------------------------


def _acls(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    found = settings.get("networkAcls")
    return found if isinstance(found, Mapping) else {}


def _listed(acls: Mapping[str, Any]) -> list[Any]:
    found = acls.get(_RULES)
    return list(found) if isinstance(found, (list, tuple)) else []


def _held(acls: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return (rule_key(entry) for entry in _listed(acls))


def rule_key(entry: object) -> tuple[str, str]:
    """What tells the rule in *entry*, as Azure shows it, apart from others; see `ResourceRule.key`."""
    if not isinstance(entry, Mapping):
        return "", ""
    return str(entry.get("tenantId", "")).lower(), str(entry.get("resourceId", "")).rstrip("/").lower()


def _document(rule: ResourceRule) -> dict[str, str]:
    return {"tenantId": rule.tenant, "resourceId": rule.resource.text}


def _writable(acls: Mapping[str, Any]) -> dict[str, Any]:
    """Everything as read, except the one member that is read-only; `defaultAction` is required and defaults to Allow."""
    copy: dict[str, Any] = {"defaultAction": "Allow", **deepcopy(dict(acls))}
    if isinstance(copy.get(_NETWORK_RULES), (list, tuple)):
        copy[_NETWORK_RULES] = [_stateless(rule) for rule in copy[_NETWORK_RULES]]
    return copy


def _stateless(rule: object) -> object:
    return {name: value for name, value in rule.items() if name != "state"} if isinstance(rule, Mapping) else rule


def _public_access(settings: Mapping[str, Any]) -> str:
    return str(settings.get("publicNetworkAccess") or "").lower()


def _default_action(settings: Mapping[str, Any]) -> str:
    return str(_acls(settings).get("defaultAction") or "").lower()
