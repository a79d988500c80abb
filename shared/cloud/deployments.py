"""Online deployments of workspaces, over raw Resource Manager calls like the workspaces themselves; read only."""

from shared.cloud.arm_client import ArmClient
from shared.cloud.concurrency import for_each
from shared.cloud.documents import Document, resource_id, text
from shared.core.arm import ResourceId
from shared.core.workspace_network import Deployment

# Endpoints and their deployments answer this generally available version in every cloud (service specification).
_API_VERSION = "2024-04-01"
_MANAGED = "managed"
_CLOSED = "disabled"
_DEFAULT = "Enabled"


class Deployments:
    """Online deployments of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    async def read_open(self, workspace: ResourceId) -> tuple[Deployment, ...]:
        """Managed deployments whose way out is not closed; () for a workspace that is not there."""
        endpoints = await self._list(workspace.text, "onlineEndpoints")
        listed = await for_each(endpoints, self._of_endpoint) if endpoints else []
        return tuple(deployment for found in listed for deployment in found)

    async def _of_endpoint(self, endpoint: Document) -> tuple[Deployment, ...]:
        parent = resource_id(endpoint, "id")
        if parent is None:
            return ()
        found = (_deployment(entry) for entry in await self._list(parent.text, "deployments"))
        return tuple(deployment for deployment in found if deployment)

    async def _list(self, parent: str, kind: str) -> tuple[Document, ...]:
        return await self._arm.list(f"{parent}/{kind}", _API_VERSION, operation=f"list {kind}") or ()


def _deployment(entry: Document) -> Deployment | None:
    """None for one that is closed, or runs on somebody's own cluster, whose network is not Azure's to say."""
    state = text(entry, "properties", "egressPublicNetworkAccess") or _DEFAULT
    managed = text(entry, "properties", "endpointComputeType").lower() == _MANAGED
    identifier = resource_id(entry, "id")
    if identifier is None or not managed or state.lower() == _CLOSED:
        return None
    return Deployment(id=identifier, state=state)
