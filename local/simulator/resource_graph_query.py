"""
A query from its text to its rows: the door of the interpreter.

    query = compiled("Resources | where type =~ 'microsoft.storage/storageaccounts' | project id", tables)
    rows = query.rows()

`tables` gives columns before and rows after the query has been checked. It is told which resource types a query asks
for at once, so that it need not hand over everything there is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from local.simulator.resource_graph_joins import joining, united_columns, united_rows
from local.simulator.resource_graph_operators import stage
from local.simulator.resource_graph_parser import parse
from local.simulator.resource_graph_syntax import (
    Binary,
    Column,
    Expression,
    Join,
    Literal,
    Membership,
    MvExpand,
    Operator,
    Pipeline,
    Take,
    Union,
    Where,
)
from local.simulator.resource_graph_tokens import QueryError
from local.simulator.resource_graph_values import Kind, Row

_LARGEST = 3
"""Joins, and mv-expands, in one query (documentation of the query language)."""


class Tables(Protocol):
    """What a query reads from."""

    def columns(self, table: str) -> dict[str, Kind] | None:
        """The table's columns; `None` when there is no such table. Names are blind to case."""

    def rows(self, table: str, types: frozenset[str] | None) -> list[Row]:
        """The rows of these lower-cased types, or all of them, in no particular order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A checked query."""

    columns: dict[str, Kind]
    run: Callable[[], list[Row]]
    limited: bool
    """It has a take or limit: no paging, and $skip is ignored (documentation of paging)."""

    @property
    def pageable(self) -> bool:
        """Whether the service gives a $skipToken (the same documentation)."""
        return not self.limited and any(kind is not Kind.DYNAMIC for kind in self.columns.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
    """Columns and rows at one place of a pipeline."""

    columns: dict[str, Kind]
    run: Callable[[], list[Row]]


def compiled(text: str, tables: Tables) -> Query:
    """
    Check the query and make it ready to run.

    Raises:
        QueryError: It is not one that the service would run.
    """
    tree = parse(text)
    _demand_limits(tree)
    flow = _pipeline(tree, tables)
    limited = any(isinstance(each, Take) for each in tree.operators)
    return Query(columns=flow.columns, run=flow.run, limited=limited)


def _demand_limits(tree: Pipeline) -> None:
    found = list(_operators(tree))
    for kind, name in ((Join, "join"), (MvExpand, "mv-expand")):
        number = sum(1 for each in found if isinstance(each, kind))
        if number > _LARGEST:
            raise QueryError(f"A query may have at most {_LARGEST} {name} operators; this one has {number}.")


def _operators(tree: Pipeline) -> Iterator[Operator]:
    for each in tree.operators:
        yield each
        if isinstance(each, Join):
            yield from _operators(each.right)
        if isinstance(each, Union):
            for leg in each.legs:
                yield from _operators(leg)


def _pipeline(tree: Pipeline, tables: Tables) -> _Flow:
    if tree.table:
        flow, rest = _table(tree, tables), tree.operators
    else:  # the parser leaves the table out before a union only
        flow, rest = _union(cast("Union", tree.operators[0]), None, tree.table, tables), tree.operators[1:]
    for each in rest:
        flow = _applied(each, flow, tree.table, tables)
    return flow


def _applied(operator: Operator, flow: _Flow, table: str, tables: Tables) -> _Flow:
    if isinstance(operator, Union):
        return _union(operator, flow, table, tables)
    if isinstance(operator, Join):
        return _join(operator, flow, tables)
    made, before = stage(operator, flow.columns), flow.run
    return _Flow(columns=made.columns, run=lambda: made.apply(before()))


def _table(tree: Pipeline, tables: Tables) -> _Flow:
    columns = tables.columns(tree.table)
    if columns is None:
        raise QueryError(f"There is no table '{tree.table}'.")
    types = types_asked(tree)
    return _Flow(columns=columns, run=lambda: tables.rows(tree.table, types))


def _join(operator: Join, flow: _Flow, tables: Tables) -> _Flow:
    right = _pipeline(operator.right, tables)
    made = joining(operator, flow.columns, right.columns)
    return _Flow(columns=made.columns, run=lambda: made.rows(flow.run(), right.run()))


def _union(operator: Union, flow: _Flow | None, table: str, tables: Tables) -> _Flow:
    legs = [(leg.table, _pipeline(leg, tables)) for leg in operator.legs]
    if flow is not None:
        legs.insert(0, (table, flow))
    columns = united_columns([leg.columns for _, leg in legs], inner=operator.inner)
    source = operator.source

    def rows() -> list[Row]:
        found: list[Row] = []
        for name, leg in legs:
            new = united_rows(leg.run(), columns)
            found += [{source: name, **row} for row in new] if source else new
        return found

    return _Flow(columns={source: Kind.STRING, **columns} if source else columns, run=rows)


# -- what a query asks for at once -------------------------------------------------------------------------------------


def types_asked(tree: Pipeline) -> frozenset[str] | None:
    """The lower-cased types to which the first conditions restrict the rows; `None` when they do not."""
    asked: frozenset[str] | None = None
    for each in tree.operators:
        if not isinstance(each, Where):
            break
        found = _types(each.predicate)
        if found is not None:
            asked = found if asked is None else asked & found
    return asked


def _types(condition: Expression) -> frozenset[str] | None:
    match condition:
        case Binary(operator="and", left=left, right=right):
            one, other = _types(left), _types(right)
            return one if other is None else other if one is None else one & other
        case Binary(operator="or", left=left, right=right):
            one, other = _types(left), _types(right)
            return None if one is None or other is None else one | other
        case Binary(operator="==" | "=~", left=Column(name="type"), right=Literal(kind="string", value=value)):
            return frozenset((str(value).lower(),))
        case Membership(operator="in" | "in~", value=Column(name="type"), choices=choices):
            texts = [each.value for each in choices if isinstance(each, Literal) and each.kind == "string"]
            return frozenset(each.lower() for each in texts) if len(texts) == len(choices) else None
        case _:
            return None
