"""An event that concerns nobody writes nothing, and its figure is judged."""

from bench.irrelevant_events import APP, irrelevant, irrelevant_events
from bench.rows import Verdict
from shared.core.events import RESOURCE_WRITE


def test_nothing_is_written_for_events_that_concern_nobody() -> None:
    timed, written = irrelevant_events(2).rows

    assert float(timed.ours.removesuffix(" ms")) > 0
    assert timed.reference.endswith("ms to read its JSON")
    assert (written.ours, written.verdict) == ("0", Verdict.MET)


def test_there_is_an_event_for_each_reason_to_concern_nobody() -> None:
    service, own, failed, action = irrelevant()

    assert "/Microsoft.Compute/" in str(service["subject"])
    assert APP in str(own["data"])
    assert {str(service["eventType"]), str(own["eventType"])} == {RESOURCE_WRITE}
    assert str(failed["eventType"]).endswith("WriteFailure")
    assert str(action["eventType"]).endswith("ActionSuccess")
