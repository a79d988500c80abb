"""
What every run of the campaign must keep, each promise by itself: [] where it is kept, else a sentence for each breach.

Decided from the simulated world and from what the ledger says of it; nothing here asks the app.
"""

import copy
from collections.abc import Iterable
from typing import Any

from local.campaign.cases import Injection
from local.campaign.house import StormHouse
from local.campaign.kinds import Kind
from local.campaign.watch import unreachable
from local.campaign.ways_out import shut_in
from local.house import as_id
from local.simulator import scenery
from local.simulator.world import Resource
from local.verdict import connections, unisolated
from shared.core.changes import key_of
from shared.core.naming import REGISTRY_TAG
from shared.core.report import BlockedOutcome, Outcome

BLOCKS = {
    Kind.REFUSED: "DeniedByPolicy",
    Kind.LOCKED: "Locked",
    Kind.DENIED: "DeniedByAssignment",
    Kind.FULL: "SubnetUnusable",
    Kind.STUCK: "StuckOperation",
}
"""Faults that may, as long as they last, end with a person, and the reason that must then be given."""
_BESIDE = frozenset({"NotRestored"})
"""What an undo says beside the reason: which person's word it could not carry out."""
_NETWORK = ("publicNetworkAccess", "networkAcls", "networkRuleSet")


def isolation(house: StormHouse) -> list[str]:
    """Every registry is isolated, in every network that serves it."""
    problems = []
    for registry in house.registries_of_story:
        found = unisolated(house.azure, registry)
        problems += found
        if not found:
            problems += unreachable(house.azure, house.azure.require(registry), house.azure.watch.subnets)
    return problems


def endpoint_count(house: StormHouse, wanted: int) -> list[str]:
    """There is not one endpoint too many, and not one too few."""
    names = [endpoint.name for endpoint in house.endpoints()]
    return [] if len(names) == wanted else [f"there are {len(names)} endpoints, not {wanted}: {', '.join(names)}"]


def neighbours(house: StormHouse, *, let_in: bool) -> list[str]:
    """The workspace's storage lets in each registry once, or none of them, and whom it let in before."""
    wanted = [registry.lower() for registry in house.registries_of_story] if let_in else []
    wanted += [rule.lower() for rule in house.azure.watch.kept[house.account.key]]
    rules = house.rules()
    return [] if sorted(rules) == sorted(wanted) else [f"the workspace's storage lets in {rules}, not {wanted}"]


def ways_out(house: StormHouse) -> list[str]:
    """Clients reach what they need, and rules of others are still there."""
    return shut_in(house, house.group) if house.group else []


def restored(house: StormHouse) -> list[str]:
    """Every network setting is as it was before the isolation."""
    (registry,) = house.registries_of_story
    now = settings_of(house, registry)
    return [
        f"{name} has {now.get(name)}, not {before} as before"
        for name, before in house.before.items()
        if now.get(name) != before
    ]


def settings_of(house: StormHouse, registry: str) -> dict[str, Any]:
    """Every network setting of a registry and its parts; absent public access is enabled, an empty list no rule."""
    found = house.azure.require(registry)
    return {each.name: _settings(each) for each in (found, *scenery.parts_of(house.azure, found))}


def _settings(resource: Resource) -> dict[str, Any]:
    told = {name: _without_empty(resource.properties[name]) for name in _NETWORK if name in resource.properties}
    return {"publicNetworkAccess": "Enabled"} | told


def _without_empty(setting: Any) -> Any:
    if isinstance(setting, dict):
        return {name: _without_empty(inner) for name, inner in setting.items() if inner != []}
    return copy.deepcopy(setting)


def orphans(house: StormHouse) -> list[str]:
    """Nothing is left of what is not there any more: no endpoint without its registry or target, no record without it."""
    world = house.azure.world
    problems = []
    for endpoint in house.endpoints():
        owner = (endpoint.body.get("tags") or {}).get(REGISTRY_TAG)
        targets = [str(one["properties"]["privateLinkServiceId"]) for one in connections(endpoint)]
        if owner and world.get(owner) is None:
            problems.append(f"{endpoint.name} is an orphan of {owner}")
        problems += [f"{endpoint.name} leads to {each}, which is gone" for each in targets if world.get(each) is None]
    return problems + _lost_records(house)


