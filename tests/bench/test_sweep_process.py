"""A sweep in a process of its own is measured only if it did its work, and says what the process needed."""

from dataclasses import replace
from typing import Any

import pytest

from bench.rows import ReferenceFailed, Verdict
from bench.sweep_process import Swept, _rows, _run, demand_complete, sweeping_apart

SWEPT = Swept(
    registries=3,
    seen=3,
    state="done",
    verdicts={"compliant": 3},
    enqueued=0,
    steps=2,
    loaded_mib=100.0,
    peak_mib=110.0,
    processor_seconds=1.0,
    seconds=2.0,
    queries=7,
    reads=0,
)


@pytest.mark.slow
def test_a_small_crowd_is_swept_by_the_composed_app_in_a_fresh_process() -> None:
    rows = {row.measure.strip(): row for row in sweeping_apart([3]).rows}

    assert rows["other requests to Resource Manager, 3 registries"].ours == "0"
    assert int(rows["Resource Graph queries, 3 registries"].ours) > 0
    peak, loaded = (
        float(text.split()[0])
        for text in (
            rows["peak memory of the process, 3 registries"].ours,
            rows["peak memory of the process, 3 registries"].reference,
        )
    )
    assert 50 < loaded <= peak < 500


def test_a_complete_sweep_gives_figures() -> None:
    demand_complete(SWEPT)


@pytest.mark.parametrize("change", [{"state": "failed"}, {"seen": 2}, {"verdicts": {"compliant": 2, "drifted": 1}}])
def test_a_sweep_that_missed_something_gives_none(change: dict[str, Any]) -> None:
    with pytest.raises(ReferenceFailed, match="a sweep over 3 isolated registries ended as"):
        demand_complete(replace(SWEPT, **change))


def test_memory_of_a_larger_crowd_is_told_beside_the_smallest_ones() -> None:
    larger = replace(SWEPT, registries=30, peak_mib=121.0, reads=1, processor_seconds=0.6)

    least, more = ({row.measure.strip(): row for row in _rows(each, SWEPT)} for each in (SWEPT, larger))

    first = least["peak memory of the process, 3 registries"]
    assert (first.ours, first.reference, first.ratio) == ("110 MiB", "100 MiB before the sweep", "")
    second = more["peak memory of the process, 30 registries"]
    assert (second.ours, second.reference, second.ratio) == ("121 MiB", "110 MiB", "1.1")
    assert more["processor time for each, 30 registries"].ours == "20 ms"
    assert more["other requests to Resource Manager, 30 registries"].verdict is Verdict.MISSED


@pytest.mark.slow
def test_a_process_that_could_not_sweep_gives_its_last_words_and_no_figures() -> None:
    with pytest.raises(ReferenceFailed, match=r"a sweep's process failed: (?s:.*)The app settings are not usable"):
        _run({})
