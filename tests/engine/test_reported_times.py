"""The times in a pass's line are seconds, from the moment that somebody began to wait."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.registry import TargetKind
from shared.core.report import Converged, Waiting
from shared.core.requests import RequestReason
from shared.engine.drift import WINDOW, DriftIntake
from shared.engine.telemetry import listening
from tests.core.worlds import MANAGED, a_policy, a_registry, closed, private
from tests.engine.desk import ALPHA, MINUTE, Desk, a_request
from tests.engine.test_work import a_report
from tests.engine.test_work import passes as its_passes
from tests.recorded import Recorded
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time
POLICY = a_policy()
ISOLATED = closed(private(a_registry(POLICY), POLICY), *TargetKind)
ACCOUNT = MANAGED.resource("Microsoft.Storage/storageAccounts", "stwesteurope0")
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "registry_isolation")


def passes(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("pass ")) for line in caplog.messages if line.startswith("pass ")]


async def end(desk: Desk) -> None:
    """Everything that was started has come to its end."""
    desk.plane.registry = ISOLATED
    await desk.remember(operations=(), pending=())


async def test_the_time_to_isolate_counts_from_the_first_request_however_often_it_is_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()
    await desk.ask()
    await desk.pass_()
    for _ in range(3):
        await desk.clock.sleep(5 * MINUTE)
        await desk.ask()
    await end(desk)

    await desk.trigger().drain()

    (isolated,) = [line for line in passes(caplog) if line["outcome"] == "converged"]
    assert 15 * MINUTE <= timedelta(seconds=isolated["isolated_seconds"]) < 16 * MINUTE


async def test_a_registry_that_was_at_rest_begins_to_wait_with_the_next_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk, recorded = Desk(ISOLATED), Recorded()
    await desk.ask()
    await desk.pass_()
    await desk.clock.sleep(HOUR)
    desk.plane.registry = a_registry(POLICY)
    await desk.ask()
    await desk.pass_()
    await desk.clock.sleep(2 * MINUTE)
    await end(desk)
    with listening(recorded.telemetry):
        await desk.trigger().drain()

    last = passes(caplog)[-1]
    assert last["outcome"] == "converged"
    assert 2 * MINUTE <= timedelta(seconds=last["isolated_seconds"]) < 3 * MINUTE
    assert recorded.metrics()["isolation.time_to_isolated"] == {(("reason", "event"),): 1}


@pytest.mark.parametrize(("asked_after", "begins_to_wait"), [(-MINUTE, 2 * HOUR), (MINUTE, HOUR + MINUTE)])
async def test_a_later_look_that_finds_something_open_does_not_count_the_rest_before_it(
    asked_after: timedelta, begins_to_wait: timedelta
) -> None:
    its = await its_passes(
        outcome=Converged(),
        report=replace(a_report(), at=EPOCH + HOUR),
        waiting_since=EPOCH + HOUR + asked_after,
    )
    await its.clock.sleep(2 * HOUR)
    work = await its.begin()

    await work.finish(Waiting(until=EPOCH + 3 * HOUR, reasons=()), a_report("waiting"))

    assert (await its.row()).waiting_since == EPOCH + begins_to_wait


async def test_a_pass_says_how_late_it_began_and_an_event_that_was_meant_to_wait_is_not_late(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk(ISOLATED)
    await desk.ask()
    await desk.clock.sleep(20 * MINUTE)
    await desk.pass_()
    part = a_request(reason=RequestReason.RELATED)
    await DriftIntake(desk.ledger, desk.queue, desk.clock).accept(part, ACCOUNT)
    await desk.pass_()

    late, meant = passes(caplog)
    assert late["late_seconds"] == (20 * MINUTE).total_seconds()
    assert meant["late_seconds"] < WINDOW.total_seconds() / 2
    assert meant["registry"] == ALPHA.text
