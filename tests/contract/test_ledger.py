"""What every ledger promises, in memory and on Azure Tables."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.arm import ResourceId
from shared.core.errors import ChangedUnderneath, Refused
from shared.engine.ports import Ledger, LedgerEntry
from tests.contract.state import a_full_row, a_registry, a_row, an_entry


async def test_an_unknown_registry_has_no_row(ledger: Ledger) -> None:
    assert await ledger.read(a_registry()) is None


async def test_a_row_comes_back_exactly_as_written(ledger: Ledger) -> None:
    row = a_full_row(a_registry())

    written = await ledger.write(row, None)
    read = await ledger.read(row.registry)

    assert read is not None
    assert read.row == row
    assert read.etag == written.etag


async def test_a_row_is_found_under_every_casing_of_its_id(ledger: Ledger) -> None:
    registry = a_registry()
    await ledger.write(a_row(registry), None)

    shouted = ResourceId.parse(registry.text.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/"))
    read = await ledger.read(shouted)

    assert read is not None
    assert read.row.registry.text == registry.text


async def test_rows_of_similar_registries_do_not_meet(ledger: Ledger) -> None:
    registry = a_registry("foo")
    neighbour = registry.resource("Microsoft.MachineLearningServices/registries", "foo_bar")

    await ledger.write(a_row(registry, 1), None)
    await ledger.write(a_row(neighbour, 2), None)
    first, second = await ledger.read(registry), await ledger.read(neighbour)

    assert first is not None
    assert second is not None
    assert [first.row.generation, second.row.generation] == [1, 2]


async def test_a_row_replaces_the_one_it_was_read_from(ledger: Ledger) -> None:
    row = a_full_row(a_registry())
    first = await ledger.write(row, None)

    second = await ledger.write(a_row(row.registry, 8), first.etag)
    read = await ledger.read(row.registry)

    assert read == second
    assert read.row == a_row(row.registry, 8)
    assert second.etag != first.etag


async def test_a_second_first_row_is_refused(ledger: Ledger) -> None:
    row = a_row(a_registry())
    await ledger.write(row, None)

    with pytest.raises(ChangedUnderneath, match="contoso-models"):
        await ledger.write(replace(row, generation=2), None)

    read = await ledger.read(row.registry)
    assert read is not None
    assert read.row.generation == 1


async def test_a_write_against_an_old_etag_is_refused(ledger: Ledger) -> None:
    row = a_row(a_registry())
    first = await ledger.write(row, None)
    await ledger.write(replace(row, generation=2), first.etag)

    with pytest.raises(ChangedUnderneath):
        await ledger.write(replace(row, generation=3), first.etag)

    read = await ledger.read(row.registry)
    assert read is not None
    assert read.row.generation == 2


async def test_a_write_against_a_row_that_is_gone_is_refused(ledger: Ledger) -> None:
    row = a_row(a_registry())
    other = await ledger.write(a_row(a_registry()), None)

    with pytest.raises(ChangedUnderneath):
        await ledger.write(row, other.etag)


async def test_of_two_writers_with_one_etag_exactly_one_wins(ledger: Ledger) -> None:
    row = a_row(a_registry())
    first = await ledger.write(row, None)
    rivals = [replace(row, generation=generation) for generation in range(2, 10)]

    results = await asyncio.gather(*(ledger.write(rival, first.etag) for rival in rivals), return_exceptions=True)

    winners = [result for result in results if isinstance(result, LedgerEntry)]
    losers = [result for result in results if isinstance(result, ChangedUnderneath)]
    read = await ledger.read(row.registry)
    assert len(winners) == 1
    assert len(losers) == len(rivals) - 1
    assert read == winners[0]


async def test_of_two_first_rows_exactly_one_wins(ledger: Ledger) -> None:
    registry = a_registry()
    rivals = [a_row(registry, generation) for generation in range(1, 9)]

    results = await asyncio.gather(*(ledger.write(rival, None) for rival in rivals), return_exceptions=True)

    winners = [result for result in results if isinstance(result, LedgerEntry)]
    assert len(winners) == 1
    assert sum(isinstance(result, ChangedUnderneath) for result in results) == len(rivals) - 1
    assert await ledger.read(registry) == winners[0]


async def test_a_row_far_larger_than_a_property_comes_back(ledger: Ledger) -> None:
    registry = a_registry()
    text = "Ж'\"\\" * 30_000
    row = replace(a_row(registry), snapshots={"a": {"text": text}, "b": {"text": text[::-1]}})

    await ledger.write(row, None)
    read = await ledger.read(registry)

    assert read is not None
    assert read.row == row


async def test_a_row_that_cannot_fit_is_refused_by_name_and_nothing_is_cut_off(ledger: Ledger) -> None:
    registry = a_registry()
    first = await ledger.write(a_row(registry), None)
    noise = "".join(chr(0x4E00 + (at * 7919 + at * at * 31) % 20_000) for at in range(900_000))

    with pytest.raises(Refused, match=r"contoso-models.*1 MiB") as refusal:
        await ledger.write(replace(a_row(registry), snapshots={"a": {"text": noise}}), first.etag)

    assert refusal.value.code == "EntityTooLarge"
    assert await ledger.read(registry) == first


async def test_history_comes_newest_first(ledger: Ledger) -> None:
    registry = a_registry()
    await ledger.append([an_entry(registry, "second", after=timedelta(seconds=1))])
    await ledger.append([an_entry(registry, "first"), an_entry(registry, "fourth", after=timedelta(days=1))])
    await ledger.append([an_entry(registry, "third", after=timedelta(seconds=1, microseconds=1))])

    entries = await ledger.history(registry)

    assert [entry.subject for entry in entries] == ["fourth", "third", "second", "first"]
    assert entries[-1] == an_entry(registry, "first")


async def test_entries_of_one_moment_keep_their_order(ledger: Ledger) -> None:
    registry = a_registry()
    subjects = [f"change {number}" for number in range(12)]

    await ledger.append([an_entry(registry, subject) for subject in subjects])

    assert [entry.subject for entry in await ledger.history(registry)] == subjects[::-1]


async def test_history_is_limited_to_the_newest(ledger: Ledger) -> None:
    registry = a_registry()
    await ledger.append([an_entry(registry, str(at), after=timedelta(seconds=at)) for at in range(5)])

    assert [entry.subject for entry in await ledger.history(registry, 2)] == ["4", "3"]
    assert await ledger.history(registry, 0) == ()


async def test_more_entries_than_one_transaction_holds_are_all_kept(ledger: Ledger) -> None:
    registry, other = a_registry(), a_registry()
    entries = [an_entry(registry if at % 2 else other, str(at), after=timedelta(seconds=at)) for at in range(250)]

    await ledger.append(entries)

    assert [entry.subject for entry in await ledger.history(registry, 1000)] == [str(at) for at in range(249, 0, -2)]
    assert [entry.subject for entry in await ledger.history(other, 1000)] == [str(at) for at in range(248, -1, -2)]


async def test_an_append_that_is_repeated_adds_nothing(ledger: Ledger) -> None:
    registry = a_registry()
    entries = [an_entry(registry, "one"), an_entry(registry, "one"), an_entry(registry, "two")]

    await ledger.append(entries)
    await ledger.append(entries)

    assert [entry.subject for entry in await ledger.history(registry)] == ["two", "one", "one"]


async def test_histories_are_kept_apart(ledger: Ledger) -> None:
    registry, other = a_registry(), a_registry()
    await ledger.append([an_entry(registry, "mine"), an_entry(other, "other"), an_entry(None, "rejected")])

    assert [entry.subject for entry in await ledger.history(registry)] == ["mine"]
    assert [entry.subject for entry in await ledger.history(other)] == ["other"]
    assert [entry.subject for entry in await ledger.history(None)] == ["rejected"]


async def test_a_registry_without_history_has_none(ledger: Ledger) -> None:
    assert await ledger.history(a_registry()) == ()
    await ledger.append([])
    assert await ledger.history(None) == ()


async def test_an_entry_too_large_is_kept_with_a_marker(ledger: Ledger) -> None:
    registry = a_registry()
    huge = replace(
        an_entry(registry, "huge"), sentence="𝄞" * 100_000, before={"text": "'" * 400_000}, after={"text": "short"}
    )

    await ledger.append([huge, an_entry(registry, "small")])
    small, kept = await ledger.history(registry)

    assert small == an_entry(registry, "small")
    assert kept.sentence.endswith("... (98000 more characters were cut off)")
    assert kept.before == {"truncated": "400011 characters of JSON were too long for the history."}


async def test_hostile_texts_come_back_readable(ledger: Ledger) -> None:
    registry = a_registry()
    hostile = "' or PartitionKey ne '\x00\x1b[31m\u202e\ud800/\\#?%"

    await ledger.append([an_entry(registry, hostile), an_entry(None, hostile)])
    (entry,), (rejected,) = await ledger.history(registry), await ledger.history(None)

    assert entry.subject == hostile.replace("\ud800", "?")
    assert rejected.subject == entry.subject
