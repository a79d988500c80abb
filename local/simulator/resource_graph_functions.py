"""
Scalar functions of the query language, by name.

Each takes values, gives a value, and says what types it wants; the arguments are converted before it is called. Where
the documentation of Kusto leaves open what odd input gives, the answer here is null.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from local.simulator.resource_graph_operands import Evaluate, Scalar, as_number, as_text
from local.simulator.resource_graph_tokens import QueryError
from local.simulator.resource_graph_values import NUMBERS, Kind, Row, bool_of, long_of, real_of, text_of

CASTS_BY_TYPE = {
    "string": "tostring",
    "int": "toint",
    "long": "tolong",
    "real": "toreal",
    "double": "toreal",
    "bool": "tobool",
}
"""The function that casts to the type of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """
    One function.

    `wants` has a letter per argument: t(ext), n(umber), d(ynamic), b(oolean), v(alue of any type). A last letter in upper
    case may repeat; `optional` is how many may be left out at the end.
    """

    wants: str
    gives: Kind
    apply: Callable[..., Any]
    optional: int = 0


def call(name: str, arguments: Sequence[Scalar]) -> Scalar:
    """
    Compile the call of a function.

    Raises:
        QueryError: No function of that name, or arguments that it does not take.
    """
    constant = all(each.constant for each in arguments)
    if name in _CHOOSING:
        kind, run = _CHOOSING[name](name, arguments)
        return Scalar(kind=kind, run=run, constant=constant)
    if name == "not":
        return Scalar(kind=Kind.BOOL, run=_negation(arguments), constant=constant)
    function = _FUNCTIONS.get(name)
    if function is None:
        known = ", ".join(sorted((*_FUNCTIONS, *_CHOOSING, "not")))
        raise QueryError(f"There is no function '{name}' here; there are: {known}.")
    runs = [
        _operand(name, want, each) for want, each in zip(_wanted(name, function, arguments), arguments, strict=True)
    ]
    last = arguments[-1] if arguments else None
    if len(runs) == 2 and last is not None and last.constant and not constant:
        return Scalar(kind=function.gives, run=_with_constant(function.apply, runs[0], runs[1]({})))
    return Scalar(kind=function.gives, run=_applied(function.apply, runs), constant=constant)


def _wanted(name: str, function: Function, arguments: Sequence[Scalar]) -> str:
    wants, given = function.wants, len(arguments)
    if wants[-1:].isupper():
        if given < len(wants) - function.optional:
            raise QueryError(f"{name}() needs at least {len(wants) - function.optional} arguments, not {given}.")
        return (wants[:-1] + wants[-1] * given)[:given].lower()
    if not len(wants) - function.optional <= given <= len(wants):
        raise QueryError(f"{name}() does not take {given} arguments.")
    return wants[:given]


def _operand(name: str, want: str, argument: Scalar) -> Evaluate:
    match want:
        case "t":
            return as_text(argument, f"{name}()")
        case "n":
            return as_number(argument, f"{name}()")
        case "d":
            if argument.kind is not Kind.DYNAMIC:
                raise QueryError(f"{name}() needs a dynamic, not a value of type {argument.kind}.")
            return argument.run
        case _:
            return argument.run


def _with_constant(apply: Callable[..., Any], run: Evaluate, constant: Any) -> Evaluate:
    return lambda row: apply(run(row), constant)


def _applied(apply: Callable[..., Any], runs: list[Evaluate]) -> Evaluate:
    match runs:
        case [one]:
            return lambda row: apply(one(row))
        case [one, two]:
            return lambda row: apply(one(row), two(row))
        case _:
            return lambda row: apply(*(each(row) for each in runs))


# -- functions that choose among their arguments -----------------------------------------------------------------------


def _negation(arguments: Sequence[Scalar]) -> Evaluate:
    if len(arguments) != 1 or arguments[0].kind is not Kind.BOOL:
        raise QueryError("not() takes one value of type bool.")
    run = arguments[0].run

    def negated(row: Row) -> bool | None:
        value = run(row)
        return None if value is None else not value

    return negated


def _common(name: str, arguments: Sequence[Scalar]) -> Kind:
    """The type of a result that may be any of these: dynamic among scalars wins, long among reals becomes real."""
    kinds = {each.kind for each in arguments}
    if len(kinds) == 1:
        return kinds.pop()
    if Kind.DYNAMIC in kinds:
        return Kind.DYNAMIC
    if kinds == set(NUMBERS):
        return Kind.REAL
    raise QueryError(f"{name}() must give values of one type, not {', '.join(sorted(kinds))}; use explicit casts.")


def _conditions(name: str, arguments: Sequence[Scalar]) -> list[Evaluate]:
    for each in arguments:
        if each.kind is not Kind.BOOL:
            raise QueryError(f"{name}() needs conditions of type bool, not {each.kind}; use tobool() or a comparison.")
    return [each.run for each in arguments]


def _iff(name: str, arguments: Sequence[Scalar]) -> tuple[Kind, Evaluate]:
    if len(arguments) != 3:
        raise QueryError(f"{name}() takes a condition and two values.")
    return _case(name, arguments)


def _case(name: str, arguments: Sequence[Scalar]) -> tuple[Kind, Evaluate]:
    if len(arguments) < 3 or len(arguments) % 2 == 0:
        raise QueryError(f"{name}() takes pairs of condition and value, and a last value for everything else.")
    conditions = _conditions(name, arguments[:-1:2])
    values = [each.run for each in arguments[1::2]]
    otherwise = arguments[-1].run

    def chosen(row: Row) -> Any:
        for condition, value in zip(conditions, values, strict=True):
            if condition(row):
                return value(row)
        return otherwise(row)

    return _common(name, [*arguments[1::2], arguments[-1]]), chosen


