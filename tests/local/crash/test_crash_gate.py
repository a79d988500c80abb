"""The gate strikes once at each point, on the side that it was armed for, and tells the one who asked."""

import pytest

from local.crash.gate import Gate, HostKilled
from local.crash.points import Point, Side, Step

WHAT = "table PUT registries"


def armed(side: Side, number: int = 2) -> tuple[Gate, list[str]]:
    killed: list[str] = []
    gate = Gate()
    gate.open([Point(step=Step(what=WHAT, number=number), side=side)], lambda: killed.append("host"))
    return gate, killed


def test_before_a_step_the_host_dies_and_the_step_is_not_carried_out() -> None:
    gate, killed = armed(Side.BEFORE)
    gate.leave(gate.enter(WHAT))
    with pytest.raises(HostKilled, match=r"registries#2\.before"):
        gate.enter(WHAT)
    assert killed == ["host"]
    assert gate.struck_at is not None


def test_after_a_step_the_host_dies_before_it_learns() -> None:
    gate, killed = armed(Side.AFTER)
    gate.leave(gate.enter(WHAT))
    step = gate.enter(WHAT)
    assert killed == []
    with pytest.raises(HostKilled):
        gate.leave(step)
    assert killed == ["host"]


def test_other_kinds_are_counted_by_themselves() -> None:
    gate, killed = armed(Side.BEFORE)
    gate.leave(gate.enter("table POST $batch"))
    gate.leave(gate.enter(WHAT))
    assert (killed, gate.kinds) == ([], ["table POST $batch", WHAT])


def test_it_strikes_once() -> None:
    gate, killed = armed(Side.BEFORE, 1)
    with pytest.raises(HostKilled):
        gate.enter(WHAT)
    gate.leave(gate.enter(WHAT))
    assert killed == ["host"]


def test_it_strikes_at_several_points_in_whatever_order_they_come() -> None:
    killed: list[int] = []
    gate = Gate()
    points = [Point(step=Step(what=WHAT, number=number), side=Side.BEFORE) for number in (3, 1)]
    gate.open(points, lambda: killed.append(gate.strikes))
    with pytest.raises(HostKilled, match=r"registries#1\.before"):
        gate.enter(WHAT)
    assert gate.unmet == {points[0]}
    gate.leave(gate.enter(WHAT))
    with pytest.raises(HostKilled, match=r"registries#3\.before"):
        gate.enter(WHAT)
    assert (killed, gate.unmet) == ([1, 2], frozenset())


def test_a_closed_gate_kills_nobody() -> None:
    gate, killed = armed(Side.BEFORE, 1)
    gate.close()
    gate.leave(gate.enter(WHAT))
    assert (killed, gate.struck_at) == ([], None)


def test_an_opened_gate_begins_to_count_anew() -> None:
    gate, _ = armed(Side.BEFORE)
    gate.enter(WHAT)
    gate.open([], list)
    assert gate.enter(WHAT).number == 1
