"""
Aggregates of `summarize`: what one group of rows becomes.

A group is a list of rows in no particular order. Nulls are left out of lists, sets and sums. `dcount` counts exactly,
where the real one estimates.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from local.simulator.resource_graph_names import free, path_name
from local.simulator.resource_graph_operands import Columns, Evaluate, Scalar, as_number
from local.simulator.resource_graph_scalars import predicate, scalar
from local.simulator.resource_graph_syntax import Expression, FunctionCall, Named, Star
from local.simulator.resource_graph_tokens import QueryError
from local.simulator.resource_graph_values import NUMBERS, Kind, Row

type Reduce = Callable[[list[Row]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """One or, for arg_max and the like, several new columns of a group; `reduce` gives their values in order."""

    columns: tuple[tuple[str, Kind], ...]
    reduce: Callable[[list[Row]], Sequence[Any]]


def aggregate(column: Named, columns: Columns, keys: Sequence[str]) -> Aggregate:
    """
    Compile one aggregate.

    Raises:
        QueryError: It is none, or its arguments do not fit.
    """
    expression = column.expression
    if not isinstance(expression, FunctionCall) or expression.name not in NAMES:
        raise QueryError(f"summarize takes aggregates here: {', '.join(sorted(NAMES))}.")
    name, arguments = expression.name, expression.arguments
    if name in ("arg_max", "arg_min"):
        return _arg_extreme(column.name, name, arguments, columns, keys)
    if name in ("take_any", "any") and any(isinstance(each, Star) for each in arguments):
        return _any_row(columns, keys)
    kind, reduce, natural = _single(name, arguments, columns)

    def alone(rows: list[Row]) -> Sequence[Any]:
        return (reduce(rows),)

    return Aggregate(columns=((column.name or natural, kind),), reduce=alone)


def _single(name: str, arguments: tuple[Expression, ...], columns: Columns) -> tuple[Kind, Reduce, str]:
    """Kind, reduction and natural name of an aggregate that makes one column."""
    if name == "count":
        if arguments:
            raise QueryError("count() takes no argument; use countif().")
        return Kind.LONG, len, "count_"
    if not arguments:
        raise QueryError(f"{name}() needs an argument.")
    if name == "countif":
        condition = predicate(arguments[0], columns)
        return Kind.LONG, lambda rows: sum(1 for row in rows if condition(row)), "countif_"
    limit = _limit(name, arguments, columns)
    operand = scalar(arguments[0], columns)
    path = path_name(arguments[0])
    match name:
        case "make_list":
            return Kind.DYNAMIC, _listed(operand.run, limit), f"list_{path}"
        case "make_set":
            return Kind.DYNAMIC, _set(operand.run, limit), f"set_{path}"
        case "make_bag":
            return Kind.DYNAMIC, _bag(_dynamic(name, operand)), f"bag_{path}"
        case "dcount":
            return (
                Kind.LONG,
                lambda rows: len({_identity(operand.run(row)) for row in rows} - {"null"}),
                f"dcount_{path}",
            )
        case "take_any" | "any":
            return operand.kind, _any(operand), path if name == "take_any" and path else f"any_{path}"
        case _:
            return _numeric(name, operand, path)


def _limit(name: str, arguments: tuple[Expression, ...], columns: Columns) -> int | None:
    if len(arguments) == 1:
        return None
    if name not in ("make_list", "make_set") or len(arguments) != 2:
        raise QueryError(f"{name}() does not take {len(arguments)} arguments.")
    size = scalar(arguments[1], columns)
    if not size.constant or not isinstance(size.value(), int):
        raise QueryError(f"The second argument of {name}() must be a constant number.")
    return int(size.value())


def _dynamic(name: str, operand: Scalar) -> Evaluate:
    if operand.kind is not Kind.DYNAMIC:
        raise QueryError(f"{name}() needs a dynamic, not a value of type {operand.kind}.")
    return operand.run


def _identity(value: Any) -> Any:
    """A hashable value that equals another's exactly when the two are the same to Kusto."""
    return json.dumps(value, sort_keys=True)


