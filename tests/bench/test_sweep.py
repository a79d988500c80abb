"""The bench's sweeps in small: figures only of sweeps that did their work."""

from bench.rows import Row, Verdict
from bench.sweep import sweeping


def shown(rows: tuple[Row, ...]) -> dict[str, tuple[str, Verdict]]:
    return {row.measure.strip(): (row.ours, row.verdict) for row in rows}


def test_a_small_crowd_is_swept_and_repaired() -> None:
    section = sweeping([3], drifts=[20])

    rows = shown(section.rows)
    assert rows["writes, 3"] == ("0", Verdict.MET)
    assert rows["most requests that wrote for one of them"] == ("1", Verdict.MET)
    assert rows["others that anything was written for"] == ("0", Verdict.MET)
    assert rows["2 drifted of 20: sweeps until all are isolated"][0] == "1"
