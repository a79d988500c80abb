"""Each right of the roles is needed: without it an installation stops and says which right to give it."""

import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from local.simulator.options import Options
from local.sweep_house import SweepHouse
from shared.core.report import BlockedOutcome, Converged
from tests.scenarios.house import House
from tests.scenarios.sharing import Neighbourhood
from tests.scenarios.test_egress import egress
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.test_refusals import without
from tests.scenarios.ways_out import add_group, add_policy

INFRA = Path(__file__).parents[2] / "infra"
GRAPH = "Microsoft.ResourceGraph/resources/read"
LEARNING = "Microsoft.MachineLearningServices/"
NETWORK = "Microsoft.Network/"
STORAGE = "Microsoft.Storage/storageAccounts/"
ACR = "Microsoft.ContainerRegistry/registries/"


def everyday() -> House:
    return House()


def closing_alone() -> House:
    """Azure does not close the parts after their registry, so the app has to."""
    return House(options=Options(public_access_propagates=False))


def sharing() -> House:
    house = House()
    near = Neighbourhood(house)
    near.share(near.workspace(near.account()))
    return house


def letting_out() -> House:
    house = House()
    egress(house, add_group(house), service_endpoint_policy=add_policy(house))
    return house


BLOCKS: list[tuple[Callable[[], House], tuple[str, ...]]] = [
    (everyday, ("Microsoft.Resources/subscriptions/resourceGroups/resources/read",)),
    (everyday, (f"{LEARNING}registries/read",)),
    (everyday, (f"{LEARNING}registries/write",)),
    (everyday, (f"{STORAGE}read",)),
    (everyday, (f"{ACR}read",)),
    (everyday, (f"{ACR}replications/read",)),
    (everyday, (f"{LEARNING}registries/privateLinkResources/read",)),
    (everyday, (f"{STORAGE}privateLinkResources/read",)),
    (everyday, (f"{ACR}privateLinkResources/read",)),
    (
        everyday,
        tuple(f"{kind}privateEndpointConnectionsApproval/action" for kind in (f"{LEARNING}registries/", STORAGE, ACR)),
    ),
    (everyday, (f"{NETWORK}networkInterfaces/read",)),
    (everyday, (f"{NETWORK}privateDnsZones/read",)),
    (everyday, (f"{NETWORK}privateDnsZones/write",)),
    (everyday, (f"{NETWORK}privateDnsZones/A/read",)),
    (everyday, (f"{NETWORK}privateDnsZones/join/action",)),
    (everyday, (f"{NETWORK}privateDnsZones/virtualNetworkLinks/read",)),
    (everyday, (f"{NETWORK}privateDnsZones/virtualNetworkLinks/write",)),
    (everyday, (f"{NETWORK}privateEndpoints/read",)),
    (everyday, (f"{NETWORK}privateEndpoints/write",)),
    (everyday, (f"{NETWORK}privateEndpoints/privateDnsZoneGroups/write",)),
    (everyday, (f"{NETWORK}virtualNetworks/read",)),
    (everyday, (f"{NETWORK}virtualNetworks/join/action",)),
    (everyday, (f"{NETWORK}virtualNetworks/subnets/join/action",)),
    (closing_alone, (f"{STORAGE}write", f"{ACR}write")),
    (letting_out, (f"{NETWORK}networkSecurityGroups/read", f"{NETWORK}serviceEndpointPolicies/read")),
    (
        letting_out,
        (
            f"{NETWORK}networkSecurityGroups/securityRules/write",
            f"{NETWORK}serviceEndpointPolicies/serviceEndpointPolicyDefinitions/write",
        ),
    ),
    (letting_out, (f"{NETWORK}networkSecurityGroups/securityRules/read",)),
    (letting_out, (f"{NETWORK}serviceEndpointPolicies/serviceEndpointPolicyDefinitions/read",)),
]
"""Where the lack of rights ends the work; rights whose lack is met independently are taken away together."""

REPORTED = (f"{LEARNING}workspaces/read", f"{LEARNING}workspaces/onlineEndpoints/read")
"""Rights whose lack is a finding and keeps no registry open."""

ELSEWHERE = {
    "Microsoft.Authorization/denyAssignments/read": "test_denials: a finding names it; Azure's refusal comes later",
    f"{NETWORK}privateEndpoints/delete": "test_deletion: a removal that may not be done is a block that names it",
    "Microsoft.EventGrid/events/send/action": "test_outcome_events: the right to send may come later",
}
"""Rights that another story shows."""

