"""What a chain of passes does not read twice, and what it always reads."""

from dataclasses import replace

import pytest

from shared.core.changes import Change, ClosePublicAccess, LinkZone, PutZoneGroup, key_of
from shared.core.registry import Registry, TargetKind
from shared.core.report import Converged, Done
from tests.core.worlds import ZONES, a_policy, a_registry, closed, private, want, zone_id
from tests.engine.desk import ALPHA, MINUTE, Desk, reasons
from tests.engine.plane import RUNNING, SUCCEEDED
from tests.engine.test_pacing import an_operation

pytestmark = pytest.mark.virtual_time

POLICY = a_policy()
NEW = a_registry(POLICY)
PRIVATE = private(NEW, POLICY)
CLOSING = closed(PRIVATE, TargetKind.REGISTRY)
ISOLATED = closed(PRIVATE)
CLOSE = ClosePublicAccess(target=ALPHA, target_kind=TargetKind.REGISTRY)
NAMES = ("read_addresses", "read_zones")


def links() -> list[LinkZone]:
    zones = PRIVATE.networks[0].zones.values()
    return [LinkZone(zone=z.id, link=link.id, network=link.network) for z in zones for link in z.links or ()]


def zone_groups() -> list[PutZoneGroup]:
    return [
        PutZoneGroup(endpoint=want(NEW, POLICY, kind).id, name="default", zones={"z": zone_id(ZONES[group][0])})
        for kind, group in (("storage", "blob"), ("acr", "registry"))
    ]


async def linking(registry: Registry) -> Desk:
    """A desk on which only links and zone groups still run, all of them due."""
    desk = Desk(registry)
    await desk.ask()
    changes: list[Change] = [*links(), *zone_groups()]
    await desk.remember(operations=tuple(an_operation(change) for change in changes))
    return desk


async def closing() -> Desk:
    """A desk that has verified everything and asked Azure to close the registry, which Azure has done."""
    desk = Desk(PRIVATE)
    await desk.ask()
    assert reasons(await desk.pass_()) == ["OperationRunning"]
    desk.plane.ends = {key_of(CLOSE): SUCCEEDED}
    desk.plane.registry = CLOSING
    assert reasons(await desk.pass_()) == ["Propagation"]
    desk.plane.calls.clear()
    return desk


# --- links and zone groups --------------------------------------------------------------------------------------------


async def test_one_scout_is_asked_and_the_observation_tells_of_the_rest() -> None:
    desk = await linking(PRIVATE)
    desk.plane.ends = {key_of(links()[0]): SUCCEEDED}

    await desk.pass_()

    (asked,) = desk.plane.asked("progress")
    assert isinstance(asked, tuple)
    assert len(asked) == 1
    assert (await desk.told("change")).count("succeeded") == len(links()) + len(zone_groups())
    assert desk.plane.started == ["close-public-access"]


async def test_while_the_scout_runs_nothing_is_observed() -> None:
    desk = await linking(PRIVATE)

    outcome = await desk.pass_()

    assert set(reasons(outcome)) == {"OperationRunning"}
    assert {name for name, _ in desk.plane.calls} == {"progress"}
    assert len((await desk.row()).operations) == len(links()) + len(zone_groups())


async def test_what_the_observation_does_not_show_done_is_asked_after_and_nothing_is_closed() -> None:
    view = PRIVATE.networks[0]
    zones = {
        name: replace(zone, links=tuple(replace(link, state="InProgress") for link in zone.links or ()))
        for name, zone in view.zones.items()
    }
    desk = await linking(replace(PRIVATE, networks=(replace(view, zones=zones),)))
    desk.plane.ends = {key_of(links()[0]): SUCCEEDED, key_of(links()[1]): RUNNING}

    outcome = await desk.pass_()

    assert set(reasons(outcome)) == {"OperationRunning"}
    assert desk.plane.started == []
    left = {key_of(operation.change) for operation in (await desk.row()).operations}
    assert left == {key_of(link) for link in links()[1:]}


# --- after the closing ------------------------------------------------------------------------------------------------


async def test_names_verified_before_the_closing_are_not_read_again_when_azure_has_followed() -> None:
    desk = await closing()
    desk.plane.registry = ISOLATED

    assert await desk.pass_() == Converged()

    names = {name for name, _ in desk.plane.calls}
    assert names == {"read_storage_account", "read_registry", "read_container_registry", "list_endpoints"}
    assert len(desk.plane.asked("read_storage_account")) == 1


async def test_the_second_look_reads_everything() -> None:
    desk = await closing()
    desk.plane.registry = ISOLATED
    await desk.pass_()
    desk.plane.calls.clear()

    assert await desk.pass_() == Converged()

    assert all(desk.plane.asked(name) for name in (*NAMES, "list_group"))
    assert (await desk.row()).verify is None


async def test_another_request_reads_everything() -> None:
    desk = await closing()
    desk.plane.registry = ISOLATED
    await desk.pass_()
    await desk.ask()
    desk.plane.calls.clear()

    await desk.pass_()

    assert all(desk.plane.asked(name) for name in (*NAMES, "list_group"))


async def test_a_closing_that_takes_azure_longer_is_followed_by_a_whole_look() -> None:
    desk = await closing()
    while desk.clock.now() < (await desk.row()).requested + 8 * MINUTE:
        await desk.pass_()
    desk.plane.registry = ISOLATED
    desk.plane.calls.clear()

    assert await desk.pass_() == Converged()
    assert all(desk.plane.asked(name) for name in NAMES)


async def test_an_endpoint_that_is_gone_is_seen_although_names_are_not_read_again() -> None:
    desk = await closing()
    storage = want(NEW, POLICY, "storage").id
    view = ISOLATED.networks[0]
    gone = replace(view, endpoints=tuple(each for each in view.endpoints if each.id != storage))
    desk.plane.registry = replace(ISOLATED, networks=(gone,))

    await desk.pass_()

    assert desk.plane.started == ["create-endpoint"]


async def test_the_pass_that_closes_has_read_every_name_itself() -> None:
    desk = Desk(PRIVATE)
    desk.plane.starts = {"close-public-access": Done()}
    await desk.ask()
    await desk.pass_()

    before = desk.plane.calls.index(("start close-public-access", CLOSE))
    assert {name for name, _ in desk.plane.calls[:before]} >= {*NAMES, "list_endpoints", "list_group", "read_registry"}
