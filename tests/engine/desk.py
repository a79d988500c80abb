"""One reconciler with everything around it in memory: what a test of the engine puts on its desk."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from local.memory import MemoryLeases, MemoryLedger, MemoryWorkQueue, QueueTrigger
from shared.core.arm import ResourceId
from shared.core.errors import Unavailable
from shared.core.policy import IsolationPolicy
from shared.core.registry import Registry
from shared.core.report import BlockedOutcome, Outcome, Waiting
from shared.core.requests import ReconcileRequest, RequestReason, WorkMessage
from shared.engine.intake import Intake
from shared.engine.pacing import Pacing
from shared.engine.ports import Ledger, WorkQueue
from shared.engine.reconcile import Reconciler, Services
from shared.engine.records import LedgerRow
from shared.engine.retrying import Retrier
from tests.core.worlds import ZONES, a_policy, a_registry, registry_id
from tests.emitted import watch
from tests.engine.plane import ScriptedPlane
from tests.virtual_time import EPOCH, LoopClock

ALPHA = registry_id()
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
UNAVAILABLE = Unavailable("No answer.")


class Desk:
    """
    A reconciler over memory, for one registry.

    Args:
        registry: What Azure holds; the new registry `alpha` unless given.
        policy: Everything is enforced in network `hub` unless given.
    """

    def __init__(
        self,
        registry: Registry | None = None,
        policy: IsolationPolicy | None = None,
        *,
        plane: ScriptedPlane | None = None,
        ledger: MemoryLedger | None = None,
        queue: MemoryWorkQueue | None = None,
        deadline: timedelta = MINUTE,
    ) -> None:
        self.clock = LoopClock()
        self.policy = policy or a_policy()
        self.plane = plane or ScriptedPlane(registry or a_registry(self.policy), self.clock)
        self.ledger = ledger or MemoryLedger()
        watch(self.ledger)
        self.queue = MemoryWorkQueue(self.clock) if queue is None else queue
        self.poisoned = MemoryWorkQueue(self.clock)
        self.intake = Intake(self.ledger, self.queue, self.clock)
        self.runs = 0
        self.reconciler = Reconciler(self._services(self.ledger, self.queue, deadline))

    def _services(self, ledger: Ledger, queue: WorkQueue, deadline: timedelta) -> Services:
        return Services(
            plane=self.plane,
            ledger=ledger,
            queue=queue,
            leases=MemoryLeases(),
            clock=self.clock,
            policy=self.policy,
            zone_table=ZONES,
            pacing=Pacing(rng=random.Random(1)),
            pass_deadline=deadline,
        )

    async def ask(self, registry: ResourceId = ALPHA) -> WorkMessage:
        return await self.intake.accept(a_request(registry))

    async def pass_(self) -> Outcome:
        """Wait for the next message, do its pass and delete it."""
        due = self.queue.next_visible
        assert due is not None, "nobody asked for another pass"
        await self.clock.sleep(due - self.clock.now())
        (delivery,) = await self.queue.receive(most=1)
        outcome = await self.reconciler.run(WorkMessage.decode(delivery.text))
        await self.queue.delete(delivery)
        return outcome

    async def passes(self, count: int) -> Outcome:
        """Do *count* passes; gives the last one's outcome."""
        outcomes = [await self.pass_() for _ in range(count)]
        return outcomes[-1]

    def trigger(self) -> QueueTrigger:
        """The Functions host, with the pause of host.json between deliveries of a message that failed."""

        async def function(text: str) -> None:
            self.runs += 1
            await self.reconciler.run(WorkMessage.decode(text))

        return QueueTrigger(self.queue, function, poison=self.poisoned, retry_after=timedelta(seconds=10))

    async def row(self, registry: ResourceId = ALPHA) -> LedgerRow:
        entry = await self.ledger.read(registry)
        assert entry is not None
        return entry.row

    async def remember(self, **members: Any) -> None:
        """Change the registry's row behind the engine's back; there is one after `ask`."""
        entry = await self.ledger.read(ALPHA)
        assert entry is not None
        await self.ledger.write(replace(entry.row, **members), entry.etag)

    async def told(self, kind: str) -> list[str]:
        """Results of the history entries of *kind*, oldest first."""
        entries = await self.ledger.history(ALPHA, 1000)
        return [entry.result or entry.subject for entry in reversed(entries) if entry.kind == kind]


def a_request(registry: ResourceId = ALPHA, **members: Any) -> ReconcileRequest:
    values: dict[str, Any] = {
        "registry": registry,
        "reason": RequestReason.EVENT,
        "origin": "event-1",
        "received": EPOCH,
    }
    return ReconcileRequest(**values | members)


def a_row(**members: Any) -> LedgerRow:
    values: dict[str, Any] = {"registry": ALPHA, "generation": 1, "first_seen": EPOCH, "requested": EPOCH}
    return LedgerRow(**values | members)


def a_retrier(clock: LoopClock, deadline: timedelta = MINUTE) -> Retrier:
    return Retrier(clock, clock.now() + deadline)


def reasons(outcome: Outcome) -> list[str]:
    """Names of the reasons of an outcome that waits or is blocked."""
    assert isinstance(outcome, Waiting | BlockedOutcome), outcome
    return [reason.name for reason in outcome.reasons]


def wait_of(outcome: Outcome, clock: LoopClock) -> timedelta:
    """How long *outcome* asks to wait from now on."""
    assert isinstance(outcome, Waiting), outcome
    return outcome.until - clock.now()
