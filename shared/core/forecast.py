"""
Everything that the policy will ask of one registry until nothing is left, stage by stage.

A plan holds what can be done now: endpoints today, the closing of public access once they hold. Whoever is to approve
wants to see all of it. The forecast supposes that every change of a stage works and that whatever is waited for comes,
and plans again on what Azure would say then. It errs on the side of more: what Azure may do by itself (close storage
after its registry, write a record late) is listed as a change all the same. What a person must do first stays undone, and so
does whatever depends on it.

Pure, and made by the same planner that passes use. What no planner reads before the thing exists (an endpoint's addresses
and names) is invented and reaches no change.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from shared.core.changes import Change, ClosePublicAccess, key_of
from shared.core.lockdown import SETTLES, Memory
from shared.core.plan import Plan
from shared.core.planner import ZoneTable, make_plan
from shared.core.policy import IsolationPolicy
from shared.core.registry import Access, Registry, Target, TargetKind
from shared.core.rehearsal import rehearse
from shared.core.report import Reason

MOST_STAGES = 12
"""More than the longest chain of changes that wait for one another, every repair included."""
_MOST_IDLE = 3
"""Looks without a new change before nothing more is expected: a wait for a record takes two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Changes that can begin together, once what they wait for has come."""

    awaits: tuple[Reason, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """
    What is planned now, and what follows from it.

    Attributes:
        plan: What a pass would see now.
        stages: In their order; the first one's changes are the plan's unless only waiting is left.
    """

    plan: Plan
    stages: tuple[Stage, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change until nothing is left."""
        return tuple(change for stage in self.stages for change in stage.changes)

    @property
    def digest(self) -> str:
        """SHA-256 over the registry and all changes, as a plan's; "" when there are none."""
        return replace(self.plan, changes=self.changes).digest


def forecast(registry: Registry, policy: IsolationPolicy, zone_table: ZoneTable, memory: Memory) -> Forecast:
    """Plan for *registry* until nothing is left to do that the app can."""
    first = plan = make_plan(registry, policy, zone_table, memory)
    stages: list[Stage] = []
    seen: set[str] = set()
    awaits: dict[Reason, None] = {}
    idle = 0
    while len(stages) < MOST_STAGES and idle < _MOST_IDLE and not plan.converged:
        fresh = tuple(change for change in plan.changes if key_of(change) not in seen)
        idle = 0 if fresh else idle + 1
        if fresh:
            stages.append(Stage(awaits=tuple(awaits), changes=fresh))
            seen |= {key_of(change) for change in fresh}
            awaits.clear()
        awaits |= dict.fromkeys(wait.reason for wait in plan.waits)
        registry, memory = _after(registry, plan, policy, zone_table, memory)
        plan = make_plan(registry, policy, zone_table, memory)
    return Forecast(plan=first, stages=tuple(stages))


def _after(
    registry: Registry, plan: Plan, policy: IsolationPolicy, zone_table: ZoneTable, memory: Memory
) -> tuple[Registry, Memory]:
    """What Azure would say, and the app remember, once *plan* is done and the time that Azure may take has passed."""
    closing = {change.target for change in plan.changes if isinstance(change, ClosePublicAccess)}
    targets = tuple(
        _settled(replace(target, access=Access.CLOSED) if target.id in closing else target)
        for target in registry.targets
    )
    document = next((target for target in targets if target.id == registry.id), registry.document.target)
    registry = replace(registry, targets=targets, document=replace(registry.document, target=document))
    closed = any(isinstance(c, ClosePublicAccess) and c.target_kind is TargetKind.REGISTRY for c in plan.changes)
    passed = max(SETTLES, timedelta(minutes=policy.lockdown.propagation_minutes)) + timedelta(minutes=1)
    memory = replace(
        memory,
        now=memory.now + passed,
        closed_since=memory.now if closed else memory.closed_since,
        repairs={**memory.repairs, **{key: memory.repairs.get(key, 0) + 1 for key in plan.broken}},
    )
    return rehearse(registry, plan, policy, zone_table), memory


def _settled(target: Target) -> Target:
    """Azure has finished what it was doing to *target*."""
    return replace(target, provisioning="Succeeded" if target.provisioning else "", replicas_pending=())
