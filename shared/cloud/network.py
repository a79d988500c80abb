"""Private endpoints and their zone groups in Microsoft.Network."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from azure.mgmt.network.aio import NetworkManagementClient

from shared.cloud.arm_client import ArmClient, begin, body_of, found, pages
from shared.cloud.clock import utc_now
from shared.cloud.concurrency import for_each
from shared.cloud.documents import (
    Document,
    connection_status,
    entries,
    member,
    resource_id,
    resource_ids,
    tags,
    text,
    texts,
)
from shared.cloud.group_sizes import GroupSizes
from shared.cloud.operations import accepted
from shared.cloud.shared_lists import Listed, SharedReads, read_list
from shared.core.arm import ResourceId
from shared.core.changes import CreateEndpoint, DeleteEndpoint, DeleteZoneGroup, PutZoneGroup
from shared.core.registry import ENDPOINT_TYPE, EndpointConnection, PrivateEndpoint, ZoneGroup
from shared.core.report import Done, Started


class PrivateEndpoints:
    """Private endpoints of one cloud; *now* is real time unless given."""

    def __init__(self, arm: ArmClient, now: Callable[[], datetime] = utc_now) -> None:
        self._arm = arm
        self._sizes = GroupSizes()
        self._lists: SharedReads[Listed] = SharedReads(self._list, arm.throttle, now)

    async def read(self, endpoint: ResourceId) -> Document | None:
        """GET one endpoint."""
        document: Document | None = await found(
            self._client(endpoint).private_endpoints.get(endpoint.resource_group, endpoint.name, cls=body_of),
            operation="read private endpoint",
            resource=endpoint.text,
        )
        return document

    async def documents(
        self, group: ResourceId, known: Sequence[ResourceId], *, worth_listing: int, since: datetime | None = None
    ) -> tuple[Document, ...]:
        """
        Read endpoints of a resource group: those in *known*, and often all the others too.

        Args:
            known: Endpoints that must be in the answer if they exist; empty means all of the group.
            worth_listing: From how many known endpoints on one list call is made instead of single reads.
            since: A list whose reading began no earlier may serve; None: only one that begins now.
        """
        if known and not self._lists.has(group, since):
            large = self._sizes.is_large(group)
            if len(known) < worth_listing or (large and not self._lists.pays(group, len(known))):
                single = await for_each(known, self.read)
                return tuple(document for document in single if document is not None)
        listed = (await self._lists.answer(group, since)).documents
        if known and self._sizes.is_large(group):
            return tuple(listed[endpoint] for endpoint in known if endpoint in listed)
        return tuple(listed.values())

    async def _list(self, group: ResourceId) -> tuple[Listed, int]:
        path = f"{group.text}/providers/{ENDPOINT_TYPE}"
        listed, requests = await read_list(self._arm, path, operation="list private endpoints")
        self._sizes.note(group, len(listed.documents))
        return listed, requests

    async def list(
        self, group: ResourceId, known: Sequence[ResourceId], since: datetime | None = None
    ) -> tuple[PrivateEndpoint, ...]:
        """Private endpoints of a resource group; only the *known* ones where it was seen to be large."""
        documents = await self.documents(group, known, worth_listing=1, since=since)
        parsed = (endpoint_of(document) for document in documents)
        return tuple(endpoint for endpoint in parsed if endpoint)

    async def put(self, change: CreateEndpoint) -> Started | Done:
        """Create the endpoint, or put it once more to repair it."""
        endpoint = change.endpoint
        connection = {"privateLinkServiceId": change.target.text, "groupIds": [change.group]}
        body: Any = {
            "location": change.location,
            "tags": dict(change.tags),
            "properties": {
                "subnet": {"id": change.subnet.text},
                "privateLinkServiceConnections": [{"name": endpoint.name, "properties": connection}],
            },
        }
        answer = await begin(
            lambda hook: self._client(endpoint).private_endpoints.begin_create_or_update(
                endpoint.resource_group, endpoint.name, body, polling=False, raw_response_hook=hook
            ),
            operation="create private endpoint",
            resource=endpoint.text,
        )
        return accepted(answer)

    async def delete(self, change: DeleteEndpoint) -> Started | Done:
        """Delete the endpoint; Done if there is none."""
        endpoint = change.endpoint
        operation, resource = "delete private endpoint", endpoint.text
        call = begin(
            lambda hook: self._client(endpoint).private_endpoints.begin_delete(
                endpoint.resource_group, endpoint.name, polling=False, raw_response_hook=hook
            ),
            operation=operation,
            resource=resource,
        )
        answer = await found(call, operation=operation, resource=resource)
        return Done() if answer is None else accepted(answer)

    async def read_zone_group(self, endpoint: ResourceId) -> ZoneGroup | None:
        """Read the endpoint's zone group, whatever its name (Azure allows one)."""
        listed: list[Document] | None = await pages(
            self._client(endpoint).private_dns_zone_groups.list(endpoint.name, endpoint.resource_group),
            operation="list private DNS zone groups",
            resource=endpoint.text,
        )
        return zone_group_of(listed[0]) if listed else None

    async def zone_group_state(self, group: ResourceId) -> str | None:
        """`provisioningState` of a zone group; None if there is no such one."""
        endpoint = group.parent
        document: Document | None = await found(
            self._client(group).private_dns_zone_groups.get(
                group.resource_group, endpoint.name, group.name, cls=body_of
            ),
            operation="read private DNS zone group",
            resource=group.text,
        )
        return None if document is None else text(document, "properties", "provisioningState")

    async def put_zone_group(self, change: PutZoneGroup) -> Started | Done:
        """Write the endpoint's zone group with exactly the zones of *change*."""
        endpoint = change.endpoint
        configs = [{"name": name, "properties": {"privateDnsZoneId": zone.text}} for name, zone in change.zones.items()]
        body: Any = {"properties": {"privateDnsZoneConfigs": configs}}
        answer = await begin(
            lambda hook: self._client(endpoint).private_dns_zone_groups.begin_create_or_update(
                endpoint.resource_group, endpoint.name, change.name, body, polling=False, raw_response_hook=hook
            ),
            operation="create private DNS zone group",
            resource=change.resource.text,
        )
        return accepted(answer)

    async def delete_zone_group(self, change: DeleteZoneGroup) -> Started | Done:
        """Delete a zone group; Done if there is none."""
        endpoint = change.endpoint
        operation, resource = "delete private DNS zone group", change.resource.text
        call = begin(
            lambda hook: self._client(endpoint).private_dns_zone_groups.begin_delete(
                endpoint.resource_group, endpoint.name, change.name, polling=False, raw_response_hook=hook
            ),
            operation=operation,
            resource=resource,
        )
        answer = await found(call, operation=operation, resource=resource)
        return Done() if answer is None else accepted(answer)

    def _client(self, resource: ResourceId) -> NetworkManagementClient:
        return self._arm.service(NetworkManagementClient, resource.subscription)


