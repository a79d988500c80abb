"""What is special to the work queue on Azure Storage: how a message is put, and what becomes of refusals."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from shared.cloud.work_queue import LONGEST_DELAY, StorageWorkQueue, visibility_seconds
from shared.core.errors import AccessDenied, Busy, RegistryIsolationError, Unavailable
from shared.core.requests import WorkMessage
from tests.cloud.scripted_storage import Answer, Asked, scripted_storage
from tests.contract.state import a_registry

PUT = Answer(
    status=201,
    headers={"Content-Type": "application/xml"},
    body=(
        '<?xml version="1.0"?><QueueMessagesList><QueueMessage><MessageId>1</MessageId>'
        "<InsertionTime>Mon, 05 Jan 2026 00:00:00 GMT</InsertionTime>"
        "<ExpirationTime>Fri, 31 Dec 9999 23:59:59 GMT</ExpirationTime><PopReceipt>1</PopReceipt>"
        "<TimeNextVisible>Mon, 05 Jan 2026 00:00:00 GMT</TimeNextVisible></QueueMessage></QueueMessagesList>"
    ),
)
CREATED = Answer(status=201)
NO_QUEUE = Answer(status=404, code="QueueNotFound")


@asynccontextmanager
async def a_queue(*answers: Answer) -> AsyncIterator[tuple[StorageWorkQueue, list[Asked]]]:
    async with scripted_storage(answers) as storage:
        queue = StorageWorkQueue(storage.account)
        try:
            yield queue, storage.asked
        finally:
            await queue.aclose()


def a_message() -> WorkMessage:
    return WorkMessage(registry=a_registry(), generation=1)


async def test_a_message_is_base64_delayed_and_never_expires() -> None:
    message = a_message()
    async with a_queue(PUT) as (queue, asked):
        await queue.send(message, timedelta(minutes=2, milliseconds=1))

    text = ET.fromstring(asked[0].body).findtext("MessageText") or ""  # noqa: S314 -- our own client wrote it
    assert WorkMessage.decode(base64.b64decode(text)) == message
    assert asked[0].query["visibilitytimeout"] == "121"
    assert asked[0].query["messagettl"] == "-1"
    assert asked[0].path == "/scripted/registry-work/messages"


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        (timedelta(days=-1), 0),
        (timedelta(), 0),
        (timedelta(microseconds=1), 1),
        (timedelta(seconds=5), 5),
        (timedelta(seconds=5, milliseconds=1), 6),
        (LONGEST_DELAY, 604_800),
        (timedelta(days=400), 604_800),
    ],
)
def test_a_delay_is_sent_in_whole_seconds_never_early_and_within_the_limit(delay: timedelta, seconds: int) -> None:
    assert visibility_seconds(delay) == seconds


async def test_a_missing_queue_is_created_and_the_message_sent_once_more() -> None:
    async with a_queue(NO_QUEUE, CREATED, PUT, PUT) as (queue, asked):
        await queue.send(a_message())
        await queue.send(a_message())

    assert [f"{each.method} {each.path.removeprefix('/scripted')}" for each in asked] == [
        "POST /registry-work/messages",
        "PUT /registry-work",
        "POST /registry-work/messages",
        "POST /registry-work/messages",
    ]


async def test_a_queue_that_somebody_else_just_created_is_as_good() -> None:
    async with a_queue(NO_QUEUE, Answer(status=409, code="QueueAlreadyExists"), PUT) as (queue, asked):
        await queue.send(a_message())

    assert len(asked) == 3


async def test_a_queue_that_is_being_deleted_is_busy_for_its_forty_seconds() -> None:
    async with a_queue(NO_QUEUE, Answer(status=409, code="QueueBeingDeleted")) as (queue, asked):
        with pytest.raises(Busy, match="still deleting") as busy:
            await queue.send(a_message())

    assert busy.value.retry_after == timedelta(seconds=40)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("answer", "leaf"),
    [
        (Answer(status=503, code="ServerBusy"), Unavailable),
        (Answer(status=500), Unavailable),
        (Answer(status=403, code="AuthorizationPermissionMismatch"), AccessDenied),
    ],
)
async def test_a_refusal_has_its_name_and_is_not_tried_again(
    answer: Answer, leaf: type[RegistryIsolationError]
) -> None:
    message = a_message()
    async with a_queue(answer) as (queue, asked):
        with pytest.raises(leaf) as refusal:
            await queue.send(message)

    assert len(asked) == 1
    assert refusal.value.resource_id == message.registry.text
    assert refusal.value.code == answer.code


async def test_a_queue_service_that_does_not_answer_is_unavailable() -> None:
    async with scripted_storage([PUT]) as storage:
        gone = storage.account
    queue = StorageWorkQueue(gone)

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        await queue.send(a_message())

    await queue.aclose()
