"""The queue on which a sweep asks for its own next step, on Azure Storage Queues."""

from datetime import timedelta

from shared.cloud.state_clients import StateAccount
from shared.cloud.text_queue import TextQueue
from shared.core.sweeps import SweepMessage


class StorageSweepQueue:
    """`engine.sweep_ports.SweepQueue` on a storage queue, which is created when it is missed."""

    def __init__(self, account: StateAccount, name: str = "registry-work-sweep") -> None:
        self._texts = TextQueue(account, name)

    async def send(self, message: SweepMessage, delay: timedelta = timedelta()) -> None:
        """Enqueue *message*, visible after *delay*."""
        await self._texts.put(message.encode(), delay)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._texts.aclose()
