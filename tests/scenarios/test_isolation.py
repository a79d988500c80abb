"""A registry is created and becomes isolated: the whole path in virtual time, one story each."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.simulator import scenery
from local.simulator.durations import Durations
from local.simulator.options import EventMoment, Options
from tests.scenarios.house import House
from tests.scenarios.verdict import unisolated
from tests.virtual_time import run_virtual


def tell(story: Coroutine[Any, Any, None]) -> None:
    run_virtual(story)


async def create(house: House, name: str = "contoso", regions: tuple[str, ...] = ("westeurope",)) -> str:
    """Start the creation the way a user does; gives the registry's id."""
    scenery.put_registry(house.azure, name, regions, house.now())
    return scenery.registry_id(house.scene.registries_group, name)


@pytest.mark.parametrize(
    "regions", [("westeurope",), ("westeurope", "northeurope"), ("westeurope", "northeurope", "eastus")]
)
def test_a_created_registry_becomes_isolated(regions: tuple[str, ...]) -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house, regions=regions)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            assert len(house.endpoints()) == 2 + len(regions)

    tell(story())


def test_a_registry_in_two_networks_gets_endpoints_in_both() -> None:
    async def story() -> None:
        house = House()
        spoke = house.add_network("spoke", "10.1.0.0/16")
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            subnets = sorted(str(endpoint.properties["subnet"]["id"]) for endpoint in house.endpoints())
            assert subnets == sorted([house.scene.subnet] * 3 + [spoke] * 3)

    tell(story())


def test_the_next_pass_writes_nothing_and_reads_at_most_twelve_times() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            await house.settle(registry)
            before = len(house.azure.log)

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert house.writes(before) == []
            assert len(house.azure.log[before:]) <= 12

    tell(story())


def test_every_write_was_necessary() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            before = len(house.azure.log)
            await house.settle(registry)

            written = [call.url.split("?")[0].lower() for call in house.writes(before)]
            assert (
                len(written) == len(set(written)) == 3 + 3 + 3 + 3 + 1
            )  # endpoints, zones, links, groups, the registry

    tell(story())


def test_storage_and_acr_are_closed_by_the_app_where_azure_does_not_follow() -> None:
    async def story() -> None:
        async with House(options=Options(public_access_propagates=False)) as house:
            registry = await create(house, regions=("westeurope", "northeurope"))

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            waited = [entry for entry in await house.told(registry) if entry.subject.startswith("close-public-access")]
            assert len({entry.subject for entry in waited}) == 4

    tell(story())


def test_existing_zones_and_links_are_used() -> None:
    async def story() -> None:
        async with House() as house:
            first = await create(house, "first")
            await house.settle(first)
            before = len(house.azure.log)

            second = await create(house, "second")

            assert await house.settle(second) == "converged"
            assert unisolated(house.azure, second) == []
            assert not [call for call in house.writes(before) if "/privatednszones/" in call.url.lower()]

    tell(story())


@pytest.mark.parametrize("moment", EventMoment)
def test_it_does_not_matter_when_the_event_fires(moment: EventMoment) -> None:
    async def story() -> None:
        async with House(options=Options(event_moment=moment)) as house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_a_registry_that_takes_a_quarter_of_an_hour_is_waited_for() -> None:
    async def story() -> None:
        slow = Options(event_moment=EventMoment.ACCEPTANCE)
        async with House(durations=Durations(registry_create=960.0), options=slow) as house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_one_404_right_after_creation_is_not_a_deletion() -> None:
    async def story() -> None:
        async with House(options=Options(registry_missing_once=True)) as house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"

    tell(story())


def test_a_deleted_registry_ends_as_gone() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            await house.settle(registry)

            scenery.send(house.azure, "DELETE", registry, api_version=scenery.REGISTRY_API)
            await house.live(house.after(timedelta(minutes=2)))

            assert await house.settle(registry) == "gone"

    tell(story())


def test_ten_identical_and_reordered_events_cost_one_reconciles_writes() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            await house.live(house.exists(registry))
            before = len(house.azure.log)
            for _ in range(10):
                await house.ask(registry)

            assert await house.settle(registry) == "converged"
            written = [call.url for call in house.writes(before)]
            assert len(written) == len(set(written)) == 13

    tell(story())


def test_a_registry_outside_the_scope_is_left_alone() -> None:
    async def story() -> None:
        house = House()
        house.document["scope"]["registries"] = {"include": ["prod-*"]}
        async with house:
            registry = await create(house, "sandbox")
            before = len(house.azure.log)

            assert await house.settle(registry) == "exempt"
            assert [call for call in house.azure.log[before:] if call.principal == house.app] == []

    tell(story())


@pytest.mark.parametrize("kind", ["registry", "storage", "acr"])
def test_an_exempt_target_is_left_as_it_is_until_the_exemption_ends(kind: str) -> None:
    async def story() -> None:
        house = House(options=Options(public_access_propagates=False))
        exemption = {"registry": "con*", "targets": [kind], "reason": "images", "owner": "me", "expires": "2026-01-05"}
        house.document["exemptions"] = [exemption]
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert sorted(house.access(registry).values()) == ["Disabled", "Disabled", "Enabled"]
            assert len(house.endpoints()) == 2

            await house.live(house.after(timedelta(days=1)), timedelta(days=2))
            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_audit_mode_plans_and_writes_nothing() -> None:
    async def story() -> None:
        house = House()
        house.document["mode"] = "audit"
        async with house:
            registry = await create(house)
            before = len(house.azure.log)

            assert await house.settle(registry) == "audited"
            assert house.writes(before) == []
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert len(row.report.changes) == 12

    tell(story())


@pytest.mark.parametrize("cloud", ["AzureUSGovernment", "AzureChinaCloud"])
def test_a_sovereign_cloud_uses_its_own_host_zones_and_suffixes(cloud: str) -> None:
    async def story() -> None:
        async with House(cloud=cloud) as house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            zones = {zone.name for zone in house.azure.world.of_type("Microsoft.Network/privateDnsZones")}
            assert zones == {name for group in ("amlregistry", "blob", "registry") for name in house.cloud.zones[group]}
            hosts = {urlsplit(call.url).hostname or "" for call in house.azure.log}
            assert all(host.endswith(house.cloud.operation_suffixes) for host in hosts), hosts

    tell(story())


def test_registries_created_together_share_zones_and_all_become_isolated() -> None:
    async def story() -> None:
        async with House() as house:
            registries = [await create(house, f"team-{number}") for number in range(8)]
            for registry in registries:
                assert await house.settle(registry) == "converged"

            assert [problem for registry in registries for problem in unisolated(house.azure, registry)] == []
            assert len(house.endpoints()) == 3 * len(registries)
            zones = [call for call in house.writes() if call.principal == house.app and "/A/" not in call.url]
            put = [
                call.url.split("?")[0]
                for call in zones
                if "virtualnetworklinks" in call.url.lower() and call.status < 400
            ]
            assert len(set(put)) == 3

    tell(story())


def test_a_killed_process_loses_nothing() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            await house.live(house.wrote("privateEndpoints"))
            await house.stop()

            house.install()
            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            assert len(house.endpoints()) == 3

    tell(story())
