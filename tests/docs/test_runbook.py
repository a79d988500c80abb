"""The runbook answers each alert, and asks only for what there is."""

import json
import re
from pathlib import Path

import pytest

from handlers.http_routes import PREFIX, ROUTES
from tests.infra.test_alerts import KEPT, RULES, log_lines, measured_names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "runbook.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
QUERIES = re.findall(r"```kusto\n(.*?)\n```", PAGE, re.DOTALL)
CALLS = re.findall(r"curl [^\n]*", PAGE)
METRIC_ALERTS = {"undelivered"}
"""Rules that are no log queries, in infra/modules."""


def test_every_alert_has_a_section_and_every_section_an_alert() -> None:
    bicep = "".join(file.read_text() for file in (ROOT / "infra" / "modules").glob("*.bicep"))
    metric = set(
        re.findall(r"name: 'registry-isolation-(\w+)'\n\s+location: 'global'\n\s+properties: \{\n\s+desc", bicep)
    )

    assert metric == METRIC_ALERTS
    assert set(SECTIONS) == {rule["name"] for rule in RULES} | METRIC_ALERTS


def test_every_alert_says_where_its_section_is() -> None:
    modules = ROOT / "infra" / "modules"

    assert "docs/runbook.md#${rule.name}'" in (modules / "alerts.bicep").read_text()
    assert "docs/runbook.md#undelivered'" in (modules / "system-topic.bicep").read_text()


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_says_what_it_means_how_to_look_what_to_do_and_whom_to_wake(name: str) -> None:
    words = [SECTIONS[name].index(f"**{word}") for word in ("Means.", "Look.", "Do.", "Wake")]

    assert words == sorted(words)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:60])
def test_a_query_asks_for_what_the_app_says(query: str) -> None:
    lines = log_lines()
    events = set(re.findall(r'Message startswith "([^"]+) \{"', query))
    fields = set(re.findall(r"\btold\.(\w+)", query))
    names, attributes = measured_names(query)

    assert events <= lines.keys()
    assert fields <= {field for event in events for field in lines[event]}
    assert attributes <= {attribute for known in names.values() for attribute in known}
    assert query.count("(") == query.count(")")
    assert set(re.findall(r"(?<![\w.])(\w+) = ", re.sub(r'"[^"]*"', '""', query))) & KEPT == set()


def test_every_call_is_one_that_the_app_answers() -> None:
    known = {(route.method, re.sub(r"\{\w+\}(/\{\w+\})*", "*", route.path)) for route in ROUTES}
    asked = set()
    for call in CALLS:
        found = re.search(r"\$APP(/\S+)", call)
        assert found, call
        assert found[1].startswith(f"{PREFIX}/"), call
        path = found[1].removeprefix(f"{PREFIX}/").replace("$REGISTRY", "*")
        asked.add(("POST" if "-X POST" in call else "GET", path))

    assert asked <= known
    assert len(asked) > 6


def test_what_is_sent_with_a_call_is_json() -> None:
    bodies = re.findall(r"-d '([^']*)'", PAGE)

    assert [json.loads(body) for body in bodies] == [{"all": True}]


def test_every_link_within_the_page_leads_to_a_section() -> None:
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= SECTIONS.keys()
