"""Answers that come late, and subscriptions, topics and functions that go while events are on their way."""

import json
from datetime import timedelta
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.azure import SUBSCRIPTION
from local.simulator.event_grid import Delivery
from local.simulator.event_grid_subscriptions import AZURE_FUNCTION, CHILD_TYPE, TOPIC_CHILD_TYPE, WEBHOOK
from local.simulator.faults import Fault, FaultKind
from tests.local.simulator.arm_client import GROUP
from tests.local.simulator.test_event_grid import Listener

HOOK = "https://app.example/hook"


@pytest.fixture
def listener() -> Listener:
    made = Listener()
    made.create()
    return made


def first(listener: Listener) -> Delivery:
    (delivery,) = listener.take()
    return delivery


def test_the_next_attempt_is_that_of_what_waits_and_not_of_what_is_in_flight(listener: Listener) -> None:
    events = listener.azure.events
    assert events.next_attempt() is not None
    listener.answer(first(listener), 500)
    again = events.next_attempt()
    assert again is not None
    assert again - listener.azure.world.now >= timedelta(seconds=10)
    listener.azure.advance(again)
    first(listener)
    assert events.next_attempt() is None
    assert events.next_due() is not None


def test_a_late_success_counts_within_three_minutes_and_ends_the_attempts(listener: Listener) -> None:
    slow = first(listener)
    listener.pass_time(31)
    assert listener.take() == []
    listener.answer(slow)
    assert len(listener.azure.events.delivered) == 1

    listener.pass_time(600)
    assert listener.take() == []
    assert listener.azure.events.next_due() is None


def test_a_later_success_of_an_earlier_attempt_counts_no_more(listener: Listener) -> None:
    slow = first(listener)
    listener.pass_time(31)
    listener.take()
    listener.pass_time(240)
    second = first(listener)
    assert second.attempt == 2
    listener.answer(slow)
    assert listener.azure.events.delivered == []
    listener.answer(second)
    assert len(listener.azure.events.delivered) == 1


def test_a_failure_of_an_earlier_attempt_says_nothing_about_the_current_one(listener: Listener) -> None:
    slow = first(listener)
    listener.pass_time(31)
    listener.take()
    listener.pass_time(30)
    second = first(listener)
    listener.answer(slow, 400)
    listener.answer(second)
    assert len(listener.azure.events.delivered) == 1
    assert listener.azure.events.dead_letters == []


def test_an_answer_to_what_nobody_knows_is_ignored(listener: Listener) -> None:
    delivery = first(listener)
    listener.answer(delivery)
    listener.answer(delivery, 500)
    listener.pass_time(600)
    assert listener.take() == []
    assert len(listener.azure.events.delivered) == 1


@pytest.mark.parametrize("status", [500, None])
def test_what_fails_after_its_subscription_has_gone_is_forgotten(listener: Listener, status: int | None) -> None:
    delivery = first(listener)
    listener.azure.world.delete(listener.subscription.id)
    listener.answer(delivery, status)
    listener.pass_time(3600)
    assert listener.take() == []
    assert listener.azure.events.dead_letters == []
    assert listener.azure.events.next_due() is None


# -- who is no subscription --------------------------------------------------------------------------------------------


def subscription(listener: Listener, path: str, kind: str, destination: dict[str, Any], **private: str) -> None:
    """An event subscription that the world holds, whoever wrote it."""
    properties = {"provisioningState": "Succeeded", "destination": destination, "filter": {}}
    listener.azure.world.put({"id": path, "type": kind, "properties": properties}, private=dict(private))


TOPICS = f"{GROUP}/providers/Microsoft.EventGrid"


@pytest.mark.parametrize(
    ("path", "kind", "destination"),
    [
        (f"{TOPICS}/systemTopics/gone/eventSubscriptions/a", CHILD_TYPE, {"endpointType": WEBHOOK}),
        (f"{TOPICS}/topics/gone/eventSubscriptions/a", TOPIC_CHILD_TYPE, {"endpointType": WEBHOOK}),
        (
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions/a",
            "Microsoft.EventGrid/eventSubscriptions",
            {"endpointType": AZURE_FUNCTION, "properties": {"resourceId": f"{GROUP}/providers/Microsoft.Web/sites/x"}},
        ),
        (
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions/a",
            "Microsoft.EventGrid/eventSubscriptions",
            {"endpointType": WEBHOOK},
        ),
    ],
    ids=["system topic gone", "custom topic gone", "function without a host", "no address"],
)
def test_a_subscription_without_a_source_or_an_address_gets_nothing(
    path: str, kind: str, destination: dict[str, Any]
) -> None:
    listener = Listener()
    gone = path.startswith(TOPICS)
    subscription(listener, path, kind, destination, **({"endpointUrl": HOOK} if gone else {}))
    listener.create()
    assert [each.subscription for each in listener.accept()] == [listener.subscription.id]


