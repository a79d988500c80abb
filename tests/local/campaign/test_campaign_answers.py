"""What the simulated Azure says where something goes wrong is what its kind says, and the app names it rightly."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.campaign.answers import answer, forbidden, garbled, without
from local.campaign.kinds import Kind
from shared.core.azure_errors import classify
from shared.core.errors import (
    AccessDenied,
    Busy,
    ChangedUnderneath,
    DeniedByAssignment,
    DeniedByPolicy,
    Locked,
    RegistryIsolationError,
    SubnetUnusable,
    Temporary,
    Throttled,
    Unavailable,
)

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
ENDPOINT = (
    "/subscriptions/00000000-0000-4000-8000-000000000002/resourceGroups/rg/providers/Microsoft.Network"
    "/privateEndpoints/pe-1"
)
ACCOUNT = ENDPOINT.replace("Microsoft.Network/privateEndpoints/pe-1", "Microsoft.Storage/storageAccounts/models")


def named(said: dict[str, Any]) -> RegistryIsolationError:
    """What the app makes of it, by the clock that the answer shows."""
    body = {"error": {name: said[name] for name in ("code", "message", "details") if name in said}}
    return classify(
        said["status"],
        json.loads(json.dumps(body)),
        said.get("headers", {}),
        operation="create private endpoint",
        resource_id=ENDPOINT,
    )


@pytest.mark.parametrize(
    ("kind", "status", "error", "wait"),
    [
        (Kind.THROTTLED, 429, Throttled, 17),
        (Kind.THROTTLED_LONG, 429, Throttled, 600),
        (Kind.THROTTLED_HOURS, 429, Throttled, 3600),  # the app waits no longer for anybody
        (Kind.THROTTLED_BARE, 429, Throttled, None),
        (Kind.THROTTLED_TEXT, 429, Throttled, 35),
        (Kind.THROTTLED_AHEAD, 429, Throttled, 40),
        (Kind.THROTTLED_BEHIND, 429, Throttled, 40),
        (Kind.ERROR, 500, Unavailable, None),
        (Kind.EXPIRED, 401, Unavailable, None),
        (Kind.BUSY, 409, Busy, 10),
        (Kind.BUSY_LOCK, 429, Busy, 11),
        (Kind.BUSY_REFERENCED, 429, Busy, 10),
        (Kind.BUSY_SUPERSEDED, 409, Busy, 10),
        (Kind.CONFLICT, 409, Busy, None),
        (Kind.PRECONDITION, 412, ChangedUnderneath, None),
        (Kind.MISSING, 404, ChangedUnderneath, None),
        (Kind.FULL, 400, SubnetUnusable, None),
        (Kind.REFUSED, 403, DeniedByPolicy, None),
        (Kind.LOCKED, 409, Locked, None),
        (Kind.DENIED, 403, DeniedByAssignment, None),
    ],
)
def test_an_answer_is_what_its_kind_says_and_the_app_knows_it(
    kind: Kind, status: int, error: type[RegistryIsolationError], wait: int | None
) -> None:
    said = answer(kind, "PUT", ENDPOINT, NOW)
    found = named(said)

    assert (said["status"], type(found)) == (status, error)
    asked = found.retry_after if isinstance(found, Temporary) else None
    assert asked == (None if wait is None else timedelta(seconds=wait))


def test_dates_of_a_throttled_answer_are_by_a_clock_that_is_three_hours_wrong() -> None:
    ahead, behind = (
        answer(kind, "PUT", ENDPOINT, NOW)["headers"] for kind in (Kind.THROTTLED_AHEAD, Kind.THROTTLED_BEHIND)
    )

    assert ahead == {"Retry-After": "Mon, 05 Jan 2026 15:00:40 GMT", "Date": "Mon, 05 Jan 2026 15:00:00 GMT"}
    assert behind == {"Retry-After": "Mon, 05 Jan 2026 09:00:40 GMT", "Date": "Mon, 05 Jan 2026 09:00:00 GMT"}


def test_each_service_has_its_own_code_for_being_busy_and_a_lock_names_what_it_forbids() -> None:
    assert answer(Kind.BUSY, "PATCH", ACCOUNT, NOW)["code"] == "StorageAccountOperationInProgress"
    assert answer(Kind.BUSY, "PUT", ENDPOINT, NOW)["code"] == "AnotherOperationInProgress"
    assert "cannot perform delete operation" in answer(Kind.LOCKED, "DELETE", ENDPOINT, NOW)["message"]
    assert "cannot perform write operation" in answer(Kind.LOCKED, "PUT", ENDPOINT, NOW)["message"]


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.SLOW, Kind.STUCK, Kind.QUEUE_DOWN, Kind.EVENT_TWICE])
def test_what_is_no_answer_scripts_none(kind: Kind) -> None:
    assert answer(kind, "PUT", ENDPOINT, NOW) == {}


def test_a_role_assignment_that_has_not_spread_is_said_in_azures_words() -> None:
    code, message = forbidden(ENDPOINT)

    assert isinstance(named({"status": 403, "code": code, "message": message}), AccessDenied)
    assert f"over scope '{ENDPOINT}'" in message


def test_a_list_lags_by_the_entries_left_out_and_nothing_else() -> None:
    body = json.dumps({"value": [{"id": "/A"}, {"id": "/b"}, {"name": "no id"}], "nextLink": "x"}).encode()

    assert json.loads(without(body, frozenset({"/a"}))) == {"value": [{"id": "/b"}, {"name": "no id"}], "nextLink": "x"}


def test_a_garbled_body_is_empty_or_ends_in_the_middle() -> None:
    assert garbled(Kind.EMPTY, b'{"a": 1}') == b""
    assert garbled(Kind.CUT, b'{"a": 1}') == b'{"a"'
