"""Workspaces as far as sharing with registries goes, over raw Resource Manager calls like the registries themselves."""

from shared.cloud.api_versions import ApiVersions, is_unsupported
from shared.cloud.arm_client import ArmClient
from shared.cloud.documents import Document, entries, resource_id, text
from shared.core.arm import ResourceId
from shared.core.errors import RegistryIsolationError
from shared.core.sharing_view import Workspace

_API_VERSION = "2025-06-01"
_SUBSCRIPTION_API_VERSION = "2022-12-01"
_READ = "read machine learning workspace"


class Workspaces:
    """Workspaces of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm
        self._versions = ApiVersions(_API_VERSION)

    async def read(self, workspace: ResourceId) -> Workspace | None:
        """GET the workspace, once more with another api-version if the wanted one is not deployed there."""
        version = self._versions.reading
        try:
            document = await self._arm.get(workspace.text, version, operation=_READ)
        except RegistryIsolationError as error:
            if not is_unsupported(error.code) or not self._versions.learn(version, str(error.__cause__)):
                raise
            document = await self._arm.get(workspace.text, self._versions.reading, operation=_READ)
        return None if document is None else workspace_of(document, workspace)

    async def tenant_of(self, subscription: str) -> str:
        """The tenant of a subscription; "" if Azure does not say."""
        path = f"/subscriptions/{subscription}"
        document = await self._arm.get(path, _SUBSCRIPTION_API_VERSION, operation="read subscription")
        return text(document, "tenantId")


def workspace_of(document: Document, workspace: ResourceId) -> Workspace:
    """Read a workspace's GET."""
    connected = entries(document, "properties", "privateEndpointConnections")
    endpoints = (resource_id(entry, "properties", "privateEndpoint", "id") for entry in connected)
    isolation = text(document, "properties", "managedNetwork", "isolationMode").lower()
    return Workspace(
        id=workspace,
        storage_account=resource_id(document, "properties", "storageAccount"),
        endpoints=tuple(endpoint for endpoint in endpoints if endpoint),
        managed_outbound=isolation not in {"", "disabled"},
    )
