"""A registry goes: what the app made for it goes with it after the grace period, and nothing else does."""

from datetime import timedelta
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.faults import Fault, FaultKind
from local.simulator.wire import JsonObject
from shared.core.registry import TargetKind
from tests.scenarios.house import APP, House
from tests.scenarios.test_convergence import own_endpoint
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.verdict import unisolated

MINUTE = timedelta(minutes=1)


def delete(house: House, registry: str) -> None:
    scenery.send(house.azure, "DELETE", registry, api_version=scenery.REGISTRY_API)


async def isolated(house: House, name: str = "contoso", regions: tuple[str, ...] = ("westeurope",)) -> str:
    registry = await create(house, name, regions)
    assert await house.settle(registry) == "converged"
    return registry


async def pass_time(house: House, duration: timedelta) -> None:
    await house.live(house.after(duration), timedelta(days=9))


def records(house: House) -> list[str]:
    return [found.name for found in house.azure.world.of_type("Microsoft.Network/privateDnsZones/A")]


def foreign_endpoint(house: House, registry: str, name: str = "by-hand") -> str:
    """Somebody else's endpoint to the registry."""
    connection = {"name": "c", "properties": {"privateLinkServiceId": registry, "groupIds": ["amlregistry"]}}
    properties = {"subnet": {"id": house.scene.subnet}, "privateLinkServiceConnections": [connection]}
    path = f"{house.scene.network_group}/providers/Microsoft.Network/privateEndpoints/{name}"
    body: JsonObject = {"location": "westeurope", "properties": properties}
    scenery.send(house.azure, "PUT", path, body, api_version=scenery.NETWORK_API)
    return path


def test_endpoints_zone_groups_and_records_go_after_the_grace_period_and_not_before() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            other = await isolated(house, "fabrikam")
            delete(house, registry)

            await pass_time(house, 25 * MINUTE)
            assert len(house.endpoints()) == 6
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert "is removed at" in row.report.reasons[0].sentence
            assert [(condition.type, condition.status) for condition in row.report.conditions] == [
                ("Discovered", "False")
            ]

            assert await house.settle(registry) == "gone"
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert (row.report.changes, row.report.findings) == ((), ())
            assert (row.made, row.propagated, row.closed_since) == ((), False, None)
            assert len(house.endpoints()) == 3
            assert house.azure.world.of_type("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
            assert not [name for name in records(house) if "contoso" in name]
            assert unisolated(house.azure, other) == []

    tell(story())


def test_the_history_tells_what_was_deleted_and_why() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)
            await house.settle(registry)

            told = [entry.sentence for entry in await house.told(registry) if entry.subject.startswith("delete-endp")]
            assert len([sentence for sentence in told if "leads to a resource that is gone" in sentence]) >= 3

    tell(story())


def test_a_missed_event_is_made_good_by_the_next_look() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            for subscription in list(house.azure.world.of_type("Microsoft.EventGrid/systemTopics/eventSubscriptions")):
                house.azure.world.delete(subscription.id)
            delete(house, registry)
            await pass_time(house, 60 * MINUTE)
            assert len(house.endpoints()) == 3

            await house.ask(registry)

            assert await house.settle(registry) == "gone"
            assert house.endpoints() == []

    tell(story())


def test_adopted_and_foreign_endpoints_stay() -> None:
    async def story() -> None:
        async with House() as house:
            registry = scenery.create_registry(house.azure, "contoso").id
            adopted = foreign_endpoint(house, registry)
            scenery.rest(house.azure)
            await house.ask(registry)
            assert await house.settle(registry) == "converged"
            beside = foreign_endpoint(house, registry, "later")
            scenery.rest(house.azure)
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)

            assert await house.settle(registry) == "gone"
            assert {found.id for found in house.endpoints()} == {adopted, beside}

    tell(story())


@pytest.mark.parametrize("kind", TargetKind)
def test_an_endpoint_of_the_apps_name_that_somebody_else_made_stays(kind: TargetKind) -> None:
    async def story() -> None:
        house = House()
        registry = scenery.create_registry(house.azure, "contoso")
        own_endpoint(kind)(house, registry)
        (kept,) = house.endpoints()
        async with house:
            await house.ask(registry)
            assert await house.settle(registry) == "converged"
            delete(house, registry.id)
            await pass_time(house, 5 * MINUTE)

            assert await house.settle(registry) == "gone"
            assert [found.id for found in house.endpoints()] == [kept.id]

    tell(story())


def test_an_endpoint_that_leads_to_something_living_stays() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            found = house.azure.world.get(registry)
            assert found is not None
            storage = scenery.parts_of(house.azure, found)[0]
            survivor = dict(storage.body)
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)
            house.azure.world.put({"id": survivor["id"].rsplit("/providers", 1)[0], "name": "x", "location": "westeurope",
                                   "type": "Microsoft.Resources/resourceGroups", "properties": {}})  # fmt: skip
            house.azure.world.put(survivor)

            assert await house.settle(registry) == "gone"
            assert [name.name.split("-")[2] for name in house.endpoints()] == ["storage"]

    tell(story())


