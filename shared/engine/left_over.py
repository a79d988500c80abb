"""
Find endpoints that the app made and that lead to nothing any more, before anything is deleted.

Microsoft.Network's word that a connection is cut is not enough, and neither is one missing name: the resource itself is
asked for, and only ARM's 404 counts. Costs no request while there is no such endpoint.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from shared.core import discovery
from shared.core.arm import ResourceId
from shared.core.cleanup import cut_off, kind_of, made_for, targets_of
from shared.core.registry import PrivateEndpoint, Registry, TargetKind
from shared.engine.gather import all_of
from shared.engine.ports import ControlPlane
from shared.engine.retrying import Retrier


async def observe_left_over(
    plane: ControlPlane,
    registry: Registry,
    endpoints: Iterable[PrivateEndpoint],
    made: Sequence[ResourceId],
    retrier: Retrier,
) -> tuple[PrivateEndpoint, ...]:
    """Those of *endpoints* that the app made for resources that *registry* does not have any more."""
    document = registry.document
    own = {registry.id, *discovery.storage_accounts(document), *discovery.container_registries(document)}
    doubtful = [
        endpoint
        for endpoint in endpoints
        if made_for(endpoint, registry.id, made) and cut_off(endpoint) and not own & set(targets_of(endpoint))
    ]
    return await leading_nowhere(plane, doubtful, gone=frozenset(), retrier=retrier)


async def leading_nowhere(
    plane: ControlPlane, endpoints: Sequence[PrivateEndpoint], *, gone: frozenset[ResourceId], retrier: Retrier
) -> tuple[PrivateEndpoint, ...]:
    """Those of *endpoints* whose targets all are 404; *gone* are known to be."""
    asked = tuple(dict.fromkeys(t for endpoint in endpoints for t in targets_of(endpoint) if t not in gone))
    answers = await all_of(_exists(plane, target, retrier) for target in asked)
    living = {target for target, there in zip(asked, answers, strict=True) if there}
    return tuple(endpoint for endpoint in endpoints if not living & set(targets_of(endpoint)))


async def _exists(plane: ControlPlane, target: ResourceId, retrier: Retrier) -> bool:
    """Whether *target* is there; a kind of resource that the app cannot ask about counts as living."""
    kind = kind_of(target)
    if kind is None:
        return True
    reads: dict[TargetKind, Callable[[ResourceId], Awaitable[object]]] = {
        TargetKind.REGISTRY: plane.read_registry,
        TargetKind.STORAGE: plane.read_storage_account,
        TargetKind.ACR: plane.read_container_registry,
    }
    return await retrier.call(lambda: reads[kind](target)) is not None
