"""The report over HTTP: every form, filters, the place where it goes on, and answers that need not be sent again."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.arm import ResourceId
from shared.core.picture import picture_of
from shared.core.report import BlockedOutcome, Converged, Gone, Outcome, Reason, Report
from shared.core.report_forms import FORMS
from shared.engine.records import LedgerRow
from tests.core.worlds import a_policy, a_registry, registry_id
from tests.engine.desk import a_row
from tests.handlers.http_rig import Door
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time

ALPHA = registry_id("alpha")
LOCKED = Reason(name="Locked", sentence="A lock is in the way.")
ELSEWHERE = ALPHA.text.replace(ALPHA.subscription, "99999999-9999-4999-8999-999999999999")


@pytest.fixture
def door() -> Door:
    return Door(a_policy(), {"ISOLATION_FINDINGS_PAGE": "https://docs.example/findings/"})


def a_known_row(name: str = "alpha", outcome: Outcome | None = None, *, seen: bool = False) -> LedgerRow:
    """A row as a pass leaves it; *seen* with a picture of everything open."""
    registry, outcome = registry_id(name), outcome or Converged()
    report = Report(registry=registry, at=EPOCH, phase=outcome.kind, reasons=getattr(outcome, "reasons", ()))
    picture = picture_of(a_registry(a_policy(), name=name), EPOCH) if seen else None
    return replace(
        a_row(registry=registry, sequence=1), outcome=outcome, report=report, picture=picture, verified=EPOCH
    )


async def fill(door: Door) -> None:
    """One registry is isolated, one open, one blocked, one gone, one not looked at yet, one none of ours."""
    rows = [
        a_known_row("alpha"),
        a_known_row("open", seen=True),
        a_known_row("stuck", BlockedOutcome(reasons=(LOCKED,))),
        a_known_row("gone", Gone()),
        a_row(registry=registry_id("fresh")),
        replace(a_known_row("alpha"), registry=ResourceId.parse(ELSEWHERE)),
    ]
    for row in rows:
        await door.ledger.write(row, None)


async def names(door: Door, query: str = "") -> set[str]:
    told = await door.get(f"/api/report?{query}")
    return {each["name"] for each in told.body["registries"]}


async def test_the_report_tells_of_every_registry_in_scope(door: Door) -> None:
    await fill(door)

    told = await door.get("/api/report")

    found = {each["name"]: {one["code"] for one in each["findings"]} for each in told.body["registries"]}
    assert found == {
        "alpha": set(),
        "open": {"public-access-open"},
        "stuck": {"isolation-blocked"},
        "fresh": {"posture-unknown"},
    }
    assert told.body["summary"]["phases"] == {"blocked": 1, "converged": 2, "requested": 1}
    assert told.body["after"] == ""


@pytest.mark.parametrize("form", FORMS)
async def test_every_form_has_its_media_type_and_a_name_to_save_it_under(door: Door, form: str) -> None:
    await fill(door)

    told = await door.get(f"/api/report?format={form}")

    assert told.status == 200
    assert told.media == FORMS[form].media
    how = "attachment" if form in {"csv", "sarif"} else "inline"
    name = f"registry-isolation-{EPOCH:%Y-%m-%d}.{FORMS[form].ending}"
    assert told.headers["Content-Disposition"] == f'{how}; filename="{name}"'
    assert told.headers["Last-Modified"] == f"{EPOCH:%a, %d %b %Y %H:%M:%S} GMT"


async def test_the_page_may_neither_load_nor_be_framed(door: Door) -> None:
    policy = (await door.get("/api/report?format=html")).headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_the_other_forms_hold_the_same_findings(door: Door) -> None:
    await fill(door)

    lines = csv.DictReader(io.StringIO((await door.get("/api/report?format=csv")).body, newline=""))
    log = json.loads((await door.get("/api/report?format=sarif")).body)

    codes = sorted(line["code"] for line in lines if line["code"])
    assert codes == ["isolation-blocked", "posture-unknown", *["public-access-open"] * 3]
    assert sorted(result["ruleId"] for result in log["runs"][0]["results"]) == codes
    assert log["runs"][0]["tool"]["driver"]["rules"][0]["helpUri"].startswith("https://docs.example/findings/#")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("phase=blocked", {"stuck"}),
        ("phase=gone", {"gone"}),
        ("severity=error", {"open", "stuck"}),
        ("severity=warning", {"open", "stuck", "fresh"}),
        (f"subscription={ALPHA.subscription.upper()}", {"alpha", "open", "stuck", "fresh"}),
        ("subscription=99999999-9999-4999-8999-999999999999", set()),
        ("phase=converged&severity=error", {"open"}),
    ],
)
async def test_a_report_can_be_of_some_registries(door: Door, query: str, wanted: set[str]) -> None:
    await fill(door)

    assert await names(door, query) == wanted


@pytest.mark.parametrize(
    "query", ["format=pdf", "severity=high", "subscription=mine", "phase=odd", "limit=1", "after="]
)
async def test_what_cannot_be_asked_for_is_refused(door: Door, query: str) -> None:
    told = await door.get(f"/api/report?{query}")

    assert (told.status, told.body["error"]) == (400, "MalformedRequest")


async def test_a_place_of_somebody_elses_is_refused(door: Door) -> None:
    assert (await door.get("/api/report?after=../secret")).body["error"] == "MalformedCursor"


@pytest.mark.parametrize("form", FORMS)
async def test_a_report_that_did_not_change_is_not_sent_again(door: Door, form: str) -> None:
    await fill(door)
    path = f"/api/report?format={form}"
    etag = (await door.get(path)).headers["ETag"]
    await door.clock.sleep(timedelta(hours=1))

    again = await door.ask("GET", path, headers={"If-None-Match": etag})
    await door.ledger.write(a_known_row("another"), None)
    changed = await door.ask("GET", path, headers={"If-None-Match": etag})

    assert (again.status, changed.status) == (304, 200)


async def test_a_row_that_cannot_be_read_does_not_hide_the_others(door: Door) -> None:
    await fill(door)
    for entity, _ in door.ledger._rows.values():
        if str(entity["registry"]).endswith("/open"):
            entity["json00"] = "{"

    told = await door.get("/api/report?severity=warning")

    (torn,) = [each for each in told.body["registries"] if each["name"] == "open"]
    assert [found["code"] for found in torn["findings"]] == ["posture-unknown"]
    assert "cannot be read by this version" in torn["findings"][0]["sentence"]
    assert len(told.body["registries"]) == 3
