"""The bench's sweeps in small: figures only of sweeps that did their work."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bench.budgets import Budget
from bench.rows import ReferenceFailed, Row, Verdict
from bench.sweep import Calm, _all_isolated, _calm_rows, _until_compliant, demand_complete, main, sweeping
from local.drifts import registry_opened
from local.sweep_house import SweepHouse
from local.virtual_time import run_virtual
from shared.core.sweeps import SweepRecord, SweepState
from tests.virtual_time import EPOCH


def shown(rows: tuple[Row, ...]) -> dict[str, tuple[str, Verdict]]:
    return {row.measure.strip(): (row.ours, row.verdict) for row in rows}


def test_a_small_crowd_is_swept_and_repaired() -> None:
    section = sweeping([3], drifts=[20])

    rows = shown(section.rows)
    assert rows["writes, 3"] == ("0", Verdict.MET)
    assert rows["most requests that wrote for one of them"] == ("1", Verdict.MET)
    assert rows["others that anything was written for"] == ("0", Verdict.MET)
    assert rows["2 drifted of 20: sweeps until all are isolated"][0] == "1"


def test_a_crowd_that_is_smaller_than_the_share_that_drifts_is_repaired_as_well() -> None:
    rows = shown(sweeping([], drifts=[4]).rows)

    assert rows["1 drifted of 4: sweeps until all are isolated"][0] == "1"


def test_the_program_sweeps_the_crowd_that_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--registries", "3"]) == 0

    assert "3 isolated registries: Resource Graph queries per 1,000" in capsys.readouterr().out


RECORD = SweepRecord(
    id="1",
    reason="timer",
    origin="bench",
    begun=EPOCH,
    due=EPOCH,
    touched=EPOCH,
    state=SweepState.DONE,
    seen=3,
    verdicts={"compliant": 3},
    step=3,
)


def test_a_sweep_that_saw_everybody_isolated_gives_figures() -> None:
    demand_complete(RECORD, 3)


@pytest.mark.parametrize(
    "record",
    [
        replace(RECORD, state=SweepState.RUNNING),
        replace(RECORD, seen=2),
        replace(RECORD, verdicts={"compliant": 2, "drifted": 1}),
    ],
)
def test_a_sweep_that_missed_something_gives_none(record: SweepRecord) -> None:
    with pytest.raises(ReferenceFailed, match="a sweep over 3 isolated registries ended as"):
        demand_complete(record, 3)


def open_one_and(look: Callable[[SweepHouse], Awaitable[None]]) -> None:
    """Three registries of which one was opened, in a tenant where the app only reports, so that nobody closes it."""

    async def story() -> None:
        async with SweepHouse(3, mode="audit") as house:
            await house.remember()
            house.switch_off_events()
            registry_opened(house.azure, house.registries[0])
            await look(house)

    run_virtual(story())


def test_a_registry_that_is_left_open_gives_no_figures() -> None:
    async def look(house: SweepHouse) -> None:
        _all_isolated(house, house.registries[:1])

    with pytest.raises(ReferenceFailed, match="1 registries are open; 1 things are wrong"):
        open_one_and(look)


def test_sweeps_that_never_come_to_rest_give_no_figures() -> None:
    async def look(house: SweepHouse) -> None:
        await _until_compliant(house, 3)

    with pytest.raises(ReferenceFailed, match="after 12 sweeps over 3 registries the last one still found"):
        open_one_and(look)


def calm(registries: int, *, queries: int, enqueued: int) -> Calm:
    return Calm(
        registries=registries,
        swept=replace(RECORD, enqueued=enqueued),
        queries=queries,
        reads=10 * enqueued,
        writes=0,
        unasked=0,
        virtual=timedelta(seconds=7),
    )


def test_queries_are_judged_for_each_thousand_and_answer_to_the_budget_only_in_a_crowd_that_is_large_enough() -> None:
    for registries, queries, verdict, about in (
        (10_000, 100, Verdict.MET, Budget.SWEEP),
        (10_000, 101, Verdict.MISSED, Budget.SWEEP),
        (1_000, 10, Verdict.MET, None),
    ):
        row = _calm_rows(calm(registries, queries=queries, enqueued=0))[0]
        assert (row.verdict, row.about) == (verdict, about)


def test_more_daily_looks_than_a_share_of_the_day_explains_miss_the_budget() -> None:
    share = 10_000 / 24
    most = round(share + 4 * share**0.5)

    met, missed = (_calm_rows(calm(10_000, queries=7, enqueued=count)) for count in (most, most + 1))

    assert (met[1].verdict, missed[1].verdict) == (Verdict.MET, Verdict.MISSED)
    assert met[3].reference == "10 for each"
    assert _calm_rows(calm(10_000, queries=7, enqueued=0))[3].reference == "none was due"
