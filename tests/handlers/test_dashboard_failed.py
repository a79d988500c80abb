"""What failed for good as a page: told with its last error, tried again by those who may act, and only when they mean it."""

from dataclasses import replace

import pytest

from shared.core.mishaps import Mishap, MishapFate
from shared.core.report import Converged, Failed, Reason, Report
from shared.core.requests import WorkMessage
from shared.engine.records import HistoryEntry
from tests.core.worlds import a_policy, registry_id
from tests.engine.desk import a_row
from tests.handlers.dashboard_rig import Browser
from tests.handlers.test_dashboard_pages import HOSTILE, TAGS, path_of
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time

ALPHA, BETA, GOOD = registry_id("alpha"), registry_id("beta"), registry_id("gamma")
REASON = Reason(name="Poisoned", sentence="Work on it failed five times in a row.")
MISHAP = Mishap(
    at=EPOCH,
    since=EPOCH,
    name="KeyError",
    sentence="An error that the app does not expect.",
    fate=MishapFate.BUG,
    generation=3,
    attempt=2,
    deliveries=5,
)


async def a_browser(rights: str = "") -> Browser:
    """Two registries that failed, a good one, and input that nobody could read."""
    browser = Browser(a_policy())
    await browser.sign_in(rights)
    for registry in (ALPHA, BETA):
        report = Report(registry=registry, at=EPOCH, phase="failed", reasons=(REASON,))
        row = replace(a_row(registry=registry), outcome=Failed(reason=REASON), report=report, last_error=MISHAP)
        await browser.ledger.write(row, None)
    report = Report(registry=GOOD, at=EPOCH, phase="converged")
    await browser.ledger.write(a_row(registry=GOOD, outcome=Converged(), report=report), None)
    entry = HistoryEntry(at=EPOCH, registry=None, kind="rejected", subject="MalformedEvent", sentence="Not an event.")
    await browser.ledger.append([replace(entry, before={"input": HOSTILE})])
    return browser


async def asked(browser: Browser) -> list[str]:
    return sorted(WorkMessage.decode(delivery.text).registry.name for delivery in await browser.queue.receive(most=32))


async def test_what_failed_is_told_with_its_last_error_and_what_came() -> None:
    browser = await a_browser()

    seen = await browser.get("/failed")

    assert seen.words.count("Work on it failed five times in a row.") == 2
    assert "KeyError" in seen.words
    assert "a defect of the app · 5 attempts" in seen.words
    assert "Unreadable input MalformedEvent" in seen.words
    assert HOSTILE in seen.words
    assert {tag for tag, _ in seen.tags} <= TAGS | {"pre"}
    assert GOOD.name not in seen.words


async def test_the_overview_leads_there_and_so_does_the_registry() -> None:
    browser = await a_browser()

    overview, page = await browser.get(), await browser.get(path_of(ALPHA))

    assert ("a", {"href": "/api/dashboard/failed"}) in overview.tags
    assert ("a", {"class": "button", "href": f"/api/dashboard{path_of(ALPHA, 'act', 'replay')}"}) in page.tags


async def test_one_is_tried_again_after_a_question_and_the_history_says_who_asked() -> None:
    browser = await a_browser()
    question = await browser.get(path_of(ALPHA, "act", "replay"))
    assert "Try it again?" in question.words
    assert await asked(browser) == []

    told = await browser.post(path_of(ALPHA, "act", "replay"), {"token": question.field("token")})

    assert (told.status, told.headers["Location"]) == (303, f"/api/dashboard{path_of(ALPHA)}?done=replay")
    assert "It was asked for again" in (await browser.get(told.headers["Location"])).words
    assert await asked(browser) == ["alpha"]
    callers = {entry.caller for entry in await browser.ledger.history(ALPHA) if entry.kind == "request"}
    assert callers == {"key:5b71a88d"}


async def test_all_are_tried_again_and_what_is_good_is_left_alone() -> None:
    browser = await a_browser()
    question = await browser.get("/act/replay")

    told = await browser.post("/act/replay", {"token": question.field("token")})

    assert (told.status, told.headers["Location"]) == (303, "/api/dashboard/failed?done=replay")
    assert "asked for again" in (await browser.get(told.headers["Location"])).words
    assert await asked(browser) == ["alpha", "beta"]


async def test_a_token_for_one_registry_is_none_for_all_of_them() -> None:
    browser = await a_browser()
    token = (await browser.get(path_of(ALPHA, "act", "replay"))).field("token")

    assert (await browser.post("/act/replay", {"token": token})).status == 403
    assert (await browser.post(path_of(BETA, "act", "replay"), {"token": token})).status == 403
    assert await asked(browser) == []


async def test_what_is_not_failed_any_more_is_not_said_to_have_been_asked_for() -> None:
    browser = await a_browser()
    token = (await browser.get(path_of(GOOD, "act", "replay"))).field("token")

    told = await browser.post(path_of(GOOD, "act", "replay"), {"token": token})

    assert (told.status, told.headers["Location"]) == (303, f"/api/dashboard{path_of(GOOD)}")
    assert await asked(browser) == []


async def test_who_may_only_read_sees_the_list_and_no_button() -> None:
    browser = await a_browser("read")

    seen = await browser.get("/failed")

    assert "KeyError" in seen.words
    assert "again…" not in seen.text
    assert (await browser.get("/act/replay")).status == 403
    assert (await browser.post("/act/replay", {"token": "x"})).status == 403


async def test_a_long_list_goes_on_and_a_strange_place_in_it_is_refused() -> None:
    browser = await a_browser()
    for at in range(30):
        report = Report(registry=registry_id(f"r-{at}"), at=EPOCH, phase="failed", reasons=(REASON,))
        await browser.ledger.write(a_row(registry=report.registry, outcome=Failed(reason=REASON), report=report), None)

    first = await browser.get("/failed")
    (rest,) = [attributes["href"] or "" for tag, attributes in first.tags if attributes.get("rel") == "next"]
    second = await browser.get(rest)

    assert "Unreadable input" not in first.words
    assert "Unreadable input" in second.words
    assert first.words.count("failed five times") + second.words.count("failed five times") == 32
    assert (await browser.get("/failed?after=nonsense")).status == 400


async def test_a_stranger_sees_no_failure() -> None:
    browser = await a_browser()
    browser.cookie = ""

    seen = await browser.get("/failed")

    assert seen.status == 401
    assert ALPHA.name not in seen.text
