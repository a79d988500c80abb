"""
Did the way in hold after public access was closed?

For a while after the app has closed something, the endpoints and names that it relied on are looked at once more. If one
of them has stopped working by then, clients are cut off, and what was closed is opened again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.changes import Change, ClosePublicAccess
from shared.core.endpoints import wanted_endpoints
from shared.core.plan import Plan
from shared.core.planner import serving_networks
from shared.core.policy import IsolationPolicy
from shared.core.registry import Registry

WINDOW = timedelta(minutes=15)
"""From a closing to the second look; names are cached for minutes, so that clients notice what broke about then."""
_NAMES = "names:"
_IN_PROGRESS = frozenset({"EndpointInProgress", "ZoneGroupInProgress", "ApprovalUnconfirmed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A closing that is to be verified at *until*; *relied* are keys of the endpoints and names that were sound before it."""

    until: datetime
    relied: tuple[str, ...]


def verification(
    changes: Iterable[Change], plan: Plan, policy: IsolationPolicy, until: datetime, before: Verification | None
) -> Verification | None:
    """What is to be verified after *changes*; *before* if they close nothing."""
    if not any(isinstance(change, ClosePublicAccess) for change in changes):
        return before
    if not policy.lockdown.rollback_on_failure or not plan.verified:
        return None
    return Verification(until=until, relied=plan.sound)


def failing(
    wanted: Verification, plan: Plan, registry: Registry, policy: IsolationPolicy
) -> tuple[tuple[str, ...], bool]:
    """
    What has stopped working since the closing.

    Returns:
        Names of endpoints that are not approved any more or whose names do not resolve any more, and whether one that was
        relied on is merely being changed, so that it is too early to tell.
    """
    endpoints = {
        wish.id.key: wish.id.name for wish in wanted_endpoints(registry, policy, serving_networks(registry, policy))
    }
    relied = {key: name for key, name in endpoints.items() if key in wanted.relied}
    busy = {wait.reason.resource.lower() for wait in plan.waits if wait.reason.name in _IN_PROGRESS}
    present = {endpoint.id.key: endpoint.id.name for view in registry.networks for endpoint in view.endpoints}
    lost = [name for key, name in relied.items() if key not in plan.sound and key not in busy]
    unnamed = [
        present[endpoint]
        for key in wanted.relied
        if key.startswith(_NAMES) and key not in plan.sound
        if (endpoint := key.removeprefix(_NAMES)) in present and endpoint not in busy
    ]
    return tuple(dict.fromkeys((*lost, *unnamed))), bool(busy & (relied.keys() | present.keys()))
