"""
Deterministic names of what the app creates, so that a repeated write meets its own earlier result.

Private endpoint names hold at most 80 characters (Azure naming rules); everything that distinguishes two endpoints goes
into the hash, everything a person wants to read goes before it.
"""

import hashlib
import re

from shared.core.arm import ResourceId
from shared.core.registry import ENDPOINT_TYPE, TargetKind

MANAGED_BY_TAG = "managed-by"
MANAGED_BY = "registry-isolation"
REGISTRY_TAG = "registry-isolation-registry"
"""Tag whose value is the id of the registry that an endpoint was made for (tag values hold 256 characters)."""

ZONE_GROUP_NAME = "default"
_MAX_ENDPOINT_NAME = 80
_MAX_TAG_VALUE = 256
_HASH_LENGTH = 8


def short_hash(*parts: str) -> str:
    """Eight hex digits over the lower-cased parts."""
    return hashlib.sha256("|".join(part.lower() for part in parts).encode()).hexdigest()[:_HASH_LENGTH]


def endpoint_name(registry: ResourceId, kind: TargetKind, target: ResourceId, group: str, subnet: ResourceId) -> str:
    """`pe-<registry>-<kind>-<8 hex of target, group, subnet>`, at most 80 characters."""
    tail = f"-{kind.value}-{short_hash(target.key, group, subnet.key)}"
    return f"pe-{registry.name}"[: _MAX_ENDPOINT_NAME - len(tail)] + tail


def endpoint_id(
    group: ResourceId, registry: ResourceId, kind: TargetKind, target: ResourceId, link_group: str, subnet: ResourceId
) -> ResourceId:
    """The id under which the app creates that endpoint in resource group *group*."""
    return group.resource(ENDPOINT_TYPE, endpoint_name(registry, kind, target, link_group, subnet))


def endpoint_tags(registry: ResourceId) -> dict[str, str]:
    """Tags that mark an endpoint as made by the app for *registry*."""
    return {MANAGED_BY_TAG: MANAGED_BY, REGISTRY_TAG: registry.text[:_MAX_TAG_VALUE]}


def link_name(network: ResourceId) -> str:
    """Name of a zone's link to *network*; links live in the zone, so the network alone distinguishes them."""
    readable = re.sub(r"[^A-Za-z0-9-]", "-", network.name)[:60].strip("-")
    return f"{readable}-{short_hash(network.key)}"


def zone_config_name(zone_name: str) -> str:
    """Name of a zone inside a zone group: dots are not allowed there."""
    return zone_name.lower().replace(".", "-")
