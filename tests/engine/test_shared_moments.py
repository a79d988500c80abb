"""From when on an answer that others share will do: never from before the pass has seen its own operations end."""

import asyncio
from datetime import datetime

import pytest

from shared.core.changes import LinkZone, key_of
from shared.core.registry import Connection, ConnectionStatus, Registry, TargetKind
from shared.engine.ports import ZoneQuery
from tests.core.worlds import a_policy, a_registry, closed, private, with_target
from tests.engine.desk import Desk
from tests.engine.plane import SUCCEEDED
from tests.engine.test_pacing import an_operation

pytestmark = pytest.mark.virtual_time
POLICY = a_policy()
NEW = a_registry(POLICY)
PRIVATE = private(NEW, POLICY)
ISOLATED = closed(PRIVATE)


async def passing(desk: Desk) -> datetime:
    """One pass, half a minute after it was asked for; gives when it began."""
    await asyncio.sleep(30)
    desk.plane.sinces.clear()
    desk.plane.calls.clear()
    began = desk.clock.now()
    await desk.pass_()
    return began


def moments(desk: Desk) -> set[datetime | None]:
    """From when on shared answers would have done."""
    queries = [query for asked in desk.plane.asked("read_zones") if isinstance(asked, tuple) for query in asked]
    of_zones = {query.since for query in queries if isinstance(query, ZoneQuery)}
    return {since for _, since in desk.plane.sinces} | of_zones


async def test_for_a_new_registry_to_which_nothing_leads_answers_from_after_the_request_will_do() -> None:
    desk = Desk(NEW)
    asked = desk.clock.now()
    await desk.ask()

    began = await passing(desk)

    assert moments(desk) == {asked}
    assert asked < began


@pytest.mark.parametrize("registry", [PRIVATE, ISOLATED])
async def test_where_an_endpoint_is_found_everything_is_read_after_the_beginning(registry: Registry) -> None:
    desk = Desk(registry)
    asked = desk.clock.now()
    await desk.ask()

    began = await passing(desk)

    assert desk.plane.sinces[0] == ("list_endpoints", asked)
    assert {since for _, since in desk.plane.sinces[1:]} == {began}
    assert moments(desk) == {asked, began}


async def test_where_azure_names_a_connection_only_answers_from_after_the_beginning_will_do() -> None:
    said = (Connection(endpoint=None, status=ConnectionStatus.PENDING),)
    desk = Desk(with_target(NEW, TargetKind.STORAGE, connections=said))
    await desk.ask()

    began = await passing(desk)

    assert moments(desk) == {began}


async def test_for_a_registry_that_was_seen_before_only_those_from_after_the_beginning_will_do() -> None:
    desk = Desk(NEW)
    await desk.ask()
    await desk.remember(observed=True)

    began = await passing(desk)

    assert moments(desk) == {began}


async def test_what_decides_a_closing_was_read_after_the_operations_were_seen_to_end() -> None:
    desk = Desk(PRIVATE)
    await desk.ask()
    zones = PRIVATE.networks[0].zones.values()
    links = [LinkZone(zone=z.id, link=link.id, network=link.network) for z in zones for link in z.links or ()]
    await desk.remember(operations=tuple(an_operation(link) for link in links), observed=True)
    desk.plane.ends = {key_of(link): SUCCEEDED for link in links}

    began = await passing(desk)

    assert len(desk.plane.asked("start close-public-access")) == 1
    assert all(since is not None and since >= began for since in moments(desk))
