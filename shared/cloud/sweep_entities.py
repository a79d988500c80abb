"""
Records of sweeps as table entities, and back; pure, so that the records in memory have the same keys and limits.

A sweep's id begins with the time; its row's key begins with what is left of that to the end of time, so that the newest
row comes first and a list needs no sorting.
"""

import re
from collections.abc import Mapping

from pydantic import ValidationError

from shared.cloud.ledger_entities import Entity
from shared.core.errors import MalformedCursor, Refused
from shared.core.sweeps import SWEEP, SWEEP_ID, SweepRecord

PARTITION = "sweeps"
POINTER = "current"
"""Key of the row that names the current sweep; sorts after all that begin with a digit."""
_CHUNK_CHARACTERS = 32_000  # a property holds 64 KiB, text counted as UTF-16 (documentation, table service data model)
_LAST = 10**14 - 1
_PLACE = re.compile(r"[0-9]{14}-[0-9a-f]{8}", re.ASCII)


def sweep_key(sweep: str) -> str | None:
    """Row key of the sweep with this id; None if no sweep can have it."""
    if not SWEEP_ID.fullmatch(sweep):
        return None
    return f"{_LAST - int(sweep[:8] + sweep[9:15]):014d}-{sweep[17:]}"


def sweep_place(after: str) -> str:
    """Row key that *after* stands for; raises MalformedCursor."""
    if not _PLACE.fullmatch(after):
        raise MalformedCursor("The cursor did not come from the list of sweeps; ask for the first page again.")
    return after


def to_sweep_entity(record: SweepRecord) -> Entity:
    """The entity that holds *record*; bounded, as everything that grows with the number of registries is a count."""
    key = sweep_key(record.id)
    if key is None:
        raise AssertionError(f"{record.id} is not the id of a sweep.")
    text = SWEEP.dump_json(record, ensure_ascii=True).decode("ascii")
    columns: Entity = {"PartitionKey": PARTITION, "RowKey": key, "sweep": record.id, "state": record.state.value}
    chunks = range(0, len(text), _CHUNK_CHARACTERS)
    return columns | {f"json{at:02d}": text[begin : begin + _CHUNK_CHARACTERS] for at, begin in enumerate(chunks)}


def to_pointer_entity(record: SweepRecord) -> Entity:
    """The entity that says which sweep is the current one."""
    return {"PartitionKey": PARTITION, "RowKey": POINTER, "sweep": record.id}


def from_sweep_entity(entity: Mapping[str, object]) -> SweepRecord:
    """
    The record that *entity* holds.

    Raises:
        Refused: This version of the app cannot read it.
    """
    text = "".join(str(entity[name]) for name in sorted(name for name in entity if name.startswith("json")))
    try:
        return SWEEP.validate_json(text)
    except ValidationError as error:
        raise Refused(
            f"The record of sweep {entity.get('sweep')} cannot be read by this version of the app; delete the entity "
            f"(PartitionKey {PARTITION}, RowKey {entity.get('RowKey')}) and the one with RowKey {POINTER}.",
            code="SweepUnreadable",
            operation="read sweep",
        ) from error
