"""The way out of a network in the perfect Azure: rules and definitions are there as soon as they are put."""

from dataclasses import replace

from shared.core.egress import ALIAS, ALIAS_SERVICE
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.registry import Registry
from shared.core.security import EndpointPolicyDefinition, SecurityRule, WayOut


def allowed(registry: Registry, change: AllowEgress | AllowSystemRegistry) -> Registry:
    """*registry* after *change*; a priority that somebody else has is an error, as in Azure."""
    ways = [_with_rule(w, change) if isinstance(change, AllowEgress) else _with(w, change) for w in registry.ways_out]
    return replace(registry, ways_out=tuple(ways))


def _with_rule(way: WayOut, change: AllowEgress) -> WayOut:
    if way.group is None or change.rule.parent != way.nsg:
        return way
    others = tuple(rule for rule in way.group.rules if rule.name.lower() != change.rule.name.lower())
    assert change.priority not in {rule.priority for rule in others if rule.outbound}, "SecurityRuleConflict"
    rule = SecurityRule(
        name=change.rule.name,
        priority=change.priority,
        outbound=True,
        allows=True,
        protocol=change.protocol,
        sources=("*",),
        destinations=(change.tag,),
        ports=change.ports,
    )
    return replace(way, group=replace(way.group, rules=(*others, rule)))


def _with(way: WayOut, change: AllowSystemRegistry) -> WayOut:
    if way.policy is None or change.definition.parent != way.policy.id:
        return way
    made = EndpointPolicyDefinition(name=change.definition.name, service=ALIAS_SERVICE, resources=(ALIAS,))
    return replace(way, policy=replace(way.policy, definitions=(*way.policy.definitions, made)))
