"""What the app stands on besides Azure's resources, as torn as the weather: its own storage, and its tokens."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.core.rest import HttpRequest

from local.campaign.kinds import Kind
from local.campaign.weather import StormyAzure
from local.house import SimulatedCredential
from local.memory import RUNNING_VISIBILITY, Delivery, MemoryLeases, MemoryLedger, MemoryWorkQueue
from local.memory_index import MemoryOwnerIndex
from local.memory_sweeps import MemorySweeps
from local.simulator.transport import SimulatedResponse
from local.simulator.wire import Response
from shared.core.arm import ResourceId
from shared.core.errors import Unavailable
from shared.core.requests import WorkMessage
from shared.core.sweeps import SweepRecord
from shared.engine.ports import Clock, HistoryPage, LedgerEntry
from shared.engine.records import HistoryEntry, LedgerRow
from shared.engine.sweep_ports import SweepEntry

_LOOK_AGAIN = 10.0
"""Seconds until the host asks a queue service that does not answer again."""
_LAPSES = (timedelta(), timedelta(seconds=1), timedelta(seconds=25))
"""Until a message comes again: at once, in the middle of an ordinary pass, and after a pass's claim has ended."""
_OPERATION = "use the app's storage"


class Tear:
    """Stands between a caller and one service of the app's storage."""

    def __init__(self, azure: StormyAzure, outage: Kind) -> None:
        self.azure = azure
        self._outage = outage

    def demand(self) -> None:
        """
        Refuse while the service is away.

        Raises:
            Unavailable: It is.
        """
        if self.azure.out(self._outage):
            raise Unavailable(f"The storage service is away: {self._outage}.", operation=_OPERATION)

    async def through[Result](self, asked: str, call: Coroutine[Any, Any, Result]) -> Result:
        """Await *call*, unless it is torn: then it fails before it took effect, or after."""
        kind = None if self.azure.out(self._outage) else self.azure.store_call(asked)
        if kind is Kind.STORE_RESET or self.azure.out(self._outage):
            call.close()
            raise Unavailable(f"The storage service did not answer {asked}.", operation=_OPERATION)
        result = await call
        if kind is Kind.STORE_LOST:
            raise Unavailable(f"The answer of the storage service to {asked} was lost.", operation=_OPERATION)
        return result


class TornLedger(MemoryLedger):
    def __init__(self, azure: StormyAzure) -> None:
        super().__init__()
        self._tear = Tear(azure, Kind.TABLE_DOWN)

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        return await self._tear.through("read row", super().read(registry))

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        return await self._tear.through("write row", super().write(row, etag))

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        await self._tear.through("append history", super().append(entries))

    async def history_page(self, registry: ResourceId | None, limit: int = 100, after: str = "") -> HistoryPage:
        self._tear.demand()
        return await super().history_page(registry, limit, after)

    async def seen(self, registry: ResourceId) -> LedgerRow | None:
        """The row, for somebody who is not the app and sees it always."""
        entry = await super().read(registry)
        return entry.row if entry else None

    async def told(self, registry: ResourceId) -> tuple[HistoryEntry, ...]:
        """The history, newest first, for the same."""
        return (await super().history_page(registry, 1000)).entries


class TornIndex(MemoryOwnerIndex):
    def __init__(self, azure: StormyAzure) -> None:
        super().__init__()
        self._tear = Tear(azure, Kind.TABLE_DOWN)

    async def find(self, resource: ResourceId) -> tuple[ResourceId, ...]:
        return await self._tear.through("read index", super().find(resource))

    async def note(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        await self._tear.through("write index", super().note(registry, resources))

    async def forget(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        await self._tear.through("write index", super().forget(registry, resources))


class TornSweeps(MemorySweeps):
    def __init__(self, azure: StormyAzure) -> None:
        super().__init__()
        self._tear = Tear(azure, Kind.TABLE_DOWN)

    async def begin(self, record: SweepRecord, after: str) -> SweepEntry:
        return await self._tear.through("begin sweep", super().begin(record, after))

    async def read(self, sweep: str) -> SweepEntry | None:
        return await self._tear.through("read sweep", super().read(sweep))

    async def write(self, record: SweepRecord, etag: str) -> SweepEntry:
        return await self._tear.through("write sweep", super().write(record, etag))


class TornLeases(MemoryLeases):
    def __init__(self, azure: StormyAzure) -> None:
        super().__init__()
        self._tear = Tear(azure, Kind.BLOB_DOWN)

    @property
    def held(self) -> frozenset[str]:
        """The leases that somebody has at present."""
        return frozenset(self._held)

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._hold_if_there(name)

    @asynccontextmanager
    async def _hold_if_there(self, name: str) -> AsyncIterator[None]:
        self._tear.demand()
        if self._tear.azure.store_call("take lease"):
            raise Unavailable("The blob service did not answer.", operation=_OPERATION)
        async with super().hold(name):
            yield


class TornQueue(MemoryWorkQueue):
    """
    While it is away, nothing is sent or received, and what was received cannot be deleted: it comes again.

    At other times it gives out each message twice, as a queue does that was not told in time that somebody is at work.
    """

    def __init__(self, clock: Clock, azure: StormyAzure) -> None:
        super().__init__(clock)
        self._azure = azure
        self._tear = Tear(azure, Kind.QUEUE_DOWN)
        self._again: set[str] = set()
        self._lapses = itertools.cycle(_LAPSES)

    async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
        await self._tear.through("send message", super().send(message, delay))

    async def receive(self, *, most: int = 32, hide_for: timedelta = RUNNING_VISIBILITY) -> tuple[Delivery, ...]:
        if self._azure.out(Kind.QUEUE_DOWN):
            return ()
        received = await super().receive(most=most, hide_for=hide_for)
        for delivery in received if self._azure.out(Kind.MESSAGE_TWICE) else ():
            if delivery.text not in self._again:
                self._again.add(delivery.text)
                self.put(delivery.text, next(self._lapses))
        return received

    async def delete(self, delivery: Delivery) -> bool:
        return not self._azure.out(Kind.QUEUE_DOWN) and await super().delete(delivery)

    async def release(self, delivery: Delivery, delay: timedelta = timedelta()) -> bool:
        return not self._azure.out(Kind.QUEUE_DOWN) and await super().release(delivery, delay)

    async def wait(self) -> None:
        if self._azure.out(Kind.QUEUE_DOWN):
            await asyncio.sleep(_LOOK_AGAIN)
        else:
            await super().wait()


class TornCredential(SimulatedCredential):
    """No tokens while their service is away: now no connection, now an error of the server, as azure-identity says it."""

    def __init__(self, azure: StormyAzure, principal: str) -> None:
        super().__init__(azure, principal)
        self._weather = azure
        self._refusals = 0

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        if not self._weather.out(Kind.TOKEN_DOWN):
            return await super().get_token(*scopes, **options)
        self._refusals += 1
        if self._refusals % 2:
            raise ServiceRequestError("Cannot connect to host 169.254.129.3:8081")
        asked = HttpRequest("GET", "http://169.254.129.3:8081/msi/token")
        answer = SimulatedResponse(asked, Response(500, {"Content-Type": "application/json"}, b"{}"))
        raise ClientAuthenticationError(message="Unexpected content type", response=answer)
