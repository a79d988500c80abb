"""Reading over HTTP: lists, reports, histories; and asking for a remediation, undo, pause, resume."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.arm import ResourceId
from shared.core.registry import Json
from shared.core.report import BlockedOutcome, Converged, Outcome, Reason, Report, Waiting
from shared.core.requests import WorkMessage
from shared.engine.records import HistoryEntry
from tests.core.worlds import a_policy, registry_id
from tests.engine.desk import a_row
from tests.handlers.http_rig import Door, path_to
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time

ALPHA, BETA = registry_id("alpha"), registry_id("beta")
FOREIGN = ResourceId.parse(ALPHA.text.replace(ALPHA.subscription, "99999999-9999-4999-8999-999999999999"))
REASON = Reason(name="NoNetwork", sentence="No network serves it.", resource=ALPHA.text)


@pytest.fixture
def door() -> Door:
    return Door(a_policy())


async def known(door: Door, registry: ResourceId = ALPHA, outcome: Outcome | None = None, **members: object) -> None:
    """Let the ledger know *registry*."""
    outcome = outcome or Converged()
    report = Report(registry=registry, at=EPOCH, phase=outcome.kind, reasons=getattr(outcome, "reasons", ()))
    row = a_row(registry=registry, outcome=outcome, report=report, sequence=1)
    await door.ledger.write(replace(row, **members), None)  # type: ignore[arg-type]  # members of the row by name


async def messages(door: Door) -> list[WorkMessage]:
    return [WorkMessage.decode(delivery.text) for delivery in await door.queue.receive(most=32)]


# --- lists ------------------------------------------------------------------------------------------------------------


async def test_registries_are_listed_page_by_page_with_a_link_to_each(door: Door) -> None:
    for name in ("alpha", "beta", "gamma"):
        await known(door, registry_id(name))

    first = await door.get("/api/registries?limit=2")
    second = await door.get(f"/api/registries?limit=2&after={first.body['after']}")

    shown = [*first.body["registries"], *second.body["registries"]]
    assert [len(first.body["registries"]), len(second.body["registries"])] == [2, 1]
    assert {each["name"] for each in shown} == {"alpha", "beta", "gamma"}
    assert second.body["after"] == ""
    for each in shown:
        assert (await door.get(each["links"]["self"]["href"])).body["id"] == each["id"]


async def test_a_list_can_be_of_one_phase(door: Door) -> None:
    await known(door, ALPHA)
    await known(door, BETA, BlockedOutcome(reasons=(REASON,)))

    told = await door.get("/api/registries?phase=blocked")

    assert [(each["name"], each["sentence"]) for each in told.body["registries"]] == [("beta", REASON.sentence)]


async def test_a_list_leaves_out_what_the_policy_no_longer_looks_after(door: Door) -> None:
    await known(door, ALPHA)
    await known(door, FOREIGN)

    assert [each["id"] for each in (await door.get("/api/registries")).body["registries"]] == [ALPHA.text]


async def test_a_cursor_of_somebody_elses_is_refused(door: Door) -> None:
    told = await door.get("/api/registries?after=../secret")

    assert (told.status, told.body["error"], told.body["fate"]) == (400, "MalformedCursor", "permanent")


# --- the report -------------------------------------------------------------------------------------------------------


async def test_a_report_says_what_is_waited_for_and_when_the_next_look_is(door: Door) -> None:
    until = EPOCH + timedelta(minutes=1)
    await known(door, ALPHA, Waiting(until=until, reasons=(REASON,)), caller="key:1a2b3c4d", reason="http")

    told = await door.get(path_to(ALPHA))

    assert told.status == 200
    assert (told.body["phase"], told.body["answered"]) == ("waiting", True)
    assert told.body["due"] == until.isoformat().replace("+00:00", "Z")
    assert [reason["name"] for reason in told.body["reasons"]] == ["NoNetwork"]
    assert told.body["asked"]["caller"] == "key:1a2b3c4d"
    assert told.body["links"]["remediate"] == {"href": path_to(ALPHA, "remediate"), "method": "POST"}


async def test_a_report_shows_the_changes_of_this_generation_only(door: Door) -> None:
    await known(door, requested=EPOCH)
    before: dict[str, Json] = {"publicNetworkAccess": "Enabled"}
    for minutes, kind in ((-5, "change"), (1, "change"), (2, "outcome")):
        at = EPOCH + timedelta(minutes=minutes)
        entry = HistoryEntry(at=at, registry=ALPHA, kind=kind, subject=f"{minutes}", sentence="x", before=before)  # type: ignore[arg-type]
        await door.ledger.append([entry])

    told = await door.get(path_to(ALPHA))

    assert [(each["subject"], each["before"]) for each in told.body["done"]] == [("1", before)]


async def test_a_report_that_did_not_change_is_not_sent_again(door: Door) -> None:
    await known(door)
    etag = (await door.get(path_to(ALPHA))).headers["ETag"]

    again = [
        (await door.ask("GET", path_to(ALPHA), headers={"If-None-Match": given})).status
        for given in (etag, f"W/{etag}", f'"other", {etag}', "*", '"other"', "")
    ]

    assert again == [304, 304, 304, 304, 200, 200]


async def test_a_report_that_changed_is_sent_again(door: Door) -> None:
    await known(door)
    etag = (await door.get(path_to(ALPHA))).headers["ETag"]
    await door.post(path_to(ALPHA, "pause"), {"why": "maintenance"})

    told = await door.ask("GET", path_to(ALPHA), headers={"If-None-Match": etag})

    assert told.status == 200
    assert told.body["paused"]["why"] == "maintenance"


async def test_a_registry_that_nobody_knows_is_not_found(door: Door) -> None:
    for path in (path_to(ALPHA), path_to(ALPHA, "history")):
        told = await door.get(path)

        assert (told.status, told.body["error"], told.body["instance"]) == (404, "UnknownRegistry", path)


async def test_the_history_is_told_newest_first_and_page_by_page(door: Door) -> None:
    await known(door)
    for _ in range(3):
        await door.clock.sleep(timedelta(seconds=1))
        await door.post(path_to(ALPHA, "remediate"))

    first = await door.get(path_to(ALPHA, "history") + "?limit=2")
    second = await door.get(path_to(ALPHA, "history") + f"?limit=2&after={first.body['after']}")

    subjects = [entry["subject"] for entry in [*first.body["entries"], *second.body["entries"]]]
    assert subjects == ["generation 4", "generation 3", "generation 2"]
    assert first.body["entries"][0]["caller"].startswith("key:")


# --- acting -----------------------------------------------------------------------------------------------------------


async def test_a_remediation_is_accepted_and_says_where_to_look(door: Door) -> None:
    told = await door.post(path_to(ALPHA, "remediate"))

    assert told.status == 202
    assert (told.headers["Location"], told.headers["Retry-After"]) == (path_to(ALPHA), "5")
    assert [(message.registry, message.generation) for message in await messages(door)] == [(ALPHA, 1)]
    assert (await door.get(told.headers["Location"])).body["phase"] == "requested"


async def test_a_remediation_may_come_with_an_empty_object(door: Door) -> None:
    assert (await door.post(path_to(ALPHA, "remediate"), {})).status == 202


async def test_a_repeated_remediation_costs_one_pass(door: Door) -> None:
    for _ in range(3):
        await door.post(path_to(ALPHA, "remediate"))

    entry = await door.ledger.read(ALPHA)
    assert entry is not None
    assert [message.generation == entry.row.generation for message in await messages(door)] == [False, False, True]


async def test_in_audit_mode_a_remediation_is_refused_because_nothing_would_be_written() -> None:
    door = Door(a_policy(mode="audit"))

    told = await door.post(path_to(ALPHA, "remediate"))

    assert (told.status, told.body["error"], told.body["fate"]) == (409, "AuditMode", "blocked")
    assert await door.ledger.read(ALPHA) is None


async def test_undo_pause_and_resume_are_recorded_with_their_reason(door: Door) -> None:
    await known(door)

    undone = await door.post(path_to(ALPHA, "undo"), {"why": " clients are cut off "})
    paused = (await door.get(path_to(ALPHA))).body["paused"]
    await door.clock.sleep(timedelta(seconds=1))
    resumed = await door.post(path_to(ALPHA, "resume"))

    assert (undone.status, resumed.status) == (202, 202)
    assert paused["why"] == "clients are cut off"
    assert paused["by"].startswith("key:")
    assert (await door.get(path_to(ALPHA))).body["paused"] is None
    entries = (await door.get(path_to(ALPHA, "history"))).body["entries"]
    assert [entry["kind"] for entry in entries] == ["resume", "undo"]


@pytest.mark.parametrize("act", ["undo", "pause", "resume"])
async def test_what_the_app_never_saw_can_be_neither_undone_nor_paused(door: Door, act: str) -> None:
    told = await door.post(path_to(ALPHA, act), None if act == "resume" else {"why": "x"})

    assert (told.status, told.body["error"]) == (404, "UnknownRegistry")


# --- waiting ----------------------------------------------------------------------------------------------------------


async def test_waiting_ends_with_the_report_as_soon_as_the_work_has_ended(door: Door) -> None:
    asked = door.clock.now()

    async def work() -> None:
        await door.clock.sleep(timedelta(seconds=20))
        entry = await door.ledger.read(ALPHA)
        assert entry is not None
        report = Report(registry=ALPHA, at=door.clock.now(), phase="converged")
        await door.ledger.write(replace(entry.row, outcome=Converged(), report=report, sequence=1), entry.etag)

    told, _ = await both(door.post(path_to(ALPHA, "remediate") + "?wait=60"), work())

    assert (told.status, told.body["phase"], told.body["answered"]) == (200, "converged", True)
    assert timedelta(seconds=20) <= door.clock.now() - asked <= timedelta(seconds=26)


async def test_waiting_ends_after_the_clients_limit(door: Door) -> None:
    await known(door)  # converged, but that was the answer to another request

    asked = door.clock.now()

    told = await door.post(path_to(ALPHA, "remediate") + "?wait=7")

    assert told.status == 202
    assert timedelta(seconds=7) <= door.clock.now() - asked < timedelta(seconds=7.1)


async def both[A, B](first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
    async with asyncio.TaskGroup() as group:
        one, two = group.create_task(first), group.create_task(second)
    return one.result(), two.result()
