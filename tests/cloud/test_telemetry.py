"""OpenTelemetry behind the engine's role: real SDK, real exporter over loopback, and what must never cost a pass."""

import asyncio
import logging
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from local.otlp_sink import OtlpSink
from shared.cloud.telemetry import OpenTelemetry
from shared.cloud.telemetry_choice import choose
from shared.cloud.telemetry_exporters import (
    _DELTAS,
    DeferredMetrics,
    DeferredSpans,
    _resource,
    assemble,
    create_telemetry,
    otlp_temporality,
)
from shared.core.errors import Throttled
from shared.engine.metrics import METRICS, PASSES, REGISTRIES
from shared.engine.telemetry import Silence, SpanKind, begin_chain, listening
from shared.telemetry_settings import AUTHENTICATION, CONNECTION, DISABLED, OTLP, TelemetrySettings
from tests.recorded import Recorded, trace_id

GUID = "6d3f0000-0000-4000-8000-000000000001"
KEY = "InstrumentationKey=00000000-0000-4000-8000-000000000002;IngestionEndpoint=https://127.0.0.1:9/"
GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Counted(SpanExporter):
    """Keeps how many spans it was given."""

    def __init__(self) -> None:
        self.count = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.count += len(spans)
        return SpanExportResult.SUCCESS


def test_nobody_listens_where_nothing_is_set() -> None:
    assert isinstance(choose({}), Silence)
    assert isinstance(choose({CONNECTION: KEY, DISABLED: "TRUE"}), Silence)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({CONNECTION: "secret-value"}, CONNECTION),
        ({CONNECTION: KEY, AUTHENTICATION: "ClientId=secret-value;Authorization=AAD"}, AUTHENTICATION),
        ({CONNECTION: KEY, AUTHENTICATION: f"ClientId={GUID}"}, AUTHENTICATION),
        ({OTLP: "secret-value:4318"}, OTLP),
    ],
)
def test_a_wrong_variable_is_named_in_one_line_without_its_value_and_the_app_goes_on(
    environ: dict[str, str], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "registry_isolation"):
        assert isinstance(choose(environ), Silence)

    (line,) = caplog.messages
    assert line.startswith("telemetry-off ")
    assert says in line
    assert "secret-value" not in line


def test_the_identity_that_the_host_uses_is_the_apps_too() -> None:
    settings = TelemetrySettings.from_environ(
        {CONNECTION: KEY, AUTHENTICATION: f"ClientId={GUID.upper()};Authorization=AAD"}
    )

    assert (settings.identity, settings.client_id, settings.wanted) == (True, GUID, True)
    assert "Instrumentation" not in repr(settings)
    assert not TelemetrySettings.from_environ({CONNECTION: KEY}).identity


def test_making_a_listener_imports_no_exporter() -> None:
    heavy = ("azure.monitor", "opentelemetry.exporter", "requests")
    before = {name for name in sys.modules if name.startswith(heavy)}

    telemetry = create_telemetry(
        TelemetrySettings(connection=KEY, identity=True, client_id=GUID, otlp="http://[::1]:9")
    )
    telemetry.close()

    assert {name for name in sys.modules if name.startswith(heavy)} == before


def test_an_exporter_that_cannot_be_made_says_so_once_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> SpanExporter:
        raise ValueError("InstrumentationKey=secret")

    def broken_too() -> MetricExporter:
        raise ImportError("secret")

    reader = PeriodicExportingMetricReader(DeferredMetrics(broken_too), export_interval_millis=3_600_000)
    telemetry = assemble([SimpleSpanProcessor(DeferredSpans(broken))], [reader])
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with telemetry.span("pass", trace=""):
                telemetry.measure(PASSES, 1, {"outcome": "converged", "reason": "event"})
        telemetry.flush()
        telemetry.close()

    own = [record.getMessage() for record in caplog.records if record.name.startswith("registry_isolation")]
    assert own == [
        "Telemetry is not sent: its exporter cannot be made (ValueError).",
        "Telemetry is not sent: its exporter cannot be made (ImportError).",
    ]


def test_an_exporter_is_made_at_the_first_span_and_kept() -> None:
    made: list[Counted] = []

    def make() -> Counted:
        made.append(Counted())
        return made[-1]

    telemetry = assemble([SimpleSpanProcessor(DeferredSpans(make))], [])
    assert made == []
    for _ in range(3):
        with telemetry.span("pass", trace=""):
            pass
    telemetry.close()

    assert [each.count for each in made] == [3]


def test_a_span_goes_on_with_its_parent_begins_a_trace_or_follows_what_is_open() -> None:
    recorded = Recorded()
    telemetry = recorded.telemetry
    with telemetry.span("outer", trace=GOOD, kind=SpanKind.CONSUMER):
        with telemetry.span("inner"):
            here = telemetry.here()
        with telemetry.span("fresh", trace=""):
            pass
        with telemetry.span("odd", trace="nonsense", links=("nonsense", GOOD)):
            pass

    inner, fresh, odd, outer = recorded.spans
    assert trace_id(inner) == trace_id(outer) == GOOD[3:35] == here[3:35]
    assert len({trace_id(outer), trace_id(fresh), trace_id(odd)}) == 3
    assert [f"{link.context.trace_id:032x}" for link in odd.links] == [GOOD[3:35]]
    assert telemetry.here() == ""


def test_what_is_asked_outside_of_any_pass_belongs_to_the_invocation() -> None:
    """A person's question, or whose part an event is about: its requests are found from the host's own request."""
    recorded = Recorded()
    with listening(recorded.telemetry, GOOD), recorded.telemetry.span("observe"), recorded.telemetry.span("GET"):
        pass
    with listening(recorded.telemetry), recorded.telemetry.span("alone"):
        pass

    inner, outer, alone = recorded.spans
    assert trace_id(inner) == trace_id(outer) == GOOD[3:35] != trace_id(alone)
    assert outer.parent is not None
    assert f"{outer.parent.span_id:016x}" == GOOD[36:52]
    assert alone.parent is None


