"""
Token buckets of Resource Manager, per subscription and principal, and the headers that show what is left.

Reads: 250 tokens, refilled 25 per second; writes and deletes: 200 each, 10 per second; fifteen times as much for all
principals of a subscription together (Microsoft Learn, "Understand how Azure Resource Manager throttles requests").
"""

from datetime import datetime

from local.simulator.errors import ArmError, Shape
from local.simulator.provider_limits import ProviderLimits, kind_of

MANAGER = {"reads": (250.0, 25.0), "writes": (200.0, 10.0), "deletes": (200.0, 10.0)}
"""Size and refill per second of a bucket, by kind of call."""
_ALL_PRINCIPALS = 15.0
_SHOWN = {"reads": 16499, "writes": 11999, "deletes": 11999}
"""What a quiet subscription's global headers showed (recorded: aso2512)."""


class Throttle:
    """The buckets of one world."""

    def __init__(self, *, enforced: bool) -> None:
        self._enforced = enforced
        self._levels: dict[tuple[str, str, str], tuple[float, datetime]] = {}
        self._providers = ProviderLimits()

    @staticmethod
    def kind(method: str) -> str:
        if method in ("GET", "HEAD"):
            return "reads"
        return "deletes" if method == "DELETE" else "writes"

    def take(self, subscription: str, principal: str, method: str, now: datetime) -> None:
        """
        Take one token from the caller's and from the subscription's bucket.

        Raises:
            ArmError: 429 with the seconds until the next token in Retry-After.
        """
        if not self._enforced:
            return
        kind = self.kind(method)
        own = self._level(subscription, principal, kind, now, 1.0)
        shared = self._level(subscription, "", kind, now, _ALL_PRINCIPALS)
        if min(own, shared) < 1.0:
            raise self._refusal(subscription, kind)
        self._levels[subscription, principal, kind] = (own - 1.0, now)
        self._levels[subscription, "", kind] = (shared - 1.0, now)

    def take_of_provider(
        self, subscription: str, kind_of_resource: str, method: str, now: datetime, *, collection: bool
    ) -> None:
        """
        Count a call that Resource Manager lets through to its provider.

        Raises:
            ArmError: The provider's own 429.
        """
        if self._enforced:
            self._providers.take(subscription, kind_of_resource, kind_of(method, collection=collection), now)

    def _level(self, subscription: str, principal: str, kind: str, now: datetime, factor: float) -> float:
        size, refill = (each * factor for each in MANAGER[kind])
        level, since = self._levels.get((subscription, principal, kind), (size, now))
        return min(size, level + (now - since).total_seconds() * refill)

    @staticmethod
    def _refusal(subscription: str, kind: str) -> ArmError:
        return ArmError(
            429,
            "SubscriptionRequestsThrottled",
            f"Number of '{kind}' requests for subscription '{subscription}' exceeded the limit. Please try again after "
            "'1' seconds after additional tokens are available.",
            headers={"Retry-After": "1"},
            shape=Shape.GATEWAY,
        )

    def headers(self, subscription: str, principal: str, method: str, kind_of_resource: str) -> dict[str, str]:
        """The x-ms-ratelimit-remaining header of one answer; Private DNS counts resource requests instead."""
        if kind_of_resource.lower().startswith("microsoft.network/privatednszones"):
            return {"x-ms-ratelimit-remaining-subscription-resource-requests": "11999"}
        kind = self.kind(method)
        if not self._enforced:
            return {f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(_SHOWN[kind])}
        left = self._levels.get((subscription, principal, kind), (MANAGER[kind][0],))[0]
        shared = self._levels.get((subscription, "", kind), (MANAGER[kind][0] * _ALL_PRINCIPALS,))[0]
        return {
            f"x-ms-ratelimit-remaining-subscription-{kind}": str(int(left)),
            f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(int(shared)),
        }
