"""A slice of the fault campaign, and what makes its word worth something: it notices, it replays, it is the same again."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.campaign.__main__ import main
from local.campaign.cases import AMOUNTS, Case, Injection, Kind, Story
from local.campaign.draw import draw, places
from local.campaign.house import StormHouse
from local.campaign.tally import Tally
from local.campaign.trial import Trial, attempt
from local.campaign.weather import AppCall
from local.simulator import scenery
from tests.virtual_time import run_virtual

INJECTIONS = st.builds(Injection, kind=st.sampled_from(Kind), at=st.integers(0, 999), amount=st.integers(1, 999))
CASES = st.builds(
    Case,
    story=st.sampled_from(Story),
    seed=st.integers(0, 10**6),
    injections=st.lists(INJECTIONS, max_size=3).map(tuple),
)


@pytest.mark.parametrize(
    "line",
    [
        "create:1:lost@25x1+throttled-text@40x5",
        "create:4:stuck@16x50",
        "create:0:stuck@53x180",
        "create:2:refused@35x1",
        "create:0:table-down@30x10+event-twice@0x1",
        "delete:1:failed@5x1+queue-down@3x10",
        "create:1:event-dropped@0x100",
    ],
)
def test_a_run_in_which_something_goes_wrong_keeps_every_promise(line: str) -> None:
    trial = attempt(Case.parse(line))

    assert trial.problems == ()
    assert len(trial.struck) == len(trial.case.injections)


def test_the_recovery_ends_when_the_registry_is_isolated_and_not_when_the_queue_is_empty() -> None:
    trial = attempt(Case.parse("create:0:reset@20x1"))

    assert trial.recovery is not None
    assert timedelta(minutes=3) < trial.recovery < timedelta(minutes=5)


@given(CASES)
def test_a_case_is_one_line_of_text(case: Case) -> None:
    assert Case.parse(str(case)) == case


@pytest.mark.parametrize("line", ["", "create", "wander:1:", "create:x:", "create:1:storm@1x1", "create:1:lost@1"])
def test_a_line_that_is_no_case_is_refused_with_what_one_looks_like(line: str) -> None:
    with pytest.raises(ValueError, match=r"is not a (case|fault): it"):
        Case.parse(line)


def some_calls(_case: Case) -> Sequence[AppCall]:
    calls = [("GET", False, False, False), ("PUT", True, True, False), ("GET", False, False, True)]
    return [AppCall(method=m, path="/x", writes=w, long=lo, stale=s) for m, w, lo, s in calls]


def test_equal_seeds_draw_equal_cases_and_others_draw_others() -> None:
    first, again, other = (list(islice(draw(seed, some_calls), 30)) for seed in (1, 1, 2))

    assert first == again != other


def test_faults_are_drawn_for_calls_at_which_they_can_happen() -> None:
    calls = some_calls(Case())

    assert places(Kind.RESET, calls) == [1, 2, 3]
    assert places(Kind.FAILED, calls) == places(Kind.REFUSED, calls) == [2]
    assert places(Kind.STALE, calls) == [3]


def test_every_kind_is_drawn_with_amounts_of_its_own() -> None:
    drawn = [one for case in islice(draw(5, some_calls), 400) for one in case.injections]

    assert {one.kind for one in drawn} == set(Kind)
    assert all(one.amount in AMOUNTS[one.kind] for one in drawn)
    assert {one.kind for case in islice(draw(5, some_calls, Kind.LOST), 9) for one in case.injections[:1]} == {
        Kind.LOST
    }


def test_a_registry_that_is_closed_or_opened_before_its_time_is_noticed() -> None:
    async def story() -> list[str]:
        async with StormHouse(Case()) as house:
            registry = scenery.create_registry(house.azure, "contoso")
            house.azure.watch(())
            for access in ("Disabled", "Enabled"):
                body = {
                    "location": "westeurope",
                    "properties": {**registry.properties, "publicNetworkAccess": access},
                }
                scenery.send(
                    house.azure, "PUT", registry.id, body, api_version=scenery.REGISTRY_API, principal=house.app
                )
            return house.azure.violations

    noticed = run_virtual(story())

    assert any(each.endswith("was closed while contoso had no working endpoint") for each in noticed)
    assert noticed[-1].endswith("/registries/contoso was opened")


def test_a_rule_of_somebody_else_that_the_app_takes_away_is_noticed() -> None:
    async def story() -> list[str]:
        async with StormHouse(Case()) as house:
            house.azure.watch(())
            body = {"properties": {"networkAcls": {"defaultAction": "Deny", "resourceAccessRules": []}}}
            scenery.send(house.azure, "PATCH", house.account.id, body, api_version="2025-06-01", principal=house.app)
            return house.azure.violations

    assert [each.split(" of ")[0] for each in run_virtual(story())] == ["stshared lost the rule"]


def a_trial(**members: object) -> Trial:
    plain = {
        "case": Case.parse("create:3:lost@4x1"),
        "problems": (),
        "calls": (),
        "struck": (Injection(kind=Kind.LOST, at=4),),
        "blocked": False,
        "swept": False,
        "recovery": timedelta(seconds=90),
    }
    return Trial(**plain | members)  # type: ignore[arg-type]


def test_the_tally_says_what_broke_and_how_to_replay_it() -> None:
    tally = Tally()
    broken = a_trial(problems=("contoso is open",))
    tally.add(broken)
    tally.add(a_trial(recovery=timedelta(minutes=9)))

    assert "  - contoso is open\n  replay: python -m local.campaign --replay 'create:3:lost@4x1'" in tally.failure(
        broken
    )
    said = tally.summary()
    assert "2 runs, 0 calls of the app, 2 faults (lost 2)" in said
    assert "1 kept every promise, 1 broke one" in said
    assert "slowest recovery after the last fault: 0:09:00" in said


def test_one_case_is_replayed_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--replay", "create:0:reset@5x1"]) == 0

    assert "create:0:reset@5x1 kept every promise in " in capsys.readouterr().out
