"""
Which storage accounts must let which resource instances in.

    policy                                        account                            instance that is let in
    sharing[].workspaces, .storage_accounts       the workspace's storage account    the registry
    targets.storage.allow_resource_instances      the registry's storage accounts    the listed ids

One write for an account, however many workspaces share it. The lockdown does not wait for any of this.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from shared.core.arm import ResourceId
from shared.core.changes import Change
from shared.core.denials import denied_rules_block
from shared.core.discovery import storage_accounts
from shared.core.findings import finding
from shared.core.lockdown import Memory
from shared.core.plan import DENIED_LOOK, Part, Wait
from shared.core.policy import IsolationPolicy
from shared.core.registry import Registry, TargetKind
from shared.core.report import Finding, Reason
from shared.core.sharing_view import SharingView
from shared.core.storage_rules import (
    LIMIT,
    AddResourceRules,
    ResourceRule,
    behind_perimeter,
    count_rules,
    missing_rules,
    open_to_all,
    removals,
    selects_networks,
)

NEAR = 180
"""Rules from which on an account is called nearly full: a tenth is left."""
_LOOK_AGAIN = timedelta(seconds=30)


def plan_sharing(registry: Registry, policy: IsolationPolicy, memory: Memory) -> Part:
    """Plan the resource instance rules; the planner's other rules know nothing of it."""
    view = registry.sharing
    if view is None and not memory.rules_added:
        return Part()
    view = view or SharingView()
    wanted = _wanted(registry, policy, view)
    changes: list[Change] = []
    blocks: list[Reason] = []
    for account, (rules, select) in wanted.items():
        settings = _settings(account, registry, view)
        if settings is None or (rules and not all(rule.tenant for rule in rules)):
            continue
        lacking = missing_rules(settings, rules)
        close = select and not selects_networks(settings) and not behind_perimeter(settings)
        denied = _denied(account, lacking, registry)
        if denied is not None:
            blocks.append(denied)
        elif count_rules(settings) + len(lacking) > LIMIT:
            blocks.append(_full(account, count_rules(settings), lacking))
        elif lacking or close:
            changes.append(AddResourceRules(account=account, rules=lacking, select_networks=close))
    changes += _stale(registry, wanted, view, memory)
    return Part(
        changes=tuple(changes),
        waits=tuple(_waits(view)),
        blocks=(*blocks, *_tenantless(registry, wanted, view)),
        findings=(*_unreadable(registry, view), *_account_findings(registry, wanted, view)),
    )


def shared_accounts(registry: Registry, policy: IsolationPolicy, view: SharingView) -> dict[ResourceId, bool]:
    """Storage accounts that must let the registry in, and whether they are to select their networks."""
    accounts: dict[ResourceId, bool] = {}
    for entry in policy.sharing_for(registry.id):
        read = [view.workspace(workspace) for workspace in entry.workspaces]
        theirs = [found.storage_account for found in read if found and found.storage_account]
        for account in (*theirs, *entry.storage_accounts):
            accounts[account] = accounts.get(account, False) or entry.public_access == "selected-networks"
    return accounts


type _Wanted = dict[ResourceId, tuple[tuple[ResourceRule, ...], bool]]


def _wanted(registry: Registry, policy: IsolationPolicy, view: SharingView) -> _Wanted:
    """Account to the rules that it must have, and whether it is to select its networks."""
    own = ResourceRule(tenant=view.tenant, resource=registry.id)
    wanted: _Wanted = {account: ((own,), select) for account, select in shared_accounts(registry, policy, view).items()}
    guests = tuple(
        ResourceRule(tenant=view.tenant, resource=instance)
        for instance in policy.targets.storage.allow_resource_instances
    )
    for target in registry.targets if guests else ():
        if target.kind is TargetKind.STORAGE:
            rules, select = wanted.get(target.id, ((), False))
            wanted[target.id] = ((*rules, *guests), select)
    return wanted


