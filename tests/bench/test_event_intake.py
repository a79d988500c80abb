"""The intake's figure comes from a run in which each registry's event was taken and no other."""

from bench.event_intake import event_intake


def test_the_intake_takes_each_registrys_event_and_says_how_fast() -> None:
    (row,) = event_intake(2).rows

    assert float(row.ours.replace(",", "")) > 0
