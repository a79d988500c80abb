"""The button of a plan asks for that plan and for nothing else, as the HTTP API does with a digest."""

import pytest

from tests.engine.desk import ALPHA, Desk
from tests.engine.remediating import previewer_of, remediation_of
from tests.handlers.dashboard_rig import Browser, Seen

pytestmark = pytest.mark.virtual_time
PATH = f"/registries/{ALPHA.subscription}/{ALPHA.resource_group}/{ALPHA.name}/act/remediate"
ELSEWHERE = "f" * 64


async def browser_of(desk: Desk) -> Browser:
    remediation = remediation_of(desk)
    made = Browser(desk.policy, clock=desk.clock, ledger=desk.ledger, queue=desk.queue, remediation=remediation)
    await made.sign_in()
    return made


async def press(browser: Browser, digest: str) -> Seen:
    question = await browser.get(f"{PATH}?digest={digest}")
    return await browser.post(PATH, {"token": question.field("token"), "digest": question.field("digest")})


async def test_the_button_of_a_plan_that_is_not_the_plan_any_more_asks_for_nothing() -> None:
    desk = Desk()
    await desk.ask()
    before = await desk.row()

    told = await press(await browser_of(desk), ELSEWHERE)

    assert (told.status, "Nothing was done" in told.words) == (409, True)
    assert await desk.row() == before
    assert len(desk.queue) == 1


async def test_the_button_of_a_plan_asks_for_a_pass_that_is_held_to_it() -> None:
    desk = Desk()
    asked = await desk.ask()
    digest = (await previewer_of(desk).preview(ALPHA)).digest

    told = await press(await browser_of(desk), digest)

    assert told.status == 303
    row = await desk.row()
    assert row.generation == asked.generation + 1
    assert row.approved is not None
    assert row.approved.digest == digest
