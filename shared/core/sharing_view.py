"""What was read of the workspaces that share with a registry, and of their storage accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.core.arm import ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """
    A workspace, as far as sharing goes.

    Attributes:
        storage_account: Its default storage account; None while the workspace has none.
        endpoints: Private endpoints that are connected to it.
        managed_outbound: Its managed network decides what its computes and deployments may call.
    """

    id: ResourceId
    storage_account: ResourceId | None
    endpoints: tuple[ResourceId, ...] = ()
    managed_outbound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """
    Something that the policy names and that could not be read.

    Attributes:
        problem: Why, as a sentence.
        passing: It may work in a moment.
        denied: Azure refused it, as it also does for some minutes after a role was assigned.
    """

    id: ResourceId
    problem: str
    passing: bool = False
    denied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingView:
    """
    What sharing needs to know.

    Attributes:
        tenant: The registry's tenant, "" if nobody told.
        workspaces: Those that were read.
        accounts: Properties of the storage accounts, as read.
        unreadable: The rest.
    """

    tenant: str = ""
    workspaces: tuple[Workspace, ...] = ()
    accounts: Mapping[ResourceId, Mapping[str, Any]] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()

    def workspace(self, wanted: ResourceId) -> Workspace | None:
        """The workspace *wanted* if it was read."""
        return next((workspace for workspace in self.workspaces if workspace.id == wanted), None)
