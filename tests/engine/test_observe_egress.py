"""What is read of the way out and of workspaces' networks, and that nothing of it can hold the registry up."""

from dataclasses import replace
from typing import Any

import pytest

from shared.core.errors import AccessDenied, MissingPermission, RegistryIsolationError, Throttled
from shared.core.policy import IsolationPolicy
from shared.core.policy_values import WORKSPACE_TYPE
from shared.core.registry import ENDPOINT_TYPE, Access, PrivateEndpoint, Registry, TargetKind
from shared.core.security import EndpointPolicy, SecurityGroup, WayOut
from shared.core.sharing_view import SharingView, Workspace
from shared.core.workspace_network import Deployment, WorkspaceNetwork
from shared.engine.observe_egress import observe_egress
from shared.engine.observe_workspaces import observe_workspaces
from tests.core.worlds import a_policy, a_registry, closed, group_id, subnet_id
from tests.engine.desk import UNAVAILABLE, a_retrier
from tests.engine.plane import ScriptedPlane
from tests.virtual_time import LoopClock

pytestmark = pytest.mark.virtual_time

NSG = group_id("rg-hub").resource("Microsoft.Network/networkSecurityGroups", "nsg")
SEP = group_id("rg-hub").resource("Microsoft.Network/serviceEndpointPolicies", "sep")
WORKSPACE = group_id("rg-ws").resource(WORKSPACE_TYPE, "ws")
ENDPOINT = group_id("rg-ws").resource(ENDPOINT_TYPE, "pe-ws")
DEPLOYMENT = Deployment(id=WORKSPACE.child("onlineEndpoints", "ep").child("deployments", "blue"), state="Enabled")
WAY = WayOut(nsg=NSG, group=SecurityGroup(id=NSG), policy=EndpointPolicy(id=SEP))
FORBIDDEN = AccessDenied("The app may not read it.")


def egress_policy(**entry: Any) -> IsolationPolicy:
    return a_policy(egress=[{"registries": ["*"], "nsg": NSG.text, **entry}])


async def ways(
    policy: IsolationPolicy,
    held: tuple[WayOut, ...],
    *failures: RegistryIsolationError,
    call: str = "read_security_group",
) -> tuple[tuple[WayOut, ...], ScriptedPlane]:
    clock = LoopClock()
    registry = a_registry(policy)
    plane = ScriptedPlane(replace(registry, ways_out=held), clock)
    plane.fail(call, *failures)
    return (await observe_egress(registry, policy, plane, a_retrier(clock))).ways_out, plane


async def test_a_policy_without_egress_costs_no_request() -> None:
    found, plane = await ways(a_policy(), (WAY,))

    assert (found, plane.calls) == ((), [])


async def test_a_group_alone_costs_one_request() -> None:
    found, plane = await ways(egress_policy(), (WAY,))

    assert found == (replace(WAY, policy=None),)
    assert [name for name, _ in plane.calls] == ["read_security_group"]


async def test_an_endpoint_policy_is_read_where_the_entry_names_one() -> None:
    found, _ = await ways(egress_policy(service_endpoint_policy=SEP.text), (WAY,))

    assert found == (WAY,)


async def test_what_does_not_exist_is_told() -> None:
    ((way,), _) = await ways(egress_policy(service_endpoint_policy=SEP.text), ())

    assert (way.group, way.policy) == (None, None)
    assert way.group_problem == way.policy_problem == "it does not exist."


@pytest.mark.parametrize("error", [FORBIDDEN, MissingPermission("The app lacks a right.")])
async def test_what_may_not_be_read_is_told(error: RegistryIsolationError) -> None:
    ((way,), _) = await ways(egress_policy(), (WAY,), error)

    assert (way.group, way.group_problem) == (None, error.sentence)


async def test_what_cannot_be_read_for_a_moment_is_read_again() -> None:
    ((way,), plane) = await ways(egress_policy(), (WAY,), UNAVAILABLE)

    assert way.group is not None
    assert len(plane.calls) == 2


async def test_an_error_that_lasts_for_a_moment_longer_ends_the_observation() -> None:
    with pytest.raises(Throttled):
        await ways(egress_policy(), (WAY,), *[Throttled("Too many.")] * 4)


# --- workspaces -------------------------------------------------------------------------------------------------------


def endpoint(subnet: str = "ws") -> PrivateEndpoint:
    return PrivateEndpoint(
        id=ENDPOINT, location="westeurope", subnet=subnet_id(subnet), state="Succeeded", connections=()
    )


def shared_with(workspace: Workspace, *, opened: bool = False) -> Registry:
    """A registry beside one workspace, whose endpoint Azure shows like any other."""
    policy = a_policy()
    registry = a_registry(policy) if opened else closed(a_registry(policy), TargetKind.REGISTRY)
    view = replace(registry.networks[0], endpoints=(endpoint(),))
    return replace(
        registry,
        networks=(view,),
        sharing=SharingView(workspaces=(workspace,)),
        workspaces=(WorkspaceNetwork(workspace=WORKSPACE, open_deployments=(DEPLOYMENT,)),),
    )


async def networks(
    registry: Registry, *held: PrivateEndpoint, failing: dict[str, RegistryIsolationError] | None = None
) -> tuple[tuple[WorkspaceNetwork, ...], list[str]]:
    clock = LoopClock()
    plane = ScriptedPlane(registry, clock)
    for call, error in (failing or {}).items():
        plane.fail(call, error)
    found = await observe_workspaces(replace(registry, workspaces=()), held, plane, a_retrier(clock))
    return found.workspaces, [name for name, _ in plane.calls]


A_WORKSPACE = Workspace(id=WORKSPACE, storage_account=None, endpoints=(ENDPOINT,))


async def test_nothing_is_read_while_the_registry_is_open() -> None:
    registry = shared_with(A_WORKSPACE, opened=True)

    assert registry.document.target.access is Access.OPEN
    assert await networks(registry) == ((), [])


async def test_the_subnet_of_a_workspace_and_its_open_deployments_are_read() -> None:
    ((seen,), calls) = await networks(shared_with(A_WORKSPACE))

    assert (seen.subnets, seen.open_deployments, seen.problems) == ((subnet_id("ws"),), (DEPLOYMENT,), ())
    assert calls == ["list_endpoints", "open_deployments"]


async def test_an_endpoint_that_was_read_already_is_not_read_again() -> None:
    ((seen,), calls) = await networks(shared_with(A_WORKSPACE), endpoint("held"))

    assert seen.subnets == (subnet_id("held"),)
    assert calls == ["open_deployments"]


async def test_a_managed_network_saves_the_look_at_deployments() -> None:
    workspace = replace(A_WORKSPACE, managed_outbound=True, endpoints=())

    assert await networks(shared_with(workspace)) == ((WorkspaceNetwork(workspace=WORKSPACE),), [])


async def test_what_cannot_be_read_of_a_workspace_is_told_and_nothing_more() -> None:
    failing: dict[str, RegistryIsolationError] = {
        "list_endpoints": FORBIDDEN,
        "open_deployments": MissingPermission("No deployments."),
    }

    ((seen,), _) = await networks(shared_with(A_WORKSPACE), failing=failing)

    assert seen == WorkspaceNetwork(workspace=WORKSPACE, problems=(FORBIDDEN.sentence, "No deployments."))
