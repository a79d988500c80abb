"""Sweeps over the whole product, the real SDKs and the simulated Resource Graph: nothing is done that need not be."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.drifts import DRIFTS
from local.simulator import scenery
from local.sweep_house import HOUR, SweepHouse
from shared.core.report import Failed, Reason, Report
from shared.core.sweeps import SweepState
from tests.scenarios.house import House, as_id
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.verdict import unisolated

MINUTE = timedelta(minutes=1)
FAR_LESS = 10


def wrote(house: SweepHouse, since: int) -> list[Any]:
    return [call for call in house.writes(since) if "microsoft.resourcegraph" not in call.url.lower()]


async def pass_time(house: House, duration: timedelta) -> None:
    await house.live(house.after(duration), timedelta(days=9))


def test_a_day_of_sweeps_reads_each_isolated_registry_once_and_writes_nothing() -> None:
    async def story() -> None:
        house = SweepHouse(12, subscriptions=3)
        async with house:
            await house.remember()
            since = len(house.azure.log)
            shares = []

            for _ in range(6):
                shares.append((await house.sweep()).enqueued)
                await pass_time(house, 4 * HOUR)

            assert wrote(house, since) == []
            assert sum(shares) >= 11
            assert set((await house.passes()).values()) == {1}
            assert len(house.arm_calls(since)) <= 12 * 14

    tell(story())


def test_queries_grow_with_pages_and_not_with_registries() -> None:
    async def story() -> None:
        house = SweepHouse(40, subscriptions=4)
        async with house:
            await house.remember()
            since = len(house.azure.log)

            swept = await house.sweep()

            assert (swept.seen, swept.verdicts) == (40, {"compliant": 40})
            assert swept.queries == house.queries(since) <= FAR_LESS
            assert house.arm_calls(since) == []

    tell(story())


def test_every_drift_is_repaired_once_and_the_others_are_not_touched() -> None:
    async def story() -> None:
        house = SweepHouse(21, subscriptions=2, page_size=12)
        async with house:
            await house.remember()
            house.switch_off_events()
            drifted = house.registries[1::3]
            for number, registry in enumerate(drifted):
                list(DRIFTS.values())[number % len(DRIFTS)](house.azure, registry)
            since = len(house.azure.log)

            swept = await house.sweep()
            again = await house.sweep()

            assert [unisolated(house.azure, registry) for registry in house.registries] == [[]] * 21
            assert await house.passes() == {as_id(registry).name: 1 for registry in drifted}
            assert swept.verdicts == {"compliant": 14, "drifted": 7}
            assert again.verdicts == {"compliant": 21}
            calm = {as_id(registry) for registry in house.registries} - {as_id(registry) for registry in drifted}
            assert house.touched(since) & calm == set()

    tell(story())


def test_a_registry_whose_event_was_lost_is_isolated() -> None:
    async def story() -> None:
        async with SweepHouse() as house:
            house.switch_off_events()
            registry = await create(house)
            await house.live(house.exists(registry))

            swept = await house.sweep()

            assert swept.verdicts == {"new": 1}
            assert unisolated(house.azure, registry) == []
            row = await house.row(registry)
            assert row is not None
            assert (row.reason, row.origin) == ("sweep", swept.id)

    tell(story())


def test_a_chain_whose_queue_was_emptied_is_taken_up() -> None:
    async def story() -> None:
        async with SweepHouse() as house:
            registry = await create(house)
            await house.live(house.wrote("privateEndpoints"))
            await house.stop()
            house.install()  # with an empty queue
            house.switch_off_events()

            early = await house.sweep()
            assert early.verdicts == {"at-work": 1}
            await pass_time(house, HOUR)
            late = await house.sweep()

            assert late.verdicts == {"stuck": 1}
            assert unisolated(house.azure, registry) == []
            assert len(house.endpoints()) == 3

    tell(story())


async def give_up(house: House, registry: str) -> None:
    """What a bug leaves behind that failed a message for good."""
    entry = await house.ledger.read(as_id(registry))
    assert entry is not None
    reason = Reason(name="Poisoned", sentence="A bug.")
    report = Report(registry=as_id(registry), at=house.now(), phase="failed", reasons=(reason,))
    row = replace(entry.row, claim=None, outcome=Failed(reason=reason), report=report)
    await house.ledger.write(row, entry.etag)


@pytest.mark.parametrize("poisoned", [False, True])
def test_what_a_person_has_put_right_is_tried_again(poisoned: bool) -> None:  # noqa: FBT001
    async def story() -> None:
        async with SweepHouse() as house:
            if not poisoned:
                house.grant("Microsoft.Network/privateEndpoints/write")
            registry = await create(house)
            if poisoned:
                await house.live(house.wrote("privateEndpoints"))
                await house.stop()
                house.install()  # with an empty queue
                house.switch_off_events()
                await give_up(house, registry)
            else:
                assert await house.settle(registry) == "blocked"
            house.grant()

            verdicts = []
            for _ in range(5):
                swept = await house.sweep()
                verdicts.append(swept.reviews)
                await pass_time(house, HOUR)

            assert unisolated(house.azure, registry) == []
            assert verdicts.count({"retry": 1}) == 1

    tell(story())


def test_a_deleted_registry_is_confirmed_by_arm_and_what_was_made_for_it_goes() -> None:
    async def story() -> None:
        house = SweepHouse(3)
        async with house:
            await house.remember()
            house.switch_off_events()
            scenery.send(house.azure, "DELETE", house.registries[1], api_version=scenery.REGISTRY_API)
            await pass_time(house, 55 * MINUTE)

            swept = await house.sweep()

            row = await house.row(house.registries[1])
            assert swept.reviews["missing"] == 1
            assert row is not None
            assert row.outcome is not None
            assert row.outcome.kind == "gone"
            assert [unisolated(house.azure, house.registries[at]) for at in (0, 2)] == [[], []]
            assert len(house.endpoints()) == 6
            assert (await house.sweep()).state is SweepState.DONE

    tell(story())
