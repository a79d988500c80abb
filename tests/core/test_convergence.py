from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

from hypothesis import given, settings

from shared.core.changes import (
    ClosePublicAccess,
    CreateEndpoint,
    DeleteEndpoint,
    DeleteZoneGroup,
    PutZoneGroup,
    key_of,
)
from shared.core.lockdown import Memory
from shared.core.plan import Plan, guard
from shared.core.planner import approved_endpoints, make_plan
from shared.core.policy import IsolationPolicy
from shared.core.registry import Access, TargetKind
from shared.engine.results import count_repairs
from tests.core.perfect_azure import World, look, obey, rest, way_in
from tests.core.start_states import any_world, healable
from tests.core.worlds import ZONES, a_network, a_policy, a_registry, closed, private, wanted

# Put again, made anew, named anew, records waited for, put again, made anew, the registry closed, the rest waited for and
# closed: the longest chain of troubles ends well within this many looks.
ROUNDS = 20


def plan_of(world: World) -> Plan:
    memory = Memory(now=world.now, closed_since=world.closed_since, repairs=world.repairs)
    return make_plan(look(world), world.policy, ZONES, memory)


def gated(world: World) -> bool:
    return world.policy.lockdown.when == "verified"


def passes(world: World) -> Iterator[tuple[World, Plan]]:
    """Each look with its plan, until there is nothing left to do."""
    for _ in range(ROUNDS):
        plan = plan_of(world)
        yield world, plan
        if plan.converged:
            return
        world = rest(obey(replace(world, repairs=count_repairs(world.repairs, plan)), plan.changes))


def kept_open(policy: IsolationPolicy) -> set[TargetKind]:
    return {kind for kind in TargetKind if getattr(policy.targets, kind.value).public_access == "keep"}


def refuse_nothing(world: World, plan: Plan) -> None:
    healthy = approved_endpoints(look(world))
    assert guard(plan, limit=60, closing_needs_verification=gated(world), healthy=healthy) is plan


@settings(max_examples=150, deadline=None)
@given(healable())
def test_any_start_converges_and_nothing_is_closed_before_the_private_way_holds(start: World) -> None:
    plan, world = None, start

    for world, plan in passes(start):
        refuse_nothing(world, plan)
        closing = [change for change in plan.changes if isinstance(change, ClosePublicAccess)]
        assert not closing or not gated(world) or way_in(world)

    assert plan is not None
    assert plan.converged, [*plan.changes, *plan.waits, *plan.blocks]
    assert way_in(world)
    if world.policy.lockdown.when != "never":
        kept = {"registry", "storage", "acr"} - {
            kind
            for kind in ("registry", "storage", "acr")
            if getattr(world.policy.targets, kind).public_access == "keep"
        }
        assert all(target.access is Access.CLOSED for target in world.registry.targets if target.kind.value in kept)


@given(healable())
def test_a_world_that_came_to_rest_stays_there(start: World) -> None:
    *_, (world, last) = passes(start)

    assert last.changes == ()
    assert plan_of(rest(world)).converged


@given(any_world())
def test_no_plan_that_is_not_verified_closes_anything(world: World) -> None:
    plan = plan_of(world)
    closing = [change for change in plan.changes if isinstance(change, ClosePublicAccess)]

    refuse_nothing(world, plan)
    assert not closing or plan.verified or not gated(world)
    assert not plan.verified or way_in(world)


@given(any_world())
def test_a_plan_is_empty_only_when_everything_is_as_the_policy_asks(world: World) -> None:
    plan = plan_of(world)

    if plan.converged:
        assert plan.verified
        assert way_in(world)
    elif plan.verified and gated(world):
        assert {change.kind for change in plan.changes} <= {"close-public-access", "delete-endpoint"}


