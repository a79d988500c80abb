"""A pass notes what leads back to its registry, once; and takes it back when it is gone."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from local.memory_index import MemoryOwnerIndex
from shared.core.arm import ResourceId
from shared.core.errors import Unavailable
from shared.core.registry import Registry
from shared.core.report import Converged, Gone
from shared.core.requests import WorkMessage
from shared.engine.indexing import forget_gone, note_belongings
from shared.engine.work import Work
from tests.core.worlds import MANAGED, a_policy, a_registry, private, with_view
from tests.engine.desk import ALPHA, Desk, a_retrier, a_row
from tests.virtual_time import LoopClock

pytestmark = pytest.mark.virtual_time
POLICY = a_policy()
NEW = a_registry(POLICY)
WHOLE = private(NEW, POLICY)


def a_work(**members: Any) -> Work:
    desk, clock = Desk(policy=POLICY), LoopClock()
    message = WorkMessage(registry=ALPHA, generation=1, attempt=1)
    work = Work(desk.ledger, None, message, a_retrier(clock), clock.now())
    work.row = a_row(**members)
    return work


def endpoints(registry: Registry) -> set[ResourceId]:
    return {endpoint.id for view in registry.networks for endpoint in view.endpoints}


async def test_what_a_pass_sees_leads_back_and_is_noted_once() -> None:
    work, index = a_work(), MemoryOwnerIndex()

    await note_belongings(work, WHOLE, index)
    written = index.writes
    await note_belongings(work, WHOLE, index)

    assert {MANAGED, *endpoints(WHOLE)} <= set(index.owners)
    assert set(work.row.indexed) == set(index.owners)
    assert index.writes == written


async def test_what_is_not_there_any_more_is_taken_back() -> None:
    work, index = a_work(), MemoryOwnerIndex()
    await note_belongings(work, WHOLE, index)

    await note_belongings(work, NEW, index)

    assert set(index.owners) == {MANAGED}


async def test_nothing_is_taken_back_while_names_were_not_read() -> None:
    work, index = a_work(), MemoryOwnerIndex()
    await note_belongings(work, WHOLE, index)
    noted = set(index.owners)
    (view,) = WHOLE.networks
    unread = tuple(replace(endpoint, addresses=None) for endpoint in view.endpoints)

    await note_belongings(work, with_view(WHOLE, endpoints=unread), index)

    assert set(index.owners) == noted


async def test_a_registry_that_is_gone_leaves_nothing_in_the_index() -> None:
    work, index = a_work(), MemoryOwnerIndex()
    await note_belongings(work, WHOLE, index)

    assert await forget_gone(work, Converged(), index) == Converged()
    assert index.owners
    assert await forget_gone(work, Gone(), index) == Gone()

    assert index.owners == {}
    assert work.row.indexed == ()


class Broken(MemoryOwnerIndex):
    async def note(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        raise Unavailable(f"{len(resources)} parts of {registry.name} were not noted.")


async def test_an_index_that_fails_does_not_stop_the_isolation(caplog: pytest.LogCaptureFixture) -> None:
    work = a_work()

    with caplog.at_level(logging.WARNING, "registry_isolation"):
        await note_belongings(work, WHOLE, Broken())

    assert work.row.indexed == ()
    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == ["index"]


async def test_without_an_index_nothing_happens() -> None:
    work = a_work()

    await note_belongings(work, WHOLE, None)

    assert work.row.indexed == ()
