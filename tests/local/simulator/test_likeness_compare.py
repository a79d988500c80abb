"""What counts as a difference between a recorded answer and a simulated one."""

import json
from typing import Any

import pytest

from local.simulator.likeness_compare import Difference, compare, key_paths
from local.simulator.likeness_exchanges import Exchange, read
from local.simulator.wire import Response
from tests.local.simulator.recordings import exchange, lines


def recorded(**changes: Any) -> Exchange:
    ((found,),) = read(
        lines(exchange(**({"response_headers": {}, "response_body": None, "status": 200} | changes)))
    ).sources
    return found


def differences(answer: Response, **changes: Any) -> list[tuple[str, str, str, str]]:
    found: tuple[Difference, ...] = compare(recorded(**changes), answer)
    return [(each.aspect, each.what, each.recorded, each.simulated) for each in found]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "503"),
        (b"<html>busy</html>", "503"),
        (b"[]", "503"),
        (b'{"error": "busy"}', "503"),
        (b'{"error": {"code": "ServerTimeout"}}', "503 ServerTimeout"),
        (b'{"Error": {"Code": "ServerTimeout"}}', "503 ServerTimeout"),
        (b'{"code": "ServerTimeout"}', "503 ServerTimeout"),
    ],
)
def test_a_status_that_differs_is_told_with_the_code_of_the_error(body: bytes, told: str) -> None:
    assert differences(Response(503, {}, body))[0] == ("status", "status", "200", told)


def test_a_text_is_one_key_whatever_it_says() -> None:
    assert differences(Response(200, {}, b"one"), response_body="two") == []
    assert differences(Response(200, {}, b""), response_body="two") == [("keys", "<text>", "present", "")]


def test_what_a_recorder_cut_off_is_not_compared() -> None:
    answer = Response(200, {}, json.dumps({"a": {"b": 1}}).encode())

    assert differences(answer, response_body={"a": {"b": 1, "__truncated__": 3}, "__truncated__": True}) == []


def test_keys_that_are_ids_count_as_one() -> None:
    assert key_paths({"identities": {"/subscriptions/a": {}, "/subscriptions/b": {"c": [[1]]}}}) == {
        "identities",
        "identities.{id}",
        "identities.{id}.c",
    }


@pytest.mark.parametrize("snapshot", ["aso2512", "azcli2411", "c7n", "somebody"])
def test_a_retry_after_counts_where_the_recorder_kept_it(snapshot: str) -> None:
    found = differences(Response(200, {"Retry-After": "10", "ETag": "1"}), snapshot=snapshot)

    told = {"aso2512": ["etag", "retry-after"], "azcli2411": ["etag"]}
    assert [what for _, what, _, _ in found] == told.get(snapshot, [])


def test_the_family_of_a_rate_limit_counts_and_its_number_does_not() -> None:
    ours = Response(200, {"x-ms-ratelimit-remaining-subscription-reads": "7"})

    assert differences(ours, response_headers={"x-ms-ratelimit-remaining-subscription-global-reads": "3749"}) == []
    assert differences(ours, response_headers={"x-ms-ratelimit-remaining-tenant-reads": "11999"}) == [
        ("headers", "rate-limit", "tenant", "subscription")
    ]


def test_only_the_gateway_is_told_apart_as_the_cause_of_a_failure() -> None:
    assert differences(Response(200, {"x-ms-failure-cause": "service"})) == []
    assert differences(Response(200, {"x-ms-failure-cause": "gateway"})) == [
        ("headers", "x-ms-failure-cause", "", "gateway")
    ]
