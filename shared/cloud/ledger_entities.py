"""
Ledger rows and history entries as table entities, and back.

Keys are hashes, so that no name can break out of a key or a filter; the readable names are columns. The value itself
is ASCII JSON, cut into as many properties as it takes. Pure: the in-memory ledger keeps the same entities, and so
has the same limits.
"""

import json
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from pydantic import ValidationError

from shared.core.arm import ResourceId
from shared.core.drifts import Drift
from shared.core.errors import MalformedCursor, Refused
from shared.core.registry import Json
from shared.core.report import Waiting
from shared.engine.records import HISTORY_ENTRY, ROW, HistoryEntry, LedgerRow, LedgerSummary

type Entity = dict[str, str | int | bytes]

# An entity may hold 1 MiB, a property 64 KiB, text counted as UTF-16 (documentation, understanding the table service).
# The rest of the mebibyte is for the keys and the columns.
_CHUNK_CHARACTERS = 32_000
_CHUNK_BYTES = 64_000
_MOST_CHUNKS = 14
MOST_CHARACTERS = 64 * 2**20
"""Longest JSON text of a row; more is not even tried to be compressed, so reading one never exhausts the memory."""

REJECTED = "rejected"
"""History partition of input that names no registry."""
_MOST_ENTRY_CHARACTERS = 8 * _CHUNK_CHARACTERS
_MOST_TEXT_CHARACTERS = 2_000
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST_MICROSECOND = 10**18 - 1
_LAST_POSITION = 10**6 - 1
_MOST_SUMMARY_CHARACTERS = 300
SUMMARY_COLUMNS = (
    *("registry", "generation", "phase", "requested", "at", "due", "verified", "sentence", "outbox"),
    *("reason", "findings", "drift"),
)
"""Columns of a row's entity that make up its summary."""
_ROW_CURSOR = re.compile(r"[0-9a-f-]{1,64}/[0-9a-f]{64}", re.ASCII)
_HISTORY_CURSOR = re.compile(r"\d{18}-\d{6}-[0-9a-f]{16}", re.ASCII)
_SURROGATE = "\\ud"
"""How ASCII JSON begins to write a surrogate, lone or of a pair."""
_TEXTS = ("subject", "sentence", "origin", "caller", "digest", "result")


def row_keys(registry: ResourceId) -> tuple[str, str]:
    """Partition and row key of a registry's row: its subscription and the hash of its id."""
    return registry.subscription.lower(), _hashed(registry)


def history_partition(registry: ResourceId | None) -> str:
    """Partition of a registry's history, or of rejected input."""
    return REJECTED if registry is None else _hashed(registry)


def to_row_entity(row: LedgerRow) -> Entity:
    """
    The entity that holds *row*.

    Raises:
        Refused: The row does not fit into an entity.
    """
    partition, key = row_keys(row.registry)
    text = _ascii_json(ROW.dump_python(row, mode="json"))
    columns: Entity = {"PartitionKey": partition, "RowKey": key} | _columns(row)
    chunks = _packed(text)
    if chunks is None:
        raise Refused(
            f"What the ledger has to remember of registry {row.registry.name} ({len(text)} characters, "
            f"{len(row.pending)} pending changes, {len(row.snapshots)} snapshots) does not fit into a table entity of "
            "1 MiB; lower limits.changes_per_registry in the policy.",
            code="EntityTooLarge",
            resource_id=row.registry.text,
            operation="write ledger row",
        )
    return columns | chunks


