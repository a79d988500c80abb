"""Filters of event subscriptions: the documented table of operators, limits and edge cases."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.event_grid_events import Event, Schema
from local.simulator.event_grid_filters import MAX_VALUES, OPERATORS, matches, problems

REGISTRY = "/subscriptions/s1/resourcegroups/rg-ml/providers/Microsoft.MachineLearningServices/registries/contoso"


def event(**data: Any) -> Event:
    return Event(
        id="e1",
        source="/subscriptions/s1",
        subject=REGISTRY,
        type="Microsoft.Resources.ResourceWriteSuccess",
        time=datetime(2026, 1, 5, tzinfo=UTC),
        data=data,
    )


def passes(filter_body: dict[str, Any], schema: Schema = Schema.EVENT_GRID, **data: Any) -> bool:
    return matches(filter_body, event(**data), schema)


def advanced(operator: str, key: str, value: Any, **more: Any) -> dict[str, Any]:
    member = "values" if isinstance(value, list) else "value"
    return {"advancedFilters": [{"operatorType": operator, "key": key, member: value}], **more}


def test_without_a_filter_everything_passes() -> None:
    assert passes({})


def test_event_types_are_alternatives_and_ignore_case() -> None:
    assert passes({"includedEventTypes": ["Other", "microsoft.resources.RESOURCEWRITESUCCESS"]})
    assert not passes({"includedEventTypes": ["Microsoft.Resources.ResourceDeleteSuccess"]})


def test_subjects_ignore_case_unless_told_otherwise() -> None:
    assert passes({"subjectBeginsWith": "/subscriptions/S1/resourceGroups/RG-ML", "subjectEndsWith": "/Contoso"})
    assert not passes({"subjectEndsWith": "/Contoso", "isSubjectCaseSensitive": True})
    assert not passes({"subjectBeginsWith": "/subscriptions/other"})


@pytest.mark.parametrize(
    ("operator", "value", "found", "expected"),
    [
        ("StringIn", ["a/write", "B/write"], "b/WRITE", True),
        ("StringIn", ["a/write"], "a/writes", False),
        ("StringNotIn", ["a/write"], "b/write", True),
        ("StringContains", ["registr"], "x/REGISTRIES/write", True),
        ("StringNotContains", ["registr"], "x/registries/write", False),
        ("StringBeginsWith", ["x/"], "X/y", True),
        ("StringNotBeginsWith", ["x/"], "X/y", False),
        ("StringEndsWith", ["/write"], "x/Write", True),
        ("StringNotEndsWith", ["/write"], "x/delete", True),
        ("NumberIn", [1, 2.5], 2.5, True),
        ("NumberNotIn", [1], 1, False),
        ("NumberLessThan", 3, 3, False),
        ("NumberLessThanOrEquals", 3, 3, True),
        ("NumberGreaterThan", 3, 4, True),
        ("NumberGreaterThanOrEquals", 3, 2, False),
        ("NumberInRange", [[1, 2], [5, 9]], 6, True),
        ("NumberNotInRange", [[1, 2]], 2, False),
        ("BoolEquals", True, True, True),
        ("BoolEquals", True, False, False),
        ("BoolEquals", True, 1, False),
        ("NumberIn", [1], True, False),
        ("StringIn", ["1"], 1, False),
    ],
)
def test_each_operator_compares_as_documented(operator: str, value: Any, found: Any, expected: bool) -> None:  # noqa: FBT001
    assert passes(advanced(operator, "data.key", value), key=found) is expected


@pytest.mark.parametrize("operator", sorted(OPERATORS - {"IsNullOrUndefined", "IsNotNull"}))
def test_a_missing_key_passes_only_negative_operators(operator: str) -> None:
    value: Any = [["1", "2"]] if "Range" in operator else ["1"]
    assert passes(advanced(operator, "data.absent", value)) is ("Not" in operator)


def test_null_operators_tell_absent_from_present() -> None:
    assert passes(advanced("IsNullOrUndefined", "data.absent", None))
    assert passes(advanced("IsNullOrUndefined", "data.key", None), key=None)
    assert passes(advanced("IsNotNull", "data.key", None), key="x")
    assert not passes(advanced("IsNotNull", "data.absent", None))


def test_an_operator_that_nobody_knows_lets_nothing_pass() -> None:
    assert not passes(advanced("StringLike", "subject", ["x"]))


def test_filters_are_all_required() -> None:
    both = {
        "advancedFilters": [
            {"operatorType": "StringIn", "key": "data.operationName", "values": ["a"]},
            {"operatorType": "StringEndsWith", "key": "subject", "values": ["/contoso"]},
        ]
    }
    assert passes(both, operationName="a")
    assert not passes(both, operationName="b")


def test_arrays_are_looked_into_only_when_enabled() -> None:
    wanted = advanced("StringIn", "data.tags", ["blue"])
    assert not passes(wanted, tags=["red", "blue"])
    assert passes({**wanted, "enableAdvancedFilteringOnArrays": True}, tags=["red", "blue"])


def test_nested_keys_are_found_without_regard_to_case() -> None:
    assert passes(advanced("StringIn", "data.Authorization.ACTION", ["x"]), authorization={"action": "x"})


def test_a_claim_whose_name_holds_dots_cannot_be_reached() -> None:
    name = "http://schemas.microsoft.com/identity/claims/objectidentifier"
    assert not passes(advanced("StringIn", f"data.claims.{name}", ["me"]), claims={name: "me"})


def test_keys_follow_the_delivery_schema() -> None:
    assert not problems(advanced("StringIn", "eventType", ["x"]), Schema.EVENT_GRID)
    assert problems(advanced("StringIn", "eventType", ["x"]), Schema.CLOUD_EVENTS)
    assert passes(advanced("StringIn", "type", [event().type]), Schema.CLOUD_EVENTS)
    assert passes(advanced("StringIn", "topic", ["/subscriptions/S1"]))


def test_more_than_25_values_over_all_filters_are_refused() -> None:
    one = [{"operatorType": "StringIn", "key": "data.a", "values": [str(n) for n in range(13)]}]
    assert not problems({"advancedFilters": one}, Schema.EVENT_GRID)
    (problem,) = problems({"advancedFilters": one * 2}, Schema.EVENT_GRID)
    assert "26 values" in problem


def test_every_problem_is_named_at_once() -> None:
    found = problems(
        {
            "advancedFilters": [
                {"operatorType": "StringLike", "key": "data.a", "values": ["x"]},
                {"operatorType": "StringIn", "key": "nowhere", "values": ["x" * 513]},
                {"operatorType": "StringIn", "key": "data.a", "values": []},
                {"operatorType": "NumberLessThan", "key": "data.a"},
                "not an object",
            ]
        },
        Schema.EVENT_GRID,
    )
    assert len(found) == 6


def test_more_than_25_filters_are_refused() -> None:
    many = [{"operatorType": "IsNotNull", "key": "data.a"}] * 26
    (problem,) = problems({"advancedFilters": many}, Schema.EVENT_GRID)
    assert "26 advanced filters" in problem


@given(values=st.lists(st.text(max_size=8), min_size=1, max_size=MAX_VALUES), found=st.text(max_size=8))
def test_a_negative_string_operator_is_the_opposite_of_its_positive_twin(values: list[str], found: str) -> None:
    for name in ("In", "Contains", "BeginsWith", "EndsWith"):
        positive = passes(advanced(f"String{name}", "data.key", values), key=found)
        assert passes(advanced(f"StringNot{name}", "data.key", values), key=found) is not positive
