import json

import pytest

from local.host.event_grid import Delivery, Handshake, Notification, Refused, Unsubscribed, understand

EVENT = {"id": "1", "eventType": "T", "subject": "s", "data": {}}
CLOUD_EVENT = {"id": "1", "type": "T", "source": "s", "specversion": "1.0"}


def delivery(kind: str | None, document: object, content_type: str = "application/json") -> Delivery:
    headers = {"content-type": content_type} | ({"aeg-event-type": kind} if kind else {})
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return understand(headers, body)


def test_a_delivery_in_event_grid_schema_is_one_event_per_element() -> None:
    assert delivery("Notification", [EVENT, EVENT | {"id": "2"}]) == Notification(events=(EVENT, EVENT | {"id": "2"}))


def test_a_single_cloud_event_is_one_event() -> None:
    assert delivery("Notification", CLOUD_EVENT) == Notification(events=(CLOUD_EVENT,))


@pytest.mark.parametrize(
    ("content_type", "document", "count"),
    [
        ("application/cloudevents+json", CLOUD_EVENT, 1),
        ("application/cloudevents+json; charset=utf-8", CLOUD_EVENT, 1),
        ("application/cloudevents-batch+json", [CLOUD_EVENT, CLOUD_EVENT], 2),
        ("Application/CloudEvents-Batch+JSON", [], 0),
    ],
)
def test_cloud_events_need_no_event_grid_header(content_type: str, document: object, count: int) -> None:
    understood = delivery(None, document, content_type)

    assert isinstance(understood, Notification)
    assert len(understood.events) == count


def test_a_validation_event_asks_for_its_code() -> None:
    event = {"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "512d38b6"}}

    assert delivery("SubscriptionValidation", [event]) == Handshake(validation_code="512d38b6")


def test_an_unsubscription_needs_no_body() -> None:
    assert delivery("Unsubscribe", b"") == Unsubscribed()


@pytest.mark.parametrize(
    ("kind", "document", "part"),
    [
        (None, [EVENT], "aeg-event-type is missing"),
        ("Something", [EVENT], "aeg-event-type is missing or unknown"),
        ("Notification", b"{", "not JSON"),
        ("Notification", b"\xff", "not JSON"),
        ("Notification", "text", "neither an event nor a list"),
        ("Notification", [EVENT, 5], "neither an event nor a list"),
        ("SubscriptionValidation", [], "has no data.validationCode"),
        ("SubscriptionValidation", [{"data": "text"}], "has no data.validationCode"),
        ("SubscriptionValidation", [{"data": {"validationCode": None}}], "has no data.validationCode"),
    ],
)
def test_anything_else_is_refused_with_a_reason(kind: str | None, document: object, part: str) -> None:
    understood = delivery(kind, document)

    assert isinstance(understood, Refused)
    assert part in understood.why
