"""
`mode: audit`: a plan is told in full and nothing of it is done.

Whoever audits wants to see what enforcing would meet: besides the changes, what would be waited for, what a person would have
to do first, whether the plan would be refused as unsafe, and what would be closed by a later pass, behind the gate.
"""

from shared.core.arm import ResourceId
from shared.core.changes import ClosePublicAccess
from shared.core.errors import UnsafePlan
from shared.core.plan import Plan, guard
from shared.core.policy import IsolationPolicy
from shared.core.report import Audited, ConditionStatus, ConditionType, Reason
from shared.engine.work import reason_of


def audited(plan: Plan, policy: IsolationPolicy, healthy: frozenset[ResourceId]) -> Audited:
    """What enforcing *plan* would come to; *healthy* are the endpoints that are in use."""
    reasons = (
        *plan.blocks,
        *_dangers(plan, policy, healthy),
        *(wait.reason for wait in plan.waits),
        *_later(plan),
    )
    return Audited(changes=len(plan.changes), reasons=tuple(dict.fromkeys(reasons)))


def _later(plan: Plan) -> tuple[Reason, ...]:
    """What is to be closed and is not in *plan* yet, because the way in comes first."""
    if plan.verified or any(isinstance(change, ClosePublicAccess) for change in plan.changes):
        return ()
    return tuple(
        Reason(
            name="Lockdown",
            sentence=f"{condition.message} Public access would be closed once every endpoint is approved and every name has "
            "its record.",
            resource=plan.registry.text,
        )
        for condition in plan.conditions
        if condition.type is ConditionType.PUBLIC_ACCESS_CLOSED and condition.status is ConditionStatus.FALSE
    )


def guarded(plan: Plan, policy: IsolationPolicy, healthy: frozenset[ResourceId]) -> Plan:
    """
    Give *plan* back if the policy's limits and the guard let it run.

    Raises:
        UnsafePlan: With every reason.
    """
    gated = policy.lockdown.when == "verified"
    return guard(
        plan,
        limit=policy.limits.changes_per_registry,
        closing_needs_verification=gated,
        healthy=healthy,
        subscriptions=policy.scope.subscriptions,
    )


def _dangers(plan: Plan, policy: IsolationPolicy, healthy: frozenset[ResourceId]) -> tuple[Reason, ...]:
    try:
        guarded(plan, policy, healthy)
    except UnsafePlan as error:
        return (reason_of(error),)
    return ()
