"""
What somebody approved: the digest of a forecast, and then exactly its changes.

An approval that has *begun* knows each change by a mark: a hash of what the change writes where. What a change depends on,
and whether it is a repeated write, does not make it another one.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

from shared.core.changes import CHANGES, Change

_MARK_DIGITS = 16
"""64 bits: nobody can choose both changes, and a plan holds a few dozen of them."""
_NOT_WRITTEN = ("depends_on", "repair", "tags")
"""Members that say when and how often, or whose the resource is; a repair keeps the tags that are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """
    One request's permission.

    Attributes:
        digest: Of the forecast that was seen.
        marks: Of its changes, once a pass has seen the same forecast; () before.
    """

    digest: str
    marks: tuple[str, ...] = ()

    @property
    def begun(self) -> bool:
        """A pass has found the world as it was approved."""
        return bool(self.marks)

    def begin(self, changes: Iterable[Change]) -> "Approval":
        """The approval that knows its changes."""
        return replace(self, marks=tuple(sorted({mark(change) for change in changes})))

    def strangers(self, changes: Iterable[Change]) -> tuple[Change, ...]:
        """Those of *changes* that nobody approved."""
        known = set(self.marks)
        return tuple(change for change in changes if mark(change) not in known)


def mark(change: Change) -> str:
    """The mark of *change*; casing of ids does not matter."""
    (document,) = CHANGES.dump_python((change,), mode="json")
    written = {name: value for name, value in document.items() if name not in _NOT_WRITTEN}
    return sha256(json.dumps(written, sort_keys=True).lower().encode()).hexdigest()[:_MARK_DIGITS]
