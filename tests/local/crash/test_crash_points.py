"""Points are read as they are written, and a command line picks those that it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.crash.points import Point, Side, Step, chosen, numbered, points_of

KINDS = st.sampled_from(["azure PUT Network/privateEndpoints", "table POST $batch", "queue registry-work put"])
POINTS = st.builds(
    Point,
    step=st.builds(Step, what=KINDS, number=st.integers(1, 999_999)),
    side=st.sampled_from(Side),
)


@given(POINTS)
def test_a_point_is_read_as_it_is_written(point: Point) -> None:
    assert Point.parse(str(point)) == point


@pytest.mark.parametrize("text", ["", "azure PUT x", "azure PUT x#0.after", "azure PUT x#1.beside", "#1.after"])
def test_what_is_no_point_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="one looks like"):
        Point.parse(text)


def test_steps_are_numbered_by_kind() -> None:
    assert [str(each) for each in numbered(["a x y", "b x y", "a x y"])] == ["a x y#1", "b x y#1", "a x y#2"]


def test_every_step_has_two_sides() -> None:
    assert [str(each) for each in points_of(numbered(["a x y"]))] == ["a x y#1.before", "a x y#1.after"]


def test_numbers_ranges_and_points_are_chosen() -> None:
    every = points_of(numbered(["a x y", "b x y"]))
    assert chosen("all", every) == every
    assert chosen("1, 3-4", every) == (every[0], every[2], every[3])
    assert [str(each) for each in chosen("c x y#7.after", every)] == ["c x y#7.after"]


@pytest.mark.parametrize("asked", ["0", "5", "3-2", "1-9", "nonsense"])
def test_a_choice_that_means_nothing_is_refused(asked: str) -> None:
    every = points_of(numbered(["a x y", "b x y"]))
    with pytest.raises(ValueError, match="point"):
        chosen(asked, every)
