"""
List what turns one observed registry into what the policy asks, in an order that is safe to run.

Pure: equal inputs give equal plans. Verifying is planning again: a registry is isolated exactly when its plan is empty.
Endpoints (`core.endpoints`), names (`core.names`) and lockdown (`core.lockdown`) are planned in that order, each on what
the one before it found; a fault in one of them leaves the others' safe changes in the plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.core.arm import ResourceId
from shared.core.changes import Change, CreateEndpoint, key_of
from shared.core.cleanup import plan_left_overs
from shared.core.egress import plan_egress
from shared.core.endpoints import REFUSING, Standing, address_shortage, assess, wanted_endpoints
from shared.core.lockdown import Memory, asks_closing, plan_closing
from shared.core.names import NamesPlan, foreign_zone_groups, plan_names, zone_findings, zone_ids, zone_names
from shared.core.plan import Part, Plan, in_order
from shared.core.policy import IsolationPolicy, Network
from shared.core.registry import Access, ConnectionStatus, Registry
from shared.core.remarks import plan_remarks
from shared.core.report import Condition, ConditionStatus, ConditionType, Finding, Reason, Severity
from shared.core.sharing import plan_sharing

type ZoneTable = Mapping[str, tuple[str, ...]]
"""Group id to zone names of the configured cloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NetworkPlan:
    """One network's part of the plan; *shortage* says that its missing endpoints do not fit into the subnet."""

    standings: tuple[Standing, ...]
    names: NamesPlan
    shortage: Reason | None

    @property
    def endpoint_changes(self) -> list[Change]:
        return [s.change for s in self.standings if s.change and not (self.shortage and _creates(s))]


def make_plan(registry: Registry, policy: IsolationPolicy, zone_table: ZoneTable, memory: Memory) -> Plan:
    """Make the plan for *registry*."""
    networks = serving_networks(registry, policy)
    parts = [_plan_network(registry, policy, network, zone_table, memory) for network in networks]
    standings = [standing for part in parts for standing in part.standings]
    conflicts = _dns_conflicts(registry, networks) if standings else ()
    unserved = _no_network(registry, policy, networks)
    blocks = [
        *unserved,
        *conflicts,
        *(standing.block for standing in standings if standing.block),
        *(part.shortage for part in parts if part.shortage),
        *(block for part in parts for block in part.names.blocks),
    ]
    approved = not unserved and all(standing.approved for standing in standings)
    resolved = approved and not conflicts and all(part.names.ready for part in parts)
    verified = resolved and not blocks
    closing = plan_closing(registry, policy, memory, verified=verified)
    others = plan_other_rules(registry, policy, memory)
    changes: list[Change] = [
        *(change for part in parts for change in part.endpoint_changes),
        *(() if conflicts else (change for part in parts for change in part.names.changes)),
        *closing.changes,
        *(change for part in others for change in part.changes),
    ]
    return Plan(
        registry=registry.id,
        changes=in_order(_without_orphans(changes)),
        waits=(
            *(standing.wait for standing in standings if standing.wait),
            *(wait for part in parts for wait in part.names.waits),
            *closing.waits,
            *(wait for part in others for wait in part.waits),
        ),
        blocks=(*blocks, *_not_said(closing.blocks, blocks), *(block for part in others for block in part.blocks)),
        findings=(
            *_discovery_findings(registry),
            *zone_findings(registry, zone_table),
            *closing.findings,
            *(finding for part in others for finding in part.findings),
        ),
        conditions=(
            Condition(type=ConditionType.DISCOVERED, status=ConditionStatus.TRUE),
            _condition(ConditionType.ENDPOINTS_APPROVED, holds=approved, message=_unapproved(standings, unserved)),
            _condition(ConditionType.NAMES_RESOLVE, holds=resolved, message=_unresolved(parts, conflicts)),
            _access_condition(registry, policy),
        ),
        verified=verified,
        broken=(
            *(s.broken for s in standings if s.broken),
            *(key for part in parts for key in part.names.broken),
            *(key for part in others for key in part.broken),
        ),
        sound=(
            *(s.wanted.id.key for s in standings if s.approved),
            *(key for part in parts for key in part.names.sound),
            *(key for part in others for key in part.sound),
        ),
    )


def plan_other_rules(registry: Registry, policy: IsolationPolicy, memory: Memory) -> tuple[Part, ...]:
    """Plan the rules that the lockdown does not wait for, one part each."""
    return (
        plan_left_overs(registry, policy),
        plan_egress(registry, policy),
        plan_sharing(registry, policy, memory),
        plan_remarks(registry, policy, memory),
    )


def serving_networks(registry: Registry, policy: IsolationPolicy) -> tuple[Network, ...]:
    """Networks of the policy in which this registry gets endpoints."""
    return policy.networks_for(registry.id, tuple(region.location for region in registry.document.regions))