def _coalesce(name: str, arguments: Sequence[Scalar]) -> tuple[Kind, Evaluate]:
    if len(arguments) < 2:
        raise QueryError("coalesce() takes at least two values.")
    runs, kind = [each.run for each in arguments], _common(name, arguments)

    def first_known(row: Row) -> Any:
        value: Any = None
        for run in runs:
            value = run(row)
            if value is not None and value != "":
                return value
        return value

    return kind, first_known


_CHOOSING: dict[str, Callable[[str, Sequence[Scalar]], tuple[Kind, Evaluate]]] = {
    "iff": _iff,
    "iif": _iff,
    "case": _case,
    "coalesce": _coalesce,
}

# -- text --------------------------------------------------------------------------------------------------------------


def _split(text: str, delimiter: str, at: Any = None) -> list[str]:
    if at is None and delimiter:
        return text.split(delimiter)
    pieces = text.split(delimiter) if delimiter else list(text)
    if at is None:
        return pieces
    return [pieces[at]] if isinstance(at, int) and 0 <= at < len(pieces) else []


def _substring(text: str, start: Any, length: Any = None) -> str:
    if start is None:
        return ""
    begin = max(0, int(start) + len(text)) if start < 0 else int(start)
    return text[begin:] if length is None else text[begin : begin + max(0, int(length))]


def _index_of(text: str, part: str, start: Any = 0) -> int:
    return text.find(part, int(start or 0))


def _extract(pattern: str, group: Any, text: str) -> str:
    try:
        found = re.search(pattern, text)
    except re.error as problem:
        raise QueryError(f"extract(): {pattern!r} is not a regular expression: {problem}.") from problem
    if found is None or group is None or not 0 <= int(group) <= len(found.groups()):
        return ""
    return found.group(int(group)) or ""


def _strcat(*values: Any) -> str:
    return "".join(text_of(each) for each in values)


# -- dynamics ----------------------------------------------------------------------------------------------------------


def _parse_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value or None


def _array_length(value: Any) -> int | None:
    return len(value) if isinstance(value, list) else None


def _array_concat(*values: Any) -> list[Any] | None:
    if not all(isinstance(each, list) for each in values):
        return None
    return [item for each in values for item in each]


def _bag_pack(*values: Any) -> dict[str, Any]:
    if len(values) % 2:
        raise QueryError("bag_pack() takes pairs of name and value.")
    return {text_of(name): value for name, value in zip(values[::2], values[1::2], strict=True)}


def _pack_array(*values: Any) -> list[Any]:
    return list(values)


def _hash(value: Any, modulus: Any = None) -> int | None:
    """A number that depends on the value alone; Kusto's own (xxhash64) gives others."""
    number = int.from_bytes(hashlib.blake2b(text_of(value).encode(), digest_size=8).digest())
    if modulus is None:
        return number - 2**64 if number >= 2**63 else number
    return number % int(modulus) if modulus > 0 else None


def _empty(value: Any) -> bool:
    return value is None or value == ""


_PACK = Function(wants="vV", gives=Kind.DYNAMIC, apply=_bag_pack, optional=2)
_JSON = Function(wants="v", gives=Kind.DYNAMIC, apply=_parse_json)
_LONG = Function(wants="v", gives=Kind.LONG, apply=long_of)
_REAL = Function(wants="v", gives=Kind.REAL, apply=real_of)

_FUNCTIONS: dict[str, Function] = {
    "tolower": Function(wants="t", gives=Kind.STRING, apply=str.lower),
    "toupper": Function(wants="t", gives=Kind.STRING, apply=str.upper),
    "tostring": Function(wants="v", gives=Kind.STRING, apply=text_of),
    "toint": _LONG,
    "tolong": _LONG,
    "toreal": _REAL,
    "todouble": _REAL,
    "tobool": Function(wants="v", gives=Kind.BOOL, apply=bool_of),
    "strcat": Function(wants="V", gives=Kind.STRING, apply=_strcat),
    "strlen": Function(wants="t", gives=Kind.LONG, apply=len),
    "split": Function(wants="ttn", gives=Kind.DYNAMIC, apply=_split, optional=1),
    "substring": Function(wants="tnn", gives=Kind.STRING, apply=_substring, optional=1),
    "indexof": Function(wants="ttn", gives=Kind.LONG, apply=_index_of, optional=1),
    "replace_string": Function(wants="ttt", gives=Kind.STRING, apply=str.replace),
    "extract": Function(wants="tnt", gives=Kind.STRING, apply=_extract),
    "isempty": Function(wants="v", gives=Kind.BOOL, apply=_empty),
    "isnotempty": Function(wants="v", gives=Kind.BOOL, apply=lambda value: not _empty(value)),
    "isnull": Function(wants="v", gives=Kind.BOOL, apply=lambda value: value is None),
    "isnotnull": Function(wants="v", gives=Kind.BOOL, apply=lambda value: value is not None),
    "array_length": Function(wants="d", gives=Kind.LONG, apply=_array_length),
    "array_concat": Function(wants="D", gives=Kind.DYNAMIC, apply=_array_concat),
    "bag_pack": _PACK,
    "pack": _PACK,
    "pack_array": Function(wants="V", gives=Kind.DYNAMIC, apply=_pack_array, optional=1),
    "parse_json": _JSON,
    "todynamic": _JSON,
    "hash": Function(wants="vn", gives=Kind.LONG, apply=_hash, optional=1),
}
