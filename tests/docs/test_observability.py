"""The page on observability shows the metrics that there are, and the switches that exist."""

import json
import re
from datetime import timedelta
from pathlib import Path

from shared import telemetry_settings
from shared.cloud.telemetry_exporters import _METRICS_EVERY_MILLISECONDS
from shared.engine.metrics import METRICS
from tests.infra.test_alerts import measured_names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "observability.md").read_text()


def table() -> str:
    lines = ["| metric | kind | unit | attributes | what it counts |", "|---|---|---|---|---|"]
    for metric in METRICS:
        attributes = ", ".join(f"`{name}`" for name in metric.attributes)
        lines.append(f"| `{metric.name}` | {metric.kind.value} | `{metric.unit}` | {attributes} | {metric.about} |")
    return "\n".join(lines)


def test_the_page_shows_every_metric_as_it_is() -> None:
    assert table() in PAGE


def test_the_page_explains_every_variable_that_is_read() -> None:
    names = {
        telemetry_settings.CONNECTION,
        telemetry_settings.AUTHENTICATION,
        telemetry_settings.OTLP,
        telemetry_settings.DISABLED,
    }

    assert all(f"| `{name}` |" in PAGE for name in names)


def test_the_host_speaks_opentelemetry_as_the_page_says() -> None:
    host = json.loads((ROOT / "host.json").read_text())

    assert host["telemetryMode"] == "OpenTelemetry"


def test_what_the_page_asks_of_the_metrics_exists() -> None:
    queries = re.findall(r"```kusto\n(.*?)\n```", PAGE, re.DOTALL)

    assert queries
    for query in queries:
        names, attributes = measured_names(query)
        assert names
        assert attributes <= {attribute for known in names.values() for attribute in known}


def test_the_host_ships_every_line_that_the_alerts_go_by() -> None:
    """`pass` and `sweep-done` are information; the host drops what lies below its level."""
    logging = json.loads((ROOT / "host.json").read_text())["logging"]

    assert logging["logLevel"]["default"] == "Information"
    assert not {name for name in logging["logLevel"] if name.startswith("Function")}
    assert "Trace" in logging["applicationInsights"]["samplingSettings"]["excludedTypes"]


def test_a_restart_loses_no_more_than_the_page_says() -> None:
    assert timedelta(milliseconds=_METRICS_EVERY_MILLISECONDS) == timedelta(seconds=15)
    assert "at most\nfifteen seconds" in PAGE
