"""A recording agrees with the simulated Azure that it was made of, however much of it the sample leaves out."""

import json
import random
from typing import Any

import pytest

from tests.local.simulator.conformance.running import HERE
from tests.local.simulator.sampling import differences, one_by_one, played

UNTOLD = {
    "a second endpoint in a subnet that is being written has to come back":
        "Retry-After depends on who writes in the subnet, and only the left-out request tells",
    "a connection waits for approval, is approved at once and cannot be approved twice":
        "that it was approved before is told by the left-out approval only",
}  # fmt: skip
CASES: list[dict[str, Any]] = [
    {**case, "file": file.stem}
    for file in sorted((HERE / "cases").glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
]
TOLD = [case for case in CASES if case["name"] not in UNTOLD]
SAMPLES = 2


def named(cases: list[dict[str, Any]]) -> list[str]:
    return [f"{case['file']}: {case['name']}" for case in cases]


@pytest.mark.parametrize("case", TOLD, ids=named(TOLD))
def test_a_case_agrees_whole_without_its_beginning_one_by_one_and_in_random_halves(case: dict[str, Any]) -> None:
    exchanges, given = played(case)
    lot = random.Random(case["name"])

    assert differences(exchanges) == []
    assert differences(exchanges[given:]) == []
    assert one_by_one(exchanges) == []
    for _ in range(SAMPLES):
        assert differences([each for each in exchanges if lot.random() < 0.5]) == []


@pytest.mark.parametrize("name", UNTOLD)
def test_only_what_no_remaining_exchange_tells_may_differ(name: str) -> None:
    (case,) = (case for case in CASES if case["name"] == name)
    exchanges, _ = played(case)

    assert one_by_one(each for each in exchanges if each["status"] < 400) == []
