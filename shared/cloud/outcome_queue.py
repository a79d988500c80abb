"""The queue that wakes the delivery of outcome events, on Azure Storage Queues."""

from datetime import timedelta

from shared.cloud.state_clients import StateAccount
from shared.cloud.text_queue import TextQueue
from shared.core.outcome_messages import OutcomeMessage


class StorageOutcomeQueue:
    """`engine.outcome_ports.OutcomeQueue` on a storage queue."""

    def __init__(self, account: StateAccount, work_queue: str) -> None:
        self._texts = TextQueue(account, f"{work_queue}-outcomes")

    async def send(self, message: OutcomeMessage, delay: timedelta = timedelta()) -> None:
        """Enqueue *message*, visible after *delay*."""
        await self._texts.put(message.encode(), delay, about=message.registry.text)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._texts.aclose()
