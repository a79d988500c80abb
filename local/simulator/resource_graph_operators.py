"""
Tabular operators, compiled to functions from rows to rows.

A row is a dictionary that is never changed, only replaced. The order of rows means nothing until somebody sorts; joins
and unions, which need other tables, are in resource_graph_joins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, assert_never

from local.simulator.resource_graph_aggregates import aggregate
from local.simulator.resource_graph_names import column_name, free, path_name
from local.simulator.resource_graph_operands import Columns, Evaluate
from local.simulator.resource_graph_scalars import predicate, scalar
from local.simulator.resource_graph_syntax import (
    Count,
    Distinct,
    Extend,
    MvExpand,
    Named,
    Project,
    ProjectAway,
    Sort,
    SortKey,
    Summarize,
    Take,
    Top,
    Where,
)
from local.simulator.resource_graph_tokens import QueryError
from local.simulator.resource_graph_values import Kind, Row, cast_only, kind_named

DEFAULT_ROW_LIMIT = 128
"""Rows that mv-expand makes of one row when no limit is given (documentation of the query language)."""
LARGEST_ROW_LIMIT = 400
"""The largest limit that mv-expand may be given (the same)."""

type RowsToRows = Callable[[list[Row]], list[Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """An operator with the columns that come out of it."""

    columns: dict[str, Kind]
    apply: RowsToRows


type Simple = Where | Extend | Project | ProjectAway | MvExpand | Summarize | Sort | Take | Top | Distinct | Count


def stage(operator: Simple, columns: Columns) -> Stage:
    """
    Compile one operator over rows that have *columns*.

    Raises:
        QueryError: It does not fit the columns.
    """
    match operator:
        case Where(predicate=condition):
            passes = predicate(condition, columns)
            return Stage(columns=dict(columns), apply=lambda rows: [row for row in rows if passes(row)])
        case Extend(columns=added):
            return _extend(added, columns)
        case Project(columns=kept):
            return _project(kept, columns)
        case ProjectAway(names=names):
            return _project_away(names, columns)
        case MvExpand():
            return _mv_expand(operator, columns)
        case Summarize():
            return _summarize(operator, columns)
        case Distinct(columns=chosen):
            return _distinct(chosen, columns)
        case _:
            return _ordering(operator, columns)


def _ordering(operator: Sort | Take | Top | Count, columns: Columns) -> Stage:
    """Operators that put rows in order or count them, and leave them as they are."""
    match operator:
        case Sort(keys=keys):
            return Stage(columns=dict(columns), apply=_sorting(keys, columns))
        case Take(count=count):
            return Stage(columns=dict(columns), apply=lambda rows: rows[:count])
        case Top(count=count, key=key):
            ordered = _sorting((key,), columns)
            return Stage(columns=dict(columns), apply=lambda rows: ordered(rows)[:count])
        case Count():
            return Stage(columns={"Count": Kind.LONG}, apply=lambda rows: [{"Count": len(rows)}])
        case _:
            assert_never(operator)


def _computed(named: tuple[Named, ...], columns: Columns, taken: dict[str, Kind]) -> list[tuple[str, Evaluate]]:
    """New columns over *columns*; their kinds are noted in *taken*."""
    found: list[tuple[str, Evaluate]] = []
    for each in named:
        compiled = scalar(each.expression, columns)
        name = column_name(each, taken)
        taken[name] = compiled.kind
        found.append((name, compiled.run))
    return found


def _extend(added: tuple[Named, ...], columns: Columns) -> Stage:
    known = dict(columns)
    new = _computed(added, columns, known)

    def extended(rows: list[Row]) -> list[Row]:
        found: list[Row] = []
        for row in rows:
            longer = row.copy()
            for name, run in new:
                longer[name] = run(row)
            found.append(longer)
        return found

    return Stage(columns=known, apply=extended)


def _project(kept: tuple[Named, ...], columns: Columns) -> Stage:
    known: dict[str, Kind] = {}
    new = _computed(kept, columns, known)
    return Stage(columns=known, apply=lambda rows: [{name: run(row) for name, run in new} for row in rows])


def _project_away(names: tuple[str, ...], columns: Columns) -> Stage:
    for name in names:
        if not name.endswith("*") and name not in columns:
            raise QueryError(f"'{name}' names no column here; there are: {', '.join(columns)}.")

    def goes(column: str) -> bool:
        return any(column == name or (name.endswith("*") and column.startswith(name[:-1])) for name in names)

    kept = {name: kind for name, kind in columns.items() if not goes(name)}
    return Stage(columns=kept, apply=lambda rows: [{name: row[name] for name in kept} for row in rows])


# -- mv-expand ---------------------------------------------------------------------------------------------------------


def _mv_expand(operator: MvExpand, columns: Columns) -> Stage:
    limit = DEFAULT_ROW_LIMIT if operator.limit is None else operator.limit
    if not 0 < limit <= LARGEST_ROW_LIMIT:
        raise QueryError(f"The row limit of mv-expand must be from 1 to {LARGEST_ROW_LIMIT}.")
    known = dict(columns)
    parts: list[tuple[str, Evaluate, Kind]] = []
    for each in operator.expansions:
        compiled = scalar(each.expression, columns)
        if compiled.kind is not Kind.DYNAMIC:
            raise QueryError(f"mv-expand needs a dynamic, not a value of type {compiled.kind}; use todynamic().")
        name = each.name or path_name(each.expression) or free("Column1", known)
        known[name] = kind_named(each.kind)
        parts.append((name, compiled.run, known[name]))
    if operator.index:
        known[operator.index] = Kind.LONG

    def expanded(row: Row) -> list[Row]:
        lists = [(name, _items(run(row)), kind) for name, run, kind in parts]
        rows: list[Row] = []
        for at in range(min(limit, max(len(items) for _, items, _ in lists))):
            new = {name: cast_only(items[at] if at < len(items) else None, kind) for name, items, kind in lists}
            rows.append({**row, **new, **({operator.index: at} if operator.index else {})})
        return rows

    return Stage(columns=known, apply=lambda rows: [new for row in rows for new in expanded(row)])


def _items(value: Any) -> list[Any]:
    """What a dynamic expands to: items of an array, members of an object, and itself where it is neither."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [{name: each} for name, each in value.items()]
    return [value]


