"""
When public access is closed, and of what.

    endpoints and names        registry       storage and container registry
    not all verified           stays open     stay open
    all verified               close          once the registry is closed: wait for the platform, then close
    (lockdown.when: immediately ignores the first row, never the second)

Azure may close storage and container registry by itself after the registry; whoever writes first may meet the managed
group's deny assignment, so the platform gets its time before the app tries. Where a deny assignment was seen that does not
spare the app, it does not even try.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.core.changes import Change, ClosePublicAccess, key_of
from shared.core.denials import denial_block, denial_findings
from shared.core.endpoints import PREMIUM
from shared.core.plan import Wait
from shared.core.policy import IsolationPolicy
from shared.core.registry import Access, Registry, Target, TargetKind
from shared.core.report import Finding, Reason
from shared.core.storage_rules import AddedRule

_PROPAGATION_DELAY = timedelta(seconds=15)
_SETTLING_DELAY = timedelta(seconds=5)
SETTLES = timedelta(minutes=2)
"""How long reads of a registry may lag behind a write (an old value right after one is reported, without a duration)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """
    What earlier passes saw, as far as it matters to this plan.

    Attributes:
        now: Time of this pass.
        closed_since: When the app's closing of the registry took effect; None when it was closed otherwise.
        propagated: Everything was seen closed since then; what is open now, somebody has opened.
        repairs: How often each broken thing was seen, by key.
        rules_added: Resource instance rules that the app added for the registry.
    """

    now: datetime
    closed_since: datetime | None = None
    propagated: bool = False
    repairs: Mapping[str, int] = field(default_factory=dict)
    rules_added: tuple[AddedRule, ...] = ()


@dataclass(slots=True, kw_only=True)
class Closing:
    """What the lockdown needs."""

    changes: list[Change] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    blocks: list[Reason] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()


def asks_closing(target: Target, policy: IsolationPolicy) -> bool:
    """Tell whether the policy wants *target*'s public access closed at all."""
    wanted = {
        TargetKind.REGISTRY: policy.targets.registry.public_access,
        TargetKind.STORAGE: policy.targets.storage.public_access,
        TargetKind.ACR: policy.targets.acr.public_access,
    }[target.kind]
    return policy.lockdown.when != "never" and wanted == "disabled"


def plan_closing(registry: Registry, policy: IsolationPolicy, memory: Memory, *, verified: bool) -> Closing:
    """Plan the lockdown; *verified* is the gate."""
    plan = Closing(findings=_denied(registry, policy))
    own = registry.document.target
    leads = any(target.id == own.id for target in registry.targets) and asks_closing(own, policy)
    for target in registry.targets:
        if target.access is Access.CLOSED or not asks_closing(target, policy):
            continue
        if target.kind is TargetKind.ACR and target.sku.lower() != PREMIUM:
            plan.blocks.append(_sku_block(target))
        elif not verified and policy.lockdown.when == "verified":
            continue
        elif target.id != own.id and leads and _propagating(own, policy, memory):
            sentence = f"Waiting for Azure to close {target.id.name} after its registry."
            reason = Reason(name="Propagation", sentence=sentence, resource=target.id.text)
            after = "" if own.access is Access.CLOSED else key_of(_close(own))
            plan.waits.append(Wait(reason=reason, delay=_PROPAGATION_DELAY, watched=target, after=after))
        elif target.id == own.id and _settling(memory):
            sentence = f"Azure has closed registry {own.id.name} and does not show it in every read yet."
            reason = Reason(name="Settling", sentence=sentence, resource=own.id.text)
            plan.waits.append(Wait(reason=reason, delay=_SETTLING_DELAY))
        elif registry.denials and target.id != own.id and (denial := registry.denials.against_writing(target.id)):
            plan.blocks.append(denial_block(denial, target.id, registry.id, registry.denials.principal))
        else:
            plan.changes.append(_close(target))
    return plan


def _denied(registry: Registry, policy: IsolationPolicy) -> tuple[Finding, ...]:
    parts = (
        target.id
        for target in registry.targets
        if target.id != registry.id and target.access is Access.OPEN and asks_closing(target, policy)
    )
    return denial_findings(registry.denials, tuple(parts), registry.id) if registry.denials else ()


def _close(target: Target) -> ClosePublicAccess:
    return ClosePublicAccess(target=target.id, target_kind=target.kind)


def _propagating(own: Target, policy: IsolationPolicy, memory: Memory) -> bool:
    """The registry is open still, or was closed by the app so recently that Azure may yet close the rest itself."""
    if own.access is Access.OPEN:
        return True
    if memory.closed_since is None or memory.propagated:
        return False
    return memory.now - memory.closed_since < timedelta(minutes=policy.lockdown.propagation_minutes)


def _settling(memory: Memory) -> bool:
    """The closing has just taken effect: what says otherwise is an old answer, and is read again instead of written again."""
    return memory.closed_since is not None and memory.now - memory.closed_since < SETTLES


def _sku_block(target: Target) -> Reason:
    sentence = (
        f"Public access of container registry {target.id.name} cannot be closed: its sku is {target.sku or 'unknown'}, and "
        "closing needs Premium. Upgrade it, or set targets.acr.public_access to keep in the policy."
    )
    return Reason(name="UnsupportedSku", sentence=sentence, resource=target.id.text)
