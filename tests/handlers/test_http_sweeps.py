"""Sweeps over HTTP: begun, looked at, listed."""

import pytest

from local.memory_sweeps import MemorySweepQueue, MemorySweeps
from tests.core.worlds import a_policy
from tests.handlers.http_rig import Door


@pytest.fixture
def door() -> Door:
    found = Door(a_policy(), sweeps=MemorySweeps())
    vars(found.app)["sweep_queue"] = MemorySweepQueue(found.queue)
    return found


async def test_a_sweep_is_begun_and_says_where_its_progress_is(door: Door) -> None:
    told = await door.post("/api/sweeps")

    assert told.status == 202
    assert (told.body["state"], told.body["reason"], told.body["steps"]) == ("running", "http", 0)
    assert told.body["caller"].startswith("key:")
    assert told.headers["Location"] == f"/api/sweeps/{told.body['id']}"
    assert (await door.get(told.headers["Location"])).body == told.body


async def test_one_sweep_runs_at_a_time_and_whoever_asks_gets_it(door: Door) -> None:
    told = [(await door.post("/api/sweeps", {})).body["id"] for _ in range(3)]

    assert len(set(told)) == 1
    assert [each["id"] for each in (await door.get("/api/sweeps")).body["sweeps"]] == told[:1]


@pytest.mark.parametrize(
    ("sweep", "status", "error"),
    [
        ("20260105T000000Z-00000000", 404, "UnknownSweep"),
        ("none", 404, "UnknownSweep"),
        ("a'b", 400, "MalformedRequest"),
        ("..", 400, "MalformedRequest"),
    ],
)
async def test_a_sweep_that_never_was_is_not_found(door: Door, sweep: str, status: int, error: str) -> None:
    told = await door.get(f"/api/sweeps/{sweep}")

    assert (told.status, told.body["error"]) == (status, error)


async def test_sweeps_are_listed_page_by_page(door: Door) -> None:
    assert (await door.get("/api/sweeps?limit=1")).body == {"sweeps": [], "after": ""}
    assert (await door.get("/api/sweeps?after=x")).body["error"] == "MalformedCursor"