@pytest.mark.parametrize("since", [1, 20])
def test_a_registry_recreated_within_the_grace_period_keeps_working(since: int) -> None:
    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            delete(house, registry)
            await pass_time(house, since * MINUTE + MINUTE)
            assert house.azure.world.get(registry) is None

            await create(house)
            await pass_time(house, 60 * MINUTE)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            assert len(house.endpoints()) == 3, [found.name for found in house.endpoints()]

    tell(story())


def test_a_repair_that_azure_did_not_take_for_long_is_not_counted_as_one() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            delete(house, registry)
            await pass_time(house, 2 * MINUTE)
            path = "privateEndpoints/pe-contoso-registry-[^/]+$"
            busy = Fault(kind=FaultKind.RESPOND, method="PUT", path=path, times=12, status=429, code="TooManyRequests")
            house.azure.faults.add(busy)

            await create(house)

            assert await house.settle(registry, timedelta(days=1)) == "converged"
            assert busy.hits == 12
            assert unisolated(house.azure, registry) == []

    tell(story())


@pytest.mark.parametrize(("method", "skip"), [("DELETE", 0), ("PUT", 1)])
def test_an_endpoint_whose_making_anew_fails_once_for_a_passing_reason_is_made_all_the_same(
    method: str, skip: int
) -> None:
    """The old endpoint is put again, which cannot help, deleted, and made anew."""

    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            delete(house, registry)
            await pass_time(house, 2 * MINUTE)
            path = "privateEndpoints/pe-contoso-registry-[^/]+$"
            failing = Fault(
                kind=FaultKind.FAIL_OPERATION, method=method, path=path, skip=skip, code="InternalServerError"
            )
            house.azure.faults.add(failing)

            await create(house)

            assert await house.settle(registry) == "converged"
            assert failing.spent
            assert unisolated(house.azure, registry) == []
            assert not [entry for entry in await house.told(registry) if entry.result == "blocked"]

    tell(story())


def test_a_registry_that_comes_back_after_everything_was_removed_is_isolated_anew() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)
            assert await house.settle(registry) == "gone"

            await create(house)
            await pass_time(house, MINUTE)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


@pytest.mark.parametrize(
    ("deletion", "minutes", "left"),
    [({"grace_minutes": 0}, 8, 0), ({"grace_minutes": 180}, 120, 3), ({"endpoints": False}, 120, 3)],
)
def test_the_policy_says_when_and_whether(deletion: dict[str, Any], minutes: int, left: int) -> None:
    async def story() -> None:
        house = House()
        house.document["deletion"] = deletion
        async with house:
            registry = await isolated(house)
            delete(house, registry)
            await pass_time(house, minutes * MINUTE)

            assert len(house.endpoints()) == left

    tell(story())


def test_audit_mode_says_what_it_would_remove_and_removes_nothing() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            await house.stop()
            house.document["mode"] = "audit"
            house.install()
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)
            before = len(house.azure.log)

            assert await house.settle(registry) == "audited"
            assert [call for call in house.writes(before) if call.principal == APP] == []
            assert len(house.endpoints()) == 3
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert sorted(sentence.split()[0] for sentence in row.report.changes) == ["delete"] * 3

    tell(story())


def test_a_registry_for_which_nothing_was_made_is_simply_gone() -> None:
    async def story() -> None:
        house = House()
        house.document["mode"] = "audit"
        async with house:
            registry = await create(house)
            assert await house.settle(registry) == "audited"
            delete(house, registry)
            await pass_time(house, 3 * MINUTE)
            before = len(house.azure.log)

            assert await house.settle(registry, 20 * MINUTE) == "gone"
            assert "privateEndpoints" not in " ".join(call.url for call in house.azure.log[before:])

    tell(story())


def test_what_was_made_is_found_by_its_tags_when_the_ledger_was_lost() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            foreign = foreign_endpoint(house, registry)
            await house.stop()
            house.ledger = type(house.ledger)()
            house.install()
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)

            assert await house.settle(registry, timedelta(hours=3)) == "gone"
            assert [found.id for found in house.endpoints()] == [foreign]

    tell(story())


def test_a_removal_that_may_not_be_done_is_a_block_that_names_the_permission() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await isolated(house)
            house.azure.rbac.principal(APP).assignments[0] = type(house.azure.rbac.principal(APP).assignments[0])(
                scope="/", actions=("*",), not_actions=("Microsoft.Network/privateEndpoints/delete",)
            )
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)

            assert await house.settle(registry) == "blocked"
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert "privateEndpoints/delete" in row.report.reasons[0].sentence
            assert len(house.endpoints()) == 3

    tell(story())
