"""Whatever is put into a query stays inside its literal."""

import string

from hypothesis import given
from hypothesis import strategies as st

from local.simulator.resource_graph_parser import parse
from local.simulator.resource_graph_syntax import Binary, Literal, Where
from shared.cloud import inventory_queries as queries
from shared.cloud.inventory_kql import literal, literals

HOSTILE = (
    "'; Resources | take 1 //",
    "x') | union (ResourceContainers) | where ('a' == 'a",
    "back\\slash\\'",
    "line\nbreak\r\n| project 1",
    "\x00\u2028\u202e\ud800",
    '"double"',
)
_SHORT = {"n": "\n", "r": "\r", "t": "\t"}


def scan(query: str) -> tuple[list[str], str]:
    """A second reading of the language: the literals of *query*, and everything that is not one."""
    found: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(query):
        if query[at] != "'":
            rest.append(query[at])
            at += 1
            continue
        text, at = _literal(query, at + 1)
        found.append(text)
    return found, "".join(rest)


def _literal(query: str, at: int) -> tuple[str, int]:
    text = ""
    while query[at] != "'":
        assert query[at] not in "\r\n", "a literal ends with its line"
        if query[at] != "\\":
            text, at = text + query[at], at + 1
        elif query[at + 1] == "u":
            text, at = text + chr(int(query[at + 2 : at + 6], 16)), at + 6
        else:
            text, at = text + _SHORT.get(query[at + 1], query[at + 1]), at + 2
    return text, at + 1


@given(st.text() | st.sampled_from(HOSTILE))
def test_a_literal_reads_back_as_what_was_put_in(text: str) -> None:
    assert scan(literal(text)) == ([text], "")


@given(st.text() | st.sampled_from(HOSTILE))
def test_the_simulated_resource_graph_reads_the_same_text(text: str) -> None:
    (where,) = parse(f"Resources | where name == {literal(text)}").operators
    assert isinstance(where, Where)
    assert isinstance(where.predicate, Binary)
    assert where.predicate.right == Literal(kind="string", value=text)


@given(st.lists(st.text(min_size=1) | st.sampled_from(HOSTILE), min_size=1, max_size=4))
def test_hostile_names_change_nothing_of_a_query_but_its_literals(names: list[str]) -> None:
    harmless = [f"name-{number}" for number, _ in enumerate(dict.fromkeys(name.lower() for name in names))]
    for make in (
        queries.registries_among,
        queries.parts_of_groups,
        queries.workspaces,
        queries.storage_accounts,
        queries.ways_out,
        lambda keys: queries.endpoints_to_groups(keys, keys),
        lambda keys: queries.endpoints_to_targets(keys, keys),
        lambda keys: queries.records(keys, keys, keys),
        lambda keys: queries.zones(keys, keys, keys),
    ):
        literals_found, rest = scan(make(names))
        assert rest == scan(make(harmless))[1]
        assert {name.lower() for name in names} <= set(literals_found)


@given(st.text(alphabet=string.printable))
def test_a_literal_has_no_line_break_and_no_bare_quote(text: str) -> None:
    inside = literal(text)[1:-1]
    assert "\n" not in inside
    assert "\r" not in inside
    assert "'" not in inside.replace("\\\\", "").replace("\\'", "")


def test_lists_hold_each_name_once_in_lower_case() -> None:
    assert literals(["B", "a", "b"]) == "('b','a')"


def test_a_list_of_nothing_is_still_a_list() -> None:
    assert literals([]) == "('')"


def test_a_word_that_ends_with_a_sigma_is_asked_for_as_azure_spells_it_in_lower_case() -> None:
    assert (
        literals(["RG-\u0394\u0399\u039a\u03a4\u03a5\u039f\u03a3"])
        == "('rg-\u03b4\u03b9\u03ba\u03c4\u03c5\u03bf\u03c3')"
    )
