"""
What arrives at the Event Grid webhook, understood before any function runs.

Event Grid marks its requests with `aeg-event-type`; the extension in Azure knows SubscriptionValidation, Notification
and Unsubscribe, and answers 400 to the rest. CloudEvents come one by one or in a batch and are also accepted without
that header, by their content type, because the CloudEvents HTTP binding does not know it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVENT_TYPE_HEADER = "aeg-event-type"
_CLOUD_EVENTS = ("application/cloudevents+json", "application/cloudevents-batch+json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """Prove that we are who the subscription means: echo the code."""

    validation_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Events, each for one invocation."""

    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribed:
    """The subscription is gone; nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Not something that Event Grid sends; 400, which Event Grid never repeats."""

    why: str


type Delivery = Handshake | Notification | Unsubscribed | Refused


def understand(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Which delivery this is. *headers* must find names in any case."""
    kind = headers.get(EVENT_TYPE_HEADER, "").lower()
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "unsubscribe":
        return Unsubscribed()
    if kind not in {"subscriptionvalidation", "notification"} and content_type not in _CLOUD_EVENTS:
        return Refused(why=f"The header {EVENT_TYPE_HEADER} is missing or unknown.")
    try:
        document = json.loads(body)
    except ValueError as error:
        return Refused(why=f"The body is not JSON: {error}.")
    events = document if isinstance(document, list) else [document]
    if not all(isinstance(event, dict) for event in events):
        return Refused(why="The body is neither an event nor a list of events.")
    if kind == "subscriptionvalidation":
        return _handshake(events)
    return Notification(events=tuple(events))


def _handshake(events: list[dict[str, Any]]) -> Delivery:
    data = events[0].get("data") if events else None
    code = data.get("validationCode") if isinstance(data, dict) else None
    if not isinstance(code, str):
        return Refused(why="The subscription validation event has no data.validationCode.")
    return Handshake(validation_code=code)
