"""How many queries Resource Graph answers per principal, and the shape of its refusals."""

from datetime import datetime, timedelta

from local.simulator.errors import ArmError
from local.simulator.wire import JsonObject

QUERIES = 15
WINDOW = timedelta(seconds=5)
"""Fifteen queries in every five seconds (documentation of throttled requests)."""


def refusal(
    status: int, code: str, now: datetime, *details: JsonObject, headers: dict[str, str] | None = None
) -> ArmError:
    """An error in the service's own shape: the sentence is for its support, the reason is in the details (recorded)."""
    message = f"Please provide below info when asking for support: timestamp = {now:%Y-%m-%dT%H:%M:%S.%f}0Z."
    return ArmError(status, code, message, details=details, headers=headers)


class Quota:
    """Queries of every principal in its current window, which begins with its first query."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[datetime, int]] = {}

    def take(self, principal: str, now: datetime) -> dict[str, str]:
        """
        Count a query; the headers that tell what is left.

        Raises:
            ArmError: 429 RateLimiting with the seconds until the window ends.
        """
        began, used = self._windows.get(principal, (now, 0))
        if now - began >= WINDOW:
            began, used = now, 0
        left = (began + WINDOW - now).total_seconds()
        seconds = max(1, int(left) if left == int(left) else int(left) + 1)
        remaining = str(max(0, QUERIES - used - 1))
        headers = {
            "x-ms-user-quota-remaining": remaining,
            "x-ms-user-quota-resets-after": f"00:00:{seconds:02d}",
            "x-ms-ratelimit-remaining-tenant-resource-requests": remaining,
        }
        if used >= QUERIES:
            raise refusal(
                429,
                "RateLimiting",
                now,
                {
                    "code": "RateLimiting",
                    "message": "Client application has been throttled and should not attempt to repeat the request until "
                    "an amount of time has elapsed. Please see https://aka.ms/resourcegraph-throttling for help.",
                },
                headers={**headers, "Retry-After": str(seconds)},
            )
        self._windows[principal] = (began, used + 1)
        return headers
