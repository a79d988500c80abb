"""
What the engine needs from the outside, as roles.

The cloud room plays them on Azure, `local.memory` in memory; one contract test suite holds both to this page.
Implementers **must** raise only members of the error tree in `core.errors` (and let bugs be bugs), **must not** retry
(`engine.retrying` owns that) and **must not** wait for a long operation.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.core.arm import ResourceId
from shared.core.changes import Change
from shared.core.denials import DenyAssignment
from shared.core.errors import RegistryIsolationError
from shared.core.registry import (
    Address,
    GroupCandidate,
    PrivateEndpoint,
    RegistryDocument,
    Subnet,
    Target,
    Zone,
    ZoneGroup,
)
from shared.core.report import Done, Started
from shared.core.requests import WorkMessage
from shared.core.security import EndpointPolicy, SecurityGroup
from shared.core.sharing_view import Workspace
from shared.core.workspace_network import Deployment
from shared.engine.records import HistoryEntry, LedgerRow, LedgerSummary, Operation


class Clock(Protocol):
    """The one source of time; tests give a virtual one."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Suspend the caller; must return at once for a duration of zero or less."""
        ...


class ProgressState(StrEnum):
    """What an operation says of itself."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """An operation's state, with the error that ended it when FAILED."""

    state: ProgressState
    error: RegistryIsolationError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneQuery:
    """
    Which record names of a zone to read (() reads none), and whether its links matter.

    Attributes:
        since: The records must have been read no earlier; None: they must be read for this very question.
        links_since: The same for the links.
    """

    zone: ResourceId
    records: tuple[str, ...] = ()
    links: bool = False
    since: datetime | None = field(default=None, compare=False)
    links_since: datetime | None = field(default=None, compare=False)


