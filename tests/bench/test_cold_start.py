"""What a cold start's rows say is arithmetic on fresh interpreters, each of which must have loaded what it was started for."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.budgets import Budget
from bench.cold_start import ColdStart, Start, _start, cold_start
from bench.resident import peak_mib
from bench.rows import ReferenceFailed, Row, Verdict


def starts(*milliseconds: float, mib: float, heavy: tuple[str, ...] = (), functions: int = 30) -> tuple[Start, ...]:
    return tuple(Start(seconds=each / 1000, peak_mib=mib, heavy=heavy, functions=functions) for each in milliseconds)


MEASURED = ColdStart(
    empty=starts(1, 1, 1, mib=50, functions=0),
    ours=starts(8, 9, 900, mib=60),
    first_event=starts(609, 609, 609, mib=100),
    first_pass=starts(1609, 1609, 1609, mib=200, heavy=("azure.mgmt.network",)),
)


def rows(measured: ColdStart) -> dict[str, Row]:
    return {row.measure.strip(): row for row in cold_start(measured).rows}


def test_one_slow_start_of_several_is_no_cold_start() -> None:
    row = rows(MEASURED)["import function_app beyond azure.functions"]

    assert (row.ours, row.verdict, row.about) == ("9 ms", Verdict.MET, Budget.COLD_START)
    assert row.reference == "1 ms, empty app"
    assert row.note == "Medians of 3 starts of each kind."


def test_what_an_event_and_a_pass_load_is_told_without_what_was_loaded_before() -> None:
    found = rows(MEASURED)

    assert found["loaded by the first event, besides"].ours == "600 ms"
    assert found["loaded by the first pass, besides"].ours == "1000 ms"
    assert (found["peak memory after the first pass"].ours, found["peak memory after the first pass"].ratio) == (
        "200 MiB",
        "4",
    )
    assert MEASURED.working_mib == 200


def test_one_management_sdk_that_came_in_with_the_app_misses_the_budget() -> None:
    heavy = replace(MEASURED, ours=(*MEASURED.ours, *starts(9, mib=60, heavy=("azure.mgmt", "azure.mgmt.network"))))

    row = rows(heavy)["azure.mgmt and azure.identity modules loaded by it"]

    assert (row.ours, row.verdict) == ("2", Verdict.MISSED)


def test_an_import_that_takes_longer_than_allowed_misses_the_budget() -> None:
    slow = replace(MEASURED, ours=starts(101, mib=60))

    assert rows(slow)["import function_app beyond azure.functions"].verdict is Verdict.MISSED


def test_an_app_without_functions_was_not_started() -> None:
    with pytest.raises(ReferenceFailed, match="has no functions"):
        cold_start(replace(MEASURED, ours=starts(1, mib=50, functions=0)))


def test_a_pass_that_loaded_no_management_sdk_was_not_composed() -> None:
    with pytest.raises(ReferenceFailed, match="no management SDK"):
        cold_start(replace(MEASURED, first_pass=starts(1, mib=50)))


def test_memory_is_this_processes_own_where_the_system_has_no_file_of_it(tmp_path: Path) -> None:
    told, counted = peak_mib(), peak_mib(tmp_path / "status")

    assert told > 10
    assert counted > 10


@pytest.mark.slow
def test_an_interpreter_that_cannot_import_gives_no_figures_but_says_why() -> None:
    with pytest.raises(
        ReferenceFailed, match=r"could not import: .*ModuleNotFoundError: No module named 'function_apq'"
    ):
        _start("from function_apq import app")
