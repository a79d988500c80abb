"""One write for all who ask at the same moment, one writer at a time for the rest."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import pytest

from local.memory import MemoryLeases
from shared.core.arm import ResourceId
from shared.core.errors import Busy, RuleLimitReached, Unavailable
from shared.core.registry import STORAGE_TYPE
from shared.core.report import Done, Started
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules, ResourceRule
from shared.engine.rule_writer import RuleWriter, lease_of
from tests.core.worlds import group_id, registry_id
from tests.engine.desk import SECOND
from tests.engine.plane import ScriptedPlane
from tests.virtual_time import LoopClock

pytestmark = pytest.mark.virtual_time

ACCOUNT = group_id("rg-ws").resource(STORAGE_TYPE, "stshared")
OTHER = group_id("rg-ws").resource(STORAGE_TYPE, "stother")
ADD = "start add-resource-rules"


def rule(name: str) -> ResourceRule:
    return ResourceRule(tenant="tenant", resource=registry_id(name))


def adding(name: str, account: ResourceId = ACCOUNT, *, select: bool = False) -> AddResourceRules:
    return AddResourceRules(account=account, rules=(rule(name),), select_networks=select)


class Room(MemoryLeases):
    """Leases that remember who had them, and take a while to get."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._slow(name)

    @asynccontextmanager
    async def _slow(self, name: str) -> AsyncIterator[None]:
        self.names.append(name)
        await asyncio.sleep(1)
        async with super().hold(name):
            yield


class Limited(ScriptedPlane):
    """An account with room for so many rules more."""

    room = 1

    async def start(self, change: object) -> Started | Done:
        assert isinstance(change, AddResourceRules)
        await self._called(ADD, change)
        if len(change.rules) > self.room:
            raise RuleLimitReached("It is full.")
        self.room -= len(change.rules)
        return Done()


def a_plane() -> ScriptedPlane:
    plane = ScriptedPlane(None, LoopClock())
    plane.starts["add-resource-rules"] = Done()
    plane.starts["remove-resource-rules"] = Done()
    return plane


async def all_at_once(writer: RuleWriter, changes: Iterable[AddResourceRules]) -> list[object]:
    return list(await asyncio.gather(*(writer.write(change) for change in changes), return_exceptions=True))


async def test_registries_that_ask_at_the_same_moment_cost_one_write() -> None:
    plane, leases = a_plane(), Room()
    changes = [adding(name) for name in ("a", "b", "c", "a")]

    results = await all_at_once(RuleWriter(plane, leases), changes)

    assert results == [Done()] * 4
    (written,) = plane.asked(ADD)
    assert written == AddResourceRules(account=ACCOUNT, rules=(rule("a"), rule("b"), rule("c")))
    assert leases.names == [lease_of(ACCOUNT)]


async def test_who_asks_during_a_write_gets_the_next_one() -> None:
    plane, leases = a_plane(), Room()
    plane.take(ADD, 5 * SECOND)
    writer = RuleWriter(plane, leases)

    async def later(name: str) -> object:
        await asyncio.sleep(3)
        return await writer.write(adding(name))

    await asyncio.gather(writer.write(adding("a")), later("b"), later("c"))

    first, second = plane.asked(ADD)
    assert first == adding("a")
    assert second == AddResourceRules(account=ACCOUNT, rules=(rule("b"), rule("c")))


async def test_accounts_do_not_wait_for_each_other() -> None:
    plane = a_plane()
    plane.take(ADD, 5 * SECOND)
    clock = LoopClock()
    began = clock.now()

    await all_at_once(RuleWriter(plane, Room()), [adding("a"), adding("a", OTHER)])

    assert clock.now() - began < timedelta(seconds=7)
    assert len(plane.asked(ADD)) == 2


async def test_selected_networks_asked_for_by_one_is_written_for_all() -> None:
    plane = a_plane()

    await all_at_once(RuleWriter(plane, Room()), [adding("a"), adding("b", select=True)])

    (written,) = plane.asked(ADD)
    assert isinstance(written, AddResourceRules)
    assert written.select_networks


async def test_a_failed_write_is_the_failure_of_the_one_that_tried() -> None:
    plane = a_plane()
    plane.fail(ADD, Unavailable("No answer."))

    first, second, third = await all_at_once(RuleWriter(plane, Room()), [adding("a"), adding("b"), adding("c")])

    assert isinstance(first, Unavailable)
    assert second == third == Done()
    last = plane.asked(ADD)[-1]
    assert isinstance(last, AddResourceRules)
    assert {rule("b"), rule("c")} <= set(last.rules)


async def test_who_is_cancelled_leaves_the_others_their_turn() -> None:
    plane = a_plane()
    plane.take(ADD, 5 * SECOND)
    writer = RuleWriter(plane, Room())
    leader = asyncio.create_task(writer.write(adding("a")))
    other = asyncio.create_task(writer.write(adding("b")))
    await asyncio.sleep(3)

    leader.cancel()

    assert await other == Done()
    assert plane.asked(ADD)[-1] == adding("b")


async def test_where_all_do_not_fit_those_that_fit_are_let_in() -> None:
    plane = Limited(None, LoopClock())

    results = await all_at_once(RuleWriter(plane, Room()), [adding("a"), adding("b"), adding("c")])

    assert results[0] == Done()
    assert [type(result) for result in results[1:]] == [RuleLimitReached] * 2


async def test_an_account_that_another_process_holds_is_busy() -> None:
    plane, leases = a_plane(), MemoryLeases()
    writer = RuleWriter(plane, leases)

    async with leases.hold(lease_of(ACCOUNT)):
        with pytest.raises(Busy):
            await writer.write(adding("a"))
        with pytest.raises(Busy):
            await writer.write(RemoveResourceRules(account=ACCOUNT, rules=(rule("a"),)))

    assert await writer.write(adding("a")) == Done()
    assert await writer.write(RemoveResourceRules(account=ACCOUNT, rules=(rule("a"),))) == Done()
