"""
One pass over one registry: ask after what runs, observe, plan, guard, apply, record, and say when to look again.

Level-based: the message names a registry, and everything else is read from Azure. A pass never waits for a long
operation; it starts what can be started and asks the queue to be called again. Everything it does may be repeated by
another pass, in another process, at any point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.audit import Seen, effects_of
from shared.core.cleanup import remember_made
from shared.core.errors import AccessDenied, NotReadyYet, RegistryIsolationError, Temporary
from shared.core.forecast import forecast
from shared.core.picture import picture_of
from shared.core.plan import Plan
from shared.core.planner import approved_endpoints, make_plan
from shared.core.policy import IsolationPolicy
from shared.core.registry import Access, Registry, Target, TargetKind
from shared.core.report import (
    BlockedOutcome,
    Converged,
    Exempt,
    Outcome,
    Reason,
    Superseded,
    Waiting,
)
from shared.core.requests import WorkMessage
from shared.core.storage_rules import remembered
from shared.core.verification import WINDOW, verification
from shared.engine.admission import Admission
from shared.engine.apply import Applier, ready
from shared.engine.approval import hold_back, require_approved
from shared.engine.asking import ask, told_by
from shared.engine.auditing import audited, guarded
from shared.engine.denied_reads import patient_with, reads_of
from shared.engine.departure import CREATION_LIMIT, Departure
from shared.engine.fqdns import note_fqdns
from shared.engine.indexing import forget_gone, note_belongings
from shared.engine.names_turn import NamesTurn
from shared.engine.observe import Observer
from shared.engine.outcomes import Outbox, wake_again
from shared.engine.owner_ports import OwnerIndex
from shared.engine.pacing import Pacing, next_look
from shared.engine.patience import endured
from shared.engine.ports import Clock, ControlPlane, Leases, Ledger, Progress, WorkQueue
from shared.engine.preflight import preflight
from shared.engine.recall import Recall, Recollection
from shared.engine.reporting import outcome_entry, propagation, report_of, say, watched
from shared.engine.restore import Restorer
from shared.engine.results import Results, count_repairs, denied_in, not_refused, recognise, snapshots
from shared.engine.retrying import Retrier
from shared.engine.rollback import judge, second_look
from shared.engine.seen import left_to_observation
from shared.engine.telemetry import stage
from shared.engine.throttle import Throttle
from shared.engine.work import TakenOver, Work, reason_of

ROUNDS = 3
"""Observations in one pass: changes that take effect at once are verified at once."""
OBSERVE = "observe"
"""Key under which errors of reading are remembered, as errors of a change are under the change's."""
DENIED_LOOK = timedelta(minutes=1)
"""Longest wait while a role assignment may still be taking effect: it works within minutes and is then wanted at once."""
_CLAIMED_DELAY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a reconciler works with; made once per process by the composition root."""

    plane: ControlPlane
    ledger: Ledger
    queue: WorkQueue
    leases: Leases
    clock: Clock
    policy: IsolationPolicy
    zone_table: Mapping[str, tuple[str, ...]]
    pacing: Pacing
    principal: str = ""
    index: OwnerIndex | None = None
    outbox: Outbox | None = None
    throttle: Throttle | None = None
    pass_deadline: timedelta = timedelta(seconds=60)


class Reconciler:
    """Runs passes; holds nothing that a later pass could not read again."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._clock = services.clock
        self._pacing = services.pacing
        self._observer = Observer(services.plane, services.policy, services.zone_table)
        self._applier = Applier(services.plane, services.clock, services.pacing, services.leases)
        self._results = Results(services.clock, services.pacing)
        throttle = services.throttle
        self._admission = Admission(throttle, services.policy, services.clock) if throttle is not None else None
        self._recall = Recall(services.clock)
        self._turn = NamesTurn(services.plane, self._recall, services.clock)
        self._departure = Departure(
            plane=services.plane,
            policy=services.policy,
            clock=services.clock,
            pacing=services.pacing,
            applier=self._applier,
            results=self._results,
        )
        self._restorer = Restorer(
            plane=services.plane,
            policy=services.policy,
            clock=services.clock,
            pacing=services.pacing,
            applier=self._applier,
            results=self._results,
            progress=self._progress,
            come_back=self._come_back,
            depart=self._departure.run,
        )

    async def run(self, message: WorkMessage) -> Outcome:
        """
        Do one pass for *message* and enqueue the next one if there is to be one.

        Raises:
            RegistryIsolationError: The ledger or the queue failed; the message must be delivered again.
        """
        now = self._clock.now()
        retrier = Retrier(self._clock, now + self._services.pass_deadline)
        entry = await retrier.call(lambda: self._services.ledger.read(message.registry))
        outbox = self._services.outbox
        work = Work(self._services.ledger, entry, message, retrier, now, tells=outbox is not None)
        if message.generation < work.row.generation or message.attempt <= work.row.sequence:
            await wake_again(outbox, work.row, message)
            return say(work, Superseded(), now)
        claimed = work.claimed_until(now)
        if claimed is not None:
            delay = min(claimed - now, self._pacing.scaled(_CLAIMED_DELAY))
            return say(work, await self._wait_for_other(work, delay), self._clock.now())
        if self._admission is not None and (wait := self._admission.wait(work.row)):
            return say(work, await self._wait_in_line(work, wait), self._clock.now())
        try:
            outcome = endured(work, await self._outcome(work), self._clock.now())
            await self._finish(work, outcome)
        except TakenOver as taken:
            delay = self._pacing.scaled(_CLAIMED_DELAY)
            outcome = await self._wait_for_other(work, delay) if taken.by_earlier else Superseded()
        if outbox is not None and work.announced:
            await outbox.announced(work.registry, first=work.announced_first)
        return say(work, outcome, self._clock.now())

    async def _wait_for_other(self, work: Work, delay: timedelta) -> Outcome:
        """Come back with the same message: a pass for an earlier one is at work, and will not ask for this one's next."""
        await work.retrier.call(lambda: self._services.queue.send(work.message, delay))
        return self._again(delay, "AnotherPass", "Another pass is at work on this registry.")

    async def _wait_in_line(self, work: Work, delay: timedelta) -> Outcome:
        """Come back with the same message, before anything was read or written."""
        await work.retrier.call(lambda: self._services.queue.send(work.message, delay))
        return self._again(delay, "Throttled", "Azure's limits are nearly used up; other registries go first.")

    async def _outcome(self, work: Work) -> Outcome:
        try:
            return await self._restorer.run(work) or await self._advance(work)
        except RegistryIsolationError as error:
            return self._after_error(work, error)
        finally:
            if self._admission is not None:
                self._admission.leave(work.registry)

    async def _finish(self, work: Work, outcome: Outcome) -> None:
        """
        Enqueue the next look before letting go: a crash in between repeats a pass, it does not lose one.

        Under a claim, so that of two deliveries of one message at the same moment only one enqueues.
        """
        now = self._clock.now()
        if work.row.outcome is None or work.row.outcome.kind != outcome.kind:
            work.entries.append(outcome_entry(work, outcome, report_of(work, outcome, now)))
        until = outcome.until if isinstance(outcome, Waiting) else second_look(work, now)
        if until is not None:
            await work.claim(now)
            if work.current:
                following = replace(work.message, attempt=work.message.attempt + 1)
                delay = max(until - now, timedelta())
                await work.retrier.call(lambda: self._services.queue.send(following, delay))
        await work.finish(outcome, report_of(work, outcome, self._clock.now()))

    # --- stages -------------------------------------------------------------------------------------------------------

    async def _advance(self, work: Work) -> Outcome:
        if not self._services.policy.in_scope(work.registry):
            return Exempt(why="The registry is outside the policy's scope.")
        hold_back(work)
        began = self._clock.now()
        closed = await self._continue(work)
        if closed is not None and not isinstance(closed, Target):
            return closed
        since = self._turn.since(work, self._clock.now())
        if not self._recalls_names(work) and (later := await self._turn.wait(work, since)) is not None:
            return later
        for _ in range(ROUNDS):
            exempt = self._services.policy.exempt_targets(work.registry, on=self._clock.now().date())
            recollection = self._begin(work, closed, since, min(began, since))
            registry = await self._observer.observe(
                work.registry, work.retrier, work.row.zones, exempt, work.row.made, recollection
            )
            self._turn.done(work)
            closed, since = None, self._clock.now()
            began = since
            if registry is None:
                return await forget_gone(work, await self._departure.run(work), self._services.index)
            if not self._services.policy.in_scope(work.registry, registry.document.tags):
                return Exempt(why="The registry's tags take it out of the policy's scope.")
            self._results.allowed(work, OBSERVE)
            zones = dict(registry.required_zones) or work.row.zones
            work.update(missing_since=None, observed=True, verified=self._clock.now(), zones=zones)
            work.update(picture=picture_of(registry, self._clock.now()))
            recognise(work, registry)
            await note_belongings(work, registry, self._services.index)
            if work.row.operations and (outcome := await self._settle_seen(work, registry)) is not None:
                return outcome
            registry = await preflight(
                work,
                registry,
                plane=self._services.plane,
                policy=self._services.policy,
                principal=self._services.principal,
            )
            outcome = await self._plan_and_apply(work, patient_with(work, registry, self._clock.now()))
            verified = work.plan is not None and work.plan.verified
            self._recall.keep(work.registry, recollection, verified=verified)
            if outcome is not None:
                return outcome
            if self._clock.now() >= work.retrier.deadline:
                break
        delay = self._pacing.backoff(work.row.failures)  # somebody may undo each change as soon as it is made
        work.update(failures=work.row.failures + 1)
        return self._again(delay, "ChangesDone", "Changes took effect; their result is read next.")

    async def _continue(self, work: Work) -> Outcome | Target | None:
        """Go on with what is under way; gives the target whose closing was waited for, None when all is to be read."""
        if work.row.operations or work.row.pending:
            outcome = await self._carry_on(work)
            if outcome is not None:
                return outcome
        return await self._watch(work)

    async def _carry_on(self, work: Work) -> Outcome | None:
        """Ask after what runs and start what waited for it; None when a new observation is due."""
        passing = self._results.settle(work, await ask(self._services.plane, work, self._clock.now(), observing=True))
        if work.row.pending and self._services.policy.mode == "enforce":
            pending = not_refused(work.row.pending, work.row.refused)
            if ready(pending, work.row.operations):
                await work.claim(self._clock.now())  # a burst of messages must not start it as often
            applied = await self._applier.apply(pending, work.row.operations, work.retrier)
            passing = self._results.note(work, applied) or passing
            await work.save()
        if work.row.operations:
            left = left_to_observation(work.row.operations, work.row.pending, self._clock.now())
            return None if left else self._running(work)
        work.update(pending=())
        return self._patience(work, passing)

    def _patience(self, work: Work, passing: RegistryIsolationError | None) -> Outcome | None:
        """After repeated failures wait before trying again."""
        if passing is not None and work.row.failures > 1:
            return self._again(self._pacing.backoff(work.row.failures), passing.name, passing.sentence)
        return None

    def _begin(self, work: Work, closed: Target | None, since: datetime, began: datetime) -> Recollection:
        """What the observation need not read: names only between a closing and the second look that reads them all."""
        return self._recall.begin(
            work.registry,
            work.message.generation,
            names=self._may_recall_names(work),
            targets=() if closed is None else (closed,),
            since=work.row.renamed,
            names_since=since,
            links_since=began,
            first_since=None if work.row.observed else work.row.requested,
        )

    def _may_recall_names(self, work: Work) -> bool:
        return work.row.verify is not None and self._clock.now() < work.row.verify.until

    def _recalls_names(self, work: Work) -> bool:
        recalled = self._recall.recalls_names(work.registry, work.message.generation, work.row.renamed)
        return recalled and self._may_recall_names(work)

    async def _settle_seen(self, work: Work, registry: Registry) -> Outcome | None:
        """Settle the operations that were left to this observation; ask after those that it does not show done."""
        passing = self._results.settle(work, await told_by(self._services.plane, work, registry))
        return self._running(work) if work.row.operations else self._patience(work, passing)

    async def _progress(self, work: Work) -> dict[str, Progress]:
        return await ask(self._services.plane, work, self._clock.now())

    async def _watch(self, work: Work) -> Waiting | Target | None:
        """While only Azure's own closing of a target is waited for, read that target alone; gives it once it is closed."""
        watch, closed = work.row.watch, work.row.closed_since
        if watch is None or closed is None:
            return None
        plane, now = self._services.plane, self._clock.now()
        read = plane.read_container_registry if watch.target_kind is TargetKind.ACR else plane.read_storage_account
        window = timedelta(minutes=self._services.policy.lockdown.propagation_minutes)
        if now - closed < window:
            target = await work.retrier.call(lambda: read(watch.target))
            if target is not None and target.access is Access.OPEN:
                until = min(now + self._pacing.propagation(now - closed), closed + window)
                return Waiting(until=until, reasons=propagation(work, watch))
            work.update(watch=None)
            return target
        work.update(watch=None)
        return None

    async def _plan_and_apply(self, work: Work, registry: Registry) -> Outcome | None:
        """Plan, guard, apply; None when every change took effect at once and is to be verified."""
        policy = self._services.policy
        memory = work.row.memory(self._clock.now())
        with stage("plan"):
            plan = work.plan = make_plan(registry, policy, self._services.zone_table, memory)
        if judge(work, plan, registry, policy, self._clock.now()):
            return await self._restorer.run(work)
        if plan.converged:
            denied = reads_of(work.row.denied_since)
            work.update(propagated=True, failures=0, denied_since=denied, repairs={}, refused={})
            return Converged()
        if policy.mode == "audit":
            return audited(plan, policy, approved_endpoints(registry))
        with stage("guard"):
            guarded(plan, policy, approved_endpoints(registry))
        require_approved(work, plan, lambda: forecast(registry, policy, self._services.zone_table, memory))
        runnable = not_refused(plan.changes, work.row.refused)
        if not runnable:
            work.update(repairs=count_repairs(work.row.repairs, plan, denied_in(work)))
            return self._nothing_to_do(work, plan)
        work.update(snapshots=snapshots(work.row.snapshots, registry, runnable), watch=watched(plan))
        until = self._clock.now() + self._pacing.scaled(WINDOW)
        work.update(verify=verification(runnable, plan, policy, until, work.row.verify))
        work.update(rules_added=remembered(work.row.rules_added, runnable))
        work.update(made=remember_made(work.row.made, work.registry, (), runnable))
        await note_fqdns(work, registry, runnable, self._services.plane)
        work.update(effects=effects_of(runnable, Seen(registry=registry), plan.digest))
        work.drift(plan, self._clock.now())
        await work.claim(self._clock.now())
        applied = await self._applier.apply(runnable, (), work.retrier)
        passing = self._results.note(work, applied, plan.digest)
        work.update(repairs=count_repairs(work.row.repairs, plan, denied_in(work) | applied.unmade))
        await work.save()
        if work.row.operations:
            return self._running(work)
        if passing is not None:
            return self._come_back(work, passing)
        return None

    # --- outcomes -----------------------------------------------------------------------------------------------------

    def _nothing_to_do(self, work: Work, plan: Plan) -> Outcome:
        blocks = tuple(dict.fromkeys((*plan.blocks, *work.row.refused.values())))
        waits = [wait for wait in plan.waits if wait.after not in work.row.refused]
        if not waits:
            return BlockedOutcome(reasons=blocks)
        delay = self._pacing.scaled(min(wait.delay for wait in waits))
        work.update(watch=watched(plan))
        return Waiting(until=self._clock.now() + delay, reasons=(*(wait.reason for wait in waits), *blocks))

    def _after_error(self, work: Work, error: RegistryIsolationError) -> Outcome:
        """An error that ended the pass: wait, or stop and say why."""
        lasting = self._results.lasting(work, OBSERVE, error)
        if lasting is not None:
            return BlockedOutcome(reasons=(lasting,))
        return self._come_back(work, error)

    def _come_back(self, work: Work, error: RegistryIsolationError) -> Outcome:
        """An error that may pass by itself: wait as long as Azure asked, or longer each time."""
        failures = work.row.failures
        work.update(failures=0 if isinstance(error, NotReadyYet) else failures + 1)
        if isinstance(error, NotReadyYet):
            waited = self._clock.now() - work.row.requested
            if waited > CREATION_LIMIT and not failures:  # the first look after an outage may be a read of the past
                return BlockedOutcome(reasons=(reason_of(error),))
            return self._again(self._pacing.creation(waited), error.name, error.sentence)
        asked = error.retry_after if isinstance(error, Temporary) else None
        longest = DENIED_LOOK if isinstance(error, AccessDenied) else timedelta.max
        delay = min(longest, max(asked or timedelta(), self._pacing.backoff(failures)))
        return self._again(delay, error.name, error.sentence)

    def _running(self, work: Work) -> Waiting:
        reasons = tuple(
            Reason(name="OperationRunning", sentence=op.change.sentence, resource=op.change.resource.text)
            for op in work.row.operations
        )
        return Waiting(until=next_look(work.row.operations, work.row.pending), reasons=reasons)

    def _again(self, delay: timedelta, name: str, sentence: str) -> Waiting:
        return Waiting(until=self._clock.now() + delay, reasons=(Reason(name=name, sentence=sentence),))
