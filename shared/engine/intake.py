"""
Turn a request from any door into one message on the work queue.

Every request raises the registry's generation and enqueues a message that bears it; messages of older generations are
dropped when they arrive, so ten events in a second cost one reconcile. The row is written first: a message without its
row would be taken for a stale one. If the queue then fails, the door fails, and whoever knocked knocks again.
"""

from dataclasses import replace
from datetime import datetime

from shared.core.approval import Approval
from shared.core.errors import ChangedUnderneath
from shared.core.report import BlockedOutcome, Failed, Waiting
from shared.core.requests import ReconcileRequest, RequestReason, WorkMessage
from shared.core.traces import correlation_of
from shared.engine.chain import following
from shared.engine.logs import tell
from shared.engine.ports import Clock, Ledger, WorkQueue
from shared.engine.records import HistoryEntry, LedgerRow
from shared.engine.telemetry import begin_chain

_TRIES = 8


class Intake:
    """Accepts requests; one per process."""

    def __init__(self, ledger: Ledger, queue: WorkQueue, clock: Clock) -> None:
        self._ledger = ledger
        self._queue = queue
        self._clock = clock

    async def accept(self, request: ReconcileRequest) -> WorkMessage:
        """
        Record *request* and enqueue its message.

        Raises:
            ChangedUnderneath: Eight other requests for the same registry came in between; the door should be knocked again.
        """
        trace = begin_chain(request.reason.value)
        row = await self._next_generation(request, trace)
        message = WorkMessage(registry=row.registry, generation=row.generation, attempt=1, trace=trace)
        with following(message):
            await self._ledger.append([_entry(request, row, self._clock.now())])
            await self._queue.send(message)
            tell("request", reason=request.reason.value, origin=request.origin, caller=request.caller)
        return message

    async def _next_generation(self, request: ReconcileRequest, trace: str) -> LedgerRow:
        for _ in range(_TRIES):
            entry = await self._ledger.read(request.registry)
            row = replace(next_generation(entry.row if entry else None, request, self._clock.now()), trace=trace)
            try:
                return (await self._ledger.write(row, entry.etag if entry else None)).row
            except ChangedUnderneath:
                continue
        raise ChangedUnderneath(
            f"Requests for {request.registry.name} come faster than they can be recorded; ask again.",
            resource_id=request.registry.text,
            operation="record request",
        )


def next_generation(row: LedgerRow | None, request: ReconcileRequest, now: datetime) -> LedgerRow:
    """The row after *request*: what runs goes on, what was refused may be tried again."""
    fresh = row or LedgerRow(registry=request.registry, generation=0, first_seen=now, requested=now)
    return replace(
        fresh,
        generation=fresh.generation + 1,
        sequence=0,
        requested=now,
        waiting_since=(fresh.waiting_since or fresh.requested) if _under_way(row) else now,
        reason=request.reason.value,
        origin=request.origin,
        caller=request.caller,
        approved=_approved(fresh, request),
        refused={},
        denied_since=fresh.still_denied,
        watch=None,
        failures=0,
        waited=None,
        nudged=0,
        planned=None,
        # Whoever asks after a block has looked into it: what was given up is tried again. Not otherwise, or a request
        # caused by the app's own writes would let a repair that never helps go on for ever.
        repairs={} if _looked_into(fresh, request) else fresh.repairs,
    )


def _under_way(row: LedgerRow | None) -> bool:
    """Somebody waits for it already: whoever asks as well does not make that wait any shorter."""
    return row is not None and (row.sequence == 0 or isinstance(row.outcome, Waiting))


def _approved(row: LedgerRow, request: ReconcileRequest) -> Approval | None:
    """
    What the new generation may do: what its request named, else whatever the policy asks.

    An event says that something changed, not that more may be done: it leaves an approval alone until its work has ended.
    """
    if request.approved:
        return Approval(digest=request.approved)
    if request.reason not in {RequestReason.EVENT, RequestReason.RELATED}:
        return None
    ended = row.sequence > 0 and not isinstance(row.outcome, Waiting | BlockedOutcome)
    return None if ended else row.approved


def _looked_into(row: LedgerRow, request: ReconcileRequest) -> bool:
    return isinstance(row.outcome, BlockedOutcome | Failed) and request.reason is not RequestReason.RELATED


def _entry(request: ReconcileRequest, row: LedgerRow, now: datetime) -> HistoryEntry:
    return HistoryEntry(
        at=now,
        registry=row.registry,
        kind="request",
        subject=f"generation {row.generation}",
        sentence=f"asked for by {request.reason.value}",
        origin=request.origin,
        caller=request.caller,
        digest=request.approved,
        generation=row.generation,
        correlation=correlation_of(row.trace),
    )
