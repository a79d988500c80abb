"""A registry changes shape: regions come, storage accounts go, replicas take their time."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from local.simulator import scenery
from local.simulator.durations import Durations
from local.simulator.options import EventMoment, Options
from local.simulator.wire import Request, Response
from local.simulator.world import Resource
from tests.scenarios.house import APP, House
from tests.scenarios.test_convergence import WatchfulAzure
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.verdict import endpoints_of, unisolated

MINUTE = timedelta(minutes=1)


def found(house: House, registry: str) -> Resource:
    there = house.azure.world.get(registry)
    assert there is not None
    return there


async def grow(house: House, registry: str, *regions: str) -> None:
    """A user adds regions the way the CLI does: a PUT of everything."""
    now = found(house, registry)
    body = scenery.registry_body(regions, public_access=str(now.properties["publicNetworkAccess"]))
    scenery.send(house.azure, "PUT", registry, body, api_version=scenery.REGISTRY_API)
    await house.live(house.after(3 * MINUTE))


def lose_storage(house: House, registry: str) -> Resource:
    """A region's storage account goes, as when a region is removed (which the simulated Azure does not know)."""
    there = found(house, registry)
    regions = there.properties["regionDetails"]
    lost = regions.pop()
    name = lost["storageAccountDetails"][0]["systemCreatedStorageAccount"]["storageAccountName"]
    account = next(part for part in scenery.parts_of(house.azure, there) if part.name == name)
    endpoint = endpoints_of(house.azure, account)[0]
    house.azure.world.delete(account.id)
    return endpoint


@pytest.mark.parametrize("propagates", [True, False])
def test_a_region_added_later_gets_its_endpoint_and_is_closed(propagates: bool) -> None:  # noqa: FBT001
    async def story() -> None:
        async with House(options=Options(public_access_propagates=propagates)) as house:
            registry = await create(house)
            await house.settle(registry)

            await grow(house, registry, "westeurope", "northeurope")

            assert await house.settle(registry) == "converged"
            assert len(house.endpoints()) == 4
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_records_include_the_data_endpoint_of_a_region_added_later() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            await house.settle(registry)
            acr = scenery.parts_of(house.azure, found(house, registry))[-1].name

            await grow(house, registry, "westeurope", "northeurope")

            assert await house.settle(registry) == "converged"
            names = {record.name for record in house.azure.world.of_type("Microsoft.Network/privateDnsZones/A")}
            assert {acr, f"{acr}.westeurope.data", f"{acr}.northeurope.data"} <= names

    tell(story())


class ReplicatingAzure(WatchfulAzure):
    """Notes every endpoint of a container registry that is asked for while a replica is not there."""

    def handle(self, request: Request, now: datetime) -> Response:
        if request.method == "PUT" and re.search(r"/privateEndpoints/[^/]*-acr-[^/]*$", request.path):
            self.advance(now)
            replicas = self.world.of_type("Microsoft.ContainerRegistry/registries/replications")
            self.premature += [each.name for each in replicas if each.properties["provisioningState"] != "Succeeded"]
        return super().handle(request, now)


def test_the_container_registrys_endpoint_waits_until_every_replica_is_there() -> None:
    async def story() -> None:
        slow = Durations(registry_create=300.0)
        options = Options(event_moment=EventMoment.ACCEPTANCE)
        async with House(durations=slow, options=options, azure_type=ReplicatingAzure) as house:
            registry = await create(house)
            await house.live(house.exists(registry))
            replicas = house.azure.world.of_type("Microsoft.ContainerRegistry/registries/replications")
            late = next(iter(replicas))
            late.properties["provisioningState"] = "Creating"
            await house.live(house.after(3 * MINUTE))
            assert not [endpoint for endpoint in house.endpoints() if "-acr-" in endpoint.name]
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert "ReplicationInProgress" in [reason.name for reason in row.report.reasons]
            late.properties["provisioningState"] = "Succeeded"

            assert await house.settle(registry) == "converged"
            assert house.azure.premature == []  # type: ignore[attr-defined]
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_a_storage_account_that_disappears_loses_the_endpoint_that_the_app_made() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house, regions=("westeurope", "northeurope"))
            await house.settle(registry)
            gone = lose_storage(house, registry)

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert gone.id not in [endpoint.id for endpoint in house.endpoints()]
            assert len(house.endpoints()) == 3
            assert unisolated(house.azure, registry) == []
            row = await house.row(registry)
            assert row is not None
            assert len(row.made) == 3

    tell(story())


def test_somebody_elses_endpoint_to_a_storage_account_that_disappears_stays() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house, regions=("westeurope", "northeurope"))
            await house.settle(registry)
            gone = lose_storage(house, registry)
            gone.body["tags"] = {}
            row = await house.row(registry)
            assert row is not None
            entry = await house.ledger.read(row.registry)
            assert entry is not None
            await house.ledger.write(replace(row, made=()), entry.etag)

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert gone.id in [endpoint.id for endpoint in house.endpoints()]

    tell(story())


def test_the_policy_may_keep_endpoints_of_what_disappeared() -> None:
    async def story() -> None:
        house = House()
        house.document["deletion"] = {"endpoints": False}
        async with house:
            registry = await create(house, regions=("westeurope", "northeurope"))
            await house.settle(registry)
            lose_storage(house, registry)
            before = len(house.azure.log)

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert len(house.endpoints()) == 4
            assert [call.url for call in house.writes(before) if call.principal == APP] == []

    tell(story())


def test_an_account_that_only_seems_to_be_gone_keeps_its_endpoint() -> None:
    """The registry does not name it and its connection is cut, but Azure still has it."""

    async def story() -> None:
        async with House() as house:
            registry = await create(house, regions=("westeurope", "northeurope"))
            await house.settle(registry)
            there = found(house, registry)
            there.properties["regionDetails"].pop()
            account = scenery.parts_of(house.azure, there)[1]
            endpoint = endpoints_of(house.azure, account)[0]
            house.azure.links.state_changed(account.id, endpoint.id, "Disconnected", "by hand")

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert endpoint.id in [kept.id for kept in house.endpoints()]

    tell(story())
