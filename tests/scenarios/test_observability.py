"""What is seen of a registry's way from outside: one trace, numbers that add up, and lines that name their chain."""

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from local.simulator import scenery
from local.simulator.faults import Fault, FaultKind
from shared.core.requests import RequestReason
from shared.engine.metrics import METRICS
from shared.engine.telemetry import listening
from tests.recorded import Recorded, span_id, trace_id
from tests.scenarios.house import House
from tests.scenarios.test_outcome_events import SweptHouse
from tests.virtual_time import run_virtual

LOG = logging.getLogger("registry_isolation")
HOST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CHAIN = {"registry", "correlation", "generation", "door"}
NONE_YET = {"registry", "correlation", "generation"}
OF_A_SWEEP = {"registry", "generation"}
WITHOUT: dict[str, set[str]] = {
    "ignore": NONE_YET,
    "reject": NONE_YET,
    "judge": {"generation"},
    "sweep-begin": {*OF_A_SWEEP, "door"},
    "sweep-step": OF_A_SWEEP,
    "sweep-done": OF_A_SWEEP,
}
"""Lines that cannot name all of their chain, and what they leave out: what they tell is of no registry, or of no request."""


class Lines(logging.Handler):
    """Every line of the app as an event and its fields."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.told: list[tuple[str, dict[str, Any], logging.LogRecord]] = []

    def emit(self, record: logging.LogRecord) -> None:
        event, _, fields = record.getMessage().partition(" ")
        self.told.append((event, json.loads(fields), record))


@contextmanager
def lines() -> Iterator[Lines]:
    handler, before = Lines(), LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(before)


async def isolate(house: House) -> str:
    scenery.put_registry(house.azure, "contoso", ("westeurope",), house.now())
    registry = scenery.registry_id(house.scene.registries_group, "contoso")
    assert await house.settle(registry) == "converged"
    return registry


def seen(story: Callable[[House], Coroutine[Any, Any, Any]], house: type[House] = House) -> tuple[Recorded, Lines]:
    """What is recorded and told of *story*."""
    recorded = Recorded()

    async def played() -> None:
        async with house() as lived:
            await story(lived)

    async def heard() -> None:
        with listening(recorded.telemetry, HOST):
            await played()

    with lines() as told:
        run_virtual(heard())
    return recorded, told


@pytest.fixture(scope="module")
def isolation() -> tuple[Recorded, Lines]:
    return seen(isolate)


def test_a_registrys_way_from_its_event_to_converged_is_one_trace(isolation: tuple[Recorded, Lines]) -> None:
    recorded, told = isolation
    passes = recorded.named("pass")
    last = passes[-1]
    assert last.attributes is not None
    assert last.attributes["isolation.outcome"] == "converged"
    mine = [span for span in recorded.spans if trace_id(span) == trace_id(last)]
    (request,) = [span for span in mine if span.name == "request"]

    assert len([span for span in mine if span.name == "pass"]) >= 3
    assert all(span.parent and span.parent.span_id == span_id(request) for span in mine if span.name == "pass")
    assert {"observe", "plan", "guard", "apply", "record"} <= {span.name for span in mine}
    assert {trace_id(span) for span in recorded.spans if span.name == "pass"} <= {
        fields["correlation"] for _, fields, _ in told.told if "correlation" in fields
    }


def test_the_requests_of_a_pass_are_spans_below_its_stages(isolation: tuple[Recorded, Lines]) -> None:
    recorded, _ = isolation
    below = {span_id(span): span for span in recorded.spans}

    def parents(span: ReadableSpan) -> list[str]:
        up = below.get(span.parent.span_id) if span.parent else None
        return [up.name, *parents(up)] if up else []

    requests = [span for span in recorded.spans if span.name.startswith(("GET ", "PUT ", "PATCH "))]
    ways = Counter(tuple(parents(span)) for span in requests)

    assert ways[("observe", "pass", "request")] > 5
    assert ways[("apply", "pass", "request")] >= 9
    assert all(way[-2:] == ("pass", "request") for way in ways if way)


def test_spans_are_linked_to_the_invocations_of_the_host(isolation: tuple[Recorded, Lines]) -> None:
    recorded, _ = isolation

    for span in (*recorded.named("pass"), *recorded.named("request")):
        assert [f"{link.context.trace_id:032x}" for link in span.links] == [HOST[3:35]]


def test_no_span_and_no_number_holds_a_token_a_query_or_a_name_that_makes_a_series(
    isolation: tuple[Recorded, Lines],
) -> None:
    recorded, _ = isolation
    text = "".join(span.to_json() for span in recorded.spans)
    allowed = {metric.name: set(metric.attributes) for metric in METRICS}

    assert not re.search(r"api-version|\?|Bearer|eyJ|sig=|AccountKey|https?://", text)
    for name, series in recorded.metrics().items():
        for key in series:
            assert {attribute for attribute, _ in key} == allowed[name], name
            assert all(re.fullmatch(r"[A-Za-z][\w.-]{0,40}|[2-5]xx", value) for _, value in key), key
    assert "contoso" not in str(recorded.metrics())


def test_the_numbers_are_those_of_the_lines(isolation: tuple[Recorded, Lines]) -> None:
    recorded, told = isolation
    numbers = recorded.metrics()
    events = Counter(event for event, _, _ in told.told)

    assert sum(numbers["isolation.passes"].values()) == events["pass"]
    assert sum(numbers["isolation.requests"].values()) == events["request"]
    assert sum(numbers["isolation.changes"].values()) == events["change"] > 10
    assert sum(numbers["isolation.events"].values()) == events["receive"] + events["ignore"] + events["reject"]
    assert numbers["isolation.time_to_isolated"] == {(("reason", "event"),): 1}
    assert numbers["isolation.changes"][(("change", "close-public-access"), ("result", "started"))] >= 1
    writes = {key: count for key, count in numbers["isolation.arm.requests"].items() if ("verb", "PUT") in key}
    assert sum(writes.values()) >= 9
    assert {dict(key)["status"] for key in writes} == {"2xx"}


async def _stormy(house: House) -> None:
    """Throttling, an unreadable message, a person's question, an hour of events, and a sweep."""
    assert isinstance(house, SweptHouse)
    busy = {"Retry-After": "17"}
    house.azure.faults.add(
        Fault(
            kind=FaultKind.RESPOND, path="Microsoft.Network", status=429, code="TooManyRequests", headers=busy, times=3
        )
    )
    await house.worker.work(b"nonsense")
    registry = await isolate(house)
    await house.ask(registry)
    await house.live(house.after(timedelta(hours=1)))
    await house.sweep()


