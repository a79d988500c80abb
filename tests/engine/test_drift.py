"""Many events of a registry's parts become few passes, and one of them always begins after the last event."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.memory import MemoryLedger, MemoryWorkQueue
from shared.core.arm import ResourceId
from shared.core.errors import RegistryIsolationError, Unavailable
from shared.core.registry import RegistryDocument, TargetKind
from shared.core.report import BlockedOutcome, Converged, Reason, Waiting
from shared.core.requests import ReconcileRequest, RequestReason, WorkMessage
from shared.engine.drift import MARGIN, STRIDE, UNKNOWN, WINDOW, DriftIntake, is_planned, nudged
from shared.engine.ports import LedgerEntry
from shared.engine.records import HistoryEntry, LedgerRow
from tests.core.worlds import MANAGED, a_policy, a_registry, closed, private
from tests.engine.desk import ALPHA, MINUTE, SECOND, Desk, a_request, a_row
from tests.engine.plane import ObedientPlane
from tests.virtual_time import EPOCH, LoopClock, run_virtual

POLICY = a_policy(lockdown={"propagation_minutes": 1})
NEW = a_registry(POLICY)
ISOLATED = closed(private(NEW, POLICY), *TargetKind)
ACCOUNT = MANAGED.resource("Microsoft.Storage/storageAccounts", "stwesteurope0")
BLOCKED = BlockedOutcome(reasons=(Reason(name="Locked", sentence="A lock."),))


def an_event(origin: str = "event-9") -> ReconcileRequest:
    return a_request(reason=RequestReason.RELATED, origin=origin)


def waiting(until: timedelta) -> Waiting:
    return Waiting(until=EPOCH + until, reasons=(Reason(name="Busy", sentence="Wait."),))


# --- the decision -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (a_row(planned=EPOCH + 3 * SECOND), True),
        (a_row(planned=EPOCH + MARGIN), False),
        (a_row(planned=EPOCH - SECOND), False),
        (a_row(), False),
        (a_row(sequence=1, outcome=Converged()), False),
        (a_row(sequence=1, outcome=Converged(), planned=EPOCH + MINUTE), True),
        (a_row(sequence=1, outcome=waiting(30 * SECOND)), True),
        (a_row(sequence=1, outcome=waiting(MARGIN)), False),
        (a_row(sequence=1, outcome=waiting(5 * MINUTE)), False),
        (a_row(sequence=1, outcome=waiting(5 * MINUTE), failures=2), True),
        (a_row(sequence=0, outcome=waiting(30 * SECOND)), False),
        (a_row(sequence=1, outcome=waiting(30 * SECOND), nudged=1000), False),
        (a_row(sequence=1000, outcome=waiting(30 * SECOND), nudged=1000), True),
    ],
)
def test_an_event_costs_nothing_only_where_a_pass_is_sure_to_begin_after_it_and_soon(
    row: LedgerRow, *, expected: bool
) -> None:
    assert is_planned(row, EPOCH) is expected


def test_a_registry_at_rest_gets_a_new_generation_and_a_working_one_keeps_its_own() -> None:
    rest = nudged(a_row(sequence=4, outcome=Converged()), an_event(), EPOCH)
    assert (rest.generation, rest.sequence, rest.nudged, rest.reason) == (2, 0, 0, "related")

    for row in (a_row(), a_row(sequence=4, outcome=waiting(MINUTE)), a_row(sequence=4, outcome=waiting(-MINUTE))):
        kept = nudged(row, an_event(), EPOCH)
        assert (kept.generation, kept.sequence, kept.origin) == (1, row.sequence, row.origin)
        assert kept.nudged == row.sequence + STRIDE


def test_an_event_of_a_part_does_not_forgive_a_repair_that_never_helped() -> None:
    row = a_row(sequence=1, outcome=BLOCKED, repairs={"endpoint": 3})

    assert nudged(row, an_event(), EPOCH).repairs == {"endpoint": 3}


# --- the storm --------------------------------------------------------------------------------------------------------


class Looked(ObedientPlane):
    """Writes down when an observation begins, among the events."""

    log: list[str]

    async def read_registry(self, registry: ResourceId) -> RegistryDocument | None:
        self.log.append("look")
        return await super().read_registry(registry)


class Moody:
    """Breaks the next writes of the state, and nothing else."""

    failures = 0

    def strike(self) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("No answer.")


class MoodyLedger(MemoryLedger):
    def __init__(self, moody: Moody) -> None:
        super().__init__()
        self._moody = moody
        self.reads = 0
        self.writes = 0

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        self.reads += 1
        return await super().read(registry)

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        self.writes += 1
        self._moody.strike()
        return await super().write(row, etag)

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        self._moody.strike()
        await super().append(entries)


class MoodyQueue(MemoryWorkQueue):
    def __init__(self, moody: Moody) -> None:
        super().__init__(LoopClock())
        self._moody = moody
        self.sent = 0

    async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
        self._moody.strike()
        self.sent += 1
        await super().send(message, delay)


class Storm(Desk):
    """A desk with two instances of the event door, and Event Grid in front of them."""

    def __init__(self, *, new: bool = False) -> None:
        self.moody = Moody()
        plane = Looked(NEW if new else ISOLATED, POLICY, LoopClock())
        self.log: list[str] = []
        plane.log = self.log
        self.books, self.wire = MoodyLedger(self.moody), MoodyQueue(self.moody)
        super().__init__(policy=POLICY, plane=plane, ledger=self.books, queue=self.wire)
        self.doors = [DriftIntake(self.books, self.wire, self.clock) for _ in range(2)]

    async def event(self, number: int) -> WorkMessage | None:
        """Deliver an event until a door has taken it."""
        while True:
            self.log.append("event")
            try:
                return await self.doors[number % 2].accept(an_event(f"event-{number}"), ACCOUNT)
            except RegistryIsolationError:
                await self.clock.sleep(10 * SECOND)

    async def rest(self) -> None:
        await self.trigger().drain()

    @property
    def saw_the_last_event(self) -> bool:
        return "look" in self.log[len(self.log) - self.log[::-1].index("event") :]


@pytest.mark.virtual_time
async def test_a_thousand_events_in_a_minute_cost_a_handful_of_passes_and_the_last_is_seen() -> None:
    storm = Storm()
    await storm.ask()
    await storm.rest()
    runs, writes = storm.runs, storm.books.writes

    async with asyncio.TaskGroup() as group:
        work = group.create_task(storm.trigger().serve())
        for number in range(1000):
            await storm.event(number)
            await storm.clock.sleep(0.06 * SECOND)
        await storm.clock.sleep(2 * MINUTE)
        work.cancel()

    assert storm.saw_the_last_event
    assert storm.runs - runs <= 6
    assert storm.books.writes - writes <= 6 * 5
    assert (await storm.row()).outcome == Converged()
    assert len(storm.queue) == 0


@pytest.mark.virtual_time
async def test_events_that_arrive_at_one_moment_are_one_pass() -> None:
    storm = Storm()

    sent = await asyncio.gather(*(storm.event(number * 2) for number in range(300)))
    await storm.rest()

    assert sum(message is not None for message in sent) == 1
    assert storm.runs == 1


@pytest.mark.virtual_time
async def test_a_burst_does_not_put_off_the_pass_that_it_asked_for() -> None:
    storm = Storm()
    begun = storm.clock.now()
    async with asyncio.TaskGroup() as group:
        work = group.create_task(storm.trigger().serve())
        for number in range(100):
            await storm.event(number)
            await storm.clock.sleep(SECOND / 2)
            if "look" in storm.log:
                break
        work.cancel()

    assert storm.clock.now() - begun <= UNKNOWN * WINDOW + 2 * SECOND


@pytest.mark.virtual_time
async def test_a_burst_while_the_registry_is_being_made_takes_no_message_s_place() -> None:
    storm = Storm(new=True)
    await storm.ask()
    async with asyncio.TaskGroup() as group:
        work = group.create_task(storm.trigger().serve())
        for number in range(600):
            await storm.event(number)
            await storm.clock.sleep(SECOND)
        work.cancel()
    await storm.rest()

    row = await storm.row()
    assert row.outcome == Converged()
    assert len(storm.plane.started) == 15
    assert storm.log.count("look") <= 60


@pytest.mark.virtual_time
async def test_an_event_whose_message_was_never_sent_is_not_taken_for_a_repetition() -> None:
    storm = Storm()
    await storm.ask()
    await storm.rest()

    class Deaf(MemoryWorkQueue):
        async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
            raise Unavailable(f"{message.registry.name} was not sent, hidden or not ({delay}).")

    dead = DriftIntake(storm.books, Deaf(storm.clock), storm.clock)
    with pytest.raises(Unavailable):
        await dead.accept(an_event(), ACCOUNT)
    again = await storm.doors[0].accept(an_event(), ACCOUNT)
    await storm.rest()

    assert again is not None
    assert (await storm.row()).outcome == Converged()
    assert storm.runs == 2


@pytest.mark.virtual_time
async def test_a_plan_that_could_not_be_announced_costs_a_pass_and_loses_none(caplog: pytest.LogCaptureFixture) -> None:
    storm = Storm()

    class Tired(MoodyLedger):
        async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
            if row.planned is not None:
                raise Unavailable("No answer.")
            return await super().write(row, etag)

    storm.books.__class__ = Tired
    with caplog.at_level(logging.WARNING, "registry_isolation"):
        assert await storm.event(1) is not None
        assert await storm.event(2) is not None

    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == ["plan", "plan"]


@pytest.mark.virtual_time
async def test_the_history_names_the_part_and_who_changed_it() -> None:
    storm = Storm()
    await storm.event(7)

    (entry,) = await storm.ledger.history(ALPHA)
    assert (entry.kind, entry.origin) == ("request", "event-7")
    assert entry.sentence == "asked for by related: Microsoft.Storage/storageAccounts stwesteurope0 changed"


# --- the promise ------------------------------------------------------------------------------------------------------

ACTIONS = st.sampled_from(["event", "event", "event", "ask", "break", "azure", "slow"])
PAUSES = st.sampled_from([0.0, 0.3, 1.0, 5.0, 12.9, 13.1, 14.9, 15.0, 15.2, 40.0, 700.0])


@settings(max_examples=40, deadline=None)
@given(script=st.lists(st.tuples(PAUSES, ACTIONS), min_size=1, max_size=14), new=st.booleans())
def test_after_the_last_event_a_pass_always_begins(script: list[tuple[float, str]], *, new: bool) -> None:
    assert run_virtual(_lived(script, new=new))


async def _lived(script: list[tuple[float, str]], *, new: bool) -> bool:
    logging.getLogger("local.memory").setLevel(logging.CRITICAL)
    storm = Storm(new=new)
    async with asyncio.TaskGroup() as group:
        work = group.create_task(storm.trigger().serve())
        deliveries = []
        for number, (pause, action) in enumerate([*script, (0.0, "event")]):
            await storm.clock.sleep(timedelta(seconds=pause))
            match action:
                case "event":
                    deliveries.append(group.create_task(storm.event(number)))
                case "ask":
                    storm.moody.failures = 0
                    await storm.ask()
                case "break":
                    storm.moody.failures = 2
                case "azure":
                    storm.plane.fail("read_registry", Unavailable("No answer."))
                case "slow":
                    storm.plane.take("read_registry", 3 * SECOND)
        await asyncio.gather(*deliveries)
        work.cancel()
    await storm.rest()
    return storm.saw_the_last_event and len(storm.poisoned) == 0
