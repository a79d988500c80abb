"""
Names for a chain of work: W3C trace contexts, as the queue and the ledger carry them from one pass to the next.

A trace context names and never decides: whatever is not exactly one becomes none, because telemetry must not cost a pass.
"""

import re

# Version 00 with ids that are not all zeros (W3C Trace Context, traceparent header).
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_PREFIX = len("00-")
_ID = 32


def traceparent(value: object) -> str:
    """*value* if it is a trace context, else ""."""
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else ""


def correlation_of(trace: str) -> str:
    """The id that everything done for one request has in common; "" of no trace context."""
    return trace[_PREFIX : _PREFIX + _ID]
