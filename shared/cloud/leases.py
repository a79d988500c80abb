"""
Leases on Azure blobs: mutual exclusion for the few read-modify-writes that Azure does not guard with ETags.

A lease lasts as long as its context and is renewed meanwhile; when its holder dies, it ends by itself. When it is
lost (the storage account did not answer in time, somebody broke it), the holder's work is cancelled, because another
holder may have begun.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient, ContainerClient

from shared.cloud.state_clients import StateAccount
from shared.cloud.storage_errors import CONFLICT, NOT_FOUND, PRECONDITION_FAILED, error_code, named_errors
from shared.core.errors import Busy, ChangedUnderneath
from shared.core.secrets import without_secrets
from shared.engine.logs import tell
from shared.engine.ports import Clock

SHORTEST, LONGEST = timedelta(seconds=15), timedelta(seconds=60)
"""What a lease may last (documentation of Lease Blob)."""

TRY_AGAIN = timedelta(seconds=2)
"""How soon a busy lease is worth another try: its holders read and write one resource, about two seconds."""

_HELD = frozenset({"LeaseAlreadyPresent", "LeaseIsBreakingAndCannotBeAcquired"})
_NOT_OURS = frozenset({CONFLICT, NOT_FOUND, PRECONDITION_FAILED})
_QUARTERS = 4  # so a lease is tried to be renewed three times before it ends
_LONGEST_WORDS = 500


@dataclass(slots=True, kw_only=True)
class _Held:
    """A lease in hand; *until* is when it ends unless it is renewed, by this machine's clock and on the safe side."""

    name: str
    client: BlobLeaseClient
    until: datetime
    lost: str = ""


class BlobLeases:
    """`engine.ports.Leases` on the blobs of one container; container and blobs are created when they are missed."""

    def __init__(
        self,
        account: StateAccount,
        clock: Clock,
        *,
        container: str = "leases",
        duration: timedelta = timedelta(seconds=30),
    ) -> None:
        """
        Prepare to take leases; nothing is sent yet.

        Args:
            account: Holds the container.
            clock: Tells when to renew.
            container: Its name.
            duration: How long a lease outlives a holder that died; 15 to 60 whole seconds.
        """
        if not SHORTEST <= duration <= LONGEST:
            raise ValueError(f"A blob lease lasts 15 to 60 seconds, not {duration.total_seconds():g}.")
        self._account = account
        self._clock = clock
        self._name = container
        self._duration = duration
        self._client: ContainerClient | None = None

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        """
        Hold the lease called *name* while the context lasts.

        Raises:
            Busy: Somebody else holds it.
            ChangedUnderneath: It was lost while the context lasted; the work in it was cancelled.
        """
        return self._hold(name)

    async def aclose(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    @asynccontextmanager
    async def _hold(self, name: str) -> AsyncIterator[None]:
        with named_errors(f"take lease {name}"):
            held = await self._acquire(name)
        try:
            async with self._kept(held):
                yield
        finally:
            await self._release(held)

    @asynccontextmanager
    async def _kept(self, held: _Held) -> AsyncIterator[None]:
        """Renew *held* meanwhile; once it is lost, cancel what is inside and say so instead."""
        try:
            async with asyncio.timeout(None) as scope:
                keeper = asyncio.create_task(self._keep(held, scope), name=f"renew lease {held.name}")
                try:
                    yield
                finally:
                    keeper.cancel()
                    await asyncio.wait([keeper])
                    if not keeper.cancelled():
                        keeper.result()  # a bug in renewing does not go unseen
        except TimeoutError as error:
            if not scope.expired():
                raise
            raise _lost(held) from error
        if held.lost:  # in the very moment in which the work ended: it may have overlapped with another holder's
            raise _lost(held)

    async def _acquire(self, name: str) -> _Held:
        asked = self._clock.now()
        blob = self._blob(name)
        lease = BlobLeaseClient(blob)
        seconds = int(self._duration.total_seconds())
        try:
            try:
                await lease.acquire(seconds)
            except HttpResponseError as error:
                if error.status_code != NOT_FOUND:
                    raise
                await self._create(blob, name)
                await lease.acquire(seconds)
        except HttpResponseError as error:
            if error_code(error) not in _HELD:
                raise
            raise Busy(
                f"Another pass holds the lease {name}.",
                code=error_code(error),
                operation="take lease",
                retry_after=TRY_AGAIN,
            ) from error
        return _Held(name=name, client=lease, until=asked + self._duration)

    async def _keep(self, held: _Held, scope: asyncio.Timeout) -> None:
        """Renew until the lease is lost, then let *scope* expire."""
        try:
            while not held.lost:
                await self._clock.sleep(min(self._duration / _QUARTERS, held.until - self._clock.now()))
                await self._renew(held)
        except Exception as error:
            held.lost = f"renewing it failed: {error!r}"
            raise
        finally:
            if held.lost:
                scope.reschedule(asyncio.get_running_loop().time())

    async def _renew(self, held: _Held) -> None:
        """Renew once; no answer is no loss while there is time to ask again."""
        asked = self._clock.now()
        left = held.until - asked
        if left <= timedelta():
            held.lost = "it could not be renewed in time"
            return
        try:
            async with asyncio.timeout(left.total_seconds()):
                await held.client.renew()
        except HttpResponseError as error:
            if error.status_code in _NOT_OURS:
                held.lost = f"the storage account says {error_code(error)}"
            else:
                _told("not renewed", held, error)
        except (AzureError, TimeoutError) as error:
            _told("not renewed", held, error)
        else:
            held.until = asked + self._duration

    async def _release(self, held: _Held) -> None:
        """Give the lease back; if that fails it ends by itself, and the work that it guarded is done all the same."""
        if held.lost:
            return
        try:
            await held.client.release()
        except AzureError as error:
            _told("not released", held, error)

    async def _create(self, blob: BlobClient, name: str) -> None:
        """Create the blob, and the container if that is missing too; its content tells a person what it is."""
        content = name.encode()
        try:
            await _upload(blob, content)
        except HttpResponseError as error:
            if error.status_code != NOT_FOUND:
                raise
            await _create_container(self._container())
            await _upload(blob, content)

    def _blob(self, name: str) -> BlobClient:
        return self._container().get_blob_client(sha256(name.encode()).hexdigest())

    def _container(self) -> ContainerClient:
        if self._client is None:
            self._client = self._account.container(self._name)
        return self._client


def _told(what: str, held: _Held, error: Exception) -> None:
    words = without_secrets(str(error)[:_LONGEST_WORDS])
    tell("lease", level=logging.WARNING, what=what, lease=held.name, error=type(error).__name__, sentence=words)


def _lost(held: _Held) -> ChangedUnderneath:
    return ChangedUnderneath(
        f"The lease {held.name} was lost ({held.lost}); somebody else may be writing what it guards.",
        operation="hold lease",
    )


async def _upload(blob: BlobClient, content: bytes) -> None:
    try:
        await blob.upload_blob(content, overwrite=False)
    except HttpResponseError as error:  # somebody made it just now, and perhaps took the lease
        if error.status_code not in {CONFLICT, PRECONDITION_FAILED} or error_code(error) == "ContainerBeingDeleted":
            raise


async def _create_container(container: ContainerClient) -> None:
    try:
        await container.create_container()
    except ResourceExistsError as error:
        if error_code(error) != "ContainerAlreadyExists":
            raise
