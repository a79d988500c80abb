"""The names that columns get when a query gives them none, as in Kusto."""

from collections.abc import Container

from local.simulator.resource_graph_syntax import Column, Expression, FunctionCall, Member, Named

_CASTS = frozenset(("tostring", "toint", "tolong", "toreal", "todouble", "tobool"))


def path_name(expression: Expression) -> str:
    """The path of a column or member with underscores; empty for anything else."""
    match expression:
        case Column(name=name):
            return name
        case Member(of=of, name=name):
            outer = path_name(of)
            return f"{outer}_{name}" if outer else ""
        case _:
            return ""


def natural_name(expression: Expression) -> str:
    """The path's name, also of a cast path: tostring(properties.a) is properties_a."""
    if isinstance(expression, FunctionCall) and expression.name in _CASTS and len(expression.arguments) == 1:
        return path_name(expression.arguments[0])
    return path_name(expression)


def free(wanted: str, taken: Container[str]) -> str:
    """*wanted*, or with the first number behind it that is free: name, name1, name2."""
    if wanted not in taken:
        return wanted
    number = 1
    while f"{wanted}{number}" in taken:
        number += 1
    return f"{wanted}{number}"


def column_name(column: Named, taken: Container[str], fallback: str = "") -> str:
    """The name of a new column: the given one, the natural one, *fallback*, or Column1 and so on."""
    if column.name:
        return column.name
    known = natural_name(column.expression) or fallback
    if known:
        return free(known, taken)
    number = 1
    while f"Column{number}" in taken:
        number += 1
    return f"Column{number}"