def _listed(run: Evaluate, limit: int | None) -> Reduce:
    return lambda rows: [value for row in rows if (value := run(row)) is not None][:limit]


def _set(run: Evaluate, limit: int | None) -> Reduce:
    def distinct(rows: list[Row]) -> list[Any]:
        found: dict[Any, Any] = {}
        for row in rows:
            value = run(row)
            if isinstance(value, list):
                for each in value:
                    found.setdefault(_identity(each), each)
            elif value is not None:
                found.setdefault(_identity(value), value)
        return list(found.values())[:limit]

    return distinct


def _bag(run: Evaluate) -> Reduce:
    def merged(rows: list[Row]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for row in rows:
            value = run(row)
            for name, each in value.items() if isinstance(value, dict) else ():
                found.setdefault(name, each)
        return found

    return merged


def _any(operand: Scalar) -> Reduce:
    """Some value of the group; a known one where there is one."""
    run = operand.run

    def chosen(rows: list[Row]) -> Any:
        value: Any = None
        for row in rows:
            value = run(row)
            if value is not None and value != "":
                return value
        return value

    return chosen


def _numeric(name: str, operand: Scalar, path: str) -> tuple[Kind, Reduce, str]:
    if operand.kind is Kind.STRING and name != "sum":
        run, kind = operand.run, Kind.STRING
    else:
        run = as_number(operand, f"{name}()")
        kind = operand.kind if operand.kind in NUMBERS else Kind.REAL
    reduction = _REDUCTIONS[name]

    def reduced(rows: list[Row]) -> Any:
        values = [value for row in rows if (value := run(row)) is not None]
        return reduction(values) if values or name == "sum" else None

    return kind, reduced, f"{name}_{path}"


_REDUCTIONS: dict[str, Callable[[list[Any]], Any]] = {"sum": sum, "min": min, "max": max}

# -- aggregates that choose a row --------------------------------------------------------------------------------------


def _any_row(columns: Columns, keys: Sequence[str]) -> Aggregate:
    kept = tuple((name, kind) for name, kind in columns.items() if name not in keys)
    return Aggregate(columns=kept, reduce=lambda rows: [rows[0][name] for name, _ in kept])


def _arg_extreme(
    given: str, name: str, arguments: tuple[Expression, ...], columns: Columns, keys: Sequence[str]
) -> Aggregate:
    if len(arguments) < 2:
        raise QueryError(f"{name}() takes an expression and what to show of the row, for example *.")
    measure = scalar(arguments[0], columns)
    if measure.kind is Kind.DYNAMIC:
        raise QueryError(f"{name}() cannot order values of type dynamic; use an explicit cast.")
    shown = [(given or path_name(arguments[0]) or f"{name[4:]}_", measure)]
    for each in arguments[1:]:
        if isinstance(each, Star):
            taken = {one for one, _ in shown} | set(keys)
            rest = [(column, kind) for column, kind in columns.items() if column not in taken]
            shown += [(column, Scalar(kind=kind, run=_getter(column))) for column, kind in rest]
        else:
            wanted = path_name(each) or f"{name}_"
            shown.append((free(wanted, {one for one, _ in shown}), scalar(each, columns)))
    best = max if name == "arg_max" else min
    run = measure.run

    def chosen(rows: list[Row]) -> Sequence[Any]:
        known = [row for row in rows if run(row) is not None]
        row = best(known, key=run) if known else rows[0]
        return [each.run(row) for _, each in shown]

    return Aggregate(columns=tuple((column, each.kind) for column, each in shown), reduce=chosen)


def _getter(name: str) -> Evaluate:
    return lambda row: row[name]


NAMES = frozenset(
    (
        "count",
        "countif",
        "make_list",
        "make_set",
        "make_bag",
        "arg_max",
        "arg_min",
        "take_any",
        "any",
        "dcount",
        "sum",
        "min",
        "max",
    )
)
"""The aggregates that are known."""
