"""What a perfect Azure does when it is told to change resource instance rules."""

from dataclasses import replace
from typing import Any

from shared.core.registry import Registry
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules


def ruled(registry: Registry, change: AddResourceRules | RemoveResourceRules) -> Registry:
    """*registry* after *change*, whose account is one of its own or one that shares with it."""
    targets = tuple(
        replace(target, network_settings=_changed(dict(target.network_settings), change))
        if target.id == change.account
        else target
        for target in registry.targets
    )
    sharing = registry.sharing
    if sharing is not None and change.account in sharing.accounts:
        account = _changed(dict(sharing.accounts[change.account]), change)
        sharing = replace(sharing, accounts={**sharing.accounts, change.account: account})
    return replace(registry, targets=targets, sharing=sharing)


def _changed(settings: dict[str, Any], change: AddResourceRules | RemoveResourceRules) -> dict[str, Any]:
    acls = {"defaultAction": "Allow", **settings.get("networkAcls", {})}
    named = {rule.resource.key for rule in change.rules}
    rules = [rule for rule in acls.get("resourceAccessRules", []) if rule["resourceId"].lower() not in named]
    if isinstance(change, AddResourceRules):
        rules += [{"tenantId": rule.tenant, "resourceId": rule.resource.text} for rule in change.rules]
        if change.select_networks:
            acls["defaultAction"] = "Deny"
            settings = {**settings, "publicNetworkAccess": "Enabled"}
    return {**settings, "networkAcls": {**acls, "resourceAccessRules": rules}}
