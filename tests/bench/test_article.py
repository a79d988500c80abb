"""The commands of the article's way, the served time, and the bad day that both ways are put to."""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

import bench
from bench.article_steps import Step, steps
from bench.faulty_azure import FaultyAzure
from bench.isolation import Case, isolate_despite
from bench.rows import ReferenceFailed
from bench.served_azure import ServedAzure, SkippingClock
from bench.sharing import ACCOUNT, demand_shared, lay_out_workspace
from local.simulator import scenery
from local.simulator.faults import ConnectionLost
from local.simulator.wire import Request
from local.verdict import unisolated
from tests.started import run

HOOK = Path(bench.__file__).parent / "cli_time"


@pytest.fixture
def azure() -> FaultyAzure:
    return FaultyAzure()


def commands(azure: FaultyAzure) -> list[Step]:
    scene = scenery.standard_world(azure)
    registry = scenery.create_registry(azure, "alpha")
    return list(steps(azure, scene, registry, scenery.parts_of(azure, registry), ACCOUNT))


def test_there_is_one_command_for_each_thing_that_isolation_makes(azure: FaultyAzure) -> None:
    made = [step.what for step in commands(azure)]

    counts = {what: made.count(what) for what in ("endpoint", "zone", "link", "zone group", "storage rule")}
    assert counts == {"endpoint": 3, "zone": 3, "link": 3, "zone group": 3, "storage rule": 1}
    assert made.count("close registry") == 1


def test_nothing_is_closed_before_everything_was_checked(azure: FaultyAzure) -> None:
    made = [step.what for step in commands(azure)]

    assert max(i for i, what in enumerate(made) if what.startswith("check")) < made.index("close registry")
    assert made[-2:] == ["wait until Azure has followed"] * 2


def test_a_check_knows_the_right_answer_from_a_wrong_one(azure: FaultyAzure) -> None:
    checks = {step.what: step.check for step in commands(azure) if step.check}
    approved = {"privateLinkServiceConnectionState": {"status": "Approved"}}
    rejected = {"privateLinkServiceConnectionState": {"status": "Rejected"}}

    endpoint = checks["check endpoint"]
    assert endpoint({"provisioningState": "Succeeded", "privateLinkServiceConnections": [approved]})
    assert not endpoint({"provisioningState": "Succeeded", "privateLinkServiceConnections": [rejected]})
    assert not endpoint({"provisioningState": "Failed", "privateLinkServiceConnections": [approved]})
    assert not checks["check records"]([])
    assert not checks["wait until Azure has followed"]({"properties": {}})


def test_the_share_of_faults_is_the_one_asked_for(azure: FaultyAzure) -> None:
    scene = scenery.standard_world(azure)
    request = Request("GET", f"{azure.endpoint}{scene.virtual_network}?api-version=2024-05-01", azure.headers())
    azure.roll(1, 0.05)

    answers = []
    for _ in range(2000):
        try:
            answers.append(azure.handle(request, azure.world.now).status)
        except ConnectionLost:
            answers.append(0)

    assert 70 < azure.struck < 130
    assert sum(status != 200 for status in answers) == azure.struck
    assert set(answers) == {200, 0, 429, 500, 503}


def test_no_fault_strikes_before_it_was_asked_for(azure: FaultyAzure) -> None:
    scenery.standard_world(azure)

    assert azure.struck == 0


def test_the_app_isolates_on_a_bad_day() -> None:
    run = isolate_despite(Case(name="bad day", sharing=True), 3, 0.05)

    assert isinstance(run.azure, FaultyAzure)
    assert run.azure.struck > 0
    assert unisolated(run.azure, run.registry.id) == []


def test_a_workspace_whose_storage_lets_nobody_in_gives_no_figures(azure: FaultyAzure) -> None:
    scenery.standard_world(azure)
    lay_out_workspace(azure)

    with pytest.raises(ReferenceFailed, match="no rule that lets the registry in"):
        demand_shared(azure, "/subscriptions/x")


PAUSE = f"{time.__name__}.{'sleep'}"


def hooked(program: str, address: str = "") -> str:
    """What *program* prints when it starts as the Azure CLI does."""
    environment = {**os.environ, "PYTHONPATH": str(HOOK), "BENCH_TIME": address}
    return run([sys.executable, "-c", f"import threading, time\n{program}"], env=environment, timeout=60).stdout


@pytest.mark.slow
def test_a_pause_of_a_hooked_program_takes_time_in_azure_and_none_here(azure: FaultyAzure, tmp_path: Path) -> None:
    clock = SkippingClock()
    with ServedAzure(azure, tmp_path, clock) as served:
        before, began = clock.now(), time.monotonic()
        hooked(f"{PAUSE}(3600)", served.time_address)
        served.catch_up()

        assert clock.now() - before > timedelta(hours=1)
        assert time.monotonic() - began < 60
        assert azure.world.now - before > timedelta(hours=1)


@pytest.mark.slow
def test_a_pause_beside_a_poller_that_waits_itself_is_not_counted_twice(azure: FaultyAzure, tmp_path: Path) -> None:
    clock = SkippingClock()
    with ServedAzure(azure, tmp_path, clock) as served:
        hooked(
            f"poller = threading.Thread(target={PAUSE}, args=(60,), name='LROPoller-1')\n"
            f"end = threading.Event()\n"
            f"watched = threading.Thread(target=end.wait, name='LROPoller-2')\n"
            f"watched.start(); poller.start(); {PAUSE}(3600); poller.join(); end.set()",
            served.time_address,
        )

        assert clock.skipped == timedelta(seconds=60)


@pytest.mark.slow
def test_a_program_that_the_bench_did_not_start_waits_as_ever() -> None:
    assert hooked(f"print(type({PAUSE}).__name__)") == "builtin_function_or_method\n"
