"""
What resource providers refuse by themselves, beside Resource Manager's buckets: published figures, as data.

They hold per subscription and region (Microsoft Learn, "Understand how Azure Resource Manager throttles requests", network,
storage and Private DNS). The documentation speaks of calls in a period; here each is a bucket of that size which refills
evenly, because how Azure cuts its periods is not published. One region is assumed.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.simulator.errors import ArmError, Shape

READ, LIST, WRITE = "read", "list", "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """
    One published limit.

    Attributes:
        prefix: Of the resource types that it counts, lower-cased.
        but: Types under *prefix* that have a limit of their own.
        kinds: READ, LIST and WRITE (deletions included).
        count: Calls in one *period*.
    """

    name: str
    prefix: str
    kinds: frozenset[str]
    count: int
    period: timedelta
    but: str = "-"

    @property
    def per_second(self) -> float:
        return self.count / self.period.total_seconds()

    def counts(self, kind_of_resource: str, kind: str) -> bool:
        """Whether a call of *kind* on that resource type is one of those."""
        lowered = kind_of_resource.lower()
        return kind in self.kinds and lowered.startswith(self.prefix) and not lowered.startswith(self.but)


_NETWORK, _ZONES, _STORAGE = "microsoft.network/", "microsoft.network/privatednszones", "microsoft.storage/"
_FIVE_MINUTES = timedelta(minutes=5)
_READS = frozenset({READ, LIST})

PUBLISHED = (
    Limit(
        name="network writes", prefix=_NETWORK, but=_ZONES, kinds=frozenset({WRITE}), count=1000, period=_FIVE_MINUTES
    ),
    Limit(name="network reads", prefix=_NETWORK, but=_ZONES, kinds=_READS, count=10_000, period=_FIVE_MINUTES),
    Limit(name="Private DNS reads", prefix=_ZONES, kinds=_READS, count=500, period=_FIVE_MINUTES),
    Limit(name="storage reads", prefix=_STORAGE, kinds=frozenset({READ}), count=800, period=_FIVE_MINUTES),
    Limit(name="storage lists", prefix=_STORAGE, kinds=frozenset({LIST}), count=100, period=_FIVE_MINUTES),
    Limit(name="storage writes", prefix=_STORAGE, kinds=frozenset({WRITE}), count=10, period=timedelta(seconds=1)),
    Limit(
        name="storage writes of an hour",
        prefix=_STORAGE,
        kinds=frozenset({WRITE}),
        count=1200,
        period=timedelta(hours=1),
    ),
)


class ProviderLimits:
    """The buckets of one world's providers."""

    def __init__(self) -> None:
        self._levels: dict[tuple[str, str], tuple[float, datetime]] = {}

    def take(self, subscription: str, kind_of_resource: str, kind: str, now: datetime) -> None:
        """
        Take one from every limit that counts the call, or from none.

        Raises:
            ArmError: 429 with the seconds until the next one in Retry-After.
        """
        counting = [each for each in PUBLISHED if each.counts(kind_of_resource, kind)]
        levels = {each.name: self._level(subscription, each, now) for each in counting}
        for each in counting:
            if levels[each.name] < 1:
                raise _refusal(each, kind_of_resource, (1 - levels[each.name]) / each.per_second)
        for name, level in levels.items():
            self._levels[subscription, name] = (level - 1, now)

    def _level(self, subscription: str, limit: Limit, now: datetime) -> float:
        level, since = self._levels.get((subscription, limit.name), (float(limit.count), now))
        return min(limit.count, level + (now - since).total_seconds() * limit.per_second)


def kind_of(method: str, *, collection: bool) -> str:
    """How a provider counts a call."""
    if method in ("GET", "HEAD"):
        return LIST if collection else READ
    return WRITE


def _refusal(limit: Limit, kind_of_resource: str, seconds: float) -> ArmError:
    return ArmError(
        429,
        "TooManyRequests",
        f"The request is being throttled as the limit of {limit.count} {limit.name} in "
        f"{limit.period.total_seconds():.0f} seconds has been reached for {kind_of_resource}.",
        headers={"Retry-After": str(max(1, math.ceil(seconds)))},
        shape=Shape.ARM,
    )