def test_an_error_of_the_tree_marks_the_span_by_its_name_alone() -> None:
    recorded = Recorded()
    with pytest.raises(Throttled), recorded.telemetry.span("pass", trace=""):
        raise Throttled("the sentence", resource_id="/subscriptions/x", operation="read")

    (span,) = recorded.spans
    assert dict(span.attributes or {}) == {"error.type": "Throttled"}
    assert span.events == ()


def test_every_metric_of_the_table_can_be_measured() -> None:
    recorded = Recorded()
    for metric in METRICS:
        recorded.telemetry.measure(metric, 2, dict.fromkeys(metric.attributes, "x"))
    recorded.telemetry.measure(REGISTRIES, 5, {"phase": "x"})

    found = recorded.metrics()
    assert found.keys() == {metric.name for metric in METRICS}
    assert found["isolation.registries"] == {(("phase", "x"),): 5}


def test_a_histogram_has_the_buckets_and_the_unit_of_the_table() -> None:
    """The SDK's own buckets are for milliseconds: a quarter of an hour would be one of them."""
    reader = InMemoryMetricReader()
    telemetry = assemble([], [reader])
    for metric in METRICS:
        telemetry.measure(metric, 1, dict.fromkeys(metric.attributes, "x"))

    data = reader.get_metrics_data()
    assert data is not None
    found = {
        metric.name: (metric.unit, tuple(getattr(point, "explicit_bounds", ())))
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }
    assert found == {metric.name: (metric.unit, metric.bounds) for metric in METRICS}


class Kept(MetricExporter):
    """Keeps the points of each export."""

    def __init__(self, temporality: dict[type, AggregationTemporality]) -> None:
        super().__init__(preferred_temporality=temporality)
        self.exports: list[dict[str, float]] = []

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        self.exports.append(
            {
                metric.name: point.value
                for resource in metrics_data.resource_metrics
                for scope in resource.scope_metrics
                for metric in scope.metrics
                for point in metric.data.data_points
                if isinstance(point, NumberDataPoint)
            }
        )
        return MetricExportResult.SUCCESS

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Keep everything."""

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True


@pytest.mark.parametrize("preference", ["", "cumulative", "delta", "LowMemory"])
def test_a_host_tells_what_its_last_sweep_counted_once_and_not_for_as_long_as_it_lives(preference: str) -> None:
    """Sweeps end now on this host, now on that one: a stale count beside the fresh one would be a second truth."""
    temporality = otlp_temporality({"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": preference})
    exporter = Kept(temporality)
    telemetry = assemble([], [PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)])
    telemetry.measure(REGISTRIES, 3, {"phase": "blocked"})
    telemetry.measure(PASSES, 1, {"outcome": "converged", "reason": "event"})
    telemetry.flush()
    telemetry.measure(PASSES, 1, {"outcome": "converged", "reason": "event"})
    telemetry.flush()
    telemetry.close()

    first, second = exporter.exports[:2]
    assert first == {"isolation.registries": 3, "isolation.passes": 1}
    assert second == {"isolation.passes": 1 if preference in {"delta", "LowMemory"} else 2}


def test_application_insights_is_sent_differences_and_each_count_once() -> None:
    deltas = DeferredMetrics(lambda: Kept({}), _DELTAS)

    assert {kind.__name__ for kind in deltas._preferred_temporality or {}} == {"Counter", "Histogram", "Gauge"}
    assert set((deltas._preferred_temporality or {}).values()) == {AggregationTemporality.DELTA}


def test_hosts_are_told_apart_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)
    plain = _resource().attributes
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=theirs,deployment.environment.name=test")
    theirs = _resource().attributes

    assert plain["service.name"] == "registry-isolation"
    assert plain["service.instance.id"]
    assert (theirs["service.name"], theirs["deployment.environment.name"]) == ("theirs", "test")


@pytest.mark.slow
async def test_spans_and_metrics_reach_a_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    async with OtlpSink() as sink:
        monkeypatch.setenv(OTLP, sink.url)
        telemetry = choose({OTLP: sink.url})
        assert isinstance(telemetry, OpenTelemetry)
        with listening(telemetry, GOOD):
            trace = begin_chain("event")
            with telemetry.span("pass", trace=trace, attributes={"attempt": 1}) as span:
                span.note(outcome="converged")
                telemetry.measure(PASSES, 1, {"outcome": "converged", "reason": "event"})
                telemetry.measure(REGISTRIES, 3, {"phase": "blocked"})
        await asyncio.to_thread(telemetry.flush)
        first = {name: dict(series) for name, series in sink.metrics.items()}
        sink.metrics.clear()
        await asyncio.to_thread(telemetry.flush)
        await asyncio.to_thread(telemetry.close)

    request, one = sorted(sink.spans, key=lambda each: each.begun)
    assert (request.name, one.name, one.parent, one.trace) == ("request", "pass", request.id, trace[3:35])
    assert one.attributes == {"isolation.attempt": "1", "isolation.outcome": "converged"}
    assert request.links == (GOOD[3:35],)
    assert first["isolation.registries"] == {"phase=blocked": 3}
    assert sink.metrics == {"isolation.passes": {"outcome=converged,reason=event": 1}}, (
        "a total goes on, a count does not"
    )
    (head, above, below) = sink.trees()
    assert head == f"trace {trace[3:35]}"
    assert above.strip().startswith("request")
    assert below.startswith("    pass")
    assert "outcome=converged" in below
