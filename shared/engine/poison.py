"""
What becomes of a message that failed five times: it is recorded, its registry shows Failed, and nothing loops.

A poisoned message is a bug or a broken dependency, not a refusal by Azure (those end as Blocked). The registry's row keeps
its operations, so the next request for it goes on where the last good pass ended.
"""

import logging
from dataclasses import replace

from shared.core.errors import ChangedUnderneath
from shared.core.report import Failed, Reason, Report
from shared.core.requests import WorkMessage
from shared.engine.logs import tell
from shared.engine.outcomes import Outbox, told
from shared.engine.ports import Clock, Ledger
from shared.engine.records import HistoryEntry

_TRIES = 8


class PoisonCabinet:
    """Books poisoned messages."""

    def __init__(self, ledger: Ledger, clock: Clock, outbox: Outbox | None = None) -> None:
        self._ledger = ledger
        self._clock = clock
        self._outbox = outbox

    async def keep(self, message: WorkMessage) -> None:
        """
        Record *message* and mark its registry Failed unless a newer request or a later pass is under way.

        Raises:
            RegistryIsolationError: The ledger failed; the poison message must be delivered again.
        """
        sentence = (
            f"Work on registry {message.registry.name} failed five times in a row (generation {message.generation}, pass "
            f"{message.attempt}). Look for this registry in the app's log, then ask for it again."
        )
        tell("poison", level=logging.ERROR, registry=message.registry.text, generation=message.generation)
        now = self._clock.now()
        await self._ledger.append(
            [
                HistoryEntry(
                    at=now,
                    registry=message.registry,
                    kind="poison",
                    subject=f"generation {message.generation}",
                    sentence=sentence,
                    result="failed",
                    before={"message": message.encode()},
                )
            ]
        )
        reason = Reason(name="Poisoned", sentence=sentence, resource=message.registry.text)
        await self._mark(message, reason)

    async def _mark(self, message: WorkMessage, reason: Reason) -> None:
        for _ in range(_TRIES):
            entry = await self._ledger.read(message.registry)
            if entry is None or entry.row.generation != message.generation or entry.row.sequence >= message.attempt:
                return  # another message speaks for the registry; a pass may fail after it sent its successor
            row = entry.row
            report = row.report or Report(registry=row.registry, at=self._clock.now(), phase="failed")
            report = replace(report, at=self._clock.now(), phase="failed", reasons=(reason,))
            outcome = Failed(reason=reason)
            failed = replace(row, claim=None, outcome=outcome, report=report)
            try:
                written = await self._ledger.write(told(failed, outcome, report, self._outbox), entry.etag)
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