def _settings(account: ResourceId, registry: Registry, view: SharingView) -> Mapping[str, Any] | None:
    own = next((target.network_settings for target in registry.targets if target.id == account), None)
    return own if own is not None else view.accounts.get(account)


def writes_inside(registry: Registry, policy: IsolationPolicy) -> bool:
    """Tell whether a rule is lacking on one of the registry's own accounts, which a deny assignment may protect."""
    view = registry.sharing
    if view is None or not policy.targets.storage.allow_resource_instances:
        return False
    own = {target.id: target.network_settings for target in registry.targets}
    wanted = _wanted(registry, policy, view)
    return any(missing_rules(own[account], rules) for account, (rules, _) in wanted.items() if account in own)


def _denied(account: ResourceId, lacking: tuple[ResourceRule, ...], registry: Registry) -> Reason | None:
    """The block that a deny assignment of the managed group is to rules on the registry's own account."""
    denials = registry.denials
    if denials is None or not lacking:
        return None
    denial = denials.against_writing(account)
    names = ", ".join(rule.resource.name for rule in lacking)
    return denied_rules_block(denial, account, names, registry.id, denials.principal) if denial else None


def _stale(registry: Registry, wanted: _Wanted, view: SharingView, memory: Memory) -> Iterator[Change]:
    """Rules that the app added and the policy does not ask for any more; kept while something could not be read."""
    if view.unreadable:
        return
    asked = {(account, rule.resource) for account, (rules, _) in wanted.items() for rule in rules}
    seen = {target.id for target in registry.targets}
    exempt = {account for account in storage_accounts(registry.document) if account not in seen}
    yield from removals(
        added
        for added in memory.rules_added
        if (added.account, added.resource) not in asked and added.account not in exempt
    )


def _full(account: ResourceId, count: int, lacking: tuple[ResourceRule, ...]) -> Reason:
    names = ", ".join(rule.resource.name for rule in lacking)
    sentence = (
        f"Storage account {account.name} has {count} resource instance rules, and Azure allows {LIMIT}: there is no room "
        f"to let {names} in. Remove rules of resources that are gone."
    )
    return Reason(name="ResourceRuleLimit", sentence=sentence, resource=account.text)


def _tenantless(registry: Registry, wanted: _Wanted, view: SharingView) -> Iterator[Reason]:
    if not view.tenant and any(rules for rules, _ in wanted.values()):
        sentence = (
            f"The tenant of registry {registry.id.name} is not known: the registry has no identity, and its subscription "
            "cannot be read. Grant the app Microsoft.Resources/subscriptions/read on it."
        )
        yield Reason(name="TenantUnknown", sentence=sentence, resource=registry.id.text)


def _waits(view: SharingView) -> Iterator[Wait]:
    for entry in view.unreadable:
        if entry.passing:
            reason = Reason(name="SharingUnreadable", sentence=entry.problem, resource=entry.id.text)
            yield Wait(reason=reason, delay=DENIED_LOOK if entry.denied else _LOOK_AGAIN)


def _unreadable(registry: Registry, view: SharingView) -> Iterator[Finding]:
    for entry in view.unreadable:
        if not entry.passing:
            yield finding(
                "sharing-unreadable", entry.id, name=entry.id.name, registry=registry.id.name, problem=entry.problem
            )


def _account_findings(registry: Registry, wanted: _Wanted, view: SharingView) -> Iterator[Finding]:
    for account, (rules, select) in wanted.items():
        settings = _settings(account, registry, view)
        if settings is None:
            continue
        count = count_rules(settings) + len(missing_rules(settings, rules))
        if NEAR <= count <= LIMIT:
            yield finding("resource-rules-near-limit", account, account=account.name, count=count, limit=LIMIT)
        if account not in view.accounts:
            continue
        if behind_perimeter(settings):
            yield finding("sharing-storage-perimeter", account, account=account.name, registry=registry.id.name)
        elif open_to_all(settings) and not select:
            yield finding("sharing-storage-open", account, account=account.name, registry=registry.id.name)
