"""
Comparisons, string operators and membership, with Kusto's rules for types and nulls.

Null compared with a value is not equal; null compared with null, and any other comparison with null, is null. Two
dynamics cannot be compared, values of different types neither. Operators with a tilde and those without _cs are blind to
case. `has` looks for whole terms: runs of letters and digits.
"""

from collections.abc import Callable, Sequence
from typing import Any

from local.simulator.resource_graph_operands import Evaluate, Scalar, as_text
from local.simulator.resource_graph_tokens import QueryError
from local.simulator.resource_graph_values import NUMBERS, Kind, Row, comparable_text, flag_in, number_in

type Test = Callable[[str, str], bool]


def comparison(operator: str, left: Scalar, right: Scalar) -> Evaluate:
    """
    The test that *operator* stands for.

    Raises:
        QueryError: The operands cannot be compared so.
    """
    if operator in ("==", "!="):
        return _equality(left, right, equal=operator == "==")
    if operator in _ORDER:
        return _order(operator, left, right)
    if operator in ("=~", "!~"):
        return _textual("=~", left, right, negated=operator == "!~")
    return _textual(operator.removeprefix("!"), left, right, negated=operator.startswith("!"))


# -- equality and order ------------------------------------------------------------------------------------------------


def _operands(operator: str, left: Scalar, right: Scalar) -> tuple[Evaluate, Evaluate, Kind]:
    """Both sides brought to one type."""
    if left.kind is Kind.DYNAMIC and right.kind is not Kind.DYNAMIC:
        return _converted(left, right.kind), right.run, right.kind
    if right.kind is Kind.DYNAMIC and left.kind is not Kind.DYNAMIC:
        return left.run, _converted(right, left.kind), left.kind
    both_numbers = left.kind in NUMBERS and right.kind in NUMBERS
    if left.kind is Kind.DYNAMIC or (left.kind is not right.kind and not both_numbers):
        raise QueryError(
            f"'{operator}' cannot compare values of types {left.kind} and {right.kind}. Try adding explicit casts."
        )
    return left.run, right.run, left.kind


def _converted(dynamic: Scalar, kind: Kind) -> Evaluate:
    run = dynamic.run
    convert: Callable[[Any], Any] = comparable_text
    if kind in NUMBERS:
        convert = number_in
    elif kind is Kind.BOOL:
        convert = flag_in
    return lambda row: convert(run(row))


def _equality(left: Scalar, right: Scalar, *, equal: bool) -> Evaluate:
    first, second, _ = _operands("==" if equal else "!=", left, right)

    def compared(row: Row) -> bool | None:
        one, other = first(row), second(row)
        if one is None and other is None:
            return None
        return (one == other) is equal

    return compared


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


def _order(operator: str, left: Scalar, right: Scalar) -> Evaluate:
    first, second, kind = _operands(operator, left, right)
    if kind not in NUMBERS:
        raise QueryError(f"'{operator}' orders numbers, not values of type {kind}.")
    test = _ORDER[operator]

    def compared(row: Row) -> bool | None:
        one, other = first(row), second(row)
        return None if one is None or other is None else test(one, other)

    return compared


# -- text --------------------------------------------------------------------------------------------------------------


def _textual(operator: str, left: Scalar, right: Scalar, *, negated: bool) -> Evaluate:
    first, second = as_text(left, f"'{operator}'"), as_text(right, f"'{operator}'")
    sensitive = operator.endswith("_cs")
    test = _TESTS[operator.removesuffix("_cs")]
    if right.constant:
        return _tested_with_constant(first, right, test, sensitive=sensitive, negated=negated)

    def tested(row: Row) -> bool:
        text, part = first(row), second(row)
        found = test(text, part) if sensitive else test(text.lower(), part.lower())
        return found is not negated

    return tested


def _tested_with_constant(
    text_in: Evaluate, constant: Scalar, test: Test, *, sensitive: bool, negated: bool
) -> Evaluate:
    part = as_text(constant, "a string operator")({})
    if sensitive:
        return lambda row: test(text_in(row), part) is not negated
    part = part.lower()
    return lambda row: test(text_in(row).lower(), part) is not negated


def _has(text: str, term: str) -> bool:
    """Whether *term* stands in *text* with no letter or digit beside it."""
    if not term:
        return True
    at = text.find(term)
    while at >= 0:
        end = at + len(term)
        before = at == 0 or not (text[at - 1].isalnum() and term[0].isalnum())
        after = end == len(text) or not (text[end].isalnum() and term[-1].isalnum())
        if before and after:
            return True
        at = text.find(term, at + 1)
    return False


_TESTS: dict[str, Test] = {
    "=~": str.__eq__,
    "has": _has,
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


# -- membership --------------------------------------------------------------------------------------------------------


def membership(operator: str, value: Scalar, choices: Sequence[Scalar]) -> Scalar:
    """
    `in`, `in~` and their negations, over constants: one look into a hash set per row, however long the list.

    Raises:
        QueryError: A choice that is not constant, or of a type that does not fit.
    """
    negated, blind = operator.startswith("!"), operator.endswith("~")
    flat = [each for choice in choices for each in _constants(operator, choice)]
    if value.kind is Kind.STRING or (value.kind is Kind.DYNAMIC and all(isinstance(each, str) for each in flat)):
        test = _text_membership(operator, value, flat, blind=blind, negated=negated)
    elif blind:
        raise QueryError(f"'{operator}' needs strings, not values of type {value.kind}.")
    else:
        test = _plain_membership(value, frozenset(_distinguished(each) for each in flat), negated=negated)
    return Scalar(kind=Kind.BOOL, run=test, constant=value.constant)


def _constants(operator: str, choice: Scalar) -> list[Any]:
    if not choice.constant:
        raise QueryError(f"The list of '{operator}' may hold constants only.")
    held = choice.value()
    items = held if choice.kind is Kind.DYNAMIC and isinstance(held, list) else [held]
    if any(isinstance(each, (dict, list)) for each in items):
        raise QueryError(f"The list of '{operator}' may hold scalars only.")
    return items


def _text_membership(operator: str, value: Scalar, choices: list[Any], *, blind: bool, negated: bool) -> Evaluate:
    if not all(isinstance(each, str) for each in choices):
        raise QueryError(f"'{operator}' compares a string with values that are none; use tostring().")
    text_in = value.run if value.kind is Kind.STRING else _converted(value, Kind.STRING)
    if blind:
        lowered = frozenset(each.lower() for each in choices)

        def folded(row: Row) -> bool:
            text = text_in(row)
            return (text is not None and text.lower() in lowered) is not negated

        return folded
    known = frozenset(choices)
    return lambda row: (text_in(row) in known) is not negated


def _plain_membership(value: Scalar, known: frozenset[Any], *, negated: bool) -> Evaluate:
    run = value.run
    return lambda row: (_distinguished(run(row)) in known) is not negated


def _distinguished(value: Any) -> Any:
    """A hashable stand-in in which true is not 1 and an object is nothing that a list can hold."""
    if isinstance(value, bool):
        return ("bool", value)
    return None if isinstance(value, (dict, list)) else value
