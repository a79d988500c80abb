"""A sweep is begun again after an error, as the host repeats a timer: whatever took effect, it is one sweep and it runs."""

from typing import Any

import pytest

from local.memory_sweeps import MemorySweeps
from shared.core.errors import Unavailable
from shared.core.sweeps import SweepState
from shared.engine.sweep import UNHEARD
from tests.engine.sweep_desk import HOUR, SweepDesk
from tests.engine.test_sweep_chain import Failing, FailingQueue, FailingSweeps, a_desk, next_message, state_of

pytestmark = pytest.mark.virtual_time


class TornSweeps(FailingSweeps):
    """Beginnings fail, too."""

    async def begin(self, record: Any, after: str) -> Any:
        return await self.failing.call(lambda: MemorySweeps.begin(self, record, after))


async def a_torn_desk(failing: Failing) -> SweepDesk:
    desk = await a_desk()
    desk.install(sweeps=TornSweeps(desk.sweeps, failing), queue=FailingQueue(desk.sweep_queue, failing))
    return desk


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after it took effect"])
@pytest.mark.parametrize("numbers", [(1,), (2,), (1, 2), (2, 3), (2, 3, 4)], ids=str)
async def test_whatever_failed_of_the_beginning_the_next_try_leads_to_one_whole_sweep(
    numbers: tuple[int, ...],
    after: bool,  # noqa: FBT001
) -> None:
    desk = await a_torn_desk(Failing(*numbers, after=after))

    for _ in numbers:
        try:
            begun = await desk.sweeper.begin("timer", "test")
        except Unavailable:
            await desk.rest(2 * UNHEARD)
    begun = await desk.sweeper.begin("timer", "test")
    await desk.trigger.drain()
    await desk.passes()

    ended = await state_of(desk, begun.id)
    assert (ended.state, ended.seen) == (SweepState.DONE, 7)
    assert desk.asked() == {"new-a": 1, "zz-new": 1}
    states = [each.state for each in (await desk.sweeper.list()).sweeps]
    assert states == [SweepState.DONE] + [SweepState.FAILED] * (len(states) - 1)


async def test_a_beginning_whose_answer_was_lost_is_taken_up_as_the_same_sweep() -> None:
    desk = await a_torn_desk(Failing(1, after=True))
    with pytest.raises(Unavailable):
        await desk.sweeper.begin("timer", "test")
    assert len(desk.texts) == 0
    await desk.rest(2 * UNHEARD)

    begun = await desk.sweeper.begin("timer", "test")

    assert [each.id for each in (await desk.sweeper.list()).sweeps] == [begun.id]
    assert (await next_message(desk)).step == begun.step == 1


async def test_asking_at_once_for_a_sweep_that_just_began_sends_nothing_twice() -> None:
    desk = await a_desk()

    for _ in range(5):
        await desk.sweeper.begin("http", "test")

    assert len(desk.texts) == 1


async def test_a_revival_whose_message_could_not_be_sent_is_made_up_for_by_the_next_try() -> None:
    failing = Failing()
    desk = await a_torn_desk(failing)
    begun = await desk.sweeper.begin("timer", "test")
    await desk.sweeper.step(await next_message(desk))
    await next_message(desk)  # lost
    await desk.rest(HOUR)
    failing.numbers = {failing.calls + 2}  # the record is written, the message is not sent
    with pytest.raises(Unavailable):
        await desk.sweeper.begin("timer", "test")
    await desk.rest(2 * UNHEARD)

    again = await desk.sweeper.begin("timer", "test")
    await desk.trigger.drain()

    assert (again.id, again.revived) == (begun.id, 1)
    assert (await state_of(desk, begun.id)).state is SweepState.DONE
