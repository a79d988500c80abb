"""Role assignments, deny assignments, linked rights."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator.rbac import PLATFORM, DenyAssignment, covers
from tests.local.simulator.arm_client import SUB, ArmClient
from tests.local.simulator.scene import Scene


@pytest.mark.parametrize(
    ("actions", "not_actions", "action", "granted"),
    [
        (("*",), (), "Microsoft.X/a/write", True),
        (("*/read",), (), "Microsoft.X/a/b/READ", True),
        (("*/read",), (), "Microsoft.X/a/write", False),
        (("Microsoft.X/*",), ("Microsoft.X/a/delete",), "Microsoft.X/a/delete", False),
        (("Microsoft.X/*",), ("Microsoft.X/a/delete",), "microsoft.x/A/write", True),
        (("Microsoft.X/a/read",), (), "Microsoft.X/a/readAll", False),
        (("Microsoft.X/a.b/read",), (), "Microsoft.X/aXb/read", False),
        ((), (), "Microsoft.X/a/read", False),
    ],
)
def test_a_role_covers_what_its_patterns_say(
    actions: tuple[str, ...],
    not_actions: tuple[str, ...],
    action: str,
    granted: bool,  # noqa: FBT001
) -> None:
    assert covers(actions, not_actions, action) is granted


@given(st.lists(st.sampled_from(["a", "b", "/", "*"]), min_size=1, max_size=8).map("".join))
def test_a_pattern_covers_itself_and_everything_covers_it(action: str) -> None:
    assert covers((action,), (), action.replace("*", "x"))
    assert covers(("*",), (), action)


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ("/", 200),
        (SUB, 200),
        (f"{SUB}/resourcegroups/RG-ML", 200),
        (f"{SUB}/resourceGroups/rg", 403),
        (f"{SUB}/resourceGroups/rg-ml/providers/Microsoft.Storage/storageAccounts/a", 403),
    ],
)
def test_an_assignment_holds_at_its_scope_and_below(scope: str, status: int) -> None:
    arm = ArmClient()
    group = arm.group()
    arm.azure.rbac.principal("app", actions=["*/read"], scope=scope)
    assert ArmClient(arm.azure, principal="app").get(group).status == status


def test_a_refusal_names_the_principal_the_action_and_the_scope() -> None:
    arm = ArmClient()
    group = arm.group()
    arm.azure.rbac.principal("app", name="the app", actions=["*/read"])
    refused = ArmClient(arm.azure, principal="app").delete(group)
    assert arm.error(refused) == (403, "AuthorizationFailed")
    message = refused.json()["error"]["message"]
    for part in ("'the app'", "'app'", "'Microsoft.Resources/subscriptions/resourceGroups/delete'", f"'{group}'"):
        assert part in message
    assert refused.header("x-ms-failure-cause") == "gateway"
    assert arm.azure.world.get(group) is not None


def test_rights_are_checked_before_existence() -> None:
    arm = ArmClient()
    arm.azure.rbac.principal("app")
    refused = ArmClient(arm.azure, principal="app").get(f"{SUB}/resourceGroups/nowhere")
    assert arm.error(refused) == (403, "AuthorizationFailed")


def test_a_deny_assignment_beats_a_role_except_for_those_exempt() -> None:
    scene = Scene()
    scene.azure.rbac.principal("app", actions=["*"])
    scene.azure.rbac.principal("exempt", actions=["*"])
    scene.azure.rbac.deny(
        DenyAssignment(
            id=f"{scene.rg}/providers/Microsoft.Authorization/denyAssignments/one",
            name="managed by somebody",
            scope=scene.rg,
            actions=("*",),
            not_actions=("*/read",),
            exempt=("exempt",),
        )
    )
    tags = {"tags": {"a": "b"}}
    scene.principal = "app"
    assert scene.get(scene.account, version="2023-05-01").status == 200
    refused = scene.patch(scene.account, tags, version="2023-05-01")
    assert scene.error(refused) == (403, "DenyAssignmentAuthorizationFailed")
    assert "'managed by somebody'" in refused.json()["error"]["message"]
    for allowed in ("exempt", PLATFORM):
        scene.principal = allowed
        assert scene.patch(scene.account, tags, version="2023-05-01").status == 200
    scene.azure.rbac.lift(scene.rg)
    scene.principal = "app"
    assert scene.patch(scene.account, tags, version="2023-05-01").status == 200


def test_deny_assignments_are_listed_at_every_scope_below_theirs() -> None:
    scene = Scene()
    denial = DenyAssignment(
        id=f"{scene.rg}/x/one",
        name="n",
        scope=scene.rg,
        actions=("*",),
        not_actions=("*/read",),
        exempt=("e",),
    )
    scene.azure.rbac.deny(denial)
    scene.azure.rbac.deny(denial)
    for scope, count in ((scene.account, 1), (scene.rg, 1), (SUB, 0)):
        rows = scene.get(f"{scope}/providers/Microsoft.Authorization/denyAssignments", version="2022-04-01").json()[
            "value"
        ]
        assert len(rows) == count
        for row in rows:
            assert row["properties"]["excludePrincipals"] == [{"id": "e", "type": "ServicePrincipal"}]
    nowhere = "/subscriptions/99999999-9999-4999-8999-999999999999/providers/Microsoft.Authorization/denyAssignments"
    assert scene.get(nowhere).status == 404


@pytest.mark.parametrize(
    "removed", ["Microsoft.Network/privateEndpoints/write", "Microsoft.Network/privateEndpoints/read"]
)
def test_every_call_needs_exactly_its_action(removed: str) -> None:
    scene = Scene()
    needed = [
        "Microsoft.Network/privateEndpoints/write",
        "Microsoft.Network/privateEndpoints/read",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
        "Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action",
    ]
    scene.azure.rbac.principal("all", actions=needed)
    scene.azure.rbac.principal("less", actions=[each for each in needed if each != removed])
    scene.principal = "less"
    less = [scene.endpoint("a").status, scene.get(f"{scene.network}/privateEndpoints").status]
    scene.principal = "all"
    assert [scene.endpoint("b").status, scene.get(f"{scene.network}/privateEndpoints").status] == [201, 200]
    assert sorted(less) in ([200, 403], [201, 403])


def test_a_deny_assignment_forbids_what_a_request_merely_names() -> None:
    scene = Scene()
    scene.azure.rbac.principal("app", actions=["*"])
    scene.azure.rbac.deny(
        DenyAssignment(id="/deny", name="deny", scope=scene.vnet, actions=("Microsoft.Network/virtualNetworks/*",))
    )
    scene.principal = "app"
    refused = scene.endpoint()
    assert scene.error(refused) == (403, "LinkedAuthorizationFailed")
    assert "deny assignment" in refused.json()["error"]["message"].lower()
