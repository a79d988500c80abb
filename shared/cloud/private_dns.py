"""
Private DNS zones, their links and A records.

Zones are shared: in most organisations they belong to somebody else and hold the names of many services. So creating
one never overwrites one, links are only added, and of the records just the names asked for are taken in.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient

from shared.cloud.arm_client import Answer, ArmClient, ResponseHook, begin, body_of, found, pages
from shared.cloud.concurrency import for_each
from shared.cloud.documents import Document, entries, resource_id, text
from shared.cloud.group_sizes import LARGE, GroupSizes
from shared.cloud.operations import accepted, is_good
from shared.core.arm import ResourceId
from shared.core.changes import CreateZone, LinkZone
from shared.core.errors import RegistryIsolationError, Temporary
from shared.core.registry import Zone, ZoneLink
from shared.core.report import Done, Started
from shared.engine.ports import ZoneQuery

_READ_RECORD = "read private DNS record"
_PRECONDITION_FAILED = 412
_A = "A"


class PrivateDns:
    """Private DNS of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm
        self._sizes = GroupSizes()

    async def read(self, query: ZoneQuery) -> Zone:
        """Read what *query* asks of a zone; the cheapest read that also tells whether the zone exists."""
        zone = query.zone
        absent = Zone(id=zone, exists=False)
        records: dict[str, tuple[str, ...]] = {}
        if query.records:
            answered = await self._records(zone, query.records)
            if answered is None:
                return absent
            records = answered
        links: tuple[ZoneLink, ...] | None = None
        if query.links:
            links = await self._links(zone)
            if links is None:
                return absent
        if not query.records and not query.links and await self.zone_state(zone) is None:
            return absent
        return Zone(id=zone, exists=True, links=links, records=records)

    async def zone_state(self, zone: ResourceId) -> str | None:
        """`provisioningState` of a zone; None if there is no such zone."""
        document: Document | None = await found(
            self._client(zone).private_zones.get(zone.resource_group, zone.name, cls=body_of),
            operation="read private DNS zone",
            resource=zone.text,
        )
        return None if document is None else text(document, "properties", "provisioningState")

    async def zone_states(self, group: ResourceId, zones: Sequence[ResourceId]) -> dict[ResourceId, str]:
        """`provisioningState` of *zones* of a resource group, by one list call unless it holds many; absent = no such zone."""
        if self._sizes.is_large(group):
            states = await for_each(zones, self.zone_state)
            return {zone: state for zone, state in zip(zones, states, strict=True) if state is not None}
        listed: list[Document] | None = await pages(
            self._client(group).private_zones.list_by_resource_group(group.resource_group),
            operation="list private DNS zones",
            resource=group.text,
        )
        self._sizes.note(group, len(listed or ()))
        found = {
            resource_id(document, "id"): text(document, "properties", "provisioningState") for document in listed or ()
        }
        return {zone: found[zone] for zone in zones if zone in found}

    async def link_state(self, link: ResourceId) -> str | None:
        """
        State of a link; None if there is no such link.

        A link is done when names resolve through it: it can be provisioned and not `Completed` yet.
        """
        document: Document | None = await found(
            self._client(link).virtual_network_links.get(link.resource_group, link.parent.name, link.name, cls=body_of),
            operation="read virtual network link",
            resource=link.text,
        )
        if document is None:
            return None
        state = text(document, "properties", "provisioningState")
        resolving = text(document, "properties", "virtualNetworkLinkState") or "Completed"
        return resolving if is_good(state) and resolving != "Completed" else state

    async def create_zone(self, change: CreateZone) -> Started | Done:
        """Create the zone; Done if there is one already, whose tags and settings are somebody's own."""
        zone = change.zone
        body: Any = {"location": "global"}
        answer = await self._put_new(
            lambda hook: self._client(zone).private_zones.begin_create_or_update(
                zone.resource_group,
                zone.name,
                body,
                etag="*",
                match_condition=MatchConditions.IfMissing,
                polling=False,
                raw_response_hook=hook,
            ),
            "create private DNS zone",
            zone,
        )
        return Done() if answer is None else accepted(answer)

    async def link_zone(self, change: LinkZone) -> Started | Done:
        """Link the zone to the network without registration; an existing link of that name tells its state later."""
        zone, link = change.zone, change.link
        body: Any = {
            "location": "global",
            "properties": {"virtualNetwork": {"id": change.network.text}, "registrationEnabled": False},
        }
        answer = await self._put_new(
            lambda hook: self._client(zone).virtual_network_links.begin_create_or_update(
                link.resource_group,
                zone.name,
                link.name,
                body,
                etag="*",
                match_condition=MatchConditions.IfMissing,
                polling=False,
                raw_response_hook=hook,
            ),
            "create virtual network link",
            link,
        )
        return Started() if answer is None else accepted(answer)

    async def _put_new(
        self, call: Callable[[ResponseHook], Awaitable[object]], operation: str, resource: ResourceId
    ) -> Answer | None:
        """Write something that must not exist yet; None if it does."""
        try:
            return await begin(call, operation=operation, resource=resource.text)
        except Temporary:
            raise
        except RegistryIsolationError as error:
            cause = error.__cause__
            if isinstance(cause, HttpResponseError) and cause.status_code == _PRECONDITION_FAILED:
                return None
            raise

    async def _links(self, zone: ResourceId) -> tuple[ZoneLink, ...] | None:
        listed: list[Document] | None = await pages(
            self._client(zone).virtual_network_links.list(zone.resource_group, zone.name),
            operation="list virtual network links",
            resource=zone.text,
        )
        if listed is None:
            return None
        return tuple(link for link in (link_of(document) for document in listed) if link)

    async def _records(self, zone: ResourceId, names: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
        """A records by lower-case name; None if there is no such zone."""
        if len(names) > 1 and not self._sizes.is_large(zone):
            page = await self._first_page(zone)
            if page is None:
                return None
            listed, complete = page
            wanted = {name.lower() for name in names}
            if complete:
                return {name: addresses for name, addresses in listed.items() if name in wanted}
            self._sizes.note(zone, LARGE + 1)
        return await self._single_records(zone, names)

    async def _first_page(self, zone: ResourceId) -> tuple[dict[str, tuple[str, ...]], bool] | None:
        """The first page of a zone's A records, and whether it is the only one."""
        by_page = self._client(zone).record_sets.list_by_type(zone.resource_group, zone.name, _A).by_page()

        async def first() -> list[Any]:
            return [record async for record in await anext(by_page)]

        listed = await found(first(), operation="list private DNS records", resource=zone.text)
        if listed is None:
            return None
        link = getattr(by_page, "continuation_token", None)
        return dict(record_of(record) for record in listed), not link

    async def _single_records(self, zone: ResourceId, names: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
        async def read(name: str) -> Document | None:
            document: Document | None = await found(
                self._client(zone).record_sets.get(zone.resource_group, zone.name, _A, name, cls=body_of),
                operation=_READ_RECORD,
                resource=zone.text,
            )
            return document

        documents = [document for document in await for_each(names, read) if document is not None]
        if not documents and await self.zone_state(zone) is None:
            return None
        return dict(record_of(document) for document in documents)

    def _client(self, resource: ResourceId) -> PrivateDnsManagementClient:
        return self._arm.service(PrivateDnsManagementClient, resource.subscription)


def link_of(document: Document) -> ZoneLink | None:
    """Read a link's GET; None for a link to something that is no virtual network id."""
    identifier = resource_id(document, "id")
    network = resource_id(document, "properties", "virtualNetwork", "id")
    if identifier is None or network is None:
        return None
    state = text(document, "properties", "provisioningState")
    resolving = text(document, "properties", "virtualNetworkLinkState")
    return ZoneLink(id=identifier, network=network, state=resolving if is_good(state) and resolving else state)


def record_of(document: Document) -> tuple[str, tuple[str, ...]]:
    """Name, lower case, and addresses of an A record set."""
    addresses = tuple(text(record, "ipv4Address") for record in entries(document, "properties", "aRecords"))
    return text(document, "name").lower(), addresses
