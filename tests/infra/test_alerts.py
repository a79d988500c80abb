"""Alerts and workbook ask for log lines that the app writes, with fields that those lines have."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.core.sweep_verdicts import TRY_AGAIN
from shared.engine.metrics import METRICS
from shared.engine.mishaps import LONGEST_DELAY
from tests.infra.bicep import INFRA
from tests.infra.functions import triggers

ROOT = INFRA.parent
RULES = json.loads((INFRA / "alerts.json").read_text())
WORKBOOK = json.loads((INFRA / "workbook.json").read_text())
FREQUENCIES = {"PT1M": 1, "PT5M": 5, "PT10M": 10, "PT15M": 15, "PT30M": 30, "PT45M": 45, "PT1H": 60}
WINDOWS = FREQUENCIES | {"PT2H": 120, "PT3H": 180, "PT4H": 240, "PT5H": 300, "PT6H": 360, "P1D": 1440, "P2D": 2880}
"""Minutes that log alerts take (documentation of log search alert rules)."""
OPERATORS = {"Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"}

KEPT = set(
    re.findall(
        r"\w+",
        "accumulate and anomalychart areachart as asc bagexpansion barchart between boolean by byte cancel card char "
        "columnchart contains cycles datatable date datetime decimal desc double dynamic earliest externaldata "
        "external_data find first flags float has has_all has_any hotcache in int invoke journal kind ladderchart "
        "last latest like likecs linechart long materialize missing of or others piechart pivotchart print project "
        "queries query_results real relaxed sample scatterchart seal seals search set shards simple startswith "
        "statistics string time timechart timeline timepivot timespan title to toscalar totable treemap uint ulong "
        "union uniqueid verbose views where",
    )
)
"""Words that a bare name may not be, or may not be everywhere (found with the query language's parser)."""


def rule_named(name: str) -> dict[str, Any]:
    (found,) = [rule for rule in RULES if rule["name"] == name]
    return dict(found)


@cache
def log_lines() -> dict[str, set[str]]:
    """Name of each log event to the fields that any of its lines has, read from the code; a chain's are in all."""
    lines: dict[str, set[str]] = defaultdict(lambda: {"registry", "correlation", "generation", "door"})
    for file in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tell":
                lines[ast.literal_eval(node.args[0])] |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return lines


def measured_names(query: str) -> tuple[dict[str, tuple[str, ...]], set[str]]:
    """Metrics that a query names, with the attributes that they have, and the attributes that it asks for."""
    measured = {metric.name: metric.attributes for metric in METRICS}
    named = re.findall(r'\bName == "(isolation[^"]*)"', query)
    assert set(named) <= measured.keys()
    return {name: measured[name] for name in named}, set(re.findall(r"\bProperties\.(\w+)", query))


def queries() -> Iterator[tuple[str, str]]:
    yield from ((f"alert {rule['name']}", rule["query"]) for rule in RULES)
    yield from (
        (f"workbook {item['name']}", item["content"]["query"]) for item in WORKBOOK["items"] if item["type"] == 3
    )


every_query = pytest.mark.parametrize("query", [pytest.param(query, id=name) for name, query in queries()])


@every_query
def test_a_query_asks_for_lines_that_the_app_writes(query: str) -> None:
    lines = log_lines()
    events = re.findall(r'Message startswith "([^"]+) \{"', query)
    fields = set(re.findall(r"\btold\.(\w+)", query))

    assert events or "AppRequests" in query or "AppMetrics" in query
    assert set(events) <= lines.keys()
    assert fields <= {field for event in events for field in lines[event]}


@every_query
def test_a_query_asks_for_metrics_and_attributes_that_the_app_measures(query: str) -> None:
    names, attributes = measured_names(query)

    assert bool(names) == ("AppMetrics" in query)
    assert attributes <= {attribute for known in names.values() for attribute in known}


@every_query
def test_a_query_is_whole(query: str) -> None:
    """No parser of the query language is at hand: brackets and quotes close, and a pipe is followed by an operator."""
    bare = re.sub(r'"[^"]*"', '""', query)
    verbs = r"where|extend|summarize|project|order by|mv-expand|join"

    assert bare.count('"') % 2 == 0
    assert bare.count("(") == bare.count(")")
    assert re.findall(rf"\|(?! (?:{verbs})\b).{{0,20}}", bare) == []


@every_query
def test_a_query_that_names_a_function_names_one_that_exists(query: str) -> None:
    named = set(re.findall(r'Name == "(\w+)"', query))

    assert named <= triggers().keys()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_a_rule_is_one_that_azure_monitor_takes(rule: dict[str, object]) -> None:
    every, window = FREQUENCIES[str(rule["every"])], WINDOWS[str(rule["window"])]

    assert every <= window
    assert rule["operator"] in OPERATORS
    assert rule["severity"] in range(5)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", str(rule["name"]))
    assert str(rule["description"]).endswith(".")


def test_the_rows_of_a_rule_say_when() -> None:
    """Azure Monitor counts rows by their TimeGenerated."""
    projections = [part for rule in RULES for part in re.findall(r"\| project ([^|]+)", rule["query"])]

    assert projections
    assert all(part.startswith("TimeGenerated") for part in projections)


def test_a_query_looks_no_further_back_than_its_window() -> None:
    for rule in RULES:
        hours = [int(text) / 60 for text in re.findall(r"ago\((\d+)m\)", rule["query"])]

        assert all(hour * 60 < WINDOWS[rule["window"]] for hour in hours), rule["name"]


def test_rules_have_names_of_their_own_and_what_must_be_watched_is() -> None:
    names = [rule["name"] for rule in RULES]

    assert len(set(names)) == len(names)
    watched = {
        "blocked",
        "given-up",
        "backlog",
        "failures",
        "sweep-missing",
        "sweep-failed",
        "throttled",
        "rolled-back",
    }
    assert watched | {"state-unreachable", "start-failed", "denied", "silent"} <= set(names)


def test_the_rules_whose_window_is_a_parameter_exist() -> None:
    module = (INFRA / "modules" / "alerts.bicep").read_text()

    assert re.findall(r"rule\.name == '([\w-]+)'", module) == ["sweep-missing", "silent"]


@pytest.mark.parametrize("name", ["sweep-missing", "silent"])
def test_what_is_missing_is_noticed_when_no_line_comes_at_all(name: str) -> None:
    rule = rule_named(name)

    assert (rule["operator"], rule["threshold"]) == ("LessThan", 1)
    assert "summarize" not in rule["query"], "a summary of nothing may be a row"


def test_an_app_that_is_gone_wakes_somebody_and_a_sweep_that_is_late_does_not() -> None:
    """An app that is stopped tells nothing, so no rule but that of its silence can."""
    assert rule_named("silent")["severity"] == 1
    assert rule_named("sweep-missing")["severity"] == 2


def test_a_blocked_registry_keeps_its_alert_until_the_sweep_has_looked_again() -> None:
    """Sweeps may be a day apart (`AZURE_SWEEP_SILENCE`), and look again at what is blocked only after a while."""
    furthest = max(TRY_AGAIN, timedelta(days=1)) + TRY_AGAIN

    for name in ("blocked", "denied"):
        assert timedelta(minutes=WINDOWS[rule_named(name)["window"]]) >= furthest


def test_the_backlog_is_as_old_as_its_oldest_request() -> None:
    """A registry that is asked for again every few minutes would otherwise never have waited for long."""
    query = rule_named("backlog")["query"]

    assert "summarize asked = min(asked) by registry" in query
    assert "max(asked)" not in query


def test_one_sweep_without_the_inventory_is_enough_to_be_told_of() -> None:
    """A refusal is one line for each sweep: a threshold of several would not be met within the window."""
    rule = rule_named("sweep-blind")

    assert (rule["threshold"], "told.blind == true" in rule["query"]) == (0, True)


def test_the_apps_storage_is_missed_by_one_registry_too() -> None:
    """The message of a single registry is put off for up to ten minutes each time, so many mishaps never come together."""
    rule = rule_named("state-unreachable")
    (stretch,) = re.findall(r"dcount\(bin\(TimeGenerated, (\d+)m\)\)", rule["query"])
    (least,) = re.findall(r"stretches >= (\d+)", rule["query"])

    assert timedelta(minutes=int(stretch)) >= LONGEST_DELAY
    assert int(stretch) * int(least) <= WINDOWS[rule["window"]]
    assert rule["threshold"] == 0


@every_query
def test_a_query_gives_no_name_that_the_query_language_keeps_to_itself(query: str) -> None:
    """Azure Monitor refuses `last = max(…)`; the words are those that Kusto's own parser refuses as bare names."""
    named = set(re.findall(r"(?<![\w.])(\w+) = ", re.sub(r'"[^"]*"', '""', query)))

    assert named & KEPT == set()


def test_the_workbook_shows_what_somebody_asks_in_the_morning() -> None:
    names = {item["name"] for item in WORKBOOK["items"]}

    assert {"now", "outcomes", "blocked", "passes", "throttles", "sweeps"} <= names


def test_every_query_of_the_workbook_follows_the_chosen_period() -> None:
    parameters = [
        one["name"] for item in WORKBOOK["items"] if item["type"] == 9 for one in item["content"]["parameters"]
    ]
    shown = [item["content"] for item in WORKBOOK["items"] if item["type"] == 3]

    assert parameters == ["period"]
    assert {content["timeContextFromParameter"] for content in shown} == {"period"}
    assert {content["resourceType"] for content in shown} == {"microsoft.operationalinsights/workspaces"}


def test_the_workbook_fits_into_a_bicep_file() -> None:
    """131,072 characters (documentation of `loadJsonContent`)."""
    assert len(Path(INFRA / "workbook.json").read_text()) < 131_072


def test_every_alert_is_explained() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text()

    assert [rule["name"] for rule in RULES if f"`{rule['name']}`" not in page] == []


def test_who_is_woken_is_what_the_page_says() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text()
    shown = {name: int(severity) for name, severity in re.findall(r"^\| `([a-z-]+)` \| (\d) \|", page, re.MULTILINE)}

    assert shown == {rule["name"]: rule["severity"] for rule in RULES}
    assert {name for name, severity in shown.items() if severity == 1} == {
        "start-failed",
        "state-unreachable",
        "silent",
        "rolled-back",
        "given-up",
    }


def test_rules_are_on_ask_the_workspace_and_tell_the_people() -> None:
    """What no query test sees: a rule that is off, asks elsewhere, or tells nobody is no rule."""
    module = (INFRA / "modules" / "alerts.bicep").read_text()
    (rule,) = re.findall(r"resource alerts .*?\n\]", module, re.DOTALL)

    assert "enabled: true" in rule
    assert "scopes: [logsId]" in rule
    assert "actions: { actionGroups: empty(email) ? [] : [people.id] }" in rule
    for member in ("severity", "query", "operator", "threshold"):
        assert f"{member}: rule.{member}" in rule
    assert "evaluationFrequency: rule.every" in rule
