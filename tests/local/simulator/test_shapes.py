"""Which members an answer shows, by api-version and by date."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from local.simulator.shapes import rendered
from local.simulator.wire import Response

STORAGE, ACR = (
    "Microsoft.Storage/storageAccounts",
    "Microsoft.ContainerRegistry/registries",
)
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def shown(kind: str, version: str, body: Any, *, status: int = 200, now: datetime = NOW) -> Any:
    return json.loads(rendered(Response.of(status, body), kind, version, now).body)


@pytest.mark.parametrize(
    ("version", "there"), [("2019-04-01", False), ("2021-05-01", False), ("2021-06-01", True), ("0000-00-00", True)]
)
def test_a_member_is_shown_from_its_version_on_and_to_a_masked_one(version: str, there: bool) -> None:  # noqa: FBT001
    body = {"type": STORAGE, "properties": {"publicNetworkAccess": "Disabled", "accessTier": "Hot"}}
    properties = shown(STORAGE, version, body)["properties"]
    assert ("publicNetworkAccess" in properties, properties["accessTier"]) == (there, "Hot")


def test_a_preview_counts_by_its_date() -> None:
    body = {"type": ACR, "properties": {"metadataSearch": "Disabled"}}
    assert "metadataSearch" in shown(ACR, "2023-11-01-preview", body)["properties"]


def test_a_member_may_begin_on_a_day_whatever_the_version() -> None:
    body = {"type": STORAGE, "properties": {"networkAcls": {"ipv6Rules": [], "ipRules": []}}}
    before, after = datetime(2023, 12, 31, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
    old, new = (shown(STORAGE, "2023-01-01", body, now=each)["properties"]["networkAcls"] for each in (before, after))
    assert (set(old), set(new)) == ({"ipRules"}, {"ipRules", "ipv6Rules"})


def test_every_item_of_a_list_is_shown_so_and_what_is_none_is_left_as_it_is() -> None:
    items = [{"type": STORAGE, "properties": {"publicNetworkAccess": "Disabled"}}, "odd", {"properties": None}]
    assert shown(STORAGE, "2019-04-01", {"value": items})["value"] == [
        {"type": STORAGE, "properties": {}},
        "odd",
        {"properties": None},
    ]


def test_errors_and_empty_answers_come_back_as_they_are() -> None:
    error = Response.of(404, {"properties": {"publicNetworkAccess": "x"}})
    for answer in (error, Response.empty(204)):
        assert rendered(answer, STORAGE, "2019-04-01", NOW) is answer
    whole = Response.of(200, {"properties": {"publicNetworkAccess": "x"}})
    assert rendered(whole, "Contoso.Things/things", "2019-04-01", NOW) is whole