def _columns(row: LedgerRow) -> Entity:
    """What lists show; texts, so that a person can read them too."""
    reasons = row.report.reasons if row.report else ()
    return {
        "registry": row.registry.text,
        "generation": str(row.generation),
        "phase": row.outcome.kind if row.outcome else "requested",
        "requested": row.requested.isoformat(),
        "at": row.report.at.isoformat() if row.report else "",
        "due": row.outcome.until.isoformat() if isinstance(row.outcome, Waiting) else "",
        "verified": row.verified.isoformat() if row.verified else "",
        "sentence": str(_well_formed(reasons[0].sentence[:_MOST_SUMMARY_CHARACTERS])) if reasons else "",
        "outbox": "waiting" if row.outbox else "",
        "reason": reasons[0].name if reasons else "",
        "findings": " ".join(dict.fromkeys(finding.code for finding in row.report.findings)) if row.report else "",
        "drift": _drift_text(row.drift) if row.drift else "",
    }


def from_summary_entity(entity: Mapping[str, object]) -> LedgerSummary:
    """The summary that the columns of *entity* hold; a column that is missing was written by an earlier version."""
    texts = {name: str(entity.get(name) or "") for name in SUMMARY_COLUMNS}
    moments = {name: datetime.fromisoformat(texts[name]) if texts[name] else None for name in ("at", "due", "verified")}
    return LedgerSummary(
        registry=ResourceId.parse(texts["registry"]),
        generation=int(texts["generation"]),
        phase=texts["phase"],
        requested=datetime.fromisoformat(texts["requested"]) if texts["requested"] else _FIRST,
        sentence=texts["sentence"],
        outbox=bool(texts["outbox"]),
        reason=texts["reason"],
        findings=tuple(texts["findings"].split()),
        drift=_drift(texts["drift"]) if texts["drift"] else None,
        **moments,
    )


def _drift_text(drift: Drift) -> str:
    return f"{drift.found.isoformat()} {drift.repaired.isoformat() if drift.repaired else '-'} {drift.number}"


def _drift(text: str) -> Drift:
    found, repaired, number = text.split()
    at = None if repaired == "-" else datetime.fromisoformat(repaired)
    return Drift(found=datetime.fromisoformat(found), repaired=at, number=int(number))


def row_cursor(entity: Mapping[str, object]) -> str:
    """The place behind *entity* in the list of rows."""
    return f"{entity['PartitionKey']}/{entity['RowKey']}"


def row_place(after: str) -> tuple[str, str]:
    """Partition and row key that *after* stands for; raises MalformedCursor."""
    if not _ROW_CURSOR.fullmatch(after):
        raise MalformedCursor("The cursor did not come from this list; ask for the first page again.")
    partition, _, key = after.partition("/")
    return partition, key


def history_place(after: str) -> str:
    """Row key that *after* stands for; raises MalformedCursor."""
    if not _HISTORY_CURSOR.fullmatch(after):
        raise MalformedCursor("The cursor did not come from this history; ask for the first page again.")
    return after


def from_row_entity(entity: Mapping[str, object], registry: ResourceId) -> LedgerRow:
    """
    The row that *entity* holds.

    Raises:
        Refused: This version of the app cannot read it.
    """
    try:
        return ROW.validate_json(_unpacked(entity))
    except (ValidationError, ValueError, zlib.error) as error:
        partition, key = row_keys(registry)
        raise Refused(
            f"The ledger row of registry {registry.name} cannot be read by this version of the app; deploy the version "
            f"that wrote it, or delete the entity (PartitionKey {partition}, RowKey {key}) so that the registry is "
            "looked at afresh.",
            code="LedgerRowUnreadable",
            resource_id=registry.text,
            operation="read ledger row",
        ) from error


def to_history_entity(entry: HistoryEntry, position: int) -> Entity:
    """
    The entity that holds *entry*, the *position*-th of its append.

    Its key sorts newest first and depends on nothing but the arguments: an append that is repeated, because its
    answer was lost, writes the same entities again.
    """
    text = _bounded(entry)
    age = _LAST_MICROSECOND - (entry.at - _FIRST) // timedelta(microseconds=1)
    turn = _LAST_POSITION - position
    key = f"{age:018d}-{turn:06d}-{sha256(text.encode()).hexdigest()[:16]}"
    chunks = _packed(text)
    if chunks is None:
        raise AssertionError("A bounded history entry fits into an entity.")
    return {"PartitionKey": history_partition(entry.registry), "RowKey": key, "kind": entry.kind} | chunks


