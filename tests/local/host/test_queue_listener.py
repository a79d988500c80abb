import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from local.host.host_json import MessageEncoding, QueueOptions
from local.host.queue_listener import Pauses, QueueListener
from local.host.worker import Answer, Call
from tests.local.host.doubles import SUCCESS, ScriptedWorker, VirtualQueue, a_queue_function, an_invoker, fail

pytestmark = pytest.mark.virtual_time

OPTIONS = QueueOptions(
    max_polling_interval=timedelta(seconds=2),
    visibility_timeout=timedelta(seconds=30),
    batch_size=4,
    new_batch_threshold=2,
    max_dequeue_count=3,
    message_encoding=MessageEncoding.NONE,
)
LEASE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    queue: VirtualQueue
    poison: VirtualQueue
    worker: ScriptedWorker
    listener: QueueListener


@contextlib.asynccontextmanager
async def listening(
    worker: ScriptedWorker, *texts: str, options: QueueOptions = OPTIONS, with_poison_queue: bool = True
) -> AsyncIterator[Scene]:
    queue, poison = VirtualQueue(name="work"), VirtualQueue(name="work-poison")
    for text in texts:
        await queue.send(text)
    listener = QueueListener(
        a_queue_function(),
        queue=queue,
        poison_queue=poison if with_poison_queue else None,
        options=options,
        invoker=an_invoker(worker),
        lease=LEASE,
        rng=random.Random(0),
    )
    run = asyncio.create_task(listener.run())
    try:
        yield Scene(queue=queue, poison=poison, worker=worker, listener=listener)
    finally:
        listener.stop()
        await listener.finish(timedelta(0))
        await run


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_message_is_deleted_after_its_function_succeeded() -> None:
    async with listening(ScriptedWorker(), "one", "two") as scene:
        await asyncio.sleep(0.05)

        assert [call.value.value for call in scene.worker.calls] == ["one", "two"]
        assert scene.queue.texts() == []
        assert scene.poison.texts() == []


async def test_the_function_learns_the_messages_id_and_dequeue_count() -> None:
    async with listening(ScriptedWorker(), "one") as scene:
        await asyncio.sleep(0.05)

        [call] = scene.worker.calls
        assert call.metadata["Id"].value == "m0"
        assert call.metadata["DequeueCount"].value == "1"
        assert call.metadata["QueueTrigger"].value == "one"


async def test_a_missing_queue_is_created() -> None:
    async with listening(ScriptedWorker()) as scene:
        await asyncio.sleep(0.05)

        assert scene.queue.exists


async def test_a_failed_message_comes_back_after_the_visibility_timeout_and_then_is_poison() -> None:
    async with listening(ScriptedWorker(fail), "bad") as scene:
        await asyncio.sleep(29)
        assert (len(scene.worker.calls), scene.queue.visible()) == (1, [])

        await asyncio.sleep(100)

        assert len(scene.worker.calls) == 3
        assert scene.queue.texts() == []
        assert scene.poison.texts() == ["bad"]


async def test_a_message_of_a_poison_queue_stays_hidden_until_its_lease_ends() -> None:
    async with listening(ScriptedWorker(fail), "bad", with_poison_queue=False) as scene:
        await asyncio.sleep(LEASE.total_seconds() - 1)
        assert (len(scene.worker.calls), scene.queue.texts(), scene.queue.visible()) == (1, ["bad"], [])

        await asyncio.sleep(100)

        assert len(scene.worker.calls) == OPTIONS.max_dequeue_count
        assert scene.queue.texts() == ["bad"]


async def test_a_message_that_keeps_killing_the_host_is_poison_without_another_try() -> None:
    async with listening(ScriptedWorker()) as scene:
        await scene.queue.send("deadly")
        [entry] = scene.queue.stored.values()
        entry.dequeue_count = OPTIONS.max_dequeue_count
        await asyncio.sleep(5)

        assert scene.worker.calls == []
        assert scene.poison.texts() == ["deadly"]


async def test_a_message_that_is_not_base64_is_poison_when_base64_is_configured() -> None:
    options = QueueOptions(max_polling_interval=timedelta(seconds=2))
    async with listening(ScriptedWorker(), "not base64!", "b2s=", options=options) as scene:
        await asyncio.sleep(0.05)

        assert [call.value.value for call in scene.worker.calls] == ["ok"]
        assert scene.poison.texts() == ["not base64!"]


async def test_a_long_running_function_keeps_its_message() -> None:
    async def work_for_a_minute(_call: Call) -> Answer:
        await asyncio.sleep(60)
        return SUCCESS

    async with listening(ScriptedWorker(work_for_a_minute), "long") as scene:
        await asyncio.sleep(59)
        assert (len(scene.worker.calls), scene.queue.visible()) == (1, [])

        await asyncio.sleep(2)

        assert scene.queue.texts() == []


async def test_no_more_messages_run_at_once_than_host_json_allows() -> None:
    running, most = 0, 0

    async def count(call: Call) -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1 + int(call.value.value) / 10)
        running -= 1
        return SUCCESS

    async with listening(ScriptedWorker(count), *map(str, range(30))) as scene:
        await asyncio.sleep(30)

        assert len(scene.worker.calls) == 30
        assert most == OPTIONS.batch_size + OPTIONS.new_batch_threshold


