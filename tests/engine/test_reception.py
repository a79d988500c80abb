"""What arrives at the event door: a request, something to ignore, or a record of what could not be read."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from local.memory import MemoryLedger, MemoryWorkQueue
from shared.core.arm import MAX_LENGTH, ResourceId
from shared.core.errors import Unavailable
from shared.core.report import Converged, Gone, Outcome
from shared.core.requests import WorkMessage
from shared.engine.intake import Intake
from shared.engine.reception import Reception
from shared.engine.records import HistoryEntry, LedgerRow
from tests.core.test_events import ACCOUNT, ALPHA, APP, DELETE, GROUP, OTHER, SUB, WRITE, cloud_event, data, event_grid
from tests.engine.desk import UNAVAILABLE
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time
LOG = "registry_isolation"


class Counting(MemoryLedger):
    """Counts what reaches the ledger."""

    touched = 0

    async def read(self, registry: Any) -> Any:
        self.touched += 1
        return await super().read(registry)

    async def append(self, entries: Any) -> None:
        self.touched += 1
        await super().append(entries)


class EventDoor:
    def __init__(self, *, own_principal: str | None = APP, queue: MemoryWorkQueue | None = None) -> None:
        self.clock = LoopClock()
        self.ledger = Counting()
        self.queue = MemoryWorkQueue(self.clock) if queue is None else queue
        self.reception = Reception(
            intake=Intake(self.ledger, self.queue, self.clock),
            ledger=self.ledger,
            clock=self.clock,
            own_principal=own_principal,
            subscriptions=frozenset({SUB}),
        )

    async def rejected(self) -> tuple[HistoryEntry, ...]:
        return await self.ledger.history(None)


@pytest.mark.parametrize("event", [event_grid(), cloud_event(), event_grid(DELETE), cloud_event(DELETE)])
async def test_an_event_about_a_registry_becomes_a_message(event: dict[str, Any], caplog: Any) -> None:
    door = EventDoor()

    with caplog.at_level(logging.INFO, LOG):
        message = await door.reception.receive(event)

    assert message is not None
    assert (message.registry.text, message.generation, message.attempt) == (ALPHA, 1, 1)
    assert len(door.queue) == 1
    word, _, fields = caplog.messages[-1].partition(" ")
    assert word == "receive"
    assert json.loads(fields)["registry"] == ALPHA
    assert await door.rejected() == ()


@pytest.mark.parametrize("outcome", [Gone(), Converged()])
async def test_a_deletion_that_is_told_late_is_news_only_while_the_registry_is_not_known_to_be_gone(
    outcome: Outcome,
) -> None:
    door, registry = EventDoor(), ResourceId.parse(ALPHA)
    now = door.clock.now()
    row = LedgerRow(registry=registry, generation=3, first_seen=now, requested=now, sequence=2, outcome=outcome)
    await door.ledger.write(row, None)

    message = await door.reception.receive(event_grid(DELETE))

    assert (message is None) == isinstance(outcome, Gone)
    assert len(door.queue) == (message is not None)


async def test_a_write_to_a_registry_that_is_gone_is_looked_into() -> None:
    door, registry = EventDoor(), ResourceId.parse(ALPHA)
    now = door.clock.now()
    row = LedgerRow(registry=registry, generation=3, first_seen=now, requested=now, sequence=2, outcome=Gone())
    await door.ledger.write(row, None)

    assert await door.reception.receive(event_grid()) is not None


async def test_a_deletion_is_looked_into_while_the_last_request_has_no_answer() -> None:
    door, registry = EventDoor(), ResourceId.parse(ALPHA)
    now = door.clock.now()
    await door.ledger.write(
        LedgerRow(registry=registry, generation=3, first_seen=now, requested=now, outcome=Gone()), None
    )

    assert await door.reception.receive(event_grid(DELETE)) is not None


IGNORED: dict[str, object] = {
    "own write": event_grid(data=data(caller=APP)),
    "own write, shouted": cloud_event(data=data(caller=APP.upper())),
    "other subscription": event_grid(subject=ALPHA.replace(SUB, OTHER)),
    "failed write": event_grid("Microsoft.Resources.ResourceWriteFailure"),
    "action": cloud_event("Microsoft.Resources.ResourceActionSuccess"),
    "foreign type": event_grid("Microsoft.Storage.BlobCreated"),
    "other resource": event_grid(subject=f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"),
    "workspace": event_grid(subject=f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/alpha"),
    "related": event_grid(subject=ACCOUNT),
}


@pytest.mark.parametrize("name", IGNORED)
async def test_what_concerns_nobody_here_leaves_no_trace_but_a_debug_line(name: str, caplog: Any) -> None:
    door = EventDoor()

    with caplog.at_level(logging.DEBUG, LOG):
        assert await door.reception.receive(IGNORED[name]) is None

    assert door.ledger.touched == 0
    assert len(door.queue) == 0
    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert record.getMessage().startswith("ignore ")


async def test_without_a_known_identity_an_own_write_is_looked_at() -> None:
    door = EventDoor(own_principal=None)

    assert await door.reception.receive(event_grid(data=data(caller=APP))) is not None


DEEP = f"{ALPHA}/privateEndpointConnections/a.1/more/b"
MALFORMED: dict[str, object] = {
    "text": "not an event",
    "bytes": b"\xff\xfe",
    "nothing": None,
    "list": [event_grid()],
    "no type": {"id": "e-1", "subject": ALPHA},
    "no subject": event_grid(subject="", data={}),
    "no id": event_grid(id=None),
    "subject that is no id": event_grid(subject="registries/alpha"),
    "name that cannot be": event_grid(subject=ALPHA.replace("alpha", "-alpha-")),
    "endless subject": event_grid(subject=ALPHA + "a" * MAX_LENGTH),
    "control characters": event_grid(id="e-1\r\npass {}"),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_cannot_be_read_is_recorded_and_acknowledged(name: str, caplog: Any) -> None:
    door = EventDoor()

    with caplog.at_level(logging.INFO, LOG):
        assert await door.reception.receive(MALFORMED[name]) is None

    (entry,) = await door.rejected()
    assert (entry.kind, entry.registry, entry.subject, entry.result) == (
        "rejected",
        None,
        "MalformedEvent",
        "MalformedEvent",
    )
    assert entry.at == EPOCH
    assert entry.sentence
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "\n" not in record.getMessage()
    assert len(door.queue) == 0


async def test_what_cannot_be_read_is_kept_as_it_came_as_far_as_2000_characters() -> None:
    door = EventDoor()
    await door.reception.receive("x" * 2001)
    await door.clock.sleep(timedelta(seconds=1))
    await door.reception.receive(["é\u2028"])

    second, first = await door.rejected()

    assert first.before == {"input": "x" * 2000}
    assert second.before == {"input": "['é\\u2028']"}


async def test_a_secret_in_what_cannot_be_read_is_not_kept() -> None:
    door = EventDoor()
    await door.reception.receive("https://st.blob.core.windows.net/a?sig=abcdefgh AccountKey=ijklmnop")

    (entry,) = await door.rejected()

    assert entry.before == {"input": "https://st.blob.core.windows.net/a?*** AccountKey=***"}
    assert "https://st.blob.core.windows.net/a?*** AccountKey=***" in entry.sentence


async def test_the_same_nonsense_twice_is_recorded_twice_and_never_asked_about() -> None:
    door = EventDoor()
    await door.reception.receive({})
    await door.clock.sleep(timedelta(seconds=1))
    await door.reception.receive({})

    assert len(await door.rejected()) == 2
    assert len(door.queue) == 0


async def test_an_id_that_goes_too_deep_is_ignored_like_any_other_type() -> None:
    door = EventDoor()

    assert await door.reception.receive(event_grid(WRITE, DEEP)) is None
    assert door.ledger.touched == 0


async def test_an_event_that_could_not_be_enqueued_is_handed_back_to_event_grid() -> None:
    class Deaf(MemoryWorkQueue):
        async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
            raise UNAVAILABLE

    door = EventDoor(queue=Deaf(LoopClock()))

    with pytest.raises(Unavailable):
        await door.reception.receive(event_grid())


async def test_a_rejection_that_could_not_be_recorded_is_handed_back_as_well() -> None:
    class Forgetful(Counting):
        async def append(self, entries: Any) -> None:
            raise Unavailable(f"{len(entries)} entries were not written.")

    door = EventDoor()
    reception = Reception(
        intake=door.reception._intake,
        ledger=Forgetful(),
        clock=door.clock,
        own_principal=None,
        subscriptions=(),
    )

    with pytest.raises(Unavailable):
        await reception.receive("not an event")
