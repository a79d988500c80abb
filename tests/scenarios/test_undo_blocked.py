"""An undo that something stood in the way of is finished when that is gone, however much later."""

from datetime import timedelta

from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from tests.scenarios.house import House, as_id
from tests.scenarios.test_isolation import tell
from tests.scenarios.test_undo import MINUTE, PERSON, network_of, prepared, resources, undoing


def test_an_undo_that_a_lock_stopped_is_finished_by_the_next_request_once_the_lock_is_gone() -> None:
    async def story() -> None:
        async with House(options=Options(public_access_propagates=False)) as house:
            registry, before = await prepared(house)
            storage = resources(house, registry)[1]
            lock = Fault(
                kind=FaultKind.RESPOND, method="PATCH", path=storage.name, times=99, status=409, code="ScopeLocked"
            )
            house.azure.faults.add(lock)
            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")
            assert await house.settle(registry) == "blocked"
            await house.live(house.after(5 * 60 * MINUTE), timedelta(days=1))
            house.azure.faults.clear()

            await house.ask(registry)

            assert await house.settle(registry) == "paused"
            assert network_of(house, registry) == before

    tell(story())


def test_an_undo_that_azure_throttles_for_hours_before_its_first_write_is_not_given_up() -> None:
    async def story() -> None:
        async with House() as house:
            registry, before = await prepared(house)
            storage = resources(house, registry)[1]
            busy = Fault(kind=FaultKind.RESPOND, method="GET", path=f"{storage.name}$", times=30, status=429, code="x")
            house.azure.faults.add(busy)

            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")

            assert await house.settle(registry, timedelta(days=1)) == "paused"
            assert network_of(house, registry) == before
            told = await house.told(registry)
            assert not [entry for entry in told if entry.result == "blocked"]

    tell(story())


def test_an_undo_whose_one_write_is_throttled_for_hours_is_not_given_up_because_others_were_accepted() -> None:
    async def story() -> None:
        async with House(options=Options(public_access_propagates=False)) as house:
            registry, before = await prepared(house)
            storage = resources(house, registry)[1]
            busy = Fault(
                kind=FaultKind.RESPOND, method="PATCH", path=f"{storage.name}$", times=60, status=429, code="x"
            )
            house.azure.faults.add(busy)

            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")

            assert await house.settle(registry, timedelta(days=2)) == "paused"
            assert busy.hits == 60
            assert network_of(house, registry) == before

    tell(story())
