"""The forecast sees everything that will be done, and nothing of it but what Azure may do by itself is done in vain."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given, settings

from shared.core.changes import ClosePublicAccess, CreateEndpoint, key_of
from shared.core.forecast import MOST_STAGES, Forecast, forecast
from shared.core.lockdown import Memory
from shared.core.registry import ConnectionStatus, Registry
from tests.core.perfect_azure import World, look
from tests.core.start_states import any_world, healable
from tests.core.test_convergence import gated, passes, plan_of
from tests.core.worlds import ZONES, a_network, a_policy, a_registry, closed, private, wanted

MAY_BE_IN_VAIN = {"close-public-access", "put-zone-group"}
"""Storage that Azure closes after its registry, a record that comes late."""


def seen(world: World) -> Forecast:
    memory = Memory(now=world.now, closed_since=world.closed_since, repairs=world.repairs)
    return forecast(look(world), world.policy, ZONES, memory)


@settings(max_examples=40, deadline=None)
@given(healable())
def test_whatever_is_done_until_the_registry_is_isolated_was_foreseen(start: World) -> None:
    start = replace(start, stubborn=frozenset())
    foreseen = {key_of(change) for change in seen(start).changes}
    story = list(passes(start))
    assume(not any(plan.blocks for _, plan in story))
    assume(not _others_act(start))

    done = {key_of(change) for _, plan in story for change in plan.changes}

    assert done <= foreseen
    assert {key.partition(":")[0] for key in foreseen - done} <= MAY_BE_IN_VAIN


@settings(max_examples=25, deadline=None)
@given(any_world())
def test_the_first_stage_is_what_can_be_done_now_and_nothing_comes_twice(world: World) -> None:
    found, plan = seen(world), plan_of(world)

    assert found.plan == plan
    assert not plan.changes or found.stages[0].changes == plan.changes
    assert [key for key, count in Counter(map(key_of, found.changes)).items() if count > 1] == []
    assert len(found.stages) < MOST_STAGES
    assert (found.digest == "") == (found.changes == ())


@settings(max_examples=25, deadline=None)
@given(any_world())
def test_a_forecast_changes_nothing_of_what_was_observed_and_repeats_itself(world: World) -> None:
    found, later = seen(world), seen(replace(world, now=world.now + timedelta(seconds=50)))

    assert found == seen(world)
    assert found.digest == later.digest or world.closed_since is not None


@settings(max_examples=25, deadline=None)
@given(any_world())
def test_nothing_is_foreseen_to_be_closed_while_a_person_must_act_for_the_way_in(world: World) -> None:
    found = seen(world)

    if gated(world) and found.plan.blocks and not found.plan.verified:
        assert not [change for change in found.changes if isinstance(change, ClosePublicAccess)]


def test_a_new_registry_is_closed_in_stages_that_name_what_they_wait_for() -> None:
    policy = a_policy(a_network("hub"), a_network("spoke", zones="rg-dns-spoke"))
    start = World(registry=a_registry(policy, regions=("westeurope", "eastus"), storages=1), policy=policy)

    found = seen(start)

    kinds = [Counter(change.kind for change in stage.changes) for stage in found.stages]
    assert kinds[0]["create-endpoint"] == 2 * (1 + 2 + 1)
    assert kinds[1:] == [{"close-public-access": 1}, {"close-public-access": 3}]
    assert {reason.name for reason in found.stages[2].awaits} == {"Propagation"}
    assert "192.0.2" not in repr(found.changes)


def test_an_isolated_registry_has_nothing_before_it() -> None:
    policy = a_policy()

    found = seen(World(registry=closed(private(a_registry(policy), policy)), policy=policy))

    assert (found.stages, found.digest) == ((), "")


def test_an_endpoint_that_waits_for_its_target_is_foreseen() -> None:
    policy = a_policy()
    registry = a_registry(policy)
    busy = _replicating(registry)

    stages = seen(World(registry=busy, policy=policy)).stages

    assert [reason.name for reason in stages[1].awaits] == ["ReplicationInProgress"]
    assert [change.group for change in stages[1].changes if isinstance(change, CreateEndpoint)] == ["registry"]
    assert [change.target for change in stages[-1].changes if isinstance(change, ClosePublicAccess)]


def _others_act(world: World) -> bool:
    """Another's endpoint waits for a person's approval and would be used then; or somebody is deleting a zone group."""
    own = {wish.id for wish in wanted(world.registry, world.policy)}
    groups = (group for view in world.registry.networks for group in view.zone_groups.values())
    return any(group is not None and group.state == "Deleting" for group in groups) or any(
        endpoint.id not in own and connection.status is ConnectionStatus.PENDING
        for view in world.registry.networks
        for endpoint in view.endpoints
        for connection in endpoint.connections
    )


def _replicating(registry: Registry) -> Registry:
    targets = tuple(
        replace(target, replicas_pending=("eastus",)) if target.kind.value == "acr" else target
        for target in registry.targets
    )
    return replace(registry, targets=targets)
