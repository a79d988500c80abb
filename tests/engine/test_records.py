"""Rows and history entries as JSON: what is written is read back, also by versions that did not write it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.core.changes import Change, CreateZone
from shared.core.report import (
    Audited,
    BlockedOutcome,
    Converged,
    Exempt,
    Failed,
    Gone,
    Outcome,
    Reason,
    Superseded,
    Waiting,
)
from shared.engine.records import HISTORY_ENTRY, ROW, Claim, HistoryEntry, LedgerRow, Operation
from tests.contract.state import a_full_row, an_entry
from tests.core.worlds import registry_id, zone_id
from tests.engine.desk import ALPHA, a_row
from tests.engine.test_logs import VALUES
from tests.engine.test_pacing import FIRST_LOOKS
from tests.virtual_time import EPOCH

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- hypothesis adds the zone
REASONS = st.builds(Reason, name=TEXT, sentence=TEXT, resource=TEXT)
CHANGES = st.sampled_from([change for change, _ in FIRST_LOOKS])
OUTCOMES: list[Outcome] = [
    Converged(),
    Waiting(until=EPOCH, reasons=(Reason(name="a", sentence="b"),)),
    BlockedOutcome(reasons=()),
    Failed(reason=Reason(name="a", sentence="b")),
    Audited(changes=3),
    Exempt(why="because"),
    Gone(),
    Superseded(),
]
ROWS = st.builds(
    LedgerRow,
    registry=st.just(ALPHA),
    generation=st.integers(1, 2**53),
    sequence=st.integers(0, 2**53),
    first_seen=MOMENTS,
    requested=MOMENTS,
    reason=TEXT,
    origin=TEXT,
    caller=TEXT,
    operations=st.lists(
        st.builds(Operation, change=CHANGES, started=MOMENTS, due=MOMENTS, url=TEXT, checks=st.integers(0, 99)),
        max_size=3,
    ).map(tuple),
    pending=st.lists(CHANGES, max_size=3).map(tuple),
    claim=st.none() | st.builds(Claim, holder=TEXT, until=MOMENTS),
    failures=st.integers(0, 1000),
    refused=st.dictionaries(TEXT, REASONS, max_size=2),
    repairs=st.dictionaries(TEXT, st.integers(0, 9), max_size=2),
    denied_since=st.dictionaries(TEXT, MOMENTS, max_size=2),
    missing_since=st.none() | MOMENTS,
    closed_since=st.none() | MOMENTS,
    zones=st.dictionaries(TEXT, st.lists(TEXT, max_size=2).map(tuple), max_size=2),
    observed=st.booleans(),
    snapshots=st.dictionaries(TEXT, st.dictionaries(TEXT, VALUES, max_size=2), max_size=2),
    outcome=st.none() | st.sampled_from(OUTCOMES),
)


def stored(row: LedgerRow) -> dict[str, Any]:
    """*row* as a JSON document."""
    document: dict[str, Any] = json.loads(ROW.dump_json(row))
    return document


def test_a_row_with_something_in_every_member_comes_back_equal() -> None:
    row = a_full_row(ALPHA)

    assert ROW.validate_json(ROW.dump_json(row)) == row
    assert ROW.validate_python(stored(row)) == row


@given(row=ROWS)
def test_any_row_comes_back_equal(row: LedgerRow) -> None:
    assert ROW.validate_python(stored(row)) == row


@pytest.mark.parametrize("change", [change for change, _ in FIRST_LOOKS], ids=lambda change: change.kind)
def test_each_kind_of_change_can_be_carried_on_by_another_process(change: Change) -> None:
    operation = Operation(change=change, started=EPOCH, due=EPOCH, url="https://management.azure.com/op?t=1&s=a%2Fb")
    row = a_row(operations=(operation,), pending=(change,))

    read = ROW.validate_json(ROW.dump_json(row))

    assert read.operations == (operation,)
    assert type(read.pending[0]) is type(change)


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.kind)
def test_each_outcome_comes_back_as_what_it_was(outcome: Outcome) -> None:
    read = ROW.validate_json(ROW.dump_json(a_row(outcome=outcome)))

    assert read.outcome == outcome
    assert type(read.outcome) is type(outcome)


OLDEST = {
    "registry": ALPHA.text,
    "generation": 4,
    "first_seen": "2026-01-05T00:00:00Z",
    "requested": "2026-01-05T00:00:00Z",
}


def test_a_row_that_holds_only_what_every_version_wrote_is_still_read() -> None:
    assert ROW.validate_python(OLDEST) == a_row(generation=4)


@pytest.mark.parametrize("name", sorted(stored(a_full_row(ALPHA)).keys() - OLDEST.keys()))
def test_a_row_written_before_a_member_existed_is_still_read(name: str) -> None:
    document = stored(a_full_row(ALPHA))
    del document[name]

    read = ROW.validate_python(document)

    assert getattr(read, name) == getattr(a_row(), name)
    assert read.generation == 7


def test_an_operation_written_before_urls_and_checks_existed_is_still_read() -> None:
    document = stored(a_full_row(ALPHA))
    for name in ("url", "checks"):
        del document["operations"][0][name]

    (operation,) = ROW.validate_python(document).operations

    assert (operation.url, operation.checks) == ("", 0)


def test_a_row_written_by_a_later_version_is_read_without_what_is_new() -> None:
    document = stored(a_full_row(ALPHA)) | {"invented-later": {"a": 1}}

    assert ROW.validate_python(document) == a_full_row(ALPHA)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("registry", "alpha"),
        ("registry", None),
        ("generation", "many"),
        ("first_seen", "yesterday"),
        ("operations", [{}]),
        ("pending", [{"kind": "invented-later"}]),
        ("outcome", {"kind": "invented-later"}),
    ],
)
def test_a_row_that_cannot_mean_what_it_says_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        ROW.validate_python(stored(a_full_row(ALPHA)) | {name: value})


def test_times_keep_their_zone_and_their_microseconds() -> None:
    precise = EPOCH + timedelta(microseconds=1)

    read = ROW.validate_json(ROW.dump_json(a_row(requested=precise)))

    assert read.requested == precise
    assert read.requested.utcoffset() == timedelta()


def test_an_id_keeps_the_casing_in_which_it_was_received() -> None:
    shouted = CreateZone(zone=zone_id("Privatelink.API.azureml.ms", "RG-DNS"))

    (read,) = ROW.validate_json(ROW.dump_json(a_row(pending=(shouted,)))).pending

    assert read.resource.text == shouted.zone.text


@pytest.mark.parametrize("registry", [ALPHA, None])
def test_a_history_entry_comes_back_equal(registry: Any) -> None:
    entry = an_entry(registry, "create-zone:x")

    assert HISTORY_ENTRY.validate_json(HISTORY_ENTRY.dump_json(entry)) == entry


def test_a_history_entry_that_holds_only_what_every_version_wrote_is_still_read() -> None:
    document = {
        "at": "2026-01-05T00:00:00Z",
        "registry": registry_id().text,
        "kind": "change",
        "subject": "s",
        "sentence": "t",
    }

    assert HISTORY_ENTRY.validate_python(document) == HistoryEntry(
        at=EPOCH, registry=ALPHA, kind="change", subject="s", sentence="t"
    )
