"""
Undo and resume: what a person asks for when isolation hurts.

Undo restores the last snapshot of a registry's resources and pauses enforcement of that registry, so that the next
sweep does not close it again behind the operator's back. Both only write the ledger row and ask for a pass; the pass
does the rest, so that a killed process loses nothing. Asking twice is the same as asking once.
"""

from collections.abc import Callable
from dataclasses import replace

from shared.core.arm import ResourceId
from shared.core.errors import ChangedUnderneath
from shared.core.requests import ReconcileRequest, RequestReason, WorkMessage
from shared.core.restore import Pause, Restoration
from shared.core.traces import correlation_of
from shared.engine.chain import following
from shared.engine.intake import next_generation
from shared.engine.logs import tell
from shared.engine.ports import Clock, Ledger, WorkQueue
from shared.engine.records import HistoryEntry, HistoryKind, LedgerRow
from shared.engine.telemetry import begin_chain

_TRIES = 8


class Undo:
    """Takes a person's word; one per process."""

    def __init__(self, ledger: Ledger, queue: WorkQueue, clock: Clock) -> None:
        self._ledger = ledger
        self._queue = queue
        self._clock = clock

    async def undo(self, registry: ResourceId, *, caller: str, why: str) -> WorkMessage | None:
        """
        Ask that *registry* be as it was before the app closed it, and stay so until `resume`.

        Args:
            caller: Object id of whoever asks.
            why: For the report and the history.

        Returns:
            The message of the pass that will do it; None if the app knows nothing of this registry.

        Raises:
            ChangedUnderneath: The row changes faster than it can be written; ask again.
        """

        def undone(row: LedgerRow) -> LedgerRow:
            now = self._clock.now()
            pause = row.paused or Pause(by=caller, at=now, why=why)
            restoration = Restoration(kind="undo", since=now, why=f"Undone at the request of {_told(caller)}: {why}")
            return replace(row, paused=pause, restoring=restoration, pending=(), verify=None)

        return await self._ask(registry, undone, caller=caller, kind="undo", sentence=f"asked to undo: {why}")

    async def pause(self, registry: ResourceId, *, caller: str, why: str) -> WorkMessage | None:
        """Ask that *registry* be left as it is until `resume`; as `undo`, without restoring anything."""

        def paused(row: LedgerRow) -> LedgerRow:
            pause = row.paused or Pause(by=caller, at=self._clock.now(), why=why)
            return replace(row, paused=pause, pending=(), verify=None)

        return await self._ask(registry, paused, caller=caller, kind="pause", sentence=f"asked to pause: {why}")

    async def resume(self, registry: ResourceId, *, caller: str) -> WorkMessage | None:
        """
        Ask that *registry* be enforced again; None if the app knows nothing of it.

        What was restored gets a new snapshot at its next closing, for somebody may have changed it meanwhile.
        """

        def resumed(row: LedgerRow) -> LedgerRow:
            kept = row.snapshots if row.restoring or row.paused is None else {}
            return replace(row, paused=None, restoring=None, snapshots=kept)

        return await self._ask(registry, resumed, caller=caller, kind="resume", sentence="asked to resume enforcement")

    async def _ask(
        self,
        registry: ResourceId,
        changed: Callable[[LedgerRow], LedgerRow],
        *,
        caller: str,
        kind: HistoryKind,
        sentence: str,
    ) -> WorkMessage | None:
        row = await self._write(registry, changed, caller, kind)
        if row is None:
            return None
        entry = HistoryEntry(
            at=self._clock.now(),
            registry=row.registry,
            kind=kind,
            subject=f"generation {row.generation}",
            sentence=sentence,
            origin=row.origin,
            caller=caller,
            generation=row.generation,
            correlation=correlation_of(row.trace),
        )
        message = WorkMessage(registry=row.registry, generation=row.generation, attempt=1, trace=row.trace)
        with following(message):
            await self._ledger.append([entry])
            await self._queue.send(message)
            tell("request", reason=RequestReason.HTTP.value, origin=row.origin, caller=caller)
        return message

    async def _write(
        self, registry: ResourceId, changed: Callable[[LedgerRow], LedgerRow], caller: str, origin: str
    ) -> LedgerRow | None:
        trace = begin_chain(RequestReason.HTTP.value)
        for _ in range(_TRIES):
            entry = await self._ledger.read(registry)
            if entry is None:
                return None
            now = self._clock.now()
            request = ReconcileRequest(
                registry=entry.row.registry, reason=RequestReason.HTTP, origin=origin, received=now, caller=caller
            )
            row = replace(next_generation(entry.row, request, now), trace=trace)
            try:
                return (await self._ledger.write(changed(row), entry.etag)).row
            except ChangedUnderneath:
                continue
        raise ChangedUnderneath(
            f"Requests for {registry.name} come faster than they can be recorded; ask again.",
            resource_id=registry.text,
            operation="record request",
        )


def _told(caller: str) -> str:
    return caller or "an unnamed caller"
