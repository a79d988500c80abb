"""
`mode: audit`: a plan is told in full and nothing of it is done.

Whoever audits wants to see what a pass would meet: besides the changes, what would be waited for, what a person would have
to do first, and whether the plan would be refused as unsafe.
"""

from shared.core.arm import ResourceId
from shared.core.errors import UnsafePlan
from shared.core.plan import Plan, guard
from shared.core.policy import IsolationPolicy
from shared.core.report import Audited, Reason
from shared.engine.work import reason_of


def audited(plan: Plan, policy: IsolationPolicy, healthy: frozenset[ResourceId]) -> Audited:
    """What enforcing *plan* would come to; *healthy* are the endpoints that are in use."""
    reasons = (*plan.blocks, *_dangers(plan, policy, healthy), *(wait.reason for wait in plan.waits))
    return Audited(changes=len(plan.changes), reasons=tuple(dict.fromkeys(reasons)))


def guarded(plan: Plan, policy: IsolationPolicy, healthy: frozenset[ResourceId]) -> Plan:
    """
    Give *plan* back if the policy's limits and the guard let it run.

    Raises:
        UnsafePlan: With every reason.
    """
    gated = policy.lockdown.when == "verified"
    return guard(plan, limit=policy.limits.changes_per_registry, closing_needs_verification=gated, healthy=healthy)


def _dangers(plan: Plan, policy: IsolationPolicy, healthy: frozenset[ResourceId]) -> tuple[Reason, ...]:
    try:
        guarded(plan, policy, healthy)
    except UnsafePlan as error:
        return (reason_of(error),)
    return ()
