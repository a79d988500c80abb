"""The in-memory queue and its trigger behave as a storage queue and the Functions host do; the rest is in contracts."""

import asyncio
import logging
from datetime import timedelta

import pytest

from local.memory import RUNNING_VISIBILITY, MemoryWorkQueue, QueueTrigger
from tests.virtual_time import EPOCH, LoopClock, run_virtual

pytestmark = pytest.mark.virtual_time

SECOND = timedelta(seconds=1)


class Works:
    """A queue, its poison queue, and a function that fails as often as it is told to."""

    def __init__(self, *, fails: dict[str, int] | None = None, takes: timedelta = timedelta()) -> None:
        self.clock = LoopClock()
        self.queue = MemoryWorkQueue(self.clock)
        self.poison = MemoryWorkQueue(self.clock)
        self.calls: list[tuple[str, timedelta]] = []
        self.at_once = 0
        self.most_at_once = 0
        self._fails = fails or {}
        self._takes = takes

    async def function(self, text: str) -> None:
        self.calls.append((text, self.clock.now() - EPOCH))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.clock.sleep(self._takes)
        finally:
            self.at_once -= 1
        if self._fails.get(text, 0) > 0:
            self._fails[text] -= 1
            raise ConnectionError(text)

    def trigger(self, *, concurrency: int = 24, retry_after: timedelta = timedelta()) -> QueueTrigger:
        return QueueTrigger(
            self.queue, self.function, poison=self.poison, concurrency=concurrency, retry_after=retry_after
        )


async def test_each_message_is_handed_over_once_and_is_gone() -> None:
    works = Works()
    for text in "abc":
        works.queue.put(text)

    await works.trigger().drain()

    assert [text for text, _ in works.calls] == ["a", "b", "c"]
    assert len(works.queue) == 0


async def test_a_drain_waits_for_delayed_messages() -> None:
    works = Works()
    works.queue.put("later", timedelta(minutes=10))
    works.queue.put("soon", timedelta(milliseconds=2500))

    await works.trigger().drain()

    assert works.calls == [("soon", 3 * SECOND), ("later", timedelta(minutes=10))]


async def test_a_message_that_a_function_sends_is_served_too() -> None:
    works = Works()

    async def again(text: str) -> None:
        await works.function(text)
        if len(text) < 3:
            works.queue.put(text + "!", timedelta(minutes=1))

    works.queue.put("a")
    await QueueTrigger(works.queue, again, poison=works.poison).drain()

    assert works.calls == [("a", timedelta()), ("a!", timedelta(minutes=1)), ("a!!", timedelta(minutes=2))]


async def test_a_message_whose_function_fails_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    works = Works(fails={"a": 2})
    works.queue.put("a")
    trigger = works.trigger(retry_after=5 * SECOND)

    with caplog.at_level(logging.ERROR, "local.memory"):
        await trigger.drain()

    assert works.calls == [("a", timedelta()), ("a", 5 * SECOND), ("a", 10 * SECOND)]
    assert [str(failure) for failure in trigger.failures] == ["a", "a"]
    assert len(works.poison) == 0
    assert [record.message for record in caplog.records] == ["function failed"] * 2


async def test_a_message_that_fails_five_times_is_poison_and_the_others_go_on() -> None:
    works = Works(fails={"bad": 99})
    works.queue.put("bad")
    works.queue.put("good")

    await works.trigger().drain()

    assert [text for text, _ in works.calls].count("bad") == 5
    assert [text for text, _ in works.calls].count("good") == 1
    assert [each.text for each in await works.poison.receive()] == ["bad"]


async def test_no_more_calls_run_at_once_than_the_host_allows() -> None:
    works = Works(takes=SECOND)
    for number in range(7):
        works.queue.put(str(number))

    await works.trigger(concurrency=3).drain()

    assert works.most_at_once == 3
    assert [at for _, at in works.calls] == [timedelta()] * 3 + [SECOND] * 3 + [2 * SECOND]


async def test_two_hosts_share_a_queue_without_doing_anything_twice() -> None:
    works = Works(takes=SECOND)
    for number in range(20):
        works.queue.put(str(number))

    await asyncio.gather(works.trigger(concurrency=3).drain(), works.trigger(concurrency=3).drain())

    assert sorted(text for text, _ in works.calls) == sorted(map(str, range(20)))
    assert works.most_at_once == 6


async def test_a_message_in_the_hands_of_a_killed_host_comes_again_after_ten_minutes() -> None:
    works = Works(takes=timedelta(seconds=30))
    works.queue.put("a")
    killed = asyncio.create_task(works.trigger().serve())
    await works.clock.sleep(10 * SECOND)
    killed.cancel()
    await asyncio.wait([killed])

    await works.trigger().drain()

    assert works.calls == [("a", timedelta()), ("a", RUNNING_VISIBILITY)]


async def test_a_message_that_kills_its_host_five_times_is_poison_untried() -> None:
    works = Works(takes=timedelta(seconds=30))
    works.queue.put("a")
    for _ in range(5):
        killed = asyncio.create_task(works.trigger().serve())
        await works.clock.sleep(10 * SECOND)
        killed.cancel()
        await asyncio.wait([killed])
        await works.clock.sleep(RUNNING_VISIBILITY)

    await works.trigger().drain()

    assert len(works.calls) == 5
    assert len(works.poison) == 1


async def test_a_host_that_waits_starts_at_once_when_a_message_arrives() -> None:
    works = Works()
    works.queue.put("much later", timedelta(days=1))
    serving = asyncio.create_task(works.trigger().serve())
    await works.clock.sleep(7 * SECOND)
    works.queue.put("now")
    await works.clock.sleep(SECOND)
    serving.cancel()
    await asyncio.wait([serving])

    assert works.calls == [("now", 7 * SECOND)]
    assert len(works.queue) == 1


async def test_only_the_latest_receiver_may_delete_or_release() -> None:
    clock = LoopClock()
    queue = MemoryWorkQueue(clock)
    queue.put("a")
    (early,) = await queue.receive(hide_for=SECOND)
    await clock.sleep(SECOND)
    (late,) = await queue.receive(hide_for=SECOND)

    assert not await queue.delete(early)
    assert not await queue.release(early)
    assert await queue.delete(late)
    assert not await queue.delete(late)
    assert (early.dequeue_count, late.dequeue_count) == (1, 2)


async def test_messages_come_in_the_order_in_which_they_become_visible() -> None:
    clock = LoopClock()
    queue = MemoryWorkQueue(clock)
    for text, delay in (("c", 3), ("a", 1), ("b", 2), ("a2", 1)):
        queue.put(text, timedelta(seconds=delay))
    await clock.sleep(3 * SECOND)

    assert [each.text for each in await queue.receive(most=3)] == ["a", "a2", "b"]
    assert [each.text for each in await queue.receive()] == ["c"]


def test_a_day_of_work_passes_in_a_moment_without_pytest() -> None:
    async def story() -> list[tuple[str, timedelta]]:
        works = Works()
        works.queue.put("tomorrow", timedelta(days=1))
        await works.trigger().drain()
        return works.calls

    assert run_virtual(story()) == [("tomorrow", timedelta(days=1))]
