"""A finding leads to what it means: in the app itself, or where the installation publishes the page."""

import json
import re

import azure.functions as func
import pytest

from handlers.dashboard_render import FOLDER
from handlers.http_request import site_of
from local.pages.findings_page import anchor, findings_page, fragment
from shared.core.findings import CATALOGUE
from shared.core.report import Finding, Severity
from tests.core.worlds import a_policy
from tests.handlers.dashboard_rig import Browser
from tests.handlers.http_rig import Door
from tests.handlers.test_dashboard_pages import ALPHA, TAGS, a_known, path_of

pytestmark = pytest.mark.virtual_time

SUBNET = Finding(code="workspace-subnet-differs", severity=Severity.WARNING, sentence="Another subnet.")
PUBLISHED = {"ISOLATION_FINDINGS_PAGE": "https://docs.example/findings/"}


def test_the_page_in_the_app_is_the_one_in_the_documentation() -> None:
    command = "python -m local.pages.findings_page > handlers/web/findings.html"

    assert (FOLDER / "findings.html").read_text(encoding="utf-8") == findings_page(), f"run: {command}"


async def test_every_finding_has_its_place_there_and_whoever_follows_a_link_may_read_it() -> None:
    stranger = await Browser(a_policy()).get("/findings")

    places = {attributes.get("id") for _, attributes in stranger.tags}
    assert stranger.status == 200
    assert {*CATALOGUE, "blocked", "waiting"} <= places
    assert {tag for tag, _ in stranger.tags} <= TAGS | {"article", "em"}
    inner = {attributes["href"] for tag, attributes in stranger.tags if tag == "a"} - {"/api/dashboard", "#main"}
    assert {(href or "").removeprefix("#") for href in inner} <= places


@pytest.mark.parametrize(
    ("environ", "page"), [({}, "/api/dashboard/findings"), (PUBLISHED, "https://docs.example/findings/")]
)
async def test_a_finding_of_a_registry_is_a_link(environ: dict[str, str], page: str) -> None:
    browser = Browser(a_policy(), environ)
    await browser.sign_in()
    await browser.ledger.write(a_known(findings=(SUBNET,)), None)

    for path in (path_of(ALPHA), f"?finding={SUBNET.code}"):
        assert ("a", {"href": f"{page}#{SUBNET.code}"}) in (await browser.get(path)).tags


async def test_a_report_links_to_the_page_of_the_app_that_made_it() -> None:
    door = Door(a_policy())
    await door.ledger.write(a_known(findings=(SUBNET,)), None)
    page = f"https://isolation.example/api/dashboard/findings#{SUBNET.code}"

    told = await door.get("/api/report")
    log = json.loads((await door.get("/api/report?format=sarif")).body)
    html = (await door.get("/api/report?format=html")).body

    assert [found["link"] for one in told.body["registries"] for found in one["findings"]] == [page]
    assert {rule["helpUri"].partition("#")[0] for rule in log["runs"][0]["tool"]["driver"]["rules"]} == {
        page.partition("#")[0]
    }
    assert f'href="{page}"' in html


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://func-x.azurewebsites.net/api/report?format=html", "https://func-x.azurewebsites.net"),
        ("http://127.0.0.1:7071/api/report", "http://127.0.0.1:7071"),
        ("http://[::1]:7071/api/report", "http://[::1]:7071"),
        ('https://a.example"onload=x/api/report', ""),
        ("https://who:secret@a.example/api/report", ""),
        ("javascript://a.example/api/report", ""),
        ("/api/report", ""),
    ],
)
def test_a_link_to_the_app_itself_is_made_of_a_host_and_nothing_else(url: str, site: str) -> None:
    asked = func.HttpRequest(method="GET", url=url, headers={}, params={}, route_params={}, body=b"")

    assert site_of(asked) == site


def test_the_page_holds_no_html_that_its_source_spells_out_and_no_link_that_the_app_does_not_have() -> None:
    page = fragment(
        "# T\n\n## A part, of it\n\n<b onclick=x>b</b> [rules/a.md](rules/a.md), [the b](b.md#x), [c](#c)\n"
    )

    assert re.findall(r"<(\w+)", page) == ["h2", "p", "a"]
    assert 'id="a-part-of-it"' in page
    assert "docs/rules/a.md, the b (docs/b.md#x), <a" in page
    assert anchor("Blocked") == "blocked"


def test_what_the_template_engine_would_read_is_refused() -> None:
    with pytest.raises(ValueError, match="template engine"):
        fragment("Write {{ this }}.\n")
