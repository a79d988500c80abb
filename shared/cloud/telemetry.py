"""
`engine.telemetry.Telemetry` on OpenTelemetry: instruments from the table of metrics, spans with W3C trace contexts.

Calls only put values into memory; batches are sent by threads of the SDK. Providers are made here and given to nobody else:
nothing is registered globally, so that no library of the process begins to trace itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import context as contexts
from opentelemetry import trace as tracing
from opentelemetry.context import Context
from opentelemetry.metrics import Counter, Histogram, Meter
from opentelemetry.metrics import _Gauge as Gauge
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, StatusCode, TraceFlags
from opentelemetry.trace import Span as OpenSpan
from opentelemetry.trace import SpanKind as Kind

from shared.core.errors import RegistryIsolationError
from shared.core.traces import traceparent
from shared.engine.metrics import METRICS, Metric, MetricKind
from shared.engine.telemetry import Attribute, Span, SpanKind, host_trace

SCOPE = "registry-isolation"
"""Name of the instrumentation scope, in every span and metric."""

_KINDS = {
    SpanKind.INTERNAL: Kind.INTERNAL,
    SpanKind.CLIENT: Kind.CLIENT,
    SpanKind.PRODUCER: Kind.PRODUCER,
    SpanKind.CONSUMER: Kind.CONSUMER,
}

type Instrument = Counter | Histogram | Gauge


class _Recorded:
    """`engine.telemetry.Span`, with the app's prefix on every attribute."""

    def __init__(self, span: OpenSpan) -> None:
        self._span = span

    def note(self, **attributes: Attribute) -> None:
        """Say more about it."""
        self._span.set_attributes(_prefixed(attributes))

    def fail(self, name: str) -> None:
        """Mark it as failed, without the error's words: they are in the log, and may hold what a trace must not."""
        self._span.set_attribute("error.type", name)
        self._span.set_status(StatusCode.ERROR, name)


class OpenTelemetry:
    """
    `engine.telemetry.Telemetry` on two providers of the SDK.

    Args:
        tracers: Where spans go.
        meters: Where metrics go.
    """

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        self._tracers = tracers
        self._meters = meters
        self._tracer = tracers.get_tracer(SCOPE)
        meter = meters.get_meter(SCOPE)
        self._instruments = {metric.name: _instrument(meter, metric) for metric in METRICS}

    def measure(self, metric: Metric, value: float, attributes: Mapping[str, str]) -> None:
        """Add to a counter or a histogram, or set a gauge."""
        instrument = self._instruments[metric.name]
        if isinstance(instrument, Counter):
            instrument.add(value, attributes)
        elif isinstance(instrument, Histogram):
            instrument.record(value, attributes)
        else:
            instrument.set(value, attributes)

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        trace: str | None = None,
        links: Sequence[str] = (),
        attributes: Mapping[str, Attribute] | None = None,
    ) -> Iterator[Span]:
        """Open a span for the length of a `with`."""
        if trace is None and not self.here():
            trace = host_trace()
        span = self._tracer.start_span(
            name,
            context=None if trace is None else _parent(trace),
            kind=_KINDS[kind],
            links=[Link(found) for found in map(_remote, links) if found],
            attributes=_prefixed(attributes or {}),
        )
        token = contexts.attach(tracing.set_span_in_context(span))
        recorded = _Recorded(span)
        try:
            yield recorded
        except Exception as error:
            recorded.fail(error.name if isinstance(error, RegistryIsolationError) else type(error).__name__)
            raise
        finally:
            contexts.detach(token)
            span.end()

    def here(self) -> str:
        """The trace context of the span that is open here."""
        context = tracing.get_current_span().get_span_context()
        if not context.is_valid:
            return ""
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"

    def flush(self) -> None:
        """Send what is kept; blocks, so it belongs to tests and to the end of a process."""
        self._tracers.force_flush()
        self._meters.force_flush()

    def close(self) -> None:
        """Send what is kept and stop the threads."""
        self._tracers.shutdown()
        self._meters.shutdown()


def _instrument(meter: Meter, metric: Metric) -> Instrument:
    match metric.kind:
        case MetricKind.COUNTER:
            return meter.create_counter(metric.name, metric.unit, metric.about)
        case MetricKind.HISTOGRAM:
            return meter.create_histogram(
                metric.name, metric.unit, metric.about, explicit_bucket_boundaries_advisory=list(metric.bounds)
            )
        case MetricKind.GAUGE:
            return meter.create_gauge(metric.name, metric.unit, metric.about)


def _prefixed(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """The app's own names below `isolation.`; names that OpenTelemetry defines, with a dot in them, as they are."""
    return {name if "." in name else f"isolation.{name}": value for name, value in attributes.items()}


def _parent(trace: str) -> Context:
    """The context that a span with parent *trace* opens in; of an empty one the span begins a trace."""
    remote = _remote(trace)
    return Context() if remote is None else tracing.set_span_in_context(NonRecordingSpan(remote), Context())


def _remote(trace: str) -> SpanContext | None:
    if not traceparent(trace):
        return None
    _version, trace_id, span_id, flags = trace.split("-")
    return SpanContext(
        trace_id=int(trace_id, 16), span_id=int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16) & 1)
    )
