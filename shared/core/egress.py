"""
The way out for clients of public registries: outbound rules by service tag, and the alias of the system registry.

    the group's rules say of a need                            audit          enforce
    an allow rule covers every port (any name, any priority)   nothing        nothing
    not covered                                                finding        put one rule at the next free priority
    not covered, no free priority left                         finding        finding, blocked
    a deny rule comes before the allowing one                  finding        finding

A need is one service tag with its ports. Tags of a region are named after the region, so two registries of one region
share their rules; tags without a region are shared by all. Azure's default rules do not count: whoever lists a group
wants the way out to survive the deny rule that comes later.

Isolation comes first: a registry that is to be closed is closed before the app writes any of this, so that a group that
stays busy holds no lockdown up.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.core.arm import ResourceId
from shared.core.changes import key_of
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.findings import finding
from shared.core.lockdown import asks_closing
from shared.core.plan import DENIED_LOOK, Part, Wait
from shared.core.policy import IsolationPolicy
from shared.core.policy_sections import Egress
from shared.core.registry import Access, Registry
from shared.core.report import Finding, Reason
from shared.core.security import EndpointPolicy, SecurityGroup, SecurityRule, WayOut

ALIAS = "/services/Azure/MachineLearning"
ALIAS_SERVICE = "Global"
"""The alias belongs to this service; under Microsoft.Storage Azure does not take it (azapi and azurerm modules)."""

_PREFIX = "registry-isolation"
_LAST_PRIORITY = 4096
_ANYWHERE = frozenset({"*", "any", "0.0.0.0/0", "internet"})
_EVERY_SOURCE = frozenset({"*", "any", "0.0.0.0/0", "virtualnetwork"})
_EVERY_PORT = frozenset({"*", "0-65535", "1-65535"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One service tag and the ports to it."""

    tag: str
    protocol: str
    ports: tuple[str, ...]

    @property
    def rule_name(self) -> str:
        """Name of the app's rule; the region is in the tag."""
        return f"{_PREFIX}-{self.tag}-{self.protocol.lower()}"

    @property
    def shown(self) -> str:
        """Its ports for a person."""
        return f"{self.protocol.upper()} {', '.join(self.ports)}"


def needs(regions: Iterable[str]) -> tuple[Need, ...]:
    """
    What clients of a registry in *regions* must reach.

    The documentation's table for registries, read 2025-04; its port 877 is 8787 in every other article about the
    service's network.
    """
    places = sorted({region.replace(" ", "").lower() for region in regions})
    return (
        Need(tag="AzureMachineLearning", protocol="Tcp", ports=("443", "8787", "18881")),
        Need(tag="AzureMachineLearning", protocol="Udp", ports=("5831",)),
        Need(tag="AzureFrontDoor.FirstParty", protocol="Tcp", ports=("443",)),
        *(
            Need(tag=f"{service}.{place}", protocol="Tcp", ports=("443",))
            for place in places
            for service in ("Storage", "AzureContainerRegistry", "MicrosoftContainerRegistry")
        ),
    )


def plan_egress(registry: Registry, policy: IsolationPolicy) -> Part:
    """Plan the way out of every security group that the policy names for *registry*."""
    read = {way.nsg: way for way in registry.ways_out}
    parts = []
    for entry in policy.egress_for(registry.id):
        way = read.get(entry.nsg)
        if way is not None:
            parts += [_plan_group(registry, entry, way), _plan_alias(entry, way)]
    changes = {key_of(change): change for part in parts for change in part.changes}
    return Part(
        changes=() if _to_be_closed(registry, policy) else tuple(changes.values()),
        waits=tuple(wait for part in parts for wait in part.waits),
        blocks=tuple(block for part in parts for block in part.blocks),
        findings=tuple(found for part in parts for found in part.findings),
    )


def _to_be_closed(registry: Registry, policy: IsolationPolicy) -> bool:
    """The registry is open and will not stay so; a plan that is only shown shows everything."""
    own = next((target for target in registry.targets if target.id == registry.id), None)
    return policy.mode == "enforce" and own is not None and own.access is Access.OPEN and asks_closing(own, policy)


def _plan_group(registry: Registry, entry: Egress, way: WayOut) -> Part:
    group, names = way.group, {"registry": registry.id.name, "group": entry.nsg.name}
    if group is None:
        found = finding("egress-group-unreadable", entry.nsg, problem=way.group_problem, **names)
        return _stuck("EgressGroupUnreadable", entry, found, passing=entry.nsg in way.passing)
    wanted = needs(region.location for region in registry.document.regions)
    missing = [need for need in wanted if not _covered(need, group)]
    findings = [*_shadows(group, wanted, names)]
    if entry.mode == "audit":
        told = (finding("egress-rule-missing", entry.nsg, ports=need.shown, tag=need.tag, **names) for need in missing)
        return Part(findings=(*findings, *told))
    changes: list[AllowEgress] = []
    blocks: list[Reason] = []
    free = _free_priorities(group, entry.priority_from)
    for need in missing:
        priority = _kept_priority(need, group) or next(free, None)
        if priority is None:
            found = finding(
                "egress-priorities-used-up",
                entry.nsg,
                ports=need.shown,
                tag=need.tag,
                first=entry.priority_from,
                **names,
            )
            findings.append(found)
            blocks.append(Reason(name="EgressPrioritiesUsedUp", sentence=found.sentence, resource=entry.nsg.text))
            continue
        # One after the other: Azure refuses a second write to a group while the first one runs.
        after = (key_of(changes[-1]),) if changes else ()
        changes.append(_allow(need, entry.nsg, priority, after))
    return Part(changes=tuple(changes), blocks=tuple(blocks), findings=tuple(findings))


