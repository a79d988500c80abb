"""
What several registries of a page have in common: workspaces that share with them, storage behind those, ways out.

Asked for only where the policy says something about a registry of the page. A thing that the policy names and Resource
Graph does not show becomes part of the view, as a thing that cannot be read does in an observation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.cloud import inventory_queries as queries
from shared.cloud.inventory_graph import ResourceGraph, Tally
from shared.cloud.inventory_rows import by_id, network_settings
from shared.cloud.security_groups import group_of, policy_of
from shared.cloud.workspaces import workspace_of
from shared.core.arm import ResourceId
from shared.core.policy import IsolationPolicy
from shared.core.policy_sections import Egress, Sharing
from shared.core.security import EndpointPolicy, SecurityGroup, WayOut
from shared.core.sharing_view import SharingView, Unreadable, Workspace

_ABSENT = "Resource Graph does not show it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """As read for one page; what is absent is not in Resource Graph."""

    workspaces: Mapping[ResourceId, Workspace] = field(default_factory=dict)
    accounts: Mapping[ResourceId, Mapping[str, Any]] = field(default_factory=dict)
    groups: Mapping[ResourceId, SecurityGroup] = field(default_factory=dict)
    policies: Mapping[ResourceId, EndpointPolicy] = field(default_factory=dict)

    def sharing(self, policy: IsolationPolicy, registry: ResourceId, tenant: str) -> SharingView | None:
        """What an observation of *registry* would say of sharing; None when the policy asks for no rules."""
        entries = policy.sharing_for(registry)
        if not entries and not policy.targets.storage.allow_resource_instances:
            return None
        named = _workspaces(entries)
        found = tuple(self.workspaces[workspace] for workspace in named if workspace in self.workspaces)
        theirs = (workspace.storage_account for workspace in found if workspace.storage_account)
        accounts = dict.fromkeys([*theirs, *(account for entry in entries for account in entry.storage_accounts)])
        missing = [
            *(workspace for workspace in named if workspace not in self.workspaces),
            *(workspace.id for workspace in found if workspace.storage_account is None),
            *(account for account in accounts if account not in self.accounts),
        ]
        return SharingView(
            tenant=tenant,
            workspaces=found,
            accounts={account: self.accounts[account] for account in accounts if account in self.accounts},
            unreadable=tuple(Unreadable(id=each, problem=_ABSENT) for each in missing),
        )

    def ways_out(self, policy: IsolationPolicy, registry: ResourceId) -> tuple[WayOut, ...]:
        """What an observation of *registry* would say of the way out."""
        return tuple(self._way_out(entry) for entry in policy.egress_for(registry))

    def _way_out(self, entry: Egress) -> WayOut:
        group = self.groups.get(entry.nsg)
        wanted = entry.service_endpoint_policy
        policy = None if wanted is None else self.policies.get(wanted)
        return WayOut(
            nsg=entry.nsg,
            group=group,
            group_problem="" if group else _ABSENT,
            policy=policy,
            policy_problem="" if policy or wanted is None else _ABSENT,
        )


async def read_surroundings(
    graph: ResourceGraph, tally: Tally, policy: IsolationPolicy, registries: Iterable[ResourceId]
) -> Surroundings:
    """Read what the policy names for *registries*; at most three queries, none where it names nothing."""
    ids = tuple(registries)
    sharing = _distinct(entry for registry in ids for entry in policy.sharing_for(registry))
    egress = _distinct(entry for registry in ids for entry in policy.egress_for(registry))
    rows = await _about(graph, tally, "workspaces", _workspaces(sharing))
    workspaces = {identifier: workspace_of(row, identifier) for identifier, row in rows.items()}
    theirs = [workspace.storage_account for workspace in workspaces.values() if workspace.storage_account]
    named = [account for entry in sharing for account in entry.storage_accounts]
    accounts = await _about(graph, tally, "accounts", [*theirs, *named])
    policies = [entry.service_endpoint_policy for entry in egress if entry.service_endpoint_policy]
    ways = await _about(graph, tally, "ways out", [*(entry.nsg for entry in egress), *policies])
    return Surroundings(
        workspaces=workspaces,
        accounts={identifier: network_settings(row) for identifier, row in accounts.items()},
        groups={entry.nsg: group_of(ways[entry.nsg], entry.nsg) for entry in egress if entry.nsg in ways},
        policies={wanted: policy_of(ways[wanted], wanted) for wanted in policies if wanted in ways},
    )


_QUESTIONS = {
    "workspaces": queries.workspaces,
    "accounts": queries.storage_accounts,
    "ways out": queries.ways_out,
}


async def _about(
    graph: ResourceGraph, tally: Tally, name: str, ids: Iterable[ResourceId]
) -> Mapping[ResourceId, Mapping[str, Any]]:
    """Rows of *ids*; what is missing makes the page partial, since a drift of it would hide."""
    wanted = tuple(dict.fromkeys(ids))
    subscriptions = (identifier.subscription for identifier in wanted)
    rows = await graph.about(tally, name, _QUESTIONS[name], (each.key for each in wanted), subscriptions)
    found = by_id(rows)
    for each in wanted:
        if each not in found:
            tally.doubt(f"Resource Graph does not show {each.name}, which the policy needs.")
    return found


def _workspaces(entries: Iterable[Sharing]) -> tuple[ResourceId, ...]:
    return tuple(dict.fromkeys(workspace for entry in entries for workspace in entry.workspaces))


def _distinct[Entry](entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Each section of the policy once, by identity: sections are compared member by member otherwise."""
    return tuple({id(entry): entry for entry in entries}.values())
