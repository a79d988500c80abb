"""Drift by event: somebody changes a part of an isolated registry, and the event of that change leads to its repair."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.world import Resource
from tests.scenarios.house import House

pytestmark = pytest.mark.looptime
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
