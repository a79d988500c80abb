"""The roles are enough and nothing in them is too much: each right is used, and its lack is told by its name."""

from functools import cache

import pytest

from tests.infra.bicep import INFRA
from tests.scenarios.rights import (
    ENFORCING,
    GRANTED,
    SPELLED,
    STORIES,
    Story,
    Told,
    broken_closing,
    broken_endpoint,
    broken_zone,
    closing_alone,
    deletion,
    denied,
    deployments,
    everyday,
    examining,
    letting_out,
    lost_records,
    reticent,
    role,
    sharing,
    sharing_without_identity,
    spelled,
    sweeping,
    telling,
)
from tests.virtual_time import run_virtual

LEARNING = "Microsoft.MachineLearningServices/"
NETWORK = "Microsoft.Network/"
STORAGE = "Microsoft.Storage/storageAccounts/"
ACR = "Microsoft.ContainerRegistry/registries/"
GROUPS = "Microsoft.Resources/subscriptions/resourceGroups/"
ZONES = f"{NETWORK}privateDnsZones/"
ENDPOINTS = f"{NETWORK}privateEndpoints/"
APPROVAL = "privateEndpointConnectionsApproval/action"

BLOCKS: dict[str, Story] = {
    f"{GROUPS}resources/read": everyday,
    f"{GROUPS}read": reticent,
    f"{LEARNING}registries/read": everyday,
    f"{LEARNING}registries/write": everyday,
    f"{LEARNING}registries/{APPROVAL}": everyday,
    f"{LEARNING}registries/privateLinkResources/read": everyday,
    f"{STORAGE}read": everyday,
    f"{STORAGE}write": closing_alone,
    f"{STORAGE}{APPROVAL}": everyday,
    f"{STORAGE}privateLinkResources/read": everyday,
    f"{ACR}read": everyday,
    f"{ACR}write": closing_alone,
    f"{ACR}{APPROVAL}": everyday,
    f"{ACR}replications/read": everyday,
    f"{NETWORK}networkInterfaces/read": everyday,
    f"{ZONES}A/read": everyday,
    f"{ZONES}join/action": everyday,
    f"{ZONES}read": everyday,
    f"{ZONES}write": everyday,
    f"{ZONES}virtualNetworkLinks/read": everyday,
    f"{ZONES}virtualNetworkLinks/write": everyday,
    f"{ENDPOINTS}read": everyday,
    f"{ENDPOINTS}write": everyday,
    f"{ENDPOINTS}delete": deletion,
    f"{ENDPOINTS}privateDnsZoneGroups/read": lost_records,
    f"{ENDPOINTS}privateDnsZoneGroups/write": everyday,
    f"{ENDPOINTS}privateDnsZoneGroups/delete": lost_records,
    f"{NETWORK}virtualNetworks/join/action": everyday,
    f"{NETWORK}virtualNetworks/read": everyday,
    f"{NETWORK}virtualNetworks/subnets/join/action": everyday,
    f"{NETWORK}networkSecurityGroups/read": letting_out,
    f"{NETWORK}networkSecurityGroups/securityRules/read": letting_out,
    f"{NETWORK}networkSecurityGroups/securityRules/write": letting_out,
    f"{NETWORK}serviceEndpointPolicies/read": letting_out,
    f"{NETWORK}serviceEndpointPolicies/serviceEndpointPolicyDefinitions/read": letting_out,
    f"{NETWORK}serviceEndpointPolicies/serviceEndpointPolicyDefinitions/write": letting_out,
    "Microsoft.Resources/subscriptions/read": sharing_without_identity,
}
"""Without one of these the story ends Blocked."""

