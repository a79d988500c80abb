"""What is read of workspaces, and that nothing of it can hold the registry up."""

from dataclasses import replace
from typing import Any

import pytest

from shared.core.arm import ResourceId
from shared.core.errors import AccessDenied, DeniedByPolicy, RegistryIsolationError, Throttled
from shared.core.policy import IsolationPolicy
from shared.core.registry import STORAGE_TYPE, Access, Registry, Target, TargetKind
from shared.core.sharing_view import SharingView, Unreadable, Workspace
from shared.engine.observe_sharing import observe_sharing
from tests.core.worlds import a_policy, a_registry, group_id, registry_id
from tests.engine.desk import UNAVAILABLE, a_retrier
from tests.engine.plane import ScriptedPlane
from tests.virtual_time import LoopClock

pytestmark = pytest.mark.virtual_time

TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
WORKSPACE = group_id("rg-ws").resource("Microsoft.MachineLearningServices/workspaces", "ws")
ACCOUNT = group_id("rg-ws").resource(STORAGE_TYPE, "stws")
SETTINGS = {"publicNetworkAccess": "Disabled"}


def a_sharing_policy(**entry: Any) -> IsolationPolicy:
    return a_policy(sharing=[{"registries": ["*"], **(entry or {"workspaces": [WORKSPACE.text]})}])


def a_world(policy: IsolationPolicy, storage_account: ResourceId | None = ACCOUNT, tenant: str = TENANT) -> Registry:
    """A registry beside one workspace and its account."""
    registry = a_registry(policy)
    account = Target(
        kind=TargetKind.STORAGE, id=ACCOUNT, location="westeurope", access=Access.CLOSED, network_settings=SETTINGS
    )
    workspaces = (Workspace(id=WORKSPACE, storage_account=storage_account),)
    return replace(
        registry,
        document=replace(registry.document, tenant=tenant),
        targets=(*registry.targets, account),
        sharing=SharingView(tenant=TENANT, workspaces=workspaces),
    )


async def observed(
    policy: IsolationPolicy, registry: Registry, *failures: RegistryIsolationError, call: str = "read_workspace"
) -> tuple[SharingView | None, ScriptedPlane]:
    clock = LoopClock()
    plane = ScriptedPlane(registry, clock)
    plane.fail(call, *failures)
    return await observe_sharing(plane, policy, registry.document, a_retrier(clock)), plane


async def test_a_policy_without_sharing_costs_no_request() -> None:
    policy = a_policy()

    view, plane = await observed(policy, a_world(policy))

    assert view is None
    assert plane.calls == []


async def test_a_workspace_and_its_account_are_read_once() -> None:
    policy = a_sharing_policy(workspaces=[WORKSPACE.text], storage_accounts=[ACCOUNT.text])

    view, plane = await observed(policy, a_world(policy))

    assert view is not None
    assert view.tenant == TENANT
    assert view.accounts == {ACCOUNT: SETTINGS}
    assert view.unreadable == ()
    assert plane.calls == [("read_workspace", WORKSPACE), ("read_storage_account", ACCOUNT)]


async def test_rules_on_own_accounts_alone_cost_no_request() -> None:
    policy = a_policy(targets={"storage": {"allow_resource_instances": [WORKSPACE.text]}})

    view, plane = await observed(policy, a_world(policy))

    assert view == SharingView(tenant=TENANT)
    assert plane.calls == []


async def test_the_subscription_is_asked_for_the_tenant_of_a_registry_without_identity() -> None:
    policy = a_sharing_policy()

    view, plane = await observed(policy, a_world(policy, tenant=""))

    assert view is not None
    assert view.tenant == TENANT
    assert plane.asked("tenant_of") == [registry_id().subscription]


async def test_a_workspace_without_storage_is_told() -> None:
    policy = a_sharing_policy()

    view, _ = await observed(policy, a_world(policy, storage_account=None))

    assert view is not None
    assert view.unreadable == (Unreadable(id=WORKSPACE, problem="Azure names no storage account for it."),)


async def test_a_workspace_that_does_not_exist_is_told() -> None:
    policy = a_sharing_policy()

    view, _ = await observed(policy, replace(a_world(policy), sharing=SharingView()))

    assert view is not None
    assert view.unreadable == (Unreadable(id=WORKSPACE, problem="It does not exist."),)


@pytest.mark.parametrize("call", ["read_workspace", "read_storage_account"])
@pytest.mark.parametrize(
    ("error", "tries", "passing"),
    [
        (UNAVAILABLE, 4, True),
        (Throttled("Too many requests."), 4, True),
        (AccessDenied("Not allowed."), 1, False),
        (DeniedByPolicy("Not allowed."), 1, False),
    ],
)
async def test_a_refused_read_becomes_part_of_what_was_seen(
    call: str,
    error: RegistryIsolationError,
    tries: int,
    passing: bool,  # noqa: FBT001 -- a row of a table
) -> None:
    policy = a_sharing_policy()

    view, plane = await observed(policy, a_world(policy), *[error] * tries, call=call)

    assert view is not None
    (told,) = view.unreadable
    assert (told.problem, told.passing) == (error.sentence, passing)
    assert len(plane.asked(call)) == tries
    assert view.accounts == {}


async def test_a_read_that_succeeds_at_the_second_try_leaves_no_trace() -> None:
    policy = a_sharing_policy()

    view, _ = await observed(policy, a_world(policy), UNAVAILABLE)

    assert view is not None
    assert view.unreadable == ()
    assert view.accounts == {ACCOUNT: SETTINGS}
