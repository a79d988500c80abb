"""
The two worlds in which the state contracts hold: memory in virtual time, and Azure Storage as Azurite plays it.

A test asks for `ledger`, `work_queue` or `leases` and runs once in each.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest

from local.memory import MemoryLeases, MemoryLedger, MemoryWorkQueue
from shared.cloud.clock import SystemClock
from shared.cloud.leases import BlobLeases
from shared.cloud.ledger import TableLedger
from shared.cloud.state_clients import StateAccount
from shared.cloud.work_queue import StorageWorkQueue
from shared.engine.ports import Clock, Leases, Ledger, WorkQueue
from tests.fixtures.azurite import azurite
from tests.virtual_time import LoopClock

__all__ = ["azurite"]

MEMORY = pytest.param("memory", marks=pytest.mark.virtual_time)
AZURITE = pytest.param("azurite", marks=pytest.mark.slow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a receiver of the queue sees of a message."""

    text: str
    dequeue_count: int


class Receiver(Protocol):
    """The Functions host's side of the queue."""

    async def receive(self, *, hide_seconds: int) -> list[Received]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueWorld:
    queue: WorkQueue
    receiver: Receiver
    clock: Clock


@pytest.fixture(params=[MEMORY, AZURITE])
def world(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def azurite_account(azurite: str) -> StateAccount:
    return StateAccount(connection_string=azurite)


@pytest.fixture
async def ledger(world: str, request: pytest.FixtureRequest) -> AsyncIterator[Ledger]:
    if world == "memory":
        yield MemoryLedger()
        return
    account: StateAccount = request.getfixturevalue("azurite_account")
    suffix = uuid4().hex[:8]
    tables = TableLedger(account, rows=f"registries{suffix}", history=f"history{suffix}")
    yield tables
    await tables.aclose()


@pytest.fixture
async def work_queue(world: str, request: pytest.FixtureRequest) -> AsyncIterator[QueueWorld]:
    if world == "memory":
        memory = MemoryWorkQueue(LoopClock())
        yield QueueWorld(queue=memory, receiver=_MemoryReceiver(memory), clock=LoopClock())
        return
    account: StateAccount = request.getfixturevalue("azurite_account")
    name = f"registry-work-{uuid4().hex[:8]}"
    queue = StorageWorkQueue(account, name)
    yield QueueWorld(queue=queue, receiver=_StorageReceiver(account, name), clock=SystemClock())
    await queue.aclose()


@pytest.fixture
async def leases(world: str, request: pytest.FixtureRequest) -> AsyncIterator[Leases]:
    if world == "memory":
        yield MemoryLeases()
        return
    blobs = BlobLeases(request.getfixturevalue("azurite_account"), SystemClock(), container=f"leases-{uuid4().hex[:8]}")
    yield blobs
    await blobs.aclose()


class _MemoryReceiver:
    def __init__(self, queue: MemoryWorkQueue) -> None:
        self._queue = queue

    async def receive(self, *, hide_seconds: int) -> list[Received]:
        deliveries = await self._queue.receive(hide_for=timedelta(seconds=hide_seconds))
        return [Received(text=each.text, dequeue_count=each.dequeue_count) for each in deliveries]


class _StorageReceiver:
    def __init__(self, account: StateAccount, name: str) -> None:
        self._account = account
        self._name = name

    async def receive(self, *, hide_seconds: int) -> list[Received]:
        async with self._account.queue(self._name) as client:
            messages = client.receive_messages(max_messages=32, visibility_timeout=hide_seconds)
            return [
                Received(text=str(message.content), dequeue_count=int(message.dequeue_count or 0))
                async for message in messages
            ]