def test_a_custom_topic_tells_of_what_is_published_to_it_and_not_of_its_own_changes() -> None:
    listener = Listener()
    topic = scenery.create_topic(listener.azure, "outcomes")
    path = f"{topic.id}/eventSubscriptions/a"
    subscription(listener, path, TOPIC_CHILD_TYPE, {"endpointType": WEBHOOK}, endpointUrl=HOOK)
    whole = f"{topic.id}/providers/Microsoft.EventGrid/eventSubscriptions/b"
    subscription(listener, whole, "Microsoft.EventGrid/eventSubscriptions", {"endpointType": WEBHOOK}, endpointUrl=HOOK)
    body = {"location": "westeurope", "tags": {"a": "b"}, "properties": dict(topic.properties)}
    assert listener.client.put(topic.id, body, version="2025-02-15").status == 200
    listener.pass_time(2)
    assert [each for each in listener.take() if each.url == HOOK] == []


def test_the_notifications_family_tells_of_no_failure_and_of_no_action() -> None:
    listener = Listener(notifications=True, filters={})
    topic = scenery.create_topic(listener.azure, "outcomes")
    listener.pass_time(2)
    listener.accept()
    assert listener.client.post(f"{topic.id}/listKeys", version="2025-02-15").status == 200
    listener.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, path="networkSecurityGroups"))
    group = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"
    assert listener.client.put(group, {"location": "westeurope", "properties": {}}, version="2024-05-01").status == 201
    listener.client.rest()
    listener.pass_time(2)
    assert listener.take() == []


# -- handshakes --------------------------------------------------------------------------------------------------------

EXTENSION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.EventGrid/eventSubscriptions/mine"


def state(listener: Listener) -> str:
    return str(listener.client.get(EXTENSION, version="2025-02-15").json()["properties"]["provisioningState"])


def asked() -> tuple[Listener, Delivery]:
    """A listener that asked for a subscription of its own, and the handshake that follows."""
    listener = Listener()
    details = {"endpointType": WEBHOOK, "properties": {"endpointUrl": HOOK}}
    made = listener.client.put(EXTENSION, {"properties": {"destination": details}}, version="2025-02-15")
    assert made.status == 201
    (handshake,) = listener.take()
    return listener, handshake


def test_a_webhook_that_never_answers_has_not_proved_itself() -> None:
    listener, _ = asked()
    assert (listener.take(), state(listener)) == ([], "Creating")
    while (due := listener.azure.events.next_due()) is not None:
        listener.azure.advance(max(due, listener.azure.world.now))
        listener.take()
    listener.client.rest()
    assert state(listener) == "Failed"


@pytest.mark.parametrize(
    ("body", "proved"),
    [
        ('{"validationResponse": "CODE"}', "Succeeded"),
        ('[{"validationResponse": "CODE"}]', "Succeeded"),
        ('[{"validationResponse": "CODE"}, {}]', "Creating"),
        ("CODE", "Creating"),
        ('"CODE"', "Creating"),
        ('{"validationResponse": "another"}', "Creating"),
    ],
)
def test_only_the_code_in_its_member_proves_a_webhook(body: str, proved: str) -> None:
    listener, handshake = asked()
    code = json.loads(handshake.body)[0]["data"]["validationCode"]
    answer = body.replace("CODE", code).encode()
    listener.azure.events.report(handshake.id, 200, listener.azure.world.now, body=answer)
    assert state(listener) == proved


def test_a_subscription_that_goes_during_its_handshake_stays_gone() -> None:
    listener, handshake = asked()
    listener.azure.world.delete(EXTENSION)
    code = json.loads(handshake.body)[0]["data"]["validationCode"]
    answer = json.dumps({"validationResponse": code}).encode()
    listener.azure.events.report(handshake.id, 200, listener.azure.world.now, body=answer)
    listener.client.rest()
    assert listener.client.get(EXTENSION, version="2025-02-15").status == 404