DEGRADES: dict[str, tuple[Story, str]] = {
    "Microsoft.Authorization/denyAssignments/read": (denied, "blocked"),  # Azure's own refusal comes instead, later
    "Microsoft.Authorization/permissions/read": (examining, "unknown"),  # the doctor cannot tell
    "Microsoft.EventGrid/systemTopics/eventSubscriptions/read": (examining, "unknown"),  # likewise
    "Microsoft.EventGrid/systemTopics/read": (examining, "unknown"),  # likewise
    "Microsoft.Resources/subscriptions/providers/read": (examining, "unknown"),  # likewise
    f"{LEARNING}locations/*/read": (broken_closing, "converged"),  # the cause stays unknown
    f"{NETWORK}locations/operations/read": (broken_endpoint, "converged"),  # likewise
    f"{NETWORK}privateDnsOperationStatuses/read": (broken_zone, "converged"),  # likewise
    f"{LEARNING}workspaces/read": (sharing, "converged"),  # a finding; nothing can be let in
    f"{LEARNING}workspaces/onlineEndpoints/read": (sharing, "converged"),  # a finding
    f"{LEARNING}workspaces/onlineEndpoints/deployments/read": (deployments, "converged"),  # a finding
    "Microsoft.EventGrid/events/send/action": (telling, "converged"),  # nobody is told; the log says why
    "Microsoft.ResourceGraph/resources/read": (sweeping, "done"),  # the sweep goes by the ledger and says so
}
"""Without one of these the story ends as it would, less something, and says of what."""

ALSO: tuple[tuple[str, Story], ...] = (
    (f"{ENDPOINTS}delete", broken_endpoint),
    (f"{STORAGE}write", sharing),
)
"""Further stories that a right of several roles ends."""


@cache
def told(story: Story, missing: tuple[str, ...] = ()) -> Told:
    heard: list[Told] = []

    async def tell() -> None:
        heard.append(await story(missing))

    run_virtual(tell())
    return heard[0]


@pytest.mark.parametrize(
    ("action", "story"), [*BLOCKS.items(), *ALSO], ids=lambda value: value if isinstance(value, str) else value.__name__
)
def test_a_missing_right_ends_the_work_with_a_sentence_that_names_it(action: str, story: Story) -> None:
    ended = told(story, (action,))

    assert ended.outcome == "blocked"
    assert action.lower() in ended.reasons


@pytest.mark.parametrize("action", DEGRADES)
def test_a_missing_right_that_ends_nothing_is_named_all_the_same(action: str) -> None:
    story, outcome = DEGRADES[action]
    ended = told(story, (action,))

    assert ended.outcome == outcome
    assert SPELLED.get(action, action).lower() in ended.said


def test_every_right_of_the_roles_has_its_story() -> None:
    assert {*BLOCKS, *DEGRADES} == GRANTED
    assert not BLOCKS.keys() & DEGRADES.keys()


def test_the_stories_use_every_right_and_no_other_one() -> None:
    used = frozenset[str]().union(*(told(story).demanded for story in STORIES))

    assert sorted(spelled(GRANTED) - used) == []
    assert sorted(used - spelled(GRANTED)) == []


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_with_exactly_the_roles_azure_refuses_nothing(story: Story) -> None:
    ended = told(story)

    assert ended.refused == ()
    assert ended.outcome in {"converged", "gone", "done", "ok"} or story is denied


NEEDS: dict[str, tuple[Story, ...]] = {
    "": (everyday, closing_alone, reticent, broken_zone, broken_closing, lost_records, sweeping, examining),
    "deletion": (broken_endpoint, deletion),
    "sharing": (sharing, sharing_without_identity, deployments),
    "egress": (letting_out,),
    "outcomes": (telling,),
}
"""Stories that need the basic role and this one."""


@pytest.mark.parametrize(("name", "stories"), NEEDS.items())
def test_whoever_uses_one_feature_needs_its_role_and_the_basic_one_only(name: str, stories: tuple[Story, ...]) -> None:
    needed = spelled([*role(""), *role(name)])

    for story in stories:
        assert sorted(told(story).demanded - needed) == []
        assert told(story).demanded - spelled(role("")) or not name


def test_each_role_but_the_basic_one_belongs_to_a_feature() -> None:
    assert set(ENFORCING) == NEEDS.keys()
    assert {file.stem for file in INFRA.glob("role*.json")} == {
        f"role-{name}".rstrip("-") for name in [*NEEDS, "audit"]
    }


def test_a_poll_demands_the_right_to_read_its_operation() -> None:
    refused = told(broken_endpoint, (f"{NETWORK}locations/operations/read",)).refused

    assert refused
    assert all("/locations/" in call and "/operations/" in call for call in refused)
