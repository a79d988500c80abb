"""
Which events an event subscription lets through.

Evaluation and limits follow the page "Understand event filtering for Event Grid subscriptions": values inside one
filter are alternatives, filters are all required, string comparison ignores case, a missing key fails a positive
filter and passes a negative one, arrays are looked into only when `enableAdvancedFilteringOnArrays` is set.
At most 25 advanced filters and 25 values over all of them, 512 characters per string value.

Pure. The sentences of the problems are ours; the limits are Azure's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from local.simulator.event_grid_events import Event, Schema

MAX_FILTERS = 25
MAX_VALUES = 25
MAX_CHARACTERS = 512

_MISSING = object()
_KEYS: dict[Schema, dict[str, str]] = {
    Schema.EVENT_GRID: {
        "id": "id",
        "topic": "source",
        "subject": "subject",
        "eventtype": "type",
        "dataversion": "data_version",
    },
    Schema.CLOUD_EVENTS: {"id": "id", "source": "source", "type": "type", "subject": "subject"},
    Schema.CUSTOM_INPUT: {},
}
_STRINGS = ("In", "NotIn", "Contains", "NotContains", "BeginsWith", "NotBeginsWith", "EndsWith", "NotEndsWith")
_NUMBERS = ("In", "NotIn", "InRange", "NotInRange")
_SINGLE = ("LessThan", "LessThanOrEquals", "GreaterThan", "GreaterThanOrEquals")
_MANY_VALUED = frozenset(chain((f"String{name}" for name in _STRINGS), (f"Number{name}" for name in _NUMBERS)))
_ONE_VALUED = frozenset(chain((f"Number{name}" for name in _SINGLE), ("BoolEquals",)))
_VALUELESS = frozenset(("IsNullOrUndefined", "IsNotNull"))
OPERATORS = _MANY_VALUED | _ONE_VALUED | _VALUELESS
_BY_LOWER = {name.lower(): name for name in OPERATORS}


def problems(filter_body: Mapping[str, Any], schema: Schema) -> tuple[str, ...]:
    """Every reason why Event Grid would refuse this `filter` object; empty when it is fine."""
    filters: Sequence[Any] = filter_body.get("advancedFilters") or []
    found: list[str] = []
    if len(filters) > MAX_FILTERS:
        found.append(f"{len(filters)} advanced filters were given, the limit is {MAX_FILTERS}.")
    found.extend(chain.from_iterable(_problems_of(one, schema) for one in filters if isinstance(one, Mapping)))
    found.extend("An advanced filter is not an object." for one in filters if not isinstance(one, Mapping))
    total = sum(len(_values(one)) for one in filters if isinstance(one, Mapping))
    if total > MAX_VALUES:
        found.append(f"{total} values were given across all advanced filters, the limit is {MAX_VALUES}.")
    return tuple(found)


def _problems_of(one: Mapping[str, Any], schema: Schema) -> Iterable[str]:
    operator = _operator(one)
    key = str(one.get("key") or "")
    if operator is None:
        yield f"The operator type '{one.get('operatorType')}' is not known."
        return
    if not _key_is_known(key, schema):
        yield f"The key '{key}' cannot be filtered on in {schema}."
    values = _values(one)
    if operator in _MANY_VALUED and not values:
        yield f"{operator} on '{key}' needs at least one value."
    if operator in _ONE_VALUED and one.get("value") is None:
        yield f"{operator} on '{key}' needs a value."
    for value in values:
        if isinstance(value, str) and len(value) > MAX_CHARACTERS:
            yield f"A value of '{key}' has {len(value)} characters, the limit is {MAX_CHARACTERS}."


def _key_is_known(key: str, schema: Schema) -> bool:
    lowered = key.lower()
    if lowered in _KEYS[schema] or (schema is Schema.CLOUD_EVENTS and lowered == "specversion"):
        return True
    return lowered == "data" or (lowered.startswith("data.") and all(lowered.split(".")))


def matches(filter_body: Mapping[str, Any], event: Event, schema: Schema) -> bool:
    """Whether *event* passes every part of the `filter` object of a subscription that delivers in *schema*."""
    included = filter_body.get("includedEventTypes")
    if included and event.type.lower() not in {str(name).lower() for name in included}:
        return False
    if not _subject_matches(filter_body, event.subject):
        return False
    into_arrays = filter_body.get("enableAdvancedFilteringOnArrays") is True
    return all(
        _advanced(one, _found(event, str(one.get("key") or ""), schema), into_arrays=into_arrays)
        for one in filter_body.get("advancedFilters") or ()
    )


def _subject_matches(filter_body: Mapping[str, Any], subject: str) -> bool:
    begins = str(filter_body.get("subjectBeginsWith") or "")
    ends = str(filter_body.get("subjectEndsWith") or "")
    if filter_body.get("isSubjectCaseSensitive") is not True:
        begins, ends, subject = begins.lower(), ends.lower(), subject.lower()
    return subject.startswith(begins) and subject.endswith(ends)


def _found(event: Event, key: str, schema: Schema) -> object:
    """The value under *key*; names are compared without case, and a key name that itself holds a dot is unreachable."""
    head, *rest = key.split(".")
    if head.lower() != "data":
        name = _KEYS[schema].get(key.lower())
        return getattr(event, name) if name else ("1.0" if key.lower() == "specversion" else _MISSING)
    value: object = event.data
    for part in rest:
        if not isinstance(value, Mapping):
            return _MISSING
        value = next((found for name, found in value.items() if name.lower() == part.lower()), _MISSING)
    return value


def _advanced(one: Mapping[str, Any], found: object, *, into_arrays: bool) -> bool:
    operator = _operator(one)
    if operator is None:
        return False
    if operator in _VALUELESS:
        absent = found is _MISSING or found is None
        return absent if operator == "IsNullOrUndefined" else not absent
    negative = "Not" in operator
    if found is _MISSING or found is None:
        return negative
    if isinstance(found, list) and not into_arrays:
        return negative
    candidates = found if isinstance(found, list) else [found]
    hit = any(_compare(operator.replace("Not", ""), candidate, _values(one)) for candidate in candidates)
    return not hit if negative else hit


def _compare(operator: str, found: object, wanted: Sequence[Any]) -> bool:
    if operator == "BoolEquals":
        return isinstance(found, bool) and found is wanted[0]
    if operator.startswith("String"):
        if not isinstance(found, str):
            return False
        test = _STRING_TESTS[operator.removeprefix("String")]
        return any(test(found.lower(), str(value).lower()) for value in wanted)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    return any(_NUMBER_TESTS[operator.removeprefix("Number")](found, value) for value in wanted)


_STRING_TESTS: dict[str, Callable[[str, str], bool]] = {
    "In": lambda found, wanted: found == wanted,
    "Contains": lambda found, wanted: wanted in found,
    "BeginsWith": lambda found, wanted: found.startswith(wanted),
    "EndsWith": lambda found, wanted: found.endswith(wanted),
}
_NUMBER_TESTS: dict[str, Callable[[float, Any], bool]] = {
    "In": lambda found, wanted: found == wanted,
    "InRange": lambda found, wanted: wanted[0] <= found <= wanted[1],
    "LessThan": lambda found, wanted: found < wanted,
    "LessThanOrEquals": lambda found, wanted: found <= wanted,
    "GreaterThan": lambda found, wanted: found > wanted,
    "GreaterThanOrEquals": lambda found, wanted: found >= wanted,
}


def _operator(one: Mapping[str, Any]) -> str | None:
    return _BY_LOWER.get(str(one.get("operatorType") or "").lower())


def _values(one: Mapping[str, Any]) -> Sequence[Any]:
    values = one.get("values")
    if isinstance(values, list):
        return values
    return [one["value"]] if one.get("value") is not None else []
