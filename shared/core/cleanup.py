"""
What the app made for a registry, and what of it nobody needs any more.

An endpoint counts as the app's only if it bears the name that the app would give it *and* either its tags or the ledger
say so; it is left over only when the resource that it leads to is gone. Adopted endpoints, other people's endpoints
and endpoints that lead to something living stay, whatever else is true of them.
"""

from collections.abc import Iterable, Sequence

from shared.core.arm import ResourceId
from shared.core.changes import Change, CreateEndpoint, DeleteEndpoint
from shared.core.naming import MANAGED_BY, MANAGED_BY_TAG, REGISTRY_TAG, endpoint_name, endpoint_tags
from shared.core.plan import Part
from shared.core.policy import IsolationPolicy
from shared.core.registry import (
    ACR_TYPE,
    REGISTRY_TYPE,
    STORAGE_TYPE,
    ConnectionStatus,
    PrivateEndpoint,
    Registry,
    TargetKind,
)

LEFT_OVER = "leads to a resource that is gone"
_KINDS = {REGISTRY_TYPE: TargetKind.REGISTRY, STORAGE_TYPE: TargetKind.STORAGE, ACR_TYPE: TargetKind.ACR}


def kind_of(target: ResourceId) -> TargetKind | None:
    """What kind of target an id names; None for anything that a registry does not consist of."""
    return next((kind for name, kind in _KINDS.items() if target.is_type(name)), None)


def made_for(endpoint: PrivateEndpoint, registry: ResourceId, made: Iterable[ResourceId] = ()) -> bool:
    """Tell whether the app made *endpoint* for *registry*; *made* is what the ledger says of that."""
    return _named(endpoint, registry) and (_tagged(endpoint, registry) or endpoint.id in set(made))


def targets_of(endpoint: PrivateEndpoint) -> tuple[ResourceId, ...]:
    """What it leads to, each once."""
    return tuple(dict.fromkeys(connection.target for connection in endpoint.connections))


def cut_off(endpoint: PrivateEndpoint) -> bool:
    """Microsoft.Network says that everything it leads to has gone."""
    return all(connection.status is ConnectionStatus.DISCONNECTED for connection in endpoint.connections)


def remember_made(
    made: Sequence[ResourceId], registry: ResourceId, seen: Iterable[PrivateEndpoint], changes: Iterable[Change]
) -> tuple[ResourceId, ...]:
    """*made*, what of the endpoints *seen* is the app's, and what *changes* are about to make (noted before the write)."""
    found = [endpoint.id for endpoint in seen if made_for(endpoint, registry)]
    coming = [change.endpoint for change in changes if isinstance(change, CreateEndpoint) and not change.repair]
    return tuple(dict.fromkeys((*made, *found, *coming)))


def forget_made(made: Sequence[ResourceId], change: Change) -> tuple[ResourceId, ...]:
    """*made* less what the finished *change* deleted."""
    if not isinstance(change, DeleteEndpoint):
        return tuple(made)
    return tuple(endpoint for endpoint in made if endpoint != change.endpoint)


def plan_left_overs(registry: Registry, policy: IsolationPolicy) -> Part:
    """Plan what goes with a resource that the registry has lost (a storage account of a region that was removed)."""
    return Part(changes=deletions(registry.left_over) if policy.deletion.endpoints else ())


def deletions(endpoints: Iterable[PrivateEndpoint]) -> tuple[DeleteEndpoint, ...]:
    """Delete *endpoints*; their zone groups and records go with them."""
    return tuple(
        DeleteEndpoint(endpoint=endpoint.id, because=LEFT_OVER)
        for endpoint in sorted(endpoints, key=lambda endpoint: endpoint.id.key)
        if endpoint.state.lower() != "deleting"
    )


def _tagged(endpoint: PrivateEndpoint, registry: ResourceId) -> bool:
    """Tag values hold 256 characters, so that a longer id is compared as far as it was kept."""
    expected = endpoint_tags(registry)[REGISTRY_TAG].lower()
    return endpoint.tags.get(MANAGED_BY_TAG) == MANAGED_BY and endpoint.tags.get(REGISTRY_TAG, "").lower() == expected


def _named(endpoint: PrivateEndpoint, registry: ResourceId) -> bool:
    names = {
        endpoint_name(registry, kind, connection.target, group, endpoint.subnet).lower()
        for connection in endpoint.connections
        if (kind := kind_of(connection.target)) is not None
        for group in connection.groups
    }
    return endpoint.id.name.lower() in names
