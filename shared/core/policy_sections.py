"""
The sections of the policy file, one model each.

Models only: what one section can say wrong is refused here, what two sections can contradict each other about in
`core.policy`. The text under a field is its documentation, in the editor's schema and in the policy reference alike.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from shared.core.arm import ResourceId
from shared.core.policy_values import (
    Count,
    Day,
    EndpointPolicyId,
    Flag,
    GroupId,
    InstanceId,
    NamePattern,
    NamePatterns,
    RegionPatterns,
    Section,
    SecurityGroupId,
    StorageAccountId,
    SubnetId,
    SubscriptionId,
    Words,
    WorkspaceId,
    distinct,
    matches,
    matches_region,
    overlap,
)
from shared.core.registry import TargetKind

PublicAccess = Literal["disabled", "keep"]
StorageSubresource = Literal["blob", "blob_secondary", "dfs", "dfs_secondary", "file", "queue", "table"]

_ALL = ("*",)


class RegistryNames(Section):
    """Registries by name."""

    include: NamePatterns = _ALL
    """Patterns with `*` and `?`, compared without case; a registry must fit one of them."""

    exclude: Annotated[tuple[NamePattern, ...], AfterValidator(distinct)] = ()
    """Patterns of registries that are left alone even if `include` names them."""


class Tags(Section):
    """Registries by tag; names are compared without case, as Azure does, values exactly, and `*` is any value."""

    include: Mapping[str, str] = {}
    """Tags that a registry must carry, all of them; none means any registry."""

    exclude: Mapping[str, str] = {}
    """Tags of which a single one is enough to leave a registry alone."""


class Scope(Section):
    """Which registries are looked after at all."""

    subscriptions: Annotated[tuple[SubscriptionId, ...], Field(min_length=1), AfterValidator(distinct)]
    """Subscription ids; registries of any other subscription are ignored."""

    registries: RegistryNames = RegistryNames()
    """Which names, by default all."""

    tags: Tags = Tags()
    """Which tags, by default any."""


class Serves(Section):
    """Which registries get their endpoints in a network."""

    registries: NamePatterns = _ALL
    """Patterns of registry names."""

    regions: RegionPatterns = _ALL
    """Patterns of Azure regions; it is enough that one region of the registry fits."""

    def meets(self, other: "Serves") -> bool:
        """Tell whether a registry may exist that both serve."""
        return overlap(self.registries, other.registries) and overlap(self.regions, other.regions)


class Dns(Section):
    """Where the names of the endpoints live."""

    manage: Flag = True
    """
    Whether the app attaches private DNS zones to its endpoints. With false, somebody else does (an Azure Policy,
    another team), and the app only waits until the names resolve.
    """

    zones_resource_group: GroupId | None = None
    """Resource group that holds, or shall hold, the private DNS zones. Needed unless `manage` is false."""

    create_zones: Flag = True
    """Whether a zone that does not exist is created."""

    link_vnet: Flag = True
    """Whether a zone that is not linked to the virtual network is linked."""

    @model_validator(mode="after")
    def _knows_where(self) -> Self:
        if self.manage and self.zones_resource_group is None:
            raise ValueError("zones_resource_group is needed, or manage: false if somebody else manages the names")
        if not self.manage and self.zones_resource_group is not None:
            raise ValueError("zones_resource_group means nothing with manage: false")
        return self


class Network(Section):
    """A subnet that receives endpoints."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
    """How reports call it; unique in the file."""

    subnet: SubnetId
    """Subnet id. All endpoints of one registry for this network go into this one subnet, in its network's region."""

    endpoints_resource_group: GroupId | None = None
    """Resource group of the endpoints; by default the virtual network's."""

    serves: Serves = Serves()
    """Which registries, by default all."""

    dns: Dns
    """Where the endpoints' names live."""

    @property
    def vnet_id(self) -> ResourceId:
        """The virtual network of the subnet."""
        return self.subnet.parent

    @property
    def endpoints_group(self) -> ResourceId:
        """The resource group that holds this network's endpoints."""
        return self.endpoints_resource_group or self.subnet.group

    def serves_registry(self, name: str, regions: tuple[str, ...]) -> bool:
        """Tell whether endpoints of the registry called *name* in *regions* belong here."""
        return matches(self.serves.registries, name) and matches_region(self.serves.regions, regions)


class Target(Section):
    """What happens to one kind of resource."""

    endpoint: Flag = True
    """Whether private endpoints are created for it."""

    public_access: PublicAccess = "disabled"
    """`disabled` closes public network access as `lockdown` says; `keep` leaves it as it is."""


