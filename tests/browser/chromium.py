"""
A headless Chromium that a test drives, and axe-core's eyes in it.

The machine's own browser is used, none is downloaded. axe-core runs in a world of its own beside the page, so that the page's
Content-Security-Policy stays what it is.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from local.azurite import REPOSITORY

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MILLISECONDS = 45_000
"""Generous: a busy machine must not look like a defect."""
_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
    " --disable-sync --disable-dev-shm-usage"
)
_AXE = "axe.run().then(found => JSON.stringify(found.violations.map(each => [each.id, each.nodes.map(node => node.html)])))"


def find() -> str:
    """The browser's path; without one the test is skipped, or fails where CI promises that there is one."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path:
        return path
    why = "No Chromium is installed; `make browser` installs one."
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(why)
    pytest.skip(why)


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser, closed at the end."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=_FLAGS.split())
        yield browser
        browser.close()


def watched(context: BrowserContext, problems: list[str]) -> Page:
    """A new page; what its console calls an error ends in *problems*, except the 401 of the sign-in page."""
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))

    def note(message: Any) -> None:
        if message.type in {"error", "warning"} and "401 (Unauthorized)" not in message.text:
            problems.append(message.text)

    page.on("console", note)
    return page


def violations(page: Page) -> list[Any]:
    """What axe-core finds wrong with *page* as it stands."""
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
    axe = (REPOSITORY / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    session.send("Runtime.evaluate", {"expression": axe, "contextId": world})
    told = session.send(
        "Runtime.evaluate",
        {"expression": _AXE, "contextId": world, "awaitPromise": True, "returnByValue": True},
    )
    session.detach()
    found: list[Any] = json.loads(told["result"]["value"])
    return found


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
