"""
Turn changes of a registry's parts into as few passes as show the last of them.

Azure writes a part several times for one change, and people write in bursts. The first event asks for a pass a little
later; until that pass is about to begin, others find it planned and do nothing. Never the other way round: an event is
dropped only if a pass is sure to begin after it.

While a registry is being worked on, an event must neither start its work anew nor take the place of a message that is
about to be read, or a burst would put the work off for as long as it lasts. So it keeps the generation and sends one
more message of it, whose attempt lies far ahead: the message that it overtakes is taken for a repetition once the
overtaking one is through.

As in `engine.intake` the row comes first and the message second, and whoever could not send it is knocked at again. Only
after that the row says that the pass is planned.
"""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from shared.core.arm import ResourceId
from shared.core.errors import ChangedUnderneath, RegistryIsolationError
from shared.core.registry import ACR_TYPE, STORAGE_TYPE
from shared.core.report import Waiting
from shared.core.requests import ReconcileRequest, WorkMessage
from shared.core.traces import correlation_of
from shared.engine.chain import following
from shared.engine.intake import next_generation
from shared.engine.logs import tell
from shared.engine.ports import Clock, Ledger, LedgerEntry, WorkQueue
from shared.engine.records import HistoryEntry, LedgerRow
from shared.engine.telemetry import begin_chain

WINDOW = timedelta(seconds=15)
"""From an event to the pass that it asks for; what happens in between costs nothing more."""
UNKNOWN = 4
"""So many times as long, where nobody has asked for the registry yet: Azure is still making it, and its own event comes."""
MARGIN = timedelta(seconds=2)
"""Clocks of two instances, and of them and the queue, may differ by this much."""
SOON = timedelta(minutes=1)
"""A look that a working registry has planned within this time is soon enough."""
STRIDE = 1000
"""How far a message overtakes: more attempts than a row can be behind its chain of passes."""
_TRIES = 8


class DriftIntake:
    """
    Accepts that a part of a registry changed; one per process.

    Args:
        window: From an event to its pass; clocks are taken to differ by a share of it, MARGIN at most.
    """

    def __init__(self, ledger: Ledger, queue: WorkQueue, clock: Clock, window: timedelta = WINDOW) -> None:
        self._ledger = ledger
        self._queue = queue
        self._clock = clock
        self._window = window
        self._margin = min(MARGIN, window * (MARGIN / WINDOW))
        self._busy: WeakValueDictionary[ResourceId, asyncio.Lock] = WeakValueDictionary()

    async def accept(self, request: ReconcileRequest, part: ResourceId) -> WorkMessage | None:
        """
        See to it that a pass begins after now; gives its message, None if one is planned already.

        Args:
            part: What changed, for the record.

        Raises:
            RegistryIsolationError: The pass could not be recorded or enqueued; the event has to be delivered again.
        """
        async with self._busy.setdefault(request.registry, asyncio.Lock()):  # a delivery may bring hundreds at once
            entry = await self._reserve(request, part)
            if entry is None:
                return None
            row = entry.row
            message = WorkMessage(
                registry=row.registry, generation=row.generation, attempt=max(1, row.nudged), trace=row.trace
            )
            window = self._window * (UNKNOWN if row.generation == 1 and not row.nudged else 1)
            with following(message):
                await self._ledger.append([_entry(request, row, part, self._clock.now())])
                planned = self._clock.now() + window
                await self._queue.send(message, window)
                tell("request", reason=request.reason.value, origin=request.origin, caller=request.caller)
                await self._announce(entry, planned)
            return message

    async def _reserve(self, request: ReconcileRequest, part: ResourceId) -> LedgerEntry | None:
        for _ in range(_TRIES):
            entry = await self._ledger.read(request.registry)
            now = self._clock.now()
            row, etag = (entry.row, entry.etag) if entry else (None, None)
            names = not (part.is_type(STORAGE_TYPE) or part.is_type(ACR_TYPE))
            planned = row is not None and is_planned(row, now, self._margin)
            if row is not None and planned and not (names and row.verify is not None):
                return None
            try:
                asked = row if row is not None and planned else nudged(row, request, now)
                written = await self._ledger.write(replace(asked, renamed=now) if names else asked, etag)
            except ChangedUnderneath:
                continue
            return None if planned else written
        raise ChangedUnderneath(
            f"The ledger row of {request.registry.name} changes faster than an event of one of its parts can be recorded.",
            resource_id=request.registry.text,
            operation="record event",
        )

    async def _announce(self, entry: LedgerEntry, planned: datetime) -> None:
        """Say that the pass is planned. Not being able to costs a pass more, never one less."""
        current: LedgerEntry | None = entry
        try:
            for _ in range(_TRIES):
                if current is None or _speaker(current.row) != _speaker(entry.row):
                    return
                try:
                    await self._ledger.write(replace(current.row, planned=planned), current.etag)
                except ChangedUnderneath:
                    current = await self._ledger.read(entry.row.registry)
                else:
                    return
        except RegistryIsolationError as error:
            tell("plan", level=logging.WARNING, error=error.name, sentence=error.sentence)


def is_planned(row: LedgerRow, now: datetime, margin: timedelta = MARGIN) -> bool:
    """Tell whether a pass is sure to begin after *now*, and soon."""
    if row.planned is not None and now + margin < row.planned:
        return True
    if not _at_work(row) or row.sequence == 0 or row.nudged > row.sequence:
        return False  # at rest, or it is not known which message of the row is sent and not yet read
    until = row.outcome.until if isinstance(row.outcome, Waiting) else now
    return now + margin < until and (until <= now + SOON or row.failures > 1)


def nudged(row: LedgerRow | None, request: ReconcileRequest, now: datetime) -> LedgerRow:
    """The row that asks for one more pass: of a new generation where the registry is at rest, else of this one."""
    if row is None or not _at_work(row):
        return replace(next_generation(row, request, now), trace=begin_chain(request.reason.value))
    return replace(row, nudged=max(row.sequence, row.nudged) + STRIDE, planned=None)


def _at_work(row: LedgerRow) -> bool:
    """Requested and not yet worked on, or waiting for the next look."""
    return row.sequence == 0 or isinstance(row.outcome, Waiting)


def _speaker(row: LedgerRow) -> tuple[int, int]:
    """Which message the row waits for."""
    return row.generation, row.nudged


def _entry(request: ReconcileRequest, row: LedgerRow, part: ResourceId, now: datetime) -> HistoryEntry:
    return HistoryEntry(
        at=now,
        registry=row.registry,
        kind="request",
        subject=f"generation {row.generation}",
        sentence=f"asked for by {request.reason.value}: {part.type} {part.name} changed",
        origin=request.origin,
        caller=request.caller,
        generation=row.generation,
        correlation=correlation_of(row.trace),
    )
