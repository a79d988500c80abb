"""Delivery by Event Grid: who is told, how often, and what happens when nobody listens."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from local.simulator.azure import SimulatedAzure
from local.simulator.event_grid import Delivery, Disturb, Disturbance
from local.simulator.event_grid_events import Schema
from local.simulator.faults import Fault, FaultKind
from local.simulator.rbac import OWNER
from local.simulator.scenery import create_registry, put_registry, subscribe
from local.simulator.world import Resource
from tests.local.simulator.arm_client import GROUP, ArmClient

URL = "https://app.example/runtime/webhooks/eventgrid?functionName=on_event&code=secret"
WRITES = {
    "advancedFilters": [
        {
            "operatorType": "StringIn",
            "key": "data.operationName",
            "values": [
                "Microsoft.MachineLearningServices/registries/write",
                "Microsoft.MachineLearningServices/registries/delete",
            ],
        }
    ]
}


class Listener:
    """Takes what is due and answers it."""

    def __init__(self, **subscription: Any) -> None:
        self.azure = SimulatedAzure(seed=2)
        self.client = ArmClient(self.azure)
        self.client.group()
        self.subscription: Resource = subscribe(self.azure, URL, **{"filters": WRITES, **subscription})
        self.client.rest()
        self.azure.events.due(self.azure.world.now)

    def pass_time(self, seconds: float) -> None:
        self.client.wait(seconds)

    def take(self) -> list[Delivery]:
        return self.azure.events.due(self.azure.world.now)

    def accept(self) -> list[Delivery]:
        """Take what is due and accept it."""
        found = self.take()
        for each in found:
            self.answer(each)
        return found

    def answer(self, delivery: Delivery, status: int | None = 200) -> None:
        self.azure.events.report(delivery.id, status, self.azure.world.now)

    def create(self, name: str = "contoso") -> None:
        put_registry(self.azure, name)
        self.pass_time(52)

    def attempts(self, answer: Callable[[int], int | None], *, days: float = 3) -> list[float]:
        """Seconds from the first attempt to each of the others, until nothing comes any more."""
        moments = []
        end = self.azure.world.now + timedelta(days=days)
        while self.azure.world.now < end:
            for delivery in self.take():
                moments.append(self.azure.world.now)
                self.answer(delivery, answer(delivery.attempt))
            due = self.azure.events.next_due()
            if due is None:
                break
            self.azure.advance(max(due, self.azure.world.now))
        return [(each - moments[0]).total_seconds() for each in moments]


def event_of(delivery: Delivery) -> dict[str, Any]:
    body = json.loads(delivery.body)
    found: dict[str, Any] = body[0] if isinstance(body, list) else body
    return found


# -- who is told -------------------------------------------------------------------------------------------------------


def test_a_registry_is_told_when_its_creation_has_ended() -> None:
    listener = Listener()
    put_registry(listener.azure, "contoso")
    listener.pass_time(40)
    assert listener.take() == []
    listener.pass_time(12)
    (delivery,) = listener.take()
    event = event_of(delivery)
    assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["subject"] == f"{GROUP}/providers/Microsoft.MachineLearningServices/registries/contoso"
    assert event["data"]["operationName"] == "Microsoft.MachineLearningServices/registries/write"
    assert event["data"]["claims"]["http://schemas.microsoft.com/identity/claims/objectidentifier"] == OWNER


def test_without_a_filter_the_managed_group_and_its_parts_are_told_too() -> None:
    listener = Listener(filters={})
    listener.create()
    kinds = [event_of(each)["data"]["operationName"] for each in listener.take()]
    assert "Microsoft.Storage/storageAccounts/write" in kinds
    assert "Microsoft.ContainerRegistry/registries/write" in kinds
    assert "Microsoft.Resources/subscriptions/resourceGroups/write" in kinds


def test_a_failed_creation_is_told_as_a_failure() -> None:
    listener = Listener()
    listener.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, method="PUT", path="registries/contoso$"))
    listener.create()
    (delivery,) = listener.take()
    assert event_of(delivery)["eventType"] == "Microsoft.Resources.ResourceWriteFailure"


def test_a_deleted_subscription_is_told_nothing() -> None:
    listener = Listener()
    listener.create()
    listener.client.delete(listener.subscription.id)
    assert listener.take() == []


def test_another_subscription_in_another_schema_gets_the_same_event() -> None:
    listener = Listener()
    subscribe(listener.azure, URL, name="clouds", schema=Schema.CLOUD_EVENTS, filters=WRITES)
    listener.create()
    first, second = sorted(listener.take(), key=lambda each: each.subscription)
    cloud, grid = event_of(first), event_of(second)
    assert (cloud["specversion"], cloud["type"], cloud["id"]) == ("1.0", grid["eventType"], grid["id"])
    assert first.headers["Content-Type"].startswith("application/cloudevents+json")
    assert isinstance(json.loads(second.body), list)


def test_notifications_carry_the_resource_itself() -> None:
    wanted = {
        "includedEventTypes": ["Microsoft.ResourceNotifications.Resources.CreatedOrUpdated"],
        "subjectEndsWith": "/registries/contoso",
    }
    listener = Listener(notifications=True, filters=wanted)
    listener.create()
    (delivery,) = listener.take()
    info = event_of(delivery)["data"]["resourceInfo"]
    assert info["type"] == "Microsoft.MachineLearningServices/registries"
    assert info["properties"]["publicNetworkAccess"] == "Enabled"


def test_a_delivery_says_what_it_is_in_its_headers() -> None:
    listener = Listener()
    listener.create()
    (delivery,) = listener.take()
    assert (delivery.method, delivery.url) == ("POST", URL)
    assert delivery.headers["aeg-event-type"] == "Notification"
    assert delivery.headers["aeg-subscription-name"] == "REGISTRIES"
    assert delivery.headers["aeg-delivery-count"] == "0"


# -- how often ---------------------------------------------------------------------------------------------------------


def test_an_accepted_event_never_comes_again() -> None:
    listener = Listener()
    listener.create()
    assert listener.attempts(lambda _attempt: 202) == [0.0]
    assert [event.type for _, _, event in listener.azure.events.delivered] == [
        "Microsoft.Resources.ResourceWriteSuccess"
    ]


def test_a_refused_event_comes_again_on_schedule_until_its_day_is_over() -> None:
    listener = Listener()
    listener.create()
    moments = listener.attempts(lambda _attempt: 500)
    waits = [later - sooner for sooner, later in pairwise(moments)]
    expected = [10, 30, 60, 300, 600, 1800, 3600, 10800, 21600]
    assert len(waits) >= len(expected)
    assert all(plan <= wait <= plan * 1.1 for wait, plan in zip(waits, expected, strict=False))
    assert moments[-1] < 24 * 3600
    (letter,) = listener.azure.events.dead_letters
    assert (letter.body["deadLetterReason"], letter.stored) == ("TimeToLiveExceeded", False)


def test_silence_counts_as_a_failure_after_thirty_seconds() -> None:
    listener = Listener()
    listener.create()
    (first,) = listener.take()
    listener.pass_time(29)
    assert listener.take() == []
    listener.pass_time(13)
    (second,) = listener.take()
    assert (first.attempt, second.attempt) == (1, 2)
    assert second.headers["aeg-delivery-count"] == "1"


def test_a_late_answer_takes_the_retry_back() -> None:
    listener = Listener()
    listener.create()
    (first,) = listener.take()
    listener.pass_time(60)
    listener.take()
    listener.answer(first)
    assert listener.attempts(lambda _attempt: 500) == []


def test_a_malformed_event_is_dead_lettered_at_once() -> None:
    listener = Listener()
    listener.subscription.properties["deadLetterDestination"] = {"endpointType": "StorageBlob"}
    listener.create()
    assert listener.attempts(lambda _attempt: 400) == [0.0]
    (letter,) = listener.azure.events.dead_letters
    assert letter.stored
    assert letter.body["deadLetterReason"] == "BadRequest"
    assert letter.body["deliveryAttempts"] == 1


def test_dead_letters_of_cloud_events_have_small_names() -> None:
    listener = Listener(schema=Schema.CLOUD_EVENTS)
    listener.create()
    listener.attempts(lambda _attempt: 413)
    (letter,) = listener.azure.events.dead_letters
    assert letter.body["deadletterreason"] == "PayloadTooLarge"


def test_the_retry_policy_of_the_subscription_counts() -> None:
    listener = Listener()
    listener.subscription.properties["retryPolicy"] = {"maxDeliveryAttempts": 3, "eventTimeToLiveInMinutes": 1440}
    listener.create()
    assert len(listener.attempts(lambda _attempt: None)) == 3
    (letter,) = listener.azure.events.dead_letters
    assert letter.body["deadLetterReason"] == "MaxDeliveryAttemptsExceeded"


# -- disturbances ------------------------------------------------------------------------------------------------------


def test_an_event_can_be_delivered_twice() -> None:
    listener = Listener()
    listener.azure.events.disturb(Disturb(kind=Disturbance.DUPLICATE, times=1))
    listener.create("one")
    first, second = listener.accept()
    assert event_of(first) == event_of(second)
    listener.create("two")
    assert len(listener.accept()) == 1


def test_an_event_can_be_lost() -> None:
    listener = Listener()
    listener.azure.events.disturb(Disturb(kind=Disturbance.DROP, subject_contains="/registries/lost"))
    listener.create("lost")
    listener.create("found")
    (delivery,) = listener.take()
    assert event_of(delivery)["subject"].endswith("/found")


def test_an_event_can_be_late() -> None:
    listener = Listener()
    listener.azure.events.disturb(Disturb(kind=Disturbance.DELAY, times=1, span=timedelta(minutes=20)))
    listener.create()
    assert listener.take() == []
    listener.pass_time(20 * 60)
    assert len(listener.take()) == 1


def test_events_can_overtake_each_other() -> None:
    listener = Listener()
    listener.azure.events.disturb(Disturb(kind=Disturbance.REORDER, span=timedelta(minutes=30)))
    for number in range(8):
        put_registry(listener.azure, f"reg{number}")
        listener.pass_time(1)
    order = []
    for _ in range(60):
        listener.pass_time(60)
        order += [event_of(each)["subject"].rsplit("/", 1)[-1] for each in listener.accept()]
    assert sorted(order) == [f"reg{number}" for number in range(8)]
    assert order != sorted(order)


def test_the_same_seed_disturbs_in_the_same_way() -> None:
    def run() -> list[str]:
        listener = Listener()
        listener.azure.events.disturb(Disturb(kind=Disturbance.DROP, probability=0.5))
        for number in range(10):
            create_registry(listener.azure, f"x{number}")
            listener.create(f"reg{number}")
        return [event_of(each)["subject"] for each in listener.take()]

    assert run() == run()
    assert 0 < len(run()) < 10


@pytest.mark.parametrize("delivery_id", ["unknown-1", "handshake-unknown"])
def test_an_answer_to_nothing_is_ignored(delivery_id: str) -> None:
    listener = Listener()
    listener.azure.events.report(delivery_id, 200, listener.azure.world.now)
    assert listener.azure.events.delivered == []
