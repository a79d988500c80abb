"""What is special to the ledger on Azure Tables: its entities, its transactions, its errors."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cloud.ledger import TableLedger, batches
from shared.cloud.ledger_entities import (
    Entity,
    from_history_entity,
    from_row_entity,
    history_partition,
    row_keys,
    to_history_entity,
    to_row_entity,
)
from shared.core.arm import ResourceId
from shared.core.errors import (
    AccessDenied,
    Busy,
    ChangedUnderneath,
    Refused,
    RegistryIsolationError,
    Throttled,
    Unavailable,
)
from shared.core.report import Converged
from shared.engine.ports import Ledger
from tests.cloud.scripted_storage import Answer, Asked, scripted_storage
from tests.contract.state import a_full_row, a_registry, a_row, an_entry
from tests.virtual_time import EPOCH

CREATED = Answer(status=204, headers={"ETag": "W/\"datetime'1'\""})
TABLE_CREATED = Answer(status=204)
NO_TABLE = Answer(status=404, code="TableNotFound")

texts = st.text(max_size=300)


@asynccontextmanager
async def a_ledger(*answers: Answer) -> AsyncIterator[tuple[Ledger, list[Asked]]]:
    async with scripted_storage(answers, tables=True) as storage:
        ledger = TableLedger(storage.account)
        try:
            yield ledger, storage.asked
        finally:
            await ledger.aclose()


def lines(asked: Sequence[Asked]) -> list[str]:
    return [f"{each.method} {each.path.removeprefix('/scripted')}" for each in asked]


def test_keys_hold_nothing_but_letters_digits_and_hyphens() -> None:
    registry = ResourceId.parse(
        "/subscriptions/0F6B2D4E-77aa-4c1b-9a53-2f3d0c8e1a55/resourceGroups/gruppe-(ß)~{$}/providers/"
        "Microsoft.MachineLearningServices/registries/foo"
    )

    for key in (*row_keys(registry), history_partition(registry), history_partition(None)):
        assert key.replace("-", "").isalnum()
        assert key.isascii()
        assert key == key.lower()


def test_a_person_can_read_the_columns_of_a_row() -> None:
    registry = a_registry()

    asked = to_row_entity(a_row(registry, 12))
    finished = to_row_entity(replace(a_row(registry, 12), outcome=Converged()))

    assert (asked["registry"], asked["generation"], asked["phase"]) == (registry.text, "12", "requested")
    assert finished["phase"] == "converged"
    assert str(asked["json00"]).startswith('{"registry":"/subscriptions/')


def test_no_property_of_an_entity_exceeds_its_limit() -> None:
    row = replace(a_full_row(a_registry()), snapshots={"a": {"text": "ä" * 2_000_000}})

    entity = to_row_entity(row)

    assert from_row_entity(entity, row.registry) == row
    for value in entity.values():
        size = len(value) if isinstance(value, bytes) else 2 * len(str(value))
        assert size <= 2**16


@pytest.mark.parametrize(
    "damage",
    [
        {"json00": "not json"},
        {"json00": '{"registry": 1}'},
        {"zlib00": b"not zlib"},
        {"zlib00": b"x\x9c\x03\x00"},
        {},
    ],
)
def test_a_row_that_cannot_be_read_names_the_entity_and_the_way_out(damage: Entity) -> None:
    registry = a_registry()
    partition, key = row_keys(registry)

    with pytest.raises(Refused, match=f"delete the entity .PartitionKey {partition}, RowKey {key}.") as refusal:
        from_row_entity({"PartitionKey": partition, "RowKey": key, **damage}, registry)

    assert refusal.value.code == "LedgerRowUnreadable"


def test_a_row_written_by_a_newer_version_is_still_read() -> None:
    row = a_full_row(a_registry())
    entity = to_row_entity(row)
    entity["json00"] = str(entity["json00"]).replace("{", '{"a_later_member":[1],', 1)

    assert from_row_entity(entity, row.registry) == row


def test_a_history_entry_that_cannot_be_read_says_so_in_its_place() -> None:
    registry = a_registry()
    entity = to_history_entity(an_entry(registry, "one", after=timedelta(days=3, microseconds=5)), 0)
    entity["json00"] = "{"

    entry = from_history_entity(entity, registry)

    assert entry.at == EPOCH + timedelta(days=3, microseconds=5)
    assert str(entity["RowKey"]) in entry.sentence


@given(subject=texts, sentence=texts, key=texts, value=texts)
def test_any_text_survives_the_history_but_lone_surrogates(subject: str, sentence: str, key: str, value: str) -> None:
    registry = a_registry()
    entry = replace(an_entry(registry, subject), sentence=sentence, before={key: [value]})

    read = from_history_entity(to_history_entity(entry, 0), registry)

    assert read == entry


@given(st.lists(st.tuples(st.timedeltas(timedelta(), timedelta(days=9)), st.integers(0, 9)), min_size=2, max_size=9))
def test_keys_sort_newest_and_last_first(moments: list[tuple[timedelta, int]]) -> None:
    registry = a_registry()
    keys = {
        moment: str(to_history_entity(an_entry(registry, "x", after=moment[0]), moment[1])["RowKey"])
        for moment in moments
    }

    assert sorted(keys, key=lambda moment: keys[moment]) == sorted(keys, reverse=True)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1_600_000)), max_size=250))
def test_transactions_keep_to_one_partition_a_hundred_entities_and_four_mebibytes(
    weights: list[tuple[str, int]],
) -> None:
    blank = " " * 1_600_000
    entities: list[Entity] = [
        {"PartitionKey": partition, "RowKey": str(at), "json00": blank[:weight]}
        for at, (partition, weight) in enumerate(weights)
    ]

    cut = list(batches(entities))

    assert sorted(str(entity["RowKey"]) for batch in cut for entity in batch) == sorted(map(str, range(len(entities))))
    for batch in cut:
        assert 1 <= len(batch) <= 100
        assert len({entity["PartitionKey"] for entity in batch}) == 1
        assert len(batch) == 1 or sum(len(str(entity["json00"])) for entity in batch) < 2**22


async def test_a_missing_table_is_created_once_and_only_then() -> None:
    async with a_ledger(NO_TABLE, TABLE_CREATED, CREATED, CREATED) as (ledger, asked):
        await ledger.write(a_row(a_registry()), None)
        await ledger.write(a_row(a_registry()), None)

    assert lines(asked) == ["POST /registries", "POST /Tables", "POST /registries", "POST /registries"]


async def test_a_table_that_somebody_else_just_created_is_as_good() -> None:
    taken = Answer(status=409, code="TableAlreadyExists")
    async with a_ledger(NO_TABLE, taken, CREATED) as (ledger, asked):
        entry = await ledger.write(a_row(a_registry()), None)

    assert entry.etag == CREATED.headers["ETag"]
    assert len(asked) == 3


async def test_a_table_that_stays_missing_is_not_created_forever() -> None:
    async with a_ledger(NO_TABLE, TABLE_CREATED, NO_TABLE) as (ledger, asked):
        with pytest.raises(RegistryIsolationError, match="write ledger row"):
            await ledger.write(a_row(a_registry()), None)

    assert len(asked) == 3


async def test_reading_creates_nothing() -> None:
    async with a_ledger(NO_TABLE) as (ledger, asked):
        assert await ledger.read(a_registry()) is None
        assert await ledger.history(a_registry()) == ()

    assert [each.method for each in asked] == ["GET", "GET"]


@pytest.mark.parametrize(
    ("answer", "leaf"),
    [
        (Answer(status=503, code="ServerBusy"), Unavailable),
        (Answer(status=500, code="OperationTimedOut"), Unavailable),
        (Answer(status=500), Unavailable),
        (Answer(status=429, code="TooManyRequests"), Throttled),
        (Answer(status=403, code="AuthorizationPermissionMismatch"), AccessDenied),
        (Answer(status=409, code="TableBeingDeleted"), Busy),
        (Answer(status=400, code="OutOfRangeInput", message="The 'RowKey' is too long."), Refused),
    ],
)
async def test_each_refusal_has_its_name_and_is_not_tried_again(
    answer: Answer, leaf: type[RegistryIsolationError]
) -> None:
    registry = a_registry()
    async with a_ledger(answer) as (ledger, asked):
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: ledger.read(registry),
            lambda: ledger.write(a_row(registry), None),
            lambda: ledger.write(a_row(registry), "W/\"datetime'1'\""),
            lambda: ledger.append([an_entry(registry, "one")]),
            lambda: ledger.history(registry),
        ]
        for number, call in enumerate(calls, start=1):
            with pytest.raises(leaf) as refusal:
                await call()
            assert refusal.value.code == answer.code
            assert answer.message.removesuffix(".") in refusal.value.sentence or not answer.code or leaf is Busy
            assert len(asked) == number


async def test_a_table_account_that_does_not_answer_is_unavailable() -> None:
    async with scripted_storage([CREATED]) as storage:
        gone = storage.account
    ledger = TableLedger(gone)

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        await ledger.read(a_registry())

    await ledger.aclose()


async def test_an_old_etag_is_sent_as_a_condition() -> None:
    stale = Answer(status=412, code="UpdateConditionNotSatisfied")
    async with a_ledger(stale) as (ledger, asked):
        with pytest.raises(ChangedUnderneath):
            await ledger.write(a_row(a_registry()), "W/\"datetime'1'\"")

    assert asked[0].method == "PUT"
    assert asked[0].headers["if-match"] == "W/\"datetime'1'\""


async def test_a_closed_ledger_opens_again_when_it_is_used() -> None:
    async with a_ledger(NO_TABLE) as (ledger, _):
        assert isinstance(ledger, TableLedger)
        await ledger.read(a_registry())
        await ledger.aclose()
        await ledger.aclose()

        assert await ledger.read(a_registry()) is None
