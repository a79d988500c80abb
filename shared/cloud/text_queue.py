"""
A storage queue that texts are put into, whatever they mean.

The Functions queue binding cannot delay a message, so the SDK sends it. Receiving is the Functions host's business:
visibility while a function runs, dequeue counts and the poison queue are its own.
"""

import math
from datetime import timedelta

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from shared.cloud.state_clients import StateAccount
from shared.cloud.storage_errors import error_code, named_errors

LONGEST_DELAY = timedelta(days=7)
"""The longest visibility timeout of a storage queue (documentation of Put Message)."""

# Messages would otherwise vanish after seven days, and with them the work they ask for.
_NEVER_EXPIRES = -1


class TextQueue:
    """The sending half of a storage queue, which is created when it is missed."""

    def __init__(self, account: StateAccount, name: str) -> None:
        self._account = account
        self._name = name
        self._client: QueueClient | None = None

    async def put(self, text: str, delay: timedelta = timedelta(), *, about: str = "") -> None:
        """
        Enqueue *text*; a delay beyond the queue's limit becomes the limit, as looking early does no harm.

        Args:
            about: The ARM id concerned, for errors.

        Raises:
            RegistryIsolationError: The queue did not take it.
        """
        hidden = visibility_seconds(delay)
        with named_errors(f"send a message to queue {self._name}", about):
            await self._put(text, hidden)

    async def aclose(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _put(self, text: str, hidden: int) -> None:
        client = self._queue()
        try:
            await client.send_message(text, visibility_timeout=hidden, time_to_live=_NEVER_EXPIRES)
        except ResourceNotFoundError as error:
            if error_code(error) != "QueueNotFound":
                raise
            await _create(client)
            await client.send_message(text, visibility_timeout=hidden, time_to_live=_NEVER_EXPIRES)

    def _queue(self) -> QueueClient:
        if self._client is None:
            self._client = self._account.queue(self._name)
        return self._client


def visibility_seconds(delay: timedelta) -> int:
    """*delay* as the service takes it: whole seconds, never early, within its limit."""
    return math.ceil(min(max(delay, timedelta()), LONGEST_DELAY).total_seconds())


async def _create(client: QueueClient) -> None:
    try:
        await client.create_queue()
    except ResourceExistsError as error:  # another sender was faster, unless the name is still being deleted
        if error_code(error) != "QueueAlreadyExists":
            raise
