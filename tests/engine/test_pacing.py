"""When the engine looks again, in exact virtual times."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.arm import ResourceId
from shared.core.changes import (
    Change,
    ClosePublicAccess,
    CreateEndpoint,
    CreateZone,
    DeleteEndpoint,
    DeleteZoneGroup,
    LinkZone,
    PutZoneGroup,
    key_of,
)
from shared.core.registry import ENDPOINT_TYPE, TargetKind
from shared.engine.pacing import _FIRST_LOOK, Pacing, companions, next_look, scouts
from shared.engine.records import Operation
from tests.core.worlds import group_id, registry_id, subnet_id, zone_id
from tests.virtual_time import EPOCH

NETWORK = group_id("rg-hub").resource("Microsoft.Network/virtualNetworks", "vnet-hub")
SECOND = timedelta(seconds=1)


def endpoint_id(name: str) -> ResourceId:
    return group_id("rg-hub").resource(ENDPOINT_TYPE, name)


def create(name: str = "pe") -> CreateEndpoint:
    return CreateEndpoint(
        endpoint=endpoint_id(name),
        location="westeurope",
        subnet=subnet_id(),
        target=registry_id(),
        group="amlregistry",
        tags={},
    )


def zone(name: str = "privatelink.a.net") -> CreateZone:
    return CreateZone(zone=zone_id(name))


def link(name: str = "privatelink.a.net") -> LinkZone:
    return LinkZone(zone=zone_id(name), link=zone_id(name).child("virtualNetworkLinks", "l"), network=NETWORK)


def group(name: str = "pe") -> PutZoneGroup:
    return PutZoneGroup(endpoint=endpoint_id(name), name="default", zones={})


FIRST_LOOKS: list[tuple[Change, float]] = [
    (zone(), 36),
    (link(), 36),
    (create(), 33),
    (DeleteEndpoint(endpoint=endpoint_id("pe")), 10),
    (group(), 3.5),
    (DeleteZoneGroup(endpoint=endpoint_id("pe"), name="default"), 8),
    (ClosePublicAccess(target=registry_id(), target_kind=TargetKind.REGISTRY), 16),
]


def an_operation(change: Change, *, started: float = 0, due: float = 0, checks: int = 0) -> Operation:
    return Operation(change=change, started=at(started), due=at(due), checks=checks)


def at(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


@pytest.mark.parametrize(("change", "seconds"), FIRST_LOOKS, ids=lambda value: getattr(value, "kind", str(value)))
def test_the_first_look_comes_when_the_usual_recorded_run_was_over(change: Change, seconds: float) -> None:
    assert Pacing().first_look(change, EPOCH) == at(seconds)
    assert Pacing(0.1).first_look(change, EPOCH) == at(seconds / 10)


def test_every_kind_of_change_has_a_first_look() -> None:
    union = get_args(get_args(Change.__value__)[0])

    assert {kind for kind in union if kind not in _FIRST_LOOK} == set()


@pytest.mark.parametrize(
    ("spent", "pause"), [(0, 2), (20, 2), (21, 2.1), (100, 10), (600, 60), (601, 60), (86_400, 60)]
)
def test_later_looks_come_at_a_tenth_of_the_time_spent_between_two_seconds_and_a_minute(
    spent: float, pause: float
) -> None:
    operation = an_operation(create(), started=100, due=131, checks=4)

    looked = Pacing().looked(operation, at(100 + spent))

    assert looked.due == at(100 + spent + pause)
    assert looked.checks == 5
    assert (looked.change, looked.started, looked.url) == (operation.change, operation.started, operation.url)


@pytest.mark.parametrize(("waited", "pause"), [(0, 32), (160, 32), (240, 36), (400, 60), (3600, 60)])
def test_a_target_that_azure_closes_is_looked_at_after_a_seventh_of_the_time_waited(waited: int, pause: int) -> None:
    assert Pacing().propagation(waited * SECOND) == pause * SECOND


@pytest.mark.parametrize(("waited", "pause"), [(0, 20), (100, 20), (200, 40), (900, 60)])
def test_a_registry_being_created_is_looked_at_after_a_fifth_of_the_time_waited(waited: int, pause: int) -> None:
    assert Pacing().creation(waited * SECOND) == pause * SECOND


def test_a_closing_is_looked_at_after_half_of_the_time_spent() -> None:
    closing = an_operation(ClosePublicAccess(target=registry_id(), target_kind=TargetKind.REGISTRY), due=10)

    assert Pacing().looked(closing, at(10)).due == at(15)
    assert Pacing().looked(closing, at(200)).due == at(260)


def test_the_factor_shortens_the_shortest_waits_and_what_the_planner_asks() -> None:
    quick = Pacing(0.1)

    assert quick.looked(an_operation(create()), EPOCH).due == at(0.2)
    assert quick.propagation(timedelta()) == 3.2 * SECOND
    assert quick.creation(timedelta()) == 2 * SECOND
    assert quick.scaled(15 * SECOND) == 1.5 * SECOND
    assert timedelta(seconds=1 / 3) <= quick.backoff(0) <= 0.5 * SECOND


@given(failures=st.integers(0, 10_000), seed=st.integers())
def test_backoff_doubles_from_five_seconds_to_ten_minutes_jittered_down_by_at_most_a_third(
    failures: int, seed: int
) -> None:
    whole = min(5.0 * 2 ** min(failures, 20), 600.0)

    pause = Pacing(rng=random.Random(seed)).backoff(failures).total_seconds()

    assert whole * 2 / 3 - 1e-6 <= pause <= whole + 1e-6


def test_backoff_is_really_jittered() -> None:
    pacing = Pacing(rng=random.Random(7))
    pauses = [pacing.backoff(3).total_seconds() for _ in range(200)]

    assert len(set(pauses)) > 100
    assert min(pauses) < 29
    assert max(pauses) > 38


def test_two_processes_do_not_share_their_jitter() -> None:
    assert [Pacing().backoff(5) for _ in range(4)] != [Pacing().backoff(5) for _ in range(4)]


# --- when a look is worth it ------------------------------------------------------------------------------------------


def test_a_look_comes_when_the_first_waiting_change_could_begin() -> None:
    endpoint, zones = (
        an_operation(create(), due=33),
        [an_operation(zone(), due=36), an_operation(zone("b.net"), due=50)],
    )
    waiting = [
        replace(group(), depends_on=(key_of(endpoint.change), key_of(zones[0].change))),
        replace(group("other"), depends_on=(key_of(zones[1].change),)),
    ]

    assert next_look([endpoint, *zones], waiting) == at(36)


def test_what_nothing_waits_for_is_looked_at_with_the_last() -> None:
    operations = [an_operation(group(), due=3.5), an_operation(zone(), due=36), an_operation(create(), due=33)]

    assert next_look(operations, []) == at(36)
    assert next_look(operations[:1], []) == at(3.5)


def test_a_change_that_waits_for_another_waiting_change_alone_hurries_nothing() -> None:
    first = replace(group(), depends_on=(key_of(zone()),))
    second = replace(group("later"), depends_on=(key_of(first),))

    assert next_look([an_operation(zone(), due=36)], [first, second]) == at(36)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=6), st.lists(st.sets(st.integers(0, 5)), max_size=6))
def test_no_look_comes_before_the_first_or_after_the_last_is_due(dues: list[int], needs: list[set[int]]) -> None:
    operations = [an_operation(zone(f"privatelink.n{number}.net"), due=due) for number, due in enumerate(dues)]
    keys = [key_of(operation.change) for operation in operations]
    waiting = [
        replace(group(f"pe{number}"), depends_on=tuple(keys[index] for index in sorted(need) if index < len(keys)))
        for number, need in enumerate(needs)
    ]

    look = next_look(operations, waiting)

    assert at(min(dues)) <= look <= at(max(dues))
    assert all(
        look <= max(at(dues[i]) for i in need if i < len(dues)) for need in needs if any(i < len(dues) for i in need)
    )


# --- whom to ask ------------------------------------------------------------------------------------------------------


def test_of_operations_that_began_together_only_the_first_of_each_kind_is_asked() -> None:
    links = [an_operation(link(f"privatelink.{name}.net")) for name in "abc"]
    groups = [an_operation(group(name)) for name in "pq"]

    assert scouts([*links, *groups], EPOCH) == (links[0], groups[0])


def test_what_began_at_another_time_is_asked_by_itself() -> None:
    early, late = an_operation(link("privatelink.a.net"), due=1), an_operation(link("privatelink.b.net"), due=2)

    assert scouts([early, late], at(2)) == (early, late)


@pytest.mark.parametrize("make", [create, zone])
def test_what_one_list_call_tells_of_is_asked_after_together(make: Callable[[str], Change]) -> None:
    listed = [an_operation(make(f"privatelink.{name}.net")) for name in "abc"]
    other = an_operation(link())

    assert scouts([other, *listed], EPOCH) == (*listed, other)


def test_nothing_is_asked_before_it_is_due() -> None:
    operations = [an_operation(create(), due=31), an_operation(zone(), due=33)]

    assert scouts(operations, at(30.9)) == ()
    assert scouts(operations, at(31)) == (operations[0],)
    assert scouts([], EPOCH) == ()


def test_companions_are_those_of_the_same_kind_and_beginning_as_one_that_has_ended() -> None:
    ended = an_operation(zone("privatelink.a.net"), due=33)
    alike = an_operation(zone("privatelink.b.net"), due=33)
    later = an_operation(zone("privatelink.c.net"), due=40)
    other = an_operation(group(), due=33)

    assert companions([ended, alike, later, other], [ended]) == (alike,)
    assert companions([alike, later, other], []) == ()


@given(
    st.lists(
        st.tuples(st.sampled_from([create, zone, link, group]), st.integers(0, 3), st.integers(0, 50)),
        unique_by=lambda drawn: (drawn[0], drawn[2]),
        max_size=12,
    )
)
def test_scouts_and_companions_together_reach_every_operation_that_is_due(drawn: list[tuple[type, int, int]]) -> None:
    operations = [an_operation(make(f"privatelink.n{number}.net"), due=due) for make, due, number in drawn]
    asked = scouts(operations, at(2))
    rest = companions([operation for operation in operations if operation not in asked], asked)

    due = {key_of(operation.change) for operation in operations if operation.due <= at(2)}

    assert {key_of(operation.change) for operation in (*asked, *rest)} == due
    assert len(asked) + len(rest) == len(due)
