"""
Passes over a registry that is being restored, or that rests because somebody undid its isolation.

A resting registry gets no write and costs one request a pass, which asks whether it still exists: a pause ends with its
registry, so that what the app made for one that is gone does not stay for ever. Restoring reads the targets that have a
snapshot, writes what differs, reads again until it holds, and then rests (undo) or stops with the reason (rollback).

No single look ends it. Azure's reads may show the state before the last write for a while, and right after a closing that
is exactly the state that is wanted: believing it would leave a door shut, behind which nobody looks any more.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from shared.core import discovery
from shared.core.arm import ResourceId
from shared.core.audit import Seen, effects_of
from shared.core.errors import RegistryIsolationError
from shared.core.picture import with_doors
from shared.core.plan import Plan
from shared.core.policy import IsolationPolicy
from shared.core.registry import Target
from shared.core.report import (
    BlockedOutcome,
    Condition,
    ConditionStatus,
    ConditionType,
    Outcome,
    Paused,
    Reason,
    Waiting,
)
from shared.core.restore import Pause, Restoration, RestoreSettings, plan_restoring
from shared.engine.apply import Applied, Applier
from shared.engine.departure import GONE_AFTER
from shared.engine.gather import all_of
from shared.engine.pacing import Pacing
from shared.engine.ports import Clock, ControlPlane, Progress
from shared.engine.results import Results, not_refused
from shared.engine.work import Work

ROUNDS = 3
"""Times that one pass writes the same thing and looks whether it holds."""
PATIENCE = timedelta(minutes=60)
"""
From the first write of a request that Azure accepted until it shows; the slowest recorded update took 35 s, closing may
take Azure a quarter of an hour.
"""
SETTLED = timedelta(minutes=2)
"""
From the first look that shows everything as it was to the one that ends the restoring. Reads of a storage account right after
its PATCH are documented as inconsistent (Azure/azure-rest-api-specs, 25200), without a time; other tools wait for seconds.
"""
_PLATFORM_DELAY = timedelta(seconds=30)

type AskProgress = Callable[[Work], Awaitable[Mapping[str, Progress]]]
type ComeBack = Callable[[Work, RegistryIsolationError], Outcome]
type Depart = Callable[[Work], Awaitable[Outcome]]


class Restorer:
    """Restores snapshots and keeps paused registries at rest."""

    def __init__(
        self,
        *,
        plane: ControlPlane,
        policy: IsolationPolicy,
        clock: Clock,
        pacing: Pacing,
        applier: Applier,
        results: Results,
        progress: AskProgress,
        come_back: ComeBack,
        depart: Depart,
    ) -> None:
        self._plane = plane
        self._policy = policy
        self._clock = clock
        self._pacing = pacing
        self._applier = applier
        self._results = results
        self._progress = progress
        self._come_back = come_back
        self._depart = depart

    async def run(self, work: Work) -> Outcome | None:
        """One pass; None for a registry that neither rests nor is being restored."""
        if work.row.restoring is None and work.row.paused is None:
            return None
        work.update(pending=(), watch=None)
        if work.row.operations:
            passing = self._results.settle(work, await self._progress(work))
            if passing is not None and work.row.restoring is not None:  # what has failed was not accepted after all
                work.update(restoring=replace(work.row.restoring, written=None))
            if work.row.operations:
                return self._running(work)
            if passing is not None and work.row.failures > 1:
                return self._come_back(work, passing)
        restoration, pause = work.row.restoring, work.row.paused
        if restoration is not None:
            return await self._restore(work, restoration)
        return await self._rest(work, pause) if pause is not None else None

    async def _restore(self, work: Work, restoration: Restoration) -> Outcome:
        if not work.row.snapshots:  # the app has closed nothing
            return await self._restored(work, restoration, ())
        for _ in range(ROUNDS):
            targets = await self._targets(work)
            if targets is None:
                return await self._gone(work, restoration)
            work.update(missing_since=None)
            changes = plan_restoring(work.row.snapshots, targets, work.row.rules_added)
            if not changes:
                return await self._shown(work, restoration, targets)
            restoration = replace(restoration, shown=None)
            work.update(restoring=restoration)
            if self._ignored_for(work, restoration) > PATIENCE:
                return self._given_up(work, restoration)
            runnable = not_refused(changes, work.row.refused)
            if not runnable:
                return self._stuck(work, restoration, changes)
            digest = Plan(registry=work.registry, changes=runnable).digest
            work.update(effects=effects_of(runnable, Seen(targets=targets), digest))
            await work.claim(self._clock.now())
            applied = await self._applier.apply(runnable, (), work.retrier)
            passing = self._results.note(work, applied)
            restoration = self._written(work, restoration, applied)
            await work.save()
            if work.row.operations:
                return self._running(work)
            if passing is not None:
                return self._come_back(work, passing)
        sentence = "Azure accepted the restored network settings and does not show them yet."
        return self._again(work, self._pacing.scaled(_PLATFORM_DELAY), "Propagation", sentence)

    async def _targets(self, work: Work) -> tuple[Target, ...] | None:
        """What has a snapshot and is there; None without the registry."""
        document = await work.retrier.call(lambda: self._plane.read_registry(work.registry))
        if document is None:
            return None
        kept = work.row.snapshots
        reads = [
            *((part, self._plane.read_storage_account) for part in discovery.storage_accounts(document)),
            *((part, self._plane.read_container_registry) for part in discovery.container_registries(document)),
        ]
        found = await all_of(_read(work, part, read) for part, read in reads if part.key in kept)
        return (document.target, *(target for target in found if target is not None))

    async def _gone(self, work: Work, restoration: Restoration) -> Outcome:
        """A registry that is gone needs nothing restored; that it is gone has to be seen for longer than a read may err."""
        if not self._policy.in_scope(work.registry):  # its departure is none of the app's business
            return await self._restored(work, restoration, ())
        outcome = await self._depart(work)
        since = work.row.missing_since
        if since is not None and self._clock.now() - since >= self._pacing.scaled(GONE_AFTER):
            work.update(restoring=None)
            work.entries.append(self._results.entry(work, restoration.kind, restoration.why, "gone"))
        return outcome

    async def _shown(self, work: Work, restoration: Restoration, targets: tuple[Target, ...]) -> Outcome:
        """Everything is as it was, says this look: the end if others said so before, long enough ago."""
        now = self._clock.now()
        shown = restoration.shown or now
        due = shown + self._pacing.scaled(SETTLED)
        if now >= due:
            return await self._restored(work, restoration, targets)
        work.update(restoring=replace(restoration, shown=shown))
        sentence = (
            f"The network settings of registry {work.registry.name} are as they were; one more look makes sure of it."
        )
        return self._again(work, due - now, "Propagation", sentence)

    async def _restored(self, work: Work, restoration: Restoration, targets: tuple[Target, ...]) -> Outcome:
        if work.row.picture is not None:  # a registry at rest is not observed, and its picture must not say closed
            work.update(picture=with_doors(work.row.picture, targets))
        work.update(restoring=None, verify=None, closed_since=None, repairs={}, failures=0, refused={})
        work.entries.append(self._results.entry(work, restoration.kind, restoration.why, "restored"))
        work.plan = _opened(work, restoration.why)
        pause = work.row.paused
        if restoration.kind == "undo" and pause is not None:  # it may have been resumed while it was being restored
            return await self._rest(work, pause)
        return BlockedOutcome(
            reasons=(Reason(name="RolledBack", sentence=restoration.why, resource=work.registry.text),)
        )

    def _waited(self, work: Work, restoration: Restoration) -> timedelta:
        """How long it is tried: each request has patience of its own, for somebody may have put right what stood in the way."""
        return self._clock.now() - max(restoration.since, work.row.requested)

    def _written(self, work: Work, restoration: Restoration, applied: Applied) -> Restoration:
        """Note since when Azure has accepted all that is left to write; one write that it did not accept begins this anew."""
        if any(attempt.error is not None for attempt in applied.attempts):
            written = None
        elif restoration.written is not None and restoration.written >= work.row.requested:
            return restoration
        else:
            written = self._clock.now()
        restoration = replace(restoration, written=written)
        work.update(restoring=restoration)
        return restoration

    def _ignored_for(self, work: Work, restoration: Restoration) -> timedelta:
        """How long Azure does not show what it accepted for this request; an outage of its writes does not count."""
        if restoration.written is None or restoration.written < work.row.requested:
            return timedelta()
        return self._clock.now() - restoration.written

    def _given_up(self, work: Work, restoration: Restoration) -> Outcome:
        """Azure accepts the writes and does not show them: a person has to look."""
        why = f"{restoration.why} Azure accepted what the app wrote and still shows other network settings."
        return BlockedOutcome(reasons=(Reason(name="NotRestored", sentence=why, resource=work.registry.text),))

    def _stuck(self, work: Work, restoration: Restoration, changes: tuple[RestoreSettings, ...]) -> Outcome:
        """Azure refuses what is left; it may open storage and container registry itself after the registry."""
        waited = self._waited(work, restoration)
        parts = all(change.target != work.registry for change in changes)
        if parts and waited < timedelta(minutes=self._policy.lockdown.propagation_minutes):
            names = ", ".join(change.target.name for change in changes)
            sentence = f"Waiting for Azure to open {names} after its registry."
            return self._again(work, self._pacing.scaled(_PLATFORM_DELAY), "Propagation", sentence)
        why = Reason(name="NotRestored", sentence=restoration.why, resource=work.registry.text)
        return BlockedOutcome(reasons=(*dict.fromkeys(work.row.refused.values()), why))

    async def _rest(self, work: Work, pause: Pause) -> Outcome:
        if self._policy.in_scope(work.registry):
            if await work.retrier.call(lambda: self._plane.read_registry(work.registry)) is None:
                return await self._depart(work)
            work.update(missing_since=None)
        return Paused(by=pause.by, since=pause.at, why=pause.why)

    def _running(self, work: Work) -> Waiting:
        reasons = tuple(
            Reason(name="OperationRunning", sentence=op.change.sentence, resource=op.change.resource.text)
            for op in work.row.operations
        )
        return Waiting(until=min(operation.due for operation in work.row.operations), reasons=reasons)

    def _again(self, work: Work, delay: timedelta, name: str, sentence: str) -> Waiting:
        reason = Reason(name=name, sentence=sentence, resource=work.registry.text)
        return Waiting(until=self._clock.now() + delay, reasons=(reason,))


async def _read(work: Work, part: ResourceId, read: Callable[[ResourceId], Awaitable[Target | None]]) -> Target | None:
    return await work.retrier.call(lambda: read(part))


def _opened(work: Work, why: str) -> Plan:
    """For the report: public access is not closed any more, and why."""
    closed = Condition(type=ConditionType.PUBLIC_ACCESS_CLOSED, status=ConditionStatus.FALSE, message=why)
    last = work.row.report.conditions if work.row.report else ()
    others = tuple(condition for condition in last if condition.type is not ConditionType.PUBLIC_ACCESS_CLOSED)
    return Plan(registry=work.registry, conditions=(*others, closed))
