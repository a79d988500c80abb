"""
Read the network around workspaces that share with a registry: the subnets of their endpoints, their open deployments.

Only of workspaces that the sharing rule has read, and only once the registry itself is closed: before that, nobody
relies on a private way yet, and the passes in between should stay cheap. Whatever cannot be read becomes a sentence of
the report and keeps no registry from being isolated.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from shared.core.arm import ResourceId
from shared.core.errors import RegistryIsolationError
from shared.core.registry import Access, PrivateEndpoint, Registry
from shared.core.sharing_view import Workspace
from shared.core.workspace_network import Deployment, WorkspaceNetwork
from shared.engine.gather import all_of
from shared.engine.ports import ControlPlane
from shared.engine.retrying import Retrier


async def observe_workspaces(
    registry: Registry, held: Sequence[PrivateEndpoint], plane: ControlPlane, retrier: Retrier
) -> Registry:
    """
    *registry* with the networks of the workspaces that share with it.

    Args:
        held: Endpoints that this observation has read already.
    """
    if registry.sharing is None or registry.document.target.access is not Access.CLOSED:
        return registry
    known = {endpoint.id: endpoint for endpoint in held}
    seen = await all_of(_Look(plane, retrier, known).at(workspace) for workspace in registry.sharing.workspaces)
    return replace(registry, workspaces=tuple(seen))


class _Look:
    """One look at one workspace; notes down what could not be read."""

    def __init__(self, plane: ControlPlane, retrier: Retrier, known: dict[ResourceId, PrivateEndpoint]) -> None:
        self._plane = plane
        self._retrier = retrier
        self._known = known
        self._problems: list[str] = []

    async def at(self, workspace: Workspace) -> WorkspaceNetwork:
        subnets = await self._subnets(workspace.endpoints)
        deployments = () if workspace.managed_outbound else await self._open_deployments(workspace.id)
        return WorkspaceNetwork(
            workspace=workspace.id,
            subnets=tuple(sorted(subnets)),
            open_deployments=deployments,
            problems=tuple(self._problems),
        )

    async def _subnets(self, endpoints: Iterable[ResourceId]) -> set[ResourceId]:
        groups: dict[ResourceId, list[ResourceId]] = {}
        found = []
        for endpoint in endpoints:
            if endpoint in self._known:
                found.append(self._known[endpoint])
            else:
                groups.setdefault(endpoint.group, []).append(endpoint)
        for listed in await all_of(self._list(group, wanted) for group, wanted in groups.items()):
            found += listed
        return {endpoint.subnet for endpoint in found}

    async def _list(self, group: ResourceId, wanted: Sequence[ResourceId]) -> list[PrivateEndpoint]:
        nothing: tuple[PrivateEndpoint, ...] = ()
        listed = await self._try(nothing, lambda: self._plane.list_endpoints(group, wanted))
        return [endpoint for endpoint in listed if endpoint.id in set(wanted)]

    async def _open_deployments(self, workspace: ResourceId) -> tuple[Deployment, ...]:
        nothing: tuple[Deployment, ...] = ()
        return await self._try(nothing, lambda: self._plane.open_deployments(workspace))

    async def _try[T](self, otherwise: T, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._retrier.call(call)
        except RegistryIsolationError as error:
            self._problems.append(error.sentence)
            return otherwise
