"""
Private DNS zones, their links and A records.

Zones are shared: in most organisations they belong to somebody else and hold the names of many services. So creating
one never overwrites one, links are only added, and of the records just the names asked for are taken in.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient

from shared.cloud.arm_client import Answer, ArmClient, ResponseHook, begin, body_of, found, pages
from shared.cloud.concurrency import for_each
from shared.cloud.documents import Document, entries, resource_id, text
from shared.cloud.group_sizes import GroupSizes
from shared.cloud.operations import accepted, is_good
from shared.core.arm import ResourceId
from shared.core.changes import CreateZone, LinkZone
from shared.core.errors import RegistryIsolationError, Temporary
from shared.core.registry import ZoneLink
from shared.core.report import Done, Started

_READ_RECORD = "read private DNS record"
_PRECONDITION_FAILED = 412
_A = "A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """
    A records that were read together.

    Attributes:
        records: Addresses by lower-case name.
        asked: Names that were asked for, lower case; None for all of the zone.
        pages: How many a list of the zone has, at least.
    """

    records: Mapping[str, tuple[str, ...]]
    asked: frozenset[str] | None
    pages: int

    def knows(self, names: Iterable[str]) -> bool:
        """Tell whether the answer says of each of *names* if it exists."""
        return self.asked is None or all(name.lower() in self.asked for name in names)

    def of(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Addresses of those of *names* that exist."""
        wanted = {name.lower() for name in names}
        return {name: addresses for name, addresses in self.records.items() if name in wanted}


class PrivateDns:
    """Private DNS of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm
        self._sizes = GroupSizes()

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
        if self.is_large(group):
            states = await for_each(zones, self.zone_state)
            return {zone: state for zone, state in zip(zones, states, strict=True) if state is not None}
        found = await self._listed(group)
        return {zone: found[zone] for zone in zones if zone in found}

    def is_large(self, group: ResourceId) -> bool:
        """Tell whether *group* was seen to hold more zones than are worth listing."""
        return self._sizes.is_large(group)

    async def present(self, group: ResourceId) -> frozenset[ResourceId]:
        """All zones of a resource group, by a list call; none if there is no such group."""
        return frozenset(await self._listed(group))

    async def _listed(self, group: ResourceId) -> dict[ResourceId, str]:
        listed: list[Document] | None = await pages(
            self._client(group).private_zones.list_by_resource_group(group.resource_group),
            operation="list private DNS zones",
            resource=group.text,
        )
        self._sizes.note(group, len(listed or ()))
        states = ((resource_id(each, "id"), text(each, "properties", "provisioningState")) for each in listed or ())
        return {zone: state for zone, state in states if zone is not None}

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

    async def links(self, zone: ResourceId) -> tuple[ZoneLink, ...] | None:
        """Links of a zone; None if there is no such zone."""
        listed: list[Document] | None = await pages(
            self._client(zone).virtual_network_links.list(zone.resource_group, zone.name),
            operation="list virtual network links",
            resource=zone.text,
        )
        if listed is None:
            return None
        return tuple(link for link in (link_of(document) for document in listed) if link)

    async def records(self, zone: ResourceId, names: Sequence[str], most_pages: int) -> Listing | None:
        """
        A records of a zone; None if there is no such zone.

        Args:
            names: Those that must be in the answer if they exist.
            most_pages: The whole zone is read if its list has no more pages, else *names* one by one.
        """
        listed: dict[str, tuple[str, ...]] = {}
        read = 0
        by_page = self._client(zone).record_sets.list_by_type(zone.resource_group, zone.name, _A).by_page()

        async def following() -> list[Any]:
            return [record async for record in await anext(by_page)]

        while read < most_pages:
            page = await found(following(), operation="list private DNS records", resource=zone.text)
            if page is None:
                return None
            read += 1
            listed.update(record_of(record) for record in page)
            if not getattr(by_page, "continuation_token", None):
                return Listing(records=listed, asked=None, pages=read)
        single = await self._single_records(zone, names)
        if single is None:
            return None
        return Listing(records=single, asked=frozenset(name.lower() for name in names), pages=read + 1)

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
