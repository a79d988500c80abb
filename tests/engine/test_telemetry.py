"""Who listens is said once per invocation; where nobody does, nothing is kept and work goes on."""

import asyncio

import pytest

from shared.core.requests import WorkMessage
from shared.core.traces import correlation_of, traceparent
from shared.engine.chain import following, known, within
from shared.engine.metrics import (
    ARM_DURATION,
    METRICS,
    PASS_DURATION,
    PASS_LATENESS,
    PASSES,
    TIME_TO_ISOLATED,
    MetricKind,
)
from shared.engine.telemetry import (
    Silence,
    begin_chain,
    host_links,
    listening,
    measure,
    stage,
    staged,
    telemetry,
)
from tests.core.test_traces import GOOD, TRACE
from tests.core.worlds import registry_id
from tests.recorded import Recorded, trace_id


def test_where_nobody_listens_everything_works_and_a_chain_has_a_name_all_the_same() -> None:
    measure(PASSES, outcome="converged", reason="event")
    with stage("plan") as span:
        span.note(changes=1)
        span.fail("Throttled")

    first, second = begin_chain("event"), begin_chain("event")

    assert isinstance(telemetry(), Silence)
    assert telemetry().here() == ""
    assert traceparent(first) == first != second


async def test_listeners_do_not_hear_one_another() -> None:
    one, other = Recorded(), Recorded()

    async def work(recorded: Recorded, outcome: str) -> None:
        with listening(recorded.telemetry):
            await asyncio.sleep(0)
            measure(PASSES, outcome=outcome, reason="event")

    await asyncio.gather(work(one, "converged"), work(other, "blocked"))

    assert list(one.metrics()["isolation.passes"]) == [(("outcome", "converged"), ("reason", "event"))]
    assert list(other.metrics()["isolation.passes"]) == [(("outcome", "blocked"), ("reason", "event"))]
    assert isinstance(telemetry(), Silence)


def test_a_request_begins_a_trace_of_its_own_that_is_linked_to_its_invocation() -> None:
    recorded = Recorded()
    with listening(recorded.telemetry, GOOD):
        assert host_links() == (GOOD,)
        with telemetry().span("sweep step", trace=GOOD):
            trace = begin_chain("sweep")

    request, step = recorded.spans

    assert trace_id(step) == TRACE
    assert trace_id(request) == correlation_of(trace) != TRACE
    assert [f"{link.context.trace_id:032x}" for link in request.links] == [TRACE]
    assert host_links() == ()


async def test_a_stage_is_a_span_below_the_pass_and_an_error_marks_both() -> None:
    recorded = Recorded()

    @staged("observe")
    async def observe(fails: bool) -> int:  # noqa: FBT001
        if fails:
            raise KeyError("a secret")
        return 1

    with listening(recorded.telemetry):
        with pytest.raises(KeyError), telemetry().span("pass", trace=GOOD):
            await observe(fails=True)
        assert await observe(fails=False) == 1

    first, whole, second = recorded.spans
    assert (first.name, whole.name, second.name) == ("observe", "pass", "observe")
    assert trace_id(first) == trace_id(whole) == TRACE
    assert first.attributes == {"error.type": "KeyError"}
    assert (first.status.is_ok, second.status.is_ok) == (False, True)
    assert "secret" not in first.to_json() + whole.to_json()


def test_what_is_known_of_a_chain_is_known_until_its_end() -> None:
    message = WorkMessage(registry=registry_id(), generation=3, trace=GOOD)
    with within(door="queue"), following(message):
        inside = dict(known())
        with within(registry="other", correlation=""):
            nested = dict(known())

    assert inside == {
        "door": "queue",
        "registry": registry_id().text,
        "generation": 3,
        "correlation": TRACE,
    }
    assert nested == {**inside, "registry": "other"}
    assert known() == {}


def test_metrics_have_names_units_and_bounds_that_exporters_take() -> None:
    names = [metric.name for metric in METRICS]

    assert len(set(names)) == len(names) > 15
    for metric in METRICS:
        assert metric.name.startswith("isolation.")
        assert metric.name.replace(".", "").replace("_", "").isalpha()
        assert metric.unit == "s" or metric.unit.strip("{}").isalpha()
        assert bool(metric.bounds) == (metric.kind is MetricKind.HISTOGRAM)
        assert list(metric.bounds) == sorted(metric.bounds)


def test_buckets_tell_apart_what_people_ask_about() -> None:
    """An isolation takes minutes, of which Azure's propagation alone may take fifteen, or it waits for a person for hours."""
    day, minute = 86_400, 60

    assert sum(minute <= bound <= 15 * minute for bound in TIME_TO_ISOLATED.bounds) >= 4
    assert TIME_TO_ISOLATED.bounds[-1] == day
    assert {1, 60} <= set(PASS_DURATION.bounds)  # its target is two seconds, its deadline a minute
    assert PASS_LATENESS.bounds[0] <= 1
    assert 30 * minute in PASS_LATENESS.bounds  # what the alert calls a backlog
    assert ARM_DURATION.bounds[0] < 0.1