class StorageTarget(Target):
    """What happens to the registry's storage accounts."""

    subresources: Annotated[tuple[StorageSubresource, ...], Field(min_length=1), AfterValidator(distinct)] = ("blob",)
    """Group ids that get an endpoint each. `blob` always; add `dfs` for hierarchical namespaces."""

    allow_resource_instances: Annotated[tuple[InstanceId, ...], AfterValidator(distinct)] = ()
    """
    Resource ids that are let into the registry's storage accounts by a resource instance rule, which stays effective while
    public access is disabled. Of the registry's own tenant.
    """

    @model_validator(mode="after")
    def _reaches_blobs(self) -> Self:
        if "blob" not in self.subresources:
            raise ValueError("subresources must contain blob: a registry's assets are blobs")
        return self


class Targets(Section):
    """What happens to each of the three kinds of resources that a registry consists of."""

    registry: Target = Target()
    """The registry itself."""

    storage: StorageTarget = StorageTarget()
    """Every storage account of the registry."""

    acr: Target = Target()
    """The container registry (Premium only)."""


class Lockdown(Section):
    """When public access is closed."""

    when: Literal["verified", "immediately", "never"] = "verified"
    """
    `verified` closes once every endpoint is approved and every name has its record; `immediately` does not wait and
    cuts clients off until then; `never` only builds the private way in.
    """

    rollback_on_failure: Flag = True
    """Whether what was closed is opened again if the endpoints break while the closing is being verified."""

    propagation_minutes: Annotated[Count, Field(ge=0, le=120)] = 15
    """How long Azure may take to close storage and container registry by itself before the app does it. Minutes."""


class Sharing(Section):
    """Workspaces that share assets with registries, whose storage must let the registries in."""

    registries: NamePatterns
    """Patterns of registry names."""

    workspaces: Annotated[tuple[WorkspaceId, ...], AfterValidator(distinct)] = ()
    """Workspace ids; their storage account is looked up."""

    storage_accounts: Annotated[tuple[StorageAccountId, ...], AfterValidator(distinct)] = ()
    """Storage account ids, where a workspace cannot be read."""

    public_access: Literal["keep", "selected-networks"] = "keep"
    """
    `keep` adds the rule and nothing else: rules stay effective while public access is disabled. `selected-networks`
    also switches the account to enabled from selected networks.
    """

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not (self.workspaces or self.storage_accounts):
            raise ValueError("workspaces or storage_accounts is needed")
        return self


class Egress(Section):
    """Outbound rules for workspaces that use public registries from a closed network."""

    registries: NamePatterns
    """Patterns of registry names; the rules name the regions of those registries."""

    nsg: SecurityGroupId
    """Network security group that gets the rules."""

    service_endpoint_policy: EndpointPolicyId | None = None
    """Service endpoint policy of the clients' subnet, which must allow Microsoft's system registry by its alias."""

    mode: Literal["audit", "enforce"] = "audit"
    """`audit` reports what is missing, `enforce` adds it."""

    priority_from: Annotated[Count, Field(ge=100, le=4096)] = 3000
    """Lowest priority number that the app may use; it takes the next free ones. Azure allows 100 to 4096."""


class Exemption(Section):
    """An exception that somebody answers for, until a day."""

    registry: NamePattern
    """Pattern of registry names."""

    targets: Annotated[tuple[TargetKind, ...], Field(min_length=1), AfterValidator(distinct)] = tuple(TargetKind)
    """Which kinds of resources are left as they are; by default all three."""

    reason: Words
    """Why, for the report."""

    owner: Words
    """Whom to ask, for the report."""

    expires: Day
    """Last day on which the exemption holds."""


class Deletion(Section):
    """What happens after a registry was deleted."""

    grace_minutes: Annotated[Count, Field(ge=0, le=10_080)] = 30
    """How long a registry must be gone before anything made for it is removed. Minutes, at most a week."""

    endpoints: Flag = True
    """Whether endpoints that the app made are deleted."""

    resource_rules: Flag = True
    """Whether storage rules that the app added are removed."""


class Limits(Section):
    """Brakes: more than this needs a person."""

    changes_per_registry: Annotated[Count, Field(gt=0, le=1000)] = 60
    """Most changes of one plan."""

    registries_per_sweep: Annotated[Count, Field(gt=0, le=100_000)] = 500
    """Most registries that one sweep hands to the queue."""
