"""What lives in the process is bounded, and what one pass met of Azure's limits is told before anything is read."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.azure_limits import MANAGER_READS, NETWORK_WRITES, bucket
from shared.core.errors import Throttled
from shared.core.requests import WorkMessage
from shared.engine import admission, names_turn, throttle
from shared.engine.names_turn import NamesTurn
from shared.engine.recall import Recall, Recollection
from shared.engine.reconcile import Reconciler
from shared.engine.throttle import LONGEST_WAIT, Throttle
from shared.engine.work import Work
from tests.core.worlds import SUB, registry_id
from tests.engine.desk import ALPHA, MINUTE, SECOND, Desk, a_retrier, a_row, reasons, wait_of
from tests.engine.test_admission import Door, new
from tests.engine.test_throttle import READS, WRITES, Time


def test_a_call_that_must_not_wait_so_long_is_refused_when_only_asked_about() -> None:
    model = Throttle(Time())
    model.refused(WRITES, timedelta(seconds=LONGEST_WAIT + 1))

    with pytest.raises(Throttled) as refusal:
        model.closed([READS, WRITES])

    assert refusal.value.retry_after == timedelta(seconds=LONGEST_WAIT + 1)
    assert model.closed([READS]) == 0.0
    assert model.closed([]) == 0.0


def test_the_limits_of_subscriptions_that_were_not_called_for_long_are_forgotten_first() -> None:
    model = Throttle(Time())
    model.told(READS, 0)
    for number in range(throttle._REMEMBERED):
        model.told(bucket(NETWORK_WRITES, f"sub-{number}"), 100)

    assert not model.pressed(READS)


def test_places_of_registries_that_never_came_back_are_forgotten() -> None:
    door = Door()
    door.press()
    for number in range(admission._REMEMBERED + 500):
        door.wait(new(number))

    assert len(door.admission._places) == admission._REMEMBERED


def test_reads_of_subscriptions_that_nobody_asked_for_long_are_forgotten_and_a_late_pass_gives_nothing_back() -> None:
    door = Door()
    late = new(0)
    assert not door.wait(late)
    for number in range(admission._SUBSCRIPTIONS + 5):
        registry = replace(late.registry, subscription=f"subscription-{number}", text=f"/{number}")
        row = replace(late, registry=registry)
        assert not door.wait(row)
        door.admission.leave(registry)
    assert len(door.admission._reads) == admission._SUBSCRIPTIONS

    door.admission.leave(late.registry)

    assert door.admission._reads[door.reads].set_aside == 0
    assert not door.admission._inside


@pytest.mark.virtual_time
async def test_since_when_a_pass_waits_for_names_is_forgotten_of_registries_that_never_came_back() -> None:
    desk = Desk()
    turn = NamesTurn(desk.plane, Recall(desk.clock), desk.clock)
    now = desk.clock.now()

    def a_work(number: int) -> Work:
        registry = registry_id(f"r{number}")
        work = Work(desk.ledger, None, WorkMessage(registry=registry, generation=1), a_retrier(desk.clock), now)
        work.row = a_row(registry=registry)
        return work

    first = a_work(0)
    turn.since(first, now)
    assert turn.since(first, now + SECOND) == now
    for number in range(names_turn._REMEMBERED):
        turn.since(a_work(number + 1), now)

    assert turn.since(first, now + SECOND) == now + SECOND


@pytest.mark.virtual_time
async def test_where_nobody_asks_for_zones_there_is_nothing_to_read() -> None:
    seen: Recollection = Recall(Desk().clock).begin(ALPHA, 1, names=True)

    assert seen.zones([]) == {}
    assert seen.answers.names_at is None


@pytest.mark.virtual_time
async def test_a_registry_that_has_to_wait_in_line_comes_back_with_the_same_message_and_reads_nothing() -> None:
    desk = Desk()
    model = Throttle(Time())
    model.told(bucket(MANAGER_READS, SUB), 0)
    desk.reconciler = Reconciler(replace(desk._services(desk.ledger, desk.queue, MINUTE), throttle=model))
    message = await desk.ask()
    assert desk.reconciler._admission is not None
    for number in range(100):  # others came first
        desk.reconciler._admission.wait(new(number))

    outcome = await desk.pass_()

    assert reasons(outcome) == ["Throttled"]
    assert timedelta() < wait_of(outcome, desk.clock) < 5 * MINUTE
    assert desk.plane.calls == []
    (delivery,) = await _next(desk)
    assert WorkMessage.decode(delivery) == message


async def _next(desk: Desk) -> tuple[str, ...]:
    due = desk.queue.next_visible
    assert due is not None
    await desk.clock.sleep(due - desk.clock.now())
    return tuple(each.text for each in await desk.queue.receive(most=5))
