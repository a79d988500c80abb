"""A line that is told is counted, by words of closed sets; what stands for nothing is not."""

import logging
from typing import Any, get_args

import pytest

from shared.core.registry import Json
from shared.core.report import Outcome
from shared.engine.counting import PHASES, count
from shared.engine.logs import tell
from shared.engine.telemetry import listening
from tests.recorded import Recorded

type Found = dict[str, dict[tuple[tuple[str, str], ...], float]]


def counted(event: str, **fields: Json) -> Found:
    recorded = Recorded()
    with listening(recorded.telemetry):
        count(event, fields)
    return recorded.metrics()


def one(**attributes: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {tuple(sorted(attributes.items())): 1}


@pytest.mark.parametrize(
    ("event", "fields", "metric", "series"),
    [
        ("receive", {"planned": False}, "isolation.events", one(result="request")),
        ("receive", {}, "isolation.events", one(result="request")),
        ("receive", {"planned": True}, "isolation.events", one(result="planned")),
        ("ignore", {"why": "own-write", "detail": "secret"}, "isolation.events", one(result="own-write")),
        ("reject", {"error": "MalformedEvent"}, "isolation.events", one(result="rejected")),
        ("request", {"reason": "sweep"}, "isolation.requests", one(reason="sweep")),
        ("mishap", {"fate": "bug", "sentence": "secret"}, "isolation.mishaps", one(fate="bug")),
        ("poison", {"back": True}, "isolation.poison", one(result="retried")),
        ("poison", {"back": False}, "isolation.poison", one(result="failed")),
        ("sweep-failed", {"sweep": "s"}, "isolation.sweeps", one(state="failed")),
        ("notify", {"type": "Isolated"}, "isolation.outcome_events", one(result="delivered")),
        ("notify-failed", {"tries": 3}, "isolation.outcome_events", one(result="failed")),
    ],
)
def test_a_line_is_one_more_in_its_series(
    event: str, fields: dict[str, Any], metric: str, series: dict[tuple[tuple[str, str], ...], float]
) -> None:
    assert counted(event, **fields) == {metric: series}


@pytest.mark.parametrize(
    ("event", "fields"),
    [("index", {}), ("mishap", {"kept": False}), ("poison", {"counted": False}), ("never heard of", {"a": 1})],
)
def test_a_line_that_stands_for_nothing_is_not_counted(event: str, fields: dict[str, Any]) -> None:
    assert counted(event, **fields) == {}


def test_a_pass_is_counted_and_timed_and_so_is_the_way_to_isolated_once_it_is_known() -> None:
    waiting = counted("pass", outcome="waiting", reason="event", seconds=1.5, late_seconds=0, isolated_seconds=None)
    isolated = counted("pass", outcome="converged", reason="event", seconds=1, late_seconds=2.0, isolated_seconds=300)
    superseded = counted("pass", outcome="superseded", reason="", seconds=0, late_seconds=None, isolated_seconds=None)

    assert waiting["isolation.passes"] == one(outcome="waiting", reason="event")
    assert set(waiting) == {"isolation.passes", "isolation.pass.duration", "isolation.pass.lateness"}
    assert isolated["isolation.time_to_isolated"] == one(reason="event")
    assert superseded == {
        "isolation.passes": one(outcome="superseded", reason="none"),
        "isolation.pass.duration": one(outcome="superseded"),
    }


def test_a_finished_sweep_sets_every_phase_so_that_what_is_no_longer_falls_to_zero() -> None:
    found = counted("sweep-done", seen=12, rows=11, enqueued=2, seconds=40, phases={"blocked": 3, "odd": 1})

    assert found["isolation.registries"] == {(("phase", phase),): 3 if phase == "blocked" else 0 for phase in PHASES}
    assert found["isolation.sweep.found"] == {(): 12}
    assert found["isolation.sweep.enqueued"] == {(): 2}
    assert found["isolation.sweeps"] == one(state="done")


def test_an_empty_sweep_sets_no_phase() -> None:
    assert "isolation.registries" not in counted("sweep-done", seen=0, enqueued=0, seconds=1, phases={})


def test_what_is_too_quiet_to_be_logged_is_counted_all_the_same() -> None:
    recorded, log = Recorded(), logging.getLogger("registry_isolation")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with listening(recorded.telemetry):
            tell("ignore", level=logging.DEBUG, why="action")
    finally:
        log.setLevel(before)

    assert recorded.metrics() == {"isolation.events": one(result="action")}


def test_every_phase_that_a_row_may_have_is_counted() -> None:
    """A phase that is left out would be a registry that no gauge shows."""
    kinds = {get_args(one.__annotations__["kind"])[0] for one in get_args(get_args(Outcome.__value__)[0])}

    assert set(PHASES) == (kinds - {"superseded"}) | {"requested"}


def test_no_number_knows_its_registry() -> None:
    """Each value of an attribute is a series to pay for, and there are thousands of registries."""
    lines: dict[str, dict[str, Any]] = {
        "receive": {"origin": "e", "part": "p"},
        "ignore": {"why": "related", "detail": "d"},
        "request": {"reason": "event", "origin": "e", "caller": "c"},
        "pass": {"outcome": "blocked", "reason": "event", "seconds": 1, "late_seconds": 1, "isolated_seconds": 1},
        "mishap": {"fate": "bug", "error": "KeyError", "sentence": "s"},
        "poison": {"back": True, "error": "KeyError"},
        "change": {"change": "create-endpoint", "result": "started", "resource": "/subscriptions/x"},
        "notify": {"type": "t", "id": "i"},
        "notify-failed": {"error": "Unavailable", "sentence": "s", "tries": 1},
    }
    seen = [
        counted(event, registry=f"registry-{number}", **fields) for number in (1, 2) for event, fields in lines.items()
    ]

    assert "registry-" not in str(seen)
    assert seen[: len(lines)] == seen[len(lines) :]
    closed = {
        "request",
        "related",
        "event",
        "blocked",
        "bug",
        "retried",
        "create-endpoint",
        "started",
        "delivered",
        "failed",
    }
    assert {value for found in seen for series in found.values() for key in series for _, value in key} == closed
