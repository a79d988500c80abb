"""
Stand-ins for services that are not simulated: what recorded private endpoints lead to, and what requests merely name.

Most recorded private endpoints lead to other services (vaults, databases, gateways). The endpoint is answered by the
simulator's own rules; all it needs of such a target is that it exists and which name leads to it. Both are made up here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from local.simulator import arm_ids
from local.simulator.azure import SimulatedAzure
from local.simulator.kernel import Kernel
from local.simulator.private_link import LinkConnection, LinkGroup, LinkMember, PrivateLinkTarget
from local.simulator.world import Resource

_NAMELESS = frozenset({"microsoft.network/applicationgateways", "microsoft.network/privatelinkservices"})
"""Targets without a name of their own in DNS: `customDnsConfigs` stays empty (recorded: azcli2411)."""


def groups_in(bodies: Iterable[Any]) -> tuple[str, ...]:
    """Every group id that the recorded bodies name."""
    found: dict[str, None] = {}
    for body in bodies:
        _collect(body, found)
    return tuple(found)


def _collect(value: Any, found: dict[str, None]) -> None:
    if isinstance(value, list):
        for each in value:
            _collect(each, found)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "groupIds" and isinstance(inner, list):
                found.update(dict.fromkeys(each for each in inner if isinstance(each, str)))
            else:
                _collect(inner, found)


def place(azure: SimulatedAzure, resource_id: str, location: str, groups: Sequence[str]) -> None:
    """Put a bare resource into the world and let private endpoints connect to its type."""
    body = {"id": resource_id, "location": location, "properties": {"provisioningState": "Succeeded"}}
    azure.world.put(body, private={"stand_in": True})
    kind = arm_ids.parse(resource_id).type
    if kind.lower() not in azure.link_targets:
        azure.link_targets[kind.lower()] = _target(kind, groups or ("default",))


def is_stand_in(resource: Resource) -> bool:
    return bool(resource.private.get("stand_in"))


def _target(kind: str, groups: Sequence[str]) -> PrivateLinkTarget:
    def offered(_azure: Kernel, resource: Resource) -> list[LinkGroup]:
        names = () if kind.lower() in _NAMELESS else (f"{resource.name.lower()}.target.example",)
        return [LinkGroup(name=each, members=(LinkMember(name=each, fqdns=names),), zones=()) for each in groups]

    def connect(_azure: Kernel, _resource: Resource, _connection: LinkConnection) -> None:
        """The stand-in keeps no connections."""

    def disconnect(_azure: Kernel, _resource: Resource, _endpoint_id: str) -> None:
        """The stand-in keeps no connections."""

    return PrivateLinkTarget(
        type=kind,
        approval_action=f"{kind}/privateEndpointConnectionsApproval/action",
        groups=offered,
        connect=connect,
        disconnect=disconnect,
    )
