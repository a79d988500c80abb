"""
From scalar expressions to functions of a row, with static types as in Kusto.

Types are checked before any row is looked at: unknown columns, comparisons of dynamics with each other, strings that are
asked for members. A query that is accepted here is one that Kusto accepts; what is refused is refused with a sentence.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, assert_never

from local.simulator import resource_graph_comparisons as comparisons
from local.simulator import resource_graph_functions as functions
from local.simulator.resource_graph_operands import Columns, Evaluate, Scalar, as_number, fixed, folded
from local.simulator.resource_graph_syntax import (
    Binary,
    Column,
    Expression,
    FunctionCall,
    Item,
    Literal,
    Member,
    Membership,
    Negative,
    Star,
)
from local.simulator.resource_graph_tokens import QueryError
from local.simulator.resource_graph_values import NUMBERS, Kind, Row


def scalar(expression: Expression, columns: Columns) -> Scalar:
    """
    Compile *expression* over rows that have *columns*.

    Raises:
        QueryError: An unknown column or function, or types that do not go together.
    """
    match expression:
        case Literal(kind=kind, value=value):
            return fixed(Kind(kind), value)
        case Column(name=name):
            return _column(name, columns)
        case Member():
            return _member(expression, columns)
        case Item(of=of, index=index):
            return _item(scalar(of, columns), scalar(index, columns))
        case Negative(of=of):
            return _negative(scalar(of, columns))
        case Binary(operator=operator, left=left, right=right):
            return folded(_binary(operator, scalar(left, columns), scalar(right, columns)))
        case Membership(operator=operator, value=value, choices=choices):
            choice = [scalar(each, columns) for each in choices]
            return folded(comparisons.membership(operator, scalar(value, columns), choice))
        case FunctionCall(name=name, arguments=arguments):
            return folded(_call(name, arguments, columns))
        case Star():
            raise QueryError("'*' may only stand inside count, arg_max, arg_min and take_any.")
        case _:
            assert_never(expression)


def _call(name: str, arguments: tuple[Expression, ...], columns: Columns) -> Scalar:
    """A function; the type that extract() may be given at its end is no value and is applied here."""
    last = arguments[-1] if arguments else None
    if name == "extract" and isinstance(last, FunctionCall) and last.name == "typeof":
        target = last.arguments[0] if len(last.arguments) == 1 else None
        if not isinstance(target, Column) or target.name not in functions.CASTS_BY_TYPE:
            raise QueryError("typeof() needs the name of a type.")
        found = functions.call(name, [scalar(each, columns) for each in arguments[:-1]])
        return functions.call(functions.CASTS_BY_TYPE[target.name], [found])
    return functions.call(name, [scalar(each, columns) for each in arguments])


def predicate(expression: Expression, columns: Columns) -> Evaluate:
    """A condition; a row passes when the result is true, not when it is null."""
    compiled = scalar(expression, columns)
    if compiled.kind is not Kind.BOOL:
        raise QueryError(
            f"A condition must be of type bool, not {compiled.kind}; use an explicit cast or a comparison."
        )
    return compiled.run


def _column(name: str, columns: Columns) -> Scalar:
    kind = columns.get(name)
    if kind is None:
        raise QueryError(f"'{name}' names no column here; there are: {', '.join(columns)}.")
    return Scalar(kind=kind, run=itemgetter(name))


def _member(expression: Member, columns: Columns) -> Scalar:
    """The value at the end of a path, walked in one function: properties.a.b.c is the most frequent expression."""
    names: list[str] = []
    at: Expression = expression
    while isinstance(at, Member):
        names.insert(0, at.name)
        at = at.of
    of = scalar(at, columns)
    if of.kind is not Kind.DYNAMIC:
        raise QueryError(f"'.{names[0]}' asks a value of type {of.kind} for a member; only a dynamic has members.")
    run, path = of.run, tuple(names)

    def member(row: Row) -> Any:
        value = run(row)
        for name in path:
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    return Scalar(kind=Kind.DYNAMIC, run=member, constant=of.constant)


def _item(of: Scalar, index: Scalar) -> Scalar:
    if of.kind is not Kind.DYNAMIC:
        raise QueryError(f"'[...]' asks a value of type {of.kind} for an item; only a dynamic has items.")
    run, at = of.run, index.run

    def item(row: Row) -> Any:
        value, key = run(row), at(row)
        if isinstance(value, dict):
            return value.get(key) if isinstance(key, str) else None
        if isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
            return value[key]
        return None

    return Scalar(kind=Kind.DYNAMIC, run=item, constant=of.constant and index.constant)


def _negative(of: Scalar) -> Scalar:
    run = as_number(of, "'-'")
    kind = of.kind if of.kind in NUMBERS else Kind.REAL

    def negative(row: Row) -> Any:
        value = run(row)
        return None if value is None else -value

    return folded(Scalar(kind=kind, run=negative, constant=of.constant))


def _binary(operator: str, left: Scalar, right: Scalar) -> Scalar:
    constant = left.constant and right.constant
    match operator:
        case "and" | "or":
            return Scalar(kind=Kind.BOOL, run=_logical(operator, left, right), constant=constant)
        case "+" | "-" | "*" | "/" | "%":
            return _arithmetic(operator, left, right)
        case _:
            return Scalar(kind=Kind.BOOL, run=comparisons.comparison(operator, left, right), constant=constant)


def _logical(operator: str, left: Scalar, right: Scalar) -> Evaluate:
    for each in (left, right):
        if each.kind is not Kind.BOOL:
            raise QueryError(f"'{operator}' joins values of type bool, not {each.kind}; use tobool() or a comparison.")
    first, second = left.run, right.run
    decisive = operator == "or"

    def joined(row: Row) -> bool | None:
        one: bool | None = first(row)
        if one is decisive:
            return one
        other: bool | None = second(row)
        if other is decisive:
            return other
        return None if one is None or other is None else not decisive

    return joined


def _arithmetic(operator: str, left: Scalar, right: Scalar) -> Scalar:
    first, second = as_number(left, f"'{operator}'"), as_number(right, f"'{operator}'")
    whole = left.kind is Kind.LONG and right.kind is Kind.LONG
    calculate = _CALCULATIONS[operator]

    def calculated(row: Row) -> Any:
        one, other = first(row), second(row)
        return None if one is None or other is None else calculate(one, other)

    kind = Kind.LONG if whole else Kind.REAL
    return Scalar(kind=kind, run=calculated, constant=left.constant and right.constant)


def _divided(one: float, other: float) -> float | None:
    if other == 0:
        return None
    if isinstance(one, int) and isinstance(other, int):
        return int(one / other)
    return one / other


_CALCULATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": _divided,
    "%": lambda one, other: None if other == 0 else one % other,
}
