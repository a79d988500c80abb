"""What can go wrong in a run of the campaign: the kinds of faults, their sizes, and where each can happen."""

from enum import StrEnum


class Kind(StrEnum):
    """What goes wrong. The amount is a number of calls, of minutes or of seconds, as said here."""

    THROTTLED = "throttled"
    """429 with Retry-After; calls."""
    THROTTLED_LONG = "throttled-long"
    """429 with a Retry-After of ten minutes; calls."""
    THROTTLED_BARE = "throttled-bare"
    """429 that does not say how long; calls."""
    THROTTLED_TEXT = "throttled-text"
    """429 that says it in its sentence only; calls."""
    THROTTLED_AHEAD = "throttled-ahead"
    """429 with a date in Retry-After, by a clock three hours fast; calls."""
    THROTTLED_BEHIND = "throttled-behind"
    """429 with a date in Retry-After, by a clock three hours slow; calls."""
    THROTTLED_HOURS = "throttled-hours"
    """429 with a Retry-After of four hours; calls."""
    BUCKETS = "buckets"
    """The published token buckets are enforced, and somebody else empties them; minutes."""
    ERROR = "error"
    """500; calls."""
    UNAVAILABLE = "unavailable"
    """503; calls."""
    GATEWAY = "gateway"
    """502 with a page for people; calls."""
    TIMEOUT = "timeout"
    """504 with a page for people; calls."""
    REQUEST_TIMEOUT = "request-timeout"
    """408 without a body; calls."""
    REDIRECTED = "redirected"
    """307 to somebody else's host; calls."""
    NONSENSE = "nonsense"
    """200 with a page for people where JSON should be; calls, reads only."""
    EMPTY = "empty"
    """It took effect, and the answer has no body; calls."""
    CUT = "cut"
    """It took effect, and the answer's JSON ends in the middle; calls."""
    EXPIRED = "expired"
    """401 ExpiredAuthenticationToken; calls."""
    RESET = "reset"
    """The connection breaks before the call takes effect; calls."""
    LOST = "lost"
    """The connection breaks after it took effect; calls."""
    SLOW = "slow"
    """The answer is late; seconds."""
    BUSY = "busy"
    """409: another operation holds the resource; calls, writes only."""
    BUSY_LOCK = "busy-lock"
    """429 that means a lock: RetryableErrorDueToAnotherOperation; calls, writes only."""
    BUSY_REFERENCED = "busy-referenced"
    """429 RetryableError around ReferencedResourceNotProvisioned; calls, writes only."""
    BUSY_SUPERSEDED = "busy-superseded"
    """409 CanceledAndSupersededDueToAnotherOperation; calls, writes only."""
    CONFLICT = "conflict"
    """409 Conflict, and no more said; calls, writes only."""
    PRECONDITION = "precondition"
    """412; calls, writes only."""
    FULL = "full"
    """400 at a new endpoint: its subnet has no address left, until somebody enlarges it."""
    FAILED = "failed"
    """The long operation ends Failed, which is told with status 200; operations."""
    STUCK = "stuck"
    """The long operation does not end for hours; minutes."""
    STALE = "stale"
    """A read shows what was before a write of the last two minutes; calls."""
    MISSING = "missing"
    """A read of what was made within the last two minutes says 404; calls."""
    LAGGING = "lagging"
    """A list leaves out what was made within the last two minutes; calls."""
    DOWN = "down"
    """Resource Manager does not answer at all; minutes."""
    TOKEN_DOWN = "token-down"  # noqa: S105 -- the name of a fault
    """The service that gives tokens does not answer; minutes."""
    FORBIDDEN = "forbidden"
    """403 AuthorizationFailed until the role assignment has spread; minutes."""
    REFUSED = "refused"
    """403 RequestDisallowedByPolicy until somebody lifts it; writes only."""
    LOCKED = "locked"
    """409 ScopeLocked until somebody lifts it; writes only."""
    DENIED = "denied"
    """403 DenyAssignmentAuthorizationFailed until somebody lifts it; writes only."""
    KILLED = "killed"
    """The app's process ends before the call takes effect, and a new one begins later; seconds."""
    KILLED_AFTER = "killed-after"
    """The same after it took effect; seconds."""
    GRAPH_FROZEN = "graph-frozen"
    """Resource Graph shows nothing new; minutes."""
    GRAPH_PARTIAL = "graph-partial"
    """Resource Graph leaves out half of its rows, and does not say so; minutes."""
    GRAPH_TRUNCATED = "graph-truncated"
    """The same, and it says so; minutes."""
    QUEUE_DOWN = "queue-down"
    """The queue service of the app's own storage; minutes."""
    MESSAGE_TWICE = "message-twice"
    """Every message of the work queue comes a second time, at once or while the first is worked on; minutes."""
    TABLE_DOWN = "table-down"
    """Its tables; minutes."""
    BLOB_DOWN = "blob-down"
    """Its blobs, with the leases; minutes."""
    STORE_RESET = "store-reset"
    """A call to the app's own storage fails before it takes effect; calls, numbered apart."""
    STORE_LOST = "store-lost"
    """The same after it took effect."""
    EVENT_LATE = "event-late"
    """Every event comes late; minutes."""
    EVENT_TWICE = "event-twice"
    """Every event comes twice."""
    EVENT_REORDERED = "event-reordered"
    """Events overtake one another within a span; minutes."""
    EVENT_DROPPED = "event-dropped"
    """Events are lost: as many as the amount."""


