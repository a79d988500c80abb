"""Tables of invented rows, to try the query language on."""

from collections.abc import Sequence
from typing import Any

from local.simulator.resource_graph_query import compiled
from local.simulator.resource_graph_values import Kind, Row

COLUMNS = {
    "id": Kind.STRING,
    "name": Kind.STRING,
    "type": Kind.STRING,
    "size": Kind.LONG,
    "open": Kind.BOOL,
    "properties": Kind.DYNAMIC,
    "tags": Kind.DYNAMIC,
}
A = {
    "id": "/x/A",
    "name": "alpha",
    "type": "t/one",
    "size": 3,
    "open": True,
    "properties": {"access": "Disabled", "rules": [{"n": 1}, {"n": 2}], "odd.name": "x", "count": 7, "flag": True},
    "tags": {"team": "red"},
}
B = {
    "id": "/x/B",
    "name": "beta-2",
    "type": "t/two",
    "size": 1,
    "open": False,
    "properties": {"access": "enabled", "rules": [], "count": 2.5, "flag": False},
    "tags": None,
}
C = {"id": "/x/C", "name": "", "type": "t/one", "size": None, "open": None, "properties": {}, "tags": {"team": ""}}
OWNERS = [
    {"id": "/X/a", "name": "ann", "type": "o", "size": 3, "open": None, "properties": {}, "tags": None},
    {"id": "/x/B", "name": "bob", "type": "o", "size": 9, "open": None, "properties": {}, "tags": None},
    {"id": "/x/B", "name": "bea", "type": "o", "size": 9, "open": None, "properties": {}, "tags": None},
]


class Shelf:
    """`Tables` over lists; remembers which types it was asked for."""

    def __init__(self, rows: Sequence[Row] = (A, B, C)) -> None:
        self.tables = {"resources": list(rows), "owners": OWNERS}
        self.asked: list[frozenset[str] | None] = []

    def columns(self, table: str) -> dict[str, Kind] | None:
        return dict(COLUMNS) if table.lower() in self.tables else None

    def rows(self, table: str, types: frozenset[str] | None) -> list[Row]:
        self.asked.append(types)
        return [row for row in self.tables[table.lower()] if types is None or row["type"].lower() in types]


def run(text: str, shelf: Shelf | None = None) -> list[Row]:
    """The rows of a query."""
    return compiled(text, shelf or Shelf()).run()


def value(expression: str, row: str = "alpha") -> Any:
    """An expression's value in the row of that name."""
    found = run(f"Resources | where name == '{row}' | project v = {expression}")
    assert len(found) == 1
    return found[0]["v"]


def names(text: str) -> list[str]:
    """The names of the rows of a query, sorted."""
    return sorted(row["name"] for row in run(text))
