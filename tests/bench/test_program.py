"""A program of the bench shows what it measured, and its exit status says whether that is everything and trustworthy."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench import dashboard, hosts, program, storm
from bench.rows import ReferenceFailed, Section, bounded, told
from bench.sizes import Storms

ROWS = Section(title="Cost", rows=(told("billed", "1 GB-s"), bounded("time", ours=3, most=2, unit="s")))
PROMISED: Mapping[str, tuple[str, ...]] = {"Cost": ("billed", "time")}


def measured() -> list[Section]:
    return [ROWS]


def useless() -> list[Section]:
    raise ReferenceFailed("a registry was left open")


def test_what_was_measured_is_shown_with_how_much_that_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.run(measured, mode="small") == 0

    shown = capsys.readouterr()
    assert "billed" in shown.out
    assert "small, 0 s" in " ".join(shown.out.split())
    assert shown.err == ""


def test_a_missed_budget_is_shown_and_does_not_fail_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.run(measured, promised=PROMISED) == 0
    assert "MISSED" in capsys.readouterr().out


def test_a_run_that_did_not_do_its_work_shows_no_figures_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "measured.md"

    assert program.run(useless, output=output) == 1

    shown = capsys.readouterr()
    assert shown.err == "The bench has no figures: a registry was left open\n"
    assert shown.out == ""
    assert not output.exists()


@pytest.mark.parametrize(
    ("promised", "said"),
    [
        ({"Cost": ("billed", "time"), "Sweeps": ("writes",)}, "Sweeps: writes was not measured."),
        ({"Cost": ("billed",)}, "Cost: time is not on the bench's list."),
    ],
)
def test_a_row_that_is_missing_or_that_nobody_promised_fails_the_program_and_is_named(
    promised: Mapping[str, tuple[str, ...]], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.run(measured, promised=promised) == 1
    assert capsys.readouterr().err == f"The bench is not complete: {said}\n"


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "", "²"])
def test_nothing_is_not_measured_and_neither_is_what_is_no_number(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number from 1 up"):
        program.some(text)


def test_a_storm_is_of_100_000_events_into_two_and_into_four_hosts_unless_another_one_is_asked_for() -> None:
    assert storm.asked([]) == Storms(events=100_000, hosts=(2, 4), registries=24)
    assert storm.asked(["--events", "500", "--hosts", "3"]) == Storms(events=500, hosts=(3,))


def test_one_to_four_hosts_share_a_queue_unless_others_are_asked_for() -> None:
    assert hosts.asked([]).hosts == (1, 2, 3, 4)
    assert hosts.asked(["2", "1"]).hosts == (2, 1)


def test_a_board_is_of_10_000_registries_unless_another_one_is_asked_for() -> None:
    assert dashboard.asked([]).registries == 10_000
    assert dashboard.asked(["7"]).registries == 7


def test_the_table_is_written_as_markdown_into_a_folder_that_need_not_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "measured.md"

    program.run(measured, mode="full", output=output)

    written = output.read_text(encoding="utf-8")
    assert "| billed |  | 1 GB-s |  |  |  |" in written
    assert "- mode: full, 0 s" in written
    assert "- load when it ended: " in written
    assert capsys.readouterr().out
