"""What the bench reads from one run, against the run's own world."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bench.arm_requests import by_purpose, necessary_writes, purpose_of, writes
from bench.asking import asking
from bench.billing import billing
from bench.budgets import MOST_REQUESTS
from bench.critical_path import Step, longest_chain, losses, steps_of
from bench.isolation import CASES, WARM, Isolation, _told_of, demand_isolated, isolate, isolate_despite
from bench.latency import latency
from bench.rows import ReferenceFailed, Verdict
from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.verdict import unisolated
from tests.virtual_time import EPOCH


@pytest.fixture(scope="module")
def run() -> Isolation:
    return isolate(CASES[0])


def step(key: str, begin: float, end: float, *needs: str) -> Step:
    return Step(
        key=key, started=EPOCH + timedelta(seconds=begin), ended=EPOCH + timedelta(seconds=end), needs=tuple(needs)
    )


def test_the_longest_chain_is_the_one_that_takes_longest_not_the_one_with_most_steps() -> None:
    short = (step("a", 0, 1), step("b", 1, 2, "a"), step("c", 2, 3, "b"))
    steps = (*short, step("long", 0, 5), step("end", 9, 10, "c", "long"))

    assert [each.key for each in longest_chain(steps)] == ["long", "end"]


def test_waiting_between_steps_is_no_part_of_the_chain() -> None:
    chain = longest_chain((step("a", 0, 10), step("b", 100, 110, "a")))

    assert sum(each.seconds for each in chain) == 20


def test_the_chain_of_a_run_is_zone_link_closing_and_azures_own_closing(run: Isolation) -> None:
    durations = run.azure.durations
    chain = longest_chain(steps_of(run))

    assert [each.key.split("/")[-2] for each in chain][:3] == ["privatednszones", "virtualnetworklinks", "registries"]
    assert sum(each.seconds for each in chain) == pytest.approx(
        2 * durations.private_dns + durations.registry_update + durations.propagation
    )


def test_chain_and_losses_add_up_to_the_time_from_event_to_isolated(run: Isolation) -> None:
    chain = longest_chain(steps_of(run))
    spent = sum(each.seconds for each in chain) + losses(run, chain).total

    assert spent == pytest.approx((run.known - run.event).total_seconds(), abs=0.01)


def test_the_closing_needs_everything_that_came_before_it(run: Isolation) -> None:
    steps = steps_of(run)
    closing = next(each for each in steps if each.key == run.registry.key)

    assert set(closing.needs) == {each.key for each in steps if each.started < closing.started}


def test_the_necessary_writes_are_what_the_world_has_more_and_the_closing(run: Isolation) -> None:
    assert necessary_writes(run) == 3 + 3 + 3 + 3 + 1
    assert writes(run.calls) == necessary_writes(run)


def test_isolating_a_registry_takes_no_more_requests_than_promised_be_it_the_first_of_its_process(
    run: Isolation,
) -> None:
    assert len(run.calls) <= MOST_REQUESTS
    assert len(isolate(WARM).calls) <= MOST_REQUESTS


def test_every_request_has_a_purpose(run: Isolation) -> None:
    assert {purpose_of(call) for call in run.calls} >= {"registry", "storage", "endpoints", "zone links"}
    assert "other" not in {purpose_of(call) for call in run.calls}
    assert sum(by_purpose(run.calls).values()) == len(run.calls)


def test_the_rows_are_judged(run: Isolation) -> None:
    timed, asked = latency((run,)), asking((run,), run)

    assert timed.rows[0].verdict is Verdict.MET
    assert {row.verdict for row in asked.rows if row.measure.startswith("second reconcile")} == {Verdict.MET}
    assert len(run.second_pass) <= 12


def test_waiting_on_the_queue_is_billed_less_than_waiting_inside(run: Isolation) -> None:
    row = billing((run,), 200.0).rows[0]

    assert float(row.ratio) < 0.2


def test_an_execution_is_billed_for_a_tenth_of_a_second_at_least_and_memory_in_steps(run: Isolation) -> None:
    first, second = (
        replace(run.passes[0], started=EPOCH + begin, ended=EPOCH + begin + lasts, processor_seconds=0.01)
        for begin, lasts in ((timedelta(), timedelta()), (timedelta(seconds=60), timedelta(seconds=1)))
    )

    for mebibytes, gigabytes in ((122.0, 0.125), (123.0, 0.25)):
        row = billing((replace(run, passes=(first, second)),), mebibytes).rows[0]
        assert (row.ours, row.reference) == (f"{gigabytes * 1.11:.4g} GB-s", f"{gigabytes * 61.02:.4g} GB-s")


def test_a_run_without_a_closing_has_no_chain(run: Isolation) -> None:
    unclosed = replace(run, calls=tuple(call for call in run.calls if purpose_of(call) != "registry"))

    with pytest.raises(ReferenceFailed, match="nobody closed"):
        steps_of(unclosed)


def test_an_open_registry_gives_no_figures() -> None:
    azure = SimulatedAzure()
    scenery.standard_world(azure)
    registry = scenery.create_registry(azure, "open")

    with pytest.raises(ReferenceFailed, match=r"open: the registry is not isolated.*open is open"):
        demand_isolated(azure, "open", registry.id)


def test_a_registry_that_no_event_told_of_gives_no_figures(run: Isolation) -> None:
    with pytest.raises(ReferenceFailed, match="no event of /nobody was delivered"):
        _told_of(run.azure, "/nobody")


def test_an_azure_that_fails_every_time_gives_no_figures() -> None:
    with pytest.raises(ReferenceFailed, match="one region: the app has not said converged within two hours"):
        isolate_despite(CASES[0], 1, 1.0)


def test_an_operation_that_never_ended_gives_no_figures(run: Isolation) -> None:
    unended = replace(run, operations=tuple(replace(operation, due=None) for operation in run.operations))

    with pytest.raises(ReferenceFailed, match="never ended"):
        steps_of(unended)


def test_a_refused_write_is_no_step_of_the_chain(run: Isolation) -> None:
    refused = tuple(replace(call, status=409) if call.kind == "write" else call for call in run.calls)

    assert steps_of(replace(run, calls=(*refused, *run.calls))) == steps_of(run)


def test_more_regions_and_networks_are_told_beside_the_first_and_are_no_budget(run: Isolation) -> None:
    rows = asking((run, run), run).rows

    assert [row.measure for row in rows[-2:]] == ["ARM requests, one region", "  of which writes, one region"]
    assert rows[-2].ours == f"{len(run.calls)}, second reconcile {len(run.second_pass)}"
    assert [row.about for row in rows[-2:]] == [None, None]


def test_the_measured_world_is_isolated_indeed(run: Isolation) -> None:
    assert unisolated(run.azure, run.registry.id) == []
    assert run.isolated <= run.known
