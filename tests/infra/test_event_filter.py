"""Event Grid delivers exactly what the app understands, to a function that exists."""

import json
import re

from shared.core.events import OPERATION_NAMES, SUBSCRIPTION_EVENTS, read_event
from shared.core.requests import Ignored
from tests.infra.bicep import INFRA, at, read, text
from tests.infra.functions import triggers
from tests.virtual_time import EPOCH

MOST_VALUES = 25
"""Of all advanced filters of one subscription together (documentation of event filtering)."""
FILTER = json.loads((INFRA / "event-filter.json").read_text())
SUBSCRIPTION = "6d3f0000-0000-4000-8000-000000000001"


def delivery() -> str:
    return read(INFRA / "modules" / "event-subscription.bicep").text


def test_the_filter_is_what_the_handler_accepts() -> None:
    assert {"includedEventTypes": list(SUBSCRIPTION_EVENTS), "operationNames": list(OPERATION_NAMES)} == FILTER


def test_the_filter_stays_within_what_event_grid_takes() -> None:
    assert 0 < len(FILTER["operationNames"]) <= MOST_VALUES
    assert len(set(FILTER["operationNames"])) == len(FILTER["operationNames"])


def test_nothing_that_is_delivered_is_of_a_type_that_the_app_ignores() -> None:
    for operation in FILTER["operationNames"]:
        namespace, *types, _ = operation.split("/")
        path = "/".join(f"{kind}/name{number}" for number, kind in enumerate(types))
        event = {
            "id": "1",
            "eventType": SUBSCRIPTION_EVENTS[0],
            "subject": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/{namespace}/{path}",
            "data": {"operationName": operation},
        }

        found = read_event(event, own_principal=None, subscriptions=(), received=EPOCH)

        assert not isinstance(found, Ignored), operation


def test_the_filter_is_loaded_and_looks_at_the_operation() -> None:
    assert "loadJsonContent('../event-filter.json')" in delivery()
    assert re.search(r"operatorType: 'StringIn', key: 'data.operationName', values: wanted.operationNames", delivery())
    assert "includedEventTypes: wanted.includedEventTypes" in delivery()


def test_the_function_that_events_go_to_exists() -> None:
    named = re.search(r"/functions/(\w+)'", delivery())

    assert named is not None
    assert triggers()[named[1]] == "eventGridTrigger"


def test_what_cannot_be_delivered_is_kept_without_a_key() -> None:
    body = read(INFRA / "modules" / "event-subscription.bicep").resource("delivery").body
    topic = read(INFRA / "modules" / "system-topic.bicep").resource("topic").body

    letters = at(body, "properties", "deadLetterWithResourceIdentity")
    assert text(at(letters, "identity", "type")) == text(at(topic, "identity", "type")) == "'SystemAssigned'"
    assert text(at(letters, "deadLetterDestination", "endpointType")) == "'StorageBlob'"


def test_delivery_is_tried_for_a_day() -> None:
    """The most that Event Grid offers (documentation of delivery and retry)."""
    policy = at(
        read(INFRA / "modules" / "event-subscription.bicep").resource("delivery").body, "properties", "retryPolicy"
    )

    assert text(at(policy, "eventTimeToLiveInMinutes")) == "1440"
    assert text(at(policy, "maxDeliveryAttempts")) == "30"
