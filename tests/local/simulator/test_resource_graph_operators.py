"""Tabular operators of the query language: what they do with rows, and what they refuse."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.resource_graph_parser import parse
from local.simulator.resource_graph_query import types_asked
from local.simulator.resource_graph_tokens import QueryError
from tests.local.simulator.graph_shelf import OWNERS, A, B, C, Shelf, names, run


def table(text: str, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of a query as tuples of some columns, in order."""
    return [tuple(row[name] for name in columns) for row in run(text)]


# -- columns -----------------------------------------------------------------------------------------------------------


def test_extend_adds_and_replaces_and_sees_the_rows_as_they_came() -> None:
    row = run("Resources | where name == 'alpha' | extend size = 9, twice = size * 2 | project name, size, twice")
    assert row == [{"name": "alpha", "size": 9, "twice": 6}]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("properties.access", ["properties_access"]),
        ("tostring(properties.access)", ["properties_access"]),
        ("properties.access, name, properties.access", ["properties_access", "name", "properties_access1"]),
        ("tolower(name), 1", ["Column1", "Column2"]),
        ("size, size, size", ["size", "size1", "size2"]),
        ("['odd name'] = name", ["odd name"]),
    ],
)
def test_columns_without_a_name_get_one(columns: str, expected: list[str]) -> None:
    assert list(run(f"Resources | project {columns}")[0]) == expected


def test_project_away_takes_columns_and_patterns_out() -> None:
    assert list(run("Resources | project-away properties, t*, open")[0]) == ["id", "name", "size"]
    assert run("Resources | project-away * | count") == [{"Count": 3}]
    with pytest.raises(QueryError, match="names no column"):
        run("Resources | project-away nonsense")


# -- mv-expand ---------------------------------------------------------------------------------------------------------


def test_an_array_becomes_a_row_per_item_an_empty_one_none_and_null_one() -> None:
    found = table("Resources | mv-expand rule = properties.rules | project name, n = rule.n", "name", "n")
    assert found == [("alpha", 1), ("alpha", 2), ("", None)]


def test_an_expansion_may_have_a_type_an_index_and_a_limit() -> None:
    text = "Resources | where name == 'alpha' | mv-expand with_itemindex=at n = dynamic([5, 'x', 7]) to typeof(long) limit 2"
    assert table(f"{text} | project at, n", "at", "n") == [(0, 5), (1, None)]
    assert run(f"{text} | project n = n + 1 | take 1") == [{"n": 6}]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("string", ["5", "x", "2.5", "true", ""]),
        ("long", [5, None, 2, None, None]),
        ("real", [5.0, None, 2.5, None, None]),
        ("bool", [None, None, None, True, None]),
        ("dynamic", [5, "x", 2.5, True, None]),
    ],
)
def test_an_expansion_to_a_type_keeps_what_is_of_that_type(kind: str, expected: list[Any]) -> None:
    items = "dynamic([5, 'x', 2.5, true, null])"
    found = run(f"Resources | take 1 | mv-expand bagexpansion=array v = {items} to typeof({kind}) | project v")
    assert [row["v"] for row in found] == expected
    assert [type(row["v"]) for row in found] == [type(each) for each in expected]


def test_several_arrays_are_expanded_side_by_side() -> None:
    text = "Resources | take 1 | mv-expand a = dynamic([1, 2]), b = dynamic(['x'])"
    assert table(text, "a", "b") == [(1, "x"), (2, None)]


def test_an_object_becomes_a_row_per_member() -> None:
    found = run("Resources | take 1 | mv-expand m = dynamic({'a': 1, 'b': 2}) | project m")
    assert found == [{"m": {"a": 1}}, {"m": {"b": 2}}]


def test_a_column_is_expanded_in_place() -> None:
    assert run("Resources | where name == 'alpha' | extend r = properties.rules | mv-expand r | project r.n") == [
        {"r_n": 1},
        {"r_n": 2},
    ]


def test_a_row_limit_holds_by_default() -> None:
    numbers = ",".join(map(str, range(200)))
    assert run(f"Resources | take 1 | mv-expand n = dynamic([{numbers}]) | count") == [{"Count": 128}]


# -- summarize, distinct, count ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("count()", {"count_": 3}),
        ("n = countif(size > 1)", {"n": 1}),
        ("make_list(size)", {"list_size": [3, 1]}),
        ("make_list(name, 2)", {"list_name": ["alpha", "beta-2"]}),
        ("make_set(type)", {"set_type": ["t/one", "t/two"]}),
        ("make_set(size)", {"set_size": [3, 1]}),
        ("make_set(dynamic([1, 1, 2]), 1)", {"set_": [1]}),
        ("make_set(properties.rules)", {"set_properties_rules": [{"n": 1}, {"n": 2}]}),
        ("make_bag(tags)", {"bag_tags": {"team": "red"}}),
        (
            "dcount(type), s = sum(size), min(size), max(name)",
            {"dcount_type": 2, "s": 4, "min_size": 1, "max_name": "beta-2"},
        ),
        ("take_any(size), any(size)", {"size": 3, "any_size": 3}),
        ("take_any(size) by none = tolong('x') | project size", {"size": 3}),
        ("arg_max(size, name, t = 1)", None),
        ("arg_max(size, name)", {"size": 3, "name": "alpha"}),
        ("arg_min(size, properties.access)", {"size": 1, "properties_access": "enabled"}),
    ],
)
def test_an_aggregate_reduces_the_rows(aggregate: str, expected: dict[str, Any] | None) -> None:
    text = f"Resources | summarize {aggregate}"
    if expected is None:
        with pytest.raises(QueryError):
            run(text)
    else:
        assert run(text) == [expected]


