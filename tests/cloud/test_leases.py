"""What is special to leases on blobs: creation, renewal, and the ways to lose one."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from shared.cloud.clock import SystemClock
from shared.cloud.leases import BlobLeases
from shared.cloud.state_clients import StateAccount
from shared.core.errors import Busy, ChangedUnderneath, Unavailable
from shared.engine.chain import within
from shared.engine.ports import Clock
from tests.cloud.scripted_storage import Answer, Asked, scripted_storage
from tests.fixtures.azurite import azurite
from tests.virtual_time import EPOCH

__all__ = ["azurite"]

GRANTED = Answer(status=201, headers={"x-ms-lease-id": str(uuid4()), "ETag": '"1"'})
DONE = Answer(status=200, headers={"x-ms-lease-id": str(uuid4()), "ETag": '"1"'})
CREATED = Answer(status=201, headers={"ETag": '"1"'})
TAKEN = Answer(status=409, code="LeaseAlreadyPresent")
STOLEN = Answer(status=409, code="LeaseIdMismatchWithLeaseOperation")
NO_BLOB = Answer(status=404, code="BlobNotFound")
NO_CONTAINER = Answer(status=404, code="ContainerNotFound")
BROKEN = Answer(status=503, code="ServerBusy")


class HastyClock:
    """Time runs as fast as it can whenever somebody sleeps, once it is told to run."""

    def __init__(self, *, running: bool = True) -> None:
        self._now = EPOCH
        self.running = asyncio.Event()
        if running:
            self.running.set()
        self.a_minute_later = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    async def sleep(self, duration: timedelta) -> None:
        await self.running.wait()
        self._now += max(duration, timedelta())
        if self._now - EPOCH >= timedelta(minutes=1):
            self.a_minute_later.set()
        await asyncio.sleep(0)


class BrokenClock(HastyClock):
    async def sleep(self, duration: timedelta) -> None:
        raise ZeroDivisionError


@asynccontextmanager
async def some_leases(*answers: Answer, clock: Clock | None = None) -> AsyncIterator[tuple[BlobLeases, list[Asked]]]:
    async with scripted_storage(answers) as storage:
        leases = BlobLeases(storage.account, clock or HastyClock(running=False))
        try:
            yield leases, storage.asked
        finally:
            await leases.aclose()


def actions(asked: list[Asked]) -> list[str]:
    """What was asked: lease actions by name, creations by what is created."""
    return [each.headers.get("x-ms-lease-action") or each.query.get("restype", "blob") for each in asked]


async def test_a_lease_takes_two_calls_when_its_blob_exists() -> None:
    async with some_leases(GRANTED, DONE) as (leases, asked), leases.hold("account"):
        assert actions(asked) == ["acquire"]

    assert actions(asked) == ["acquire", "release"]
    assert asked[0].headers["x-ms-lease-duration"] == "30"


async def test_a_missing_blob_is_created() -> None:
    async with some_leases(NO_BLOB, CREATED, GRANTED, DONE) as (leases, asked), leases.hold("account/ä"):
        pass

    assert actions(asked) == ["acquire", "blob", "acquire", "release"]
    assert asked[1].body == "account/ä"
    assert asked[1].headers["if-none-match"] == "*"


async def test_a_missing_container_is_created() -> None:
    answers = [NO_CONTAINER, NO_CONTAINER, CREATED, CREATED, GRANTED, DONE]
    async with some_leases(*answers) as (leases, asked), leases.hold("account"):
        pass

    assert actions(asked) == ["acquire", "blob", "container", "blob", "acquire", "release"]


async def test_a_blob_and_container_that_somebody_else_just_created_are_as_good() -> None:
    answers = [
        NO_CONTAINER,
        NO_CONTAINER,
        Answer(status=409, code="ContainerAlreadyExists"),
        Answer(status=412, code="LeaseIdMissing"),
        TAKEN,
    ]
    async with some_leases(*answers) as (leases, asked):
        with pytest.raises(Busy):
            async with leases.hold("account"):
                pytest.fail("the lease is somebody else's")

    assert actions(asked) == ["acquire", "blob", "container", "blob", "acquire"]


async def test_a_container_that_is_being_deleted_is_busy() -> None:
    deleting = Answer(status=409, code="ContainerBeingDeleted")
    async with some_leases(NO_CONTAINER, deleting) as (leases, _):
        with pytest.raises(Busy, match="still deleting"):
            async with leases.hold("account"):
                pytest.fail("there is no container")


@pytest.mark.parametrize("answer", [BROKEN, Answer(status=500)])
async def test_a_refusal_has_its_name_and_is_not_tried_again(answer: Answer) -> None:
    async with some_leases(answer) as (leases, asked):
        with pytest.raises(Unavailable, match="take lease account"):
            async with leases.hold("account"):
                pytest.fail("the lease was not granted")

    assert len(asked) == 1


async def test_a_lease_is_renewed_for_as_long_as_the_work_lasts() -> None:
    clock = HastyClock()
    async with some_leases(GRANTED, DONE, clock=clock) as (leases, asked), leases.hold("account"):
        await clock.a_minute_later.wait()

    assert len(asked) >= 8
    assert set(actions(asked[1:-1])) == {"renew"}
    assert actions(asked)[-1] == "release"


async def test_renewals_that_fail_for_a_while_do_not_lose_the_lease() -> None:
    clock = HastyClock()
    answers = [GRANTED, BROKEN, BROKEN, DONE, BROKEN, BROKEN, DONE]
    async with some_leases(*answers, clock=clock) as (leases, asked), leases.hold("account"):
        await clock.a_minute_later.wait()

    assert actions(asked[:8]) == ["acquire", *["renew"] * 7]


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([STOLEN], "LeaseIdMismatchWithLeaseOperation"),
        ([DONE, DONE, Answer(status=409, code="LeaseIsBrokenAndCannotBeRenewed")], "LeaseIsBrokenAndCannotBeRenewed"),
        ([NO_BLOB], "BlobNotFound"),
        ([BROKEN], "could not be renewed in time"),
    ],
)
async def test_work_under_a_lost_lease_is_cancelled(answers: list[Answer], why: str) -> None:
    ended: list[str] = []

    async def work(leases: BlobLeases) -> None:
        async with leases.hold("account"):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise

    async with some_leases(GRANTED, *answers, clock=HastyClock()) as (leases, asked):
        with pytest.raises(ChangedUnderneath, match=f"account was lost.*{why}"):
            await work(leases)

    assert ended == ["cancelled"]
    assert "release" not in actions(asked)


async def test_work_that_ends_although_it_was_cancelled_still_learns_of_the_loss() -> None:
    async def work(leases: BlobLeases) -> None:
        async with leases.hold("account"):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async with some_leases(GRANTED, STOLEN, clock=HastyClock()) as (leases, _):
        with pytest.raises(ChangedUnderneath):
            await work(leases)

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_time_out_of_the_work_itself_is_its_own() -> None:
    async with some_leases(GRANTED, DONE) as (leases, _):
        with pytest.raises(TimeoutError, match="mine"):
            async with leases.hold("account"):
                raise TimeoutError("mine")


async def test_a_bug_in_renewing_does_not_go_unseen() -> None:
    async with some_leases(GRANTED, DONE, clock=BrokenClock()) as (leases, _):
        with pytest.raises(ZeroDivisionError):
            async with leases.hold("account"):
                await asyncio.Event().wait()


async def test_a_lease_that_cannot_be_given_back_ends_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "registry_isolation"), within(registry="alpha", correlation="c"):
        async with some_leases(GRANTED, BROKEN) as (leases, asked), leases.hold("account"):
            pass

    assert actions(asked) == ["acquire", "release"]
    (line,) = caplog.messages
    told = json.loads(line.removeprefix("lease "))
    assert (told["what"], told["lease"], told["registry"], told["correlation"]) == (
        "not released",
        "account",
        "alpha",
        "c",
    )
    assert told["error"]


@pytest.mark.parametrize("seconds", [0, 14, 61])
def test_a_duration_that_azure_does_not_allow_is_refused(seconds: int) -> None:
    account = StateAccount(connection_string="UseDevelopmentStorage=true")

    with pytest.raises(ValueError, match="15 to 60 seconds"):
        BlobLeases(account, SystemClock(), duration=timedelta(seconds=seconds))


@pytest.mark.slow
async def test_a_lease_that_an_operator_breaks_is_lost(azurite: str) -> None:
    account = StateAccount(connection_string=azurite)
    container = f"leases-{uuid4().hex[:8]}"
    clock = HastyClock(running=False)
    leases = BlobLeases(account, clock, container=container)

    async def work() -> None:
        async with leases.hold("account"):
            await _break_leases(account, container)
            clock.running.set()
            await asyncio.Event().wait()

    with pytest.raises(ChangedUnderneath):
        await work()
    async with leases.hold("account"):
        pass
    await leases.aclose()


async def _break_leases(account: StateAccount, container: str) -> None:
    async with account.container(container) as client:
        async for blob in client.list_blobs():
            await client.get_blob_client(blob.name)._client.blob.break_lease(break_period=0)
