"""Azure's reads show the past for a while after a write: no single one of them ends an undo."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from local.simulator.world import Resource
from shared.engine.restore import SETTLED
from tests.scenarios.house import House, as_id
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.test_undo import PERSON, network_of, resources, undoing

API = {
    "microsoft.storage/storageaccounts": "2024-01-01",
    "microsoft.containerregistry/registries": "2023-07-01",
    "microsoft.machinelearningservices/registries": scenery.REGISTRY_API,
}


async def asked_to_undo(house: House, registry: str, *faults: Fault) -> None:
    for fault in faults:
        house.azure.faults.add(fault)
    assert await undoing(house).undo(as_id(registry), caller=PERSON, why="training fails") is not None
    assert await house.settle(registry) == "paused"
    assert house.azure.faults.pending == []


def is_closed(house: House, registry: str) -> Callable[[], Awaitable[bool]]:
    async def closed() -> bool:
        return house.closed(registry)

    return closed


def is_as(house: House, registry: str, before: dict[str, dict[str, Any]]) -> Callable[[], Awaitable[bool]]:
    async def restored() -> bool:
        return network_of(house, registry) == before

    return restored


def read_of(resource: Resource, kind: FaultKind, **members: int | str) -> Fault:
    return Fault(kind=kind, method="GET", path=f"/{resource.name}$", **members)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [0, 1, 2], ids=["registry", "storage", "container registry"])
@pytest.mark.parametrize("reads", [1, 2])
def test_an_undo_right_after_the_closing_is_not_ended_by_reads_from_before_it(number: int, reads: int) -> None:
    async def story() -> None:
        async with House(options=Options(public_access_propagates=False)) as house:
            registry = await create(house)
            await house.live(house.exists(registry))
            before = network_of(house, registry)
            target = resources(house, registry)[number]
            open_still = scenery.send(house.azure, "GET", target.id, api_version=API[target.type.lower()])
            await house.live(is_closed(house, registry))
            house.azure.faults.remember(target.id, open_still)

            await asked_to_undo(house, registry, read_of(target, FaultKind.STALE_READ, times=reads))

            assert network_of(house, registry) == before

    tell(story())


@pytest.mark.parametrize("number", [0, 1, 2], ids=["registry", "storage", "container registry"])
def test_one_answer_that_something_is_not_there_does_not_leave_it_closed(number: int) -> None:
    async def story() -> None:
        async with House(options=Options(public_access_propagates=False)) as house:
            registry = await create(house)
            await house.live(house.exists(registry))
            before = network_of(house, registry)
            target = resources(house, registry)[number]
            assert await house.settle(registry) == "converged"

            await asked_to_undo(
                house, registry, read_of(target, FaultKind.RESPOND, status=404, code="ResourceNotFound")
            )

            assert network_of(house, registry) == before

    tell(story())


def test_an_undo_opens_at_once_and_rests_when_the_opening_was_seen_to_last() -> None:
    async def story() -> None:
        async with House(options=Options(public_access_propagates=False)) as house:
            registry = await create(house)
            await house.live(house.exists(registry))
            before = network_of(house, registry)
            assert await house.settle(registry) == "converged"

            began = house.now()
            await undoing(house).undo(as_id(registry), caller=PERSON, why="training fails")
            await house.live(is_as(house, registry, before))
            assert house.now() - began < SETTLED / 2  # the operation of Azure's own that opens the registry included
            assert await house.settle(registry) == "paused"

            assert network_of(house, registry) == before
            (rested, *_) = [entry.at for entry in await house.told(registry) if entry.result == "paused"]
            assert rested - began >= SETTLED

    tell(story())
