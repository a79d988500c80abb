"""
Joins and unions: operators that need a second table.

Both sides of a join keep their columns; a name that the left side already has gets a 1 behind it, key columns too. A
null never equals a null. Where an outer join finds nothing, strings are empty and everything else is null.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.simulator.resource_graph_names import free
from local.simulator.resource_graph_operands import Columns
from local.simulator.resource_graph_syntax import Join
from local.simulator.resource_graph_tokens import QueryError
from local.simulator.resource_graph_values import Kind, Row, missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """A compiled join; `renamed` leads from the right side's columns to their names in the result."""

    kind: str
    columns: dict[str, Kind]
    on: tuple[tuple[str, str], ...]
    left_columns: dict[str, Kind]
    renamed: dict[str, str]

    def rows(self, left: list[Row], right: list[Row]) -> list[Row]:
        """The joined rows."""
        index = self._index(left, right)
        matched: set[tuple[Any, ...]] = set()
        nothing = {name: missing(self.columns[name]) for name in self.renamed.values()}
        found: list[Row] = []
        for row in left:
            key = tuple(row[name] for name, _ in self.on)
            partners = [] if None in key else index.get(key, [])
            if partners:
                if self.kind == "innerunique" and key in matched:
                    continue
                matched.add(key)
                found += [{**row, **partner} for partner in partners]
            elif self.kind in ("leftouter", "fullouter"):
                found.append({**row, **nothing})
        if self.kind == "fullouter":
            blank = {name: missing(kind) for name, kind in self.left_columns.items()}
            found += [{**blank, **row} for key, rows in index.items() if key not in matched for row in rows]
        return found

    def _index(self, left: list[Row], right: list[Row]) -> dict[tuple[Any, ...], list[Row]]:
        """The right side's rows by key; those that nobody on the left asks for only where a full join shows them."""
        asked = {tuple(row[name] for name, _ in self.on) for row in left}
        found: dict[tuple[Any, ...], list[Row]] = {}
        for row in right:
            key = tuple(row[name] for _, name in self.on)
            if key in asked or self.kind == "fullouter":
                found.setdefault(key, []).append({new: row[old] for old, new in self.renamed.items()})
        return found


def joining(operator: Join, left: Columns, right: Columns) -> Joining:
    """
    Compile a join.

    Raises:
        QueryError: A key that a side does not have, is a dynamic, or differs in type.
    """
    for mine, theirs in operator.on:
        _demand_key("left", mine, left)
        _demand_key("right", theirs, right)
        if left[mine] is not right[theirs]:
            raise QueryError(f"A join cannot compare '{mine}' ({left[mine]}) with '{theirs}' ({right[theirs]}).")
    columns = dict(left)
    renamed: dict[str, str] = {}
    for name, kind in right.items():
        renamed[name] = free(name, columns)
        columns[renamed[name]] = kind
    return Joining(kind=operator.kind, columns=columns, on=operator.on, left_columns=dict(left), renamed=renamed)


def _demand_key(side: str, name: str, columns: Columns) -> None:
    kind = columns.get(name)
    if kind is None:
        raise QueryError(f"The {side} side of the join has no column '{name}'; there are: {', '.join(columns)}.")
    if kind is Kind.DYNAMIC:
        raise QueryError(
            f"The join key '{name}' is of type dynamic; use an explicit cast in an extend before the join."
        )


def united_columns(legs: Sequence[Columns], *, inner: bool) -> dict[str, Kind]:
    """
    The columns of a union: all of them, or those that every leg has.

    Raises:
        QueryError: A column has different types in two legs.
    """
    found: dict[str, Kind] = {}
    for leg in legs:
        for name, kind in leg.items():
            if found.setdefault(name, kind) is not kind:
                raise QueryError(f"The legs of the union have column '{name}' as {found[name]} and as {kind}.")
    return {name: kind for name, kind in found.items() if not inner or all(name in leg for leg in legs)}


def united_rows(rows: list[Row], columns: Columns) -> list[Row]:
    """A leg's rows with the union's columns."""
    absent = {name: missing(kind) for name, kind in columns.items()}
    return [{name: row.get(name, nothing) for name, nothing in absent.items()} for row in rows]
