"""
How long operations are doing, told by the resources themselves with as few reads as possible.

Following operation URLs would cost a read each and, at their Retry-After of 10, 20, 40 s, half of the waiting time.
They are asked where a resource has no state of its own, or when its state says that something went wrong.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeGuard

from shared.cloud.arm_client import ArmClient
from shared.cloud.concurrency import for_each
from shared.cloud.container_registries import ContainerRegistries
from shared.cloud.documents import resource_id
from shared.cloud.network import PrivateEndpoints, state_of
from shared.cloud.operations import RUNNING, SUCCEEDED, Unread, is_bad, is_good, read_operation
from shared.cloud.private_dns import PrivateDns
from shared.cloud.registries import Registries
from shared.cloud.restoring import Restoring
from shared.cloud.security_groups import SecurityGroups
from shared.cloud.shared_zones import SharedZones
from shared.cloud.storage_accounts import StorageAccounts
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
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.errors import ChangedUnderneath, OperationFailed
from shared.core.registry import Access, TargetKind
from shared.core.restore import RestoreSettings
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules
from shared.engine.ports import Progress, ProgressState
from shared.engine.records import Operation

# Recorded: private DNS shows a zone or link 34 to 38 s after accepting it; reads elsewhere lag by seconds.
_USUAL_DELAY = timedelta(seconds=45)
_PATIENCE = timedelta(minutes=2)
_WORTH_LISTING = 3

type _Told = Progress | Unread | None
"""What an operation URL told."""


class ProgressReader:
    """Reads the progress of operations of one cloud."""

    def __init__(
        self,
        *,
        arm: ArmClient,
        endpoints: PrivateEndpoints,
        dns: PrivateDns,
        zones: SharedZones,
        registries: Registries,
        storage_accounts: StorageAccounts,
        container_registries: ContainerRegistries,
        restoring: Restoring,
        security_groups: SecurityGroups,
        now: Callable[[], datetime],
    ) -> None:
        self._arm = arm
        self._endpoints = endpoints
        self._dns = dns
        self._zones = zones
        self._registries = registries
        self._storage_accounts = storage_accounts
        self._container_registries = container_registries
        self._restoring = restoring
        self._security_groups = security_groups
        self._now = now

    async def read(self, operations: Sequence[Operation]) -> dict[str, Progress]:
        """Progress by change key."""
        batches: dict[str, list[Operation]] = {}
        for operation in operations:
            batches.setdefault(_listed_with(operation.change), []).append(operation)
        told: dict[str, Progress] = {}
        for answers in await for_each(batches.values(), self._batch):
            told.update(answers)
        return told

    async def _batch(self, operations: Sequence[Operation]) -> dict[str, Progress]:
        """Operations that one read may cover: endpoints or zones of one resource group, else a single one."""
        first = operations[0].change
        if isinstance(first, CreateEndpoint):
            return await self._endpoints_created(first.endpoint.group, operations)
        if isinstance(first, CreateZone) and len(operations) > 1:
            return await self._zones_created(first.zone.group, operations)
        return {key_of(operation.change): await self._single(operation) for operation in operations}

    async def _endpoints_created(self, group: ResourceId, operations: Sequence[Operation]) -> dict[str, Progress]:
        """One list call covers all endpoints that were created in a resource group."""
        endpoints = [operation.change.resource for operation in operations]
        since = max(operation.due for operation in operations)  # by then they had begun, so nothing older is shown
        documents = await self._endpoints.documents(group, endpoints, worth_listing=_WORTH_LISTING, since=since)
        states = {resource_id(document, "id"): state_of(document) for document in documents}
        told: dict[str, Progress] = {}
        for operation in operations:
            told[key_of(operation.change)] = await self._written(operation, states.get(operation.change.resource))
        return told

    async def _zones_created(self, group: ResourceId, operations: Sequence[Operation]) -> dict[str, Progress]:
        """One list call covers all zones that were created in a resource group."""
        states = await self._dns.zone_states(group, [operation.change.resource for operation in operations])
        for zone in states:
            self._zones.note_present(zone)
        return {
            key_of(operation.change): await self._written(operation, states.get(operation.change.resource))
            for operation in operations
        }

    async def _single(self, operation: Operation) -> Progress:  # noqa: C901 -- one line for each kind of change
        match operation.change:
            case CreateZone(zone=zone):
                return await self._written(operation, await self._dns.zone_state(zone))
            case LinkZone(link=link):
                return await self._written(operation, await self._zones.link_state(link))
            case PutZoneGroup() as change:
                return await self._written(operation, await self._endpoints.zone_group_state(change.resource))
            case DeleteZoneGroup() as change:
                return await self._deleted(operation, await self._endpoints.zone_group_state(change.resource))
            case DeleteEndpoint(endpoint=endpoint):
                return await self._deleted(operation, await self._endpoint_state(endpoint))
            case CreateEndpoint(endpoint=endpoint):
                return await self._written(operation, await self._endpoint_state(endpoint))
            case ClosePublicAccess() as change:
                return await self._closed(operation, change)
            case RestoreSettings() as change:
                return await self._restored(operation, change)
            case AllowEgress(rule=rule):
                return await self._written(operation, await self._security_groups.rule_state(rule))
            case AllowSystemRegistry(definition=definition):
                return await self._written(operation, await self._security_groups.definition_state(definition))
            case AddResourceRules() | RemoveResourceRules():
                return SUCCEEDED  # Storage answers when it is done (recorded)

    async def _endpoint_state(self, endpoint: ResourceId) -> str | None:
        document = await self._endpoints.read(endpoint)
        return None if document is None else state_of(document)

    async def _written(self, operation: Operation, state: str | None) -> Progress:
        """Progress of a write, by the state of what was written (None: it is not there)."""
        if state is None:
            return await self._not_there(operation)
        if is_good(state):
            return SUCCEEDED
        if not is_bad(state):
            return RUNNING
        told = await self._ask(operation)
        return told if _is_news(told) else _failed(operation, state, told)

    async def _not_there(self, operation: Operation) -> Progress:
        """Right after an accepted write a 404 means "not yet"; private DNS tells only at its operation URL if never."""
        age = self._now() - operation.started
        if age <= _USUAL_DELAY:
            return RUNNING
        told = await self._ask(operation)
        if _is_news(told):
            return told
        return RUNNING if age <= _PATIENCE else _vanished(operation, told)

    async def _deleted(self, operation: Operation, state: str | None) -> Progress:
        """Progress of a deletion, by the state of what should go."""
        if state is None:
            return SUCCEEDED
        if not is_good(state) and not is_bad(state):
            return RUNNING
        told = await self._ask(operation)
        if _is_news(told):
            return told
        return RUNNING if self._now() - operation.started <= _PATIENCE else _failed(operation, state, told)

    async def _closed(self, operation: Operation, change: ClosePublicAccess) -> Progress:
        """A registry has no state of its own, so its operation URL comes first; the others tell themselves."""
        told: _Told = None
        if change.target_kind is TargetKind.REGISTRY:
            told = await self._ask(operation)
            if isinstance(told, Progress):
                return told
            document = await self._registries.read(change.target)
            target = document.target if document else None
        elif change.target_kind is TargetKind.STORAGE:
            target = await self._storage_accounts.read(change.target)
        else:
            target = await self._container_registries.read(change.target)
        if target is None:
            return await self._not_there(operation)
        if target.provisioning and not is_good(target.provisioning):
            return await self._written(operation, target.provisioning)
        if target.access is Access.CLOSED:
            return SUCCEEDED
        return RUNNING if self._now() - operation.started <= _PATIENCE else _failed(operation, "open", told)

    async def _restored(self, operation: Operation, change: RestoreSettings) -> Progress:
        """As closing, with other values."""
        told: _Told = None
        if change.target_kind is TargetKind.REGISTRY:
            told = await self._ask(operation)
            if isinstance(told, Progress):
                return told
        shown = await self._restoring.holds(change)
        if shown is None:
            return await self._not_there(operation)
        if shown:
            return SUCCEEDED
        return RUNNING if self._now() - operation.started <= _PATIENCE else _failed(operation, "as before", told)

    async def _ask(self, operation: Operation) -> _Told:
        change = operation.change
        return await read_operation(
            self._arm, operation.url, operation=change.kind.replace("-", " "), resource=change.resource.text
        )


def _listed_with(change: Change) -> str:
    """What one list call covers has one name."""
    match change:
        case CreateEndpoint(endpoint=endpoint):
            return f"endpoints of {endpoint.group.key}"
        case CreateZone(zone=zone):
            return f"zones of {zone.group.key}"
        case _:
            return key_of(change)


def _is_news(told: _Told) -> TypeGuard[Progress]:
    """Tell whether it says more than the resource does."""
    return isinstance(told, Progress) and told.state is not ProgressState.SUCCEEDED


def _unread(told: _Told) -> str:
    return f" Why cannot be read. {told.sentence}" if isinstance(told, Unread) else ""


def _failed(operation: Operation, state: str, told: _Told) -> Progress:
    change = operation.change
    sentence = f"The app asked Azure to {change.sentence}; Azure accepted, and now {change.resource.name} is {state}."
    sentence += _unread(told)
    return Progress(
        state=ProgressState.FAILED,
        error=OperationFailed(sentence, resource_id=change.resource.text, operation=change.kind),
    )


def _vanished(operation: Operation, told: _Told) -> Progress:
    change = operation.change
    sentence = f"The app asked Azure to {change.sentence}; Azure accepted, and {change.resource.name} is not there."
    sentence += _unread(told)
    return Progress(
        state=ProgressState.FAILED,
        error=ChangedUnderneath(sentence, resource_id=change.resource.text, operation=change.kind),
    )
