"""
The meeting point of private endpoints and the resources they lead to.

Microsoft.Network owns the endpoint, the target's provider owns the connection on the target. A provider registers one
`PrivateLinkTarget` per resource type in `Kernel.link_targets`, under the lower-cased type; the network provider calls
it. In the other direction a provider calls `Kernel.links.state_changed(...)` when somebody approves or rejects on the
target, and `Kernel.links.members_changed(...)` when the target gains or loses members.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from local.simulator.world import Resource

if TYPE_CHECKING:
    from local.simulator.kernel import Kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMember:
    """One address that an endpoint needs: NIC configurations are made one per member."""

    name: str
    """requiredMemberName, for example "blob" or "registry_data_westeurope"."""
    fqdns: tuple[str, ...]
    """Public names that lead to it, for example ("account.blob.core.windows.net",)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkGroup:
    """A group id of a target (`blob`, `registry`, `amlregistry`)."""

    name: str
    members: tuple[LinkMember, ...]
    zones: tuple[str, ...]
    """requiredZoneNames, for example ("privatelink.blob.core.windows.net",)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkConnection:
    """One connection as the target sees it. Identified by the endpoint's id."""

    endpoint_id: str
    endpoint_name: str
    connection_id: str
    """GUID; targets name the connection "{endpoint or target}.{guid}" in their own manner."""
    groups: tuple[str, ...]
    subnet_id: str
    location: str
    """The endpoint's region."""
    status: str
    """Approved (the caller held the approval action) or Pending (manual)."""
    description: str
    request_message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateLinkTarget:
    """What a provider tells about one resource type."""

    type: str
    """For example "Microsoft.Storage/storageAccounts"."""
    approval_action: str
    """RBAC action for automatic approval, ".../privateEndpointConnectionsApproval/action"."""
    groups: Callable[["Kernel", Resource], Sequence[LinkGroup]]
    """The target's groups now. Raise ArmError when an endpoint cannot be made at the moment."""
    connect: Callable[["Kernel", Resource, LinkConnection], None]
    """Add the connection to the target, or update it when the endpoint already has one there."""
    disconnect: Callable[["Kernel", Resource, str], None]
    """The endpoint (second argument: its id) is gone: remove its connection from the target."""


class Links(Protocol):
    """The network side, implemented by the private endpoints' provider and reached as `Kernel.links`."""

    def state_changed(self, target_id: str, endpoint_id: str, status: str, description: str) -> None:
        """Somebody set the connection on the target to Approved, Rejected, Pending or Disconnected."""

    def members_changed(self, target_id: str) -> None:
        """The target's members differ now: addresses and records of its endpoints follow."""
