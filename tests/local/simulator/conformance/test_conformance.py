"""The simulated Azure answers as the real one was recorded; every case of cases/*.json is one test."""

import json
from typing import Any

import pytest

from tests.local.simulator.conformance.running import HERE, Run

CASES: list[tuple[str, dict[str, Any]]] = [
    (file.stem, case)
    for file in sorted((HERE / "cases").glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[f"{stem}: {case['name']}" for stem, case in CASES])
def test_the_simulated_azure_answers_as_the_real_one_was_recorded(case: dict[str, Any]) -> None:
    Run(case.get("options", {})).play(case)


def test_every_case_says_what_it_is_and_where_it_was_seen() -> None:
    unnamed = [f"{stem}: {case.get('name')}" for stem, case in CASES if not case.get("name") or not case.get("source")]

    assert unnamed == []


def test_no_two_cases_of_one_file_have_the_same_name() -> None:
    names = [f"{stem}: {case['name']}" for stem, case in CASES]

    assert len(names) == len(set(names))
