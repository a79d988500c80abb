"""What every owner index promises, in memory and on Azure Tables."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from local.memory_index import MemoryOwnerIndex
from shared.cloud.ownership_index import TableOwnerIndex
from shared.core.arm import ResourceId
from shared.engine.owner_ports import OwnerIndex
from tests.contract.state import a_registry


@pytest.fixture
async def index(world: str, request: pytest.FixtureRequest) -> AsyncIterator[OwnerIndex]:
    if world == "memory":
        yield MemoryOwnerIndex()
        return
    table = TableOwnerIndex(request.getfixturevalue("azurite_account"), f"index{uuid4().hex[:8]}")
    yield table
    await table.aclose()


def parts(registry: ResourceId) -> list[ResourceId]:
    endpoint = registry.resource("Microsoft.Network/privateEndpoints", "pe-été")
    return [registry.group, endpoint]


async def test_what_was_noted_leads_back_in_any_casing(index: OwnerIndex) -> None:
    registry = a_registry()
    group, endpoint = parts(registry)
    await index.note(registry, [group, endpoint])

    assert await index.find(group) == (registry,)
    assert await index.find(ResourceId.parse(endpoint.text.replace("/pe-", "/PE-"))) == (registry,)


async def test_noting_twice_is_noting_once(index: OwnerIndex) -> None:
    registry = a_registry()
    for _ in range(2):
        await index.note(registry, parts(registry))

    assert await index.find(parts(registry)[1]) == (registry,)


async def test_several_registries_may_share_a_part(index: OwnerIndex) -> None:
    first, second = a_registry(), a_registry()
    shared = parts(first)[1]
    for registry in (first, second):
        await index.note(registry, [shared])

    assert await index.find(shared) == tuple(sorted((first, second)))
    await index.forget(first, [shared])
    assert await index.find(shared) == (second,)


async def test_what_was_never_noted_is_nobodys_and_may_be_forgotten(index: OwnerIndex) -> None:
    registry = a_registry()

    assert await index.find(registry.group) == ()
    await index.forget(registry, parts(registry))
    await index.note(registry, [registry.group])
    await index.forget(registry, [registry.group])
    await index.forget(registry, [registry.group])

    assert await index.find(registry.group) == ()
