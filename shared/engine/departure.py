"""
What happens when Azure answers 404 for a registry: too early, too late, or gone.

Only ARM's own 404 counts, and only when it lasts: an event that says "deleted" is a hint to look, and one 404 between two
200s is on record. After the grace period of the policy, what the app made for the registry goes: endpoints with their
zone groups, and rules on other people's storage accounts. Whatever somebody else made stays.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.arm import ResourceId
from shared.core.audit import Seen, effects_of
from shared.core.changes import Change
from shared.core.cleanup import deletions, made_for
from shared.core.plan import Plan
from shared.core.policy import IsolationPolicy
from shared.core.registry import PrivateEndpoint
from shared.core.report import (
    BlockedOutcome,
    Condition,
    ConditionStatus,
    ConditionType,
    Gone,
    Outcome,
    Reason,
    Waiting,
)
from shared.core.storage_rules import removals
from shared.engine.apply import Applier
from shared.engine.auditing import audited, guarded
from shared.engine.gather import all_of
from shared.engine.left_over import leading_nowhere
from shared.engine.pacing import Pacing
from shared.engine.ports import Clock, ControlPlane
from shared.engine.results import Results, not_refused
from shared.engine.work import Work

CREATION_LIMIT = timedelta(minutes=60)
"""How long a registry may take to name its resources; up to 16 minutes are on record."""
GONE_AFTER = timedelta(minutes=2)
"""404s of a registry that was seen before must last this long: one 404 between two 200s is on record."""
_LONGEST_NAP = timedelta(hours=6)
"""Between two looks within a grace period: a registry that came back unseen is noticed the same day."""


class Departure:
    """Decides about registries that Azure does not know."""

    def __init__(
        self,
        *,
        plane: ControlPlane,
        policy: IsolationPolicy,
        clock: Clock,
        pacing: Pacing,
        applier: Applier,
        results: Results,
    ) -> None:
        self._plane = plane
        self._policy = policy
        self._clock = clock
        self._pacing = pacing
        self._applier = applier
        self._results = results

    async def run(self, work: Work) -> Outcome:
        """
        One look at a registry that is 404.

        Raises:
            RegistryIsolationError: What is left over could not be read, or a removal failed in a way that may pass.
            UnsafePlan: The removal is larger than the policy allows.
        """
        now = self._clock.now()
        since = work.row.missing_since or now
        work.update(missing_since=since)
        if now - since < self._pacing.scaled(GONE_AFTER if work.row.observed else CREATION_LIMIT):
            sentence = f"Azure answers 404 for registry {work.registry.name}; that may be too early or too late."
            return _waiting(now + self._pacing.creation(now - since), "RegistryNotFound", sentence, work)
        if work.row.observed and not work.row.made and not work.row.rules_added:
            return _forget(work)
        due = since + timedelta(minutes=self._policy.deletion.grace_minutes)
        if now < due:
            sentence = (
                f"Registry {work.registry.name} is gone since {_told(since)}. What the app made for it is removed at "
                f"{_told(due)} unless it comes back."
            )
            work.plan = _absent(work)
            return _waiting(min(due, now + _LONGEST_NAP), "GracePeriod", sentence, work)
        return await self._remove(work)

    async def _remove(self, work: Work) -> Outcome:
        changes = await self._changes(work)
        if not changes:
            return _forget(work)
        plan = work.plan = replace(_absent(work), changes=changes)
        if self._policy.mode == "audit":
            return audited(plan, self._policy, frozenset())
        guarded(plan, self._policy, frozenset())
        runnable = not_refused(changes, work.row.refused)
        if not runnable:
            return BlockedOutcome(reasons=tuple(dict.fromkeys(work.row.refused.values())))
        work.update(effects=effects_of(runnable, Seen(), plan.digest))
        await work.claim(self._clock.now())
        applied = await self._applier.apply(runnable, (), work.retrier)
        passing = self._results.note(work, applied, plan.digest)
        await work.save()
        if passing is not None:
            raise passing
        now = self._clock.now()
        next_look = min((operation.due for operation in work.row.operations), default=now)
        return _waiting(next_look, "Removal", f"What was made for {work.registry.name} is being removed.", work)

    async def _changes(self, work: Work) -> tuple[Change, ...]:
        rules = removals(work.row.rules_added) if self._policy.deletion.resource_rules else ()
        if not self._policy.deletion.endpoints:
            return rules
        return (*deletions(await self._left_over(work)), *rules)

    async def _left_over(self, work: Work) -> tuple[PrivateEndpoint, ...]:
        """The app's endpoints for the registry, wherever the ledger or the policy says that they may be."""
        made = work.row.made
        groups = dict.fromkeys(
            (*(endpoint.group for endpoint in made), *(network.endpoints_group for network in self._policy.networks))
        )
        lists = await all_of(self._list(work, group) for group in groups)
        ours = [endpoint for listed in lists for endpoint in listed if made_for(endpoint, work.registry, made)]
        return await leading_nowhere(self._plane, ours, gone=frozenset({work.registry}), retrier=work.retrier)

    async def _list(self, work: Work, group: ResourceId) -> tuple[PrivateEndpoint, ...]:
        known = tuple(endpoint for endpoint in work.row.made if endpoint.group == group)
        return await work.retrier.call(lambda: self._plane.list_endpoints(group, known))


def _absent(work: Work) -> Plan:
    """For the report: what was said of the registry when it was there is no longer true."""
    message = "Azure answers 404 for the registry."
    missing = Condition(type=ConditionType.DISCOVERED, status=ConditionStatus.FALSE, message=message)
    return Plan(registry=work.registry, conditions=(missing,))


def _forget(work: Work) -> Gone:
    """A registry of the same name, should there ever be one, starts afresh."""
    work.plan = _absent(work)
    work.update(
        operations=(),
        pending=(),
        observed=False,
        missing_since=None,
        closed_since=None,
        propagated=False,
        made=(),
        rules_added=(),
        snapshots={},
        repairs={},
        managed_group="",
        paused=None,
        restoring=None,
    )
    return Gone()


def _waiting(until: datetime, name: str, sentence: str, work: Work) -> Waiting:
    return Waiting(until=until, reasons=(Reason(name=name, sentence=sentence, resource=work.registry.text),))


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