def test_every_line_names_its_chain_or_is_listed(isolation: tuple[Recorded, Lines]) -> None:
    _, storm = seen(_stormy, SweptHouse)
    told = [*isolation[1].told, *storm.told]

    expected = {"request", "receive", "pass", "change", "ignore", "reject", "notify", "sweep-begin", "sweep-done"}
    assert expected <= {event for event, _, _ in told}
    for event, fields, record in told:
        missing = {name for name in CHAIN if not fields.get(name)}
        assert missing <= WITHOUT.get(event, set()) | _left_out(event, fields), (event, fields)
        for name in CHAIN & fields.keys():
            if name in vars(record):
                assert vars(record)[name] is not None


def _left_out(event: str, fields: dict[str, Any]) -> set[str]:
    """
    What a line may leave out for what it tells.

    The house asks without a door, as a person's request arrives below the HTTP door; and an event for whose pass another
    request has asked already belongs to no request.
    """
    if event == "receive" and fields.get("planned"):
        return {"correlation", "generation"}
    return {"door"} if event == "request" and fields.get("reason") == RequestReason.HTTP.value else set()


def test_the_history_shows_the_correlation_id_that_the_lines_bear() -> None:
    shown: dict[str, Any] = {}

    async def story(house: House) -> None:
        registry = await isolate(house)
        shown["history"] = await house.told(registry)

    _, told = seen(story)
    in_lines = {fields["correlation"] for event, fields, _ in told.told if event in {"pass", "change", "request"}}
    entries = [entry for entry in shown["history"] if entry.kind in {"request", "change", "outcome"}]

    assert len(entries) > 10
    assert all(entry.correlation in in_lines for entry in entries)
