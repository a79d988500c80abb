"""After a closing the way in is looked at once more; where it broke, what was closed is opened again."""

from datetime import timedelta

import pytest

from local.simulator import scenery
from local.simulator.durations import Durations
from local.simulator.world import Resource
from shared.core.report import BlockedOutcome
from tests.scenarios.house import APP, House
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.test_undo import network_of
from tests.scenarios.verdict import unisolated

MINUTE = timedelta(minutes=1)


async def just_closed(house: House) -> tuple[str, dict[str, dict[str, object]]]:
    """A registry that was isolated a moment ago, and its network settings from before."""
    registry = await create(house)
    await house.live(house.exists(registry))
    before = network_of(house, registry)

    async def closed() -> bool:
        row = await house.row(registry)
        return row is not None and row.outcome is not None and row.outcome.kind == "converged"

    assert await house.live(closed)
    assert house.closed(registry)
    return registry, before


def endpoint(house: House, kind: str) -> Resource:
    return next(found for found in house.endpoints() if f"-{kind}-" in found.name)


def reject(house: House, kind: str) -> None:
    found = endpoint(house, kind)
    target = str(found.properties["privateLinkServiceConnections"][0]["properties"]["privateLinkServiceId"])
    house.azure.links.state_changed(target, found.id, "Rejected", "by hand")


def remove(house: House, kind: str) -> None:
    scenery.send(house.azure, "DELETE", endpoint(house, kind).id, api_version=scenery.NETWORK_API)


def break_records(house: House, kind: str) -> None:
    for record in list(house.azure.world.of_type("Microsoft.Network/privateDnsZones/A")):
        if f"privatelink.{kind}." in record.id:
            house.azure.world.delete(record.id)


@pytest.mark.parametrize("kind", ["registry", "storage", "acr"])
def test_an_endpoint_that_is_rejected_after_the_closing_rolls_it_back(kind: str) -> None:
    async def story() -> None:
        async with House() as house:
            registry, before = await just_closed(house)
            reject(house, kind)

            assert await house.settle(registry) == "blocked"
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            (reason,) = row.report.reasons
            assert reason.name == "RolledBack"
            assert endpoint(house, kind).name in reason.sentence
            assert network_of(house, registry) == before
            assert "rollback" in {entry.subject for entry in await house.told(registry)}

    tell(story())


def test_lost_records_roll_it_back() -> None:
    async def story() -> None:
        async with House() as house:
            registry, before = await just_closed(house)
            break_records(house, "blob")

            assert await house.settle(registry) == "blocked"
            assert network_of(house, registry) == before

    tell(story())


def test_what_was_rolled_back_is_closed_again_once_somebody_asks_and_the_way_in_works() -> None:
    async def story() -> None:
        async with House() as house:
            registry, _ = await just_closed(house)
            reject(house, "storage")
            assert await house.settle(registry) == "blocked"

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_one_second_look_at_the_end_of_the_window_is_all_it_costs() -> None:
    async def story() -> None:
        async with House() as house:
            registry, _ = await just_closed(house)
            before = len(house.azure.log)

            assert await house.settle(registry) == "converged"
            asked = [call for call in house.azure.log[before:] if call.principal == APP]
            assert 0 < len(asked) <= 12
            assert [call for call in asked if call.kind == "write"] == []
            row = await house.row(registry)
            assert row is not None
            assert row.verify is None
            log = len(house.azure.log)
            await house.live(house.after(60 * MINUTE))
            assert [call for call in house.azure.log[log:] if call.principal == APP] == []

    tell(story())


def test_a_closing_that_runs_for_hours_is_asked_after_now_and_then_and_judged_when_it_has_ended() -> None:
    async def story() -> None:
        async with House(durations=Durations(registry_update=3 * 3600)) as house:
            registry = await create(house)
            await house.live(house.wrote("/registries/contoso"))
            await house.live(house.after(90 * MINUTE))
            row = await house.row(registry)
            assert row is not None
            assert isinstance(row.outcome, BlockedOutcome)
            assert [reason.name for reason in row.outcome.reasons] == ["StuckOperation"]
            before = len(house.azure.log)

            assert await house.settle(registry, timedelta(hours=4)) == "converged"

            asked = [call for call in house.azure.log[before:] if call.principal == APP and call.kind == "poll"]
            assert 0 < len(asked) <= 12
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_what_was_repaired_within_the_window_is_not_rolled_back() -> None:
    async def story() -> None:
        async with House() as house:
            registry, _ = await just_closed(house)
            remove(house, "storage")
            await house.live(house.after(2 * MINUTE))

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_what_breaks_after_the_window_is_repaired_and_never_opened() -> None:
    async def story() -> None:
        async with House() as house:
            registry, _ = await just_closed(house)
            await house.settle(registry)
            reject(house, "storage")

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            puts = [call for call in house.writes() if call.principal == APP and "MachineLearning" in call.url]
            assert len(puts) == 1
            assert unisolated(house.azure, registry) == []

    tell(story())


@pytest.mark.parametrize("lockdown", [{"rollback_on_failure": False}, {"when": "immediately"}])
def test_the_policy_may_do_without(lockdown: dict[str, object]) -> None:
    async def story() -> None:
        house = House()
        house.document["lockdown"] = lockdown
        async with house:
            registry = await create(house)
            assert await house.settle(registry) == "converged"
            row = await house.row(registry)
            assert row is not None
            assert row.verify is None
            reject(house, "storage")
            await house.live(house.after(30 * MINUTE))

            assert house.closed(registry)

    tell(story())
