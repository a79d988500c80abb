"""What every work queue promises, in memory and on a storage queue."""

import asyncio
from datetime import timedelta

from shared.core.requests import WorkMessage
from tests.contract.conftest import QueueWorld, Received
from tests.contract.state import a_registry


async def test_a_message_arrives_as_it_was_sent(work_queue: QueueWorld) -> None:
    message = WorkMessage(registry=a_registry(), generation=3, attempt=2)

    await work_queue.queue.send(message)
    (received,) = await work_queue.receiver.receive(hide_seconds=30)

    assert WorkMessage.decode(received.text) == message
    assert received.dequeue_count == 1


async def test_a_message_in_hand_is_hidden_from_others(work_queue: QueueWorld) -> None:
    await work_queue.queue.send(WorkMessage(registry=a_registry(), generation=1))

    first = await work_queue.receiver.receive(hide_seconds=30)
    second = await work_queue.receiver.receive(hide_seconds=30)

    assert len(first) == 1
    assert second == []


async def test_a_message_that_is_not_deleted_comes_again_and_is_counted(work_queue: QueueWorld) -> None:
    await work_queue.queue.send(WorkMessage(registry=a_registry(), generation=1))

    (first,) = await work_queue.receiver.receive(hide_seconds=1)
    (again,) = await _receive_within(work_queue, timedelta(seconds=5))

    assert again.text == first.text
    assert again.dequeue_count == 2


async def test_a_delayed_message_is_not_seen_early(work_queue: QueueWorld) -> None:
    begun = work_queue.clock.now()
    await work_queue.queue.send(WorkMessage(registry=a_registry(), generation=1), timedelta(milliseconds=1200))

    early = await work_queue.receiver.receive(hide_seconds=1)
    (received,) = await _receive_within(work_queue, timedelta(seconds=6))

    assert early == []
    assert received.dequeue_count == 1
    assert work_queue.clock.now() - begun >= timedelta(milliseconds=1200)


async def test_a_delay_below_zero_is_none(work_queue: QueueWorld) -> None:
    await work_queue.queue.send(WorkMessage(registry=a_registry(), generation=1), timedelta(seconds=-5))

    assert len(await work_queue.receiver.receive(hide_seconds=30)) == 1


async def test_a_delay_beyond_the_limit_is_accepted(work_queue: QueueWorld) -> None:
    await work_queue.queue.send(WorkMessage(registry=a_registry(), generation=1), timedelta(days=30))

    assert await work_queue.receiver.receive(hide_seconds=30) == []


async def test_many_senders_lose_nothing(work_queue: QueueWorld) -> None:
    messages = [WorkMessage(registry=a_registry(), generation=number) for number in range(1, 31)]

    await asyncio.gather(*(work_queue.queue.send(message) for message in messages))
    received = await work_queue.receiver.receive(hide_seconds=30)

    assert sorted(WorkMessage.decode(each.text).generation for each in received) == list(range(1, 31))


async def _receive_within(world: QueueWorld, patience: timedelta) -> list[Received]:
    deadline = world.clock.now() + patience
    while world.clock.now() < deadline:
        received = await world.receiver.receive(hide_seconds=30)
        if received:
            return received
        await world.clock.sleep(timedelta(milliseconds=100))
    return []
