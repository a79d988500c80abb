"""What the pages show, what they never show, and what their buttons do."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.dashboard_registry import members
from handlers.dashboard_serve import HEADERS
from shared.core.arm import ResourceId
from shared.core.drifts import Drift
from shared.core.errors import Unavailable
from shared.core.picture import picture_of
from shared.core.registry import Access, TargetKind
from shared.core.report import BlockedOutcome, Converged, Failed, Finding, Outcome, Reason, Report, Severity
from shared.core.requests import WorkMessage
from shared.engine.ports import LedgerPage
from shared.engine.records import HistoryEntry, LedgerRow
from tests.core.worlds import SUB, a_policy, a_registry, closed, private, registry_id, with_target
from tests.engine.desk import a_row
from tests.handlers.dashboard_rig import Browser
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time
POLICY = a_policy()
ALPHA = registry_id("alpha")
TAGS = frozenset(
    re.findall(
        r"\w+",
        """html head meta title link body a svg symbol circle path rect use header img div span form button main nav ul ol li
        h1 h2 h3 p section dl dt dd label input select option table caption thead tbody tr th td time details summary code
        strong textarea ins del g text desc""",
    )
)
"""Everything that pages are made of."""
HOSTILE = """<script>alert("x")</script><img src=x onerror='alert(1)'>{{ 7 * 7 }}"""


def path_of(registry: ResourceId, *more: str) -> str:
    return "/".join(("", "registries", registry.subscription, registry.resource_group, registry.name, *more))


def a_known(registry: ResourceId = ALPHA, outcome: Outcome | None = None, **members: Any) -> LedgerRow:
    outcome = outcome or Converged()
    findings = members.pop("findings", ())
    reasons = (outcome.reason,) if isinstance(outcome, Failed) else getattr(outcome, "reasons", ())
    report = Report(registry=registry, at=EPOCH, phase=outcome.kind, reasons=reasons, findings=findings)
    return a_row(registry=registry, outcome=outcome, report=report, sequence=1, **members)


@pytest.fixture
async def browser() -> Browser:
    made = Browser(POLICY)
    await made.sign_in()
    return made


async def know(browser: Browser, *rows: LedgerRow) -> None:
    for row in rows:
        await browser.ledger.write(row, None)


# --- overview ---------------------------------------------------------------------------------------------------------


async def test_the_overview_counts_groups_and_tells_what_to_do(browser: Browser) -> None:
    full = BlockedOutcome(reasons=(Reason(name="SubnetUnusable", sentence="Subnet endpoints is full: enlarge it."),))
    lost = Failed(reason=Reason(name="Bug", sentence="It failed five times."))
    await know(
        browser,
        a_known(),
        *(a_known(registry_id(name), full) for name in ("b1", "b2")),
        a_known(registry_id("f"), lost),
    )

    seen = await browser.get()

    assert "4 registries" in seen.words
    assert re.search(r"1 Isolated 0 In progress 2 Blocked 1 Failed", seen.words)
    assert "SubnetUnusable 2 registries" in seen.words
    assert "It failed five times." in seen.words
    assert seen.words.count("Subnet endpoints is full: enlarge it.") == 3  # once for all, and in each line of the list
    assert seen.words.index("b1 rg-ml") < seen.words.index("alpha rg-ml")


async def test_drifts_of_today_are_told_and_those_of_yesterday_are_not(browser: Browser) -> None:
    drift = Drift(found=EPOCH, repaired=EPOCH + timedelta(minutes=1), number=2)
    old = Drift(found=EPOCH - timedelta(days=2), repaired=EPOCH - timedelta(days=1), number=1)
    await know(browser, a_known(drift=drift), a_known(registry_id("beta"), drift=old))

    seen, listed = await browser.get(), await browser.get("?drift=today")

    assert "Drifts repaired 1 registry" in seen.words
    assert "2 times" in seen.words
    assert "1 to 1 of 1" in listed.words


async def test_exemptions_that_end_soon_are_told_with_their_owner() -> None:
    def until(days: int, name: str) -> dict[str, str]:
        day = (EPOCH + timedelta(days=days)).date()
        return {"registry": name, "reason": f"reason {name}", "owner": "ops", "expires": day.isoformat()}

    browser = Browser(a_policy(exemptions=[until(14, "alp*"), until(15, "later"), until(-1, "over")]))
    await browser.sign_in()
    await know(browser, a_known())

    seen = await browser.get()

    assert "14 days left; spares registry, storage, acr of 1 registry; ops: reason alp*" in seen.words
    assert "reason later" not in seen.words
    assert "reason over" not in seen.words


async def test_registries_are_searched_filtered_and_paged(browser: Browser) -> None:
    finding = Finding(code="acr-environments", severity=Severity.INFO, sentence="No builds.")
    await know(browser, *(a_known(registry_id(f"reg-{at:03}")) for at in range(120)), a_known(findings=(finding,)))

    first, third, past = [await browser.get(path) for path in ("", "?page=3", "?page=99")]
    search, found = await browser.get("?q=REG-01"), await browser.get("?finding=acr-environments")

    assert "1 to 50 of 121" in first.words
    assert "101 to 121 of 121" in third.words
    assert past.words == third.words
    assert "1 to 10 of 10" in search.words
    assert "1 to 1 of 1" in found.words
    assert "1 to 50 of 121" in (await browser.get(f"?subscription={SUB.upper()}")).words
    assert "No registry is like that" in (await browser.get("?phase=blocked")).words
    assert "1 to 50 of 121" in (await browser.get("?phase=nonsense&page=x")).words


async def test_registries_out_of_scope_are_not_shown(browser: Browser) -> None:
    foreign = ResourceId.parse(ALPHA.text.replace(SUB, "99999999-9999-4999-8999-999999999999"))
    await know(browser, a_known(foreign))

    assert "0 registries" in (await browser.get()).words
    assert (await browser.get(path_of(foreign))).status == 403


async def test_a_ledger_that_cannot_be_read_is_told_and_what_was_read_stays() -> None:
    browser = Browser(POLICY)
    await browser.sign_in()
    await know(browser, a_known())
    assert "1 registry, as of" in (await browser.get()).words

    async def broken(**_: object) -> LedgerPage:
        raise Unavailable("The storage account does not answer.")

    browser.ledger.list_rows = broken  # type: ignore[method-assign]  # the outage of one call
    await browser.clock.sleep(timedelta(minutes=10))
    seen = await browser.get()

    assert (seen.status, "The storage account does not answer." in seen.words) == (200, True)
    assert "1 registry, as of" in seen.words


# --- a registry -------------------------------------------------------------------------------------------------------


async def test_a_registry_shows_its_network_in_a_picture_and_in_words(browser: Browser) -> None:
    registry = with_target(closed(private(a_registry(POLICY), POLICY)), TargetKind.ACR, access=Access.OPEN)
    await know(browser, a_known(picture=picture_of(registry, EPOCH)))

    seen = await browser.get(path_of(ALPHA))

    assert "2 of 3 public doors are closed; 3 of 3 private endpoints are approved" in seen.words
    assert seen.text.count('class="gate bar"') == 2
    assert seen.text.count('class="gate open"') == 2  # the line and the word
    assert "The same as a table" in seen.words
    assert re.search(r"acralpha acr westeurope open", seen.words)


async def test_a_registry_that_nobody_knows_has_no_page(browser: Browser) -> None:
    assert (await browser.get(path_of(ALPHA))).status == 404


async def test_history_shows_before_and_after_and_goes_on_to_older_pages(browser: Browser) -> None:
    await know(browser, a_known())
    for minute in range(45):
        await browser.ledger.append(
            [
                HistoryEntry(
                    at=EPOCH + timedelta(minutes=minute),
                    registry=ALPHA,
                    kind="change",
                    subject="x",
                    sentence=f"change {minute:02}",
                    before={"publicNetworkAccess": "Enabled", "rules": {"a": 1}},
                    after={"publicNetworkAccess": "Disabled", "rules": {"a": 1}},
                    attempts=3,
                    duration_seconds=61.0,
                )
            ]
        )

    seen = await browser.get(path_of(ALPHA))
    older = await browser.get(re.findall(r'href="([^"]+after=[^"]+)#history"', seen.text)[0].replace("&amp;", "&"))

    assert "change 44" in seen.words
    assert "change 04" not in seen.words
    assert "change 04" in older.words
    assert "<del>Enabled</del>" in seen.text
    assert "<ins>Disabled</ins>" in seen.text
    assert "3 attempts · took 1 min" in seen.words


async def test_the_beginning_of_a_change_is_left_out_beside_its_end(browser: Browser) -> None:
    await know(browser, a_known())
    steps = [("a", "started", 0), ("b", "started", 1), ("a", "succeeded", 2)]
    for subject, result, minute in steps:
        at, sentence = EPOCH + timedelta(minutes=minute), f"{subject} was {result}"
        entry = HistoryEntry(at=at, registry=ALPHA, kind="change", subject=subject, sentence=sentence, result=result)
        await browser.ledger.append([entry])

    words = (await browser.get(path_of(ALPHA))).words

    assert "a was succeeded" in words
    assert "b was started" in words
    assert "a was started" not in words


def test_members_are_told_side_by_side() -> None:
    found = members({"exists": True, "a": {"b": [1, None]}}, {"exists": False, "c": "x" * 400})

    assert [(each["name"], each["before"], each["same"]) for each in found] == [
        ("exists", "yes", False),
        ("a.b", "1, not set", False),
        ("c", None, False),
    ]
    assert len(found[2]["after"]) == 300
    assert [each["done"] for each in members({"a": "x"}, None)] == [False]


# --- acting -----------------------------------------------------------------------------------------------------------


async def test_every_act_asks_first_and_is_recorded_with_who_asked(browser: Browser) -> None:
    await know(browser, a_known(snapshots={"x": {"publicNetworkAccess": "Enabled"}}))

    for act in ("pause", "resume", "undo"):
        question = await browser.get(path_of(ALPHA, "act", act))
        assert len(await _messages(browser)) == 0
        why = {} if act == "resume" else {"why": " maintenance "}
        told = await browser.post(path_of(ALPHA, "act", act), {"token": question.field("token"), **why})
        assert (told.status, told.headers["Location"]) == (303, f"/api/dashboard{path_of(ALPHA)}?done={act}")
        assert len(await _messages(browser)) == 1
        assert (await browser.get(told.headers["Location"])).status == 200

    entries = [entry for entry in await browser.ledger.history(ALPHA) if entry.kind in {"pause", "resume", "undo"}]
    assert {entry.caller for entry in entries} == {"key:5b71a88d"}
    assert "asked to pause: maintenance" in {entry.sentence for entry in entries}


async def test_an_act_that_has_to_be_explained_is_not_done_without_a_word(browser: Browser) -> None:
    await know(browser, a_known())
    token = (await browser.get(path_of(ALPHA, "act", "undo"))).field("token")

    told = await browser.post(path_of(ALPHA, "act", "undo"), {"token": token, "why": "  "})

    assert (told.status, "Say why" in told.words) == (422, True)
    assert len(browser.queue) == 0


async def test_a_remediation_needs_the_digest_that_was_seen(browser: Browser) -> None:
    await know(browser, a_known())

    assert (await browser.get(path_of(ALPHA, "act", "remediate"))).status == 400
    assert (await browser.get(path_of(ALPHA, "act", "remediate") + "?digest=" + "z" * 64)).status == 400
    question = await browser.get(path_of(ALPHA, "act", "remediate") + "?digest=" + "a" * 64)
    changed = {"token": question.field("token"), "digest": "b" * 64}
    assert (await browser.post(path_of(ALPHA, "act", "remediate"), changed)).status == 403


# --- what must not happen ---------------------------------------------------------------------------------------------


async def test_hostile_words_stay_words(browser: Browser) -> None:
    reason = Reason(name=HOSTILE, sentence=HOSTILE, resource=HOSTILE)
    finding = Finding(code="x-y", severity=Severity.ERROR, sentence=HOSTILE)
    row = a_known(outcome=BlockedOutcome(reasons=(reason,)), findings=(finding,), caller=HOSTILE, reason=HOSTILE)
    await know(browser, row)
    entry = HistoryEntry(
        at=EPOCH,
        registry=ALPHA,
        kind="change",
        subject=HOSTILE,
        sentence=HOSTILE,
        caller=HOSTILE,
        before={HOSTILE: HOSTILE},
    )
    await browser.ledger.append([replace(entry, after={HOSTILE: [HOSTILE]})])

    pages = [
        await browser.get(),
        await browser.get(path_of(ALPHA)),
        await browser.get("?q=" + HOSTILE.replace("&", "")),
        await browser.get(f"?reason={HOSTILE}&finding={HOSTILE}"),
        await browser.get(path_of(ALPHA, "act", "pause")),
    ]

    for page in pages:
        assert page.status == 200
        assert {tag for tag, _ in page.tags} <= TAGS
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert HOSTILE in pages[1].words


async def test_every_answer_forbids_what_a_page_does_not_need(browser: Browser) -> None:
    await know(browser, a_known())

    for path in ("", path_of(ALPHA), "/nothing", path_of(ALPHA, "act", "pause"), "/style.css"):
        headers = (await browser.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert HEADERS.keys() <= headers.keys()
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert "unsafe" not in policy


async def test_no_page_has_inline_styles_handlers_or_a_script_but_the_sign_in_page(browser: Browser) -> None:
    await know(browser, a_known(picture=picture_of(private(a_registry(POLICY), POLICY), EPOCH)))

    for path in ("", path_of(ALPHA), path_of(ALPHA, "act", "undo")):
        tags = (await browser.get(path)).tags
        assert not {"script", "style"} & {tag for tag, _ in tags}
        assert not [name for _, attributes in tags for name in attributes if name == "style" or name.startswith("on")]
    browser.cookie = ""
    stranger = await browser.get()
    assert [tag for tag, _ in stranger.tags].count("script") == 1
    assert re.findall(r"script-src 'sha256-[^']+'", stranger.headers["Content-Security-Policy"])
    assert "unsafe" not in stranger.headers["Content-Security-Policy"]


async def test_a_bug_tells_nothing_of_the_inside(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    vars(browser.app)["inquiry"] = None  # nothing that a page could use
    seen = await browser.get(path_of(ALPHA))

    assert seen.status == 500
    assert "NoneType" not in seen.text
    assert "The dashboard failed" in caplog.text


async def _messages(browser: Browser) -> list[WorkMessage]:
    return [WorkMessage.decode(delivery.text) for delivery in await browser.queue.receive(most=32)]
