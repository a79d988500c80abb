"""
A receiver of OTLP over HTTP on loopback: shows the traces and metrics of a local app as text.

`python -m local.otlp_sink` listens, and prints each trace as a tree when it has been quiet for a while; an app that is
started with `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318` sends to it. It keeps everything in memory and knows
nothing of this app.
"""

import argparse
import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

PORT = 4318
"""Of OTLP over HTTP (OpenTelemetry protocol, default port)."""
QUIET_SECONDS = 3.0
_TYPE = "application/x-protobuf"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSpan:
    """A span as it arrived; ids are hexadecimal, times nanoseconds."""

    name: str
    trace: str
    id: str
    parent: str
    begun: int
    ended: int
    failed: bool
    links: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)


class OtlpSink:
    """Receives on loopback while it is entered."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self.spans: list[SeenSpan] = []
        self.metrics: dict[str, dict[str, float]] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/traces", self._traces)
        app.router.add_post("/v1/metrics", self._metrics)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """What to set `OTEL_EXPORTER_OTLP_ENDPOINT` to."""
        return f"http://127.0.0.1:{self._port}"

    async def _traces(self, request: web.Request) -> web.Response:
        export = ExportTraceServiceRequest.FromString(await request.read())
        for resource in export.resource_spans:
            for scope in resource.scope_spans:
                self.spans += [
                    SeenSpan(
                        name=span.name,
                        trace=span.trace_id.hex(),
                        id=span.span_id.hex(),
                        parent=span.parent_span_id.hex(),
                        begun=span.start_time_unix_nano,
                        ended=span.end_time_unix_nano,
                        failed=span.status.code == span.status.STATUS_CODE_ERROR,
                        links=tuple(link.trace_id.hex() for link in span.links),
                        attributes=_attributes(span.attributes),
                    )
                    for span in scope.spans
                ]
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type=_TYPE)

    async def _metrics(self, request: web.Request) -> web.Response:
        export = ExportMetricsServiceRequest.FromString(await request.read())
        for resource in export.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    series = self.metrics.setdefault(metric.name, {})
                    for number in (*metric.sum.data_points, *metric.gauge.data_points):
                        series[_key(number.attributes)] = number.as_double or number.as_int
                    for histogram in metric.histogram.data_points:
                        series[_key(histogram.attributes)] = histogram.count
        return web.Response(body=ExportMetricsServiceResponse().SerializeToString(), content_type=_TYPE)

    def trees(self, traces: Iterable[str] | None = None) -> Iterator[str]:
        """Each trace as lines: indented by depth, with milliseconds since its beginning and how long it took."""
        by_trace: dict[str, list[SeenSpan]] = defaultdict(list)
        for span in self.spans:
            by_trace[span.trace].append(span)
        for trace in by_trace if traces is None else traces:
            spans = sorted(by_trace[trace], key=lambda span: span.begun)
            yield f"trace {trace}"
            yield from _branch(spans, _roots(spans), spans[0].begun, 1)


def _roots(spans: list[SeenSpan]) -> list[SeenSpan]:
    known = {span.id for span in spans}
    return [span for span in spans if span.parent not in known]


def _branch(spans: list[SeenSpan], level: list[SeenSpan], zero: int, depth: int) -> Iterator[str]:
    for span in level:
        told = " ".join(
            f"{name.removeprefix('isolation.')}={value}"
            for name, value in span.attributes.items()
            if name in {"isolation.outcome", "isolation.attempt", "isolation.reason", "http.response.status_code"}
        )
        begun, took = (span.begun - zero) / 1e6, (span.ended - span.begun) / 1e6
        yield f"{'  ' * depth}{span.name}  +{begun:.0f} ms  {took:.1f} ms  {told}{'  FAILED' if span.failed else ''}".rstrip()
        yield from _branch(spans, [each for each in spans if each.parent == span.id], zero, depth + 1)


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, str]:
    return {pair.key: _text(pair.value) for pair in pairs}


def _key(pairs: Iterable[KeyValue]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(_attributes(pairs).items()))


def _text(value: AnyValue) -> str:
    kind = value.WhichOneof("value")
    return str(getattr(value, kind)) if kind else ""


async def watch(sink: OtlpSink) -> None:
    """Print what is new in *sink* whenever nothing came for a while; returns only by being cancelled."""
    shown = 0
    while True:
        before = len(sink.spans)
        await asyncio.sleep(QUIET_SECONDS)
        if len(sink.spans) > shown and len(sink.spans) == before:
            fresh = dict.fromkeys(span.trace for span in sink.spans[shown:])
            shown = before
            print(*sink.trees(fresh), sep="\n", flush=True)
            for name, series in sorted(sink.metrics.items()):
                print(*(f"{name}{{{key}}} {value:g}" for key, value in sorted(series.items())), sep="\n", flush=True)


async def _listen(port: int) -> None:
    async with OtlpSink(port) as sink:
        print(f"listening: OTEL_EXPORTER_OTLP_ENDPOINT={sink.url}", flush=True)
        await watch(sink)


def main(arguments: Sequence[str] | None = None) -> int:
    """Listen until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m local.otlp_sink", description="Show traces and metrics of a local app."
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"on loopback; 0 takes a free one ({PORT})")
    port: int = parser.parse_args(arguments).port
    try:
        asyncio.run(_listen(port))
    except KeyboardInterrupt:
        print()
    except (OSError, OverflowError) as error:
        print(f"It cannot listen on port {port}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
