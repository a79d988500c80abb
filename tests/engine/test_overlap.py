"""Requests that arrive in the middle of a pass are worked off, whoever wins the claim."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from local.virtual_time import run_virtual
from shared.core.report import Converged, Waiting
from tests.core.worlds import a_policy, a_registry
from tests.engine.desk import Desk
from tests.engine.plane import ObedientPlane
from tests.virtual_time import LoopClock

POLICY = a_policy(lockdown={"propagation_minutes": 1})


def test_requests_at_any_moment_of_a_pass_end_isolated() -> None:
    for tenths in range(0, 80, 8):
        assert run_virtual(_life(timedelta(seconds=tenths / 10), requests=2)), tenths


async def _life(pause: timedelta, requests: int) -> bool:
    """Every read takes a while, so that passes overlap with those of newer generations."""
    plane = ObedientPlane(a_registry(POLICY), POLICY, LoopClock())
    for call, seconds in {
        "read_registry": 1.5,
        "list_group": 1.0,
        "read_subnet": 1.0,
        "start create-endpoint": 1.5,
    }.items():
        plane.take(call, timedelta(seconds=seconds))
    desk = Desk(policy=POLICY, plane=plane)
    await desk.ask()
    async with asyncio.TaskGroup() as group:
        work = group.create_task(desk.trigger().serve())
        for _ in range(requests):
            await desk.clock.sleep(pause)
            await desk.ask()
        while len(desk.queue):
            await desk.clock.sleep(timedelta(seconds=1))
        work.cancel()
    return (await desk.row()).outcome == Converged()


def test_messages_that_arrive_together_start_every_change_once() -> None:
    assert len(run_virtual(_burst())) == 15


async def _burst() -> list[str]:
    """Messages of one generation that overtake each other, all read at the moment at which the second stage begins."""
    plane = ObedientPlane(a_registry(POLICY), POLICY, LoopClock())
    plane.take("start put-zone-group", timedelta(seconds=1))
    plane.take("start link-zone", timedelta(seconds=1))
    desk = Desk(policy=POLICY, plane=plane)
    message = await desk.ask()
    first = await desk.pass_()
    assert isinstance(first, Waiting)
    for attempt in (1000, 2000, 3000):
        await desk.queue.send(replace(message, attempt=attempt), first.until - desk.clock.now())
    await desk.trigger().drain()
    assert (await desk.row()).outcome == Converged()
    return plane.started


def test_a_pass_that_ends_while_the_next_request_observes_leaves_it_nothing_outdated_to_do() -> None:
    started = {
        (seconds, tenths): len(run_virtual(_overtaken(timedelta(seconds=tenths / 10), seconds)))
        for seconds in (0.5, 1.0, 2.0)
        for tenths in range(0, 60, 3)
    }
    assert set(started.values()) == {15}, started


async def _overtaken(pause: timedelta, seconds: float) -> list[str]:
    """Two requests, and writes that take no time: the first pass may have come and gone while the second one looks."""
    plane = ObedientPlane(a_registry(POLICY), POLICY, LoopClock())
    for call in ("read_registry", "list_group", "read_subnet"):
        plane.take(call, timedelta(seconds=seconds))
    desk = Desk(policy=POLICY, plane=plane)
    await desk.ask()
    async with asyncio.TaskGroup() as group:
        work = group.create_task(desk.trigger().serve())
        await desk.clock.sleep(pause)
        await desk.ask()
        while len(desk.queue):
            await desk.clock.sleep(timedelta(seconds=1))
        work.cancel()
    assert (await desk.row()).outcome == Converged()
    return plane.started
