"""Resource Graph lies by nature: stale, partial, throttled, forbidden. It may cost looks; never a write, never a deletion."""

from datetime import timedelta

import pytest

from local.drifts import storage_opened
from local.simulator.faults import Fault, FaultKind
from local.sweep_house import HOUR, SweepHouse
from shared.core.sweeps import SweepState
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.test_sweep import pass_time, wrote
from tests.scenarios.verdict import unisolated

GRAPH = "Microsoft.ResourceGraph/resources"


def test_a_graph_that_still_shows_an_open_door_costs_a_look_and_no_write() -> None:
    async def story() -> None:
        house = SweepHouse(4)
        async with house:
            await house.remember()
            house.switch_off_events()
            storage_opened(house.azure, house.registries[0])
            await house.sweep()
            house.freeze_graph()
            since = len(house.azure.log)

            swept = await house.sweep()

            assert swept.state is SweepState.DONE
            assert wrote(house, since) == []
            assert [unisolated(house.azure, registry) for registry in house.registries] == [[]] * 4

    tell(story())


def test_a_graph_that_still_shows_isolated_hides_a_drift_until_the_daily_look() -> None:
    async def story() -> None:
        house = SweepHouse(2)
        async with house:
            await house.remember()
            house.switch_off_events()
            house.freeze_graph()
            storage_opened(house.azure, house.registries[0])
            since = len(house.azure.log)

            assert (await house.sweep()).verdicts == {"compliant": 2}
            assert wrote(house, since) == []
            for _ in range(6):
                await pass_time(house, 4 * HOUR)
                await house.sweep()

            assert unisolated(house.azure, house.registries[0]) == []

    tell(story())


@pytest.mark.parametrize("announced", [False, True])
@pytest.mark.parametrize("everything", [False, True])
def test_rows_that_are_left_out_lead_to_no_write_and_no_deletion(announced: bool, everything: bool) -> None:  # noqa: FBT001
    async def story() -> None:
        house = SweepHouse(9, subscriptions=3)
        async with house:
            await house.remember()
            weather = house.azure.graph.weather
            weather.announced = announced
            if everything:
                weather.hidden = {subscription.lower() for subscription in house.azure.subscriptions.values()}
            else:
                weather.lost_share = 0.3
            await pass_time(house, HOUR)
            since = len(house.azure.log)

            swept = await house.sweep()
            await pass_time(house, 2 * HOUR)
            await house.sweep()

            assert wrote(house, since) == []
            assert [unisolated(house.azure, registry) for registry in house.registries] == [[]] * 9
            assert swept.state is SweepState.DONE
            if announced:
                assert swept.notes
                assert "missing" not in swept.reviews

    tell(story())


def test_a_throttled_graph_is_waited_for_and_every_registry_is_seen() -> None:
    async def story() -> None:
        house = SweepHouse(6, page_size=2)
        async with house:
            await house.remember()
            wait = {"Retry-After": "45"}
            throttled = Fault(
                kind=FaultKind.RESPOND, path=GRAPH, times=12, skip=3, status=429, code="RateLimiting", headers=wait
            )
            house.azure.faults.add(throttled)
            began = house.now()

            swept = await house.sweep(catch_up=False)

            assert throttled.hits == 12
            assert (swept.state, swept.seen, swept.verdicts) == (SweepState.DONE, 6, {"compliant": 6})
            assert house.now() - began >= 12 * timedelta(seconds=45)
            assert swept.notes

    tell(story())


def test_an_app_that_may_not_ask_the_graph_looks_after_what_it_knows() -> None:
    async def story() -> None:
        async with SweepHouse() as house:
            house.grant("Microsoft.ResourceGraph/resources/read")
            registry = await create(house)
            await house.live(house.wrote("privateEndpoints"))
            await house.stop()
            house.install()  # with an empty queue
            house.switch_off_events()
            await pass_time(house, HOUR)

            swept = await house.sweep()

            assert swept.state is SweepState.DONE
            assert swept.reviews == {"stuck": 1}
            assert swept.notes
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_a_registry_that_the_graph_does_not_show_yet_is_taken_up_by_its_row() -> None:
    async def story() -> None:
        async with SweepHouse() as house:
            house.freeze_graph()
            registry = await create(house)
            await house.live(house.wrote("privateEndpoints"))
            await house.stop()
            house.install()
            house.switch_off_events()
            await pass_time(house, HOUR)

            swept = await house.sweep()

            assert (swept.seen, swept.reviews) == (0, {"stuck": 1})
            assert unisolated(house.azure, registry) == []

    tell(story())
