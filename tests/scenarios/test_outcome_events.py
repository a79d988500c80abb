"""What others are told of a registry's life, through the real SDK and a topic that may be away."""

from datetime import timedelta

import pytest

from local.memory_outcomes import MemoryOutcomeQueue
from local.simulator import scenery
from local.simulator.faults import FaultKind
from local.simulator.providers.event_grid_publishing import SEND
from local.simulator.world import Resource
from local.sweep_house import SweepHouse
from shared.core.outcome_messages import OutcomeMessage
from shared.engine.undo import Undo
from tests.scenarios.house import House, as_id
from tests.scenarios.told import ToldHouse

pytestmark = pytest.mark.virtual_time
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


class Killed(Exception):
    """What a host that dies leaves behind in a process that goes on: nothing handles it."""


class DeadlyQueue(MemoryOutcomeQueue):
    """The first who wants to send dies of it, before anything was sent."""

    killed = False

    async def send(self, message: OutcomeMessage, delay: timedelta = timedelta()) -> None:
        if not self.killed:
            self.killed = True
            raise Killed
        await super().send(message, delay)


class DeadlyHouse(ToldHouse):
    """Its host is killed between the writing of the first outcome and the wake-up of whoever tells it."""

    queues = DeadlyQueue


async def isolated(house: House, name: str = "alpha") -> Resource:
    registry = scenery.create_registry(house.azure, name, now=house.clock.now())
    await house.ask(registry)
    assert await house.settle(registry) == "converged"
    return registry


def reopen_storage(house: House, registry: Resource) -> None:
    storage = scenery.parts_of(house.azure, registry)[0]
    storage.properties["publicNetworkAccess"] = "Enabled"


async def test_a_registrys_life_is_told_once_each() -> None:
    async with ToldHouse() as house:
        registry = await isolated(house)
        await house.ask(registry)
        await house.settle(registry)
        reopen_storage(house, registry)
        await house.ask(registry)
        await house.settle(registry)
        house.azure.world.delete(registry.properties["managedResourceGroup"]["resourceId"])
        house.azure.world.delete(registry.id)
        await house.ask(registry)
        assert await house.settle(registry, DAY) == "gone"
        assert await house.live(house.everything_told)

        assert house.types(registry) == ["Isolated", "Drifted", "Isolated", "Removed"]
        events = house.told_of(registry)
        assert len({event.id for event in events}) == len(events)
        assert [event.data["sequence"] for event in events] == [1, 2, 3, 4]
        assert [event.data["phase"]["before"] for event in events] == ["", "converged", "waiting", "converged"]
        assert {event.source for event in events} == {"/registry-isolation"}
        drift = events[1].data
        assert "disable public network access of storage" in drift["changes"][0]
        assert len(drift["planDigest"]) == 64


async def test_a_person_who_must_act_is_told_why_and_when_it_is_over() -> None:
    async with ToldHouse() as house:
        house.azure.unregistered.add((house.scene.subscription.rsplit("/", 1)[-1].lower(), "microsoft.network"))
        registry = scenery.create_registry(house.azure, "alpha", now=house.clock.now())
        await house.ask(registry)
        assert await house.settle(registry) == "blocked"
        await house.ask(registry)
        assert await house.settle(registry) == "blocked"
        house.azure.unregistered.clear()
        await house.ask(registry)
        assert await house.settle(registry) == "converged"
        assert await house.live(house.everything_told)

        assert house.types(registry) == ["Blocked", "Isolated"]
        reason = house.told_of(registry)[0].data["reasons"][0]
        assert reason["name"] == "ProviderNotRegistered"
        assert "Microsoft.Network" in reason["sentence"]


async def test_undo_is_drift_that_somebody_asked_for() -> None:
    async with ToldHouse() as house:
        registry = await isolated(house)
        await Undo(house.ledger, house.queue, house.clock).undo(as_id(registry), caller="maria", why="debugging")
        assert await house.settle(registry) == "paused"
        await Undo(house.ledger, house.queue, house.clock).resume(as_id(registry), caller="maria")
        assert await house.settle(registry) == "converged"
        assert await house.live(house.everything_told)

        assert house.types(registry) == ["Isolated", "Drifted", "Isolated"]
        assert house.told_of(registry)[1].data["reasons"] == [
            {"name": "Paused", "sentence": "Enforcement rests since maria asked for it: debugging"}
        ]


