"""The queue that asks for passes, on Azure Storage Queues."""

from datetime import timedelta

from shared.cloud.state_clients import StateAccount
from shared.cloud.text_queue import LONGEST_DELAY, TextQueue, visibility_seconds
from shared.core.requests import WorkMessage

__all__ = ["LONGEST_DELAY", "StorageWorkQueue", "visibility_seconds"]


class StorageWorkQueue:
    """`engine.ports.WorkQueue` on a storage queue, which is created when it is missed."""

    def __init__(self, account: StateAccount, name: str = "registry-work") -> None:
        self._texts = TextQueue(account, name)

    async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
        """Enqueue *message*; a delay beyond the queue's limit becomes the limit, as looking early does no harm."""
        await self._texts.put(message.encode(), delay, about=message.registry.text)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._texts.aclose()
