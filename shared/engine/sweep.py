"""
The timer's door: look at every registry at little cost, page by page, and have a pass look at those that need one.

A sweep decides nothing about a registry but that somebody should look at it: everything it enqueues goes through the
intake that events and people use. It runs as a chain of messages, one page each. A step writes the record, then sends the
next message; a message that bears another step's number than the record's is a repetition. If the record was written and
its message never sent, the repetition of the step before sends it; if a message is lost altogether, whoever begins the
next sweep finds the silent one and takes it up at its last page. A step that met an error which passes by itself is put
off, so that no outage uses up the deliveries of its message.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from shared.core.errors import (
    AccessDenied,
    ChangedUnderneath,
    MalformedCursor,
    MalformedMessage,
    RegistryIsolationError,
    Temporary,
    Throttled,
)
from shared.core.mishaps import describe
from shared.core.sweeps import BEGINNING, SweepMessage, SweepPhase, SweepRecord, SweepState, Walk
from shared.engine.chain import within
from shared.engine.logs import tell
from shared.engine.ports import Clock, Ledger, LedgerPage
from shared.engine.reception import Reception
from shared.engine.retrying import Retrier
from shared.engine.sweep_pages import Pages
from shared.engine.sweep_ports import Inventory, Known, SweepEntry, SweepPage, SweepQueue, Sweeps
from shared.engine.telemetry import host_trace, telemetry

ROWS = 1000
"""Ledger rows in one step; a table query gives no more at once (documentation, query timeout and pagination)."""
STEP = timedelta(seconds=60)
"""After so long a step hands no more over; far below every hosting plan's limit."""
SILENT = timedelta(minutes=15)
"""A sweep of which nothing was heard for so long has lost its message: a crashed host's comes again after ten minutes."""
UNHEARD = timedelta(seconds=5)
"""Less than the shortest wait between two tries of the timer. A sweep at its beginning that was not heard of for so long
may be one whose first message was never sent, because its beginner lost the answer that it was recorded."""
PUT_OFF = timedelta(seconds=30)
"""As the host hides a message whose function failed (`visibilityTimeout`)."""
LONGEST = timedelta(days=1)
MOST_REVIVALS = 3
MOST_STEPS = 20_000
MOST_FAILURES = 8
"""Consecutive temporary errors of the inventory; half an hour with the waits between them."""
MOST_RESTARTS = 2
_THROTTLED = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=10)
_TRIES = 8
_PAGE_LOST = "The sweep was lost at one page of the inventory again and again, and went on with the ledger alone."


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepServices:
    """
    What a sweeper works with; made once per process by the composition root.

    Attributes:
        make_inventory: Called at the first page: a process that only begins sweeps or tells of them never needs one.
        step: After so long a step hands no more over.
    """

    make_inventory: Callable[[], Inventory]
    ledger: Ledger
    sweeps: Sweeps
    queue: SweepQueue
    pages: Pages
    reception: Reception
    clock: Clock
    step: timedelta = STEP