@given(any_world())
def test_a_plan_touches_nothing_of_others_and_nothing_twice(world: World) -> None:
    plan = plan_of(world)
    own = {wish.id for wish in wanted(world.registry, world.policy)}

    assert not [key for key, count in Counter(map(key_of, plan.changes)).items() if count > 1]
    for change in plan.changes:
        match change:
            case CreateEndpoint() | DeleteEndpoint() | DeleteZoneGroup():
                assert change.endpoint in own
            case PutZoneGroup() if change.endpoint not in own:
                assert "rg-central" not in {zone.resource_group for zone in change.zones.values()}
            case _:
                pass


@given(any_world())
def test_equal_observations_give_equal_plans(world: World) -> None:
    assert plan_of(world) == plan_of(world)


@given(any_world())
def test_the_order_in_which_azure_lists_things_changes_no_digest(world: World) -> None:
    registry = world.registry
    first, *rest_of_targets = registry.targets
    turned = replace(
        registry,
        document=replace(registry.document, regions=registry.document.regions[::-1]),
        targets=(first, *reversed(rest_of_targets)),
        networks=tuple(
            replace(
                view,
                endpoints=view.endpoints[::-1],
                zones=dict(reversed(list(view.zones.items()))),
                zone_groups=dict(reversed(list(view.zone_groups.items()))),
            )
            for view in reversed(registry.networks)
        ),
    )

    one, two = plan_of(world), plan_of(replace(world, registry=turned))

    assert one.digest == two.digest
    assert one.verified == two.verified
    assert sorted(block.sentence for block in one.blocks) == sorted(block.sentence for block in two.blocks)


def test_a_new_registry_in_three_regions_and_two_networks_is_isolated_in_the_fewest_writes() -> None:
    policy = a_policy(a_network("hub"), a_network("spoke", zones="rg-dns-spoke"))
    start = World(registry=a_registry(policy, regions=("westeurope", "eastus", "uksouth"), storages=2), policy=policy)

    story = list(passes(start))

    writes = Counter(change.kind for _, plan in story for change in plan.changes)
    assert writes == {
        "create-endpoint": 2 * (1 + 6 + 1),
        "create-zone": 2 * 3,
        "link-zone": 2 * 3,
        "put-zone-group": 2 * (1 + 6 + 1),
        "close-public-access": 1 + 6 + 1,
    }
    assert [len(plan.changes) for _, plan in story if plan.changes] == [44, 1, 7]


def test_a_registry_that_is_private_already_is_only_closed() -> None:
    policy = a_policy()
    start = World(registry=private(a_registry(policy), policy), policy=policy)

    kinds = [change.kind for _, plan in passes(start) for change in plan.changes]

    assert kinds == ["close-public-access"] * 3


def test_an_isolated_registry_costs_no_write() -> None:
    policy = a_policy()
    start = World(registry=closed(private(a_registry(policy), policy)), policy=policy)

    assert plan_of(start) == replace(plan_of(start), changes=(), waits=(), blocks=())
    assert plan_of(replace(start, closed_since=start.now - timedelta(minutes=1))).converged


def test_what_azure_closes_by_itself_is_not_closed_again() -> None:
    policy = a_policy()
    world = World(registry=private(a_registry(policy), policy), policy=policy)
    world = obey(world, plan_of(world).changes)

    assert world.registry.document.target.access is Access.CLOSED
    assert plan_of(world).changes == ()
    assert plan_of(replace(world, registry=closed(world.registry))).converged


def test_drift_after_isolation_is_repaired_without_opening_or_closing_anything_else() -> None:
    policy = a_policy()
    isolated = closed(private(a_registry(policy), policy))
    for wish, gone in product(wanted(isolated, policy), (True, False)):
        view = isolated.network("hub")
        left = tuple(endpoint for endpoint in view.endpoints if endpoint.id != wish.id)
        zones = {name: replace(zone, records={}) for name, zone in view.zones.items()}
        changed = replace(view, endpoints=left) if gone else replace(view, zones=zones)
        start = World(registry=replace(isolated, networks=(changed,)), policy=policy)

        kinds = {change.kind for _, plan in passes(start) for change in plan.changes}

        assert kinds == ({"create-endpoint", "put-zone-group"} if gone else {"put-zone-group"})
