"""
A process that dies at any write of its own state loses no registry, and no message ever becomes two for good.

Every story runs over an Azure that obeys, behind the Functions host's queue trigger: what a pass raises brings its message
back ten seconds later, five times in all.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.memory import MemoryLedger, MemoryWorkQueue
from shared.core.changes import Change, ClosePublicAccess
from shared.core.errors import RegistryIsolationError, Unavailable
from shared.core.report import Converged, Done, Failed, Started
from shared.core.requests import WorkMessage
from shared.engine.poison import PoisonCabinet
from shared.engine.ports import LedgerEntry
from shared.engine.records import HistoryEntry, LedgerRow
from tests.core.perfect_azure import World, way_in
from tests.core.worlds import a_policy, a_registry
from tests.engine.desk import Desk
from tests.engine.plane import ObedientPlane
from tests.virtual_time import LoopClock, run_virtual

pytestmark = pytest.mark.usefixtures("quiet")

POLICY = a_policy(lockdown={"propagation_minutes": 1})
NEW = a_registry(POLICY)


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """The host logs every failed delivery with its traceback; hundreds of them cost more than the stories."""
    caplog.set_level(logging.CRITICAL)


class Died(Exception):
    """The process is gone: nothing of the engine catches this."""


class Saboteur:
    """
    Breaks writes of the state.

    Args:
        strikes: Number of a write, from 1, to what its caller meets and whether that comes before the write takes effect.
    """

    def __init__(self, strikes: Mapping[int, tuple[bool, type[Exception]]] | None = None) -> None:
        self.strikes = strikes or {}
        self.seen = 0

    def strike(self, *, before: bool) -> None:
        self.seen += before
        when, error = self.strikes.get(self.seen, (None, Died))
        if when is before:
            raise error("sabotage")


class BrittleLedger(MemoryLedger):
    def __init__(self, saboteur: Saboteur) -> None:
        super().__init__()
        self._saboteur = saboteur

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        self._saboteur.strike(before=True)
        entry = await super().write(row, etag)
        self._saboteur.strike(before=False)
        return entry

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        self._saboteur.strike(before=True)
        await super().append(entries)
        self._saboteur.strike(before=False)


class BrittleQueue(MemoryWorkQueue):
    def __init__(self, saboteur: Saboteur) -> None:
        super().__init__(LoopClock())
        self._saboteur = saboteur
        self.sent: list[WorkMessage] = []

    async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
        self._saboteur.strike(before=True)
        await super().send(message, delay)
        self.sent.append(message)
        self._saboteur.strike(before=False)


class Gate(ObedientPlane):
    """Notes whether anything was closed before there was another way in."""

    early = False

    async def start(self, change: Change) -> Started | Done:
        if isinstance(change, ClosePublicAccess) and not way_in(World(registry=self.truth, policy=POLICY)):
            self.early = True
        return await super().start(change)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """How it ended: the row, writes of the state, passes, messages, writes to Azure, and what went wrong."""

    row: LedgerRow
    steps: int
    runs: int
    sent: tuple[WorkMessage, ...]
    started: tuple[str, ...]
    poisoned: int
    early: bool


def told(
    strikes: Mapping[int, tuple[bool, type[Exception]]] | None = None,
    *,
    copies: int = 1,
    bugs: Iterable[Exception] = (),
) -> Story:
    return run_virtual(_life(Saboteur(strikes), copies, tuple(bugs)))


async def _life(saboteur: Saboteur, copies: int, bugs: tuple[Exception, ...]) -> Story:
    """Ask for a new registry, at a failed door again, and let the host run until nothing is left to do."""
    queue = BrittleQueue(saboteur)
    plane = Gate(NEW, POLICY, LoopClock())
    plane.fail("start create-endpoint", *bugs)
    desk = Desk(plane=plane, policy=POLICY, ledger=BrittleLedger(saboteur), queue=queue)
    message = None
    while message is None:
        try:
            message = await desk.ask()
        except (Died, RegistryIsolationError):
            continue
    for _ in range(copies - 1):
        queue.put(message.encode())
    await desk.trigger().drain()
    poisoned = await desk.poisoned.receive()
    for delivery in poisoned:
        await PoisonCabinet(desk.ledger, desk.clock).keep(WorkMessage.decode(delivery.text))
    return Story(
        row=await desk.row(),
        steps=saboteur.seen,
        runs=desk.runs,
        sent=tuple(queue.sent),
        started=tuple(plane.started),
        poisoned=len(poisoned),
        early=plane.early,
    )


@cache
def undisturbed() -> Story:
    return told()


def steps() -> range:
    """Every write of the state in an undisturbed life, the door's own three included."""
    return range(1, undisturbed().steps + 1)


