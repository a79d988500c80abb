"""
Who receives traces and metrics: Application Insights with the app's identity, an OTLP receiver, both or nobody.

Exporters are heavy to import and slow to make, so each is made by the SDK's own thread when it has something to send: an
invocation never waits for one. One that cannot be made, or cannot send, says so in one log line, and the app goes on.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics import _Gauge as Gauge
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExporter,
    MetricExportResult,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from shared.cloud.telemetry import OpenTelemetry
from shared.telemetry_settings import TelemetrySettings

# ruff: noqa: PLC0415 -- each exporter is imported by the thread that sends with it

SERVICE = "registry-isolation"
"""Cloud role name of the app's own spans and metrics, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES names another."""

_log = logging.getLogger("registry_isolation.telemetry")
# An instance of the Flex Consumption plan may be taken away soon after its last invocation; a minute would lose too much.
_METRICS_EVERY_MILLISECONDS = 15_000
_ONCE: dict[type, AggregationTemporality] = {Gauge: AggregationTemporality.DELTA}
"""
A gauge is sent when it was set, and not again every few seconds for as long as the process lives: what the last sweep counted
is told by the host that ended it, and a host that ended an earlier one must not go on telling what has long been otherwise.
"""
_DELTAS: dict[type, AggregationTemporality] = {
    Counter: AggregationTemporality.DELTA,
    Histogram: AggregationTemporality.DELTA,
    **_ONCE,
}
"""Application Insights adds up what arrives (documentation of the exporter); OTLP receivers keep running totals."""


def create_telemetry(settings: TelemetrySettings) -> OpenTelemetry:
    """Make what keeps and sends; opens no connection and imports no exporter."""
    tracers = TracerProvider(resource=_resource())
    readers: list[MetricReader] = []
    if settings.connection:
        spans = DeferredSpans(lambda: _azure_spans(settings, tracers))
        tracers.add_span_processor(BatchSpanProcessor(spans))
        readers.append(_reader(DeferredMetrics(lambda: _azure_metrics(settings), _DELTAS)))
    if settings.otlp:
        tracers.add_span_processor(BatchSpanProcessor(DeferredSpans(_otlp_spans)))
        readers.append(_reader(DeferredMetrics(_otlp_metrics, otlp_temporality(os.environ))))
    return OpenTelemetry(tracers, MeterProvider(metric_readers=readers, resource=_resource()))


def assemble(processors: Sequence[SpanProcessor], readers: Sequence[MetricReader]) -> OpenTelemetry:
    """The same around any *processors* and *readers*, such as ones that keep everything in memory."""
    tracers = TracerProvider(resource=_resource())
    for processor in processors:
        tracers.add_span_processor(processor)
    return OpenTelemetry(tracers, MeterProvider(metric_readers=readers, resource=_resource()))


def _resource() -> Resource:
    """Who sends: OpenTelemetry's variables, and an id that is this process's alone, so that hosts are told apart."""
    told = Resource.create()
    named = not str(told.attributes["service.name"]).startswith("unknown_service")
    return told if named else told.merge(Resource({"service.name": SERVICE}))


class DeferredSpans(SpanExporter):
    """An exporter that is made when there is something to send."""

    def __init__(self, make: Callable[[], SpanExporter]) -> None:
        self._exporter = _Deferred(make)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send *spans*."""
        exporter = self._exporter.get()
        return exporter.export(spans) if exporter else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Close what was made."""
        if (exporter := self._exporter.made) is not None:
            exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Pass it on."""
        exporter = self._exporter.made
        return exporter.force_flush(timeout_millis) if exporter else True


class DeferredMetrics(MetricExporter):
    """The same for metrics; *temporality* has to be known before there is an exporter to ask."""

    def __init__(
        self, make: Callable[[], MetricExporter], temporality: dict[type, AggregationTemporality] | None = None
    ) -> None:
        super().__init__(preferred_temporality=temporality)
        self._exporter = _Deferred(make)

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Send *metrics_data*."""
        exporter = self._exporter.get()
        return exporter.export(metrics_data, timeout_millis, **kwargs) if exporter else MetricExportResult.FAILURE

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Close what was made."""
        if (exporter := self._exporter.made) is not None:
            exporter.shutdown(timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Pass it on."""
        exporter = self._exporter.made
        return exporter.force_flush(timeout_millis) if exporter else True


class _Deferred[Exporter]:
    """Made once, at the first `get`, by the one thread that exports; None for good if it cannot be made."""

    def __init__(self, make: Callable[[], Exporter]) -> None:
        self._make = make
        self._tried = False
        self.made: Exporter | None = None

    def get(self) -> Exporter | None:
        if not self._tried:
            self._tried = True
            try:
                self.made = self._make()
            except Exception as error:  # noqa: BLE001 -- whatever an exporter's set-up raises must not end its thread
                # The words of the error may hold a connection string; its type says enough to look.
                _log.warning("Telemetry is not sent: its exporter cannot be made (%s).", type(error).__name__)
        return self.made


def otlp_temporality(environ: Mapping[str, str]) -> dict[type, AggregationTemporality]:
    """What an OTLP receiver is sent, which the exporter would read from OpenTelemetry's variable if it were made already."""
    told = environ.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "").strip().upper()
    return _DELTAS if told in {"DELTA", "LOWMEMORY"} else _ONCE


def _reader(exporter: MetricExporter) -> MetricReader:
    told = os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", "")
    interval = None if told else _METRICS_EVERY_MILLISECONDS
    return PeriodicExportingMetricReader(exporter, export_interval_millis=interval)


def azure_options(settings: TelemetrySettings) -> dict[str, Any]:
    """What both exporters of Application Insights are made with."""
    from azure.identity import ManagedIdentityCredential

    credential = ManagedIdentityCredential(client_id=settings.client_id or None) if settings.identity else None
    # Nothing is kept on disk: an instance's disk goes with it, and nobody looks after what lies there.
    return {"connection_string": settings.connection, "credential": credential, "disable_offline_storage": True}


def _azure_spans(settings: TelemetrySettings, tracers: TracerProvider) -> SpanExporter:
    from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter

    return AzureMonitorTraceExporter(**azure_options(settings), tracer_provider=tracers)


def _azure_metrics(settings: TelemetrySettings) -> MetricExporter:
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter

    return AzureMonitorMetricExporter(**azure_options(settings))


def _otlp_spans() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _otlp_metrics() -> MetricExporter:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter()
