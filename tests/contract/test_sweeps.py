"""What the records of sweeps promise, in memory and on an Azure table; and the sweep's queue."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from local.memory import MemoryWorkQueue
from local.memory_sweeps import MemorySweepQueue, MemorySweeps
from shared.cloud.state_clients import StateAccount
from shared.cloud.sweep_queue import StorageSweepQueue
from shared.cloud.sweeps import TableSweeps
from shared.core.errors import ChangedUnderneath, MalformedCursor
from shared.core.sweeps import Place, SweepMessage, SweepPhase, SweepRecord, SweepState, Walk
from shared.engine.sweep import sweep_id
from shared.engine.sweep_ports import SweepQueue, Sweeps
from tests.virtual_time import EPOCH, LoopClock


@pytest.fixture
async def sweeps(world: str, request: pytest.FixtureRequest) -> AsyncIterator[Sweeps]:
    if world == "memory":
        yield MemorySweeps()
        return
    account: StateAccount = request.getfixturevalue("azurite_account")
    table = TableSweeps(account, table=f"sweeps{uuid4().hex[:8]}")
    yield table
    await table.aclose()


def a_sweep(at: datetime = EPOCH) -> SweepRecord:
    return SweepRecord(id=sweep_id(at), reason="timer", origin="sweep_timer", begun=at, touched=at, due=at)


async def test_before_the_first_sweep_there_is_none(sweeps: Sweeps) -> None:
    assert await sweeps.current() is None
    assert await sweeps.read(a_sweep().id) is None
    assert (await sweeps.list()).sweeps == ()


async def test_a_record_is_kept_as_it_was_written(sweeps: Sweeps) -> None:
    record = replace(
        a_sweep(),
        caller="key:1a2b3c4d",
        state=SweepState.DONE,
        finished=EPOCH + timedelta(minutes=3),
        phase=SweepPhase.LEDGER,
        walk=Walk(
            start=Place(cursor="c" * 40_000, registry="/subscriptions/\u00e9"), cursor="x", wrapped=True, again=True
        ),
        inventory_next=Place(cursor="5"),
        verdicts={"new": 3},
        notes=("A \u2603.",),
        sentence='"quoted"\n',
    )

    begun = await sweeps.begin(record, "")

    assert await sweeps.read(record.id) == begun
    assert begun.record == record


async def test_the_sweep_that_began_last_is_the_current_one(sweeps: Sweeps) -> None:
    first, second = a_sweep(), a_sweep(EPOCH + timedelta(hours=1))
    await sweeps.begin(first, "")
    await sweeps.begin(second, first.id)

    current = await sweeps.current()

    assert current is not None
    assert current.record == second


@pytest.mark.parametrize("claimed", ["", "20260105T000000Z-00000000"])
async def test_a_sweep_begins_only_after_the_one_it_knows(sweeps: Sweeps, claimed: str) -> None:
    first = a_sweep()
    await sweeps.begin(first, "")

    with pytest.raises(ChangedUnderneath):
        await sweeps.begin(a_sweep(), claimed)

    assert [sweep.id for sweep in (await sweeps.list()).sweeps] == [first.id]


@pytest.mark.parametrize("before", [False, True])
async def test_of_many_that_begin_at_once_one_does(sweeps: Sweeps, before: bool) -> None:  # noqa: FBT001
    after = a_sweep()
    if before:
        await sweeps.begin(after, "")
    known = after.id if before else ""

    answers = await asyncio.gather(
        *(sweeps.begin(a_sweep(EPOCH + timedelta(hours=1)), known) for _ in range(5)), return_exceptions=True
    )

    assert sum(not isinstance(answer, ChangedUnderneath) for answer in answers) == 1
    assert len((await sweeps.list()).sweeps) == 1 + before


async def test_a_record_is_written_once_for_each_etag(sweeps: Sweeps) -> None:
    begun = await sweeps.begin(a_sweep(), "")
    moved = await sweeps.write(replace(begun.record, step=2), begun.etag)

    with pytest.raises(ChangedUnderneath):
        await sweeps.write(replace(begun.record, step=9), begun.etag)

    assert await sweeps.read(begun.record.id) == moved


async def test_a_list_shows_the_newest_first_however_small_its_pages(sweeps: Sweeps) -> None:
    last = ""
    for hour in range(5):
        record = replace(a_sweep(EPOCH + timedelta(hours=hour)), step=hour + 1)
        await sweeps.begin(record, last)
        last = record.id

    steps, after = [], ""
    while True:
        page = await sweeps.list(2, after)
        steps += [sweep.step for sweep in page.sweeps]
        after = page.after
        if not after:
            break

    assert steps == [5, 4, 3, 2, 1]
    assert (await sweeps.list(0)).sweeps == ()


@pytest.mark.parametrize("sweep", ["", "current", "' or 1 eq 1", "20260105T000000Z-0000000g", "x" * 3000])
async def test_what_is_no_sweeps_id_names_no_sweep(sweeps: Sweeps, sweep: str) -> None:
    await sweeps.begin(a_sweep(), "")

    assert await sweeps.read(sweep) is None


@pytest.mark.parametrize("cursor", ["x", "current", "0' or RowKey gt '", "\n"])
async def test_a_cursor_that_no_page_gave_is_refused(sweeps: Sweeps, cursor: str) -> None:
    with pytest.raises(MalformedCursor):
        await sweeps.list(after=cursor)


async def test_a_steps_message_arrives_as_it_was_sent(world: str, request: pytest.FixtureRequest) -> None:
    message = SweepMessage(sweep=sweep_id(EPOCH), step=7)
    if world == "memory":
        texts = MemoryWorkQueue(LoopClock())
        queue: SweepQueue = MemorySweepQueue(texts)
        await queue.send(message)
        (delivery,) = await texts.receive()
        received = delivery.text
    else:
        account: StateAccount = request.getfixturevalue("azurite_account")
        name = f"registry-work-{uuid4().hex[:8]}"
        storage = StorageSweepQueue(account, name)
        await storage.send(message)
        async with account.queue(name) as client:
            found = await client.receive_message()
            assert found is not None
            received = str(found.content)
        await storage.aclose()

    assert SweepMessage.decode(received) == message