class Sweeper:
    """Begins sweeps, does their steps and tells of them; holds no state of its own."""

    def __init__(self, services: SweepServices, new_id: Callable[[datetime], str] | None = None) -> None:
        self._services = services
        self._clock = services.clock
        self._sweeps = services.sweeps
        self._new_id = new_id or sweep_id

    @cached_property
    def _inventory(self) -> Inventory:
        return self._services.make_inventory()

    # --- beginning, and looking ---------------------------------------------------------------------------------------

    async def begin(self, reason: str, origin: str, caller: str = "") -> SweepRecord:
        """
        Begin a sweep, or give the one that is running.

        A running one that fell silent is taken up where it was, the third time without the inventory, as its page may be
        what kills it; after that it is recorded as failed. To begin again after an error is harmless: it stays one sweep.

        Args:
            reason: Which door: "timer" or "http".
            origin: What exactly started it, for the record.
            caller: Who asked, "" for nobody.

        Raises:
            RegistryIsolationError: The state account failed; begin again.
        """
        for _ in range(_TRIES):
            last = await self._sweeps.current()
            try:
                if last is not None and last.record.state is SweepState.RUNNING:
                    going = await self._going(last)
                    if going is not None:
                        return going
                    last = await self._sweeps.current()
                return await self._new(last, reason, origin, caller)
            except ChangedUnderneath:
                continue
        raise ChangedUnderneath(
            "Others begin sweeps at the same moment; ask which one is running.", operation="begin sweep"
        )

    async def read(self, sweep: str) -> SweepRecord | None:
        """Read a sweep's record by its id; None if there is none."""
        entry = await self._sweeps.read(sweep)
        return entry.record if entry else None

    async def list(self, limit: int = 100, after: str = "") -> SweepPage:
        """List sweeps, newest first; raises MalformedCursor."""
        return await self._sweeps.list(limit, after)

    async def _new(self, last: SweepEntry | None, reason: str, origin: str, caller: str) -> SweepRecord:
        now = self._clock.now()
        start = (last.record.inventory_next if last else None) or BEGINNING
        record = SweepRecord(
            id=self._new_id(now),
            reason=reason,
            origin=origin,
            caller=caller,
            begun=now,
            touched=now,
            due=now,
            walk=Walk.from_place(start),
            ledger_start=(last.record.ledger_next if last else None) or BEGINNING,
        )
        entry = await self._sweeps.begin(record, last.record.id if last else "")
        with within(correlation=record.id):
            tell("sweep-begin", sweep=record.id, reason=reason, origin=origin, caller=caller)
            try:
                await self._services.queue.send(SweepMessage(sweep=record.id, step=record.step))
            except RegistryIsolationError as error:
                sentence = f"Its first step could not be asked for: {error.sentence}"
                tell("sweep-failed", level=logging.ERROR, sweep=record.id, sentence=sentence)
                await self._sweeps.write(_failed(record, now, sentence), entry.etag)
                raise
        return record

    async def _going(self, entry: SweepEntry) -> SweepRecord | None:
        """The running sweep, taken up again if it fell silent; None if it is given up by this."""
        with within(correlation=entry.record.id):
            return await self._kept_going(entry)

    async def _kept_going(self, entry: SweepEntry) -> SweepRecord | None:
        record, now = entry.record, self._clock.now()
        old = now - record.begun > LONGEST
        silence = now - max(record.touched, record.due)
        if not old and silence <= SILENT:
            if silence >= UNHEARD and (record.step == 1 or record.revived):
                tell("sweep-asked-again", sweep=record.id, step=record.step)
                await self._services.queue.send(SweepMessage(sweep=record.id, step=record.step))
            return record
        if old or record.revived >= MOST_REVIVALS:
            sentence = (
                f"It did not finish within a day of its beginning, in step {record.step}."
                if old
                else f"Step {record.step} was lost {record.revived + 1} times. Look for sweep {record.id} in the app's log."
            )
            tell("sweep-failed", level=logging.ERROR, sweep=record.id, sentence=sentence)
            await self._sweeps.write(_failed(record, now, sentence), entry.etag)
            return None
        revived = replace(record, revived=record.revived + 1, touched=now, due=now)
        if revived.revived == MOST_REVIVALS and revived.phase is SweepPhase.INVENTORY:
            revived = _to_ledger(replace(revived, blind=True).noted(_PAGE_LOST))
        tell("sweep-revived", level=logging.WARNING, sweep=record.id, step=record.step, revived=revived.revived)
        await self._sweeps.write(revived, entry.etag)
        await self._services.queue.send(SweepMessage(sweep=record.id, step=record.step))
        return revived

    # --- one step -----------------------------------------------------------------------------------------------------

    async def work(self, body: bytes) -> None:
        """
        Do the step that a queue message asks for; one that cannot be read is recorded and done with.

        Raises:
            RegistryIsolationError: It could not be put off, or trying again would not help; the host delivers it again.
        """
        with within(door="sweep"):
            try:
                message = SweepMessage.decode(body)
            except MalformedMessage as error:
                await self._services.reception.reject(error, body, "rejected")
                return
            with within(correlation=message.sweep):
                await self._work(message)

    async def _work(self, message: SweepMessage) -> None:
        try:
            await self.step(message)
        except RegistryIsolationError as error:
            if not describe(error)[2].passes:
                raise
            await self._put_off(message, error)

    async def _put_off(self, message: SweepMessage, error: RegistryIsolationError) -> None:
        """Send *message* anew, so that this delivery can end well; its number makes a repetition harmless."""
        asked = error.retry_after if isinstance(error, Temporary) else None
        try:
            await self._services.queue.send(message, min(max(asked or PUT_OFF, PUT_OFF), _LONGEST_WAIT))
        except RegistryIsolationError as unsent:
            raise unsent from error
        tell(
            "sweep-put-off",
            level=logging.WARNING,
            sweep=message.sweep,
            step=message.step,
            error=error.name,
            sentence=error.sentence,
        )

    async def step(self, message: SweepMessage) -> None:
        """Do one step of a sweep and ask for the next one; a repeated message does nothing that matters."""
        with within(door="sweep", correlation=message.sweep), telemetry().span("sweep step", trace=host_trace()):
            await self._step(message)

    async def _step(self, message: SweepMessage) -> None:
        entry = await self._sweeps.read(message.sweep)
        if entry is None or entry.record.state is not SweepState.RUNNING:
            tell("sweep-stale", sweep=message.sweep, step=message.step)
            return
        record = entry.record
        if message.step == record.step - 1:  # perhaps its process ended between writing the record and sending
            await self._send(record)
        if message.step != record.step:
            return
        moved = await self._moved(record)
        now = self._clock.now()
        wait = max(moved.due - now, timedelta())
        moved = replace(moved, step=record.step + 1, touched=now, due=now + wait)
        try:
            await self._sweeps.write(moved, entry.etag)
        except ChangedUnderneath:
            return  # another delivery of the same message was faster, or the sweep was given up meanwhile
        tell(
            "sweep-step",
            sweep=record.id,
            step=record.step,
            phase=record.phase.value,
            state=moved.state.value,
            enqueued=moved.enqueued,
            wait_seconds=wait.total_seconds(),
        )
        if moved.state is SweepState.FAILED:
            tell("sweep-failed", level=logging.ERROR, sweep=record.id, sentence=moved.sentence)
        if moved.state is SweepState.RUNNING:
            await self._send(moved)

    async def _send(self, record: SweepRecord) -> None:
        delay = max(record.due - self._clock.now(), timedelta())
        await self._services.queue.send(SweepMessage(sweep=record.id, step=record.step), delay)

    async def _moved(self, record: SweepRecord) -> SweepRecord:
        """The record after one page."""
        now = self._clock.now()
        if record.step > MOST_STEPS:
            return _failed(record, now, f"It came to no end within {MOST_STEPS} steps.")
        retrier = Retrier(self._clock, now + self._services.step)
        record = replace(record, due=now)
        if record.phase is SweepPhase.INVENTORY:
            return await self._inspect(record, retrier)
        return await self._review(record, retrier)

    async def _inspect(self, record: SweepRecord, retrier: Retrier) -> SweepRecord:
        inventory, cursor = self._inventory, record.walk.cursor
        try:
            page = await retrier.call(lambda: inventory.page(cursor))
        except RegistryIsolationError as error:
            return self._unanswered(record, error)
        record = await self._services.pages.inspect(replace(record, failures=0), page, retrier)
        if record.walk.again:
            return record
        walk = record.walk.after(page.cursor, [one.id for one in page.registries])
        return replace(record, walk=walk) if walk else _to_ledger(record)

    async def _review(self, record: SweepRecord, retrier: Retrier) -> SweepRecord:
        ledger, cursor = self._services.ledger, record.walk.cursor
        try:
            page = await retrier.call(lambda: ledger.list_rows(limit=ROWS, after=cursor))
        except MalformedCursor:  # written by another version of the app
            return replace(record, walk=Walk())
        doubted = self._services.pages.doubted(page, record)
        known: Known | None = None
        if doubted and not record.blind:
            try:
                known = await retrier.call(lambda: self._inventory.known(doubted))
            except RegistryIsolationError as error:
                return self._unanswered(record, error)
        record = await self._services.pages.review(replace(record, failures=0), page, doubted, known, retrier)
        return record if record.walk.again else self._after_rows(record, page)

    def _after_rows(self, record: SweepRecord, page: LedgerPage) -> SweepRecord:
        walk = record.walk.after(page.after, [row.registry for row in page.rows])
        if walk is not None:
            return replace(record, walk=walk)
        now = self._clock.now()
        tell(
            "sweep-done",
            sweep=record.id,
            seen=record.seen,
            rows=record.rows,
            enqueued=record.enqueued,
            phases=dict(record.phases),
            seconds=(now - record.begun).total_seconds(),
        )
        return replace(record, state=SweepState.DONE, finished=now)

    # --- an inventory that does not answer ----------------------------------------------------------------------------

    def _unanswered(self, record: SweepRecord, error: RegistryIsolationError) -> SweepRecord:
        """Wait as long as Azure asks; go on without the inventory if it cannot be had."""
        moved = self._after_silence(record, error)
        tell(
            "sweep-unanswered",
            level=logging.WARNING,
            sweep=record.id,
            error=error.name,
            sentence=error.sentence,
            blind=moved.blind,
        )
        return moved

    def _after_silence(self, record: SweepRecord, error: RegistryIsolationError) -> SweepRecord:
        now, noted = self._clock.now(), record.noted(error.sentence)
        if isinstance(error, Throttled):
            wait = min(max(error.retry_after or _THROTTLED, timedelta(seconds=1)), _LONGEST_WAIT)
            return replace(noted, due=now + wait)
        if isinstance(error, ChangedUnderneath) and record.restarts < MOST_RESTARTS:
            return replace(noted, walk=Walk(), restarts=record.restarts + 1, seen=0, verdicts={})
        if isinstance(error, Temporary) and not isinstance(error, AccessDenied) and record.failures < MOST_FAILURES:
            wait = min(_THROTTLED * 2**record.failures, _LONGEST_WAIT / 2)
            return replace(noted, due=now + max(wait, error.retry_after or wait), failures=record.failures + 1)
        blind = replace(noted, blind=True, failures=0)
        return _to_ledger(blind) if record.phase is SweepPhase.INVENTORY else blind


def sweep_id(now: datetime) -> str:
    """A new sweep's id: when, and eight random digits."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def _to_ledger(record: SweepRecord) -> SweepRecord:
    return replace(record, phase=SweepPhase.LEDGER, walk=Walk.from_place(record.ledger_start))


def _failed(record: SweepRecord, now: datetime, sentence: str) -> SweepRecord:
    return replace(record, state=SweepState.FAILED, finished=now, touched=now, sentence=sentence)
