"""
Values of the query language and how they turn into each other.

A string is never null: what would be null is empty. Numbers and booleans are null as `None`. A dynamic is any JSON
value, null included, and becomes a scalar wherever one is needed (documentation of Kusto's scalar types).
"""

import json
import math
from enum import StrEnum
from typing import Any

type Row = dict[str, Any]


class Kind(StrEnum):
    """Static type of a column or expression. Every whole number is a long here."""

    STRING = "string"
    LONG = "long"
    REAL = "real"
    BOOL = "bool"
    DYNAMIC = "dynamic"


NUMBERS = (Kind.LONG, Kind.REAL)
_NAMED = {
    "string": Kind.STRING,
    "int": Kind.LONG,
    "long": Kind.LONG,
    "real": Kind.REAL,
    "double": Kind.REAL,
    "bool": Kind.BOOL,
    "dynamic": Kind.DYNAMIC,
}


def kind_named(name: str) -> Kind:
    """The kind that a type name of the language stands for."""
    return _NAMED[name]


def missing(kind: Kind) -> Any:
    """What a column of that kind holds where there is no value."""
    return "" if kind is Kind.STRING else None


def text_of(value: Any) -> str:
    """As tostring() has it: objects and arrays become JSON, null becomes empty."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def comparable_text(value: Any) -> str | None:
    """A dynamic as the text that it is compared by; null stays null."""
    return None if value is None else text_of(value)


def number_in(value: Any) -> int | float | None:
    """The number that a dynamic holds; null for anything else."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def flag_in(value: Any) -> bool | None:
    """The boolean that a dynamic holds; null for anything else."""
    return value if isinstance(value, bool) else None


def long_of(value: Any) -> int | None:
    """As tolong() has it: text is read, fractions are cut off, what is no number becomes null."""
    found = real_of(value)
    return None if found is None or not math.isfinite(found) else int(value if isinstance(value, int) else found)


def real_of(value: Any) -> float | None:
    """As toreal() has it."""
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def bool_of(value: Any) -> bool | None:
    """As tobool() has it: true, false and numbers; everything else becomes null."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value != 0
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("true", "false"):
            return word == "true"
        number = long_of(value)
        return None if number is None else number != 0
    return None


def cast_only(value: Any, kind: Kind) -> Any:
    """As `to typeof(...)` has it: a value of another type becomes null, nothing is parsed."""
    match kind:
        case Kind.STRING:
            return text_of(value)
        case Kind.LONG:
            found = number_in(value)
            return None if found is None else int(found)
        case Kind.REAL:
            found = number_in(value)
            return None if found is None else float(found)
        case Kind.BOOL:
            return flag_in(value)
        case _:
            return value