# -- summarize and distinct --------------------------------------------------------------------------------------------


def _keys(named: tuple[Named, ...], columns: Columns, what: str) -> tuple[dict[str, Kind], list[tuple[str, Evaluate]]]:
    kinds: dict[str, Kind] = {}
    keys = _computed(named, columns, kinds)
    for name, kind in kinds.items():
        if kind is Kind.DYNAMIC:
            raise QueryError(f"{what} '{name}' is of type dynamic; use an explicit cast such as tostring().")
    return kinds, keys


def _summarize(operator: Summarize, columns: Columns) -> Stage:
    known, keys = _keys(operator.by, columns, "The group key")
    aggregates = [aggregate(each, columns, list(known)) for each in operator.aggregates]
    names = list(known)
    for each in aggregates:
        for wanted, kind in each.columns:
            name = free(wanted, known)
            known[name] = kind
            names.append(name)

    def summarized(rows: list[Row]) -> list[Row]:
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in rows:
            groups.setdefault(tuple(run(row) for _, run in keys), []).append(row)
        if not groups and not keys:
            groups = {(): []}
        return [
            dict(zip(names, (*key, *(value for each in aggregates for value in each.reduce(group))), strict=True))
            for key, group in groups.items()
        ]

    return Stage(columns=known, apply=summarized)


def _distinct(chosen: tuple[Named, ...], columns: Columns) -> Stage:
    if not chosen:
        for name, kind in columns.items():
            if kind is Kind.DYNAMIC:
                raise QueryError(f"distinct cannot compare column '{name}' of type dynamic; name the columns.")
        names = list(columns)
        values = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)
        return Stage(columns=dict(columns), apply=lambda rows: list({values(row): row for row in rows}.values()))
    kinds, keys = _keys(chosen, columns, "The column")

    def distinct(rows: list[Row]) -> list[Row]:
        seen = dict.fromkeys(tuple(run(row) for _, run in keys) for row in rows)
        return [dict(zip(kinds, each, strict=True)) for each in seen]

    return Stage(columns=kinds, apply=distinct)


# -- order -------------------------------------------------------------------------------------------------------------


def _sorting(keys: tuple[SortKey, ...], columns: Columns) -> RowsToRows:
    """Sort by several keys: by the last one first, which a stable sort keeps where the others are equal."""
    compiled: list[tuple[Callable[[Row], Any], bool]] = []
    for key in keys:
        operand = scalar(key.expression, columns)
        if operand.kind is Kind.DYNAMIC:
            raise QueryError(
                "Rows cannot be ordered by a value of type dynamic; use an explicit cast such as tostring()."
            )
        nulls_first = key.ascending if key.nulls_first is None else key.nulls_first
        compiled.append((_placed(operand.run, first=nulls_first is key.ascending), key.ascending))

    def ordered(rows: list[Row]) -> list[Row]:
        found = list(rows)
        for place, ascending in reversed(compiled):
            found.sort(key=place, reverse=not ascending)
        return found

    return ordered


def _placed(run: Evaluate, *, first: bool) -> Callable[[Row], tuple[bool, Any]]:
    """A sort key that puts nulls before (*first*) or behind all values, as the ascending order has them."""

    def place(row: Row) -> tuple[bool, Any]:
        value = run(row)
        return (not first, 0) if value is None else (first, value)

    return place
