"""Every line of a sweep bears its id as the correlation id, from its beginning to whatever ends it."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from local.memory_sweeps import MemorySweeps
from shared.core.errors import AccessDenied, Throttled, Unavailable
from shared.core.sweeps import SweepMessage
from shared.engine.sweep import MOST_REVIVALS, MOST_STEPS, SILENT
from shared.engine.sweep_ports import SweepEntry
from tests.engine.sweep_desk import MINUTE, SweepDesk
from tests.engine.test_sweep_chain import Failing, FailingQueue

pytestmark = pytest.mark.virtual_time
SWEEP = "20260105T120000Z-00000001"


class AwaySweeps(MemorySweeps):
    """Does not answer."""

    async def read(self, sweep: str) -> SweepEntry | None:
        raise Unavailable(f"No answer about {sweep}.")


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    told = [message.partition(" ") for message in caplog.messages if message.startswith("sweep-")]
    return [(event, json.loads(fields)) for event, _, fields in told]


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "registry_isolation")


async def test_a_sweep_names_itself_in_every_line(caplog: pytest.LogCaptureFixture) -> None:
    desk = SweepDesk()
    await desk.settled(["a", "b"])

    swept = await desk.sweep()

    told = lines(caplog)
    assert {"sweep-begin", "sweep-step", "sweep-done"} <= {event for event, _ in told}
    assert {fields["correlation"] for _, fields in told} == {swept.id}


async def test_a_sweep_that_is_lost_revived_and_given_up_says_so_under_its_id(caplog: pytest.LogCaptureFixture) -> None:
    desk = SweepDesk()
    begun = await desk.sweeper.begin("timer", "test")
    for _ in range(MOST_REVIVALS + 1):
        await desk.rest(SILENT + MINUTE)
        await desk.sweeper.begin("timer", "test")

    told = [(event, fields) for event, fields in lines(caplog) if fields["sweep"] == begun.id]

    assert [event for event, _ in told] == ["sweep-begin", *["sweep-revived"] * MOST_REVIVALS, "sweep-failed"]
    assert {fields["correlation"] for _, fields in told} == {begun.id}


async def test_a_step_that_is_put_off_says_so_under_its_id(caplog: pytest.LogCaptureFixture) -> None:
    desk = SweepDesk()
    desk.install(sweeps=AwaySweeps())

    await desk.sweeper.work(SweepMessage(sweep=SWEEP, step=1).encode().encode())

    (event, fields) = lines(caplog)[-1]
    assert (event, fields["correlation"], fields["door"]) == ("sweep-put-off", SWEEP, "sweep")


async def test_a_sweep_that_goes_on_blindly_says_that_once_and_one_that_waits_does_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The alert goes by this word: a refusal is told once in a sweep, and many lines may be told of a mere delay."""
    refused, busy = SweepDesk(), SweepDesk()
    refused.inventory.failures = [AccessDenied("Not yours.")] * 100
    busy.inventory.failures = [Throttled("Slow down.", retry_after=5 * MINUTE), *[Unavailable("No answer.")] * 12]

    await refused.sweep()
    await busy.sweep()

    told = [(fields["error"], fields["blind"]) for event, fields in lines(caplog) if event == "sweep-unanswered"]
    assert told[:2] == [("AccessDenied", True), ("Throttled", False)]
    assert set(told[2:]) == {("Unavailable", False)}


async def test_every_way_for_a_sweep_to_fail_is_the_line_that_the_alert_goes_by(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unsent, circling = SweepDesk(), SweepDesk()
    unsent.install(queue=FailingQueue(unsent.sweep_queue, Failing(1)))
    with pytest.raises(Unavailable):
        await unsent.sweeper.begin("http", "test")
    begun = await circling.sweeper.begin("timer", "test")
    entry = await circling.sweeps.read(begun.id)
    assert entry is not None
    await circling.sweeps.write(replace(entry.record, step=MOST_STEPS + 1), entry.etag)
    await circling.sweeper.work(SweepMessage(sweep=begun.id, step=MOST_STEPS + 1).encode().encode())

    first, second = [fields for event, fields in lines(caplog) if event == "sweep-failed"]
    assert "could not be asked for" in first["sentence"]
    assert f"no end within {MOST_STEPS} steps" in second["sentence"]
    assert second["correlation"] == begun.id
