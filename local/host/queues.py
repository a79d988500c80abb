"""
Storage queues, as the host needs them: a small port, and Azure Storage behind it.

The port exists so that the listener's rules (leases, poison queues, pauses) can be tested in virtual time.
"""

import base64
import binascii
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage as StorageMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.functions import QueueOutput
from local.host.host_json import MessageEncoding
from local.host.invocations import OutputFailed
from local.host.protos import TypedData

MESSAGE_LIVES = timedelta(days=7)  # the queue service's default time to live


class QueueUnavailable(RuntimeError):
    """The queue service did not do what was asked; the sentence says what and why."""


class UndecodableMessage(ValueError):
    """The message's text is not in the configured encoding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that this host holds, until its lease ends."""

    id: str
    text: str
    """As in the queue, still encoded."""
    pop_receipt: str
    dequeue_count: int
    inserted_at: datetime
    expires_at: datetime
    next_visible_at: datetime


class Queue(Protocol):
    """One queue. Every call may raise QueueUnavailable."""

    name: str

    async def create(self) -> None:
        """Must leave the queue existing, whether or not it was."""

    async def receive(self, count: int, lease: timedelta) -> Sequence[Message]:
        """Take up to *count* messages and hide them for *lease*."""

    async def hide(self, message: Message, time: timedelta) -> Message:
        """Hide a held message for *time* from now; must return it with its new pop receipt."""

    async def delete(self, message: Message) -> None: ...

    async def send(self, text: str) -> None:
        """Append an already encoded message; must create the queue when it is missing."""


def encode(body: str | bytes, encoding: MessageEncoding) -> str:
    """A message's text in the queue."""
    raw = body.encode() if isinstance(body, str) else body
    if encoding is MessageEncoding.NONE:
        return raw.decode()
    return base64.b64encode(raw).decode()


def decode(text: str, encoding: MessageEncoding) -> str | bytes:
    """
    A message's body: text where it is UTF-8, else bytes.

    Raises:
        UndecodableMessage: *text* is not base64 although host.json says so.
    """
    if encoding is MessageEncoding.NONE:
        return text
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UndecodableMessage(f"the message is not base64 ({error}), but messageEncoding is base64") from error
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def metadata_of(message: Message, body: str | bytes) -> Mapping[str, TypedData]:
    """A queue trigger's metadata, by the names that the worker reads."""
    texts = {
        "Id": message.id,
        "PopReceipt": message.pop_receipt,
        "InsertionTime": message.inserted_at.isoformat(),
        "ExpirationTime": message.expires_at.isoformat(),
        "NextVisibleTime": message.next_visible_at.isoformat(),
        "QueueTrigger": body if isinstance(body, str) else message.text,
    }
    metadata = {name: TypedData(string=text) for name, text in texts.items()}
    return metadata | {"DequeueCount": TypedData(json=str(message.dequeue_count))}


class StorageQueue:
    """A queue of a storage account."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client
        self.name: str = client.queue_name

    async def create(self) -> None:
        with self._doing("create"), contextlib.suppress(ResourceExistsError):
            await self._client.create_queue()

    async def receive(self, count: int, lease: timedelta) -> Sequence[Message]:
        with self._doing("read"):
            pages = self._client.receive_messages(
                max_messages=count, messages_per_page=count, visibility_timeout=_seconds(lease)
            )
            return [_message(received) async for received in pages]

    async def hide(self, message: Message, time: timedelta) -> Message:
        with self._doing("update a message of"):
            changed = await self._client.update_message(
                message.id, message.pop_receipt, visibility_timeout=_seconds(time)
            )
        return replace(message, pop_receipt=str(changed.pop_receipt))

    async def delete(self, message: Message) -> None:
        with self._doing("delete a message of"):
            await self._client.delete_message(message.id, message.pop_receipt)

    async def send(self, text: str) -> None:
        with self._doing("send to"):
            try:
                await self._client.send_message(text)
            except ResourceNotFoundError:
                await self.create()
                await self._client.send_message(text)

    @contextlib.contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        try:
            yield
        except AzureError as error:
            reason = str(error).partition("\n")[0]
            raise QueueUnavailable(f"Could not {what} the queue {self.name}: {reason}") from error


class StorageQueues:
    """Every queue that the host uses: one client per storage account, closed together."""

    def __init__(self) -> None:
        self._services: dict[str, QueueServiceClient] = {}

    def queue(self, connection_string: str, name: str) -> StorageQueue:
        if connection_string not in self._services:
            self._services[connection_string] = QueueServiceClient.from_connection_string(
                connection_string,
                initial_backoff=1,  # seconds; the SDK's own first pause is 15
                increment_base=1,
                random_jitter_range=1,
                retry_total=2,
                logger=logging.getLogger("host.storage"),
                use_env_settings=False,
            )
        return StorageQueue(self._services[connection_string].get_queue_client(name))

    async def close(self) -> None:
        for service in self._services.values():
            await service.close()


class QueueOutputs:
    """Sends what functions put into queue outputs."""

    def __init__(self, queues: StorageQueues, encoding: MessageEncoding, *, sent: Callable[[str], None]) -> None:
        """*sent* is told the queue's name, so that a listener in this process need not wait for its next look."""
        self._queues = queues
        self._encoding = encoding
        self._sent = sent

    async def send(self, output: QueueOutput, messages: Sequence[str | bytes]) -> None:
        queue = self._queues.queue(output.connection_string, output.queue)
        try:
            for message in messages:
                await queue.send(encode(message, self._encoding))
                self._sent(queue.name)
        except QueueUnavailable as error:
            raise OutputFailed(str(error)) from error
        except UnicodeDecodeError as error:
            raise OutputFailed(
                f"A message for the queue {queue.name} is not UTF-8, and messageEncoding is none."
            ) from error


def _message(received: StorageMessage) -> Message:
    return Message(
        id=str(received.id),
        text=str(received.content),
        pop_receipt=str(received.pop_receipt),
        dequeue_count=int(received.dequeue_count or 0),
        inserted_at=_moment(received.inserted_on),
        expires_at=_moment(received.expires_on),
        next_visible_at=_moment(received.next_visible_on),
    )


def _moment(value: datetime | None) -> datetime:
    if value is None:
        raise QueueUnavailable("The queue service sent a message without its times.")
    return value


def _seconds(span: timedelta) -> int:
    """Whole seconds, rounded up: the queue service knows no smaller unit."""
    return -int(-span.total_seconds() // 1)
