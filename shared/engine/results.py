"""
What became of changes and operations, written into the row and the history.

Here an error meets its fate: a lasting refusal is remembered (and not tried again before the next request), a passing one
is handed back so that the pass can ask to be called again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from shared.core.arm import ResourceId
from shared.core.audit import Effect
from shared.core.changes import Change, ClosePublicAccess, DeleteEndpoint, DeleteZoneGroup, key_of
from shared.core.cleanup import forget_made, remember_made
from shared.core.errors import AccessDenied, Fate, RegistryIsolationError
from shared.core.names import repair_key
from shared.core.plan import Plan
from shared.core.registry import Access, Json, Registry, TargetKind
from shared.core.report import Converged, Done, Reason, Skipped, Started
from shared.core.storage_rules import disowned, forgotten
from shared.engine.apply import Applied, Attempt
from shared.engine.logs import tell
from shared.engine.pacing import Pacing
from shared.engine.ports import Clock, Progress, ProgressState
from shared.engine.records import HistoryEntry, Operation
from shared.engine.work import Work, reason_of

DENIED_LIMIT = timedelta(minutes=10)
"""A new role assignment takes a few minutes to work; an older 403 needs a person."""


class Results:
    """Books results; holds no state of its own."""

    def __init__(self, clock: Clock, pacing: Pacing) -> None:
        self._clock = clock
        self._pacing = pacing

    def settle(self, work: Work, progress: Mapping[str, Progress]) -> RegistryIsolationError | None:
        """Take finished operations out of the row; gives the first failure that may pass by itself."""
        running: list[Operation] = []
        passing: RegistryIsolationError | None = None
        for operation in work.row.operations:
            key = key_of(operation.change)
            state = progress.get(key)
            if state is None or state.state is ProgressState.RUNNING:
                running.append(operation)
                continue
            self._note_end(work, operation, state.error)
            if state.error is None:
                self._note_closing(work, operation.change)
                work.update(made=forget_made(work.row.made, operation.change))
                continue
            work.update(pending=without_dependents(work.row.pending, key))
            if self.lasting(work, key, state.error) is None:
                passing = passing or state.error
                work.update(repairs=without_deletion(work.row.repairs, operation.change))
        finished = len(running) < len(work.row.operations)
        failures = work.row.failures + 1 if passing else 0 if finished else work.row.failures
        looked = {(op.change.kind, op.due) for op in running if key_of(op.change) in progress}
        now = self._clock.now()
        later = (self._pacing.looked(op, now) if (op.change.kind, op.due) in looked else op for op in running)
        work.update(operations=tuple(later), failures=failures)
        return passing

    def note(self, work: Work, applied: Applied, digest: str = "") -> RegistryIsolationError | None:
        """Write down what applying came to; gives the first error that may pass by itself."""
        passing: RegistryIsolationError | None = None
        for attempt in applied.attempts:
            key = key_of(attempt.change)
            self._note_attempt(work, attempt, digest)
            lasting = self.lasting(work, key, attempt.error) if attempt.error is not None else None
            if lasting is not None:
                work.update(rules_added=disowned(work.row.rules_added, attempt.change))
            elif attempt.error is not None:
                passing = passing or attempt.error
            elif isinstance(attempt.result, Done | Started):
                self.allowed(work, key)
            if isinstance(attempt.result, Done):
                self._note_closing(work, attempt.change)
                work.update(rules_added=forgotten(work.row.rules_added, attempt.change))
                work.update(made=forget_made(work.row.made, attempt.change))
        work.update(operations=applied.operations, pending=applied.pending)
        return passing

    def lasting(self, work: Work, key: str, error: RegistryIsolationError) -> Reason | None:
        """
        The reason to stop trying *key*, remembered in the row; None while *error* may still pass by itself.

        A fresh 403 AuthorizationFailed may come from a fresh role assignment, so it lasts only after ten minutes.
        """
        reason = reason_of(error)
        if isinstance(error, AccessDenied):
            now = self._clock.now()
            since = work.row.denied_since.get(key, now)
            work.update(denied_since={**work.row.denied_since, key: since})
            if now - since < DENIED_LIMIT:
                return None
            reason = replace(reason, name="MissingPermission")
        elif error.fate not in {Fate.BLOCKED, Fate.PERMANENT}:
            return None
        work.update(refused={**work.row.refused, key: reason})
        return reason

    def allowed(self, work: Work, key: str) -> None:
        """Azure let *key* through: a later 403 is the first one of another run."""
        if key in work.row.denied_since:
            work.update(denied_since={other: at for other, at in work.row.denied_since.items() if other != key})

    def entry(
        self, work: Work, subject: str, sentence: str, result: str, error: RegistryIsolationError | None = None
    ) -> HistoryEntry:
        """A history line about a change."""
        return HistoryEntry(
            at=self._clock.now(),
            registry=work.registry,
            kind="change",
            subject=subject,
            sentence=f"{sentence}: {error.sentence}" if error else sentence,
            origin=work.row.origin,
            caller=work.row.caller,
            result=error.name if error else result,
            generation=work.row.generation,
        )

    def _note_attempt(self, work: Work, attempt: Attempt, digest: str) -> None:
        """The line about a write that was sent, or was not because of another one."""
        change, result = attempt.change, attempt.result
        sentence = change.sentence
        if isinstance(result, Skipped):
            sentence = f"{sentence}: not tried, because {result.because} did not succeed"
        entry = self.entry(work, key_of(change), sentence, result.kind, attempt.error)
        entry = replace(entry, digest=digest, attempts=attempt.tries)
        if attempt.tries:
            entry = replace(entry, duration_seconds=attempt.seconds)
        work.entries.append(told_effect(entry, work.row.effects, happened=isinstance(result, Done | Started)))
        _tell(change, result.kind, attempt.error)

    def _note_end(self, work: Work, operation: Operation, error: RegistryIsolationError | None) -> None:
        duration = (self._clock.now() - operation.started).total_seconds()
        entry = self.entry(work, key_of(operation.change), operation.change.sentence, "succeeded", error)
        entry = replace(entry, duration_seconds=duration, attempts=operation.tries)
        work.entries.append(told_effect(entry, work.row.effects, happened=error is None))
        _tell(operation.change, "failed" if error else "succeeded", error)

    def _note_closing(self, work: Work, change: Change) -> None:
        if isinstance(change, ClosePublicAccess) and change.target_kind is TargetKind.REGISTRY:
            work.update(closed_since=self._clock.now(), propagated=False)


def _tell(change: Change, result: str, error: RegistryIsolationError | None) -> None:
    """One log line for a write that was sent, skipped, or came to its end."""
    tell("change", change=change.kind, result=result, resource=change.resource.text, error=error.name if error else "")


def told_effect(entry: HistoryEntry, effects: Mapping[str, Effect], *, happened: bool) -> HistoryEntry:
    """*entry* about a change with what that does, as it was noted when it was planned; what failed left nothing behind."""
    effect = effects.get(entry.subject)
    if effect is None:
        return entry
    return replace(
        entry,
        digest=effect.digest or entry.digest,
        before=effect.before,
        after=effect.after if happened else None,
    )


def recognise(work: Work, registry: Registry) -> None:
    """
    Note the app's own endpoints, and drop what is known of an earlier registry of the same name.

    An endpoint whose deletion was planned and that is not there any more is gone, although nobody lived to note it. So is
    one that is not there although all was well and nothing is under way: it was noted before a write that Azure refused,
    and its target is gone.
    """
    group = registry.managed_group.key
    if work.row.managed_group not in {"", group}:
        work.update(snapshots={}, closed_since=None, propagated=False, watch=None, repairs={})
    seen = [endpoint for view in registry.networks for endpoint in view.endpoints]
    there = {endpoint.id for endpoint in (*seen, *registry.left_over)}
    well = isinstance(work.before, Converged) or (work.row.propagated and not work.row.operations)
    gone = set(registry.absent) if well else set()
    kept = [each for each in work.row.made if each in there or _deletion_of(each) not in work.row.effects]
    kept = [each for each in kept if each not in gone]
    work.update(managed_group=group, made=remember_made(kept, registry.id, seen, ()))


def _deletion_of(endpoint: ResourceId) -> str:
    return key_of(DeleteEndpoint(endpoint=endpoint))


def without_dependents(changes: tuple[Change, ...], key: str) -> tuple[Change, ...]:
    """*changes* less those that depend on *key*, directly or not."""
    lost, kept = {key}, list(changes)
    while True:
        out = [change for change in kept if lost & set(change.depends_on)]
        if not out:
            return tuple(kept)
        lost |= {key_of(change) for change in out}
        kept = [change for change in kept if change not in out]


def not_refused(changes: tuple[Change, ...], refused: Mapping[str, Reason]) -> tuple[Change, ...]:
    """*changes* less those that Azure has refused in this generation, and what depends on them."""
    kept = changes
    for key in refused:
        kept = without_dependents(tuple(change for change in kept if key_of(change) != key), key)
    return kept


def denied_in(work: Work) -> frozenset[str]:
    """Keys of the changes that Azure does not let the app make at present."""
    return frozenset((*work.row.denied_since, *work.row.refused))


def count_repairs(repairs: Mapping[str, int], plan: Plan, denied: Iterable[str] = ()) -> dict[str, int]:
    """How often each broken thing was seen, after *plan*; one whose change is among those *denied* does not count."""
    counts = {key: count for key, count in repairs.items() if key not in plan.sound}
    stopped = {change.resource.key for change in plan.changes if key_of(change) in set(denied)}
    for key in plan.broken:
        thing = key[key.index("/") :] if "/" in key else key
        if not any(f"{resource}/".startswith(f"{thing}/") for resource in stopped):
            counts[key] = counts.get(key, 0) + 1
    return counts


def without_deletion(repairs: Mapping[str, int], change: Change) -> Mapping[str, int]:
    """*repairs* after *change* failed: what is beyond repair and could not be deleted was not made anew."""
    match change:
        case DeleteEndpoint():
            key = change.endpoint.key
        case DeleteZoneGroup():
            key = repair_key(change.endpoint)
        case _:
            return repairs
    return {**repairs, key: repairs[key] - 1} if repairs.get(key) else repairs


def snapshots(
    kept: Mapping[str, Mapping[str, Json]], registry: Registry, changes: tuple[Change, ...]
) -> dict[str, Mapping[str, Json]]:
    """
    Network settings from before the app's writes, for undo.

    A closing takes a new one of what is open now: of its target, and where the registry itself is closed of everything
    that Azure may close after it. Any other write to a target takes one only if there is none.
    """
    closing = {change.target for change in changes if isinstance(change, ClosePublicAccess)}
    written = {change.resource for change in changes}
    fresh, first = {}, {}
    for target in registry.targets:
        settings = target.network_settings
        if target.id in closing or (registry.id in closing and target.access is Access.OPEN):
            fresh[target.id.key] = settings
        elif target.id in written:
            first[target.id.key] = settings
    return {**first, **kept, **fresh}