EVENTS = frozenset({Kind.EVENT_LATE, Kind.EVENT_TWICE, Kind.EVENT_REORDERED, Kind.EVENT_DROPPED})
GRAPH = frozenset({Kind.GRAPH_FROZEN, Kind.GRAPH_PARTIAL, Kind.GRAPH_TRUNCATED})
STORAGE = frozenset({Kind.QUEUE_DOWN, Kind.TABLE_DOWN, Kind.BLOB_DOWN})
OUTAGES = STORAGE | GRAPH | {Kind.DOWN, Kind.FORBIDDEN, Kind.TOKEN_DOWN, Kind.BUCKETS, Kind.MESSAGE_TWICE}
"""What lasts for minutes, whichever calls are made meanwhile."""
STORE = frozenset({Kind.STORE_RESET, Kind.STORE_LOST})
"""At a call to the app's own storage; those are numbered by themselves."""
UNTIL_LIFTED = frozenset({Kind.REFUSED, Kind.LOCKED, Kind.DENIED, Kind.FULL})
"""What only a person can end."""
KILLS = frozenset({Kind.KILLED, Kind.KILLED_AFTER})
GARBLES = frozenset({Kind.EMPTY, Kind.CUT})
"""What happens to the answer of a call that took effect."""
WRITES = UNTIL_LIFTED | {
    Kind.BUSY,
    Kind.BUSY_LOCK,
    Kind.BUSY_REFERENCED,
    Kind.BUSY_SUPERSEDED,
    Kind.CONFLICT,
    Kind.PRECONDITION,
}
OPERATIONS = frozenset({Kind.FAILED, Kind.STUCK})

AMOUNTS: dict[Kind, tuple[int, ...]] = {
    **dict.fromkeys(Kind, (1, 2, 5, 30)),
    **dict.fromkeys(STORAGE, (1, 10, 60)),
    **dict.fromkeys(GRAPH, (10, 90)),
    **dict.fromkeys(UNTIL_LIFTED, (1,)),
    **dict.fromkeys(STORE, (1, 2, 6)),
    Kind.THROTTLED_LONG: (1, 2),
    Kind.THROTTLED_HOURS: (1,),
    Kind.REDIRECTED: (1, 2, 5),
    Kind.BUCKETS: (5, 30),
    Kind.EMPTY: (1, 2, 5),
    Kind.CUT: (1, 2, 5),
    Kind.EXPIRED: (1, 2, 5),
    Kind.NONSENSE: (1, 2, 5),
    Kind.SLOW: (5, 50, 90, 300),
    Kind.FAILED: (1,),
    Kind.STUCK: (20, 50, 180),
    Kind.STALE: (1, 3),
    Kind.MISSING: (1, 3),
    Kind.LAGGING: (1, 3),
    Kind.DOWN: (1, 10, 120),
    Kind.TOKEN_DOWN: (1, 10, 60),
    Kind.FORBIDDEN: (1, 5),
    Kind.KILLED: (1, 60),
    Kind.KILLED_AFTER: (1, 60),
    Kind.MESSAGE_TWICE: (5, 60),
    Kind.EVENT_LATE: (1, 10, 90),
    Kind.EVENT_TWICE: (1,),
    Kind.EVENT_REORDERED: (1, 10),
    Kind.EVENT_DROPPED: (1, 100),
}
"""Sizes that are drawn: a hiccup, more than the app bears in place, and more than a pass lasts."""
