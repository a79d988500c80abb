"""
Which changed resources can belong to a registry at all, told from their ids and the policy alone.

A subscription writes storage accounts, endpoints and records all day. What can be neither in the managed resource group
of a registry nor where the policy keeps endpoints and zones is turned away here, before anything is read. A registry
that uses a storage account or container registry in a group of the user's own is left to the sweep.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from shared.core.arm import ResourceId
from shared.core.dns import expected_records, is_zone_name
from shared.core.policy import IsolationPolicy
from shared.core.registry import ACR_TYPE, ENDPOINT_TYPE, RECORD_TYPE, REGISTRY_TYPE, STORAGE_TYPE, Registry

# `azureml-rg-<name>_<GUID>`; customer-managed-key workspaces call their groups the same.
_MANAGED_GROUP = re.compile(
    r"azureml-rg-(.{2,})_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII
)
_TARGETS = frozenset({STORAGE_TYPE.lower(), ACR_TYPE.lower()})


class Kinship(StrEnum):
    """How a resource may belong to a registry."""

    MANAGED = "managed"
    ENDPOINT = "endpoint"
    RECORD = "record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """Where the policy keeps what registries need."""

    policy: IsolationPolicy
    endpoint_groups: frozenset[ResourceId]
    zone_groups: frozenset[ResourceId]

    @classmethod
    def of(cls, policy: IsolationPolicy) -> Self:
        """The groups that the networks of *policy* name."""
        zones = (network.dns.zones_resource_group for network in policy.networks)
        return cls(
            policy=policy,
            endpoint_groups=frozenset(network.endpoints_group for network in policy.networks),
            zone_groups=frozenset(zone for zone in zones if zone is not None),
        )

    def kinship(self, resource: ResourceId) -> Kinship | None:
        """How *resource* may belong to a registry; None if it cannot."""
        kind = resource.type.lower()
        if kind in _TARGETS:
            return Kinship.MANAGED if self._may_be_managed(resource) else None
        if kind == ENDPOINT_TYPE.lower():
            return Kinship.ENDPOINT if resource.group in self.endpoint_groups else None
        if kind == RECORD_TYPE.lower() and is_zone_name(resource.names[0]) and resource.group in self.zone_groups:
            return Kinship.RECORD
        return None

    def _may_be_managed(self, resource: ResourceId) -> bool:
        """Its group's name is that of a managed group of a registry, and a registry of that name would be in scope."""
        named = _MANAGED_GROUP.fullmatch(resource.resource_group)
        return named is not None and self.policy.in_scope(resource.group.resource(REGISTRY_TYPE, named.group(1)))


def belongings(registry: Registry, made: Iterable[ResourceId]) -> tuple[ResourceId, ...]:
    """
    What leads back to *registry*, sorted: its managed group, its endpoints and the records of their names.

    Args:
        made: Endpoints that the app made for it, those included that are not there (yet, or any more).
    """
    found = {registry.managed_group, *made}
    for view in registry.networks:
        for endpoint in view.endpoints:
            found.add(endpoint.id)
            records, _ = expected_records(endpoint, view.zones)
            found.update(view.zones[record.zone].id.child("A", record.name) for record in records)
    return tuple(sorted(found))
