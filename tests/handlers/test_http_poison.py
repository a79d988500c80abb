"""What failed, over HTTP: shown with its last error, and tried again."""

from dataclasses import replace

import pytest

from shared.core.arm import ResourceId
from shared.core.report import Converged, Failed, Reason, Report
from shared.core.requests import WorkMessage
from shared.engine.records import HistoryEntry
from tests.core.worlds import a_policy, registry_id
from tests.engine.desk import a_row
from tests.handlers.http_rig import Door
from tests.virtual_time import EPOCH

ALPHA, BETA, GAMMA = registry_id("alpha"), registry_id("beta"), registry_id("gamma")
REASON = Reason(name="Poisoned", sentence="It failed five times in a row.")
FOREIGN = ALPHA.text.replace(ALPHA.subscription, "99999999-9999-4999-8999-999999999999")


@pytest.fixture
async def door() -> Door:
    """Two failed registries, a good one, and an event that nobody could read."""
    found = Door(a_policy())
    for registry in (ALPHA, BETA):
        await fail(found, registry)
    report = Report(registry=GAMMA, at=EPOCH, phase="converged")
    await found.ledger.write(a_row(registry=GAMMA, outcome=Converged(), report=report), None)
    entry = HistoryEntry(at=EPOCH, registry=None, kind="rejected", subject="MalformedEvent", sentence="Not an event.")
    await found.ledger.append([replace(entry, before={"input": "nonsense"})])
    return found


async def fail(door: Door, registry: ResourceId) -> None:
    report = Report(registry=registry, at=EPOCH, phase="failed", reasons=(REASON,))
    await door.ledger.write(a_row(registry=registry, outcome=Failed(reason=REASON), report=report), None)


async def asked(door: Door) -> set[ResourceId]:
    return {WorkMessage.decode(delivery.text).registry for delivery in await door.queue.receive(most=32)}


async def test_what_failed_is_shown_page_by_page_and_unreadable_input_after_it(door: Door) -> None:
    shown, after = [], ""
    while True:
        page = (await door.get(f"/api/poison?limit=1{f'&after={after}' if after else ''}")).body
        shown += page["entries"]
        after = page["after"]
        if not after:
            break

    assert {each["registry"] for each in shown[:2]} == {ALPHA.text, BETA.text}
    assert [(each["registry"], each["error"], each["message"]) for each in shown[2:]] == [
        (None, "MalformedEvent", "nonsense")
    ]
    assert shown[0]["sentence"] == REASON.sentence
    assert (await door.get(shown[0]["links"]["self"]["href"])).body["phase"] == "failed"


async def test_some_are_tried_again_and_those_that_have_not_failed_are_left_alone(door: Door) -> None:
    told = await door.post("/api/poison/replay", {"registries": [ALPHA.text, ALPHA.key, GAMMA.text]})

    assert told.status == 202
    assert [each["id"] for each in told.body["replayed"]] == [ALPHA.text]
    assert (told.body["leftAlone"], told.body["more"]) == ([GAMMA.text], False)
    assert await asked(door) == {ALPHA}


async def test_all_are_tried_again_in_the_name_of_whoever_asked(door: Door) -> None:
    told = await door.post("/api/poison/replay", {"all": True})

    assert {each["id"] for each in told.body["replayed"]} == {ALPHA.text, BETA.text} == {
        registry.text for registry in await asked(door)
    }  # fmt: skip
    entries = (await door.get(told.body["replayed"][0]["links"]["history"]["href"])).body["entries"]
    assert entries[0]["caller"].startswith("key:")


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({}, 422, "MalformedRequest"),
        ({"all": False}, 422, "MalformedRequest"),
        ({"all": True, "registries": [ALPHA.text]}, 422, "MalformedRequest"),
        ({"all": "true"}, 422, "MalformedRequest"),
        ({"registries": ALPHA.text}, 422, "MalformedRequest"),
        ({"registries": [ALPHA.text, "x", ALPHA.group.text]}, 422, "MalformedRequest"),
        ({"registries": [ALPHA.text] * 101}, 422, "MalformedRequest"),
        ({"registries": [ALPHA.text, FOREIGN]}, 403, "OutOfScope"),
    ],
)
async def test_a_replay_that_means_nothing_replays_nothing(
    door: Door, body: dict[str, object], status: int, error: str
) -> None:
    told = await door.post("/api/poison/replay", body)

    assert (told.status, told.body["error"]) == (status, error)
    assert await asked(door) == set()


async def test_every_id_that_is_none_is_named(door: Door) -> None:
    told = await door.post("/api/poison/replay", {"registries": ["x", ALPHA.text, "y"]})

    assert [flaw["pointer"] for flaw in told.body["errors"]] == ["#/registries/0", "#/registries/2"]