async def test_a_topic_that_is_away_for_an_hour_gets_everything_and_delays_nothing() -> None:
    async with ToldHouse() as undisturbed:
        begun = undisturbed.now()
        await isolated(undisturbed)
        usual = undisturbed.now() - begun
    async with ToldHouse() as house:
        house.break_topic()
        begun = house.now()
        registry = await isolated(house)
        assert house.now() - begun == usual
        reopen_storage(house, registry)
        await house.ask(registry)
        await house.settle(registry)
        await house.live(house.after(timedelta(hours=1)))
        assert house.told_of(registry) == []
        assert len(house.outcomes.texts) == 1  # however many events wait

        house.azure.faults.clear()
        assert await house.live(house.everything_told, 15 * MINUTE)

        assert house.types(registry) == ["Isolated", "Drifted", "Isolated"]
        assert not house.trigger.failures
        assert len(house.lost.texts) == 0


async def test_a_lost_answer_of_the_topic_repeats_events_with_the_same_ids() -> None:
    async with ToldHouse() as house:
        house.break_topic().kind = FaultKind.LOSE_RESPONSE
        house.azure.faults.pending[0].times = 2
        registry = await isolated(house)
        assert await house.live(house.everything_told)

        assert house.types(registry) == ["Isolated"] * 3
        assert len({event.id for event in house.told_of(registry)}) == 1


class SweptHouse(ToldHouse, SweepHouse):
    """An app that tells and sweeps."""


async def test_an_app_that_dies_before_the_wake_up_call_is_made_good_by_the_sweep() -> None:
    async with SweptHouse() as house:
        house.break_topic()
        registry = await isolated(house)
        await house.stop()
        house.azure.faults.clear()
        house.install()  # the queues are empty, as if no message had ever been sent
        await house.live(house.after(timedelta(hours=1)))
        assert house.told_of(registry) == []

        await house.sweep()
        assert await house.live(house.everything_told)

        assert house.types(registry) == ["Isolated"]


async def test_a_message_that_fails_for_good_is_told() -> None:
    async with ToldHouse() as house:
        registry = scenery.create_registry(house.azure, "alpha", now=house.clock.now())
        message = await house.ask(registry)
        house.install()  # nobody works the message off
        for _ in range(2):  # the first time it may come back
            await house.poison.keep(message)
        assert await house.live(house.everything_told)

        assert house.types(registry) == ["Failed"]
        assert house.told_of(registry)[0].data["reasons"][0]["name"] == "Poisoned"
        poisoned = next(each for each in await house.told(registry) if each.kind == "poison")
        assert (poisoned.origin, poisoned.generation) == ("test", 1)
        await house.ask(registry)
        assert await house.settle(registry) == "converged"
        assert await house.live(house.everything_told)
        assert house.types(registry) == ["Failed", "Isolated"]


async def test_the_right_to_send_may_come_later() -> None:
    async with ToldHouse() as house:
        for assignment in house.azure.rbac.principal(house.app).assignments:
            object.__setattr__(assignment, "data_actions", ())
        registry = await isolated(house)
        await house.live(house.after(timedelta(hours=3)))
        assert house.told_of(registry) == []

        house.azure.rbac.principal(house.app, data_actions=[SEND])
        assert await house.live(house.everything_told, 15 * MINUTE)
        assert house.types(registry) == ["Isolated"]


async def test_drift_is_told_even_if_the_process_dies_while_it_repairs() -> None:
    async with ToldHouse() as house:
        registry = await isolated(house)
        reopen_storage(house, registry)
        await house.ask(registry)
        assert await house.live(house.wrote("storageAccounts"))
        await house.stop()
        house.install()
        await house.ask(registry)
        assert await house.settle(registry) == "converged"
        assert await house.live(house.everything_told)

        assert house.types(registry) == ["Isolated", "Drifted", "Isolated"]


async def test_an_app_without_a_topic_keeps_no_events() -> None:
    async with House() as house:
        registry = await isolated(house)
        row = await house.row(registry)

        assert row is not None
        assert (row.told, row.outbox) == (None, ())


async def test_an_outcome_whose_host_was_killed_before_it_could_ask_is_told_by_the_repeated_message() -> None:
    async with DeadlyHouse() as house:
        registry = await isolated(house)

        assert await house.live(house.everything_told)
        assert house.types(registry) == ["Isolated"]