def state_of(document: Document) -> str:
    """`provisioningState`."""
    return text(document, "properties", "provisioningState")


def endpoint_of(document: Document) -> PrivateEndpoint | None:
    """Read an endpoint's GET; None if it has no subnet, which no endpoint of the policy lacks."""
    identifier = resource_id(document, "id")
    subnet = resource_id(document, "properties", "subnet", "id")
    if identifier is None or subnet is None:
        return None
    automatic = entries(document, "properties", "privateLinkServiceConnections")
    manual = entries(document, "properties", "manualPrivateLinkServiceConnections")
    found_connections = (
        *(_connection(entry, manual=False) for entry in automatic),
        *(_connection(entry, manual=True) for entry in manual),
    )
    return PrivateEndpoint(
        id=identifier,
        location=text(document, "location"),
        subnet=subnet,
        state=state_of(document),
        connections=tuple(connection for connection in found_connections if connection),
        interfaces=resource_ids(document, "properties", "networkInterfaces"),
        tags=tags(document),
    )


def _connection(entry: Document, *, manual: bool) -> EndpointConnection | None:
    """None for a connection by alias: it leads to somebody's private link service, never to a target of ours."""
    target = resource_id(entry, "properties", "privateLinkServiceId")
    if target is None:
        return None
    state = member(entry, "properties", "privateLinkServiceConnectionState")
    return EndpointConnection(
        target=target,
        groups=texts(entry, "properties", "groupIds"),
        status=connection_status(state),
        description=text(state, "description"),
        manual=manual,
    )


def zone_group_of(document: Document) -> ZoneGroup:
    """Read a zone group; its records are what the platform reports having written."""
    configs = entries(document, "properties", "privateDnsZoneConfigs")
    zones = {text(config, "name"): resource_id(config, "properties", "privateDnsZoneId") for config in configs}
    records: dict[str, tuple[str, ...]] = {}
    for config in configs:
        records.update(_records(config))
    return ZoneGroup(
        name=text(document, "name"),
        state=state_of(document),
        zones={name: zone for name, zone in zones.items() if zone},
        records=records,
    )


def _records(config: Document) -> Mapping[str, tuple[str, ...]]:
    return {
        text(record, "fqdn").lower().rstrip("."): texts(record, "ipAddresses")
        for record in entries(config, "properties", "recordSets")
        if text(record, "recordType").upper() == "A"
    }
