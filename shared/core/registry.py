"""
What Azure says about one registry and everything around it, as values.

Filled by `engine.observe` from the control plane, read by the planner. Nothing here knows how it was read. Where
Azure's services spell the same thing differently (connection state keys, casing, absent lists), the cloud room has
already normalised it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.core.arm import ResourceId
from shared.core.denials import Denials
from shared.core.security import WayOut
from shared.core.sharing_view import SharingView
from shared.core.workspace_network import WorkspaceNetwork

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
"""A JSON value as the standard library parses it."""

REGISTRY_TYPE = "Microsoft.MachineLearningServices/registries"
STORAGE_TYPE = "Microsoft.Storage/storageAccounts"
ACR_TYPE = "Microsoft.ContainerRegistry/registries"
ENDPOINT_TYPE = "Microsoft.Network/privateEndpoints"
INTERFACE_TYPE = "Microsoft.Network/networkInterfaces"
ZONE_TYPE = "Microsoft.Network/privateDnsZones"
RECORD_TYPE = "Microsoft.Network/privateDnsZones/A"


class TargetKind(StrEnum):
    """The three kinds of resources that a registry consists of."""

    REGISTRY = "registry"
    STORAGE = "storage"
    ACR = "acr"


class Access(StrEnum):
    """Whether the public endpoint answers; `publicNetworkAccess` in every one of the three services."""

    OPEN = "open"
    CLOSED = "closed"


class ConnectionStatus(StrEnum):
    """`privateLinkServiceConnectionState.status` of Microsoft.Network, Storage, ContainerRegistry and ML."""

    APPROVED = "Approved"
    PENDING = "Pending"
    REJECTED = "Rejected"
    DISCONNECTED = "Disconnected"
    TIMEOUT = "Timeout"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A private endpoint connection as the target sees it; *endpoint* is None where the service hides it."""

    endpoint: ResourceId | None
    status: ConnectionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    A resource whose public endpoint is to be closed.

    Attributes:
        access: OPEN unless `publicNetworkAccess` says otherwise; an absent member means enabled (recorded of Storage).
        provisioning: `provisioningState`, "" for a registry, which has none.
        sku: `sku.name`, e.g. "Premium".
        network_settings: The members a snapshot must hold to restore the resource, as read.
        replicas_pending: Regions whose ACR replication is not Succeeded; () elsewhere.
    """

    kind: TargetKind
    id: ResourceId
    location: str
    access: Access
    provisioning: str = ""
    sku: str = ""
    connections: tuple[Connection, ...] = ()
    network_settings: Mapping[str, Json] = field(default_factory=dict)
    replicas_pending: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryRegion:
    """One entry of `regionDetails`; ids may be missing while Azure still creates them."""

    location: str
    storage_accounts: tuple[ResourceId, ...]
    container_registries: tuple[ResourceId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryDocument:
    """
    The registry's own GET.

    Attributes:
        managed_group: `managedResourceGroup.resourceId`, None while it is not populated.
        complete: Every region names its storage and its ACR.
        tags: As read; used by scope rules only.
        tenant: Of its identity; "" if it has none.
        discovery_url: Address of the service that knows its data plane; "" if Azure names none.
    """

    target: Target
    managed_group: ResourceId | None
    regions: tuple[RegistryRegion, ...]
    complete: bool
    tags: Mapping[str, str] = field(default_factory=dict)
    tenant: str = ""
    discovery_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCandidate:
    """A resource group that could be a registry's managed group, with its `managedBy`."""

    id: ResourceId
    managed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConnection:
    """A connection as the private endpoint sees it; *manual* ones wait for an approval by a person."""

    target: ResourceId
    groups: tuple[str, ...]
    status: ConnectionStatus
    description: str = ""
    manual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One private address of an endpoint and the public names that must resolve to it."""

    ip: str
    fqdns: tuple[str, ...]
    member: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateEndpoint:
    """
    A private endpoint in one of the policy's subnets.

    Attributes:
        state: `provisioningState`.
        interfaces: Its network interfaces; filled in the first answer already (recorded).
        addresses: From its network interfaces; None when they were not read.
    """

    id: ResourceId
    location: str
    subnet: ResourceId
    state: str
    connections: tuple[EndpointConnection, ...]
    interfaces: tuple[ResourceId, ...] = ()
    addresses: tuple[Address, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneGroup:
    """
    The private DNS zone group of an endpoint (Azure allows one).

    Attributes:
        name: Its name; the app uses `default`.
        zones: Configuration name to zone.
        records: Public name to addresses, as the platform reports having written them.
    """

    name: str
    state: str
    zones: Mapping[str, ResourceId]
    records: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLink:
    """A virtual network link of a zone; *state* is `virtualNetworkLinkState`, else `provisioningState`."""

    id: ResourceId
    network: ResourceId
    state: str

    @property
    def ready(self) -> bool:
        """Names resolve in the linked network."""
        return self.state.lower() in {"completed", "succeeded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """
    A private DNS zone as far as it was read.

    Attributes:
        links: None when not read.
        records: Record name, lower case, to addresses, for the names that were asked for; absent = no such record.
    """

    id: ResourceId
    exists: bool
    links: tuple[ZoneLink, ...] | None = None
    records: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """
    Where endpoints go.

    Attributes:
        location: Region of the virtual network, which is the region of every endpoint in it.
        delegation: Service the subnet is delegated to, "" for none (endpoints are not allowed in a delegated subnet).
        free_addresses: What is left of the prefix after Azure's own five and those in use; None when unknown.
    """

    id: ResourceId
    location: str
    delegation: str = ""
    free_addresses: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkView:
    """
    What was read in one network of the policy.

    Attributes:
        name: The policy's name of the network.
        subnet: None when not read (nothing had to be created) or `subnet_problem` says why.
        endpoints: Those that touch one of the registry's targets, whoever made them.
        zones: By zone name, lower case; only zones that matter to the registry's endpoints.
        zone_groups: By endpoint key; only read where records are not right yet.
        taken: Endpoints under names that the app would use here, and that lead to something else.
    """

    name: str
    endpoints: tuple[PrivateEndpoint, ...] = ()
    subnet: Subnet | None = None
    subnet_problem: str = ""
    zones: Mapping[str, Zone] = field(default_factory=dict)
    zone_groups: Mapping[str, ZoneGroup | None] = field(default_factory=dict)
    taken: frozenset[ResourceId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """
    One registry, wholly observed.

    Attributes:
        targets: The registry first, then its storage accounts, then its container registry; each id once.
        required_zones: Group id to zone names, from the targets' private link resources; empty when nobody had to know.
        unlisted: Resources that the registry names but its managed group does not hold, or the other way round.
        left_over: Endpoints that the app made for it and that lead to nothing any more.
        absent: Endpoints that the ledger names as the app's, and that are not where they should be.
        denials: Deny assignments that reach the managed group; None when they do not matter.
        ways_out: Of the policy's `egress` entries for it.
        workspaces: Networks of the workspaces that share with it; () while it is open.
        sharing: Workspaces and storage that share with it; None when the policy asks nothing of them.
    """

    document: RegistryDocument
    managed_group: ResourceId
    targets: tuple[Target, ...]
    networks: tuple[NetworkView, ...]
    required_zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()
    left_over: tuple[PrivateEndpoint, ...] = ()
    absent: tuple[ResourceId, ...] = ()
    denials: Denials | None = None
    ways_out: tuple[WayOut, ...] = ()
    workspaces: tuple[WorkspaceNetwork, ...] = ()
    sharing: SharingView | None = None

    @property
    def id(self) -> ResourceId:
        """The registry's ARM id."""
        return self.document.target.id

    def network(self, name: str) -> NetworkView:
        """The view of the policy network called *name*; empty when nothing was read there."""
        return next((view for view in self.networks if view.name == name), NetworkView(name=name))
