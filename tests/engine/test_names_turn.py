"""A pass whose zones cannot be read now comes back before it reads anything else."""

from datetime import timedelta

import pytest

from shared.core.report import Converged
from shared.engine.names_turn import SENTENCE
from tests.core.worlds import a_policy, a_registry, closed, private
from tests.engine.desk import Desk, wait_of

pytestmark = pytest.mark.virtual_time
ISOLATED = closed(private(a_registry(a_policy()), a_policy()))
LATER = timedelta(seconds=45)


async def test_a_pass_that_knows_its_zones_waits_for_their_turn_and_reads_nothing() -> None:
    desk = Desk(ISOLATED)
    await desk.ask()
    assert isinstance(await desk.pass_(), Converged)
    await desk.ask()
    desk.plane.calls.clear()
    desk.plane.zones_turn = desk.clock.now() + LATER

    outcome = await desk.pass_()

    assert outcome.kind == "waiting"
    assert [(reason.name, reason.sentence) for reason in outcome.reasons] == [("Throttled", SENTENCE)]
    assert wait_of(outcome, desk.clock) == LATER
    assert desk.plane.calls == []


async def test_a_turn_that_has_come_holds_nobody_up() -> None:
    desk = Desk(ISOLATED)
    await desk.ask()
    await desk.pass_()
    await desk.ask()
    desk.plane.zones_turn = desk.clock.now()

    assert isinstance(await desk.pass_(), Converged)
