"""
A plan as a value: what would be written, what is waited for, what a person must do, and one digest of it all.

Made by `core.planner`, refused by `guard`, carried out by the engine, shown by every door. The digest covers the changes
only, so a plan that was seen can be asked for again ("apply exactly this") however the findings around it moved.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from shared.core.arm import ResourceId
from shared.core.changes import CHANGES, Change, ClosePublicAccess, CreateEndpoint, DeleteEndpoint, key_of
from shared.core.errors import UnsafePlan
from shared.core.registry import Target
from shared.core.report import Condition, Finding, Reason

DENIED_LOOK = timedelta(minutes=1)
"""Until the next look at what Azure refuses to show, while a role assignment may still be taking effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """
    Something under way that the app did not start or cannot ask about; worth a look after *delay*.

    *watched* is the target that Azure itself is expected to close, None for any other wait; *after* is the key of the
    change that makes it do so, "" when that has happened.
    """

    reason: Reason
    delay: timedelta
    watched: Target | None = None
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One rule's share of a plan; the members mean what they mean in `Plan`."""

    changes: tuple[Change, ...] = ()
    waits: tuple[Wait, ...] = ()
    blocks: tuple[Reason, ...] = ()
    findings: tuple[Finding, ...] = ()
    broken: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    The difference between what Azure says and what the policy asks.

    Attributes:
        changes: In topological order of `depends_on`; () when nothing is to be written.
        waits: What must happen elsewhere first.
        blocks: What a person must do first.
        verified: Every required endpoint is approved and every name has its record; the gate of the lockdown.
        broken: Keys of things found unhealthy that the app repairs; the engine counts how often.
        sound: Keys of the same kind of things found healthy; their count starts over.
    """

    registry: ResourceId
    changes: tuple[Change, ...] = ()
    waits: tuple[Wait, ...] = ()
    blocks: tuple[Reason, ...] = ()
    findings: tuple[Finding, ...] = ()
    conditions: tuple[Condition, ...] = ()
    verified: bool = False
    broken: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()

    @property
    def converged(self) -> bool:
        """Nothing to write, nothing to wait for, nothing for a person to do."""
        return not (self.changes or self.waits or self.blocks)

    @property
    def digest(self) -> str:
        """
        SHA-256 over the registry and the changes, as 64 hex digits; "" for a plan without changes.

        Neither the order in which Azure lists things nor the casing of its ids makes it another plan.
        """
        if not self.changes:
            return ""
        documents = [
            document | {"depends_on": sorted(document["depends_on"])}
            for document in CHANGES.dump_python(self.changes, mode="json")
        ]
        texts = sorted(json.dumps(document, sort_keys=True, ensure_ascii=False).lower() for document in documents)
        return hashlib.sha256("\n".join([self.registry.key, *texts]).encode(errors="surrogatepass")).hexdigest()


def guard(
    plan: Plan,
    *,
    limit: int,
    closing_needs_verification: bool,
    healthy: frozenset[ResourceId],
    subscriptions: Collection[str] | None = None,
) -> Plan:
    """
    Give *plan* back if it may run; a second pair of eyes that shares no reasoning with the planner.

    Args:
        limit: Most changes that one plan may hold.
        closing_needs_verification: The policy closes public access only behind the gate.
        healthy: Endpoints that are approved; deleting one of them would cut clients off.
        subscriptions: In lower case, those that the policy covers; None for all. A registry may name resources anywhere.

    Raises:
        UnsafePlan: With every reason.
    """
    reasons = []
    if len(plan.changes) > limit:
        reasons.append(f"It holds {len(plan.changes)} changes, more than limits.changes_per_registry ({limit}) allows.")
    doubles = [key for key, count in Counter(key_of(change) for change in plan.changes).items() if count > 1]
    reasons += [f"It would do {key} twice." for key in doubles]
    reasons += [
        f"It would {change.sentence}: the registry names it as its own, and subscription {change.target.subscription} "
        "is not among the policy's scope.subscriptions."
        for change in plan.changes
        if isinstance(change, ClosePublicAccess | CreateEndpoint)
        and subscriptions is not None
        and change.target.subscription.lower() not in subscriptions
    ]
    for change in plan.changes:
        match change:
            case ClosePublicAccess() if closing_needs_verification and not plan.verified:
                reasons.append(f"It would {change.sentence} before every endpoint and name is verified.")
            case DeleteEndpoint() if change.endpoint in healthy:
                reasons.append(f"It would delete {change.endpoint.name}, which is approved and in use.")
            case _:
                pass
    if reasons:
        raise UnsafePlan(reasons)
    return plan


def in_order(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Sort *changes* so that each comes after those it depends on; among equals the given order stays."""
    present = {key_of(change) for change in changes}
    placed: set[str] = set()
    ordered: list[Change] = []
    rest = list(changes)
    while rest:
        free = [change for change in rest if all(key in placed or key not in present for key in change.depends_on)]
        if not free:
            raise UnsafePlan([f"Its changes wait for one another: {', '.join(key_of(change) for change in rest)}."])
        ordered += free
        placed |= {key_of(change) for change in free}
        rest = [change for change in rest if key_of(change) not in placed]
    return tuple(ordered)
