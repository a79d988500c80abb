"""
Events about outcomes: written into the ledger row in the very write that makes them true, delivered by somebody else.

The row's `told` says what was told last and its `outbox` what no topic has taken yet; both change only together with the
outcome, so that neither can be there without the other. Passes call `announce`; after the row is written, one queue
message wakes the delivery (`engine.outcome_delivery`). If that message cannot be sent the pass succeeds all the same, and
the next sweep finds the row by its column `outbox`.
"""

import logging
from dataclasses import replace
from datetime import datetime

from shared.core.arm import ResourceId
from shared.core.errors import RegistryIsolationError
from shared.core.outcome_messages import OutcomeMessage
from shared.core.outcomes import MOST_KEPT, OutcomeKind, drifted, kept, make_event, remembered, told_by
from shared.core.plan import Plan
from shared.core.report import Outcome, Report
from shared.core.requests import WorkMessage
from shared.engine.logs import tell
from shared.engine.outcome_ports import OutcomeQueue
from shared.engine.records import HistoryEntry, LedgerRow


def announce(row: LedgerRow, outcome: Outcome, report: Report) -> LedgerRow:
    """*row*, which has just come to *outcome*, with the event about that if there is any. Doing it twice is doing it once."""
    telling = told_by(row.told, outcome)
    if telling is None:
        return row
    kind, reasons = telling
    event = make_event(
        row.told,
        kind,
        registry=row.registry,
        first_seen=row.first_seen,
        at=report.at,
        generation=row.generation,
        phase=outcome.kind,
        reasons=reasons,
        changes=report.changes if kind is OutcomeKind.DRIFTED else (),
        findings=len(report.findings),
        digest=report.digest,
    )
    return replace(row, outbox=(*row.outbox, event), told=remembered(event, reasons))


def announce_drift(row: LedgerRow, plan: Plan, at: datetime) -> LedgerRow:
    """*row* with the event that *plan* has something to do although nothing was left to do."""
    if not drifted(row.told):
        return row
    event = make_event(
        row.told,
        OutcomeKind.DRIFTED,
        registry=row.registry,
        first_seen=row.first_seen,
        at=at,
        generation=row.generation,
        phase="waiting",
        changes=tuple(change.sentence for change in plan.changes),
        findings=len(plan.findings),
        digest=plan.digest,
    )
    return replace(row, outbox=(*row.outbox, event), told=remembered(event, ()))


def told(row: LedgerRow, outcome: Outcome, report: Report, outbox: "Outbox | None") -> LedgerRow:
    """*row*, which somebody else than a pass has brought to *outcome*, ready to be written."""
    return overflow(announce(row, outcome, report))[0] if outbox is not None else silence(row)


def silence(row: LedgerRow) -> LedgerRow:
    """*row* of an app that tells nobody: should a topic be configured again, everything is told afresh."""
    return replace(row, told=None, outbox=())


def dropped(row: LedgerRow, events: int, at: datetime) -> HistoryEntry:
    """The history's line about events that nobody will ever get."""
    return HistoryEntry(
        at=at,
        registry=row.registry,
        kind="outcome",
        subject="outbox",
        sentence=(
            f"{events} outcome event{' was' if events == 1 else 's were'} dropped, because the topic has taken none for so "
            f"long that more than {MOST_KEPT} are waiting; the newest are kept."
        ),
        origin=row.origin,
        caller=row.caller,
        result="dropped",
        generation=row.generation,
    )


def overflow(row: LedgerRow) -> tuple[LedgerRow, int]:
    """*row* with as many events as may wait, and how many were dropped."""
    events, lost = kept(row.outbox)
    return (replace(row, outbox=events), lost) if lost else (row, 0)


class Outbox:
    """Asks for deliveries; one per process, None where no topic is configured."""

    def __init__(self, queue: OutcomeQueue) -> None:
        self._queue = queue

    async def wake(self, registry: ResourceId) -> None:
        """
        Ask for the delivery of what still waits for *registry*; for a sweep, which comes again.

        Raises:
            RegistryIsolationError: The queue failed.
        """
        await self._queue.send(OutcomeMessage(registry=registry, lasting=False))

    async def announced(self, registry: ResourceId, *, first: bool = True) -> None:
        """
        Ask for the delivery of what was just written; if that fails the work goes on, and a sweep asks again.

        Args:
            first: Nothing was waiting before, so no lasting message is under way; with one, a second would only pile up
                for as long as the topic is away.
        """
        try:
            await self._queue.send(OutcomeMessage(registry=registry, lasting=first))
        except RegistryIsolationError as error:
            tell(
                "outcome-wake",
                level=logging.WARNING,
                registry=registry.text,
                error=error.name,
                sentence=error.sentence,
            )


async def wake_again(outbox: Outbox | None, row: LedgerRow, message: WorkMessage) -> None:
    """
    Ask for the delivery that nobody asked for: *message* has come again, and its pass is over.

    A host that died between the writing of the row and the wake-up leaves just this. It may also be an ordinary repetition
    while a delivery is under way, so the message does not last; a sweep asks again if this one fails too.
    """
    if outbox is not None and row.outbox and (message.generation, message.attempt) == (row.generation, row.sequence):
        await outbox.announced(row.registry, first=False)
