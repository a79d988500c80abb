"""Registries created at once: the limits' bound is arithmetic, and nothing is lost on the way."""

from bench.rows import Verdict
from bench.rush import Rush, bounds, lower_bound, rush, rushing
from local.virtual_time import run_virtual


def a_rush(registries: int, *, wait: float = 200.0) -> Rush:
    return Rush(
        registries=registries,
        waits=(wait,) * registries,
        tail=50.0,
        calls=50 * registries,
        refused=0,
        written=7 * registries,
        writes=7 * registries,
        network_writes=6 * registries,
        passes=10 * registries,
        poisoned=0,
        processor_seconds=1.0,
    )


def test_six_thousand_network_writes_wait_for_the_network_provider() -> None:
    found = bounds(a_rush(1000))

    assert found["network writes"] == 1500.0
    assert found["Resource Manager writes"] == 680.0
    assert lower_bound(a_rush(1), a_rush(1000)) == 1550.0


def test_a_few_registries_are_bound_by_what_one_takes_alone() -> None:
    assert lower_bound(a_rush(1), a_rush(3)) == 200.0


def test_some_registries_at_once_are_all_isolated_and_meet_no_limit() -> None:
    section = rushing(3)

    rows = {row.measure.strip(): row for row in section.rows}
    assert rows["registries lost"].ours == "0"
    assert rows["of them answered 429"].ours == "0"
    assert rows["from creation to all isolated"].verdict is Verdict.MET
    assert all(row.about is None for row in section.rows)


def test_registries_that_come_together_make_no_write_twice() -> None:
    many = run_virtual(rush(5))

    assert many.written == many.writes == 5 * 7 + 6
