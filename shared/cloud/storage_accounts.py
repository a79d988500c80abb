"""Storage accounts, as far as closing them goes. Storage answers a PATCH at once and shows it in the next read."""

from azure.mgmt.storage.aio import StorageManagementClient

from shared.cloud.arm_client import ArmClient, body_of, entering, found
from shared.cloud.documents import Document, access, connections, entries, member, resource_id, text, zones_by_group
from shared.core.arm import ResourceId
from shared.core.registry import Target, TargetKind
from shared.core.report import Done

_SETTINGS = ("publicNetworkAccess", "networkAcls")


class StorageAccounts:
    """Storage accounts of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    async def read(self, account: ResourceId) -> Target | None:
        """GET the account."""
        client = self._client(account)
        document: Document | None = await found(
            client.storage_accounts.get_properties(account.resource_group, account.name, cls=body_of),
            operation="read storage account",
            resource=account.text,
        )
        return None if document is None else target_of(document, account)

    async def close(self, account: ResourceId) -> Done:
        """Disable public network access and touch nothing else."""
        with entering("update storage account", account.text):
            await self._client(account).storage_accounts.update(
                account.resource_group, account.name, {"properties": {"publicNetworkAccess": "Disabled"}}, cls=body_of
            )
        return Done()

    async def link_resources(self, account: ResourceId) -> dict[str, tuple[str, ...]]:
        """Group id to required zone names."""
        with entering("list private link resources", account.text):
            document = await self._client(account).private_link_resources.list_by_storage_account(
                account.resource_group, account.name, cls=body_of
            )
        return zones_by_group(entries(document, "value"))

    def _client(self, account: ResourceId) -> StorageManagementClient:
        return self._arm.service(StorageManagementClient, account.subscription)


def target_of(document: Document, account: ResourceId) -> Target:
    """Read an account's GET."""
    return Target(
        kind=TargetKind.STORAGE,
        id=resource_id(document, "id") or account,
        location=text(document, "location"),
        access=access(document),
        provisioning=text(document, "properties", "provisioningState"),
        sku=text(document, "sku", "name"),
        connections=connections(entries(document, "properties", "privateEndpointConnections")),
        network_settings={
            name: member(document, "properties", name)
            for name in _SETTINGS
            if member(document, "properties", name) is not None
        },
    )
