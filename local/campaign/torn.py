"""The app's state in memory, on storage services that are away while the weather says so."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

from local.campaign.cases import Kind
from local.campaign.weather import StormyAzure
from local.memory import RUNNING_VISIBILITY, Delivery, MemoryLeases, MemoryLedger, MemoryWorkQueue
from local.memory_index import MemoryOwnerIndex
from shared.core.arm import ResourceId
from shared.core.errors import Unavailable
from shared.core.requests import WorkMessage
from shared.engine.ports import Clock, HistoryPage, LedgerEntry
from shared.engine.records import HistoryEntry, LedgerRow

_LOOK_AGAIN = 10.0
"""Seconds until the host asks a queue service that does not answer again."""


def _demand(azure: StormyAzure, kind: Kind) -> None:
    if azure.out(kind):
        raise Unavailable(f"The storage service is away: {kind}.", operation="use the app's storage")


class TornLedger(MemoryLedger):
    def __init__(self, azure: StormyAzure) -> None:
        super().__init__()
        self._azure = azure

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        _demand(self._azure, Kind.TABLE_DOWN)
        return await super().read(registry)

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        _demand(self._azure, Kind.TABLE_DOWN)
        return await super().write(row, etag)

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        _demand(self._azure, Kind.TABLE_DOWN)
        await super().append(entries)

    async def history_page(self, registry: ResourceId | None, limit: int = 100, after: str = "") -> HistoryPage:
        _demand(self._azure, Kind.TABLE_DOWN)
        return await super().history_page(registry, limit, after)


class TornIndex(MemoryOwnerIndex):
    def __init__(self, azure: StormyAzure) -> None:
        super().__init__()
        self._azure = azure

    async def find(self, resource: ResourceId) -> tuple[ResourceId, ...]:
        _demand(self._azure, Kind.TABLE_DOWN)
        return await super().find(resource)

    async def note(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        _demand(self._azure, Kind.TABLE_DOWN)
        await super().note(registry, resources)

    async def forget(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        _demand(self._azure, Kind.TABLE_DOWN)
        await super().forget(registry, resources)


class TornLeases(MemoryLeases):
    def __init__(self, azure: StormyAzure) -> None:
        super().__init__()
        self._azure = azure

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._hold_if_there(name)

    @asynccontextmanager
    async def _hold_if_there(self, name: str) -> AsyncIterator[None]:
        _demand(self._azure, Kind.BLOB_DOWN)
        async with super().hold(name):
            yield


class TornQueue(MemoryWorkQueue):
    """While it is away, nothing is sent or received, and what was received cannot be deleted: it comes again."""

    def __init__(self, clock: Clock, azure: StormyAzure) -> None:
        super().__init__(clock)
        self._azure = azure

    async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
        _demand(self._azure, Kind.QUEUE_DOWN)
        await super().send(message, delay)

    async def receive(self, *, most: int = 32, hide_for: timedelta = RUNNING_VISIBILITY) -> tuple[Delivery, ...]:
        if self._azure.out(Kind.QUEUE_DOWN):
            return ()
        return await super().receive(most=most, hide_for=hide_for)

    async def delete(self, delivery: Delivery) -> bool:
        return not self._azure.out(Kind.QUEUE_DOWN) and await super().delete(delivery)

    async def release(self, delivery: Delivery, delay: timedelta = timedelta()) -> bool:
        return not self._azure.out(Kind.QUEUE_DOWN) and await super().release(delivery, delay)

    async def wait(self) -> None:
        if self._azure.out(Kind.QUEUE_DOWN):
            await asyncio.sleep(_LOOK_AGAIN)
        else:
            await super().wait()
