"""OpenTelemetry that keeps everything in memory: the SDK is real, only its exporters are not."""

from collections.abc import Mapping

from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.cloud.telemetry_exporters import assemble

type Series = Mapping[tuple[tuple[str, str], ...], float]


class Recorded:
    """A listener whose spans and numbers can be read."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.telemetry = assemble([SimpleSpanProcessor(self._spans)], [self._reader])

    @property
    def spans(self) -> list[ReadableSpan]:
        """Finished spans, in the order of their ends."""
        return list(self._spans.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def metrics(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """Metric to its series: sorted attributes to a value, or to how often a histogram was given one."""
        data = self._reader.get_metrics_data()
        found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    series = found.setdefault(metric.name, {})
                    for point in metric.data.data_points:
                        key = tuple(sorted((str(name), str(value)) for name, value in (point.attributes or {}).items()))
                        series[key] = point.value if isinstance(point, NumberDataPoint) else point.count
        return found


def trace_id(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}"


def span_id(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id
