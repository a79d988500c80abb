"""Delivery of outcome events: at least once, in order, whatever fails, and never on the work's back."""

import asyncio
import json
import logging
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from local.memory import MemoryLedger, QueueTrigger
from local.memory_outcomes import MemoryOutcomeQueue
from shared.core.errors import ChangedUnderneath, MissingPermission, RegistryIsolationError
from shared.core.outcome_messages import OutcomeMessage
from shared.core.outcomes import OutcomeEvent, OutcomeKind, Told
from shared.engine.outcome_delivery import SHORT_TRIES, Deliverer
from shared.engine.outcomes import Outbox
from shared.engine.pacing import Pacing
from shared.engine.ports import LedgerEntry
from shared.engine.records import LedgerRow
from tests.core.test_outcomes import an_event
from tests.engine.desk import ALPHA, MINUTE, SECOND, UNAVAILABLE, a_row
from tests.virtual_time import LoopClock

pytestmark = pytest.mark.virtual_time
HOUR = timedelta(hours=1)
FIRST = an_event()
SECOND_EVENT = an_event(Told(kind=OutcomeKind.ISOLATED), OutcomeKind.DRIFTED)
THIRD = an_event(Told(kind=OutcomeKind.DRIFTED, number=2))


class ListeningTopic:
    """A topic that keeps what it takes, and fails while *error* is set."""

    def __init__(self) -> None:
        self.error: RegistryIsolationError | None = None
        self.asked = 0
        self.taken: list[str] = []

    async def publish(self, events: Sequence[OutcomeEvent]) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.taken += [event.id for event in events]


