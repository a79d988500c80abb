"""Faults that the slice of the campaign leaves out strike where their line says, and the app comes to its end by itself."""

from datetime import timedelta

import pytest

from local.campaign.cases import Case
from local.campaign.trial import attempt


@pytest.mark.parametrize(
    ("line", "within"),
    [
        ("audit:1:down@3x1+forbidden@8x1", timedelta(minutes=2)),
        ("audit:1:table-down@0x10", timedelta(minutes=10)),
        ("audit:1:nonsense@4x2+gateway@6x1", timedelta(minutes=1)),
        ("audit:1:unavailable@2x1+error@6x1", timedelta(minutes=1)),
        ("create:1:lagging@20x3", timedelta(minutes=20)),
    ],
)
def test_the_app_recovers_from_what_struck_without_a_sweep(line: str, within: timedelta) -> None:
    case = Case.parse(line)

    trial = attempt(case)

    assert trial.problems == ()
    assert sorted(map(str, trial.struck)) == sorted(map(str, case.injections))
    assert not trial.swept
    assert trial.recovery is not None
    assert timedelta() <= trial.recovery <= within
