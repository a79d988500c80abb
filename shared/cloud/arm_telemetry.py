"""
What is measured of each request to Azure Resource Manager: one span, and numbers by verb, provider and class of status.

The path is shown as a shape, with the names left out; the query, the headers and the body are never looked at. Token
requests are not seen here: they go another way.
"""

import re
import time
from urllib.parse import urlsplit
from uuid import UUID

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from shared.engine.chain import known
from shared.engine.metrics import ARM_DURATION, ARM_REQUESTS, ARM_THROTTLES
from shared.engine.telemetry import SpanKind, telemetry

_THROTTLED = 429
_REFUSED = 400
_ABSENT = 404  # an answer like any other: what is to be created is looked for first
_PROVIDER = re.compile(r"/providers/(Microsoft\.[A-Za-z]{1,40})(?=/|$)", re.IGNORECASE)
_PROVIDERS = {
    name.lower(): name
    for name in (
        "Microsoft.Authorization",
        "Microsoft.ContainerRegistry",
        "Microsoft.MachineLearningServices",
        "Microsoft.Network",
        "Microsoft.ResourceGraph",
        "Microsoft.Resources",
        "Microsoft.Storage",
    )
}
_CORRELATION = re.compile(r"[0-9a-f]{32}", re.ASCII)
_VERBS = frozenset({"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"})


def provider_of(url: str) -> str:
    """The resource provider that a request is for: the last one named; Microsoft.Resources for groups and the like."""
    named = _PROVIDER.findall(urlsplit(url).path)
    return _PROVIDERS.get(named[-1].lower(), "other") if named else "Microsoft.Resources"


def activity_id() -> str:
    """The correlation id of the work at hand as Azure's activity log shows it at each of its writes; "" if there is none."""
    correlation = known().get("correlation")
    if not isinstance(correlation, str) or not _CORRELATION.fullmatch(correlation):
        return ""
    return str(UUID(hex=correlation))


class ArmTelemetry(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """A policy that measures; it changes neither request nor answer."""

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        """Send *request* on, and tell how that went."""
        listener = telemetry()
        method = request.http_request.method
        verb, provider = method if method in _VERBS else "other", provider_of(request.http_request.url)
        status = "none"
        begun = time.perf_counter()
        attributes = {"http.request.method": verb, "provider": provider}
        with listener.span(f"{verb} {provider}", kind=SpanKind.CLIENT, attributes=attributes) as span:
            try:
                response = await self.next.send(request)
                code = response.http_response.status_code
                status = f"{code // 100}xx"
                span.note(**{"http.response.status_code": code})
                if code >= _REFUSED and code != _ABSENT:
                    span.fail(str(code))
                if code == _THROTTLED:
                    listener.measure(ARM_THROTTLES, 1, {"provider": provider})
                return response
            finally:
                listener.measure(ARM_REQUESTS, 1, {"verb": verb, "provider": provider, "status": status})
                seconds = time.perf_counter() - begun
                listener.measure(ARM_DURATION, seconds, {"verb": verb, "provider": provider})
