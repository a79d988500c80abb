"""
What Azure says about the way out of a network: security groups and service endpoint policies, as values.

Filled by the cloud room, read by `core.egress`. Lists and single members of a rule (`destinationPortRange` and
`destinationPortRanges`) are already one.
"""

from dataclasses import dataclass

from shared.core.arm import ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityRule:
    """
    One rule of a network security group, as read.

    Attributes:
        sources, destinations: Prefixes and service tags; () where the rule names application security groups.
        source_ports, ports: Ranges as written: `443`, `8000-9000`, `*`.
        protocol: `Tcp`, `Udp`, `*` and others, in any casing.
    """

    name: str
    priority: int
    outbound: bool
    allows: bool
    protocol: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    ports: tuple[str, ...]
    source_ports: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """A network security group with its own rules, without Azure's default ones."""

    id: ResourceId
    rules: tuple[SecurityRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPolicyDefinition:
    """One entry of a service endpoint policy: what *service* may be used for."""

    name: str
    service: str
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPolicy:
    """A service endpoint policy."""

    id: ResourceId
    definitions: tuple[EndpointPolicyDefinition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """
    What was read for one `egress` entry of the policy.

    Attributes:
        nsg: The entry's security group.
        group: As read; None if *group_problem* says why not.
        policy: The entry's service endpoint policy; None if it names none, or *policy_problem* says why not.
        denied: Which of the two Azure refused, as it also does for some minutes after a role was assigned.
        passing: Which of these it refused for so short a time that it may be that.
    """

    nsg: ResourceId
    group: SecurityGroup | None = None
    group_problem: str = ""
    policy: EndpointPolicy | None = None
    policy_problem: str = ""
    denied: tuple[ResourceId, ...] = ()
    passing: tuple[ResourceId, ...] = ()
