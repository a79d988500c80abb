"""
Compiled expressions as operands: their static type, the function of a row, and how they serve as text or number.

What operators and functions of the language are built from; see resource_graph_scalars for the compiler itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.simulator.resource_graph_tokens import QueryError
from local.simulator.resource_graph_values import NUMBERS, Kind, Row, number_in, text_of

type Columns = Mapping[str, Kind]
type Evaluate = Callable[[Row], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A compiled expression. A constant may be evaluated with an empty row."""

    kind: Kind
    run: Evaluate
    constant: bool = False

    def value(self) -> Any:
        """The constant's value."""
        return self.run({})


def fixed(kind: Kind, value: Any) -> Scalar:
    """A constant."""
    return Scalar(kind=kind, run=lambda _row: value, constant=True)


def folded(compiled: Scalar) -> Scalar:
    """The same; a constant is evaluated now instead of once per row."""
    return fixed(compiled.kind, compiled.value()) if compiled.constant else compiled


def as_text(compiled: Scalar, what: str) -> Evaluate:
    """The operand as text: strings as they are, dynamics converted, anything else refused."""
    if compiled.kind is Kind.STRING:
        return compiled.run
    if compiled.kind is not Kind.DYNAMIC:
        raise QueryError(f"{what} needs a string, not a value of type {compiled.kind}; use tostring().")
    run = compiled.run
    return lambda row: text_of(run(row))


def as_number(compiled: Scalar, what: str) -> Evaluate:
    """The operand as a number; a dynamic that holds none is null."""
    if compiled.kind in NUMBERS:
        return compiled.run
    if compiled.kind is not Kind.DYNAMIC:
        raise QueryError(f"{what} needs a number, not a value of type {compiled.kind}.")
    run = compiled.run
    return lambda row: number_in(run(row))