def test_groups_have_their_keys_first_and_arg_max_shows_the_whole_row() -> None:
    found = run("Resources | summarize n = count(), arg_max(size, *) by kind = type | project-away properties, tags")
    assert found == [
        {"kind": "t/one", "n": 2, "size": 3, "id": "/x/A", "name": "alpha", "type": "t/one", "open": True},
        {"kind": "t/two", "n": 1, "size": 1, "id": "/x/B", "name": "beta-2", "type": "t/two", "open": False},
    ]


def test_nothing_is_one_group_without_keys_and_no_group_with_keys() -> None:
    assert run("Resources | where false | summarize n = count(), l = make_list(name)") == [{"n": 0, "l": []}]
    assert run("Resources | where false | summarize count() by type") == []


def test_any_row_of_a_group_may_stand_for_it_whole() -> None:
    for name in ("take_any", "any"):
        found = run(f"Resources | where type == 't/two' | summarize {name}(*) by type")
        assert found == [{**B, "type": "t/two"}]
        assert next(iter(found[0])) == "type"


def test_a_group_in_which_nothing_is_known_has_nothing_to_show() -> None:
    unknown = "Resources | where name == '' | summarize"
    assert run(f"{unknown} take_any(size), any(name)") == [{"size": None, "any_name": ""}]
    assert run(f"{unknown} min(size), max(size), s = sum(size)") == [{"min_size": None, "max_size": None, "s": 0}]
    assert run(f"{unknown} arg_max(size, type)") == [{"size": None, "type": "t/one"}]


def test_distinct_keeps_one_row_of_each_kind() -> None:
    assert run("Resources | distinct type, tostring(tags.team)") == [
        {"type": "t/one", "tags_team": "red"},
        {"type": "t/two", "tags_team": ""},
        {"type": "t/one", "tags_team": ""},
    ]
    assert run("Resources | project type | distinct *") == [{"type": "t/one"}, {"type": "t/two"}]


# -- order -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("size", ["alpha", "beta-2", ""]),
        ("size asc", ["", "beta-2", "alpha"]),
        ("size desc nulls first", ["", "alpha", "beta-2"]),
        ("size asc nulls last", ["beta-2", "alpha", ""]),
        ("type asc, size desc", ["alpha", "", "beta-2"]),
        ("type, name asc", ["beta-2", "", "alpha"]),
        ("strlen(name) desc", ["beta-2", "alpha", ""]),
    ],
)
def test_rows_are_sorted_downwards_unless_told_otherwise(keys: str, expected: list[str]) -> None:
    shuffled = Shelf(random.Random(3).sample([A, B, C], 3))
    assert [row["name"] for row in run(f"Resources | order by {keys}", shuffled)] == expected
    assert [row["name"] for row in run(f"Resources | sort by {keys} | take 2", shuffled)] == expected[:2]


def test_top_is_a_sort_and_a_take() -> None:
    assert table("Resources | top 2 by name asc", "name") == [("",), ("alpha",)]


# -- joins and unions --------------------------------------------------------------------------------------------------

_JOIN = "Resources | extend id = tolower(id) | project id, name | join {} (owners | extend id = tolower(id)) on id"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("kind=inner", [("alpha", "ann"), ("beta-2", "bea"), ("beta-2", "bob")]),
        ("", [("alpha", "ann"), ("beta-2", "bea"), ("beta-2", "bob")]),
        ("kind=leftouter", [("", ""), ("alpha", "ann"), ("beta-2", "bea"), ("beta-2", "bob")]),
        ("kind=fullouter", [("", ""), ("alpha", "ann"), ("beta-2", "bea"), ("beta-2", "bob")]),
    ],
)
def test_a_join_pairs_rows_and_renames_what_both_have(kind: str, expected: list[tuple[str, str]]) -> None:
    found = run(_JOIN.format(kind))
    assert list(found[0])[:4] == ["id", "name", "id1", "name1"]
    assert sorted((row["name"], row["name1"]) for row in found) == expected


def test_the_default_join_takes_one_row_per_key_of_the_left_side() -> None:
    twice = "owners | join (Resources) on id | project name, name1"
    assert run(twice) == [{"name": "bob", "name1": "beta-2"}]
    assert len(run(twice.replace("join", "join kind=inner"))) == 2