def is_whole(story: Story) -> bool:
    """The registry is isolated, was never closed too early, and nothing is left behind."""
    return (
        story.row.outcome == Converged()
        and not story.early
        and not story.poisoned
        and story.row.claim is None
        and not story.row.operations
        and not story.row.pending
    )


def test_an_undisturbed_life_writes_everything_once_and_sends_one_message_for_each_pass() -> None:
    story = undisturbed()

    assert is_whole(story)
    assert len(story.started) == 15
    assert len(set(story.sent)) == len(story.sent) == story.runs


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_process_that_dies_at_any_write_of_its_state_loses_nothing_and_leaves_no_second_chain(
    *, before: bool
) -> None:
    usual = undisturbed()
    for step in steps():
        story = told({step: (before, Died)})

        assert is_whole(story), step
        assert sorted(story.started) == sorted(usual.started), step  # what took effect is not written again
        # The repeated pass, and looks at what it finds under way without knowing since when.
        assert story.runs <= usual.runs + 3, step
        assert len(story.sent) <= len(usual.sent) + 2, step


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_state_that_is_silent_for_four_tries_at_any_write_loses_nothing_and_leaves_no_second_chain(
    *, before: bool
) -> None:
    usual = undisturbed()
    for step in steps():
        story = told(dict.fromkeys(range(step, step + 4), (before, Unavailable)))

        assert is_whole(story), step
        assert story.runs <= usual.runs + 5, step


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_one_lost_answer_at_any_write_costs_no_write_to_azure(*, before: bool) -> None:
    usual = undisturbed()
    for step in steps():
        story = told({step: (before, Unavailable)})

        assert is_whole(story), step
        assert sorted(story.started) == sorted(usual.started), step
        assert len(story.sent) <= len(usual.sent) + 1, step


@settings(max_examples=40)
@given(
    strikes=st.dictionaries(
        st.integers(1, 60), st.tuples(st.booleans(), st.sampled_from([Died, Unavailable])), max_size=4
    )
)
def test_four_faults_anywhere_lose_nothing_and_end(strikes: dict[int, tuple[bool, type[Exception]]]) -> None:
    story = told(strikes)

    assert is_whole(story)
    assert story.runs <= undisturbed().runs + 20


@pytest.mark.parametrize("copies", [2, 3, 8])
def test_copies_of_one_message_at_the_same_moment_go_on_as_one(copies: int) -> None:
    usual, story = undisturbed(), told(copies=copies)

    assert is_whole(story)
    assert len(story.sent) <= len(usual.sent) + copies
    assert story.runs <= usual.runs + 2 * copies


def test_a_bug_that_strikes_after_the_claim_ends_in_the_poison_queue_and_does_not_loop() -> None:
    story = told(bugs=[ZeroDivisionError("a bug")] * 1000)

    assert isinstance(story.row.outcome, Failed)
    assert (story.runs, story.poisoned, len(story.sent)) == (5, 1, 1)


def test_a_bug_that_strikes_twice_is_survived() -> None:
    story = told(bugs=[ZeroDivisionError("a bug")] * 2)

    assert is_whole(story)
    assert story.runs <= undisturbed().runs + 2
