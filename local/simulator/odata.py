"""
The subset of OData filters that Resource Manager's lists understand and clients send.

Comparisons with eq and ne, `substringof(text, name)` and `startswith(name, text)`, joined by `and`. Anything else is
refused with the service's 400, never half understood.
"""

import re
from collections.abc import Callable, Mapping

from local.simulator.errors import ArmError, Shape

type Predicate = Callable[[Mapping[str, str]], bool]

_TERM = re.compile(
    r"""\s*\(?\s*(?:
        (?P<field>[\w/]+)\s+(?P<verb>eq|ne)\s+'(?P<value>(?:[^']|'')*)'
      | substringof\(\s*'(?P<part>(?:[^']|'')*)'\s*,\s*(?P<whole>\w+)\s*\)(?:\s+eq\s+true)?
      | startswith\(\s*(?P<start>\w+)\s*,\s*'(?P<prefix>(?:[^']|'')*)'\s*\)
    )\s*\)?\s*""",
    re.IGNORECASE | re.VERBOSE,
)

_JOINT = re.compile(r"and\b", re.IGNORECASE)


def predicate(text: str) -> Predicate:
    """
    The filter as a function of a row's fields; field names are matched lower-cased.

    Raises:
        ArmError: 400 InvalidFilterInQueryString for a filter outside the subset.
    """
    terms: list[Predicate] = []
    at = 0
    while at < len(text):
        if terms:
            at = _after(_JOINT, text, at).end()
        found = _after(_TERM, text, at)
        terms.append(_term(found))
        at = found.end()
    return lambda row: all(term(row) for term in terms)


def _after(expression: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    found = expression.match(text, at)
    if found is None:
        raise _refusal(text)
    return found


def _term(found: re.Match[str]) -> Predicate:
    if found["field"] is not None:
        name, wanted = found["field"].lower(), _text(found["value"])
        equal = found["verb"].lower() == "eq"
        return lambda row: (row.get(name, "").lower() == wanted) is equal
    if found["whole"] is not None:
        name, part = found["whole"].lower(), _text(found["part"])
        return lambda row: part in row.get(name, "").lower()
    name, prefix = found["start"].lower(), _text(found["prefix"])
    return lambda row: row.get(name, "").lower().startswith(prefix)


def _text(quoted: str) -> str:
    return quoted.replace("''", "'").lower()


def _refusal(text: str) -> ArmError:
    return ArmError(
        400,
        "InvalidFilterInQueryString",
        f"Invalid $filter '{text}' specified in the query string.",
        shape=Shape.GATEWAY,
    )
