"""The verdict tells a trial's end from the end in which nobody was killed, and repeated writes are named."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from local.crash import worlds
from local.crash.points import Point, Side, Step
from local.crash.repeats import inexcusable
from local.crash.rig import Trial
from local.crash.stories import CREATE, STORIES
from local.crash.tally import Tally
from local.crash.verdict import Ending, differences, ending_of, repeats
from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.stage_scene import APP_PRINCIPAL

ENDPOINT = "/providers/Microsoft.Network/privateEndpoints/pe-left"
ZONE = "PUT microsoft.network/privatednszones/privatelink.api.azureml.ms"
GOOD = Ending(
    resources={"Microsoft.Network/privateEndpoints {}": 3}, writes={ZONE: 1}, told={"RegistryIsolation.Isolated": 1}
)


def ending(**changed: object) -> Ending:
    members = {"resources": GOOD.resources, "writes": GOOD.writes, "told": GOOD.told, "problems": ()}
    return Ending(**(members | changed))  # type: ignore[arg-type]


def trial(end: Ending, point: Point | None = None, *, met: bool = True, problems: tuple[str, ...] = ()) -> Trial:
    recovered = timedelta(seconds=3) if point and met else None
    return Trial(
        points=(point,) if point else (), met=met, recovered=recovered, ending=end, steps=(), problems=problems
    )


def test_an_equal_end_has_no_difference() -> None:
    assert differences(GOOD, GOOD) == []
    assert repeats(GOOD, GOOD) == ()


def test_a_resource_too_many_is_told() -> None:
    found = differences(ending(resources={"Microsoft.Network/privateEndpoints {}": 4}), GOOD)
    assert found == ["In the end there are 4 of Microsoft.Network/privateEndpoints {}, not 3."]


def test_writes_that_are_new_or_missing_are_told() -> None:
    found = differences(ending(writes={"DELETE x": 1}), GOOD)
    assert found == ["DELETE x was written 1 times, and is not when nobody is killed.", f"{ZONE} was never written."]


def test_a_write_that_azure_may_spare_the_app_may_be_missing_and_no_other_one() -> None:
    both, undo = ending(writes={ZONE: 1, "PATCH a": 1}), STORIES["undo"]
    assert Tally(trial(both), replace(undo, spared=frozenset({"PATCH a"}))).problems_of(trial(GOOD)) == []
    assert Tally(trial(both), undo).problems_of(trial(GOOD)) == ["PATCH a was never written."]


def test_a_listener_who_heard_nothing_is_told() -> None:
    assert differences(ending(told={}), GOOD) == ["Listeners were told 0 of RegistryIsolation.Isolated, not 1."]


def test_a_second_write_of_what_took_effect_is_a_failure_unless_it_is_allowed() -> None:
    twice = ending(writes={ZONE: 2})
    assert repeats(twice, GOOD) == (ZONE,)
    assert inexcusable(repeats(twice, GOOD)) == [f"{ZONE} took effect twice."]


def test_the_tally_counts_failures_and_says_how_to_repeat_them() -> None:
    tally = Tally(trial(GOOD))
    point = Point(step=Step(what="azure PUT Network/privateDnsZones", number=1), side=Side.AFTER)
    assert tally.wrong_from_the_start == ""
    assert "FAILED" not in tally.add(trial(GOOD, point), (point,))
    line = tally.add(trial(ending(writes={ZONE: 2}), point), (point,))
    assert "took effect twice" in line
    assert "--story create --points 'azure PUT Network/privateDnsZones#1.after'" in line
    assert (tally.failed, tally.summary().splitlines()[0]) == (1, "2 kills, 1 failed; 0 points were not met.")


def test_a_point_that_was_not_met_is_counted_as_such() -> None:
    tally = Tally(trial(GOOD))
    point = Point(step=Step(what="azure GET x", number=9), side=Side.BEFORE)
    assert "not met" in tally.add(trial(GOOD, point, met=False), ())
    assert tally.summary() == "1 kills, 0 failed; 1 points were not met."


def test_on_a_machine_that_is_too_busy_repetitions_say_nothing_and_everything_else_still_does() -> None:
    tally = Tally(trial(GOOD))
    crowded = replace(trial(ending(writes={ZONE: 2})), crowded=True)
    assert tally.problems_of(crowded) == []
    assert "too busy" in tally.add(crowded, ())
    assert tally.problems_of(replace(trial(ending(told={})), crowded=True)) != []


def test_a_story_that_fails_by_itself_is_no_reference() -> None:
    assert "It hung." in Tally(trial(GOOD, problems=("It hung.",))).wrong_from_the_start


def test_the_world_is_looked_at_without_the_app() -> None:
    azure, name, logged = created()
    write(azure, "PUT", f"{worlds.registry_id(name).rpartition('/providers/')[0]}", principal=APP_PRINCIPAL)
    found = ending_of(azure, name, logged, CREATE.problems(azure, name))
    assert f"{name} is open" in found.problems
    assert any("lets in" in problem for problem in found.problems)
    assert found.told == Counter()
    assert all(name not in what for what in (*found.resources, *found.writes))


def test_an_undo_is_not_done_while_anything_is_closed() -> None:
    azure, name, _ = created()
    assert list(STORIES["undo"].problems(azure, name)) == []
    registry = azure.require(worlds.registry_id(name))
    part = scenery.parts_of(azure, registry)[0]
    part.properties["publicNetworkAccess"] = "Disabled"
    assert list(STORIES["undo"].problems(azure, name)) == [f"{part.name} is still closed."]


def test_a_deletion_is_not_done_while_something_leads_to_the_registry_or_lets_it_in() -> None:
    azure, name, _ = created()
    registry = worlds.registry_id(name)
    assert list(STORIES["delete"].problems(azure, name)) == [f"{name} is still there."]
    scenery.send(azure, "DELETE", registry, api_version=scenery.REGISTRY_API)
    scenery.rest(azure)
    assert list(STORIES["delete"].problems(azure, name)) == []
    rules = azure.require(worlds.ACCOUNT).properties["networkAcls"]["resourceAccessRules"]
    rules.append({"tenantId": "t", "resourceId": registry})
    azure.world.put({"id": f"{worlds.ACCOUNT.partition('/providers/')[0]}{ENDPOINT}", "properties": {}})
    found = list(STORIES["delete"].problems(azure, name))
    assert found[0] == "The endpoint pe-left leads to a registry that is gone."
    assert registry.lower() in found[1]


def created() -> tuple[SimulatedAzure, str, int]:
    """A world with a registry that nobody has isolated, and what was logged before it was made."""
    azure = worlds.build(worlds.Scenery(webhook="", header="secret", scale=0.02))
    name = "crash-x-1"
    logged = len(azure.log)
    scenery.put_registry(azure, name)
    scenery.rest(azure)
    return azure, name, logged


def write(azure: SimulatedAzure, method: str, path: str, *, principal: str) -> None:
    """As the app, which has no right to this: a refused write did not take effect and is not counted."""
    try:
        scenery.send(azure, method, path, {"location": "westeurope"}, api_version="2021-04-01", principal=principal)
    except scenery.SceneryError:
        return
    raise AssertionError("the app may write resource groups")
