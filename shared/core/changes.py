"""
The writes that the planner may ask for: a closed union of frozen values.

Each change is complete enough to be carried out by a later pass in another process (the ledger stores it as JSON),
names what has to be finished before it (`depends_on`), and never carries a resource's document: whoever applies it
reads the document again right before writing.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shared.core.arm import ResourceId
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.registry import TargetKind
from shared.core.restore import RestoreSettings
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateZone:
    """Create the private DNS zone *zone*."""

    kind: Literal["create-zone"] = "create-zone"
    zone: ResourceId
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is written."""
        return self.zone

    @property
    def sentence(self) -> str:
        """The change for a person."""
        return f"create private DNS zone {self.zone.name} in {self.zone.resource_group}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkZone:
    """Link *zone* to the virtual network *network* under the child id *link*."""

    kind: Literal["link-zone"] = "link-zone"
    zone: ResourceId
    link: ResourceId
    network: ResourceId
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is written."""
        return self.link

    @property
    def sentence(self) -> str:
        """The change for a person."""
        return f"link private DNS zone {self.zone.name} to virtual network {self.network.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEndpoint:
    """Create (or, with *repair*, put once more) the private endpoint *endpoint* for group *group* of *target*."""

    kind: Literal["create-endpoint"] = "create-endpoint"
    endpoint: ResourceId
    location: str
    subnet: ResourceId
    target: ResourceId
    group: str
    tags: dict[str, str]
    repair: bool = False
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is written."""
        return self.endpoint

    @property
    def sentence(self) -> str:
        """The change for a person."""
        verb = "repair" if self.repair else "create"
        return (
            f"{verb} private endpoint {self.endpoint.name} ({self.group} of {self.target.name}) in {self.subnet.name}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteEndpoint:
    """Delete a private endpoint that the app made; *because* ends the sentence about it."""

    kind: Literal["delete-endpoint"] = "delete-endpoint"
    endpoint: ResourceId
    because: str = "is beyond repair"
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is deleted."""
        return self.endpoint

    @property
    def sentence(self) -> str:
        """The change for a person."""
        return f"delete private endpoint {self.endpoint.name}, which {self.because}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutZoneGroup:
    """Write the zone group *name* of *endpoint* so that it holds exactly *zones* (configuration name to zone)."""

    kind: Literal["put-zone-group"] = "put-zone-group"
    endpoint: ResourceId
    name: str
    zones: dict[str, ResourceId]
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is written."""
        return self.endpoint.child("privateDnsZoneGroups", self.name)

    @property
    def sentence(self) -> str:
        """The change for a person."""
        names = ", ".join(sorted(zone.name for zone in self.zones.values()))
        return f"attach {names} to private endpoint {self.endpoint.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteZoneGroup:
    """Delete a zone group whose records do not come, so that the next pass makes it anew."""

    kind: Literal["delete-zone-group"] = "delete-zone-group"
    endpoint: ResourceId
    name: str
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is deleted."""
        return self.endpoint.child("privateDnsZoneGroups", self.name)

    @property
    def sentence(self) -> str:
        """The change for a person."""
        return f"remove zone group {self.name} of {self.endpoint.name}, whose records are missing, to make it anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePublicAccess:
    """Set `publicNetworkAccess` of *target* to Disabled and touch nothing else."""

    kind: Literal["close-public-access"] = "close-public-access"
    target: ResourceId
    target_kind: TargetKind
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is written."""
        return self.target

    @property
    def sentence(self) -> str:
        """The change for a person."""
        return f"disable public network access of {self.target_kind.value} {self.target.name}"


type Change = Annotated[
    CreateZone
    | LinkZone
    | CreateEndpoint
    | DeleteEndpoint
    | PutZoneGroup
    | DeleteZoneGroup
    | ClosePublicAccess
    | AllowEgress
    | AllowSystemRegistry
    | AddResourceRules
    | RemoveResourceRules
    | RestoreSettings,
    Field(discriminator="kind"),
]

CHANGES: TypeAdapter[tuple[Change, ...]] = TypeAdapter(tuple[Change, ...])
"""JSON form of a list of changes, for the ledger, the digest and reports."""


def key_of(change: Change) -> str:
    """The one name of a change: its kind and the resource it writes; what `depends_on` holds."""
    return f"{change.kind}:{change.resource.key}"