def test_a_full_join_shows_both_sides_of_what_nobody_asked_for() -> None:
    text = "Resources | project id, size | join kind=fullouter (owners | project id, name, size) on $left.id == $right.id, size"
    found = sorted((row["id"], row["id1"], row["size"], row["size1"], row["name"]) for row in run(text) if row["id1"])
    assert found == [("", "/X/a", None, 3, "ann"), ("", "/x/B", None, 9, "bea"), ("", "/x/B", None, 9, "bob")]


def test_null_keys_never_meet() -> None:
    assert run("Resources | where name == '' | join kind=inner (Resources | where name == '') on open") == []


def test_a_union_has_all_columns_or_the_common_ones() -> None:
    legs = "union {} (Resources | project name, size), (owners | project name, open)"
    outer = run(legs.format("withsource=origin"))
    assert list(outer[0]) == ["origin", "name", "size", "open"]
    assert [row["origin"] for row in outer] == ["Resources"] * 3 + ["owners"] * 3
    assert list(run(legs.format("kind=inner"))[0]) == ["name"]
    assert names("Resources | union owners | where name startswith 'b'") == ["bea", "beta-2", "bob"]
    assert outer[-1]["size"] is None


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Resources | where size", "must be of type bool"),
        ("Resources | summarize count() by properties.access", "use an explicit cast"),
        ("Resources | distinct properties", "use an explicit cast"),
        ("Resources | distinct *", "name the columns"),
        ("Resources | order by properties.access", "ordered by a value of type dynamic"),
        ("Resources | summarize arg_max(properties.access, *)", "cannot order values of type dynamic"),
        ("Resources | summarize tolower(name)", "takes aggregates here"),
        ("Resources | summarize make_bag(name)", "needs a dynamic"),
        ("Resources | summarize make_list()", "needs an argument"),
        ("Resources | summarize make_list(name, size)", "must be a constant number"),
        ("Resources | summarize make_list(name, 'x')", "must be a constant number"),
        ("Resources | summarize dcount(name, 2)", "does not take 2 arguments"),
        ("Resources | summarize arg_max(size)", "what to show of the row"),
        ("Resources | summarize count(name)", "countif"),
        ("Resources | mv-expand name", "mv-expand needs a dynamic"),
        ("Resources | mv-expand properties.rules limit 401", "from 1 to 400"),
        ("Resources | join owners on properties", "of type dynamic"),
        ("Resources | join owners on nonsense", "has no column 'nonsense'"),
        ("Resources | join owners on $left.size == $right.name", "cannot compare"),
        ("Resources | join kind=anti owners on id", "join kind 'anti' is not supported"),
        ("Resources | join hint.strategy=broadcast owners on id", "Custom join strategies"),
        ("Resources | join owners on $left.id == $left.id", "one of \\$right"),
        ("Resources | join nonsense on id", "no table 'nonsense'"),
        ("union owners, owners, owners, owners", "at most 3 legs"),
        ("union owners, (owners | extend size = name)", "as long and as string"),
        ("Resources" + " | join owners on id" * 4, "at most 3 join"),
        ("Resources" + " | mv-expand r = properties.rules" * 4, "at most 3 mv-expand"),
    ],
)
def test_what_resource_graph_would_not_run_is_refused(text: str, part: str) -> None:
    with pytest.raises(QueryError, match=part):
        run(text)


# -- what a query asks for at once -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("where type =~ 'T/One'", {"t/one"}),
        ("where type in~ ('T/One', 't/two')", {"t/one", "t/two"}),
        ("where size > 1 | where type == 't/one' and name != ''", {"t/one"}),
        ("where type == 't/one' or type == 't/two'", {"t/one", "t/two"}),
        ("where type == 't/one' and type == 't/two'", set()),
        ("where type == 't/one' or size > 1", None),
        ("where type != 't/one'", None),
        ("extend type = 't/one' | where type == 't/one'", None),
    ],
)
def test_the_first_conditions_say_which_types_are_needed(conditions: str, expected: set[str] | None) -> None:
    asked = types_asked(parse(f"Resources | {conditions}"))
    assert asked == (None if expected is None else frozenset(expected))
    shelf = Shelf()
    run(f"Resources | {conditions}", shelf)
    assert shelf.asked == [asked]


@given(st.lists(st.sampled_from(["t/one", "t/two", "o"]), max_size=6), st.sampled_from(["t/one", "T/TWO", "x"]))
def test_asking_for_a_type_at_once_gives_the_same_rows_as_filtering_later(kinds: list[str], wanted: str) -> None:
    rows = [{**A, "type": kind, "id": str(at)} for at, kind in enumerate(kinds)]
    early = run(f"Resources | where type =~ '{wanted}'", Shelf(rows))
    late = run(f"Resources | extend t = type | where t =~ '{wanted}' | project-away t", Shelf(rows))
    assert early == late


def test_a_query_may_begin_with_an_operator() -> None:
    assert names("where size > 1 | project name") == ["alpha"]
    assert len(run("project id")) == 3
    assert OWNERS[0]["name"] == "ann"