def from_history_entity(entity: Mapping[str, object], registry: ResourceId | None) -> HistoryEntry:
    """The entry that *entity* holds; one that cannot be read says so instead of hiding the rest of the history."""
    try:
        return HISTORY_ENTRY.validate_json(_unpacked(entity))
    except (ValidationError, ValueError, zlib.error):
        key = str(entity["RowKey"])
        return HistoryEntry(
            at=_moment(key),
            registry=registry,
            kind="rejected",
            subject="unreadable history entry",
            sentence=f"The history entry with RowKey {key} cannot be read by this version of the app.",
        )


def _moment(key: str) -> datetime:
    """When the entry under *key* was made; the first moment of all for a key that somebody else made up."""
    if not _HISTORY_CURSOR.fullmatch(key):
        return _FIRST
    try:
        return _FIRST + timedelta(microseconds=_LAST_MICROSECOND - int(key.partition("-")[0]))
    except OverflowError:
        return _FIRST


def _hashed(registry: ResourceId) -> str:
    return sha256(registry.key.encode()).hexdigest()


def _ascii_json(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"))
    if _SURROGATE not in text:
        return text  # the usual case: walking through everything takes three times as long as writing it
    return json.dumps(_well_formed(value), separators=(",", ":"))


def _well_formed(value: object) -> object:
    """*value* without lone surrogates, which hostile input can hold and no reader of JSON accepts."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode()
    if isinstance(value, dict):
        return {str(_well_formed(key)): _well_formed(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_well_formed(item) for item in value]
    return value


def _packed(text: str) -> Entity | None:
    """*text* as properties: plain while it fits, so that a person can read it; else compressed; None if neither."""
    if len(text) <= _MOST_CHUNKS * _CHUNK_CHARACTERS:
        return {f"json{at:02d}": text[begin:end] for at, (begin, end) in enumerate(_cuts(len(text), _CHUNK_CHARACTERS))}
    if len(text) > MOST_CHARACTERS:
        return None
    data = zlib.compress(text.encode("ascii"))
    if len(data) > _MOST_CHUNKS * _CHUNK_BYTES:
        return None
    return {f"zlib{at:02d}": data[begin:end] for at, (begin, end) in enumerate(_cuts(len(data), _CHUNK_BYTES))}


def _unpacked(entity: Mapping[str, object]) -> bytes:
    data = bytearray()
    inflated = zlib.decompressobj()
    for name in sorted(name for name in entity if name.startswith(("json", "zlib"))):
        value = entity[name]
        data += value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""
    if "zlib00" not in entity:
        return bytes(data)
    text = inflated.decompress(data, MOST_CHARACTERS)
    if not inflated.eof:
        raise ValueError("The compressed value is cut off, or larger than any this app writes.")
    return text


def _cuts(length: int, step: int) -> list[tuple[int, int]]:
    return [(begin, begin + step) for begin in range(0, length, step)]


def _bounded(entry: HistoryEntry) -> str:
    """*entry* as JSON of bounded length; what is left out leaves a marker."""
    members: dict[str, Json] = HISTORY_ENTRY.dump_python(entry, mode="json")
    for name in _TEXTS:
        members[name] = _shortened(str(members[name]))
    text = _ascii_json(members)
    if len(text) <= _MOST_ENTRY_CHARACTERS:
        return text
    for name in ("before", "after"):
        if members[name] is not None:
            length = len(_ascii_json(members[name]))
            members[name] = {"truncated": f"{length} characters of JSON were too long for the history."}
    return _ascii_json(members)


def _shortened(text: str) -> str:
    if len(text) <= _MOST_TEXT_CHARACTERS:
        return text
    return f"{text[:_MOST_TEXT_CHARACTERS]}... ({len(text) - _MOST_TEXT_CHARACTERS} more characters were cut off)"