def approved_endpoints(registry: Registry) -> frozenset[ResourceId]:
    """Every endpoint of the registry that is provisioned and approved; none of them may be deleted."""
    return frozenset(
        endpoint.id
        for view in registry.networks
        for endpoint in view.endpoints
        if endpoint.state.lower() == "succeeded"
        and any(connection.status is ConnectionStatus.APPROVED for connection in endpoint.connections)
        and not _rejected_by_target(endpoint.id, registry)
    )


def _rejected_by_target(endpoint: ResourceId, registry: Registry) -> bool:
    return any(
        connection.endpoint == endpoint and connection.status in REFUSING
        for target in registry.targets
        for connection in target.connections
    )


def _plan_network(
    registry: Registry, policy: IsolationPolicy, network: Network, zone_table: ZoneTable, memory: Memory
) -> _NetworkPlan:
    view = registry.network(network.name)
    wanted = wanted_endpoints(registry, policy, (network,))
    ours = zone_ids(network, {name for want in wanted for name in zone_names(want.group, registry, zone_table)})
    refused = foreign_zone_groups(view, ours.values()) if network.dns.manage else frozenset()
    standings = tuple(assess(want, view, registry, memory.repairs, refused) for want in wanted)
    names = plan_names(network, view, standings, registry, zone_table, memory.repairs)
    creating = [standing.wanted for standing in standings if _creates(standing)]
    return _NetworkPlan(standings=standings, names=names, shortage=address_shortage(creating, view, registry))


def _creates(standing: Standing) -> bool:
    return isinstance(standing.change, CreateEndpoint) and not standing.change.repair


def _not_said(more: Iterable[Reason], blocks: Iterable[Reason]) -> tuple[Reason, ...]:
    """Those of *more* that name nothing that *blocks* names already (one wrong sku keeps out endpoint and closing)."""
    said = {(block.name, block.resource) for block in blocks}
    return tuple(block for block in more if (block.name, block.resource) not in said)


def _no_network(registry: Registry, policy: IsolationPolicy, networks: tuple[Network, ...]) -> tuple[Reason, ...]:
    targets = policy.targets
    if networks or not (targets.registry.endpoint or targets.storage.endpoint or targets.acr.endpoint):
        return ()
    regions = ", ".join(region.location for region in registry.document.regions)
    sentence = (
        f"No network of the policy serves registry {registry.id.name} ({regions}). Add one to networks, or widen "
        "serves.registries or serves.regions of one that is there."
    )
    return (Reason(name="NoNetwork", sentence=sentence, resource=registry.id.text),)


def _dns_conflicts(registry: Registry, networks: tuple[Network, ...]) -> tuple[Reason, ...]:
    """Two networks with one home for their zones: a record can point to one network's endpoint only."""
    homes: dict[ResourceId, list[str]] = {}
    for network in networks:
        home = network.dns.zones_resource_group  # None where somebody else manages DNS
        if home is not None:
            homes.setdefault(home, []).append(network.name)
    return tuple(
        Reason(
            name="DnsConflict",
            sentence=f"Networks {' and '.join(names)} both serve registry {registry.id.name} and keep their zones in the same "
            "resource group, where each name can point to one network's endpoint only. Give each network its own zones.",
            resource=home.text,
        )
        for home, names in homes.items()
        if len(names) > 1
    )


def _without_orphans(changes: list[Change]) -> tuple[Change, ...]:
    """Drop changes that wait for an endpoint which this plan does not make."""
    present = {key_of(change) for change in changes}
    return tuple(change for change in changes if set(change.depends_on) <= present)


def _discovery_findings(registry: Registry) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            code="discovery-disagreement", severity=Severity.WARNING, sentence=sentence, resource=registry.managed_group
        )
        for sentence in registry.unlisted
    )


def _unapproved(standings: Iterable[Standing], unserved: Iterable[Reason]) -> str:
    names = [standing.wanted.id.name for standing in standings if not standing.approved]
    return " ".join([f"Not approved: {', '.join(names)}."] if names else [reason.sentence for reason in unserved])


def _unresolved(parts: Iterable[_NetworkPlan], conflicts: Iterable[Reason]) -> str:
    troubles = [conflict.sentence for conflict in conflicts]
    for part in parts:
        troubles += [block.sentence for block in part.names.blocks]
        troubles += [wait.reason.sentence for wait in part.names.waits]
        troubles += [f"To do: {change.sentence}." for change in part.names.changes]
    return " ".join(troubles) or "Endpoints come first."


def _access_condition(registry: Registry, policy: IsolationPolicy) -> Condition:
    opened = [t.id.name for t in registry.targets if t.access is Access.OPEN and asks_closing(t, policy)]
    return _condition(ConditionType.PUBLIC_ACCESS_CLOSED, holds=not opened, message=f"Open: {', '.join(opened)}.")


def _condition(kind: ConditionType, *, holds: bool, message: str) -> Condition:
    status = ConditionStatus.TRUE if holds else ConditionStatus.FALSE
    return Condition(type=kind, status=status, message="" if holds else message)
