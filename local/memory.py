"""
The app's state in memory: ledger, work queue and leases without Azure, for tests and simulations in virtual time.

They play the same ports as the ones on Azure Storage and keep the same promises (one contract test suite holds both):
a row is written against an ETag, a message comes at least once, a lease has one holder. `QueueTrigger` stands in for
the Functions host: it hands messages to a function, counts deliveries and moves what keeps failing to a poison queue.

Every call lets other tasks run first, so that races that Azure allows can happen here too.
"""

import asyncio
import itertools
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.cloud.ledger_entities import (
    Entity,
    from_history_entity,
    from_row_entity,
    from_summary_entity,
    history_partition,
    history_place,
    row_cursor,
    row_keys,
    row_place,
    to_history_entity,
    to_row_entity,
)
from shared.cloud.ledger_whole import to_known
from shared.core.arm import ResourceId
from shared.core.errors import Busy, ChangedUnderneath
from shared.core.requests import WorkMessage
from shared.engine.ports import Clock, HistoryPage, LedgerEntry, LedgerPage
from shared.engine.postures import KnownPage
from shared.engine.records import HistoryEntry, LedgerRow, LedgerSummary

LONGEST_DELAY = timedelta(days=7)
"""The longest a storage queue hides a message (documentation of Put Message)."""

LEASE_TRY_AGAIN = timedelta(seconds=2)

# The Functions host hides a message for ten minutes while it runs and renews that (WebJobs SDK, queue listener); after
# a crash of the host the message is back when the ten minutes are over.
RUNNING_VISIBILITY = timedelta(minutes=10)
MAX_DEQUEUE_COUNT = 5  # host.json's default
CONCURRENCY = 24  # batchSize 16 + newBatchThreshold 8, host.json's defaults

_log = logging.getLogger(__name__)


