"""
A control plane that answers from one observed registry and writes down every call.

Two of them: `ScriptedPlane` changes nothing by itself, so a test says exactly what Azure says next; `ObedientPlane` does
what it is told, as the perfect Azure of the planner's tests does. Both play `engine.ports.ControlPlane`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.arm import ResourceId
from shared.core.changes import Change, key_of
from shared.core.denials import DenyAssignment
from shared.core.policy import IsolationPolicy
from shared.core.registry import (
    Address,
    GroupCandidate,
    NetworkView,
    PrivateEndpoint,
    Registry,
    RegistryDocument,
    Subnet,
    Target,
    TargetKind,
    Zone,
    ZoneGroup,
)
from shared.core.report import Done, Started
from shared.core.security import EndpointPolicy, SecurityGroup
from shared.core.sharing_view import Workspace
from shared.core.workspace_network import Deployment
from shared.engine.ports import Clock, Progress, ProgressState, ZoneQuery
from shared.engine.records import Operation
from tests.core.perfect_azure import World, obey
from tests.core.worlds import ZONES

RUNNING = Progress(state=ProgressState.RUNNING)
SUCCEEDED = Progress(state=ProgressState.SUCCEEDED)


class ScriptedPlane:
    """
    Azure as one value.

    Attributes:
        registry: What Azure holds; None: 404.
        group_exists: Whether the managed resource group can be listed.
        candidates: Resource groups that look like the managed one.
        starts: Kind of change to what starting one gives; Started otherwise.
        ends: Key of a change to its operation's progress; RUNNING otherwise.
        zones_turn: When the next shared read of zones is due; None: at once.
        sinces: From when on answers would do, by call.
        zone_turns: Who asked for a turn: the zones and since when.
        calls: Every call: its name and what it was about.
        at_once, most_at_once: Calls in flight.
    """

    def __init__(self, registry: Registry | None, clock: Clock) -> None:
        self.registry = registry
        self.group_exists = True
        self.zones_turn: datetime | None = None
        self.sinces: list[tuple[str, datetime | None]] = []
        self.zone_turns: list[tuple[tuple[ResourceId, ...], datetime]] = []
        self.candidates: tuple[GroupCandidate, ...] = ()
        self.starts: dict[str, Started | Done] = {}
        self.ends: dict[str, Progress] = {}
        self.calls: list[tuple[str, object]] = []
        self.at_once = 0
        self.most_at_once = 0
        self._clock = clock
        self._failures: dict[str, list[Exception]] = {}
        self._takes: dict[str, timedelta] = {}

    def fail(self, call: str, *errors: Exception) -> None:
        """Let the next calls called *call* (`start put-zone-group` for one kind of change) raise *errors*, one each."""
        self._failures.setdefault(call, []).extend(errors)

    def take(self, call: str, duration: timedelta) -> None:
        """Let every call called *call* last *duration*."""
        self._takes[call] = duration

    def asked(self, call: str) -> list[object]:
        """What calls called *call* were about, in order."""
        return [about for name, about in self.calls if name == call]

    @property
    def started(self) -> list[str]:
        """Kinds of the changes that were tried, in order."""
        return [name.removeprefix("start ") for name, _ in self.calls if name.startswith("start ")]

    @property
    def truth(self) -> Registry:
        assert self.registry is not None
        return self.registry

    @property
    def _views(self) -> tuple[NetworkView, ...]:
        return self.registry.networks if self.registry else ()

    async def _called(self, call: str, about: object) -> None:
        self.calls.append((call, about))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            await self._clock.sleep(self._takes.get(call, timedelta()))
        finally:
            self.at_once -= 1
        if self._failures.get(call):
            raise self._failures[call].pop(0)

    # --- reads --------------------------------------------------------------------------------------------------------

    async def read_registry(self, registry: ResourceId) -> RegistryDocument | None:
        await self._called("read_registry", registry)
        return self.registry.document if self.registry else None

    async def list_group(self, group: ResourceId) -> tuple[ResourceId, ...] | None:
        await self._called("list_group", group)
        return tuple(target.id for target in self.truth.targets[1:]) if self.group_exists else None

    async def find_groups(self, subscription: str, prefix: str) -> tuple[GroupCandidate, ...]:
        await self._called("find_groups", (subscription, prefix))
        return self.candidates

    async def read_storage_account(self, account: ResourceId) -> Target | None:
        await self._called("read_storage_account", account)
        return self._target(account)

    async def read_container_registry(self, registry: ResourceId) -> Target | None:
        await self._called("read_container_registry", registry)
        found = self._target(registry)
        return replace(found, replicas_pending=()) if found else None

    async def pending_replications(self, registry: ResourceId) -> tuple[str, ...]:
        await self._called("pending_replications", registry)
        found = self._target(registry)
        return found.replicas_pending if found else ()

    async def required_zones(self, target: Target) -> Mapping[str, tuple[str, ...]]:
        await self._called("required_zones", target.id)
        group = {TargetKind.REGISTRY: "amlregistry", TargetKind.STORAGE: "blob", TargetKind.ACR: "registry"}[
            target.kind
        ]
        return {group: ZONES[group]}

    async def read_subnet(self, subnet: ResourceId, since: datetime | None = None) -> Subnet | None:
        self.sinces.append(("read_subnet", since))
        await self._called("read_subnet", subnet)
        return next((view.subnet for view in self._views if view.subnet and view.subnet.id == subnet), None)

    async def list_endpoints(
        self, group: ResourceId, known: Sequence[ResourceId], since: datetime | None = None
    ) -> tuple[PrivateEndpoint, ...]:
        self.sinces.append(("list_endpoints", since))
        await self._called("list_endpoints", (group, tuple(known)))
        held = {endpoint.id: endpoint for view in self._views for endpoint in view.endpoints}
        return tuple(
            replace(endpoint, addresses=None, interfaces=(_interface(endpoint),))
            for endpoint in held.values()
            if endpoint.id.group == group
        )

    async def read_addresses(
        self, interfaces: Sequence[ResourceId], since: datetime | None = None
    ) -> Mapping[ResourceId, tuple[Address, ...]]:
        self.sinces.append(("read_addresses", since))
        await self._called("read_addresses", tuple(interfaces))
        held = [endpoint for view in self._views for endpoint in view.endpoints]
        found = {_interface(endpoint): endpoint.addresses or () for endpoint in held}
        return {interface: found[interface] for interface in interfaces if interface in found}

    async def read_zone_group(self, endpoint: ResourceId) -> ZoneGroup | None:
        await self._called("read_zone_group", endpoint)
        groups = [view.zone_groups[endpoint.key] for view in self._views if endpoint.key in view.zone_groups]
        return groups[0] if groups else None

    async def read_zones(self, queries: Sequence[ZoneQuery]) -> Mapping[ResourceId, Zone]:
        await self._called("read_zones", tuple(queries))
        held = {zone.id: zone for view in self._views for zone in view.zones.values()}
        found = {}
        for query in queries:
            zone = held.get(query.zone, Zone(id=query.zone, exists=False))
            records = {name: zone.records[name] for name in query.records if name in zone.records}
            found[query.zone] = replace(zone, records=records, links=zone.links if query.links else None)
        return found

    async def zones_due(self, zones: Sequence[ResourceId], since: datetime) -> datetime | None:
        await asyncio.sleep(0)
        self.zone_turns.append((tuple(zones), since))
        return self.zones_turn

    async def read_denials(self, group: ResourceId) -> tuple[DenyAssignment, ...]:
        await self._called("read_denials", group)
        return self.truth.denials.assignments if self.truth.denials else ()

    async def read_security_group(self, group: ResourceId) -> SecurityGroup | None:
        await self._called("read_security_group", group)
        return next((way.group for way in self.truth.ways_out if way.nsg == group), None)

    async def read_endpoint_policy(self, policy: ResourceId) -> EndpointPolicy | None:
        await self._called("read_endpoint_policy", policy)
        return next((way.policy for way in self.truth.ways_out if way.policy and way.policy.id == policy), None)

    async def read_workspace(self, workspace: ResourceId) -> Workspace | None:
        await self._called("read_workspace", workspace)
        return self.truth.sharing.workspace(workspace) if self.truth.sharing else None

    async def tenant_of(self, subscription: str) -> str:
        await self._called("tenant_of", subscription)
        return self.truth.sharing.tenant if self.truth.sharing else ""

    async def open_deployments(self, workspace: ResourceId) -> tuple[Deployment, ...]:
        await self._called("open_deployments", workspace)
        return next((seen.open_deployments for seen in self.truth.workspaces if seen.workspace == workspace), ())

    async def discover(self, registry: ResourceId, url: str) -> Mapping[str, str]:
        await self._called("discover", (registry, url))
        return {region.location: f"{region.location}.example" for region in self.truth.document.regions}

    # --- writes -------------------------------------------------------------------------------------------------------

    async def start(self, change: Change) -> Started | Done:
        await self._called(f"start {change.kind}", change)
        return self.starts.get(change.kind, Started())

    async def progress(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        keys = tuple(key_of(operation.change) for operation in operations)
        await self._called("progress", keys)
        return {key: self.ends.get(key, RUNNING) for key in keys}

    def _target(self, target: ResourceId) -> Target | None:
        return next((found for found in self.truth.targets if found.id == target), None)


class ObedientPlane(ScriptedPlane):
    """An Azure that does what it is told: a write takes effect at once, its operation ends when it is asked after."""

    def __init__(self, registry: Registry, policy: IsolationPolicy, clock: Clock) -> None:
        super().__init__(registry, clock)
        self._policy = policy

    async def start(self, change: Change) -> Started | Done:
        answer = await super().start(change)
        self.registry = obey(World(registry=self.truth, policy=self._policy), [change]).registry
        return answer

    async def progress(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        return dict.fromkeys(await super().progress(operations), SUCCEEDED)


def _interface(endpoint: PrivateEndpoint) -> ResourceId:
    return endpoint.id.resource("Microsoft.Network/networkInterfaces", f"{endpoint.id.name}-nic")
