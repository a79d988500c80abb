"""
What becomes of a message that failed five times: it comes back by itself, or its registry shows Failed. Nothing loops.

An outage of the state that lasted longer than a message's deliveries is over one day, so a message whose last error
passes goes back to the queue for as long as it takes. One of which nobody could even note why it failed (its host died)
goes back once. A bug or a lasting error is for a person: the registry's row keeps its operations, so the next request
for it goes on where the last good pass ended.

Raising is safe here: the host leaves a message of a poison queue where it is and delivers it again ten minutes later.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.errors import ChangedUnderneath
from shared.core.mishaps import Mishap, MishapFate
from shared.core.report import Failed, Reason, Report
from shared.core.requests import WorkMessage
from shared.core.traces import correlation_of
from shared.engine.logs import tell
from shared.engine.mishaps import mishap_of, speaks_for
from shared.engine.outcomes import Outbox, told
from shared.engine.ports import Clock, Ledger, LedgerEntry, WorkQueue
from shared.engine.records import HistoryEntry, LedgerRow

RETURN_DELAY = timedelta(minutes=2)
"""Until a message goes back to work; five failed deliveries and a stay here lie behind it."""
_TRIES = 8


class PoisonCabinet:
    """
    Books poisoned messages.

    Args:
        outbox: Wakes the delivery of outcome events; None if nobody is told.
        queue: Where messages whose error passes go back to; None keeps every one of them.
    """

    def __init__(
        self, ledger: Ledger, clock: Clock, outbox: Outbox | None = None, queue: WorkQueue | None = None
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._outbox = outbox
        self._queue = queue

    async def keep(self, message: WorkMessage) -> None:
        """
        Send *message* back, or mark its registry Failed unless a newer request or a later pass is under way.

        Raises:
            RegistryIsolationError: The ledger or the queue failed; the poison message must be delivered again.
        """
        entry = await self._ledger.read(message.registry)
        row = entry.row if entry else None
        mishap = mishap_of(message, row) if row else None
        waited_for = row is not None and speaks_for(message, row)
        back = waited_for and self._queue is not None and _comes_back(mishap)
        now = self._clock.now()
        sentence = _sentence(message, mishap, back=back)
        tell(
            "poison",
            level=logging.WARNING if back else logging.ERROR,
            registry=message.registry.text,
            generation=message.generation,
            error=mishap.name if mishap else "",
            back=back,
        )
        line = _entry(message, sentence, mishap, now, back=back)
        if row is not None and row.generation == message.generation:
            line = replace(line, origin=row.origin, caller=row.caller)
        await self._ledger.append([line])
        if back and entry is not None and self._queue is not None:
            await self._send_back(self._queue, message, entry, mishap, now)
        else:
            reason = Reason(name="Poisoned", sentence=sentence, resource=message.registry.text)
            await self._mark(message, reason)

    async def _send_back(
        self, queue: WorkQueue, message: WorkMessage, entry: LedgerEntry, mishap: Mishap | None, now: datetime
    ) -> None:
        """Count the return first: a message that comes back without having been counted would come back for ever."""
        known = mishap or _unknown(message, now)
        try:
            await self._ledger.write(
                replace(entry.row, last_error=replace(known, replays=known.replays + 1)), entry.etag
            )
        except ChangedUnderneath:
            tell("poison", level=logging.DEBUG, registry=message.registry.text, counted=False)
            if not known.fate.passes:
                raise
        await queue.send(message, RETURN_DELAY)

    async def _mark(self, message: WorkMessage, reason: Reason) -> None:
        for _ in range(_TRIES):
            entry = await self._ledger.read(message.registry)
            if entry is None or not speaks_for(message, entry.row):
                return  # another message speaks for the registry; a pass may fail after it sent its successor
            report, outcome = _report(entry.row, reason, self._clock.now()), Failed(reason=reason)
            row = replace(entry.row, claim=None, outcome=outcome, report=report)
            try:
                written = await self._ledger.write(told(row, outcome, report, self._outbox), entry.etag)
            except ChangedUnderneath:
                continue
            if self._outbox is not None and written.row.told != row.told:
                await self._outbox.announced(row.registry)
            return
        raise ChangedUnderneath(
            f"The ledger row of {message.registry.name} changes faster than it can be written.",
            resource_id=message.registry.text,
            operation="write ledger",
        )


def _report(row: LedgerRow, reason: Reason, now: datetime) -> Report:
    """What was known of the registry, and that it Failed."""
    last = row.report or Report(registry=row.registry, at=now, phase="failed")
    return replace(last, at=now, phase="failed", reasons=(reason,))


def _comes_back(mishap: Mishap | None) -> bool:
    if mishap is None:
        return True
    return mishap.fate.passes or (mishap.fate is MishapFate.UNKNOWN and mishap.replays == 0)


def _unknown(message: WorkMessage, now: datetime) -> Mishap:
    return Mishap(
        at=now,
        since=now,
        name="Unknown",
        sentence="The app could not note why: its host was stopped, or its own storage did not answer.",
        fate=MishapFate.UNKNOWN,
        generation=message.generation,
        attempt=message.attempt,
    )


def _sentence(message: WorkMessage, mishap: Mishap | None, *, back: bool) -> str:
    tried = (
        f"Work on registry {message.registry.name} failed five times in a row (generation {message.generation}, pass "
        f"{message.attempt})."
    )
    why = f" Last error: {mishap.name}: {mishap.sentence.rstrip('.')}." if mishap else ""
    if back:
        return f"{tried}{why} It is tried again in {RETURN_DELAY.seconds // 60} minutes."
    return f"{tried}{why} Look for this registry in the app's log, then ask for it again."


def _entry(message: WorkMessage, sentence: str, mishap: Mishap | None, now: datetime, *, back: bool) -> HistoryEntry:
    return HistoryEntry(
        at=now,
        registry=message.registry,
        kind="poison",
        subject=f"generation {message.generation}",
        sentence=sentence,
        result="retried" if back else "failed",
        before={"message": message.encode()},
        after={"error": mishap.name, "fate": mishap.fate.value} if mishap else None,
        attempts=mishap.deliveries if mishap else 1,
        generation=message.generation,
        correlation=correlation_of(message.trace),
    )
