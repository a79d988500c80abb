"""
How many calls Azure lets through, as published, and which of those limits one call counts towards.

Resource Manager counts per subscription and caller, resource providers per subscription and region, over all callers. The
documentation of the providers speaks of calls in a period; here each limit is a bucket of that size which refills evenly,
because how Azure cuts its periods is not published. What Azure itself says, by a header or a refusal, is believed before
these figures (`engine.throttle`).
"""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


class CallKind(StrEnum):
    """How a limit tells calls apart; a deletion counts as a write with providers."""

    READ = "read"
    LIST = "list"
    WRITE = "write"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """
    One bucket.

    Attributes:
        prefix: Of the resource types that count, lower case; "" for all.
        but: Types under *prefix* that have a bucket of their own.
        size: Calls at once; 0 where none is published, so that only Azure's own refusal stops calls.
        per_second: Refill.
    """

    name: str
    prefix: str
    kinds: frozenset[CallKind]
    size: float
    per_second: float
    but: str = "-"

    def counts(self, resource_type: str, kind: CallKind) -> bool:
        """Tell whether a call of *kind* on the lower-case *resource_type* is one of those."""
        return kind in self.kinds and resource_type.startswith(self.prefix) and not resource_type.startswith(self.but)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit of one subscription."""

    limit: Limit
    subscription: str


_READS = frozenset({CallKind.READ, CallKind.LIST})
_WRITES = frozenset({CallKind.WRITE, CallKind.DELETE})
_FIVE_MINUTES = 300.0
_NETWORK, _ZONES, _STORAGE = "microsoft.network/", "microsoft.network/privatednszones", "microsoft.storage/"

# "Understand how Azure Resource Manager throttles requests", for one caller in one subscription.
MANAGER_READS = Limit(name="Resource Manager reads", prefix="", kinds=_READS, size=250, per_second=25)
MANAGER_WRITES = Limit(
    name="Resource Manager writes", prefix="", kinds=frozenset({CallKind.WRITE}), size=200, per_second=10
)
MANAGER_DELETES = Limit(
    name="Resource Manager deletions", prefix="", kinds=frozenset({CallKind.DELETE}), size=200, per_second=10
)
MANAGER = (MANAGER_READS, MANAGER_WRITES, MANAGER_DELETES)


def _of_provider(name: str, prefix: str, kinds: frozenset[CallKind], count: float, but: str = "-") -> Limit:
    return Limit(name=name, prefix=prefix, kinds=kinds, size=count, per_second=count / _FIVE_MINUTES, but=but)


# The same page, for network, storage and Private DNS.
NETWORK_WRITES = _of_provider("network writes", _NETWORK, _WRITES, 1000, but=_ZONES)
NETWORK_READS = _of_provider("network reads", _NETWORK, _READS, 10_000, but=_ZONES)
ZONE_READS = _of_provider("Private DNS reads", _ZONES, _READS, 500)
STORAGE_READS = _of_provider("storage reads", _STORAGE, frozenset({CallKind.READ}), 800)
STORAGE_LISTS = _of_provider("storage lists", _STORAGE, frozenset({CallKind.LIST}), 100)
STORAGE_WRITES = Limit(name="storage writes", prefix=_STORAGE, kinds=_WRITES, size=10, per_second=10)
_PUBLISHED = (NETWORK_WRITES, NETWORK_READS, ZONE_READS, STORAGE_READS, STORAGE_LISTS, STORAGE_WRITES)

_NAMESPACE = 2
_LONGEST = 100


def buckets_of(method: str, url: str) -> tuple[Bucket, ...]:
    """Buckets that a call counts towards, Resource Manager's first; none for a call outside any subscription."""
    segments = [segment for segment in urlsplit(url).path.lower().split("/") if segment]
    if len(segments) < _NAMESPACE or segments[0] != "subscriptions":
        return ()
    subscription = segments[1]
    resource_type, collection = _addressed(segments)
    kind = _kind(method, collection=collection)
    own = [limit for limit in MANAGER if kind in limit.kinds]
    provider = [limit for limit in _PUBLISHED if limit.counts(resource_type, kind)]
    if not provider:
        provider = [_unpublished(resource_type, kind)]
    return tuple(Bucket(limit, subscription) for limit in (*own, *provider))


def bucket(limit: Limit, subscription: str) -> Bucket:
    """The bucket of *limit* in *subscription*."""
    return Bucket(limit, subscription.lower())


def _addressed(segments: list[str]) -> tuple[str, bool]:
    """Resource type that a path names, and whether the path names all of them."""
    if "providers" not in segments:
        return "microsoft.resources/resourcegroups", len(segments) % 2 == 1
    marker = len(segments) - 1 - segments[::-1].index("providers")
    behind = segments[marker + 1 :]
    return "/".join([*behind[:1], *behind[1::2]]), len(behind) % 2 == 0


def _kind(method: str, *, collection: bool) -> CallKind:
    if method in {"GET", "HEAD"}:
        return CallKind.LIST if collection else CallKind.READ
    return CallKind.DELETE if method == "DELETE" else CallKind.WRITE


def _unpublished(resource_type: str, kind: CallKind) -> Limit:
    """A provider that publishes no figure: only its refusals count."""
    namespace = resource_type.split("/", maxsplit=1)[0][:_LONGEST]
    kinds = _READS if kind in _READS else _WRITES
    word = "reads" if kind in _READS else "writes"
    return Limit(name=f"{namespace} {word}", prefix=f"{namespace}/", kinds=kinds, size=0, per_second=0)
