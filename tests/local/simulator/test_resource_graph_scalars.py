"""Scalar expressions of the query language: values, nulls, types."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.resource_graph_tokens import QueryError
from tests.local.simulator.graph_shelf import names, run, value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # literals and paths
        ("'it\\'s'", "it's"),
        ('"tab\\there \\u00e9"', "tab\there é"),
        ("@'C:\\raw'", "C:\\raw"),
        ('@"say ""hi"""', 'say "hi"'),
        ("properties.access", "Disabled"),
        ("properties['access']", "Disabled"),
        ("properties.['odd.name']", "x"),
        ("['properties'].rules[1].n", 2),
        ("properties.rules[-1].n", 2),
        ("properties.rules[9].n", None),
        ("properties.access.deeper", None),
        ("properties.missing[0].x", None),
        ("dynamic({'a': [1, -2.5, true, null]}).a[1]", -2.5),
        ("properties[strcat('ac', 'cess')]", "Disabled"),
        ("properties[0]", None),
        ("properties[name]", None),
        # arithmetic
        ("1 + 2 * 3", 7),
        ("(1 + 2) * -3", -9),
        ("7 / 2", 3),
        ("7 / 2.0", 3.5),
        ("7 % 4 + 1 / 0", None),
        ("properties.count + 1", 8),
        ("properties.access + 1", None),
        # comparisons
        ("name == 'alpha' and size >= 3", True),
        ("name == 'ALPHA' or name =~ 'ALPHA'", True),
        ("name !~ 'ALPHA'", False),
        ("name =~ 'ALPHA' == true", True),
        ("properties.access == 'Disabled'", True),
        ("'Disabled' == properties.access", True),
        ("properties.count > 6", True),
        ("properties.flag == true", True),
        ("properties.flag == 'true'", True),
        ("properties.access > 6", None),
        ("properties.access in~ ('x', 'DISABLED')", True),
        ("properties.access in ('x', 'DISABLED')", False),
        ("size in (1, 2, 3)", True),
        ("size !in (1, 2, 3)", False),
        ("name in~ (dynamic(['Alpha', 'x']))", True),
        ("properties.missing !in~ ('x')", True),
        ("open in (true)", True),
        ("size == int(null)", False),
        ("properties.missing == int(null)", None),
        # text operators
        ("'a-b.c' has 'B'", True),
        ("'abc' has 'b'", False),
        ("'abc' !has 'b'", True),
        ("'x azure/ml y' has 'azure/ml'", True),
        ("'Abc' contains 'BC'", True),
        ("'Abc' contains_cs 'BC'", False),
        ("'Abc' !contains_cs 'BC'", True),
        ("'Abc' startswith 'ab'", True),
        ("'Abc' startswith_cs 'ab'", False),
        ("'Abc' !endswith 'BC'", False),
        ("properties.access startswith 'dis'", True),
        ("'abc' has ''", True),
        ("'say ALPHA twice' has name", True),
        ("'say alphabet' has name", False),
        ("'ALPHA' !contains name", False),
        ("'ALPHA' contains_cs name", False),
        ("tolower('ALPHABET') startswith_cs name", True),
        # functions
        ("tolower(toupper(name))", "alpha"),
        ("tostring(properties.rules)", '[{"n":1},{"n":2}]'),
        ("tostring(true)", "true"),
        ("tostring(7.0)", "7"),
        ("toint('12') + tolong(3.9)", 15),
        ("toint('x')", None),
        ("tobool('True') and tobool(1)", True),
        ("tobool('7') and not(tobool('0'))", True),
        ("tobool('maybe')", None),
        ("tobool(properties.flag)", True),
        ("tobool(properties.rules)", None),
        ("toreal('2.5')", 2.5),
        ("todouble(properties.rules)", None),
        ("isnull(long(null)) and isnull(bool(null)) and isnull(double(null))", True),
        ("strcat('a', 1, properties.access, properties.missing)", "a1Disabled"),
        ("split('/a/b', '/')", ["", "a", "b"]),
        ("tostring(split('/a/b', '/')[-1])", "b"),
        ("split('/a/b', '/', 1)", ["a"]),
        ("split('/a/b', '/', 9)", []),
        ("split('abc', '')", ["a", "b", "c"]),
        ("extract('b(.)d', 1, 'abcd')", "c"),
        ("extract('b(\\\\d)', 1, 'ab7', typeof(long)) + 1", 8),
        ("extract('z', 0, 'abcd')", ""),
        ("substring('abcdef', 2, 3)", "cde"),
        ("substring('abcdef', -2)", "ef"),
        ("substring('abcdef', int(null))", ""),
        ("indexof('abc', 'c')", 2),
        ("indexof('abc', 'z')", -1),
        ("replace_string('a.b.c', '.', '-')", "a-b-c"),
        ("strlen(name)", 5),
        ("isempty('') and isempty(properties.missing) and isnotempty(name)", True),
        ("isnull(properties.missing) and isnotnull(properties.access)", True),
        ("isnull('')", False),
        ("coalesce(properties.missing, properties.access)", "Disabled"),
        ("coalesce('', name)", "alpha"),
        ("coalesce(properties.missing, properties.absent)", None),
        ("iff(size > 2, 'big', 'small')", "big"),
        ("iif(isnull(size), 1, 2.5)", 2.5),
        ("case(size > 9, 'a', size > 2, 'b', 'c')", "b"),
        ("iff(open, properties.access, 'x')", "Disabled"),
        ("array_length(properties.rules)", 2),
        ("array_length(properties.access)", None),
        ("array_concat(dynamic([1]), dynamic([2, 3]))", [1, 2, 3]),
        ("array_concat(dynamic([1]), properties.access)", None),
        ("bag_pack('a', size, 'b', properties.access)", {"a": 3, "b": "Disabled"}),
        ("pack('a', 1).a", 1),
        ("pack_array(1, 'x')", [1, "x"]),
        ("parse_json('{\"a\": [1]}').a[0]", 1),
        ("todynamic('no json')", "no json"),
        ("parse_json(properties.rules)[0].n", 1),
        ("hash('x') == hash('x') and hash('x') != hash('y') and hash(name, 10) < 10", True),
        ("not(open)", False),
        # comments
        ("1 // one\n + 1", 2),
    ],
)
def test_an_expression_has_the_value_that_kusto_gives_it(expression: str, expected: Any) -> None:
    found = value(expression)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("size == 3", ["alpha"]),
        ("size != 3", ["", "beta-2"]),
        ("size < 99", ["alpha", "beta-2"]),
        ("not(size < 99)", []),
        ("open", ["alpha"]),
        ("not(open)", ["beta-2"]),
        ("isnull(open)", [""]),
        ("properties.access != 'Disabled'", ["", "beta-2"]),
        ("properties.access == ''", []),
        ("tostring(properties.access) == ''", [""]),
        ("properties.access !~ 'disabled'", ["", "beta-2"]),
        ("isnotempty(tags.team)", ["alpha"]),
        ("open or size > 0", ["alpha", "beta-2"]),
        ("open and isnull(size)", []),
    ],
)
def test_a_row_passes_when_the_condition_is_true_and_not_when_it_is_null(condition: str, expected: list[str]) -> None:
    assert names(f"Resources | where {condition}") == expected


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("properties.access == tags.team", "dynamic and dynamic"),
        ("name == 3", "string and long"),
        ("name < 'b'", "orders numbers"),
        ("size =~ 'x'", "needs a string"),
        ("name.first", "only a dynamic has members"),
        ("name[0]", "only a dynamic has items"),
        ("size and open", "of type bool"),
        ("name + 1", "needs a number"),
        ("nonsense", "names no column"),
        ("Name", "names no column"),
        ("nonsense(1)", "no function 'nonsense'"),
        ("strcat()", "at least 1 arguments, not 0"),
        ("iff(open, 1)", "a condition and two values"),
        ("tolower()", "does not take 0 arguments"),
        ("tolower(size)", "use tostring()"),
        ("iff(properties.flag, 1, 2)", "conditions of type bool"),
        ("iff(open, 1, 'x')", "values of one type"),
        ("case(open, 1)", "pairs"),
        ("coalesce(1)", "at least two"),
        ("array_length(name)", "needs a dynamic"),
        ("bag_pack('a')", "pairs"),
        ("extract('(', 0, 'x')", "not a regular expression"),
        ("extract('x', 0, 'x', typeof(date))", "name of a type"),
        ("name in (size)", "constants only"),
        ("name in (1)", "use tostring()"),
        ("size in~ (1)", "needs strings"),
        ("name in (dynamic([{'a': 1}]))", "scalars only"),
        ("not(size)", "of type bool"),
        ("*", "may only stand inside"),
    ],
)
def test_what_kusto_would_not_run_is_refused_with_a_sentence(expression: str, part: str) -> None:
    with pytest.raises(QueryError, match=part.replace("(", r"\(").replace(")", r"\)")):
        value(expression)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Resources | where name ==", "<EOF>"),
        ("Resources | where where", "where"),
        ("Resources | where (name == 'a'", "<EOF>"),
        ("Resources | where name == 'a", "'"),
        ("Resources | where name == 'a\\qb'", "'a\\qb'"),
        ("Resources | nonsense", "nonsense"),
        ("Resources where name == 'a'", "where"),
        ("Resources | where name ~ 'a'", "~"),
        ("Resources | take x", "x"),
        ("Resources | project a = dynamic(x)", "x"),
        ("Resources | project a = dynamic(-x)", "x"),
        ("Resources | project a = dynamic({a: 1})", "a"),
        ("Resources | summarize", "<EOF>"),
        ("Resources | order name", "name"),
        ("let x = 1; Resources", "x"),
        ("", "<EOF>"),
        ("Resources | where " + "(" * 500 + "1" + ")" * 500, "("),
    ],
)
def test_a_syntax_error_names_the_word(text: str, word: str) -> None:
    with pytest.raises(QueryError) as caught:
        run(text)
    assert caught.value.token is not None
    assert caught.value.token.text == word
    assert caught.value.expected


@given(st.text(alphabet="Resoucw|()[]{}.,='\"\\@/*-+ \n1aβ~!<>$", max_size=60))
def test_any_text_is_a_query_or_an_error_that_says_why(text: str) -> None:
    said = ""
    try:
        run(text)
    except QueryError as problem:
        said = problem.message
    else:
        said = "it ran"
    assert said


@given(st.lists(st.text(alphabet="aAbB", max_size=3)), st.booleans())
def test_a_list_is_as_good_as_its_comparisons(words: list[str], blind: bool) -> None:  # noqa: FBT001
    quoted = ", ".join(f"'{word}'" for word in words)
    sign, equal = ("in~", "=~") if blind else ("in", "==")
    one_by_one = " or ".join([f"name {equal} '{word}'" for word in words] or ["false"])
    assert names(f"Resources | where name {sign} ({quoted})") == names(f"Resources | where {one_by_one}")


@given(st.text(max_size=20))
def test_any_string_survives_its_escapes(text: str) -> None:
    escaped = "".join(f"\\u{ord(each):04x}" if ord(each) < 0x10000 else f"\\U{ord(each):08x}" for each in text)
    assert value(f"'{escaped}'") == text
