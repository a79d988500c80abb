"""A registry's whole life, read from its history alone: who asked, what was done, what it was before and after."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.faults import Fault, FaultKind
from local.simulator.world import Resource
from shared.core.requests import ReconcileRequest, RequestReason
from shared.engine.records import HistoryEntry
from shared.engine.undo import Undo
from tests.scenarios.house import House, as_id

pytestmark = pytest.mark.virtual_time
DAY = timedelta(days=1)
DIGEST = 64


async def lines(house: House, registry: str) -> list[HistoryEntry]:
    """The history, oldest first."""
    return list(reversed(await house.told(registry)))


def changes(entries: Sequence[HistoryEntry], part: str = "") -> list[HistoryEntry]:
    """Lines about writes, without the summary that a restoration ends with."""
    return [each for each in entries if each.kind == "change" and each.digest and part in each.subject]


def one(entries: Sequence[HistoryEntry], part: str, result: str) -> HistoryEntry:
    (found,) = [each for each in changes(entries, part) if each.result == result]
    return found


async def created_by_a_user(house: House) -> str:
    scenery.put_registry(house.azure, "alpha", now=house.clock.now(), group=house.scene.registries_group)
    registry = scenery.registry_id(house.scene.registries_group, "alpha")
    assert await house.live(house.exists(registry))
    assert await house.settle(registry) == "converged"
    return registry


async def ask_as(house: House, registry: str, reason: RequestReason, origin: str, caller: str = "") -> None:
    await house.intake.accept(
        ReconcileRequest(
            registry=as_id(registry), reason=reason, origin=origin, received=house.clock.now(), caller=caller
        )
    )
    await house.settle(registry, 3 * DAY)


async def test_the_creation_reads_as_a_story() -> None:
    async with House() as house:
        registry = await created_by_a_user(house)
        told = await lines(house, registry)

        delivered = {event.id: event for _, _, event in house.azure.events.delivered}
        asked = [each for each in told if each.kind == "request"]
        assert "asked for by event" in {each.sentence for each in asked}
        for each in told[: told.index(changes(told)[-1]) + 1]:  # every line until the last change says who asked
            claims: Any = delivered[each.origin].data["claims"]
            assert each.caller == claims["http://schemas.microsoft.com/identity/claims/objectidentifier"]
            assert each.generation >= 1
        plans = list(dict.fromkeys(each.digest for each in changes(told)))
        assert len(plans) == 2  # the way in, then the closing
        assert {len(digest) for digest in plans} == {DIGEST}
        assert [each.result for each in told if each.kind == "outcome"] == ["waiting", "converged"]


async def test_every_line_about_a_write_is_complete() -> None:
    async with House() as house:
        registry = await created_by_a_user(house)
        told = changes(await lines(house, registry))

        for each in told:
            assert (each.before, each.after) != (None, None), each
            assert each.before != each.after
            assert each.attempts == 1
            assert each.duration_seconds is not None
            assert len(each.digest) == DIGEST
        begun = {each.subject: each for each in told if each.result == "started"}
        ended = {each.subject: each for each in told if each.result == "succeeded"}
        assert begun.keys() == ended.keys()
        for subject, end in ended.items():
            assert (end.digest, end.before, end.after) == (
                begun[subject].digest,
                begun[subject].before,
                begun[subject].after,
            )
            took = (end.at - begun[subject].at).total_seconds()
            assert took <= (end.duration_seconds or 0) <= took + 1


async def test_endpoints_zones_and_closings_say_what_they_were_and_what_they_are() -> None:
    async with House() as house:
        registry = await created_by_a_user(house)
        told = await lines(house, registry)

        endpoint = next(each for each in changes(told, "create-endpoint") if "amlregistry" in each.sentence)
        assert endpoint.before == {"exists": False}
        assert endpoint.after is not None
        assert endpoint.after["subnet"] == house.scene.subnet
        assert str(endpoint.after["target"]).lower() == registry.lower()
        group = next(each for each in changes(told, "put-zone-group") if "azurecr" in each.sentence)
        assert group.after is not None
        assert "privatelink-azurecr-io" in str(group.after["zones"])
        closing = one(told, f"close-public-access:{registry.lower()}", "succeeded")
        assert (closing.before, closing.after) == (
            {"publicNetworkAccess": "Enabled"},
            {"publicNetworkAccess": "Disabled"},
        )
        assert next(each for each in told if each.kind == "outcome" and each.result == "converged").at > closing.at


async def test_drift_undo_resume_and_deletion_follow_with_who_asked_for_each() -> None:
    async with House() as house:
        registry = await created_by_a_user(house)
        found = house.azure.world.get(registry)
        assert found is not None
        storage, acr = scenery.parts_of(house.azure, found)

        drifted = len(await lines(house, registry))
        storage.properties["publicNetworkAccess"] = "Enabled"
        await ask_as(house, registry, RequestReason.SWEEP, "sweep-7")
        drift = (await lines(house, registry))[drifted:]
        closing = one(drift, f"close-public-access:{storage.id.lower()}", "done")
        assert (closing.origin, closing.caller) == ("sweep-7", "")
        assert closing.before is not None
        assert closing.after is not None
        assert (closing.before["publicNetworkAccess"], closing.after["publicNetworkAccess"]) == ("Enabled", "Disabled")

        undone = drifted + len(drift)
        undo = Undo(house.ledger, house.queue, house.clock)
        await undo.undo(as_id(registry), caller="key:maria", why="a demo")
        assert await house.settle(registry) == "paused"
        restoring = (await lines(house, registry))[undone:]
        assert restoring[0].kind == "undo"
        assert [each.result for each in restoring if each.kind == "outcome"] == ["waiting", "paused"]
        restored = changes(restoring, f"restore-settings:{acr.id.lower()}")
        assert {each.caller for each in restoring if each.kind != "request"} == {"key:maria"}
        assert restored[0].before is not None
        assert restored[0].after is not None
        assert restored[0].before["publicNetworkAccess"] == "Disabled"
        assert restored[0].after["publicNetworkAccess"] == "Enabled"

        await undo.resume(as_id(registry), caller="key:maria")
        assert await house.settle(registry) == "converged"
        gone = len(await lines(house, registry))
        _delete(house, found)
        await ask_as(house, registry, RequestReason.EVENT, "event-9", "owner")
        departure = (await lines(house, registry))[gone:]
        deleted = [each for each in changes(departure, "delete-endpoint") if each.result == "succeeded"]
        assert len(deleted) == 3
        for each in deleted:
            assert (each.origin, each.caller, each.after) == ("event-9", "owner", {"exists": False})
            assert len(each.digest) == DIGEST
        assert departure[-1].result == "gone"


async def test_a_write_that_was_repeated_says_how_often_and_one_that_was_refused_leaves_no_after() -> None:
    async with House() as house:
        refused = "privateDnsZones/privatelink.azurecr.io$"
        house.azure.faults.add(
            Fault(kind=FaultKind.RESPOND, method="PUT", path="privateEndpoints/", status=503, times=2)
        )
        house.azure.faults.add(
            Fault(
                kind=FaultKind.RESPOND,
                method="PUT",
                path=refused,
                status=403,
                code="RequestDisallowedByPolicy",
                times=99,
            )
        )
        registry = scenery.create_registry(house.azure, "alpha", now=house.clock.now())
        await house.ask(registry)
        assert await house.settle(registry) == "blocked"
        told = changes(await lines(house, registry.id))

        tries = sorted(each.attempts for each in told if each.kind == "change" and each.result == "started")
        assert tries[-1] > 1
        denied = next(each for each in told if each.result == "DeniedByPolicy")
        assert (denied.before, denied.after, denied.attempts) == ({"exists": False}, None, 1)
        skipped = next(each for each in told if each.result == "skipped")
        assert (skipped.after, skipped.attempts, skipped.duration_seconds) == (None, 0, None)
        assert "not tried, because create-zone" in skipped.sentence


def _delete(house: House, registry: Resource) -> None:
    house.azure.world.delete(str(registry.properties["managedResourceGroup"]["resourceId"]))
    house.azure.world.delete(registry.id)