class BusyLedger(MemoryLedger):
    """A ledger in which *others* write just before everybody else."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[dict[str, object]] = []

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        if self.others:
            members = self.others.pop(0)
            entry = await self.read(ALPHA)
            assert entry is not None
            await super().write(replace(entry.row, **members), entry.etag)  # type: ignore[arg-type]
        return await super().write(row, etag)


class Post:
    """One deliverer and everything around it in memory."""

    def __init__(self, *, with_topic: bool = True) -> None:
        self.clock = LoopClock()
        self.ledger = BusyLedger()
        self.topic = ListeningTopic()
        self.queue = MemoryOutcomeQueue(self.clock)
        self.poisoned = MemoryOutcomeQueue(self.clock)
        self.deliverer = Deliverer(
            ledger=self.ledger,
            topic=self.topic if with_topic else None,
            queue=self.queue,
            clock=self.clock,
            pacing=Pacing(rng=random.Random(1)),
        )

    async def hold(self, *events: OutcomeEvent) -> None:
        await self.ledger.write(a_row(outbox=events), None)

    async def waiting(self) -> list[str]:
        entry = await self.ledger.read(ALPHA)
        return [event.id for event in entry.row.outbox] if entry else []

    def trigger(self) -> QueueTrigger:
        async def function(text: str) -> None:
            await self.deliverer.deliver(text.encode())

        return QueueTrigger(self.queue.texts, function, poison=self.poisoned.texts)

    async def deliver(self, **members: object) -> None:
        message = OutcomeMessage(registry=ALPHA, **members)  # type: ignore[arg-type]
        await self.deliverer.deliver(message.encode().encode())


async def test_what_waits_is_published_in_order_and_taken_out_of_the_row() -> None:
    post = Post()
    await post.hold(FIRST, SECOND_EVENT)

    await post.deliver()

    assert post.topic.taken == [FIRST.id, SECOND_EVENT.id]
    assert post.topic.asked == 1
    assert await post.waiting() == []
    assert len(post.queue.texts) == 0


async def test_a_second_message_about_the_same_events_does_nothing() -> None:
    post = Post()
    await post.hold(FIRST)
    await post.deliver()
    await post.deliver()

    assert post.topic.taken == [FIRST.id]


async def test_a_registry_without_a_row_needs_nothing() -> None:
    post = Post()
    await post.deliver()

    assert post.topic.asked == 0


async def test_an_event_that_a_pass_adds_during_the_delivery_is_published_after_it() -> None:
    post = Post()
    await post.hold(FIRST)
    post.ledger.others = [{"outbox": (FIRST, SECOND_EVENT), "failures": 3}]

    await post.deliver()

    assert post.topic.taken == [FIRST.id, SECOND_EVENT.id]
    assert await post.waiting() == []
    entry = await post.ledger.read(ALPHA)
    assert entry is not None
    assert entry.row.failures == 3  # what the pass wrote is still there


async def test_a_row_that_somebody_else_emptied_meanwhile_is_left_alone() -> None:
    post = Post()
    await post.hold(FIRST)
    post.ledger.others = [{"outbox": (), "failures": 1}]

    await post.deliver()

    assert post.topic.taken == [FIRST.id]


async def test_a_row_that_never_stands_still_is_tried_again_later() -> None:
    post = Post()
    await post.hold(FIRST)
    post.ledger.others = [{"failures": number} for number in range(20)]

    await post.deliver()

    assert len(post.queue.texts) == 1


class GrowingTopic(ListeningTopic):
    """Another event is added to the row whenever one is published."""

    def __init__(self, ledger: BusyLedger) -> None:
        super().__init__()
        self._ledger = ledger

    async def publish(self, events: Sequence[OutcomeEvent]) -> None:
        await super().publish(events)
        another = an_event(Told(kind=OutcomeKind.ISOLATED, number=self.asked), OutcomeKind.DRIFTED)
        self._ledger.others = [{"outbox": (another,), "failures": self.asked}]


async def test_events_that_come_faster_than_they_are_delivered_let_the_others_have_their_turn() -> None:
    post = Post()
    post.deliverer = Deliverer(
        ledger=post.ledger,
        topic=GrowingTopic(post.ledger),
        queue=post.queue,
        clock=post.clock,
        pacing=Pacing(rng=random.Random(1)),
    )
    await post.hold(FIRST)

    await post.deliver()

    assert len(await post.waiting()) == 1
    assert len(post.queue.texts) == 1


@pytest.mark.parametrize(
    "error", [UNAVAILABLE, MissingPermission("Assign the role."), ChangedUnderneath("Look again.")]
)
async def test_a_topic_that_fails_is_asked_again_ever_more_rarely_and_nothing_is_poisoned(
    error: RegistryIsolationError,
) -> None:
    post = Post()
    await post.hold(FIRST, SECOND_EVENT)
    post.topic.error = error
    await Outbox(post.queue).announced(ALPHA)
    serving = asyncio.create_task(post.trigger().serve())

    await post.clock.sleep(6 * HOUR)
    asked = post.topic.asked
    assert 36 <= asked <= 70  # every ten minutes in the end, less a third of jitter
    assert await post.waiting() == [FIRST.id, SECOND_EVENT.id]
    post.topic.error = None
    await post.clock.sleep(11 * MINUTE)
    serving.cancel()

    assert post.topic.taken == [FIRST.id, SECOND_EVENT.id]
    assert await post.waiting() == []
    assert len(post.queue.texts) == len(post.poisoned.texts) == 0


async def test_a_sweeps_message_is_tried_a_few_times_only_because_the_next_sweep_sends_another() -> None:
    post = Post()
    await post.hold(FIRST)
    post.topic.error = UNAVAILABLE
    for _ in range(5):
        await Outbox(post.queue).wake(ALPHA)

    await post.trigger().drain()

    assert post.topic.asked == 5 * SHORT_TRIES
    assert await post.waiting() == [FIRST.id]
    post.topic.error = None
    await Outbox(post.queue).wake(ALPHA)
    await post.trigger().drain()
    assert post.topic.taken == [FIRST.id]


async def test_two_deliveries_at_once_in_one_process_publish_once() -> None:
    post = Post()
    await post.hold(FIRST, SECOND_EVENT)

    await asyncio.gather(post.deliver(), post.deliver())

    assert post.topic.taken == [FIRST.id, SECOND_EVENT.id]


async def test_two_processes_may_publish_twice_with_the_same_ids_and_lose_nothing() -> None:
    post, other = Post(), Post()
    await post.hold(FIRST, SECOND_EVENT)
    second = Deliverer(
        ledger=post.ledger, topic=other.topic, queue=post.queue, clock=post.clock, pacing=Pacing(rng=random.Random(2))
    )
    body = OutcomeMessage(registry=ALPHA).encode().encode()

    await asyncio.gather(post.deliverer.deliver(body), second.deliver(body))

    assert post.topic.taken == other.topic.taken == [FIRST.id, SECOND_EVENT.id]
    assert await post.waiting() == []


async def test_a_queue_that_fails_as_well_hands_the_message_back_to_the_host() -> None:
    class NoQueue(MemoryOutcomeQueue):
        async def send(self, message: OutcomeMessage, delay: timedelta = timedelta()) -> None:
            raise UNAVAILABLE

    post = Post()
    await post.hold(FIRST)
    post.topic.error = UNAVAILABLE
    deliverer = Deliverer(
        ledger=post.ledger, topic=post.topic, queue=NoQueue(post.clock), clock=post.clock, pacing=Pacing()
    )

    with pytest.raises(type(UNAVAILABLE)):
        await deliverer.deliver(OutcomeMessage(registry=ALPHA).encode().encode())
    await Outbox(NoQueue(post.clock)).announced(ALPHA)  # a pass is not disturbed by it


async def test_without_a_topic_messages_that_are_left_are_dropped() -> None:
    post = Post(with_topic=False)
    await post.hold(FIRST)
    await post.deliver()

    assert await post.waiting() == [FIRST.id]
    assert len(post.queue.texts) == 0


async def test_a_message_that_cannot_be_read_is_recorded_and_done_with() -> None:
    post = Post()
    await post.deliverer.deliver(b"nonsense")
    await post.clock.sleep(SECOND)

    (entry,) = await post.ledger.history(None)
    assert (entry.kind, entry.subject, entry.before) == ("rejected", "MalformedMessage", {"input": "b'nonsense'"})


async def test_a_delivery_and_its_failure_name_the_request_that_they_follow_from(
    caplog: pytest.LogCaptureFixture,
) -> None:
    post = Post()
    trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
    await post.ledger.write(a_row(outbox=(FIRST,), trace=trace), None)

    with caplog.at_level(logging.INFO, "registry_isolation"):
        post.topic.error = UNAVAILABLE
        await post.deliver()
        post.topic.error = None
        await post.deliver()

    told = {event: json.loads(fields) for event, _, fields in (line.partition(" ") for line in caplog.messages)}
    assert told.keys() == {"notify-failed", "notify"}
    for fields in told.values():
        assert (fields["door"], fields["registry"], fields["correlation"]) == ("outcomes", ALPHA.text, "ab" * 16)
        assert fields["generation"] == 1