def _plan_alias(entry: Egress, way: WayOut) -> Part:
    wanted = entry.service_endpoint_policy
    if wanted is None:
        return Part()
    if way.policy is None:
        found = finding("endpoint-policy-unreadable", wanted, policy=wanted.name, problem=way.policy_problem)
        return _stuck("EndpointPolicyUnreadable", entry, found, passing=wanted in way.passing)
    if _knows_alias(way.policy):
        return Part()
    if entry.mode == "audit":
        return Part(findings=(finding("endpoint-policy-alias-missing", wanted, policy=wanted.name),))
    definition = wanted.child("serviceEndpointPolicyDefinitions", f"{_PREFIX}-machine-learning")
    return Part(changes=(AllowSystemRegistry(definition=definition),))


def _stuck(name: str, entry: Egress, found: Finding, *, passing: bool) -> Part:
    """What cannot be read is told; whoever asked for enforcement is also told that it does not happen, or not yet."""
    if entry.mode != "enforce":
        return Part(findings=(found,))
    resource = found.resource.text if found.resource else ""
    reason = Reason(name=name, sentence=found.sentence, resource=resource)
    if passing:
        return Part(findings=(found,), waits=(Wait(reason=reason, delay=DENIED_LOOK),))
    return Part(findings=(found,), blocks=(reason,))


def _knows_alias(policy: EndpointPolicy) -> bool:
    return any(
        definition.service.lower() == ALIAS_SERVICE.lower()
        and any(resource.lower() == ALIAS.lower() for resource in definition.resources)
        for definition in policy.definitions
    )


def _allow(need: Need, nsg: ResourceId, priority: int, after: tuple[str, ...]) -> AllowEgress:
    rule = nsg.child("securityRules", need.rule_name)
    return AllowEgress(
        rule=rule, tag=need.tag, protocol=need.protocol, ports=need.ports, priority=priority, depends_on=after
    )


def _free_priorities(group: SecurityGroup, first: int) -> Iterator[int]:
    taken = {rule.priority for rule in group.rules if rule.outbound}
    return (priority for priority in range(first, _LAST_PRIORITY + 1) if priority not in taken)


def _kept_priority(need: Need, group: SecurityGroup) -> int | None:
    """The priority of a rule that bears the app's name for *need* but does not serve it (any more)."""
    name = need.rule_name.lower()
    return next((rule.priority for rule in group.rules if rule.outbound and rule.name.lower() == name), None)


# --- reading rules ----------------------------------------------------------------------------------------------------


def _covered(need: Need, group: SecurityGroup) -> bool:
    """Some allow rule serves each of the need's ports; one that bears the name of another need may be put anew any time."""
    allowing = [
        rule
        for rule in group.rules
        if rule.outbound and rule.allows and _allows(rule, need) and not _is_for_another(rule, need)
    ]
    return all(any(_holds(rule.ports, port) for rule in allowing) for port in need.ports)


def _is_for_another(rule: SecurityRule, need: Need) -> bool:
    name = rule.name.lower()
    return name.startswith(f"{_PREFIX}-") and name != need.rule_name.lower()


def _shadows(group: SecurityGroup, wanted: Iterable[Need], names: dict[str, str]) -> Iterator[Finding]:
    """Deny rules that are met before any rule allows what is needed; one finding for a rule and a tag."""
    outbound = sorted((rule for rule in group.rules if rule.outbound), key=lambda rule: rule.priority)
    for need in wanted:
        told: dict[str, tuple[SecurityRule, list[str]]] = {}
        if not _covered(need, group):
            continue
        for port in need.ports:
            first = next((rule for rule in outbound if _decides(rule, need, port)), None)
            if first is not None and not first.allows:
                told.setdefault(first.name, (first, []))[1].append(port)
        for rule, ports in told.values():
            shown = f"{need.protocol.upper()} {', '.join(ports)}"
            yield finding(
                "egress-shadowed",
                group.id.child("securityRules", rule.name),
                rule=rule.name,
                priority=rule.priority,
                ports=shown,
                tag=need.tag,
                **names,
            )


def _decides(rule: SecurityRule, need: Need, port: str) -> bool:
    """A deny rule counts whatever its source: it may be the one that the clients have."""
    if not _holds(rule.ports, port):
        return False
    return _allows(rule, need) if rule.allows else _reaches(rule, need)


def _allows(rule: SecurityRule, need: Need) -> bool:
    """An allow rule must hold for every client: a narrow source or source port serves only some."""
    from_all = any(source.lower() in _EVERY_SOURCE for source in rule.sources)
    from_every_port = any(port in _EVERY_PORT for port in rule.source_ports)
    return from_all and from_every_port and _reaches(rule, need)


def _reaches(rule: SecurityRule, need: Need) -> bool:
    protocol = rule.protocol.lower() in {"*", need.protocol.lower()}
    return protocol and any(_contains(destination, need.tag) for destination in rule.destinations)


def _contains(destination: str, tag: str) -> bool:
    """*destination* is *tag*, the same tag of all regions, or everything; address prefixes cannot be told."""
    given, wanted = destination.lower(), tag.lower()
    return given in _ANYWHERE or given in {wanted, "azurecloud"} or wanted.startswith(f"{given}.")


def _holds(ranges: Iterable[str], port: str) -> bool:
    return any(_in_range(each.strip(), int(port)) for each in ranges)


def _in_range(text: str, port: int) -> bool:
    if text == "*":
        return True
    first, _, last = text.partition("-")
    try:
        return int(first) <= port <= int(last or first)
    except ValueError:
        return False
