"""Starting changes: what waits for what, what is skipped, what is kept for later, and how much happens at once."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.memory import MemoryLeases
from shared.core.changes import Change, ClosePublicAccess, CreateEndpoint, CreateZone, LinkZone, PutZoneGroup, key_of
from shared.core.errors import Busy, ChangedUnderneath, Locked, Throttled, Unavailable
from shared.core.registry import TargetKind
from shared.core.report import ChangeFailed, Done, Reason, Skipped, Started
from shared.engine.apply import CONCURRENCY, Applied, Applier
from shared.engine.pacing import Pacing
from shared.engine.records import Operation
from tests.core.worlds import registry_id, zone_id
from tests.engine.desk import MINUTE, SECOND, UNAVAILABLE, a_retrier
from tests.engine.plane import ScriptedPlane
from tests.engine.test_pacing import NETWORK, create, endpoint_id
from tests.virtual_time import EPOCH, LoopClock, run_virtual

pytestmark = pytest.mark.virtual_time

ZONE = CreateZone(zone=zone_id("privatelink.api.azureml.ms"))
LINK = LinkZone(
    zone=ZONE.zone,
    link=ZONE.zone.child("virtualNetworkLinks", "hub"),
    network=NETWORK,
    depends_on=(key_of(ZONE),),
)
ENDPOINT = create("pe-1")
GROUP = PutZoneGroup(
    endpoint=ENDPOINT.endpoint, name="default", zones={"api": ZONE.zone}, depends_on=(key_of(ENDPOINT), key_of(ZONE))
)
CLOSE = ClosePublicAccess(target=registry_id(), target_kind=TargetKind.REGISTRY)


class Bench:
    def __init__(self) -> None:
        self.clock = LoopClock()
        self.plane = ScriptedPlane(None, self.clock)

    async def apply(self, *changes: Change, running: Iterable[Operation] = (), deadline: timedelta = MINUTE) -> Applied:
        applier = Applier(self.plane, self.clock, Pacing(), MemoryLeases())
        return await applier.apply(changes, running, a_retrier(self.clock, deadline))


def running(change: Change) -> Operation:
    return Operation(change=change, started=EPOCH, due=EPOCH)


def results(applied: Applied) -> dict[str, str]:
    return {attempt.change.kind: attempt.result.kind for attempt in applied.attempts}


async def test_what_waits_for_nothing_is_started_and_what_waits_for_it_stays_pending() -> None:
    bench = Bench()

    applied = await bench.apply(ZONE, ENDPOINT, LINK, GROUP)

    assert results(applied) == {"create-zone": "started", "create-endpoint": "started"}
    assert applied.pending == (LINK, GROUP)
    assert [operation.change for operation in applied.operations] == [ZONE, ENDPOINT]


async def test_a_started_operation_remembers_its_url_its_beginning_and_its_first_look() -> None:
    bench = Bench()
    bench.plane.starts["create-zone"] = Started(url="https://management.azure.com/op?t=1")
    await bench.clock.sleep(MINUTE)

    applied = await bench.apply(ZONE)

    (operation,) = applied.operations
    assert operation.url == "https://management.azure.com/op?t=1"
    assert (operation.started, operation.due) == (EPOCH + MINUTE, EPOCH + MINUTE + 36 * SECOND)
    assert operation.checks == 0


async def test_what_took_effect_at_once_frees_what_waits_for_it_in_the_same_pass() -> None:
    bench = Bench()
    bench.plane.starts = {"create-zone": Done(), "create-endpoint": Done()}

    applied = await bench.apply(ZONE, ENDPOINT, LINK, GROUP)

    assert bench.plane.started == ["create-zone", "create-endpoint", "link-zone", "put-zone-group"]
    assert applied.pending == ()
    assert [operation.change for operation in applied.operations] == [LINK, GROUP]


async def test_what_waits_for_two_things_waits_for_both() -> None:
    bench = Bench()
    bench.plane.starts = {"create-zone": Done()}

    applied = await bench.apply(ZONE, ENDPOINT, GROUP)

    assert applied.pending == (GROUP,)


async def test_what_waits_for_a_running_operation_of_an_earlier_pass_stays_pending() -> None:
    bench = Bench()

    applied = await bench.apply(LINK, GROUP, running=[running(ZONE)])

    assert bench.plane.started == []
    assert applied.pending == (LINK, GROUP)
    assert applied.operations == (running(ZONE),)
    assert applied.attempts == ()


async def test_what_waited_for_something_that_is_neither_running_nor_to_be_done_is_free() -> None:
    bench = Bench()

    applied = await bench.apply(GROUP)

    assert bench.plane.started == ["put-zone-group"]
    assert applied.pending == ()


async def test_a_refused_change_is_a_value_and_takes_its_dependents_with_it_but_nothing_else() -> None:
    bench = Bench()
    bench.plane.fail("start create-zone", locked := Locked("A lock.", resource_id="x"))

    applied = await bench.apply(ZONE, ENDPOINT, LINK, GROUP)

    zone, endpoint, link, group = applied.attempts
    reason = Reason(name="Locked", sentence="A lock.", resource=ZONE.resource.text)
    assert zone.result == ChangeFailed(reason=reason, fate="blocked")
    assert zone.error is locked
    assert endpoint.result == Started()
    assert link.result == group.result == Skipped(because=key_of(ZONE))
    assert applied.pending == ()
    assert applied.operations[0].change == ENDPOINT


async def test_what_waits_for_something_skipped_is_skipped_too() -> None:
    bench = Bench()
    bench.plane.fail("start create-zone", Locked("A lock."))
    last = CreateEndpoint(
        endpoint=endpoint_id("pe-2"),
        location="westeurope",
        subnet=ENDPOINT.subnet,
        target=registry_id(),
        group="amlregistry",
        tags={},
        depends_on=(key_of(LINK),),
    )

    applied = await bench.apply(ZONE, LINK, last)

    assert bench.plane.started == ["create-zone"]
    assert applied.attempts[-1].change == last
    assert applied.attempts[-1].result == Skipped(because=key_of(LINK))


async def test_a_closing_that_could_not_start_is_forgotten_not_kept() -> None:
    bench = Bench()
    close = ClosePublicAccess(target=registry_id(), target_kind=TargetKind.REGISTRY, depends_on=(key_of(ENDPOINT),))

    applied = await bench.apply(ENDPOINT, close)

    assert bench.plane.started == ["create-endpoint"]
    assert applied.pending == ()


async def test_a_closing_after_the_deadline_is_forgotten_and_everything_else_kept() -> None:
    bench = Bench()

    applied = await bench.apply(ENDPOINT, CLOSE, deadline=timedelta())

    assert bench.plane.started == []
    assert applied == Applied(pending=(ENDPOINT,))


async def test_nothing_new_begins_after_the_deadline() -> None:
    bench = Bench()
    bench.plane.starts = {"create-zone": Done(), "create-endpoint": Done()}
    bench.plane.take("start create-zone", 10 * SECOND)

    applied = await bench.apply(ZONE, ENDPOINT, LINK, GROUP, deadline=10 * SECOND)

    assert results(applied) == {"create-zone": "done", "create-endpoint": "done"}
    assert applied.pending == (LINK, GROUP)


async def test_at_most_eight_writes_are_in_flight() -> None:
    bench = Bench()
    endpoints = [create(f"pe-{number}") for number in range(3 * CONCURRENCY)]
    bench.plane.take("start create-endpoint", SECOND)

    applied = await bench.apply(*endpoints)

    assert CONCURRENCY == 8
    assert bench.plane.most_at_once == 8
    assert bench.clock.now() == EPOCH + 3 * SECOND
    assert [operation.change for operation in applied.operations] == endpoints


async def test_a_busy_resource_is_tried_again_within_the_pass() -> None:
    bench = Bench()
    bench.plane.fail("start create-zone", Busy("b", retry_after=SECOND), Throttled("t", retry_after=2 * SECOND))

    applied = await bench.apply(ZONE)

    assert results(applied) == {"create-zone": "started"}
    assert bench.clock.now() == EPOCH + 3 * SECOND
    assert applied.operations[0].started == EPOCH + 3 * SECOND


async def test_tries_that_ran_out_are_a_value_as_well() -> None:
    bench = Bench()
    bench.plane.fail("start create-zone", *[UNAVAILABLE] * 4)
    bench.plane.fail("start create-endpoint", changed := ChangedUnderneath("c"))

    applied = await bench.apply(ZONE, ENDPOINT)

    assert [attempt.error for attempt in applied.attempts] == [UNAVAILABLE, changed]
    fates = [attempt.result.fate for attempt in applied.attempts if isinstance(attempt.result, ChangeFailed)]
    assert fates == ["retry-now", "observe-again"]


async def test_a_bug_is_raised_after_the_other_changes_have_ended() -> None:
    bench = Bench()
    bench.plane.fail("start create-zone", ZeroDivisionError("bug"))
    bench.plane.take("start create-endpoint", SECOND)

    with pytest.raises(ZeroDivisionError):
        await bench.apply(ZONE, ENDPOINT)

    assert bench.clock.now() == EPOCH + SECOND


async def test_nothing_to_do_is_done() -> None:
    assert await Bench().apply() == Applied()


FAULTS = {"started": None, "done": None, "refused": Locked("x"), "busy": Unavailable("x")}


@given(
    answers=st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=7),
    edges=st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6))),
)
def test_every_change_is_told_of_exactly_once_and_none_before_what_it_waits_for(
    answers: list[str], edges: set[tuple[int, int]]
) -> None:
    async def story() -> None:
        bench = Bench()
        names = [f"privatelink.z{number}.net" for number in range(len(answers))]
        keys = [key_of(CreateZone(zone=zone_id(name))) for name in names]
        changes = [
            CreateZone(
                zone=zone_id(name),
                depends_on=tuple(keys[before] for before in range(number) if (before, number) in edges),
            )
            for number, name in enumerate(names)
        ]
        plane = bench.plane
        script = dict(zip(keys, answers, strict=True))

        class Scripted(ScriptedPlane):
            async def start(self, change: Change) -> Started | Done:
                await super().start(change)
                fault = FAULTS[script[key_of(change)]]
                if fault is not None:
                    raise fault
                return Done() if script[key_of(change)] == "done" else Started()

        bench.plane = plane = Scripted(None, bench.clock)
        applied = await bench.apply(*changes)

        tried = {key_of(attempt.change): attempt.result.kind for attempt in applied.attempts}
        pending = [key_of(change) for change in applied.pending]
        assert sorted([*tried, *pending]) == sorted(keys)
        assert len(applied.attempts) == len(tried)
        assert {key_of(op.change) for op in applied.operations} == {k for k, kind in tried.items() if kind == "started"}
        for change in changes:
            before = [tried.get(key, "pending") for key in change.depends_on]
            kind = tried.get(key_of(change), "pending")
            if {"failed", "skipped"} & set(before):
                assert kind in {"skipped", "pending"}
            elif set(before) <= {"done"}:
                assert kind == {"refused": "failed", "busy": "failed"}.get(
                    script[key_of(change)], script[key_of(change)]
                )
            else:
                assert kind == "pending"
        assert len(set(plane.asked("start create-zone"))) <= len(changes)

    run_virtual(story())
