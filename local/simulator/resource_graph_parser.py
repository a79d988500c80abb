"""
From the text of a query to its tree: tables, pipes and tabular operators.

Refused with a syntax error that names the word: everything Resource Graph does not document as supported, and what the
product has no use for (let, render, mv-apply, parse, evaluate, serialize and the like).
"""

from collections.abc import Callable

from local.simulator.resource_graph_expressions import Words
from local.simulator.resource_graph_syntax import (
    Column,
    Count,
    Distinct,
    Expansion,
    Extend,
    Join,
    MvExpand,
    Named,
    Operator,
    Pipeline,
    Project,
    ProjectAway,
    Sort,
    SortKey,
    Summarize,
    Take,
    Top,
    Union,
    Where,
)
from local.simulator.resource_graph_tokens import QueryError, TokenKind

DEFAULT_TABLE = "Resources"
"""Queried when a query begins with an operator (documentation of the query language)."""
JOIN_KINDS = ("inner", "innerunique", "leftouter", "fullouter")
"""Join flavours that Resource Graph supports (documentation of the query language)."""
_LEGS = 3
"""Legs of one union (documentation of the query language)."""
_TYPES = ("string", "int", "long", "real", "double", "bool", "dynamic")


def parse(text: str) -> Pipeline:
    """
    The tree of the query.

    Raises:
        QueryError: It is not one, with the word at which that was noticed.
    """
    words = Words(text)
    found = _pipeline(words)
    words.takes(";")
    if words.current.kind is not TokenKind.END:
        raise words.unexpected("'|' or the end of the query")
    return found


def _pipeline(words: Words) -> Pipeline:
    table = DEFAULT_TABLE
    operators: list[Operator] = []
    if words.current.kind is TokenKind.NAME and words.current.text in _OPERATORS:
        if words.current.text == "union":
            table = ""
        operators.append(_operator(words))
    else:
        table = words.name()
    while words.takes("|"):
        operators.append(_operator(words))
    return Pipeline(table=table, operators=tuple(operators))


def _operator(words: Words) -> Operator:
    read = _OPERATORS.get(words.current.text) if words.current.kind is TokenKind.NAME else None
    if read is None:
        raise words.unexpected("an operator: " + ", ".join(_OPERATORS))
    words.advance()
    return read(words)


def _where(words: Words) -> Operator:
    return Where(predicate=words.expression())


def _extend(words: Words) -> Operator:
    return Extend(columns=_columns(words))


def _project(words: Words) -> Operator:
    return Project(columns=_columns(words))


def _columns(words: Words) -> tuple[Named, ...]:
    found = [_column(words)]
    while words.takes(","):
        found.append(_column(words))
    return tuple(found)


def _column(words: Words) -> Named:
    if words.current.kind is TokenKind.NAME and words.following.text == "=":
        name = words.name()
        words.demand("=")
        return Named(name=name, expression=words.expression())
    expression = words.expression()
    if isinstance(expression, Column) and words.takes("="):
        return Named(name=expression.name, expression=words.expression())
    return Named(name="", expression=expression)


def _project_away(words: Words) -> Operator:
    found = [_pattern(words)]
    while words.takes(","):
        found.append(_pattern(words))
    return ProjectAway(names=tuple(found))


def _pattern(words: Words) -> str:
    if words.takes("*"):
        return "*"
    name = words.name()
    return f"{name}*" if words.takes("*") else name


def _mv_expand(words: Words) -> Operator:
    index = ""
    while words.sees("bagexpansion", "kind", "with_itemindex") and words.following.text == "=":
        option = words.advance().text
        words.demand("=")
        if option == "with_itemindex":
            index = words.name()
        else:
            words.demand("array")
    expansions = [_expansion(words)]
    while words.takes(","):
        expansions.append(_expansion(words))
    limit = words.count() if words.takes("limit") else None
    return MvExpand(expansions=tuple(expansions), index=index, limit=limit)


