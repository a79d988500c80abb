"""
The dashboard in a real browser, over the real host, Azurite and a simulated Azure.

Somebody opens a door that nobody tells the app about; a person sees it, has the plan done, and the picture changes.
"""

import asyncio
import json
import re
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from local.arm_user import ArmUser
from local.landing_zone import lay_out
from local.stage import Stage
from local.stage_scene import API_VERSIONS, LOCATION, registry_body
from shared.core.arm import ResourceId
from tests.browser.chromium import browsing, find, overflow, violations, watched
from tests.local.playing import until

pytestmark = pytest.mark.slow

SCALE = 0.02
NAME = "contoso-models"
DASHBOARD = "/api/dashboard"
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A registry that the app is isolating; events are on."""
    find()
    with Stage(tmp_path_factory.mktemp("browser") / "stage", scale=SCALE) as made:
        made.start_clouds()
        made.start_host()
        aside(prepare(made))
        yield made


@pytest.fixture(scope="module")
def browser(stage: Stage) -> Iterator[Browser]:
    with browsing() as made:
        yield made


def aside[Found](work: Coroutine[Any, Any, Found]) -> Found:
    """Run *work* in a thread: the browser's driver keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def prepare(stage: Stage) -> None:
    async with ArmUser(stage.azure, scale=SCALE) as user:
        await lay_out(user, stage)
        await user.put(stage.azure.scene.registry(NAME), registry_body((LOCATION,)), API_VERSIONS["registries"])


async def open_a_door_unseen(stage: Stage) -> str:
    """Somebody opens the container registry while no event tells; gives its name."""
    scene = stage.azure.scene
    async with ArmUser(stage.azure, scale=SCALE) as user:
        await user.delete(scene.event_subscription, API_VERSIONS["event-grid"])
        registry = await user.get(scene.registry(NAME), API_VERSIONS["registries"])
        assert registry is not None
        details = registry["properties"]["regionDetails"][0]["acrDetails"][0]["systemCreatedAcrAccount"]
        acr = str(details["armResourceId"]["resourceId"])
        body = {"properties": {"publicNetworkAccess": "Enabled"}}
        await user.patch(acr, body, API_VERSIONS["container-registries"])
        return ResourceId.parse(acr).name


def last_look(stage: Stage) -> str:
    """When the registry was last found converged; "" while it is not."""
    address = f"{stage.host.url}/api/registries"
    request = Request(address, headers={"x-functions-key": stage.host.key})  # noqa: S310 -- our host
    with urlopen(request, timeout=90) as answer:  # noqa: S310 -- our host
        (found,) = json.loads(answer.read())["registries"]
    return str(found["at"]) if found["phase"] == "converged" else ""


def signed_in(page: Page, stage: Stage) -> None:
    page.goto(stage.host.url + DASHBOARD)
    page.get_by_label("Function key").fill(stage.host.key)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def isolated(page: Page) -> bool:
    page.reload()
    return page.locator(".head > .phase", has_text="Isolated").count() == 1


def test_a_drift_is_seen_repaired_by_a_click_and_gone_from_the_picture(stage: Stage, browser: Browser) -> None:
    problems: list[str] = []
    page = watched(browser.new_context(viewport={"width": 1280, "height": 900}), problems)
    page.goto(stage.host.url + DASHBOARD)
    assert violations(page) == []
    signed_in(page, stage)
    assert stage.host.key not in page.url

    until(lambda: page.reload() and page.get_by_role("link", name=NAME).count())
    assert violations(page) == []
    page.get_by_role("link", name=NAME).click()
    until(lambda: isolated(page))
    closed = last_look(stage)
    until(
        lambda: last_look(stage) not in {"", closed}
    )  # the second look after the closing would repair the drift unasked
    until(lambda: isolated(page))
    expect(page.locator("svg.picture")).to_have_count(1)
    expect(page.locator("path.gate.open")).to_have_count(0)
    page.get_by_text("The same as a table").click()
    for summary in page.get_by_text("Before and after").all():
        summary.click()
    assert violations(page) == []

    acr = aside(open_a_door_unseen(stage))
    page.get_by_role("link", name="Look now and plan").click()
    expect(page.locator("path.gate.open")).to_have_count(1)
    expect(page.get_by_text(f"disable public network access of acr {acr}").first).to_be_visible()
    expect(page.locator("del", has_text="Enabled")).to_have_count(1)
    expect(page.locator("ins", has_text="Disabled")).to_have_count(1)
    assert violations(page) == []

    page.get_by_role("link", name="Remediate…").click()
    expect(page.get_by_role("heading", name="Carry out this plan?")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Yes, carry it out").click()
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("The plan was approved")

    def repaired() -> bool:
        return isolated(page) and page.locator("dd", has_text=re.compile(", repaired ")).count() == 1

    until(repaired)
    expect(page.locator("path.gate.open")).to_have_count(0)
    expect(page.get_by_text(re.compile(r"asked by .*key:[0-9a-f]{8}")).first).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    until(lambda: page.reload() and page.locator("dd", has_text=f"{NAME},").count())
    assert problems == []


def test_a_session_is_a_cookie_that_no_script_reads(stage: Stage, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(stage.host.url + DASHBOARD)
    page.get_by_label("Function key").fill("a wrong key")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("The app does not know that key.")
    signed_in(page, stage)

    (cookie,) = context.cookies()

    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_it_works_on_a_phone_in_the_dark_with_a_keyboard_and_without_scripts(stage: Stage, browser: Browser) -> None:
    asked = Request(  # noqa: S310 -- the test's own host
        f"{stage.host.url}{DASHBOARD}-code?rights=read", method="POST", headers={"x-functions-key": stage.host.key}
    )
    with urlopen(asked) as answer:  # noqa: S310
        code = json.load(answer)["code"]
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(stage.host.url + DASHBOARD)
    page.get_by_label("Code").fill(code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.get_by_label("Search").fill("contoso")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=NAME).last.click()
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    assert page.get_by_role("link", name="Pause…").count() == 0

    dark = browser.new_context(viewport=PHONE, color_scheme="dark", storage_state=context.storage_state()).new_page()
    overview = stage.host.url + DASHBOARD
    for address in (page.url, overview, f"{overview}/failed", f"{overview}/findings#environment-builds"):
        dark.goto(address)
        assert violations(dark) == []
        assert overflow(dark) <= 0
