"""Undo as an operation: what it leaves in the row, and how it meets others who write there."""

import asyncio
import json
import logging
from dataclasses import replace

import pytest

from local.memory import MemoryLedger
from shared.core.arm import ResourceId
from shared.core.errors import ChangedUnderneath
from shared.core.traces import correlation_of
from shared.engine.ports import LedgerEntry
from shared.engine.records import LedgerRow
from shared.engine.telemetry import listening
from shared.engine.undo import Undo
from tests.engine.desk import ALPHA, Desk, a_request
from tests.recorded import Recorded

PERSON = "somebody"
SNAPSHOT = {ALPHA.key: {"publicNetworkAccess": "Enabled"}}


def undo_of(desk: Desk) -> Undo:
    return Undo(desk.ledger, desk.queue, desk.clock)


@pytest.mark.virtual_time
async def test_undo_raises_the_generation_and_asks_for_a_pass() -> None:
    desk = Desk()
    first = await desk.ask()

    message = await undo_of(desk).undo(ALPHA, caller=PERSON, why="because")

    assert message is not None
    assert message.generation == first.generation + 1
    row = await desk.row()
    assert row.paused is not None
    assert row.restoring is not None
    assert (row.paused.by, row.paused.why, row.restoring.kind) == (PERSON, "because", "undo")
    assert len(desk.queue) == 2


@pytest.mark.virtual_time
async def test_the_first_pause_is_the_one_that_is_told() -> None:
    desk = Desk()
    await desk.ask()
    await undo_of(desk).pause(ALPHA, caller=PERSON, why="first")

    await undo_of(desk).undo(ALPHA, caller="another", why="second")

    row = await desk.row()
    assert row.paused is not None
    assert (row.paused.by, row.paused.why) == (PERSON, "first")
    assert row.restoring is not None


@pytest.mark.virtual_time
async def test_resume_forgets_what_was_restored_and_keeps_what_was_not() -> None:
    desk = Desk()
    await desk.ask()
    await undo_of(desk).undo(ALPHA, caller=PERSON, why="x")
    await desk.remember(snapshots=SNAPSHOT)
    await undo_of(desk).resume(ALPHA, caller=PERSON)
    assert (await desk.row()).snapshots == SNAPSHOT

    await undo_of(desk).undo(ALPHA, caller=PERSON, why="x")
    await desk.remember(restoring=None)
    await undo_of(desk).resume(ALPHA, caller=PERSON)

    row = await desk.row()
    assert (row.snapshots, row.paused, row.restoring) == ({}, None, None)


@pytest.mark.virtual_time
async def test_resuming_what_is_not_paused_forgets_nothing() -> None:
    desk = Desk()
    await desk.ask()
    await desk.remember(snapshots=SNAPSHOT)

    await undo_of(desk).resume(ALPHA, caller=PERSON)

    assert (await desk.row()).snapshots == SNAPSHOT


@pytest.mark.virtual_time
async def test_an_unknown_registry_leaves_no_trace() -> None:
    desk = Desk()

    assert await undo_of(desk).undo(ALPHA, caller=PERSON, why="x") is None
    assert await undo_of(desk).resume(ALPHA, caller=PERSON) is None

    assert len(desk.queue) == 0
    assert await desk.ledger.history(ALPHA) == ()


@pytest.mark.virtual_time
async def test_undo_and_requests_at_the_same_time_are_all_kept() -> None:
    desk = Desk()
    first = await desk.ask()

    await asyncio.gather(
        undo_of(desk).undo(ALPHA, caller=PERSON, why="x"), *(desk.intake.accept(a_request()) for _ in range(3))
    )

    row = await desk.row()
    assert row.generation == first.generation + 4
    assert row.paused is not None


class RestlessLedger(MemoryLedger):
    """Somebody else writes the row before every write."""

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        if etag is not None:
            entry = await self.read(row.registry)
            assert entry is not None
            await super().write(replace(entry.row, failures=entry.row.failures + 1), entry.etag)
        return await super().write(row, etag)


@pytest.mark.virtual_time
async def test_a_row_that_never_rests_is_an_error_and_sends_nothing() -> None:
    desk = Desk(ledger=RestlessLedger())
    await desk.ask()
    sent = len(desk.queue)

    with pytest.raises(ChangedUnderneath, match="come faster than they can be recorded"):
        await undo_of(desk).undo(ResourceId.parse(ALPHA.text), caller=PERSON, why="x")

    assert len(desk.queue) == sent


@pytest.mark.virtual_time
async def test_a_persons_word_is_a_request_in_log_and_numbers_like_any_other(caplog: pytest.LogCaptureFixture) -> None:
    """Or nobody would miss the pass that it asked for: the alert on the backlog goes by these lines."""
    desk, recorded = Desk(), Recorded()
    await desk.ask()
    caplog.clear()

    with caplog.at_level(logging.INFO, "registry_isolation"), listening(recorded.telemetry):
        message = await undo_of(desk).undo(ALPHA, caller=PERSON, why="x")

    assert message is not None
    (line,) = [line for line in caplog.messages if line.startswith("request ")]
    told = json.loads(line.removeprefix("request "))
    assert (told["registry"], told["generation"], told["caller"]) == (ALPHA.text, message.generation, PERSON)
    assert told["correlation"] == correlation_of(message.trace)
    assert recorded.metrics()["isolation.requests"] == {(("reason", "http"),): 1}
