"""Which writes may happen twice because a host died, and why nobody can do better."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A write that may be repeated: *what* as the verdict calls it, *why* for people."""

    what: re.Pattern[str]
    why: str


ALLOWED: tuple[Allowed, ...] = ()


def excused(repeated: str) -> str:
    """Give why *repeated* may be; "" when it may not."""
    return next((each.why for each in ALLOWED if each.what.fullmatch(repeated)), "")


def inexcusable(repeated: Iterable[str]) -> list[str]:
    """Give a sentence for each write that nobody allowed to happen twice."""
    return [f"{what} took effect twice." for what in repeated if not excused(what)]
