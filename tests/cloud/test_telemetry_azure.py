"""Application Insights' own exporter behind ours: what it sends, to an ingestion endpoint on loopback."""

import asyncio
import gzip
import json
import logging
from typing import Any

import pytest
from aiohttp import web
from azure.identity import ManagedIdentityCredential

from shared.cloud.telemetry import OpenTelemetry
from shared.cloud.telemetry_choice import choose
from shared.cloud.telemetry_exporters import azure_options
from shared.engine.metrics import ARM_THROTTLES
from shared.engine.telemetry import begin_chain, listening
from shared.telemetry_settings import CONNECTION, TelemetrySettings

GUID = "6d3f0000-0000-4000-8000-000000000001"
QUIET = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
)
"""As deployed: the exporter calls nobody but the ingestion endpoint."""


class Ingestion:
    """Takes envelopes as the service does."""

    def __init__(self) -> None:
        self.envelopes: list[dict[str, Any]] = []

    async def track(self, request: web.Request) -> web.Response:
        body = await request.read()
        text = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        parsed = json.loads(text)
        self.envelopes += parsed
        return web.json_response({"itemsReceived": len(parsed), "itemsAccepted": len(parsed), "errors": []})


def test_the_identity_is_the_one_that_the_host_is_given_and_nothing_stays_on_disk() -> None:
    options = azure_options(TelemetrySettings(connection="InstrumentationKey=x", identity=True, client_id=GUID))

    assert isinstance(options["credential"], ManagedIdentityCredential)
    assert options["disable_offline_storage"] is True
    assert azure_options(TelemetrySettings(connection="InstrumentationKey=x"))["credential"] is None


@pytest.mark.slow
async def test_spans_and_metrics_reach_application_insights_under_their_names(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in QUIET:
        monkeypatch.setenv(name, "true")
    ingestion = Ingestion()
    app = web.Application()
    app.router.add_post("/{version}/track", ingestion.track)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    connection = f"InstrumentationKey={GUID};IngestionEndpoint=http://127.0.0.1:{runner.addresses[0][1]}"

    telemetry = choose({CONNECTION: connection})
    assert isinstance(telemetry, OpenTelemetry)
    with listening(telemetry):
        trace = begin_chain("event")
        with telemetry.span("pass", trace=trace, attributes={"registry": "/subscriptions/x"}) as span:
            span.note(outcome="converged")
            telemetry.measure(ARM_THROTTLES, 3, {"provider": "Microsoft.Network"})
    await asyncio.to_thread(telemetry.flush)
    await asyncio.to_thread(telemetry.close)
    await runner.cleanup()

    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    data = [each["data"]["baseData"] | {"tags": each["tags"]} for each in ingestion.envelopes]
    (one,) = [each for each in data if each.get("name") == "pass"]
    (metric,) = [each for each in data if each.get("metrics", [{}])[0].get("name") == "isolation.arm.throttles"]
    assert one["tags"]["ai.operation.id"] == trace[3:35]
    assert one["tags"]["ai.cloud.role"] == "registry-isolation"
    assert one["properties"]["isolation.outcome"] == "converged"
    assert metric["metrics"][0]["value"] == 3
    assert metric["properties"]["provider"] == "Microsoft.Network"
