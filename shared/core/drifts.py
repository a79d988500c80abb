"""What became of a registry that was as the policy asks and then was not: when that was found, when it was put right."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

_MOST_CHANGES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """
    The last drift of one registry.

    Attributes:
        found: When a pass saw that what was converged is not any more.
        changes: Sentences of what it had to do, the first of them.
        repaired: When it was converged again; None while it is not.
        number: Repairs on the (UTC) day of the last one.
    """

    found: datetime
    changes: tuple[str, ...] = ()
    repaired: datetime | None = None
    number: int = 0

    @classmethod
    def again(cls, last: "Drift | None", found: datetime, changes: tuple[str, ...]) -> Self:
        """A new drift; what was repaired earlier on the same day is still counted."""
        number = last.number if last and last.repaired and last.repaired.date() == found.date() else 0
        return cls(found=found, changes=changes[:_MOST_CHANGES], number=number)

    def put_right(self, at: datetime) -> Self:
        """Converged again; nothing new if it was already."""
        if self.repaired is not None:
            return self
        number = self.number + 1 if self.found.date() == at.date() else 1
        return replace(self, repaired=at, number=number)
