"""Which rights a policy needs: exactly those of the role files, no more than what it enables."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.policy import IsolationPolicy
from shared.core.rights import Need, Permission, Role, lacking, needs, storage_need
from tests.scenarios.rights import spelled

INFRA = Path(__file__).parents[2] / "infra"
SUB = "/subscriptions/00000000-0000-4000-8000-000000000001"
NETWORK = f"{SUB}/resourceGroups/hub/providers/Microsoft.Network"
LEARNING = f"{SUB}/resourceGroups/ml/providers/Microsoft.MachineLearningServices"
STORAGE = f"{SUB}/resourceGroups/ml/providers/Microsoft.Storage/storageAccounts/st"
FILES = {
    Role.BASIC: "role.json",
    Role.AUDIT: "role-audit.json",
    Role.DELETION: "role-deletion.json",
    Role.SHARING: "role-sharing.json",
    Role.EGRESS: "role-egress.json",
}
ROLES = {role: json.loads((INFRA / file).read_text()) for role, file in FILES.items()}
GRANTS = {role: spelled(document["Actions"]) for role, document in ROLES.items()}


def policy(mode: str = "enforce", **sections: Any) -> IsolationPolicy:
    dns = {"zones_resource_group": f"{SUB}/resourceGroups/dns"}
    document: dict[str, Any] = {
        "version": 1,
        "mode": mode,
        "scope": {"subscriptions": [SUB.rpartition("/")[2]]},
        "networks": [{"name": "hub", "subnet": f"{NETWORK}/virtualNetworks/v/subnets/s", "dns": dns}],
    }
    return IsolationPolicy.from_document(document | sections)


EVERYTHING: dict[str, Any] = {
    "targets": {"storage": {"allow_resource_instances": [f"{LEARNING}/workspaces/guest"]}},
    "sharing": [{"registries": ["*"], "workspaces": [f"{LEARNING}/workspaces/w"], "storage_accounts": [STORAGE]}],
    "egress": [
        {
            "registries": ["*"],
            "nsg": f"{NETWORK}/networkSecurityGroups/n",
            "service_endpoint_policy": f"{NETWORK}/serviceEndpointPolicies/p",
            "mode": "enforce",
        }
    ],
}


def actions(policy: IsolationPolicy) -> set[str]:
    return {action for need in needs(policy) for action in need.actions}


def test_a_policy_that_uses_everything_needs_exactly_what_the_role_files_grant() -> None:
    found = needs(policy(**EVERYTHING))

    for role in FILES.keys() - {Role.AUDIT}:
        wanted = {action for need in found if need.role is role for action in need.actions}
        assert wanted == GRANTS[role]


def test_an_audit_of_everything_needs_exactly_the_role_for_audits() -> None:
    found = needs(policy("audit", **EVERYTHING))

    assert {need.role for need in found} == {Role.AUDIT}
    assert {action for need in found for action in need.actions} == GRANTS[Role.AUDIT]


def test_roles_are_called_as_in_their_files() -> None:
    assert {role.value for role in FILES} == {document["Name"] for document in ROLES.values()}


@pytest.mark.parametrize(
    ("sections", "spared"),
    [
        ({"deletion": {"endpoints": False}}, {"privateEndpoints/delete"}),
        ({"lockdown": {"when": "never"}}, {"registries/write", "storageAccounts/write"}),
        ({"targets": {"acr": {"public_access": "keep"}}}, {"ContainerRegistry/registries/write"}),
        (
            {"targets": {"acr": {"endpoint": False}}},
            {"ContainerRegistry/registries/privateEndpointConnectionsApproval/action"},
        ),
    ],
)
def test_what_the_policy_does_not_do_needs_no_right(sections: dict[str, Any], spared: set[str]) -> None:
    rest = actions(policy()) - actions(policy(**sections))

    assert all(any(action.endswith(f"{end}") for action in rest) for end in spared)
    assert all(any(action.endswith(end) for end in {*spared, "registryOperationsStatus/read"}) for action in rest) or (
        sections == {"lockdown": {"when": "never"}}
    )


@pytest.mark.parametrize(
    ("dns", "spared"),
    [
        ({"create_zones": False}, {"Microsoft.Network/privateDnsZones/write"}),
        (
            {"link_vnet": False},
            {
                "Microsoft.Network/privateDnsZones/virtualNetworkLinks/write",
                "Microsoft.Network/virtualNetworks/join/action",
            },
        ),
    ],
)
def test_names_that_somebody_else_cares_for_need_fewer_rights(dns: dict[str, Any], spared: set[str]) -> None:
    network = {"name": "hub", "subnet": f"{NETWORK}/virtualNetworks/v/subnets/s"}
    zones = {"zones_resource_group": f"{SUB}/resourceGroups/dns"}
    less = policy(networks=[{**network, "dns": zones | dns}])
    none = policy(networks=[{**network, "dns": {"manage": False}}])

    assert actions(policy()) - actions(less) == spared
    assert not [action for action in actions(none) if "privateDnsZones" in action]
    assert not [
        action
        for action in actions(
            policy(networks=[{**network, "dns": zones | {"create_zones": False, "link_vnet": False}}])
        )
        if "OperationStatuses" in action
    ]


def test_each_place_is_asked_about_its_own_rights() -> None:
    found = {need.scope for need in needs(policy(**EVERYTHING))}

    assert found == {
        SUB,
        f"{NETWORK}/virtualNetworks/v",
        f"{SUB}/resourceGroups/hub",
        f"{SUB}/resourceGroups/dns",
        f"{LEARNING}/workspaces/w",
        STORAGE,
        f"{NETWORK}/networkSecurityGroups/n",
        f"{NETWORK}/serviceEndpointPolicies/p",
    }


def test_an_audited_egress_is_only_read() -> None:
    egress = [{"registries": ["*"], "nsg": f"{NETWORK}/networkSecurityGroups/n"}]

    found = [each for each in needs(policy(egress=egress)) if each.role is Role.EGRESS]

    assert [(each.actions, each.vital) for each in found] == [
        (("Microsoft.Network/networkSecurityGroups/read",), True),
        (("Microsoft.Authorization/permissions/read",), False),
    ]


def test_storage_of_a_workspace_needs_what_storage_of_the_policy_needs() -> None:
    assert storage_need(policy(), STORAGE).actions[-1].endswith("/write")
    assert storage_need(policy("audit"), STORAGE).actions == ("Microsoft.Storage/storageAccounts/read",)


NEED = Need(scope=SUB, what="x", role=Role.BASIC, actions=("Microsoft.A/b/read", "Microsoft.A/b/c/write"))


@pytest.mark.parametrize(
    ("held", "missing"),
    [
        ([], NEED.actions),
        ([Permission(actions=("*",))], ()),
        ([Permission(actions=("*/read",))], ("Microsoft.A/b/c/write",)),
        ([Permission(actions=("MICROSOFT.a/B/*",))], ()),
        ([Permission(actions=("Microsoft.A/b",))], NEED.actions),
        ([Permission(actions=("*",), not_actions=("*/write",))], ("Microsoft.A/b/c/write",)),
        ([Permission(actions=("*",), not_actions=("*/write",)), Permission(actions=("*/c/write",))], ()),
        ([Permission(actions=("Microsoft.?/b/read", "[M]icrosoft.A/b/read"))], NEED.actions),
    ],
)
def test_permissions_are_read_as_azure_reads_them(held: list[Permission], missing: tuple[str, ...]) -> None:
    assert lacking(NEED, held) == missing


@given(st.lists(st.sampled_from(sorted(GRANTS[Role.BASIC])), unique=True))
def test_what_is_granted_is_never_missing_and_what_is_not_always_is(granted: list[str]) -> None:
    need = Need(scope=SUB, what="x", role=Role.BASIC, actions=tuple(GRANTS[Role.BASIC]))

    assert set(lacking(need, [Permission(actions=(each,)) for each in granted])) == set(need.actions) - set(granted)
