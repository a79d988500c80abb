"""Query parameters: what each may hold, for whoever reads them and for the OpenAPI document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import get_args

from shared.core.report import Outcome

MOST_ITEMS = 1000
USUAL_ITEMS = 100
LONGEST_WAIT_SECONDS = 60
_LONGEST_CURSOR = 200
_TRUE = {"true": True, "false": False}


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
        if not raw.isascii() or not raw.isdigit() or not least <= int(raw[:9]) <= most:
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
    "wait": Parameter(
        description="Seconds to wait for the end of the work before answering 202.",
        schema={"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS, "default": 0},
        read=_whole(0, LONGEST_WAIT_SECONDS),
        default=0,
    ),
}