SURVIVED = {
    f"{LEARNING}locations/registryOperationsStatus/read": "only tells why a write failed; the registry tells the rest",
    f"{NETWORK}locations/operations/read": "only tells why a write failed; the resource's own state tells the rest",
    f"{NETWORK}privateDnsOperationStatuses/read": "only tells why a write failed; the zone's own state tells the rest",
    "Microsoft.Resources/subscriptions/resourceGroups/read": "for registries that do not tell their managed group",
    "Microsoft.Resources/subscriptions/read": "for registries without an identity, which would tell the tenant",
    f"{NETWORK}privateEndpoints/privateDnsZoneGroups/read": "for endpoints that have a zone group already",
    f"{NETWORK}privateEndpoints/privateDnsZoneGroups/delete": "for zone groups that have to be made anew",
    f"{LEARNING}workspaces/onlineEndpoints/deployments/read": "for workspaces that have online endpoints",
}
"""Rights that isolating a new registry does without, and what they are for."""


def ended(house: House, registry: str) -> Callable[[], Awaitable[bool]]:
    """Holds once the work on a registry has come to an end, good or bad."""

    async def has_ended() -> bool:
        row = await house.row(registry)
        return row is not None and isinstance(row.outcome, BlockedOutcome | Converged)

    return has_ended


async def outcome_without(house: House, missing: Iterable[str]) -> tuple[str, str, str]:
    """The outcome's kind for a registry made in *house*, and what the reasons and the findings say."""
    without(*missing)(house)
    async with house:
        registry = await create(house)
        assert await house.live(ended(house, registry), timedelta(hours=1))
        row = await house.row(registry)
        assert row is not None
        assert row.report is not None
        assert row.outcome is not None
        reasons = row.outcome.reasons if isinstance(row.outcome, BlockedOutcome) else ()
        findings = " ".join(finding.sentence for finding in row.report.findings)
        return row.outcome.kind, " ".join(reason.sentence for reason in reasons).lower(), findings.lower()


@pytest.mark.parametrize(
    ("build", "missing"), BLOCKS, ids=[f"{build.__name__}-{'+'.join(missing)}" for build, missing in BLOCKS]
)
def test_a_missing_right_ends_the_work_with_a_sentence_that_names_it(
    build: Callable[[], House], missing: tuple[str, ...]
) -> None:
    async def story() -> None:
        kind, said, _ = await outcome_without(build(), missing)

        assert kind == "blocked"
        assert [action for action in missing if action.lower() not in said] == []

    tell(story())


@pytest.mark.parametrize("action", [f"{STORAGE}read", f"{STORAGE}write"])
def test_the_rights_of_sharing_are_named_as_well(action: str) -> None:
    async def story() -> None:
        kind, said, _ = await outcome_without(sharing(), [action])

        assert kind == "blocked"
        assert action.lower() in said

    tell(story())


@pytest.mark.parametrize("action", REPORTED)
def test_a_right_to_look_at_workspaces_is_named_by_a_finding(action: str) -> None:
    async def story() -> None:
        kind, _, findings = await outcome_without(sharing(), [action])

        assert kind == "converged"
        assert action.lower() in findings

    tell(story())


def test_rights_for_what_is_rare_are_not_needed_to_isolate_a_new_registry() -> None:
    async def story() -> None:
        assert (await outcome_without(sharing(), SURVIVED))[0] == "converged"

    tell(story())


def test_a_sweep_that_may_not_ask_the_graph_names_the_right() -> None:
    async def story() -> None:
        async with SweepHouse(1) as house:
            house.grant(GRAPH)
            swept = await house.sweep()

            assert swept.seen == 0
            assert GRAPH in " ".join(swept.notes)

    tell(story())


def test_every_right_of_the_roles_has_its_story() -> None:
    roles = [json.loads(file.read_text()) for file in INFRA.glob("role*.json")]
    granted = {action for role in roles for action in (*role["Actions"], *role["DataActions"])}
    blocking = {action for _, missing in BLOCKS for action in missing}

    assert {GRAPH, *REPORTED, *ELSEWHERE, *SURVIVED, *blocking} == granted
    assert not blocking & {*REPORTED, *SURVIVED}
