"""
One pass's working copy of a ledger row, and the saving of it.

Requests may raise the generation while a pass runs; saving then keeps the newer request and this pass's results. Another
pass's claim, on the other hand, means that this one was presumed dead, and a finished pass that comes after this one in
line means that this one's view is stale: either way it stops writing.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from shared.core.arm import ResourceId
from shared.core.drifts import Drift
from shared.core.errors import ChangedUnderneath, RegistryIsolationError
from shared.core.plan import Plan
from shared.core.report import Converged, Outcome, Reason, Report, Waiting
from shared.core.requests import WorkMessage
from shared.core.traces import correlation_of
from shared.engine.outcomes import announce, announce_drift, dropped, overflow, silence
from shared.engine.ports import Ledger, LedgerEntry
from shared.engine.records import Claim, HistoryEntry, LedgerRow
from shared.engine.retrying import Retrier
from shared.engine.telemetry import staged

CLAIM = timedelta(seconds=20)
"""
How long a pass may write before another one may take over; an overlap is harmless, only wasteful.

The same where a simulated Azure runs faster than the real one: it covers what the pass itself takes, its computing and its
requests, and that does not shrink. A message that comes again after a crash is not held up by its own claim.
"""
_TRIES = 8


class TakenOver(Exception):
    """
    Another pass works on the registry, or has done this one's work; this one must not save anything.

    Attributes:
        by_earlier: The other one works for an earlier message, so it will not ask for what comes after this one.
    """

    def __init__(self, *, by_earlier: bool = False) -> None:
        super().__init__("another pass is at work")
        self.by_earlier = by_earlier


class Work:
    """
    The state of one pass.

    Attributes:
        row: What is known so far; changed through `update`.
        plan: The last plan made in this pass.
        entries: History to be appended with the next save.
        announced: The row holds outcome events that it did not hold when the pass began.
        announced_first: When the first of them was added, none was waiting: nobody is about to deliver them.
        begun: When the pass began.
        due: When it should have begun.
        before: The outcome that the row held then.

    Args:
        tells: There is somebody to tell outcomes to; otherwise the row keeps no events.
    """

    def __init__(
        self,
        ledger: Ledger,
        entry: LedgerEntry | None,
        message: WorkMessage,
        retrier: Retrier,
        now: datetime,
        *,
        tells: bool = False,
    ) -> None:
        self.message = message
        self.retrier = retrier
        self.row = _certain(entry.row) if entry else _lost(message, now)
        self.begun = now
        self.due = _due(self.row)
        self.before = self.row.outcome
        self.plan: Plan | None = None
        self.entries: list[HistoryEntry] = []
        self.announced = False
        self.announced_first = False
        self._tells = tells
        self._announcements: list[Callable[[LedgerRow], LedgerRow]] = []
        self._ledger = ledger
        self._etag = entry.etag if entry else None
        self._earlier = self.row.claim
        self._seen = self.row.report
        self._holder = f"{message.generation}.{message.attempt}@{uuid4().hex}"

    @property
    def registry(self) -> ResourceId:
        """The registry that the pass is about."""
        return self.row.registry

    def update(self, **members: Any) -> None:
        """Replace members of the row."""
        self.row = replace(self.row, **members)

    def claimed_until(self, now: datetime) -> datetime | None:
        """
        Until when another pass is at work; None if none is.

        A claim by an earlier delivery of this very message, or by the pass that sent it, holds nobody up: either they are
        over or they failed, and waiting with a new message would reset the count that leads to the poison queue.
        """
        claim = self.row.claim
        if claim is None or claim.until <= now or _comes_before(claim, self.message):
            return None
        return claim.until

    async def claim(self, now: datetime) -> None:
        """Tell other passes to stay away while this one writes to Azure or asks for the next pass."""
        self.update(claim=Claim(holder=self._holder, until=now + CLAIM))
        await self.save()

    def drift(self, plan: Plan, now: datetime) -> None:
        """*plan* is about to be carried out: if nothing was left to do, that is told with the next save, before any write."""
        if self.row.outcome is not None and self.row.outcome.kind == "converged":
            self.update(drift=Drift.again(self.row.drift, now, tuple(change.sentence for change in plan.changes)))
        self._announce(lambda row: announce_drift(row, plan, now))

    async def finish(self, outcome: Outcome, report: Report) -> None:
        """Save the pass's end and let go of the claim."""
        if isinstance(self.before, Converged) and not isinstance(outcome, Converged):
            self._rest_has_ended()
        self.update(claim=None, outcome=outcome, report=report, last_error=None)
        if not (self.row.operations or self.row.pending):
            self.update(effects={})
        if self.row.drift is not None and outcome.kind == "converged":
            self.update(drift=self.row.drift.put_right(report.at))
        self._announce(lambda row: announce(row, outcome, report))
        self.row, lost = overflow(self.row)
        if lost:
            self.entries.append(dropped(self.row, lost, report.at))
        if self.current:
            self.update(sequence=self.message.attempt)
        await self.save()

    def _rest_has_ended(self) -> None:
        """A later look of the same request found something to wait for: what was waited for before it rested is over."""
        last = self.row.report
        if last is not None and (self.row.waiting_since or self.row.requested) <= last.at:
            self.update(waiting_since=self.begun)

    def _announce(self, announcement: Callable[[LedgerRow], LedgerRow]) -> None:
        """Kept, to be made again on whatever row another writer leaves."""
        if not self._tells:
            self.row = silence(self.row)
            return
        self._announcements.append(announcement)
        self._apply((announcement,))

    def _apply(self, announcements: Iterable[Callable[[LedgerRow], LedgerRow]]) -> None:
        before = len(self.row.outbox)
        for announcement in announcements:
            self.row = announcement(self.row)
        if len(self.row.outbox) > before:
            self.announced = True
            self.announced_first = self.announced_first or before == 0

    @property
    def current(self) -> bool:
        """No newer request has been seen since the pass began."""
        return self.row.generation == self.message.generation

    @staged("record")
    async def save(self) -> None:
        """
        Append the collected history, then write the row.

        Raises:
            TakenOver: Another pass has claimed the registry meanwhile.
        """
        if self.entries:
            correlation = correlation_of(self.row.trace)
            entries = tuple(replace(entry, correlation=correlation) for entry in self.entries)
            await self.retrier.call(lambda: self._ledger.append(entries))
            self.entries.clear()
        for _ in range(_TRIES):
            try:
                saved = await self.retrier.call(lambda: self._ledger.write(self.row, self._etag))
            except ChangedUnderneath:
                if await self._merge():
                    return
            else:
                self.row, self._etag = saved.row, saved.etag
                return
        raise ChangedUnderneath(
            f"The ledger row of {self.registry.name} changes faster than it can be written.",
            resource_id=self.registry.text,
            operation="write ledger",
        )

    async def _merge(self) -> bool:
        """Take over what others wrote meanwhile; True if it was this pass's own write, whose answer was lost."""
        entry = await self.retrier.call(lambda: self._ledger.read(self.registry))
        if entry is None:
            self._etag = None
            return False
        theirs = entry.row
        if theirs == self.row:
            self._etag = entry.etag
            return True
        if self._is_stale(theirs):
            raise TakenOver
        if self._is_foreign(theirs.claim):
            raise TakenOver(by_earlier=_is_earlier(theirs.claim, self.message))
        if self._is_outdated(theirs):
            raise TakenOver(by_earlier=True)
        self._etag = entry.etag
        self.update(told=theirs.told, outbox=theirs.outbox)  # a delivery may have taken events out
        self._apply(self._announcements)
        self.update(nudged=theirs.nudged, planned=theirs.planned, renamed=theirs.renamed)
        if theirs.generation != self.row.generation:
            self.update(
                generation=theirs.generation,
                sequence=theirs.sequence,
                requested=theirs.requested,
                waiting_since=theirs.waiting_since,
                reason=theirs.reason,
                origin=theirs.origin,
                caller=theirs.caller,
                trace=theirs.trace,
                approved=theirs.approved,
                paused=theirs.paused,
                restoring=theirs.restoring,
                refused={},
                denied_since=self.row.still_denied,
                watch=None,
                waited=None,
                failures=0,
            )
        return False

    def _is_foreign(self, claim: Claim | None) -> bool:
        """Another pass claimed the registry after this one began; a claim from before was past or this message's own."""
        if claim is None or claim.holder == self._holder:
            return False
        return self._earlier is None or claim.holder != self._earlier.holder

    def _is_outdated(self, theirs: LedgerRow) -> bool:
        """
        A pass for an older request has come to its end since this one began: what it did is not in what this one has seen.

        Its claim is gone with its end, so only its report tells.
        """
        return theirs.report not in (self._seen, self.row.report)

    def _is_stale(self, theirs: LedgerRow) -> bool:
        """A pass that comes after this one, or another delivery of this one, has finished."""
        if theirs.generation == self.message.generation:
            return theirs.sequence >= self.message.attempt
        return theirs.generation > self.message.generation and theirs.sequence > 0


