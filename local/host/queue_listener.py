"""
The queue trigger: takes messages, runs the function, and decides what becomes of each message.

| after an invocation                             | the message is                                   |
|-------------------------------------------------|--------------------------------------------------|
| succeeded                                       | deleted                                          |
| failed, dequeued less than maxDequeueCount      | hidden for visibilityTimeout, then tried again   |
| failed, dequeued maxDequeueCount times          | moved to QUEUE-poison                            |
| failed, and the queue is itself a poison queue  | left hidden until its lease ends                 |
| not started: dequeued more often than allowed   | moved to QUEUE-poison                            |
| not started: not in the configured encoding     | moved to QUEUE-poison                            |
| interrupted by the host's shutdown              | visible again at once                            |
| interrupted by the host's death                 | visible again when its lease ends                |

These are the rules of the storage queues extension (queue trigger reference: poison messages, polling algorithm).
Delivery is at least once: what is deleted too late runs again.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta

from local.host.functions import Function
from local.host.host_json import QueueOptions
from local.host.invocations import Invoker
from local.host.protos import TypedData
from local.host.queues import Message, Queue, QueueUnavailable, UndecodableMessage, decode, metadata_of

log = logging.getLogger("host.queue")

SHORTEST_PAUSE = timedelta(milliseconds=100)  # queue trigger reference, "Polling algorithm"
DEFAULT_LEASE = timedelta(seconds=15)
POISON = "-poison"


@dataclass(slots=True, kw_only=True)
class Pauses:
    """How long to wait before looking again: from 100 ms to the longest, growing while the queue stays empty."""

    longest: timedelta
    rng: random.Random
    _empty_looks: int = field(default=0, init=False)

    def reset(self) -> None:
        self._empty_looks = 0

    def next(self) -> timedelta:
        grown = SHORTEST_PAUSE * (1 << min(self._empty_looks, 30))
        self._empty_looks += 1
        return max(SHORTEST_PAUSE, min(self.longest, grown * self.rng.uniform(0.8, 1.2)))


class QueueListener:
    """One function's queue trigger. `run` works until `stop`; `finish` waits for what is running."""

    def __init__(
        self,
        function: Function,
        *,
        queue: Queue,
        poison_queue: Queue | None,
        options: QueueOptions,
        invoker: Invoker,
        lease: timedelta = DEFAULT_LEASE,
        rng: random.Random,
    ) -> None:
        self._function = function
        self._queue = queue
        self._poison_queue = poison_queue
        self._options = options
        self._invoker = invoker
        self._lease = lease
        self._pauses = Pauses(longest=options.max_polling_interval, rng=rng)
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._freed = asyncio.Event()
        self._stopping = asyncio.Event()

    @property
    def queue_name(self) -> str:
        return self._queue.name

    async def run(self) -> None:
        """Look for messages and start them, until `stop`. An unavailable queue is a reason to wait, not to end."""
        ready = False
        while not self._stopping.is_set():
            self._wake.clear()  # before looking: a message sent during the look must not be missed
            try:
                if not ready:
                    await self._queue.create()
                    ready = True
                found = await self._take_batch()
            except QueueUnavailable as error:
                log.warning("function=%s waits: %s", self._function.name, error)
                found = ready = False  # the queue itself may be gone, with the storage account's data
            if found:
                self._pauses.reset()
            else:
                await self._pause(self._pauses.next())

    def notify(self) -> None:
        """Look now: somebody has just put a message into this queue."""
        self._pauses.reset()
        self._wake.set()

    def stop(self) -> None:
        """Take no further messages."""
        self._stopping.set()
        self._wake.set()
        self._freed.set()

    async def finish(self, patience: timedelta) -> None:
        """Wait for the messages in work; those that take longer than *patience* are given back to the queue."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=patience.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _take_batch(self) -> bool:
        await self._wait_for_room()
        if self._stopping.is_set():
            return False
        messages = await self._queue.receive(self._options.batch_size, self._lease)
        if self._stopping.is_set():  # nobody would wait for these
            for message in messages:
                await self._settle(self._queue.hide(message, timedelta(0)))
            return False
        for message in messages:
            task = asyncio.create_task(self._process(message), name=f"message {message.id}")
            self._running.add(task)
            task.add_done_callback(self._done)
        return bool(messages)

    async def _wait_for_room(self) -> None:
        while len(self._running) > self._options.new_batch_threshold and not self._stopping.is_set():
            self._freed.clear()
            await self._freed.wait()

    async def _pause(self, time: timedelta) -> None:
        if self._stopping.is_set():
            return
        try:
            async with asyncio.timeout(time.total_seconds()):
                await self._wake.wait()
        except TimeoutError:
            return

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._freed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("function=%s could not finish a message", self._function.name, exc_info=error)

    async def _process(self, message: Message) -> None:
        if message.dequeue_count > self._options.max_dequeue_count:
            await self._bury(message, f"it was dequeued {message.dequeue_count} times")
            return
        try:
            body = decode(message.text, self._options.message_encoding)
        except UndecodableMessage as error:
            await self._bury(message, str(error))
            return
        lease = _Lease(self._queue, message, self._lease)
        try:
            succeeded = await self._run(message, body)
        except asyncio.CancelledError:
            await self._settle(self._queue.hide(await lease.end(), timedelta(0)))
            raise
        await self._conclude(await lease.end(), succeeded=succeeded)

    async def _run(self, message: Message, body: str | bytes) -> bool:
        invocation = await self._invoker.invoke(
            self._function,
            TypedData(string=body) if isinstance(body, str) else TypedData(bytes=body),
            reason=f"message {message.id} of queue {self._queue.name}, dequeued {message.dequeue_count} times",
            metadata=metadata_of(message, body),
        )
        return invocation.succeeded

    async def _conclude(self, message: Message, *, succeeded: bool) -> None:
        if succeeded:
            await self._settle(self._queue.delete(message))
        elif self._poison_queue is not None and message.dequeue_count < self._options.max_dequeue_count:
            await self._settle(self._queue.hide(message, self._options.visibility_timeout))
        else:
            await self._bury(message, f"its function failed {message.dequeue_count} times")

    async def _bury(self, message: Message, why: str) -> None:
        """Move *message* to the poison queue; a message of a poison queue stays, hidden until its lease ends."""
        if self._poison_queue is None:
            log.error("message=%s of queue=%s stays where it is: %s", message.id, self.queue_name, why)
            return
        log.error(
            "message=%s of queue=%s goes to queue=%s: %s", message.id, self.queue_name, self._poison_queue.name, why
        )
        await self._settle(self._move(message, self._poison_queue))

    async def _move(self, message: Message, target: Queue) -> None:
        await target.send(message.text)  # first the copy: a crash in between leaves two messages, never none
        await self._queue.delete(message)

    async def _settle(self, step: Awaitable[object]) -> None:
        try:
            await step
        except QueueUnavailable as error:
            log.error("function=%s: %s. The message will come back.", self._function.name, error)  # noqa: TRY400 -- expected


class _Lease:
    """Keeps one message hidden while its function runs, renewing at half time."""

    def __init__(self, queue: Queue, message: Message, length: timedelta) -> None:
        self._queue = queue
        self._message = message
        self._length = length
        self._ended = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep(), name=f"lease of message {message.id}")

    async def end(self) -> Message:
        """Stop renewing; answers the message with its newest pop receipt, without which nobody may delete it."""
        self._ended.set()  # not cancelled: a renewal on its way changes the pop receipt, and must report it
        await self._keeper
        return self._message

    async def _keep(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._length.total_seconds() / 2):
                    await self._ended.wait()
            except TimeoutError:
                await self._renew()
            else:
                return

    async def _renew(self) -> None:
        try:
            self._message = await self._queue.hide(self._message, self._length)
        except QueueUnavailable as error:  # tried again at the next half time: there may be an outage, soon over
            log.warning("message=%s may come back while it is worked on: %s", self._message.id, error)
