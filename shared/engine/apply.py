"""
Start the changes whose prerequisites hold; never wait for one.

Failure of one change is a value: those that depend on it are skipped, the others go on. Public access is only ever
closed by the pass that has just verified everything, so a closing that did not start is dropped, not kept for later.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.core.changes import Change, ClosePublicAccess, key_of
from shared.core.errors import RegistryIsolationError
from shared.core.registry import TargetKind
from shared.core.report import ChangeFailed, ChangeResult, Done, Reason, Skipped, Started
from shared.core.restore import RestoreSettings
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules
from shared.engine.gather import all_of
from shared.engine.pacing import Pacing
from shared.engine.ports import Clock, ControlPlane, Leases
from shared.engine.records import Operation
from shared.engine.retrying import Retrier
from shared.engine.rule_writer import RuleWriter
from shared.engine.telemetry import staged

CONCURRENCY = 8
"""Writes of one pass in flight; a registry in three regions and two networks needs a dozen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    One change that was tried or skipped.

    Attributes:
        error: What a failed one met.
        tries: How often the write was sent; 0 for a skipped one.
        seconds: From the first sending to the last answer.
    """

    change: Change
    result: ChangeResult
    error: RegistryIsolationError | None = None
    tries: int = 1
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What applying came to: everything tried, the operations now under way, and the changes that wait for them."""

    attempts: tuple[Attempt, ...] = ()
    operations: tuple[Operation, ...] = ()
    pending: tuple[Change, ...] = ()

    @property
    def unmade(self) -> frozenset[str]:
        """Keys of the changes that Azure did not accept, whatever the reason."""
        return frozenset(key_of(one.change) for one in self.attempts if not isinstance(one.result, Done | Started))


def ready(changes: Iterable[Change], running: Iterable[Operation]) -> tuple[Change, ...]:
    """Those of *changes* that wait neither for one another nor for an operation of *running*."""
    rest = tuple(changes)
    waiting = {key_of(operation.change) for operation in running} | {key_of(change) for change in rest}
    return tuple(change for change in rest if not waiting & set(change.depends_on))


class Applier:
    """Applies changes through a control plane."""

    def __init__(self, plane: ControlPlane, clock: Clock, pacing: Pacing, leases: Leases) -> None:
        self._plane = plane
        self._rules = RuleWriter(plane, leases)
        self._clock = clock
        self._pacing = pacing

    @staged("apply")
    async def apply(self, changes: Iterable[Change], running: Iterable[Operation], retrier: Retrier) -> Applied:
        """
        Start every change of *changes* that waits for nothing.

        Args:
            changes: In topological order.
            running: Operations under way already; changes that depend on one of them stay pending.
        """
        operations = tuple(running)
        attempts: list[Attempt] = []
        rest = list(changes)
        slots = asyncio.Semaphore(CONCURRENCY)
        while self._clock.now() < retrier.deadline:
            rest, skipped = _skip(rest, attempts)
            attempts += skipped
            free = ready(rest, operations)
            if not free:
                break
            tried = await all_of(self._one(change, retrier, slots) for change in free)
            attempts += tried
            now = self._clock.now()
            started = [self._operation(attempt, now) for attempt in tried if isinstance(attempt.result, Started)]
            operations += tuple(started)
            rest = [change for change in rest if change not in free]
        pending = tuple(change for change in rest if not isinstance(change, ClosePublicAccess))
        return Applied(attempts=tuple(attempts), operations=operations, pending=pending)

    async def _one(self, change: Change, retrier: Retrier, slots: asyncio.Semaphore) -> Attempt:
        tries = 0

        async def once() -> Started | Done:
            nonlocal tries
            tries += 1
            return await self._start(change)

        result: ChangeResult
        failed: RegistryIsolationError | None = None
        async with slots:
            begun = self._clock.now()
            try:
                result = await retrier.call(once)
            except RegistryIsolationError as error:
                reason = Reason(name=error.name, sentence=error.sentence, resource=change.resource.text)
                result, failed = ChangeFailed(reason=reason, fate=error.fate.value), error
            seconds = (self._clock.now() - begun).total_seconds()
        return Attempt(change=change, result=result, error=failed, tries=tries, seconds=seconds)

    async def _start(self, change: Change) -> Started | Done:
        """Start *change*, alone with its resource where Azure guards no read-modify-write."""
        if isinstance(change, AddResourceRules | RemoveResourceRules):
            return await self._rules.write(change)
        if isinstance(change, RestoreSettings) and change.target_kind is TargetKind.STORAGE:
            return await self._rules.write(change)
        return await self._plane.start(change)

    def _operation(self, attempt: Attempt, now: datetime) -> Operation:
        url = attempt.result.url if isinstance(attempt.result, Started) else ""
        due = self._pacing.first_look(attempt.change, now)
        return Operation(change=attempt.change, started=now, due=due, url=url, tries=attempt.tries)


def _skip(rest: list[Change], attempts: list[Attempt]) -> tuple[list[Change], list[Attempt]]:
    """Take out what depends on a change that failed or was skipped itself."""
    lost = {key_of(attempt.change) for attempt in attempts if not isinstance(attempt.result, Done | Started)}
    kept: list[Change] = []
    skipped: list[Attempt] = []
    for change in rest:
        because = sorted(lost & set(change.depends_on))
        if because:
            skipped.append(Attempt(change=change, result=Skipped(because=because[0]), tries=0))
            lost.add(key_of(change))
        else:
            kept.append(change)
    return kept, skipped