def _lost_records(house: StormHouse) -> list[str]:
    interfaces = house.azure.world.of_type("Microsoft.Network/networkInterfaces")
    addresses = {
        each["properties"]["privateIPAddress"] for one in interfaces for each in one.properties["ipConfigurations"]
    }
    return [
        f"the record {record.name} leads to {entry['ipv4Address']}, where nobody is"
        for record in house.azure.world.of_type("Microsoft.Network/privateDnsZones/A")
        for entry in record.properties["aRecords"]
        if entry["ipv4Address"] not in addresses
    ]


async def remembered(house: StormHouse, wanted: str) -> list[str]:
    """The ledger knows every registry, says how it is, and has forgotten nothing that the app made or began."""
    problems = []
    for registry in house.registries_of_story:
        row = await house.seen(registry)
        if row is None:
            problems.append(f"the ledger does not know {registry}")
            continue
        if kind_of(row.outcome) != wanted:
            problems.append(f"the ledger says {row.outcome} of {registry}, not {wanted}")
        begun = [
            *(key_of(operation.change) for operation in row.operations),
            *(key_of(change) for change in row.pending),
        ]
        problems += [f"the ledger still waits for {key}" for key in begun]
        tagged = _tagged(house, registry)
        made = sorted(each.key for each in row.made)
        if made != tagged:
            problems.append(f"the ledger says that the app made {made}, and the world {tagged}")
    return problems + await _strangers(house)


async def _strangers(house: StormHouse) -> list[str]:
    """No row of a registry that nobody ever made, and no resource in the index that belongs to none of the story's."""
    ours = {registry.lower() for registry in house.registries_of_story}
    rows = {row.registry.key for row in (await house.ledger.list_rows()).rows}
    problems = [f"the ledger has a row of {each}, which never was" for each in sorted(rows - ours)]
    for resource, owners in sorted(house.index.owners.items()):
        problems += [f"the index has {resource.name} for {one.key}" for one in sorted(owners) if one.key not in ours]
        if not any(house.azure.world.get(one.text) for one in owners):
            problems.append(f"the index still has {resource.name}, whose registry is gone")
    return problems


def _tagged(house: StormHouse, registry: str) -> list[str]:
    return sorted(
        as_id(each).key
        for each in house.endpoints()
        if str((each.body.get("tags") or {}).get(REGISTRY_TAG)).lower() == registry.lower()
    )


def nothing_left(house: StormHouse) -> list[str]:
    """No message waits, none was poisoned for good, and nothing that a function raised was a bug."""
    queues = {
        "work": house.queue,
        "poison": house.poisoned,
        "sweep": house.steps,
        "sweep's poison": house.poisoned_steps,
    }
    waiting = [f"{len(queue)} messages are left in the {name} queue" for name, queue in queues.items() if len(queue)]
    waiting += [f"nobody has given back the lease {name}" for name in sorted(house.leases.held)]
    return waiting + [f"a bug: {bug}" for bug in house.bugs()]


async def rightly_told(house: StormHouse, struck: Iterable[Injection]) -> list[str]:
    """Blocked is said only where a person is needed, Failed never, and poison is always explained."""
    may_block = any(each.kind in BLOCKS for each in struck)
    problems = []
    for registry in house.registries_of_story:
        for entry in await house.ledger.told(as_id(registry)):
            if entry.kind == "outcome" and (entry.result == "failed" or (entry.result == "blocked" and not may_block)):
                problems.append(f"it was told {entry.result} for no reason: {entry.sentence}")
            if entry.kind == "poison" and not entry.sentence:
                problems.append("something was poisoned, and nobody says why")
    return problems


def rightly_blocked(outcome: Outcome | None, struck: Iterable[Injection]) -> bool:
    """Whether a registry is Blocked, and by nothing but what really stands in the way."""
    names = {BLOCKS[each.kind] for each in struck if each.kind in BLOCKS}
    told = {reason.name for reason in outcome.reasons} if isinstance(outcome, BlockedOutcome) else set()
    return bool(told & names) and told <= names | _BESIDE


def kind_of(outcome: Outcome | None) -> str:
    return outcome.kind if outcome is not None else "unknown"
