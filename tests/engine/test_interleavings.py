"""
Two processes, one queue, and every step of a pass as slow as chance will have it: no change is ever started twice.

Each read and write of the ledger and of Azure takes a time of its own, before it takes effect and after, so that passes
that begin at one moment meet each other at every await. Requests and events of parts arrive in the middle of them.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest

from local.memory import MemoryLeases, MemoryLedger, QueueTrigger
from local.virtual_time import run_virtual
from shared.core.arm import ResourceId
from shared.core.changes import key_of
from shared.core.report import Converged, Outcome
from shared.core.requests import WorkMessage
from shared.engine.drift import DriftIntake
from shared.engine.pacing import Pacing
from shared.engine.ports import LedgerEntry
from shared.engine.reconcile import Reconciler, Services
from shared.engine.records import HistoryEntry, LedgerRow
from tests.core.worlds import ACR_NAME, MANAGED, ZONES, a_policy, a_registry
from tests.engine.desk import Desk, a_request
from tests.engine.plane import ObedientPlane
from tests.virtual_time import LoopClock

PART = MANAGED.resource("Microsoft.ContainerRegistry/registries", ACR_NAME)
POLICY = a_policy(lockdown={"propagation_minutes": 1})
SLOWEST = (0.02, 0.2, 1.0)
"""Seconds; Azure and the storage are each as slow as one of these at most, mostly faster."""
CHANGES = 15


class Chance:
    """Says how long everything takes."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self._slowest = {"azure": self.draw.choice(SLOWEST), "storage": self.draw.choice(SLOWEST)}

    async def pause(self, service: str) -> None:
        await asyncio.sleep(self.draw.random() ** 3 * self._slowest[service])


class SlowLedger(MemoryLedger):
    def __init__(self, chance: Chance) -> None:
        super().__init__()
        self._chance = chance

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        await self._chance.pause("storage")
        found = await super().read(registry)
        await self._chance.pause("storage")
        return found

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        await self._chance.pause("storage")
        written = await super().write(row, etag)
        await self._chance.pause("storage")
        return written

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        await self._chance.pause("storage")
        await super().append(entries)


class SlowPlane(ObedientPlane):
    def __init__(self, chance: Chance) -> None:
        super().__init__(a_registry(POLICY), POLICY, LoopClock())
        self._chance = chance

    async def _called(self, call: str, about: object) -> None:
        await self._chance.pause("azure")
        await super()._called(call, about)
        await self._chance.pause("azure")


def another_process(desk: Desk) -> QueueTrigger:
    """One more instance of the app at the same queue; it shares nothing with the first but the services."""
    reconciler = Reconciler(
        Services(
            plane=desk.plane,
            ledger=desk.ledger,
            queue=desk.queue,
            leases=MemoryLeases(),
            clock=desk.clock,
            policy=POLICY,
            zone_table=ZONES,
            pacing=Pacing(rng=random.Random(2)),
        )
    )

    async def function(text: str) -> None:
        await reconciler.run(WorkMessage.decode(text))

    return QueueTrigger(desk.queue, function, poison=desk.poisoned, retry_after=timedelta(seconds=10))


async def life(seed: int) -> tuple[Outcome | None, Counter[str]]:
    """From the first request to the end; how it ended, and how often each change was started."""
    chance = Chance(seed)
    plane = SlowPlane(chance)
    desk = Desk(policy=POLICY, plane=plane, ledger=SlowLedger(chance))
    drift = DriftIntake(desk.ledger, desk.queue, desk.clock, timedelta(seconds=chance.draw.choice((0.45, 2, 15))))
    await desk.ask()
    async with asyncio.TaskGroup() as group:
        processes = [group.create_task(one.serve()) for one in (desk.trigger(), another_process(desk))]
        for _ in range(chance.draw.randrange(1, 5)):
            await asyncio.sleep(chance.draw.random() * chance.draw.choice((0.1, 1, 5, 30, 60)))
            await (desk.ask() if chance.draw.random() < 0.5 else drift.accept(a_request(), PART))
        while len(desk.queue):
            await desk.clock.sleep(timedelta(seconds=1))
        for process in processes:
            process.cancel()
    assert len(desk.poisoned) == 0
    return (await desk.row()).outcome, Counter(
        key_of(about)  # type: ignore[arg-type]  # what is started is a change
        for call, about in plane.calls
        if call.startswith("start ")
    )


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_whoever_meets_whom_every_change_is_started_once(first: int) -> None:
    for seed in range(first, first + 10):
        outcome, started = run_virtual(life(seed))

        assert outcome == Converged(), seed
        assert started.total() == len(started) == CHANGES, (seed, started)
