"""What a minute allows starts no program; what is going on is said while it goes on, whatever comes of it."""

from dataclasses import replace

import pytest

from bench import agenda
from bench.rows import ReferenceFailed, Section, told
from bench.sizes import QUICK

FIRST = [Section(title="Cost", rows=(told("billed", "1"),))]


def test_without_programs_some_registries_at_once_are_all_that_follows(capsys: pytest.CaptureFixture[str]) -> None:
    found = agenda._without_programs(replace(QUICK, rush=2), FIRST)

    assert [each.title for each in found] == ["Cost", "2 registries at once, under the published limits"]
    assert capsys.readouterr().err.startswith("measuring some registries at once ... ")


def test_a_measurement_that_failed_is_told_before_it_ends_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    def useless() -> Section:
        raise ReferenceFailed("nothing was isolated")

    with pytest.raises(ReferenceFailed):
        agenda._section("a storm", useless)

    assert capsys.readouterr().err == "measuring a storm ... 0 s\n"
