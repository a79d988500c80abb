"""The dashboard is measured over rows as a large tenant has them, by pages that show all of them."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.dashboard import Figures, rows_of, section, visit
from bench.rows import ReferenceFailed, Row, Verdict
from bench.sizes import Board
from shared.cloud.ledger_entities import from_summary_entity, to_row_entity

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def test_most_are_isolated_and_each_line_of_a_list_has_something_to_say() -> None:
    rows = rows_of(1000, "11111111-2222-4333-8444-555555555555", NOW)

    shown = [from_summary_entity(to_row_entity(row)) for row in rows]

    phases = Counter(each.phase for each in shown)
    assert len({each.registry for each in shown}) == 1000
    assert phases["converged"] > 900
    assert min(phases["blocked"], phases["waiting"]) > 5
    assert all(each.findings for each in shown)
    assert all(each.sentence and each.reason for each in shown if each.phase == "blocked")
    assert any(each.drift for each in shown)


FOUND = Figures(first=200.0, counted=1100.0, times=[20.0] * 37 + [400.0] * 3, sent=43_000)


def told(found: Figures) -> dict[str, Row]:
    return {row.measure.strip(): row for row in section(10_000, found).rows}


def test_a_page_in_twenty_that_is_slow_misses_the_budget_although_most_are_fast() -> None:
    rows = told(FOUND)

    assert (rows["median of the page"].ours, rows["median of the page"].verdict) == ("20 ms", Verdict.MET)
    late = rows["95 of 100 pages, while rows are read again"]
    assert (late.ours, late.verdict) == ("400 ms", Verdict.MISSED)
    assert rows["all rows counted after"].ours == "1.1 s"


@pytest.mark.parametrize(("sent", "verdict"), [(200_000, Verdict.MET), (200_001, Verdict.MISSED)])
def test_what_a_page_sends_is_held_against_its_budget(sent: int, verdict: Verdict) -> None:
    assert told(replace(FOUND, sent=sent))["sent, without the style sheet"].verdict is verdict


@asynccontextmanager
async def pages(status: int, *texts: str) -> AsyncIterator[str]:
    """A dashboard that lets everybody in and shows *texts*, one after the other and then the last one."""
    left = list(texts)

    async def sign_in(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"code": "123"})

    async def page(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=left.pop(0) if len(left) > 1 else left[0])

    app = web.Application()
    app.router.add_post("/api/dashboard-code", sign_in)
    app.router.add_post("/api/dashboard/sign-in", sign_in)
    app.router.add_get("/api/dashboard", page)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def test_pages_are_timed_once_they_show_every_registry() -> None:
    async with pages(200, "counting", "12 of 1\u202f234 registries") as url:
        found = await visit(url, "key", Board(registries=1234, looks=0))

    assert len(found.times) == 1
    assert found.first > 0
    assert found.sent == len("12 of 1\u202f234 registries".encode())


async def test_a_dashboard_that_answers_an_error_gives_no_figures() -> None:
    async with pages(503, "later") as url:
        with pytest.raises(ReferenceFailed, match=r"The dashboard answered 503\."):
            await visit(url, "key", Board(registries=1, looks=0))
