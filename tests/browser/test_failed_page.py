"""The page of what failed, with something on it, in a real browser: no host is needed to make registries fail."""

import re
from typing import Literal

import pytest

from handlers.dashboard_identity import Right, Visitor
from handlers.dashboard_render import file, render
from shared.engine.poison_list import PoisonEntry
from tests.browser.chromium import browsing, overflow, violations
from tests.core.worlds import registry_id
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.slow

PERSON = Visitor(caller="somebody@contoso.example", session="x", rights=frozenset(Right))
ENTRIES = tuple(
    PoisonEntry(
        registry=registry_id(name) if name else None,
        at=EPOCH,
        sentence="Work on it failed five times in a row.",
        error="AVeryLongNameOfAnErrorThatNobodyExpected",
        fate="bug",
        attempts=5,
        message='{"subject": "' + "x" * 300 + '"}',
    )
    for name in ("alpha", "beta", "")
)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_it_can_be_read_by_everybody_and_fits(width: int, scheme: Literal["light", "dark"]) -> None:
    html = render("failed.html.j2", visitor=PERSON, now=EPOCH, entries=ENTRIES, after="rows:x", older=True, done=True)
    style = f"<style>{file('style.css').decode()}</style>"

    with browsing() as browser:
        page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
        page.set_content(re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: style, html))
        for summary in page.locator("summary").all():
            summary.click()

        assert page.get_by_role("link", name="Try again… alpha").count() == 1
        assert violations(page) == []
        assert overflow(page) <= 0
