"""A sweeper with everything around it in memory, and a stand-in for the passes: each looks once and says how it ended."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from local.memory import MemoryLedger, MemoryWorkQueue, QueueTrigger
from local.memory_sweeps import MemoryInventory, MemorySweepQueue, MemorySweeps
from shared.core.arm import ResourceId
from shared.core.policy import IsolationPolicy
from shared.core.registry import Registry
from shared.core.report import BlockedOutcome, Converged, Failed, Gone, Outcome, Reason, Report, Waiting
from shared.core.requests import WorkMessage
from shared.core.sweeps import SweepRecord
from shared.engine.intake import Intake
from shared.engine.reception import Reception
from shared.engine.records import LedgerRow
from shared.engine.sweep import Sweeper, SweepServices
from shared.engine.sweep_pages import Pages
from tests.core.worlds import ZONES, a_policy, a_registry, closed, private, registry_id
from tests.emitted import watch
from tests.virtual_time import LoopClock

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WHY = Reason(name="Locked", sentence="A lock.")


class Woken:
    """Notes whose events the sweep had delivered."""

    def __init__(self) -> None:
        self.registries: list[str] = []

    async def wake(self, registry: ResourceId) -> None:
        self.registries.append(registry.name)


class SweepDesk:
    """
    A sweeper over memory.

    Attributes:
        ends: Registry name to how its passes end; converged otherwise, and the inventory shows it then.
        looks: How often each registry's pass came, by name.
    """

    def __init__(self, *, limit: int = 500, size: int = 100, ledger: MemoryLedger | None = None, **policy: Any) -> None:
        self.clock = LoopClock()
        self.policy: IsolationPolicy = a_policy(limits={"registries_per_sweep": limit}, **policy)
        self.ledger = ledger or MemoryLedger()
        watch(self.ledger)
        self.queue = MemoryWorkQueue(self.clock)
        self.texts = MemoryWorkQueue(self.clock)
        self.poisoned = MemoryWorkQueue(self.clock)
        self.inventory = MemoryInventory(size=size)
        self.sweeps = MemorySweeps()
        self.sweep_queue = MemorySweepQueue(self.texts)
        self.woken = Woken()
        self.ends: dict[str, Outcome] = {}
        self.looks: Counter[str] = Counter()
        self.install()

    def install(self, **services: Any) -> None:
        """Make the sweeper anew, as another process would, with other *services* if given."""
        intake = Intake(self.ledger, self.queue, self.clock)
        pages = Pages(
            ledger=self.ledger,
            intake=intake,
            clock=self.clock,
            policy=self.policy,
            zone_table=ZONES,
            nudger=self.woken,
        )
        reception = Reception(
            intake=intake, ledger=self.ledger, clock=self.clock, own_principal=None, subscriptions=frozenset()
        )
        made: dict[str, Any] = {
            "make_inventory": lambda: self.inventory,
            "ledger": self.ledger,
            "sweeps": self.sweeps,
            "queue": self.sweep_queue,
            "pages": pages,
            "reception": reception,
            "clock": self.clock,
        }
        self.sweeper = Sweeper(SweepServices(**made | services))
        self.trigger = QueueTrigger(self.texts, self._step, poison=self.poisoned, retry_after=timedelta(seconds=10))

    async def _step(self, text: str) -> None:
        await self.sweeper.work(text.encode())

    # --- the world ----------------------------------------------------------------------------------------------------

    def isolated(self, name: str) -> Registry:
        return closed(private(a_registry(self.policy, name=name), self.policy))

    def opened(self, name: str) -> Registry:
        return private(a_registry(self.policy, name=name), self.policy)

    def show(self, name: str, rows: Registry | None) -> ResourceId:
        """Let the inventory show *name* as *rows* say."""
        registry = registry_id(name)
        self.inventory.shown[registry] = rows
        return registry

    async def settled(self, names: Iterable[str], *, ago: timedelta = timedelta()) -> None:
        """Registries that were isolated and verified *ago*."""
        for name in names:
            await self.note(self.show(name, self.isolated(name)), Converged(), ago=ago)

    async def note(
        self, registry: ResourceId, outcome: Outcome | None, *, ago: timedelta = timedelta(), **members: Any
    ) -> None:
        """A row whose last pass ended with *outcome* so long *ago*."""
        at = self.clock.now() - ago
        entry = await self.ledger.read(registry)
        row = entry.row if entry else LedgerRow(registry=registry, generation=1, first_seen=at, requested=at)
        await self.ledger.write(_ended(row, outcome, at, members), entry.etag if entry else None)

    # --- running ------------------------------------------------------------------------------------------------------

    async def sweep(self, reason: str = "timer") -> SweepRecord:
        """Begin a sweep, do all its steps and then all the passes that it asked for."""
        begun = await self.sweeper.begin(reason, "test")
        await self.trigger.drain()
        await self.passes()
        ended = await self.sweeper.read(begun.id)
        assert ended is not None
        return ended

    async def passes(self) -> None:
        """Work the queue off."""
        await QueueTrigger(self.queue, self._pass, poison=self.poisoned).drain()

    async def _pass(self, text: str) -> None:
        message = WorkMessage.decode(text)
        entry = await self.ledger.read(message.registry)
        assert entry is not None
        if message.generation < entry.row.generation:
            return
        name = message.registry.name
        self.looks[name] += 1
        outcome = self.ends.get(name, Converged())
        if isinstance(outcome, Converged):
            self.show(name, self.isolated(name))
        await self.note(message.registry, outcome)

    async def rest(self, duration: timedelta) -> None:
        await self.clock.sleep(duration)

    async def phase(self, name: str) -> str:
        entry = await self.ledger.read(registry_id(name))
        return entry.row.outcome.kind if entry and entry.row.outcome else "none"

    def asked(self) -> dict[str, int]:
        """How often each registry's pass came since the last call."""
        found, self.looks = dict(self.looks), Counter()
        return found


def _ended(row: LedgerRow, outcome: Outcome | None, at: datetime, members: Mapping[str, Any]) -> LedgerRow:
    if outcome is None:
        return replace(row, **members)
    reasons = getattr(outcome, "reasons", ())
    report = Report(registry=row.registry, at=at, phase=outcome.kind, reasons=reasons)
    seen = at if isinstance(outcome, Converged) else row.verified
    return replace(row, **{"outcome": outcome, "report": report, "verified": seen} | dict(members))


def blocked() -> Outcome:
    return BlockedOutcome(reasons=(WHY,))


def failed() -> Outcome:
    return Failed(reason=WHY)


def waiting(until: datetime) -> Outcome:
    return Waiting(until=until, reasons=(WHY,))


def gone() -> Outcome:
    return Gone()