def reason_of(error: RegistryIsolationError) -> Reason:
    """An error as a reason in a report."""
    return Reason(name=error.name, sentence=error.sentence, resource=error.resource_id)


def _due(row: LedgerRow) -> datetime:
    """When the next pass over *row* was wanted."""
    if row.sequence > 0 and isinstance(row.outcome, Waiting):
        return row.outcome.until
    return row.planned or row.requested


def _is_earlier(claim: Claim | None, message: WorkMessage) -> bool:
    """The claim was made for a message of an older generation, or for one that *message* overtakes."""
    if claim is None:
        return False
    generation, _, attempt = claim.holder.partition("@")[0].partition(".")
    if not (generation.isdecimal() and attempt.isdecimal()):
        return False
    return (int(generation), int(attempt)) < (message.generation, message.attempt)


def _comes_before(claim: Claim, message: WorkMessage) -> bool:
    """The claim was made for *message* itself or for the one that led to it."""
    generation, _, attempt = claim.holder.partition("@")[0].partition(".")
    led_to_it = {str(message.attempt - 1), str(message.attempt)}
    return generation == str(message.generation) and attempt in led_to_it


def _certain(row: LedgerRow) -> LedgerRow:
    """
    The row without what may already have been started: what waits is carried on without looking, so it must be certain.

    A claim that is still there was left by a pass that came to no end, in the middle of starting what waited.
    """
    return row if row.claim is None else replace(row, pending=())


def _lost(message: WorkMessage, now: datetime) -> LedgerRow:
    """The row of a message whose row is gone: begin again rather than lose the registry."""
    return LedgerRow(registry=message.registry, generation=message.generation, first_seen=now, requested=now)
