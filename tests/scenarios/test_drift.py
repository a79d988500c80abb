"""Drift by event: somebody changes a part of an isolated registry, and the event of that change leads to its repair."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.world import Resource
from tests.scenarios.house import House

pytestmark = pytest.mark.virtual_time
STORAGE_API = "2023-05-01"


async def isolated(house: House) -> Resource:
    """A registry that the app has isolated and forgotten about."""
    registry = scenery.create_registry(house.azure, "contoso")
    await house.live(house.exists(registry.id))
    assert await house.settle(registry) == "converged"
    await house.live(house.after(timedelta(minutes=10)))
    return registry


def call(house: House, method: str, path: str, body: Any = None, *, api: str) -> None:
    """One call of a person, now."""
    house.azure.advance(house.now())
    scenery.send(house.azure, method, path, body, api_version=api)


def closed(house: House, registry: Resource) -> Callable[[], Awaitable[bool]]:
    """Holds once every door is shut."""

    async def shut() -> bool:
        return house.closed(registry)

    return shut


OPEN = {"properties": {"publicNetworkAccess": "Enabled"}}


async def test_a_storage_account_that_somebody_opens_is_closed_again_by_its_event() -> None:
    async with House() as house:
        registry = await isolated(house)
        account = scenery.parts_of(house.azure, registry)[0]

        call(house, "PATCH", account.id, OPEN, api=STORAGE_API)
        assert not house.closed(registry)

        assert await house.live(closed(house, registry), timedelta(minutes=3))
        assert await house.settle(registry) == "converged"
        asked = [entry for entry in await house.told(registry) if entry.kind == "request"]
        assert asked[0].sentence == f"asked for by related: Microsoft.Storage/storageAccounts {account.name} changed"
        row = await house.row(registry)
        assert row is not None
        assert row.drift is not None
        assert row.drift.repaired is not None
        assert row.drift.number == 1
        assert account.name in row.drift.changes[0]
        assert row.picture is not None
        assert row.picture.open_doors == 0
        assert all(way.sound for way in row.picture.ways)


async def repaired(house: House, registry: Resource) -> bool:
    """The event leads to a new generation, and that one to nothing left to do."""
    before = await house.row(registry)
    assert before is not None
    await house.live(house.after(timedelta(minutes=15)))
    row = await house.row(registry)
    assert row is not None
    assert row.outcome is not None
    return row.generation > before.generation and row.outcome.kind == "converged"


def endpoint_of(house: House, kind: str) -> Resource:
    return next(endpoint for endpoint in house.endpoints() if f"-{kind}-" in endpoint.name)


async def test_a_container_registry_that_somebody_opens_is_closed_again_by_its_event() -> None:
    async with House() as house:
        registry = await isolated(house)
        call(house, "PATCH", scenery.parts_of(house.azure, registry)[-1].id, OPEN, api="2023-07-01")
        assert not house.closed(registry)

        assert await repaired(house, registry)
        assert house.closed(registry)


async def test_an_endpoint_that_somebody_deletes_comes_back_by_its_event() -> None:
    async with House() as house:
        registry = await isolated(house)
        gone = endpoint_of(house, "storage")
        call(house, "DELETE", gone.id, api="2024-05-01")

        assert await repaired(house, registry)
        assert house.azure.world.get(gone.id) is not None


async def test_a_zone_group_that_somebody_deletes_comes_back_by_its_event() -> None:
    async with House() as house:
        registry = await isolated(house)
        group = f"{endpoint_of(house, 'storage').id}/privateDnsZoneGroups/default"
        call(house, "DELETE", group, api="2024-05-01")

        assert await repaired(house, registry)
        assert house.azure.world.get(group) is not None


async def test_a_record_that_somebody_deletes_comes_back_by_its_event() -> None:
    async with House() as house:
        registry = await isolated(house)
        account = scenery.parts_of(house.azure, registry)[0]
        zone = f"{house.scene.dns_group}/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net"
        record = f"{zone}/A/{account.name}"
        call(house, "DELETE", record, api="2020-06-01")

        assert await repaired(house, registry)
        assert house.azure.world.get(record) is not None


async def test_a_write_to_somebody_elses_storage_account_costs_no_reading_at_all() -> None:
    async with House() as house:
        await isolated(house)
        finds, calls = house.index.finds, len(house.azure.log)
        account = f"{house.scene.network_group}/providers/Microsoft.Storage/storageAccounts/unrelated"
        body = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
        call(house, "PUT", account, body, api=STORAGE_API)
        await house.live(house.after(timedelta(minutes=5)))

        assert house.index.finds == finds
        assert [each for each in house.azure.log[calls:] if each.principal == house.app] == []
