"""
Words that whoever may create a resource can choose, through every page and every report: they stay words.

From outside: rows are as a pass leaves them, answers are as a browser, a spreadsheet and a scanner's reader take them.
"""

import csv
import io
import json
import re
import unicodedata
from html.parser import HTMLParser

import pytest

from shared.core.registry import Json
from shared.core.report import BlockedOutcome, Finding, Reason, Report, Severity
from shared.engine.records import HistoryEntry, LedgerRow
from tests.core.worlds import a_policy, registry_id
from tests.engine.desk import a_row
from tests.handlers.dashboard_rig import Browser
from tests.handlers.http_rig import Door
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time
ALPHA = registry_id("alpha")
PAGE = f"/registries/{ALPHA.subscription}/{ALPHA.resource_group}/{ALPHA.name}"
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": "\"' onmouseover='alert(1)' x=\"",
    "end of a style": "</style></title></textarea><svg onload=alert(1)>",
    "formula": "=cmd|' /C calc'!A0",
    "formula after a tab": "\t@SUM(1+1)*cmd",
    "formula behind a semicolon": "one;=cmd|' /C calc'!A0;two",
    "formula behind what is dropped": "\ufeff\x00 =1+1",
    "new line": "one\r\nSet-Cookie: admin=1\r\n\r\n<b>two</b>",
    "null": "one\x00two<i>",
    "direction": "\u202egnp.exe\u2066 two",
    "invisible": "pay\u200bload\u2060 \u00ad\ufefftwo\u061c",
    "separator": "one\u2028two\u2029three",
    "address": "[x](javascript:alert(1)) javascript:alert(1)",
    "template": "{{7*7}} ${7*7} {0} %s",
}
every_word = pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE)


def a_blocked_row(word: str) -> LedgerRow:
    reason = Reason(name="Odd", sentence=f"{word} is in the way", resource=word)
    finding = Finding(code="dns-zone-unexpected", severity=Severity.ERROR, sentence=word, resource=ALPHA)
    report = Report(registry=ALPHA, at=EPOCH, phase="blocked", reasons=(reason,), findings=(finding,))
    outcome = BlockedOutcome(reasons=(reason,))
    return a_row(registry=ALPHA, outcome=outcome, report=report, sequence=1, caller=word, reason=word)


def an_entry(word: str) -> HistoryEntry:
    changed: dict[str, Json] = {"tags": {word: word}}
    return HistoryEntry(
        at=EPOCH, registry=ALPHA, kind="change", subject=word, sentence=word, caller=word, before={}, after=changed
    )


class Markup(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def running(text: str) -> list[object]:
    """Whatever of a page would run, load or send."""
    page = Markup(text)
    bad_tags = {"script", "iframe", "object", "embed", "base"} & set(page.tags)
    handlers = [each for each in page.attributes if each[0].startswith("on")]
    links = [each for each in page.attributes if re.match(r"\s*(javascript|data|vbscript):", each[1], re.IGNORECASE)]
    return [*bad_tags, *handlers, *links]


def unseen(text: str) -> list[str]:
    """Whatever of a page a reader would not see, or would see in another order."""
    return [sign for sign in text if unicodedata.category(sign) in {"Cf", "Cc", "Zl", "Zp"} and sign not in "\r\n\t"]


async def a_visitor(word: str) -> Browser:
    browser = Browser(a_policy())
    await browser.sign_in()
    await browser.ledger.write(a_blocked_row(word), None)
    await browser.ledger.append([an_entry(word)])
    return browser


async def a_door(word: str) -> Door:
    door = Door(a_policy())
    await door.ledger.write(a_blocked_row(word), None)
    await door.ledger.append([an_entry(word)])
    return door


@every_word
async def test_no_page_runs_a_word(word: str) -> None:
    told, plain = await a_visitor(word), await a_visitor("plain")

    for path in ("", PAGE, f"{PAGE}/act/pause"):
        page = await told.get(path)

        assert page.status == 200
        assert running(page.text) == []
        assert Markup(page.text).tags == Markup((await plain.get(path)).text).tags
        assert not any("\r" in value or "\n" in value for value in page.headers.values())


@every_word
async def test_no_page_and_no_report_page_turns_or_hides_a_word(word: str) -> None:
    visitor, door = await a_visitor(word), await a_door(word)

    for path in ("", PAGE, f"{PAGE}/act/pause"):
        assert unseen((await visitor.get(path)).text) == []
    assert unseen((await door.get("/api/report?format=html")).body) == []


@every_word
async def test_no_report_page_runs_a_word_and_every_other_form_gives_it_back(word: str) -> None:
    door = await a_door(word)

    page = await door.get("/api/report?format=html")
    table = await door.get("/api/report?format=csv")
    sarif = await door.get("/api/report?format=sarif")

    assert running(page.body) == []
    cells = [
        cell for line in csv.DictReader(io.StringIO(table.body, newline=""), strict=True) for cell in line.values()
    ]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))] == []
    assert any(word.replace("'", "") in cell.replace("'", "") for cell in cells)
    log = json.loads(sarif.body) if isinstance(sarif.body, str) else sarif.body
    assert log["runs"][0]["results"]
    for told in (page, table, sarif):
        assert not any("\r" in value or "\n" in value for value in told.headers.values())


@every_word
async def test_an_answer_in_json_gives_a_word_back_and_nothing_else(word: str) -> None:
    door = await a_door(word)

    report = await door.get(f"/api{PAGE}")
    history = await door.get(f"/api{PAGE}/history")

    assert any(word in str(found["sentence"]) for found in report.body["findings"])
    assert history.body["entries"][0]["caller"] == word
    assert not any(unicodedata.category(sign) == "Cc" for told in (report, history) for sign in str(told.headers))