class ControlPlane(Protocol):
    """
    Azure Resource Manager as far as this product touches it.

    Reads **must** answer from Azure at the moment of the call, **must** normalise casing and missing lists, and
    **must** follow every page. A 404 of the thing asked for is None (or an absent key), any other refusal an
    error of the tree. Where a question has a *since*, one read *may* answer several askers, if it began no earlier.
    """

    async def read_registry(self, registry: ResourceId) -> RegistryDocument | None:
        """GET the registry."""
        ...

    async def list_group(self, group: ResourceId) -> tuple[ResourceId, ...] | None:
        """List the resources of a resource group; None when the group does not exist."""
        ...

    async def find_groups(self, subscription: str, prefix: str) -> tuple[GroupCandidate, ...]:
        """List the subscription's resource groups whose names start with *prefix*, compared without case."""
        ...

    async def read_storage_account(self, account: ResourceId) -> Target | None:
        """GET a storage account."""
        ...

    async def read_container_registry(self, registry: ResourceId) -> Target | None:
        """GET a container registry (without its replications)."""
        ...

    async def pending_replications(self, registry: ResourceId) -> tuple[str, ...]:
        """Regions whose replication is not Succeeded."""
        ...

    async def required_zones(self, target: Target) -> Mapping[str, tuple[str, ...]]:
        """Group id to `requiredZoneNames` of the target's private link resources; empty: the cloud's table has to do."""
        ...

    async def read_subnet(self, subnet: ResourceId, since: datetime | None = None) -> Subnet | None:
        """Read the subnet and the region of its virtual network; None when either does not exist."""
        ...

    async def list_endpoints(
        self, group: ResourceId, known: Sequence[ResourceId], since: datetime | None = None
    ) -> tuple[PrivateEndpoint, ...]:
        """
        Read the private endpoints of a resource group, without addresses.

        Args:
            known: Endpoints the caller is sure to need; an implementer *may* read just these where the group is so
                large that listing it costs more, but then **must** read all of them.
        """
        ...

    async def read_addresses(
        self, interfaces: Sequence[ResourceId], since: datetime | None = None
    ) -> Mapping[ResourceId, tuple[Address, ...]]:
        """Read the private addresses of network interfaces; one that does not exist is absent."""
        ...

    async def read_zone_group(self, endpoint: ResourceId) -> ZoneGroup | None:
        """Read an endpoint's private DNS zone group."""
        ...

    async def read_zones(self, queries: Sequence[ZoneQuery]) -> Mapping[ResourceId, Zone]:
        """
        Read zones; every query has an answer, `exists` False where there is no such zone.

        One read *may* answer several askers, if it began no earlier than each of them allows.
        """
        ...

    async def zones_due(self, zones: Sequence[ResourceId], since: datetime) -> datetime | None:
        """When one who needs *zones* as they were after *since* should come back, because reads are short; None for now."""
        ...

    async def read_denials(self, group: ResourceId) -> tuple[DenyAssignment, ...]:
        """Read the deny assignments that apply at a resource group, those above it included."""
        ...

    async def read_security_group(self, group: ResourceId) -> SecurityGroup | None:
        """Read a network security group with its own rules, without Azure's default ones."""
        ...

    async def read_endpoint_policy(self, policy: ResourceId) -> EndpointPolicy | None:
        """Read a service endpoint policy with its definitions."""
        ...

    async def read_workspace(self, workspace: ResourceId) -> Workspace | None:
        """GET a machine learning workspace."""
        ...

    async def tenant_of(self, subscription: str) -> str:
        """The tenant of a subscription; "" if Azure does not say."""
        ...

    async def open_deployments(self, workspace: ResourceId) -> tuple[Deployment, ...]:
        """Read a workspace's managed online deployments whose way out is not closed."""
        ...

    async def discover(self, registry: ResourceId, url: str) -> Mapping[str, str]:
        """Region to host name of the registry's data plane, as the discovery service at *url* says."""
        ...

    async def start(self, change: Change) -> Started | Done:
        """
        Begin *change* and return as soon as Azure has accepted it.

        **Must** be safe to repeat: a change that already holds is Done (or Started again), never an error.
        """
        ...

    async def progress(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Tell how *operations* are doing, by change key, with as few reads as possible; every one has an answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A row and the ETag under which it was read."""

    row: LedgerRow
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Some rows in a stable order; *after* asks for the next page, "" after the last one."""

    rows: tuple[LedgerSummary, ...]
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Some history, newest first; *after* asks for older entries, "" when there are none."""

    entries: tuple[HistoryEntry, ...]
    after: str = ""


class Ledger(Protocol):
    """The memory between passes: one row for a registry and an append-only history."""

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        """Read a registry's row; None when there is none."""
        ...

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        """
        Write *row* if nobody wrote since *etag* (None: if no row exists).

        Raises:
            ChangedUnderneath: Somebody did.
        """
        ...

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        """Add to the history; order within one registry is by time, then by position in *entries*."""
        ...

    async def history(self, registry: ResourceId | None, limit: int = 100) -> tuple[HistoryEntry, ...]:
        """Read the newest entries of a registry (None: of rejected input), newest first."""
        ...

    async def history_page(self, registry: ResourceId | None, limit: int = 100, after: str = "") -> HistoryPage:
        """
        Read at most *limit* entries, newest first, that are older than the one *after* stands for.

        Raises:
            MalformedCursor: *after* did not come from an earlier page.
        """
        ...

    async def list_rows(self, *, phase: str = "", limit: int = 100, after: str = "") -> LedgerPage:
        """
        List rows, those of one phase if given, by subscription and then in an order that does not change.

        Raises:
            MalformedCursor: *after* did not come from an earlier page.
        """
        ...

    async def summaries(self, registries: Sequence[ResourceId]) -> Mapping[ResourceId, LedgerSummary]:
        """Read the summaries of *registries*; one without a row is absent."""
        ...


class WorkQueue(Protocol):
    """Where passes are asked for."""

    async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
        """Enqueue *message*, visible after *delay* (at most 7 days, the storage queue's limit)."""
        ...


class Leases(Protocol):
    """Mutual exclusion for the few read-modify-writes that Azure does not guard with ETags."""

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        """
        Hold the lease called *name* while the context lasts.

        Raises:
            Busy: Somebody else holds it; `retry_after` says when to try again.
        """
        ...
