"""What failed is listed with its reason, and tried again afresh when somebody says so."""

from datetime import timedelta
from typing import Any

import pytest

from shared.core.arm import ResourceId
from shared.core.errors import MalformedCursor, Refused
from shared.core.mishaps import MishapFate
from shared.core.report import BlockedOutcome, Converged, Failed, Reason
from shared.core.requests import WorkMessage
from shared.engine.mishaps import Mishaps
from shared.engine.poison import PoisonCabinet
from shared.engine.poison_list import PoisonEntry, PoisonList
from shared.engine.reception import Reception
from shared.engine.records import Claim
from tests.core.worlds import registry_id
from tests.engine.desk import ALPHA, MINUTE, SECOND, Desk, a_row
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time
POISONED = Failed(reason=Reason(name="Poisoned", sentence="It failed."))


class Cabinet(Desk):
    """A desk with its poison cabinet and the list of what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.cabinet = PoisonCabinet(self.ledger, self.clock)
        self.list = PoisonList(self.ledger, self.intake, self.clock)
        self.mishaps = Mishaps(self.ledger, self.queue, self.clock)
        self.reception = Reception(
            intake=self.intake, ledger=self.ledger, clock=self.clock, own_principal=None, subscriptions=()
        )

    async def fail(self, registry: ResourceId, error: Exception) -> WorkMessage:
        """Let the work on *registry* fail twice with *error* and end in the poison queue."""
        message = await self.ask(registry)
        for _ in range(2):
            await self.mishaps.note(message, error)
        await self.cabinet.keep(message)
        return message

    async def everything(self, limit: int) -> list[PoisonEntry]:
        found: list[PoisonEntry] = []
        after = ""
        while True:
            page = await self.list.list(limit, after)
            assert len(page.entries) <= limit
            found += page.entries
            after = page.after
            if not after:
                return found


async def test_a_failed_registry_says_why_and_shows_its_message() -> None:
    desk = Cabinet()
    message = await desk.fail(ALPHA, Refused("The row does not fit."))

    (entry,) = (await desk.list.list()).entries

    assert (entry.registry, entry.error, entry.fate, entry.attempts) == (ALPHA, "Refused", "blocked", 2)
    assert WorkMessage.decode(entry.message) == message
    assert "Last error: Refused: The row does not fit." in entry.sentence


async def test_a_failure_that_nobody_could_note_is_listed_as_well() -> None:
    desk = Cabinet()
    message = await desk.ask()
    await desk.cabinet.keep(message)

    (entry,) = (await desk.list.list()).entries

    assert (entry.error, entry.fate, entry.attempts, entry.message) == ("", "", 0, "")


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_failed_registries_come_first_and_unreadable_input_after_them_page_by_page(limit: int) -> None:
    desk = Cabinet()
    registries = [registry_id(f"alpha{number}") for number in range(3)]
    for registry in registries:
        await desk.fail(registry, ZeroDivisionError("a bug"))
    for number in range(3):
        await desk.reception.receive(f"nonsense {number}")
        await desk.clock.sleep(SECOND)
    await desk.ask(registry_id("healthy"))

    found = await desk.everything(limit)

    assert sorted(str(entry.registry) for entry in found[:3]) == sorted(str(registry) for registry in registries)
    assert {entry.fate for entry in found[:3]} == {MishapFate.BUG.value}
    assert [entry.message for entry in found[3:]] == ["nonsense 2", "nonsense 1", "nonsense 0"]
    assert {entry.error for entry in found[3:]} == {"MalformedEvent"}


@pytest.mark.parametrize("cursor", ["x", "other:1", "rows:'; --", "input:'; --"])
async def test_a_cursor_that_no_page_gave_is_refused(cursor: str) -> None:
    desk = Cabinet()
    with pytest.raises(MalformedCursor):
        await desk.list.list(10, cursor)


async def test_a_replay_asks_again_and_tells_who_wanted_it() -> None:
    desk = Cabinet()
    message = await desk.fail(ALPHA, ZeroDivisionError("a bug"))

    again = await desk.list.replay(ALPHA, "key:1a2b3c4d")

    assert again is not None
    assert again.generation == message.generation + 1
    requests = [entry for entry in await desk.ledger.history(ALPHA) if entry.kind == "request"]
    told = {(request.sentence, request.caller, request.origin) for request in requests}
    assert ("asked for by replay", "key:1a2b3c4d", "replay") in told


async def test_what_has_not_failed_is_not_replayed() -> None:
    desk = Cabinet()
    assert await desk.list.replay(ALPHA) is None
    await desk.ledger.write(a_row(outcome=Converged()), None)
    assert await desk.list.replay(ALPHA) is None
    assert len(desk.queue) == 0


async def test_all_that_failed_is_replayed_up_to_a_limit() -> None:
    desk = Cabinet()
    for number in range(5):
        await desk.fail(registry_id(f"alpha{number}"), ZeroDivisionError("a bug"))

    assert len(await desk.list.replay_all(limit=3)) == 3
    assert len(await desk.list.replay_all(limit=100)) == 5


@pytest.mark.parametrize(
    "outcome",
    [POISONED, BlockedOutcome(reasons=(Reason(name="Locked", sentence="A lock."),))],
    ids=["failed", "blocked"],
)
async def test_what_a_person_has_put_right_begins_afresh(outcome: Any) -> None:
    desk = Cabinet()
    locked = Reason(name="Locked", sentence="A lock.")
    await desk.ledger.write(
        a_row(
            sequence=7,
            outcome=outcome,
            failures=9,
            refused={"close": locked},
            repairs={"endpoint": 3},
            denied_since={"close": EPOCH, "observe": EPOCH},
            claim=Claim(holder="1.7@x", until=EPOCH - SECOND),
            nudged=2000,
            planned=EPOCH + MINUTE,
        ),
        None,
    )

    await desk.ask()

    row = await desk.row()
    assert (row.generation, row.sequence, row.failures) == (2, 0, 0)
    assert (row.refused, row.repairs, dict(row.denied_since)) == ({}, {}, {"observe": EPOCH})
    assert (row.nudged, row.planned, row.waited) == (0, None, None)
    await desk.clock.sleep(timedelta(seconds=1))
    assert (await desk.pass_()).kind == "waiting"
