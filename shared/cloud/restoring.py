"""
Writes that give a resource the network settings it had before the app closed it.

One call for each kind of target: a registry takes a full PUT of everything else as it is now, the others a PATCH of
exactly the members of the snapshot, with the rules that others have added to their lists since. Like every write of a
storage account's network rules it starts from a read right before it, and whoever calls holds the account's lease.
"""

from typing import Any

from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient
from azure.mgmt.storage.aio import StorageManagementClient

from shared.cloud.arm_client import ArmClient, begin, entering
from shared.cloud.arm_client import body_of as answered
from shared.cloud.container_registries import ContainerRegistries
from shared.cloud.operations import accepted
from shared.cloud.registries import Registries
from shared.cloud.storage_accounts import StorageAccounts
from shared.core.arm import ResourceId
from shared.core.registry import Target, TargetKind
from shared.core.report import Done, Started
from shared.core.restore import ACCESS, RestoreSettings, body_of, holds


class Restoring:
    """Restores targets of one cloud."""

    def __init__(
        self,
        *,
        arm: ArmClient,
        registries: Registries,
        storage_accounts: StorageAccounts,
        container_registries: ContainerRegistries,
    ) -> None:
        self._arm = arm
        self._registries = registries
        self._storage_accounts = storage_accounts
        self._container_registries = container_registries

    async def start(self, change: RestoreSettings) -> Started | Done:
        """Begin *change*; Done if it holds already, or there is nothing to write to."""
        target = await self._read(change)
        if target is None or holds(target, change):
            return Done()
        match change.target_kind:
            case TargetKind.REGISTRY:
                return await self._registries.set_access(change.target, str(change.settings[ACCESS]))
            case TargetKind.STORAGE:
                return await self._patch_storage(target, change)
            case TargetKind.ACR:
                return await self._patch_container_registry(target, change)

    async def holds(self, change: RestoreSettings) -> bool | None:
        """Whether Azure shows what *change* asked for; None if the target is not there."""
        target = await self._read(change)
        return None if target is None else holds(target, change)

    async def _read(self, change: RestoreSettings) -> Target | None:
        match change.target_kind:
            case TargetKind.REGISTRY:
                document = await self._registries.read(change.target)
                return document.target if document else None
            case TargetKind.STORAGE:
                return await self._storage_accounts.read(change.target)
            case TargetKind.ACR:
                return await self._container_registries.read(change.target)

    async def _patch_storage(self, target: Target, change: RestoreSettings) -> Done:
        account: ResourceId = change.target
        client = self._arm.service(StorageManagementClient, account.subscription)
        body: Any = {"properties": body_of(target, change)}
        with entering("update storage account", account.text):
            await client.storage_accounts.update(account.resource_group, account.name, body, cls=answered)
        return Done()

    async def _patch_container_registry(self, target: Target, change: RestoreSettings) -> Started | Done:
        registry = change.target
        client = self._arm.service(ContainerRegistryManagementClient, registry.subscription)
        body: Any = {"properties": body_of(target, change)}
        answer = await begin(
            lambda hook: client.registries.begin_update(
                registry.resource_group, registry.name, body, polling=False, raw_response_hook=hook
            ),
            operation="update container registry",
            resource=registry.text,
        )
        return accepted(answer)
