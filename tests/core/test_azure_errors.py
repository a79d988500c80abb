"""Bodies have the shapes that Azure was recorded or reported to send; every value in them is made up."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.azure_error_table import CODES, GENERIC, Row
from shared.core.azure_errors import classify
from shared.core.errors import Blocked, DeniedByPolicy, RegistryIsolationError, Temporary

ENDPOINT = (
    "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg-net"
    "/providers/Microsoft.Network/privateEndpoints/pe-alpha"
)
"""The resource of every case that does not name another."""

UNFILLED = re.compile(r"\{\w*\}")
OPERATION = "create private endpoint"
CASES: dict[str, dict[str, Any]] = {
    case["name"]: case
    for case in map(
        json.loads, (Path(__file__).parent / "cases" / "azure_errors.jsonl").read_text("utf-8").splitlines()
    )
}


def error(code: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


def verdict(case: dict[str, Any]) -> RegistryIsolationError:
    return classify(
        case["status"],
        case["body"],
        case.get("headers", {}),
        operation=case.get("operation", OPERATION),
        resource_id=case.get("resource_id", ENDPOINT),
    )


@pytest.mark.parametrize("name", CASES)
def test_azures_answer_becomes_the_leaf_its_sentence_and_its_delay(name: str) -> None:
    case = CASES[name]

    found = verdict(case)

    assert found.name == case["leaf"], found.sentence
    assert [part for part in case.get("says", []) if part not in found.sentence] == []
    assert found.code == case.get("code", found.code)
    assert found.operation == case.get("operation", OPERATION)
    assert found.resource_id == case.get("resource_id", ENDPOINT)
    if isinstance(found, Temporary):
        wait = case.get("wait_seconds")
        assert found.retry_after == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize("name", CASES)
def test_no_sentence_shows_a_signature_or_an_unfilled_place(name: str) -> None:
    sentence = verdict(CASES[name]).sentence

    assert "SIGNED" not in sentence
    assert UNFILLED.search(sentence) is None


def rows() -> list[tuple[str, Row]]:
    return [*CODES.items(), *GENERIC.items()]


@pytest.mark.parametrize(("code", "row"), rows())
def test_every_row_of_the_table_makes_a_sentence_from_any_text(code: str, row: Row) -> None:
    status = min(row.statuses, default=400)

    found = classify(status, error(code, "plain words"), {}, operation="PUT x", resource_id="")

    assert type(found) is row.leaf
    assert UNFILLED.search(found.sentence) is None


def test_of_two_nested_reasons_the_one_that_waiting_cannot_cure_is_told() -> None:
    details = [{"code": "AnotherOperationInProgress", "message": "busy"}, {"code": "SubnetIsFull", "message": "full"}]

    assert isinstance(
        classify(400, error("BadRequest", "", details=details), {}, operation="PUT x", resource_id=""), Blocked
    )
    assert isinstance(
        classify(400, error("BadRequest", "", details=details[::-1]), {}, operation="PUT x", resource_id=""), Blocked
    )


def test_an_unknown_detail_does_not_hide_the_known_code_around_it() -> None:
    body = error("RequestDisallowedByPolicy", "No.", details=[{"code": "PolicyDetail", "message": "x"}])

    assert isinstance(classify(403, body, {}, operation="PUT x", resource_id=""), DeniedByPolicy)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["error", "Error", "code", "message", "details", "innerError", "status", "additionalInfo", "info"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(
    st.one_of(st.none(), st.integers(100, 599)),
    JSON | st.text(),
    st.dictionaries(st.sampled_from(["Retry-After", "Date", "x-ms-error-code"]), st.text(max_size=30)),
)
def test_whatever_arrives_becomes_one_bounded_line_and_never_an_exception(
    status: int | None, body: object, headers: dict[str, str]
) -> None:
    found = classify(status, body, headers, operation="GET x", resource_id="")

    assert len(found.sentence) < 2_500
    assert found.sentence.isprintable() or not any(ord(character) < 32 for character in found.sentence)
