"""
Reading Azure resource ids: parent, type, group, subscription.

Pure text rules, shared by the world's indexes and by the providers. Ids are compared lower-cased and kept as received.
"""

from functools import lru_cache
from typing import NamedTuple


class IdParts(NamedTuple):
    """What one id says. `parent` is lower-cased and empty above a subscription; `type` keeps the id's casing."""

    subscription: str
    resource_group: str
    type: str
    name: str
    parent: str


@lru_cache(maxsize=65536)
def parse(resource_id: str) -> IdParts:
    """Split an id of any depth: subscription, group, resource, child resource or extension resource."""
    segments = resource_id.strip("/").split("/")
    lowered = [segment.lower() for segment in segments]
    subscription = segments[1] if lowered[0] == "subscriptions" and len(segments) > 1 else ""
    group = segments[3] if len(segments) > 3 and lowered[2] == "resourcegroups" else ""
    if "providers" not in lowered:
        kind = "Microsoft.Resources/resourceGroups" if group else "Microsoft.Resources/subscriptions"
        return IdParts(subscription, group, kind, segments[-1], _join(lowered[:-2]))
    marker = len(lowered) - 1 - lowered[::-1].index("providers")
    kind = "/".join([segments[marker + 1], *segments[marker + 2 :: 2]])
    above = lowered[:-2]
    if len(above) == marker + 2:
        above = above[:marker]
    return IdParts(subscription, group, kind, segments[-1], _join(above))


def _join(segments: list[str]) -> str:
    return "/" + "/".join(segments) if segments else ""


def ancestors(resource_id: str) -> list[str]:
    """The id itself and everything above it, lower-cased, nearest first, the tenant scope "/" last."""
    chain = [resource_id.lower().rstrip("/")]
    while (parent := parse(chain[-1]).parent) and parent != chain[-1]:
        chain.append(parent)
    return [*(each for each in chain if each), "/"]