class MemoryLedger:
    """`engine.ports.Ledger` in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], tuple[Entity, str]] = {}
        self._history: dict[str, dict[str, Entity]] = {}
        self._etags = itertools.count(1)

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        await asyncio.sleep(0)
        kept = self._rows.get(row_keys(registry))
        return LedgerEntry(row=from_row_entity(kept[0], registry), etag=kept[1]) if kept else None

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        entity = to_row_entity(row)
        await asyncio.sleep(0)
        keys = row_keys(row.registry)
        _, current = self._rows.get(keys, (None, None))
        if current != etag:
            raise ChangedUnderneath(
                f"Another pass wrote the ledger row of registry {row.registry.name} in the meantime.",
                resource_id=row.registry.text,
                operation="write ledger row",
            )
        new_etag = f'W/"{next(self._etags)}"'
        self._rows[keys] = (entity, new_etag)
        return LedgerEntry(row=row, etag=new_etag)

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        entities = [to_history_entity(entry, position) for position, entry in enumerate(entries)]
        await asyncio.sleep(0)
        for entity in entities:
            self._history.setdefault(str(entity["PartitionKey"]), {})[str(entity["RowKey"])] = entity

    async def history(self, registry: ResourceId | None, limit: int = 100) -> tuple[HistoryEntry, ...]:
        return (await self.history_page(registry, limit)).entries

    async def history_page(self, registry: ResourceId | None, limit: int = 100, after: str = "") -> HistoryPage:
        place = history_place(after) if after else ""
        await asyncio.sleep(0)
        kept = self._history.get(history_partition(registry), {})
        keys = [key for key in sorted(kept) if key > place]
        shown = keys[: max(limit, 0)]
        entries = tuple(from_history_entity(kept[key], registry) for key in shown)
        return HistoryPage(entries=entries, after=shown[-1] if shown and len(keys) > len(shown) else "")

    async def list_rows(self, *, phase: str = "", limit: int = 100, after: str = "") -> LedgerPage:
        place = row_place(after) if after else ("", "")
        await asyncio.sleep(0)
        found = [self._rows[keys][0] for keys in sorted(self._rows) if keys > place]
        found = [entity for entity in found if phase in {"", entity["phase"]}]
        shown = found[: max(limit, 0)]
        more = bool(shown) and len(found) > len(shown)
        return LedgerPage(
            rows=tuple(from_summary_entity(entity) for entity in shown), after=row_cursor(shown[-1]) if more else ""
        )

    async def list_whole_rows(
        self, *, phase: str = "", subscription: str = "", limit: int = 100, after: str = ""
    ) -> KnownPage:
        place = row_place(after) if after else ("", "")
        await asyncio.sleep(0)
        found = [self._rows[keys][0] for keys in sorted(self._rows) if keys > place]
        found = [entity for entity in found if phase in {"", entity["phase"]}]
        found = [entity for entity in found if subscription.lower() in {"", entity["PartitionKey"]}]
        shown = found[: max(limit, 0)]
        more = bool(shown) and len(found) > len(shown)
        return KnownPage(known=tuple(map(to_known, shown)), after=row_cursor(shown[-1]) if more else "")

    async def summaries(self, registries: Sequence[ResourceId]) -> Mapping[ResourceId, LedgerSummary]:
        await asyncio.sleep(0)
        kept = {registry: self._rows.get(row_keys(registry)) for registry in registries}
        return {registry: from_summary_entity(one[0]) for registry, one in kept.items() if one}


@dataclass(slots=True, kw_only=True)
class _Message:
    text: str
    visible: datetime
    order: int
    dequeue_count: int = 0
    receipt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """
    A message as one receiver got it.

    Attributes:
        dequeue_count: How often it was received, this time included.
        receipt: Proof of being the latest receiver; only that one may delete or release it.
    """

    text: str
    dequeue_count: int
    order: int
    receipt: int


class MemoryWorkQueue:
    """`engine.ports.WorkQueue`, and the receiving half of a storage queue."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._messages: dict[int, _Message] = {}
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Messages in the queue, those that are hidden or being worked on included."""
        return len(self._messages)

    @property
    def next_visible(self) -> datetime | None:
        """When the earliest message is, or was, to be had."""
        return min((message.visible for message in self._messages.values()), default=None)

    async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
        await asyncio.sleep(0)
        self.put(message.encode(), delay)

    def put(self, text: str, delay: timedelta = timedelta()) -> None:
        """Enqueue any text, as everybody can who may write to the queue."""
        number = next(self._numbers)
        self._messages[number] = _Message(text=text, visible=self._clock.now() + _whole_seconds(delay), order=number)
        self._changed.set()

    def take_over(self, other: "MemoryWorkQueue") -> None:
        """Be the queue that *other* was, as another process sees it."""
        self._messages, self._numbers = other._messages, other._numbers  # noqa: SLF001 -- of its own class

    async def receive(self, *, most: int = 32, hide_for: timedelta = RUNNING_VISIBILITY) -> tuple[Delivery, ...]:
        """Take the visible messages, oldest first, and hide them from others for *hide_for*."""
        await asyncio.sleep(0)
        now = self._clock.now()
        visible = [message for message in self._messages.values() if message.visible <= now]
        visible.sort(key=lambda message: (message.visible, message.order))
        taken = visible[:most]
        for message in taken:
            message.dequeue_count += 1
            message.receipt = next(self._numbers)
            message.visible = now + _whole_seconds(hide_for)
        return tuple(
            Delivery(text=each.text, dequeue_count=each.dequeue_count, order=each.order, receipt=each.receipt)
            for each in taken
        )

    async def delete(self, delivery: Delivery) -> bool:
        """Remove a message that is done; False if somebody else received it meanwhile."""
        await asyncio.sleep(0)
        if not self._latest(delivery):
            return False
        del self._messages[delivery.order]
        self._changed.set()
        return True

    async def release(self, delivery: Delivery, delay: timedelta = timedelta()) -> bool:
        """Let a message be seen again after *delay*; False if somebody else received it meanwhile."""
        await asyncio.sleep(0)
        if not self._latest(delivery):
            return False
        self._messages[delivery.order].visible = self._clock.now() + _whole_seconds(delay)
        self._changed.set()
        return True

    async def wait(self) -> None:
        """Return when something changes, or the next hidden message becomes visible."""
        self._changed.clear()
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._changed.wait())]
        due = self.next_visible
        if due is not None:
            waits.append(asyncio.create_task(self._clock.sleep(due - self._clock.now())))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in waits:
                waiting.cancel()
            await asyncio.wait(waits)

    def _latest(self, delivery: Delivery) -> bool:
        message = self._messages.get(delivery.order)
        return message is not None and message.receipt == delivery.receipt


type QueueFunction = Callable[[str], Awaitable[None]]
"""What a queue-triggered function is to the host: it gets the text and returns, or raises."""


class QueueTrigger:
    """The Functions host's part: runs a function for every message of a queue."""

    def __init__(
        self,
        queue: MemoryWorkQueue,
        function: QueueFunction,
        *,
        poison: MemoryWorkQueue,
        max_dequeue_count: int = MAX_DEQUEUE_COUNT,
        retry_after: timedelta = timedelta(),
        concurrency: int = CONCURRENCY,
    ) -> None:
        """
        Connect *function* to *queue*.

        Args:
            queue: Where messages come from.
            function: Called for each; a message whose call raises comes again.
            poison: Where a message goes when its *max_dequeue_count*-th delivery failed.
            max_dequeue_count: `maxDequeueCount` of host.json.
            retry_after: `visibilityTimeout` of host.json: how long a message hides after a failure.
            concurrency: How many calls run at once.
        """
        self._queue = queue
        self._function = function
        self._poison = poison
        self._max_dequeue_count = max_dequeue_count
        self._retry_after = retry_after
        self._concurrency = concurrency
        self.failures: list[Exception] = []
        """Everything that calls raised, in order."""

    async def serve(self) -> None:
        """Run until cancelled; messages whose calls are cut off come again when their ten minutes are over."""
        await self._run(drain=False)

    async def drain(self) -> None:
        """Run until the queue holds nothing any more, delayed messages included."""
        await self._run(drain=True)

    async def _run(self, *, drain: bool) -> None:
        calls: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                free = self._concurrency - len(calls)
                for delivery in await self._queue.receive(most=free) if free else ():
                    call = group.create_task(self._deliver(delivery))
                    calls.add(call)
                    call.add_done_callback(calls.discard)
                if drain and not self._queue:
                    return
                if free:
                    await self._queue.wait()
                else:
                    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)

    async def _deliver(self, delivery: Delivery) -> None:
        if delivery.dequeue_count > self._max_dequeue_count:  # earlier deliveries ended with their host
            await self._give_up(delivery)
            return
        try:
            await self._function(delivery.text)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the host lives on and the message comes again
            _log.exception("function failed", extra={"dequeue_count": delivery.dequeue_count})
            self.failures.append(error)
            if delivery.dequeue_count >= self._max_dequeue_count:
                await self._give_up(delivery)
            else:
                await self._queue.release(delivery, self._retry_after)
        else:
            await self._queue.delete(delivery)

    async def _give_up(self, delivery: Delivery) -> None:
        self._poison.put(delivery.text)
        await self._queue.delete(delivery)


class MemoryLeases:
    """`engine.ports.Leases` in a set."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._hold(name)

    @asynccontextmanager
    async def _hold(self, name: str) -> AsyncIterator[None]:
        await asyncio.sleep(0)
        if name in self._held:
            raise Busy(f"Another pass holds the lease {name}.", operation="take lease", retry_after=LEASE_TRY_AGAIN)
        self._held.add(name)
        try:
            yield
        finally:
            self._held.remove(name)


def _whole_seconds(delay: timedelta) -> timedelta:
    """*delay* as a storage queue takes it: whole seconds, never early, at most its limit."""
    return timedelta(seconds=math.ceil(min(max(delay, timedelta()), LONGEST_DELAY).total_seconds()))
