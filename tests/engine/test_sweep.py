"""What a sweep finds and whom it has looked at; chains and crashes are in test_sweep_chain."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.outcomes import OutcomeEvent, OutcomeKind
from shared.core.registry import Access, TargetKind
from shared.core.report import Exempt
from shared.core.sweeps import SweepState
from tests.core.worlds import registry_id, with_target, with_view
from tests.engine.sweep_desk import DAY, HOUR, MINUTE, SweepDesk, blocked, failed, gone, waiting

pytestmark = pytest.mark.virtual_time


async def test_isolated_registries_cost_no_look() -> None:
    desk = SweepDesk(size=3)
    await desk.settled([f"r{number}" for number in range(10)])

    swept = await desk.sweep()

    assert desk.asked() == {}
    assert (swept.state, swept.seen, swept.rows, swept.enqueued) == (SweepState.DONE, 10, 10, 0)
    assert swept.verdicts == {"compliant": 10}
    assert swept.phases == {"converged": 10}
    assert swept.queries == 4


async def test_a_registry_whose_event_was_missed_is_found() -> None:
    desk = SweepDesk()
    desk.show("missed", desk.opened("missed"))

    first = await desk.sweep()
    second = await desk.sweep()

    assert desk.asked() == {"missed": 1}
    assert first.verdicts == {"new": 1}
    assert second.verdicts == {"compliant": 1}


@pytest.mark.parametrize("kind", list(TargetKind))
async def test_a_door_that_was_opened_again_is_found(kind: TargetKind) -> None:
    desk = SweepDesk()
    await desk.settled(["calm", "drifted"])
    desk.show("drifted", with_target(desk.isolated("drifted"), kind, access=Access.OPEN))

    swept = await desk.sweep()

    assert desk.asked() == {"drifted": 1}
    assert swept.verdicts == {"compliant": 1, "drifted": 1}


async def test_an_endpoint_or_a_record_that_went_is_found() -> None:
    desk = SweepDesk()
    await desk.settled(["endpoint", "record"])
    desk.show("endpoint", with_view(desk.isolated("endpoint"), endpoints=()))
    zones = desk.isolated("record").network("hub").zones
    emptied = {name: replace(zone, records={}) for name, zone in zones.items()}
    desk.show("record", with_view(desk.isolated("record"), zones=emptied))

    await desk.sweep()

    assert desk.asked() == {"endpoint": 1, "record": 1}


async def test_what_the_policy_leaves_alone_is_left_alone_by_name_and_by_tag() -> None:
    scope = {
        "subscriptions": [registry_id().subscription],
        "registries": {"include": ["*"], "exclude": ["sandbox-*"]},
        "tags": {"exclude": {"isolation": "off"}},
    }
    desk = SweepDesk(scope=scope)
    desk.show("sandbox-1", desk.opened("sandbox-1"))
    tagged = desk.opened("tagged")
    desk.show("tagged", replace(tagged, document=replace(tagged.document, tags={"Isolation": "off"})))
    await desk.note(registry_id("sandbox-2"), blocked(), ago=DAY)

    swept = await desk.sweep()

    assert desk.asked() == {}
    assert swept.verdicts == {"exempt": 2}
    assert swept.reviews == {"exempt": 1}


async def test_rows_that_do_not_suffice_lead_to_a_look_and_not_to_one_every_hour() -> None:
    desk = SweepDesk()
    await desk.settled(["odd"], ago=5 * HOUR)
    desk.ends["odd"] = blocked()
    desk.show("odd", None)

    for _ in range(4):
        await desk.sweep()
        await desk.rest(HOUR)

    assert desk.asked() == {"odd": 1}
    assert (await desk.sweep()).notes == ("odd: Its rows are incomplete.",)


async def test_rows_that_break_the_planner_lead_to_a_look_and_harm_nobody_else() -> None:
    desk = SweepDesk()
    await desk.settled(["broken"], ago=5 * HOUR)
    desk.show("broken", replace(desk.isolated("broken"), targets=()))
    desk.show("zz-new", desk.opened("zz-new"))

    await desk.sweep()

    assert desk.asked()["zz-new"] == 1


async def test_a_chain_that_lives_is_left_alone_and_one_that_is_lost_is_taken_up() -> None:
    desk = SweepDesk()
    now = desk.clock.now()
    for name, outcome in {"alive": waiting(now + HOUR), "lost": waiting(now - HOUR), "paused": None}.items():
        await desk.note(desk.show(name, desk.opened(name)), outcome, ago=2 * HOUR)
    await desk.note(registry_id("unseen"), waiting(now - HOUR), ago=2 * HOUR)

    swept = await desk.sweep()

    assert desk.asked() == {"lost": 1, "paused": 1, "unseen": 1}
    assert swept.verdicts == {"at-work": 1, "stuck": 2}


async def test_what_was_given_up_is_tried_again_but_rarely() -> None:
    desk = SweepDesk()
    for name, outcome in {"blocked": blocked(), "failed": failed()}.items():
        desk.ends[name] = outcome
        await desk.note(desk.show(name, desk.opened(name)), outcome, ago=DAY)

    for _ in range(24):
        await desk.sweep()
        await desk.rest(HOUR)

    assert desk.asked() == {"blocked": 6, "failed": 6}


async def test_what_a_person_has_put_right_is_found_by_its_rows() -> None:
    desk = SweepDesk()
    await desk.note(desk.show("fixed", desk.isolated("fixed")), blocked(), ago=HOUR)

    assert (await desk.sweep()).verdicts == {"recovered": 1}
    assert await desk.phase("fixed") == "converged"


async def test_a_registry_that_the_inventory_does_not_know_is_looked_at_not_removed() -> None:
    desk = SweepDesk()
    await desk.settled(["here", "deleted"], ago=HOUR)
    del desk.inventory.shown[registry_id("deleted")]
    desk.ends["deleted"] = gone()

    first = await desk.sweep()
    await desk.rest(2 * HOUR)
    second = await desk.sweep()

    assert desk.asked() == {"deleted": 1}
    assert first.reviews["missing"] == 1
    assert second.reviews["gone"] == 1


async def test_absence_from_a_partial_answer_is_not_even_a_suspicion() -> None:
    desk = SweepDesk()
    await desk.settled(["here", "absent"], ago=HOUR)
    del desk.inventory.shown[registry_id("absent")]
    desk.inventory.partial = "Resource Graph left rows out."

    swept = await desk.sweep()

    assert desk.asked() == {}
    assert swept.notes == ("Resource Graph left rows out.",)


async def test_every_registry_is_verified_once_a_day_and_evenly() -> None:
    desk = SweepDesk(size=50)
    await desk.settled([f"r{number:02d}" for number in range(48)], ago=DAY)
    for _ in range(24):  # the first sweep finds a day's worth
        await desk.sweep()
        await desk.rest(HOUR)
    desk.asked()

    shares = []
    for _ in range(24):
        shares.append((await desk.sweep()).enqueued)
        await desk.rest(HOUR)

    looks = desk.asked()
    assert len(looks) == 48
    assert set(looks.values()) == {1}
    assert max(shares) < 10


async def test_a_registry_verified_otherwise_is_not_verified_again_before_its_turn() -> None:
    desk = SweepDesk()
    await desk.settled(["fresh"])

    for _ in range(4):
        await desk.sweep()
        await desk.rest(10 * MINUTE)

    assert sum(desk.asked().values()) <= 1


async def test_a_registry_that_comes_into_the_scope_is_looked_at() -> None:
    desk = SweepDesk()
    await desk.note(desk.show("joined", desk.opened("joined")), Exempt(why="Its tags."), ago=HOUR)

    assert (await desk.sweep()).verdicts == {"new": 1}
    assert desk.asked() == {"joined": 1}


async def test_an_audit_looks_again_when_the_rows_say_something_else() -> None:
    desk = SweepDesk(mode="audit")
    await desk.settled(["calm", "drifted"])
    desk.show("drifted", desk.opened("drifted"))

    assert (await desk.sweep()).verdicts == {"compliant": 1, "drifted": 1}


async def test_who_asked_for_the_sweep_is_in_the_history_of_each_registry() -> None:
    desk = SweepDesk()
    registry = desk.show("missed", desk.opened("missed"))

    begun = await desk.sweeper.begin("http", "POST /api/sweeps", "key:1a2b3c4d")
    await desk.trigger.drain()

    (entry,) = await desk.ledger.history(registry)
    assert (entry.kind, entry.origin, entry.caller) == ("request", begun.id, "key:1a2b3c4d")


async def test_undelivered_events_are_taken_up_once_in_a_sweep() -> None:
    desk = SweepDesk()
    await desk.settled(["quiet", "untold"])
    untold = registry_id("untold")
    event = OutcomeEvent(
        id="1",
        kind=OutcomeKind.ISOLATED,
        registry=untold,
        at=desk.clock.now(),
        number=1,
        generation=1,
        before="",
        phase="converged",
    )
    await desk.note(untold, None, outbox=(event,))

    await desk.sweep()

    assert desk.woken.registries == ["untold"]
    assert desk.asked() == {}


async def test_sweeps_are_listed_newest_first() -> None:
    desk = SweepDesk()
    for _ in range(3):
        await desk.sweep()
        await desk.rest(timedelta(seconds=1))

    page = await desk.sweeper.list(2)
    rest = await desk.sweeper.list(2, page.after)

    begun = [sweep.begun for sweep in (*page.sweeps, *rest.sweeps)]
    assert len(begun) == 3
    assert begun == sorted(begun, reverse=True)