async def test_one_at_a_time_means_one_at_a_time() -> None:
    running: list[int] = []

    async def alone(_call: Call) -> Answer:
        running.append(len(running) + 1)
        assert len(running) == 1
        await asyncio.sleep(1)
        running.pop()
        return SUCCESS

    options = QueueOptions(batch_size=1, new_batch_threshold=0, message_encoding=MessageEncoding.NONE)
    async with listening(ScriptedWorker(alone), "a", "b", "c", options=options) as scene:
        await asyncio.sleep(4)

        assert len(scene.worker.calls) == 3
        assert scene.queue.texts() == []


async def test_an_empty_queue_is_asked_ever_more_rarely_and_a_found_message_resets_that() -> None:
    async with listening(ScriptedWorker()) as scene:
        await asyncio.sleep(60)
        looks = scene.queue.looks
        gaps = [later - earlier for earlier, later in itertools.pairwise(looks)]
        assert gaps[0] < 0.15
        assert max(gaps) == pytest.approx(OPTIONS.max_polling_interval.total_seconds())
        assert len(looks) < 45

        await scene.queue.send("found")
        await asyncio.sleep(2.1)

        assert len(scene.worker.calls) == 1
        assert looks[-1] - looks[-2] < 1


async def test_a_message_sent_by_this_host_is_taken_at_once() -> None:
    async with listening(ScriptedWorker()) as scene:
        await asyncio.sleep(60)
        await scene.queue.send("quick")

        scene.listener.notify()
        await asyncio.sleep(0.01)

        assert scene.queue.texts() == []


async def test_a_message_sent_by_this_host_during_a_look_is_taken_by_the_next() -> None:
    async with listening(ScriptedWorker()) as scene:
        await asyncio.sleep(60)
        scene.queue.latency = 0.01
        scene.listener.notify()
        await asyncio.sleep(0.005)
        await scene.queue.send("during")
        scene.listener.notify()
        await asyncio.sleep(0.02)

        assert scene.queue.texts() == []


async def test_messages_that_arrive_after_the_stop_are_given_back() -> None:
    async with listening(ScriptedWorker()) as scene:
        await asyncio.sleep(60)
        scene.queue.latency = 1
        await scene.queue.send("late")
        scene.listener.notify()
        await asyncio.sleep(0.5)
        scene.listener.stop()
        await asyncio.sleep(1)

        assert scene.worker.calls == []
        assert scene.queue.visible() == ["late"]


async def test_an_outage_of_the_queue_service_is_waited_out() -> None:
    async with listening(ScriptedWorker(), "patient") as scene:
        scene.queue.down = True
        await asyncio.sleep(60)
        assert scene.worker.calls == []

        scene.queue.down = False
        await asyncio.sleep(3)

        assert scene.queue.texts() == []


async def test_a_queue_that_was_deleted_is_made_again() -> None:
    async with listening(ScriptedWorker()) as scene:
        await asyncio.sleep(1)
        scene.queue.exists = False
        await asyncio.sleep(5)

        assert scene.queue.exists


async def test_an_outage_shorter_than_half_a_lease_costs_a_running_function_nothing() -> None:
    async def work_for_a_minute(_call: Call) -> Answer:
        await asyncio.sleep(60)
        return SUCCESS

    async with listening(ScriptedWorker(work_for_a_minute), "long") as scene:
        await asyncio.sleep(11)
        scene.queue.down = True
        await asyncio.sleep(3)
        scene.queue.down = False
        await asyncio.sleep(50)

        assert (len(scene.worker.calls), scene.queue.texts()) == (1, [])


async def test_an_outage_at_the_end_of_a_function_means_that_it_runs_again() -> None:
    async def work(_call: Call) -> Answer:
        await asyncio.sleep(1)
        return SUCCESS

    async with listening(ScriptedWorker(work), "twice") as scene:
        await asyncio.sleep(0.5)
        scene.queue.down = True
        await asyncio.sleep(2)
        scene.queue.down = False
        await asyncio.sleep(20)

        assert len(scene.worker.calls) == 2
        assert scene.queue.texts() == []


async def test_a_stopped_listener_finishes_what_it_has_and_gives_the_rest_back() -> None:
    async def work(call: Call) -> Answer:
        await asyncio.sleep(float(call.value.value))
        return SUCCESS

    async with listening(ScriptedWorker(work), "1", "1000") as scene:
        await asyncio.sleep(0.5)
        scene.listener.stop()
        await scene.listener.finish(timedelta(seconds=5))

        assert now() == 5.5
        assert scene.queue.texts() == ["1000"]
        assert scene.queue.visible() == ["1000"]
        assert scene.poison.texts() == []


async def test_a_copy_that_fails_leaves_the_message_where_it_is() -> None:
    async with listening(ScriptedWorker(fail), "bad", options=QueueOptions(max_dequeue_count=1)) as scene:
        scene.poison.down = True
        await asyncio.sleep(5)
        assert scene.queue.texts() == ["bad"]

        scene.poison.down = False
        await asyncio.sleep(20)

        assert (scene.queue.texts(), scene.poison.texts()) == ([], ["bad"])


def test_a_pause_is_at_least_a_tenth_of_a_second_and_at_most_the_longest() -> None:
    pauses = Pauses(longest=timedelta(seconds=1), rng=random.Random(1))

    seconds = [pauses.next().total_seconds() for _ in range(40)]

    assert min(seconds) >= 0.1
    assert seconds[-1] == 1
