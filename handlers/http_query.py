"""Query parameters: what each may hold, for whoever reads them and for the OpenAPI document."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import get_args

from shared.core.arm import is_guid
from shared.core.report import Outcome, Severity
from shared.core.report_forms import FORMS

MOST_ITEMS = 1000
USUAL_ITEMS = 100
LONGEST_WAIT_SECONDS = 60
_LONGEST_CURSOR = 200
_MOST_DIGITS = 9
_TRUE = {"true": True, "false": False}
_GUID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def phases() -> tuple[str, ...]:
    """Every phase that a registry can be in."""
    union = get_args(Outcome.__value__)[0]
    kinds = (each.default for member in get_args(union) for each in fields(member) if each.name == "kind")
    return ("requested", *(str(kind) for kind in kinds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """
    One query parameter.

    Attributes:
        schema: Its JSON Schema.
        read: Makes its value of the text; raises ValueError with the rest of the sentence that begins with its name.
        default: When it is absent.
    """

    description: str
    schema: Mapping[str, object]
    read: Callable[[str], object]
    default: object


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or len(raw) > _MOST_DIGITS or not least <= int(raw) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(raw)

    return read


def _cursor(raw: str) -> str:
    if not 0 < len(raw) <= _LONGEST_CURSOR:
        raise ValueError("must be the `after` of the page before")
    return raw


def _phase(raw: str) -> str:
    if raw not in phases():
        raise ValueError(f"must be one of {', '.join(phases())}")
    return raw


def _one_of(names: Iterable[str]) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return raw

    return read


def _subscription(raw: str) -> str:
    if not is_guid(raw):
        raise ValueError("must be a subscription id (a GUID)")
    return raw.lower()


def _severity(raw: str) -> Severity:
    return Severity(_one_of(tuple(severity.value for severity in Severity))(raw))


PARAMETERS = {
    "limit": Parameter(
        description="Most items on this page.",
        schema={"type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "default": USUAL_ITEMS},
        read=_whole(1, MOST_ITEMS),
        default=USUAL_ITEMS,
    ),
    "after": Parameter(
        description="`after` of the page before; absent for the first page.",
        schema={"type": "string", "minLength": 1, "maxLength": _LONGEST_CURSOR},
        read=_cursor,
        default="",
    ),
    "phase": Parameter(
        description="Only registries of this phase.",
        schema={"type": "string", "enum": list(phases())},
        read=_phase,
        default="",
    ),
    "format": Parameter(
        description="Form of the report: one document, a table, SARIF 2.1.0, or a page to read and print.",
        schema={"type": "string", "enum": list(FORMS), "default": "json"},
        read=_one_of(FORMS),
        default="json",
    ),
    "subscription": Parameter(
        description="Only registries of this subscription.",
        schema={"type": "string", "format": "uuid", "pattern": _GUID, "minLength": 36, "maxLength": 36},
        read=_subscription,
        default="",
    ),
    "severity": Parameter(
        description="Only findings of this severity or worse, and only registries that have one.",
        schema={"type": "string", "enum": [severity.value for severity in Severity]},
        read=_severity,
        default=None,
    ),
    "deep": Parameter(
        description="1 also looks at permissions, providers, networks, zones, events: seconds, and about 30 reads.",
        schema={"type": "integer", "minimum": 0, "maximum": 1, "default": 0},
        read=_whole(0, 1),
        default=0,
    ),
    "wait": Parameter(
        description="Seconds to wait for the end of the work before answering 202.",
        schema={"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS, "default": 0},
        read=_whole(0, LONGEST_WAIT_SECONDS),
        default=0,
    ),
}
