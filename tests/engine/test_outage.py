"""
An outage of the app's own storage loses and poisons nothing, however long it lasts and whatever part of it fails.

The host is the one of `local.memory`: it counts deliveries, moves what failed five times to the poison queue, and leaves a
message of the poison queue hidden for ten minutes when its function raises, as the real one does.
"""

import asyncio
import logging
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import pytest

from local.memory import MemoryLedger, MemoryWorkQueue, QueueTrigger
from shared.core.arm import ResourceId
from shared.core.errors import RegistryIsolationError, Unavailable
from shared.core.report import Converged, Failed
from shared.core.requests import WorkMessage
from shared.engine.mishaps import Mishaps
from shared.engine.poison import RETURN_DELAY, PoisonCabinet
from shared.engine.ports import LedgerEntry
from shared.engine.reception import Reception
from shared.engine.records import HistoryEntry, LedgerRow
from shared.engine.worker import Worker
from tests.core.worlds import a_policy, a_registry
from tests.engine.desk import ALPHA, MINUTE, SECOND, Desk
from tests.engine.plane import ObedientPlane
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time
POLICY = a_policy(lockdown={"propagation_minutes": 1})


class Outage:
    """From when to when which calls fail."""

    def __init__(self, parts: Iterable[str], begin: timedelta, length: timedelta) -> None:
        self.parts = frozenset(parts)
        self.begin, self.end = EPOCH + begin, EPOCH + begin + length

    def strike(self, part: str, now: datetime) -> None:
        if part in self.parts and self.begin <= now < self.end:
            raise Unavailable(f"The {part} does not answer.")


class TornLedger(MemoryLedger):
    def __init__(self, outage: Outage) -> None:
        super().__init__()
        self._outage = outage

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        self._outage.strike("table", LoopClock().now())
        return await super().read(registry)

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        self._outage.strike("table", LoopClock().now())
        return await super().write(row, etag)

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        self._outage.strike("table", LoopClock().now())
        await super().append(entries)


class TornQueue(MemoryWorkQueue):
    def __init__(self, outage: Outage) -> None:
        super().__init__(LoopClock())
        self._outage = outage

    async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
        self._outage.strike("queue", LoopClock().now())
        await super().send(message, delay)


class Site(Desk):
    """Worker, host and poison queue around an Azure that obeys."""

    def __init__(self, outage: Outage) -> None:
        plane = ObedientPlane(a_registry(POLICY), POLICY, LoopClock())
        super().__init__(policy=POLICY, plane=plane, ledger=TornLedger(outage), queue=TornQueue(outage))
        reception = Reception(
            intake=self.intake, ledger=self.ledger, clock=self.clock, own_principal=None, subscriptions=()
        )
        self.worker = Worker(
            make_reconciler=lambda: self.reconciler,
            reception=reception,
            poison=PoisonCabinet(self.ledger, self.clock, queue=self.queue),
            mishaps=Mishaps(self.ledger, self.queue, self.clock, random.Random(1)),
        )

    async def live(self, limit: timedelta) -> None:
        """Serve both queues until nothing is in them."""
        nowhere = MemoryWorkQueue(self.clock)
        end = self.clock.now() + limit
        work = QueueTrigger(self.queue, self._work, poison=self.poisoned, retry_after=30 * SECOND)
        poison = QueueTrigger(
            self.poisoned, self._keep, poison=nowhere, max_dequeue_count=10**6, retry_after=10 * MINUTE
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(trigger.serve()) for trigger in (work, poison)]
            while (len(self.queue) or len(self.poisoned)) and self.clock.now() < end:
                await self.clock.sleep(10 * SECOND)
            for task in tasks:
                task.cancel()
        assert len(nowhere) == 0

    async def _work(self, text: str) -> None:
        self.runs += 1
        await self.worker.work(text.encode())

    async def _keep(self, text: str) -> None:
        await self.worker.keep_poison(text.encode())

    async def knock(self) -> None:
        """Ask as Event Grid does: again until the door opens."""
        while True:
            try:
                await self.ask()
            except RegistryIsolationError:
                await self.clock.sleep(10 * SECOND)
            else:
                return


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize("parts", [["table"], ["queue"], ["table", "queue"]], ids="+".join)
@pytest.mark.parametrize("begin", [0, 1, 33, 40, 65])
async def test_half_an_hour_without_storage_loses_and_poisons_nothing(parts: list[str], begin: int) -> None:
    length = 30 * MINUTE
    site = Site(Outage(parts, begin * SECOND, length))

    await site.knock()
    await site.live(timedelta(hours=2))

    row = await site.row()
    assert row.outcome == Converged()
    assert len(site.plane.started) == 15
    assert row.last_error is None
    assert site.clock.now() - EPOCH <= length + begin * SECOND + 25 * MINUTE
    assert "poison:failed" not in {f"{entry.kind}:{entry.result}" for entry in await site.ledger.history(ALPHA, 1000)}


async def test_an_outage_is_asked_after_less_and_less_often() -> None:
    site = Site(Outage(["table"], 5 * SECOND, timedelta(hours=3)))
    await site.knock()

    await site.live(timedelta(hours=4))

    assert (await site.row()).outcome == Converged()
    assert site.runs <= 3 * 60 * 3  # no oftener than every twenty seconds, as nothing can be remembered


async def test_a_bug_is_still_given_up_after_five_deliveries_and_explained() -> None:
    site = Site(Outage([], timedelta(), timedelta()))
    site.plane.fail("read_registry", *[ZeroDivisionError("a bug")] * 100)
    await site.knock()

    await site.live(timedelta(hours=2))

    row = await site.row()
    assert isinstance(row.outcome, Failed)
    assert "Last error: ZeroDivisionError: An error that the app does not expect: " in row.outcome.reason.sentence
    assert site.runs == 5


async def test_a_message_of_which_nobody_knows_why_it_failed_comes_back_once() -> None:
    site = Site(Outage([], timedelta(), timedelta()))
    message = await site.ask()
    (delivery,) = await site.queue.receive()
    await site.queue.delete(delivery)
    site.poisoned.put(message.encode())

    await site.live(timedelta(hours=2))

    assert (await site.row()).outcome == Converged()
    told = await site.told("poison")
    assert told == ["retried"]


async def test_a_message_that_kills_its_host_is_given_up_the_second_time() -> None:
    site = Site(Outage([], timedelta(), timedelta()))
    message = await site.ask()
    for _ in range(2):
        await site.worker.keep_poison(message.encode().encode())
        await site.clock.sleep(RETURN_DELAY)

    row = await site.row()
    assert isinstance(row.outcome, Failed)
    assert await site.told("poison") == ["retried", "failed"]