def _expansion(words: Words) -> Expansion:
    column = _column(words)
    kind = "dynamic"
    if words.takes("to"):
        words.demand("typeof")
        words.demand("(")
        kind = words.demand(*_TYPES).text
        words.demand(")")
    return Expansion(name=column.name, expression=column.expression, kind=kind)


def _summarize(words: Words) -> Operator:
    aggregates: tuple[Named, ...] = () if words.sees("by") else _columns(words)
    by = _columns(words) if words.takes("by") else ()
    return Summarize(aggregates=aggregates, by=by)


def _sort(words: Words) -> Operator:
    words.demand("by")
    keys = [_sort_key(words)]
    while words.takes(","):
        keys.append(_sort_key(words))
    return Sort(keys=tuple(keys))


def _sort_key(words: Words) -> SortKey:
    expression = words.expression()
    ascending = words.sees("asc")
    words.takes("asc", "desc")
    nulls: bool | None = None
    if words.takes("nulls"):
        nulls = words.demand("first", "last").text == "first"
    return SortKey(expression=expression, ascending=ascending, nulls_first=nulls)


def _take(words: Words) -> Operator:
    return Take(count=words.count())


def _top(words: Words) -> Operator:
    count = words.count()
    words.demand("by")
    return Top(count=count, key=_sort_key(words))


def _distinct(words: Words) -> Operator:
    if words.takes("*"):
        return Distinct(columns=())
    return Distinct(columns=_columns(words))


def _count(_words: Words) -> Operator:
    return Count()


def _join(words: Words) -> Operator:
    kind = "innerunique"
    while words.current.kind is TokenKind.NAME and words.following.text in ("=", "."):
        option = words.advance().text
        if option != "kind":
            raise QueryError("Custom join strategies are not allowed.", token=words.current, expected="kind")
        words.demand("=")
        kind = words.name()
        if kind not in JOIN_KINDS:
            supported = ", ".join(JOIN_KINDS)
            raise QueryError(f"The join kind '{kind}' is not supported; supported are {supported}.")
    right = _leg(words)
    words.demand("on")
    on = [_join_key(words)]
    while words.takes(",", "and"):
        on.append(_join_key(words))
    return Join(kind=kind, right=right, on=tuple(on))


def _join_key(words: Words) -> tuple[str, str]:
    if not words.sees("$left", "$right"):
        name = words.name()
        return name, name
    sides: dict[str, str] = {}
    for mark in ("==", ""):
        side = words.demand("$left", "$right").text
        words.demand(".")
        sides[side] = words.name()
        if mark:
            words.demand(mark)
    if len(sides) != 2:
        raise QueryError("A join condition must compare a column of $left with one of $right.")
    return sides["$left"], sides["$right"]


def _leg(words: Words) -> Pipeline:
    """A table, or a query in parentheses."""
    if words.takes("("):
        inner = _pipeline(words)
        words.demand(")")
        return inner
    return Pipeline(table=words.name(), operators=())


def _union(words: Words) -> Operator:
    inner, source = False, ""
    while words.current.kind is TokenKind.NAME and words.following.text == "=":
        option = words.demand("kind", "withsource").text
        words.demand("=")
        if option == "kind":
            inner = words.demand("inner", "outer").text == "inner"
        else:
            source = words.name()
    legs = [_leg(words)]
    while words.takes(","):
        legs.append(_leg(words))
    if len(legs) > _LEGS:
        raise QueryError(f"A union may have at most {_LEGS} legs.")
    return Union(legs=tuple(legs), inner=inner, source=source)


_OPERATORS: dict[str, Callable[[Words], Operator]] = {
    "where": _where,
    "filter": _where,
    "extend": _extend,
    "project": _project,
    "project-away": _project_away,
    "mv-expand": _mv_expand,
    "mvexpand": _mv_expand,
    "summarize": _summarize,
    "order": _sort,
    "sort": _sort,
    "take": _take,
    "limit": _take,
    "top": _top,
    "distinct": _distinct,
    "count": _count,
    "join": _join,
    "union": _union,
}
