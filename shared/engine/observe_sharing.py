"""
Read the workspaces that share with a registry, and the storage accounts behind them.

Only when the policy says something about them. A workspace that cannot be read must not keep the registry from being
isolated, so every refusal becomes part of the view instead of ending the observation.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from shared.core.arm import ResourceId
from shared.core.errors import AccessDenied, Fate, RegistryIsolationError
from shared.core.policy import IsolationPolicy
from shared.core.registry import RegistryDocument, Target
from shared.core.sharing_view import SharingView, Unreadable, Workspace
from shared.engine.gather import all_of, both
from shared.engine.ports import ControlPlane
from shared.engine.retrying import Retrier

_PASSING = frozenset({Fate.RETRY_NOW, Fate.RETRY_LATER, Fate.OBSERVE_AGAIN})


async def observe_sharing(
    plane: ControlPlane, policy: IsolationPolicy, document: RegistryDocument, retrier: Retrier
) -> SharingView | None:
    """What sharing needs to know of the registry in *document*; None when the policy asks for no rules."""
    registry = document.target.id
    entries = policy.sharing_for(registry)
    if not entries and not policy.targets.storage.allow_resource_instances:
        return None
    workspaces = dict.fromkeys(workspace for entry in entries for workspace in entry.workspaces)
    named = [account for entry in entries for account in entry.storage_accounts]
    reading = _Reading(plane, retrier)
    tenant, read = await both(reading.tenant(document), all_of(reading.workspace(each) for each in workspaces))
    found = tuple(workspace for workspace in read if workspace)
    theirs = [workspace.storage_account for workspace in found if workspace.storage_account]
    accounts = await reading.accounts(dict.fromkeys([*theirs, *named]))
    return SharingView(tenant=tenant, workspaces=found, accounts=accounts, unreadable=tuple(reading.unreadable))


class _Reading:
    """Reads and notes down what cannot be read."""

    def __init__(self, plane: ControlPlane, retrier: Retrier) -> None:
        self._plane = plane
        self._retrier = retrier
        self.unreadable: list[Unreadable] = []

    async def tenant(self, document: RegistryDocument) -> str:
        """Of the registry's identity, else of its subscription."""
        if document.tenant:
            return document.tenant
        registry = document.target.id
        return await self._try(registry, lambda: self._plane.tenant_of(registry.subscription)) or ""

    async def workspace(self, workspace: ResourceId) -> Workspace | None:
        found = await self._existing(workspace, lambda: self._plane.read_workspace(workspace))
        if found is not None and found.storage_account is None:
            self._note(workspace, "Azure names no storage account for it.")
        return found

    async def accounts(self, accounts: Iterable[ResourceId]) -> dict[ResourceId, dict[str, Any]]:
        found = await all_of(self._account(account) for account in accounts)
        return {target.id: dict(target.network_settings) for target in found if target}

    async def _account(self, account: ResourceId) -> Target | None:
        return await self._existing(account, lambda: self._plane.read_storage_account(account))

    async def _existing[T](self, resource: ResourceId, read: Callable[[], Awaitable[T | None]]) -> T | None:
        before = len(self.unreadable)
        found = await self._try(resource, read)
        if found is None and not any(entry.id == resource for entry in self.unreadable[before:]):
            self._note(resource, "It does not exist.")
        return found

    async def _try[T](self, resource: ResourceId, read: Callable[[], Awaitable[T]]) -> T | None:
        try:
            return await self._retrier.call(read)
        except RegistryIsolationError as error:
            denied = isinstance(error, AccessDenied)
            self._note(resource, error.sentence, passing=error.fate in _PASSING and not denied, denied=denied)
            return None

    def _note(self, resource: ResourceId, problem: str, *, passing: bool = False, denied: bool = False) -> None:
        self.unreadable.append(Unreadable(id=resource, problem=problem, passing=passing, denied=denied))
