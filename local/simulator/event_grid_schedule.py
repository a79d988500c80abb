"""
When Event Grid tries again, and when it gives up.

Numbers are from the page "Azure Event Grid delivery and retry" (read 2026): a success is 200 to 204; no answer within
30 s counts as a failure; the waits are 10 s, 30 s, 1, 5, 10, 30 min, 1, 3, 6 h, then 12 h, each slightly randomised;
some statuses have a longer minimum wait or are final; 30 attempts and 1440 minutes end it, whichever comes first;
dead-lettering happens five minutes after the last attempt.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

RESPONSE_DEADLINE = timedelta(seconds=30)
LATE_ANSWER_COUNTS_UNTIL = timedelta(minutes=3)
DEAD_LETTER_DELAY = timedelta(minutes=5)
SUCCESS = range(200, 205)

_WAITS = (10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600)
_LAST_WAIT = 12 * 3600
_LEAST_WAIT = 10
_MINIMUM: Mapping[int, int] = {401: 300, 404: 300, 408: 120, 503: 30}
_FINAL_EVERYWHERE = frozenset((400, 403, 413))
_FINAL_FOR_WEBHOOKS = frozenset((401,))
_LARGEST_JITTER = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """`retryPolicy` of an event subscription."""

    max_delivery_attempts: int = 30
    time_to_live: timedelta = timedelta(minutes=1440)

    @classmethod
    def of(cls, body: Mapping[str, Any] | None) -> "RetryPolicy":
        body = body or {}
        return cls(
            max_delivery_attempts=int(body.get("maxDeliveryAttempts") or 30),
            time_to_live=timedelta(minutes=int(body.get("eventTimeToLiveInMinutes") or 1440)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """*reason* and *outcome* use the words Event Grid writes into a dead-lettered event."""

    reason: str
    outcome: str


def after_failure(
    *,
    status: int | None,
    attempt: int,
    published: datetime,
    now: datetime,
    policy: RetryPolicy,
    webhook: bool,
    jitter: float,
) -> Again | GiveUp:
    """
    Decide what follows a failed attempt.

    Args:
        status: HTTP status of the answer; None when there was none within the deadline.
        attempt: Number of the attempt that failed, from 1.
        webhook: The endpoint is a plain webhook and not an Azure resource such as a function.
        jitter: 0 to 1, the caller's random draw; at most a tenth of the wait is added.
    """
    outcome = outcome_of(status)
    if status in _FINAL_EVERYWHERE or (webhook and status in _FINAL_FOR_WEBHOOKS):
        return GiveUp(reason=outcome, outcome=outcome)
    if attempt >= policy.max_delivery_attempts:
        return GiveUp(reason="MaxDeliveryAttemptsExceeded", outcome=outcome)
    scheduled = _WAITS[attempt - 1] if attempt <= len(_WAITS) else _LAST_WAIT
    least = _MINIMUM.get(status, _LEAST_WAIT) if status is not None else _LEAST_WAIT
    at = now + timedelta(seconds=max(scheduled, least) * (1 + jitter * _LARGEST_JITTER))
    if at >= published + policy.time_to_live:
        return GiveUp(reason="TimeToLiveExceeded", outcome=outcome)
    return Again(at=at)


def outcome_of(status: int | None) -> str:
    """`lastDeliveryOutcome` as Event Grid spells it."""
    named = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 413: "PayloadTooLarge"}
    named |= {408: "TimedOut", 503: "Busy"}
    return "TimedOut" if status is None else named.get(status, "GenericError")
