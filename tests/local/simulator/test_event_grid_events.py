"""Events in both wire forms, held against the member names of the published samples."""

from datetime import UTC, datetime

from local.simulator.call import Change
from local.simulator.event_grid_events import Event, Schema, notification_event, resource_event, timestamp
from local.simulator.rbac import Principal

NOW = datetime(2026, 1, 5, 10, 20, 30, 123456, tzinfo=UTC)
ID = "/subscriptions/s1/resourcegroups/rg/providers/Microsoft.Storage/storageAccounts/a"


def change(method: str = "PUT", *, existed: bool = False, outcome: str = "Success") -> Change:
    verb, action = {"PUT": ("Write", "write"), "DELETE": ("Delete", "delete"), "POST": ("Action", "listKeys/action")}[
        method
    ]
    return Change(
        at=NOW,
        verb=verb,
        outcome=outcome,
        resource_id=ID,
        operation_name=f"Microsoft.Storage/storageAccounts/{action}",
        method=method,
        url=f"https://management.azure.com{ID}?api-version=2025-06-01",
        principal=Principal(id="me", name="me"),
        correlation_id="c1",
        existed=existed,
        body={"location": "westeurope", "tags": {"a": "b"}, "properties": {"x": 1}},
    )


def resources(told: Change) -> Event:
    return resource_event(told, event_id="e1", source="/subscriptions/s1", tenant_id="t1")


def notifications(told: Change) -> Event | None:
    return notification_event(told, event_id="e1", source="/subscriptions/s1")


def test_a_write_has_the_members_of_the_published_sample() -> None:
    event = resources(change())
    body = event.rendered(Schema.EVENT_GRID)
    assert set(body) == {
        "subject", "eventType", "eventTime", "id", "data", "dataVersion", "metadataVersion", "topic",
    }  # fmt: skip
    assert set(body["data"]) == {
        "authorization", "claims", "correlationId", "resourceProvider", "resourceUri", "operationName", "status",
        "subscriptionId", "tenantId",
    }  # fmt: skip
    assert body["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert body["data"]["authorization"]["action"] == "Microsoft.Storage/storageAccounts/write"
    assert body["data"]["claims"]["http://schemas.microsoft.com/identity/claims/objectidentifier"] == "me"
    assert body["subject"] == body["data"]["resourceUri"] == ID


def test_the_request_is_told_for_a_delete_and_for_an_update_only() -> None:
    def told(one: Change) -> bool:
        return "httpRequest" in resources(one).data

    assert not told(change())
    assert told(change(existed=True))
    assert told(change("DELETE"))


def test_a_cloud_event_carries_the_same_data() -> None:
    event = resources(change("DELETE"))
    cloud = event.rendered(Schema.CLOUD_EVENTS)
    assert set(cloud) == {"source", "subject", "type", "time", "id", "data", "specversion"}
    assert cloud["data"] == event.rendered(Schema.EVENT_GRID)["data"]
    assert cloud["type"] == "Microsoft.Resources.ResourceDeleteSuccess"


def test_failures_and_actions_have_types_of_their_own() -> None:
    failed = resources(change(outcome="Failure"))
    action = resources(change("POST"))
    assert (failed.type, failed.data["status"]) == ("Microsoft.Resources.ResourceWriteFailure", "Failed")
    assert action.type == "Microsoft.Resources.ResourceActionSuccess"


def test_a_notification_carries_the_resource() -> None:
    event = notifications(change())
    assert event is not None
    assert event.type == "Microsoft.ResourceNotifications.Resources.CreatedOrUpdated"
    assert event.data["resourceInfo"] == {
        "id": ID,
        "name": "a",
        "type": "Microsoft.Storage/storageAccounts",
        "location": "westeurope",
        "tags": {"a": "b"},
        "properties": {"x": 1},
    }
    assert event.data["apiVersion"] == "2025-06-01"


def test_a_deleted_notification_names_the_resource_only() -> None:
    event = notifications(change("DELETE"))
    assert event is not None
    assert event.type == "Microsoft.ResourceNotifications.Resources.Deleted"
    assert set(event.data["resourceInfo"]) == {"id", "name", "type"}
    assert "apiVersion" not in event.data


def test_notifications_know_neither_failures_nor_actions() -> None:
    assert notifications(change(outcome="Failure")) is None
    assert notifications(change("POST")) is None


def test_times_have_seven_fractional_digits() -> None:
    assert timestamp(NOW) == "2026-01-05T10:20:30.1234560Z"
