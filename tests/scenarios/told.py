"""A house whose app tells outcomes to a topic of the simulated Azure, with everything real but the queues."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from local.memory import QueueTrigger
from local.memory_outcomes import MemoryOutcomeQueue
from local.simulator import scenery
from local.simulator.event_grid_events import Event
from local.simulator.faults import Fault, FaultKind
from local.simulator.world import Resource
from shared.cloud.outcome_events import EventGridTopic
from shared.engine.outcome_delivery import Deliverer
from shared.engine.outcomes import Outbox
from shared.engine.pacing import Pacing
from tests.scenarios.house import APP, House, SimulatedCredential, as_id

FOREVER = 1_000_000


class ToldHouse(House):
    """The app has a topic called `outcomes`."""

    queues: type[MemoryOutcomeQueue] = MemoryOutcomeQueue

    def install(self) -> None:
        """Make a new process of the app over the same ledger; its queues are new and empty."""
        self.outcomes = self.queues(self.clock)
        self.lost = MemoryOutcomeQueue(self.clock)
        self.outbox = Outbox(self.outcomes)
        super().install()
        topic = EventGridTopic(
            endpoint=scenery.create_topic(self.azure, "outcomes").properties["endpoint"],
            source="/registry-isolation",
            credential=SimulatedCredential(self.azure, APP),
            transport=self.transport,
        )
        self.deliverer = Deliverer(
            ledger=self.ledger, topic=topic, queue=self.outcomes, clock=self.clock, pacing=Pacing()
        )

    def _jobs(self) -> list[Coroutine[Any, Any, None]]:
        async def deliver(text: str) -> None:
            await self.deliverer.deliver(text.encode())

        postman = QueueTrigger(self.outcomes.texts, deliver, poison=self.lost.texts, retry_after=timedelta(seconds=10))
        return [*super()._jobs(), postman.serve()]

    def break_topic(self) -> Fault:
        """The topic answers 503 until `azure.faults.clear()`."""
        return self.azure.faults.add(
            Fault(kind=FaultKind.RESPOND, method="POST", path="/api/events$", status=503, times=FOREVER)
        )

    def told_of(self, registry: Resource | str) -> list[Event]:
        """What the topic took in about *registry*, in order."""
        wanted = as_id(registry).text.lower()
        return [event for _, _, event in self.azure.events.received if event.subject.lower() == wanted]

    def types(self, registry: Resource | str) -> list[str]:
        """The events' types without what they have in common."""
        return [event.type.removeprefix("RegistryIsolation.") for event in self.told_of(registry)]

    async def everything_told(self) -> bool:
        """No event waits for the topic any more."""
        page = await self.ledger.list_rows(limit=1000)
        return not any(row.outbox for row in page.rows) and not len(self.outcomes.texts)
