"""
The engine's control plane on Azure Resource Manager.

Composes one adapter per service and decides nothing itself. It never repeats a call and never waits for an operation;
the engine does both.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from shared.cloud.arm_client import ArmClient
from shared.cloud.container_registries import ContainerRegistries
from shared.cloud.deny_assignments import DenyAssignments
from shared.cloud.deployments import Deployments
from shared.cloud.discovery_service import DiscoveryService
from shared.cloud.network import PrivateEndpoints
from shared.cloud.private_dns import PrivateDns
from shared.cloud.progress import ProgressReader
from shared.cloud.registries import Registries
from shared.cloud.resource_groups import ResourceGroups
from shared.cloud.restoring import Restoring
from shared.cloud.security_groups import SecurityGroups
from shared.cloud.shared_starts import SharedStarts
from shared.cloud.shared_zones import SharedZones
from shared.cloud.storage_accounts import StorageAccounts
from shared.cloud.storage_rules import StorageRules
from shared.cloud.virtual_networks import VirtualNetworks
from shared.cloud.workspaces import Workspaces
from shared.core.arm import ResourceId
from shared.core.changes import (
    Change,
    ClosePublicAccess,
    CreateEndpoint,
    CreateZone,
    DeleteEndpoint,
    DeleteZoneGroup,
    LinkZone,
    PutZoneGroup,
    key_of,
)
from shared.core.denials import DenyAssignment
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.registry import (
    Address,
    GroupCandidate,
    PrivateEndpoint,
    RegistryDocument,
    Subnet,
    Target,
    TargetKind,
    Zone,
    ZoneGroup,
)
from shared.core.report import Done, Started
from shared.core.restore import RestoreSettings
from shared.core.security import EndpointPolicy, SecurityGroup
from shared.core.sharing_view import Workspace
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules
from shared.core.workspace_network import Deployment
from shared.engine.ports import Progress, ZoneQuery
from shared.engine.records import Operation

DEFAULT_REGISTRY_API_VERSION = "2025-06-01"


class ArmControlPlane:
    """
    `ControlPlane` on Azure.

    Args:
        arm: Access to the cloud; its credential and transport belong to the composition root.
        now: The clock, aware UTC: tells how long an accepted write may stay invisible.
        registry_api_version: Of Microsoft.MachineLearningServices; another one is used where it is not deployed.
        pace: Factor on how long Azure usually takes; less than 1 for a simulated one that is faster.
    """

    def __init__(
        self,
        *,
        arm: ArmClient,
        now: Callable[[], datetime],
        registry_api_version: str = DEFAULT_REGISTRY_API_VERSION,
        pace: float = 1.0,
    ) -> None:
        self._groups = ResourceGroups(arm)
        self._denials = DenyAssignments(arm)
        self._networks = VirtualNetworks(arm, now)
        self._endpoints = PrivateEndpoints(arm, now)
        self._dns = PrivateDns(arm)
        self._zones = SharedZones(self._dns, arm.throttle, now)
        self._starts = SharedStarts(now, pace)
        self._registries = Registries(arm, registry_api_version)
        self._storage_accounts = StorageAccounts(arm)
        self._container_registries = ContainerRegistries(arm)
        self._security_groups = SecurityGroups(arm)
        self._deployments = Deployments(arm)
        self._discovery = DiscoveryService(arm)
        self._storage_rules = StorageRules(arm)
        self._workspaces = Workspaces(arm)
        self._restoring = Restoring(
            arm=arm,
            registries=self._registries,
            storage_accounts=self._storage_accounts,
            container_registries=self._container_registries,
        )
        self._progress = ProgressReader(
            arm=arm,
            endpoints=self._endpoints,
            dns=self._dns,
            zones=self._zones,
            registries=self._registries,
            storage_accounts=self._storage_accounts,
            container_registries=self._container_registries,
            restoring=self._restoring,
            security_groups=self._security_groups,
            now=now,
        )

    async def read_registry(self, registry: ResourceId) -> RegistryDocument | None:
        """GET the registry."""
        return await self._registries.read(registry)

    async def list_group(self, group: ResourceId) -> tuple[ResourceId, ...] | None:
        """List the resources of a resource group; None when the group does not exist."""
        return await self._groups.resources(group)

    async def find_groups(self, subscription: str, prefix: str) -> tuple[GroupCandidate, ...]:
        """List the subscription's resource groups whose names start with *prefix*, compared without case."""
        return await self._groups.find(subscription, prefix)

    async def read_storage_account(self, account: ResourceId) -> Target | None:
        """GET a storage account."""
        return await self._storage_accounts.read(account)

    async def read_container_registry(self, registry: ResourceId) -> Target | None:
        """GET a container registry (without its replications)."""
        return await self._container_registries.read(registry)

    async def pending_replications(self, registry: ResourceId) -> tuple[str, ...]:
        """Regions whose replication is not Succeeded."""
        return await self._container_registries.pending_replications(registry)

    async def required_zones(self, target: Target) -> Mapping[str, tuple[str, ...]]:
        """Group id to `requiredZoneNames` of the target's private link resources; empty where nobody may ask."""
        match target.kind:
            case TargetKind.REGISTRY:
                return await self._registries.link_resources(target.id)
            case TargetKind.STORAGE:
                return await self._storage_accounts.link_resources(target.id)
            case TargetKind.ACR:
                # The right to read these is in no list of Azure's, and a role that names such a right cannot be created.
                return {}

    async def read_subnet(self, subnet: ResourceId, since: datetime | None = None) -> Subnet | None:
        """Read the subnet and the region of its virtual network; None when either does not exist."""
        return await self._networks.read_subnet(subnet, since)

    async def list_endpoints(
        self, group: ResourceId, known: Sequence[ResourceId], since: datetime | None = None
    ) -> tuple[PrivateEndpoint, ...]:
        """Read the private endpoints of a resource group; only the *known* ones where it was seen to be large."""
        return await self._endpoints.list(group, known, since)

    async def read_addresses(
        self, interfaces: Sequence[ResourceId], since: datetime | None = None
    ) -> Mapping[ResourceId, tuple[Address, ...]]:
        """Read the private addresses of network interfaces; one that does not exist is absent."""
        return await self._networks.read_addresses(interfaces, since)

    async def read_zone_group(self, endpoint: ResourceId) -> ZoneGroup | None:
        """Read an endpoint's private DNS zone group."""
        return await self._endpoints.read_zone_group(endpoint)

    async def read_zones(self, queries: Sequence[ZoneQuery]) -> Mapping[ResourceId, Zone]:
        """Read zones; every query has an answer, `exists` False where there is no such zone."""
        merged: dict[ResourceId, ZoneQuery] = {}
        for query in queries:
            same = merged.get(query.zone, query)
            records = tuple(dict.fromkeys((*same.records, *query.records)))
            merged[query.zone] = ZoneQuery(
                zone=query.zone,
                records=records,
                links=same.links or query.links,
                since=_later(same.since, query.since),
                links_since=_later(same.links_since, query.links_since),
            )
        zones = await self._zones.read_all(tuple(merged.values()))
        return dict(zip(merged, zones, strict=True))

    async def zones_due(self, zones: Sequence[ResourceId], since: datetime) -> datetime | None:
        """When the next shared read of *zones* is due for one who needs them as they were after *since*; None for now."""
        return self._zones.due(zones, since)

    async def read_denials(self, group: ResourceId) -> tuple[DenyAssignment, ...]:
        """Read the deny assignments that apply at a resource group, those above it included."""
        return await self._denials.list(group)

    async def read_security_group(self, group: ResourceId) -> SecurityGroup | None:
        """Read a network security group with its own rules, without Azure's default ones."""
        return await self._security_groups.read_group(group)

    async def read_endpoint_policy(self, policy: ResourceId) -> EndpointPolicy | None:
        """Read a service endpoint policy with its definitions."""
        return await self._security_groups.read_policy(policy)

    async def read_workspace(self, workspace: ResourceId) -> Workspace | None:
        """GET a machine learning workspace."""
        return await self._workspaces.read(workspace)

    async def tenant_of(self, subscription: str) -> str:
        """The tenant of a subscription; "" if Azure does not say."""
        return await self._workspaces.tenant_of(subscription)

    async def open_deployments(self, workspace: ResourceId) -> tuple[Deployment, ...]:
        """Read a workspace's managed online deployments whose way out is not closed."""
        return await self._deployments.read_open(workspace)

    async def discover(self, registry: ResourceId, url: str) -> Mapping[str, str]:
        """Region to host name of the registry's data plane, as the discovery service at *url* says."""
        return await self._discovery.fqdns(registry, url)

    async def start(self, change: Change) -> Started | Done:  # noqa: C901 -- one line for each kind of change
        """Begin *change* and return as soon as Azure has accepted it."""
        match change:
            case CreateZone():
                return await self._starts.once(change, lambda: self._dns.create_zone(change))
            case LinkZone():
                return await self._starts.once(change, lambda: self._dns.link_zone(change))
            case CreateEndpoint():
                return await self._endpoints.put(change)
            case DeleteEndpoint():
                return await self._endpoints.delete(change)
            case PutZoneGroup():
                return await self._endpoints.put_zone_group(change)
            case DeleteZoneGroup():
                return await self._endpoints.delete_zone_group(change)
            case ClosePublicAccess():
                return await self._close(change)
            case AllowEgress():
                return await self._security_groups.put_rule(change)
            case AllowSystemRegistry():
                return await self._security_groups.put_definition(change)
            case AddResourceRules():
                return await self._storage_rules.add(change)
            case RestoreSettings():
                return await self._restoring.start(change)
            case RemoveResourceRules():
                return await self._storage_rules.remove(change)

    async def progress(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Tell how *operations* are doing, by change key."""
        told = await self._progress.read(operations)
        self._starts.note({key_of(operation.change): operation for operation in operations}, told)
        return told

    async def _close(self, change: ClosePublicAccess) -> Started | Done:
        match change.target_kind:
            case TargetKind.REGISTRY:
                return await self._registries.close(change.target)
            case TargetKind.STORAGE:
                return await self._storage_accounts.close(change.target)
            case TargetKind.ACR:
                return await self._container_registries.close(change.target)


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    """The stricter of two demands; None demands most."""
    return max(first, second) if first is not None and second is not None else None
