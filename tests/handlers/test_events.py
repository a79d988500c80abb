"""The event door gives the engine what azure-functions received, in whichever schema it came."""

from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest

from handlers.events import as_document
from shared.core.errors import MalformedEvent
from shared.core.events import NOTIFICATION_DELETE, NOTIFICATION_WRITE, RESOURCE_DELETE, RESOURCE_WRITE, read_event
from shared.core.requests import Ignored, IgnoredWhy, ReconcileRequest, RelatedResource
from tests.core.test_events import (
    ACCOUNT,
    ALPHA,
    APP,
    OTHER,
    PERSON,
    SUB,
    cloud_event,
    data,
    event_grid,
    notification,
)
from tests.handlers.decoding import decoded

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def read(event: object) -> ReconcileRequest | RelatedResource | Ignored:
    return read_event(event, own_principal=APP, subscriptions={SUB}, received=NOW)


EVENTS: dict[str, dict[str, Any]] = {
    "event grid write": event_grid(RESOURCE_WRITE),
    "event grid delete": event_grid(RESOURCE_DELETE),
    "cloud event write": cloud_event(RESOURCE_WRITE),
    "cloud event delete": cloud_event(RESOURCE_DELETE),
    "notification in event grid schema": event_grid(NOTIFICATION_WRITE, data=notification()),
    "notification in cloud event schema": cloud_event(NOTIFICATION_DELETE, data=notification()),
    "related": cloud_event(subject=ACCOUNT),
    "own write": event_grid(data=data(caller=APP)),
    "other subscription": cloud_event(subject=ALPHA.replace(SUB, OTHER)),
    "data as text": cloud_event(data='{"resourceUri": "x"}'),
    "subject in the data only": event_grid() | {"subject": None},
    "cloud event without a subject": {k: v for k, v in cloud_event().items() if k != "subject"},
    "cloud event with extensions": cloud_event(traceparent="00-1", datacontenttype="application/json"),
    "foreign": event_grid("Microsoft.Storage.BlobCreated"),
}


@pytest.mark.parametrize("name", EVENTS)
def test_what_the_worker_decodes_means_the_same_as_what_was_delivered(name: str) -> None:
    assert read(as_document(decoded(EVENTS[name]))) == read(EVENTS[name])


def test_both_schemas_really_arrive_as_two_classes() -> None:
    assert isinstance(decoded(event_grid()), func.EventGridEvent)
    assert not hasattr(decoded(event_grid()), "specversion")
    assert decoded(cloud_event()).specversion == "1.0"


@pytest.mark.parametrize("event", [event_grid(), cloud_event()])
def test_the_caller_and_the_registry_come_through(event: dict[str, Any]) -> None:
    asked = read(as_document(decoded(event)))

    assert isinstance(asked, ReconcileRequest)
    assert (asked.registry.text, asked.origin, asked.caller) == (ALPHA, "e-1", PERSON)


MALFORMED: dict[str, dict[str, Any]] = {
    "no id": {k: v for k, v in event_grid().items() if k != "id"},
    "no type": {k: v for k, v in event_grid().items() if k != "eventType"},
    "no subject": event_grid(subject="", data={}),
    "cloud event without anything": {"specversion": "1.0"},
    "nothing at all": {},
    "number for a subject": cloud_event() | {"subject": 7},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_stays_malformed(name: str) -> None:
    with pytest.raises(MalformedEvent):
        read(as_document(decoded(MALFORMED[name])))


def test_an_ignored_event_keeps_its_reason() -> None:
    assert read(as_document(decoded(EVENTS["own write"]))) == Ignored(why=IgnoredWhy.OWN_WRITE, detail=ALPHA)


def test_an_object_that_is_no_event_is_malformed_and_no_crash() -> None:
    with pytest.raises(MalformedEvent):
        read(as_document(object()))


def test_the_document_spells_the_members_as_the_wire_does() -> None:
    assert set(as_document(decoded(event_grid()))) == {"id", "topic", "eventType", "subject", "data"}
    assert set(as_document(decoded(cloud_event()))) == {"id", "source", "type", "specversion", "subject", "data"}
