"""
What a run of the campaign is: a story, a seed and what goes wrong at which call; one line of text names it whole.

    create:7:throttled@17x2+table-down@30x10

reads: the registry of seed 7 is created; the 17th call of the app and its first repetition are throttled, and at the
30th call the table service goes away for ten minutes. The first call has number 1; 0 is before anything happens.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Story(StrEnum):
    CREATE = "create"
    """A registry is created, and becomes isolated."""
    DELETE = "delete"
    """An isolated registry is deleted, and what the app made for it goes."""


class Kind(StrEnum):
    """What goes wrong. The amount is a number of calls, of minutes or of seconds, as said here."""

    THROTTLED = "throttled"
    """429 with Retry-After; calls."""
    THROTTLED_BARE = "throttled-bare"
    """429 that does not say how long; calls."""
    THROTTLED_TEXT = "throttled-text"
    """429 that says it in its sentence only; calls."""
    ERROR = "error"
    """500; calls."""
    UNAVAILABLE = "unavailable"
    """503; calls."""
    RESET = "reset"
    """The connection breaks before the call takes effect; calls."""
    LOST = "lost"
    """The connection breaks after it took effect; calls."""
    SLOW = "slow"
    """The answer is late; seconds."""
    BUSY = "busy"
    """409: another operation holds the resource; calls, writes only."""
    FAILED = "failed"
    """The long operation ends Failed, which is told with status 200; operations."""
    STUCK = "stuck"
    """The long operation does not end for hours; minutes."""
    STALE = "stale"
    """A read shows what was before the last write; calls."""
    DOWN = "down"
    """Resource Manager does not answer at all; minutes."""
    REFUSED = "refused"
    """403 RequestDisallowedByPolicy until somebody lifts it; writes only."""
    FORBIDDEN = "forbidden"
    """403 AuthorizationFailed until the role assignment has spread; minutes."""
    QUEUE_DOWN = "queue-down"
    """The queue service of the app's own storage; minutes."""
    TABLE_DOWN = "table-down"
    """Its tables; minutes."""
    BLOB_DOWN = "blob-down"
    """Its blobs, with the leases; minutes."""
    EVENT_LATE = "event-late"
    """Every event comes late; minutes."""
    EVENT_TWICE = "event-twice"
    """Every event comes twice."""
    EVENT_REORDERED = "event-reordered"
    """Events overtake one another within a span; minutes."""
    EVENT_DROPPED = "event-dropped"
    """Events are lost: as many as the amount."""


AMOUNTS: dict[Kind, tuple[int, ...]] = {
    **dict.fromkeys(Kind, (1, 2, 5, 30)),
    Kind.SLOW: (5, 50, 90, 300),
    Kind.FAILED: (1,),
    Kind.STUCK: (20, 50, 180),
    Kind.STALE: (1, 3),
    Kind.DOWN: (1, 10, 120),
    Kind.REFUSED: (1,),
    Kind.FORBIDDEN: (1, 5),
    Kind.QUEUE_DOWN: (1, 10, 60),
    Kind.TABLE_DOWN: (1, 10, 60),
    Kind.BLOB_DOWN: (1, 10, 60),
    Kind.EVENT_LATE: (1, 10, 90),
    Kind.EVENT_TWICE: (1,),
    Kind.EVENT_REORDERED: (1, 10),
    Kind.EVENT_DROPPED: (1, 100),
}
"""Sizes that are drawn: a hiccup, more than the app bears in place, and more than a pass lasts."""

EVENTS = frozenset({Kind.EVENT_LATE, Kind.EVENT_TWICE, Kind.EVENT_REORDERED, Kind.EVENT_DROPPED})
STORAGE = frozenset({Kind.QUEUE_DOWN, Kind.TABLE_DOWN, Kind.BLOB_DOWN})
OUTAGES = STORAGE | {Kind.DOWN, Kind.FORBIDDEN}
"""What lasts for minutes, whichever calls are made meanwhile."""
WRITES = frozenset({Kind.BUSY, Kind.REFUSED})
OPERATIONS = frozenset({Kind.FAILED, Kind.STUCK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One thing that goes wrong. What cannot happen at call *at* happens at the next one where it can."""

    kind: Kind
    at: int
    amount: int = 1

    def __str__(self) -> str:
        return f"{self.kind}@{self.at}x{self.amount}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run of the campaign."""

    story: Story = Story.CREATE
    seed: int = 0
    injections: tuple[Injection, ...] = ()

    def __str__(self) -> str:
        return f"{self.story}:{self.seed}:{'+'.join(str(each) for each in self.injections)}"

    @classmethod
    def parse(cls, line: str) -> "Case":
        """
        Read what `str` wrote.

        Raises:
            ValueError: It is not such a line; says what is wrong.
        """
        story, _, rest = line.strip().partition(":")
        seed, _, faults = rest.partition(":")
        if story not in set(Story) or not seed.isdecimal():
            raise ValueError(f"{line!r} is not a case: it begins with {' or '.join(Story)}, a colon and a number")
        return cls(
            story=Story(story), seed=int(seed), injections=tuple(_injection(one) for one in faults.split("+") if one)
        )


def _injection(text: str) -> Injection:
    found = re.fullmatch(r"(?P<kind>[a-z-]+)@(?P<at>\d{1,6})x(?P<amount>\d{1,6})", text)
    if found is None or found["kind"] not in set(Kind):
        raise ValueError(f"{text!r} is not a fault: it reads kind@callxamount, with a kind of {', '.join(Kind)}")
    return Injection(kind=Kind(found["kind"]), at=int(found["at"]), amount=int(found["amount"]))
