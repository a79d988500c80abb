"""
Doubles with rules for the tests of the host: a worker that runs what a test scripts, and a queue in virtual time.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from local.host.functions import (
    AuthLevel,
    EventGridTrigger,
    Function,
    HttpTrigger,
    QueueOutput,
    QueueTrigger,
    TimerTrigger,
)
from local.host.invocations import Invoker, OutputFailed
from local.host.ncrontab import Schedule
from local.host.queues import Message, QueueUnavailable
from local.host.retries import RetryPolicy
from local.host.routes import Route
from local.host.worker import Answer, Call
from tests.virtual_time import EPOCH

SUCCESS = Answer(outputs={})

type Behaviour = Callable[[Call], Awaitable[Answer]]


async def succeed(_call: Call) -> Answer:
    return SUCCESS


async def fail(_call: Call) -> Answer:
    return Answer(error="RuntimeError: as scripted", stack_trace="Traceback: as scripted", outputs={})


class ScriptedWorker:
    """Stands in for Microsoft's worker."""

    def __init__(self, behaviour: Behaviour = succeed) -> None:
        self.behaviour = behaviour
        self.calls: list[Call] = []
        self.threads_replaced = 0

    async def run(self, call: Call) -> Answer:
        self.calls.append(call)
        return await self.behaviour(call)

    def replace_threads(self) -> None:
        self.threads_replaced += 1


class KeptOutputs:
    """Keeps what functions send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str | bytes]] = []
        self.broken = False

    async def send(self, output: QueueOutput, messages: Sequence[str | bytes]) -> None:
        if self.broken and messages:
            raise OutputFailed("the queue is gone")
        self.sent += [(output.queue, message) for message in messages]


def an_invoker(worker: ScriptedWorker, *, outputs: KeptOutputs | None = None, seconds: float = 600) -> Invoker:
    return Invoker(worker=worker, outputs=outputs or KeptOutputs(), function_timeout=timedelta(seconds=seconds))


@dataclass(slots=True, kw_only=True)
class _Stored:
    text: str
    visible_at: float
    dequeue_count: int = 0
    receipt: str = ""


@dataclass(slots=True, kw_only=True)
class VirtualQueue:
    """A storage queue on the event loop's time: leases end, receipts change, and it can be down."""

    name: str
    down: bool = False
    exists: bool = False
    latency: float = 0.0
    """Seconds from the moment messages are taken to the moment they arrive."""
    looks: list[float] = field(default_factory=list)
    """When somebody asked for messages."""
    stored: dict[str, _Stored] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def texts(self) -> list[str]:
        return [entry.text for entry in self.stored.values()]

    def visible(self) -> list[str]:
        return [entry.text for entry in self.stored.values() if entry.visible_at <= _time()]

    async def create(self) -> None:
        self._check()
        self.exists = True

    async def send(self, text: str) -> None:
        await self.create()
        self.stored[f"m{next(self._numbers)}"] = _Stored(text=text, visible_at=_time())

    async def receive(self, count: int, lease: timedelta) -> Sequence[Message]:
        self.looks.append(_time())
        self._check()
        if not self.exists:
            raise QueueUnavailable(f"{self.name} does not exist")
        taken = [(key, entry) for key, entry in self.stored.items() if entry.visible_at <= _time()][:count]
        messages = [self._take(key, entry, lease) for key, entry in taken]
        await asyncio.sleep(self.latency)
        return messages

    async def hide(self, message: Message, time: timedelta) -> Message:
        entry = self._held(message)
        return self._take(message.id, entry, time, counts=False)

    async def delete(self, message: Message) -> None:
        self._held(message)
        del self.stored[message.id]

    def _take(self, key: str, entry: _Stored, time: timedelta, *, counts: bool = True) -> Message:
        entry.visible_at = _time() + time.total_seconds()
        entry.dequeue_count += counts
        entry.receipt = f"receipt {next(self._numbers)}"
        return Message(
            id=key,
            text=entry.text,
            pop_receipt=entry.receipt,
            dequeue_count=entry.dequeue_count,
            inserted_at=EPOCH,
            expires_at=EPOCH + timedelta(days=7),
            next_visible_at=EPOCH + timedelta(seconds=entry.visible_at),
        )

    def _held(self, message: Message) -> _Stored:
        self._check()
        entry = self.stored.get(message.id)
        if entry is None or entry.receipt != message.pop_receipt:
            raise QueueUnavailable(f"{message.id} is not held with this receipt")
        return entry

    def _check(self) -> None:
        if self.down:
            raise QueueUnavailable(f"{self.name} is down")


def _time() -> float:
    return asyncio.get_running_loop().time()


def a_queue_function(*, queue: str = "work", outputs: tuple[QueueOutput, ...] = ()) -> Function:
    trigger = QueueTrigger(parameter="message", queue=queue, connection_string="")
    return Function(name="work", id="work-id", trigger=trigger, queue_outputs=outputs, http_output=None)


def an_http_function(
    name: str, route: str, *, methods: Sequence[str] = (), level: AuthLevel = AuthLevel.ANONYMOUS
) -> Function:
    trigger = HttpTrigger(parameter="req", route=Route.parse(route), methods=frozenset(methods), auth_level=level)
    return Function(name=name, id=f"{name}-id", trigger=trigger, queue_outputs=(), http_output="$return")


def an_event_grid_function(name: str = "notice") -> Function:
    trigger = EventGridTrigger(parameter="event")
    return Function(name=name, id=f"{name}-id", trigger=trigger, queue_outputs=(), http_output=None)


def a_timer_function(
    schedule: str, *, run_on_startup: bool = False, use_monitor: bool = True, retry: RetryPolicy | None = None
) -> Function:
    trigger = TimerTrigger(
        parameter="timer", schedule=Schedule.parse(schedule), run_on_startup=run_on_startup, use_monitor=use_monitor
    )
    return Function(name="tick", id="tick-id", trigger=trigger, queue_outputs=(), http_output=None, retry=retry)
