"""
The records of sweeps on an Azure table.

Table `sweeps` has one partition: a row for each sweep, keyed so that the newest comes first, and one that points at the
current sweep. A new sweep's row and the pointer are written in one transaction, so that of two that begin at the same
moment only one does.
"""

from collections.abc import Mapping
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from shared.cloud.ledger import creating
from shared.cloud.state_clients import StateAccount
from shared.cloud.storage_errors import CONFLICT, NOT_FOUND, PRECONDITION_FAILED, named_errors
from shared.cloud.sweep_entities import (
    PARTITION,
    POINTER,
    from_sweep_entity,
    sweep_key,
    sweep_place,
    to_pointer_entity,
    to_sweep_entity,
)
from shared.core.errors import ChangedUnderneath
from shared.core.sweeps import SweepRecord
from shared.engine.sweep_ports import SweepEntry, SweepPage

_PAGE = 1000
_SOMEBODY_WROTE = frozenset({CONFLICT, NOT_FOUND, PRECONDITION_FAILED})


class TableSweeps:
    """`engine.sweep_ports.Sweeps` on a table of the state account, which is created when it is missed."""

    def __init__(self, account: StateAccount, *, table: str = "sweeps") -> None:
        self._account = account
        self._name = table
        self._client: TableClient | None = None

    async def current(self) -> SweepEntry | None:
        """Read the sweep that was begun last; None before the first."""
        with named_errors("read current sweep"):
            pointer = await self._get(POINTER)
        return await self.read(str(pointer["sweep"])) if pointer is not None else None

    async def begin(self, record: SweepRecord, after: str) -> SweepEntry:
        """Make *record* the current sweep, in one step, if sweep *after* is ("": if there is none)."""
        table = self._table()
        with named_errors("begin sweep"):
            pointer = await self._get(POINTER)
            if (str(pointer["sweep"]) if pointer is not None else "") != after:
                raise _changed("begin sweep", "Another sweep was begun at the same moment.")
            operations: list[Any] = [("create", to_sweep_entity(record)), _pointing(record, pointer)]
            try:
                answers = await creating(table, lambda: table.submit_transaction(operations))
            except HttpResponseError as error:
                if error.status_code not in _SOMEBODY_WROTE:
                    raise
                raise _changed("begin sweep", "Another sweep was begun at the same moment.") from error
        return SweepEntry(record=record, etag=str(answers[0]["etag"]))

    async def read(self, sweep: str) -> SweepEntry | None:
        """Read a sweep by its id; None if there is none, whatever *sweep* looks like."""
        key = sweep_key(sweep)
        if key is None:
            return None
        with named_errors("read sweep"):
            entity = await self._get(key)
        if entity is None:
            return None
        return SweepEntry(record=from_sweep_entity(entity), etag=str(entity.metadata["etag"]))

    async def write(self, record: SweepRecord, etag: str) -> SweepEntry:
        """Write *record* if nobody wrote since *etag*."""
        with named_errors("write sweep"):
            try:
                answer = await self._table().update_entity(
                    to_sweep_entity(record),
                    UpdateMode.REPLACE,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except HttpResponseError as error:
                if error.status_code not in {NOT_FOUND, PRECONDITION_FAILED}:
                    raise
                raise _changed("write sweep", f"Somebody else wrote sweep {record.id} in the meantime.") from error
        return SweepEntry(record=record, etag=str(answer["etag"]))

    async def list(self, limit: int = 100, after: str = "") -> SweepPage:
        """List at most *limit* sweeps, newest first, that are older than the one *after* stands for."""
        if limit <= 0:
            return SweepPage(sweeps=())
        parameters = {"partition": PARTITION, "pointer": POINTER, "after": sweep_place(after) if after else "0"}
        with named_errors("list sweeps"):
            pages = self._table().query_entities(
                "PartitionKey eq @partition and RowKey gt @after and RowKey lt @pointer",
                parameters=parameters,
                results_per_page=min(limit + 1, _PAGE),
            )
            found: list[Mapping[str, Any]] = []
            try:
                async for entity in pages:
                    found.append(entity)
                    if len(found) > limit:
                        break
            except ResourceNotFoundError:
                return SweepPage(sweeps=())
        shown = found[:limit]
        more = str(shown[-1]["RowKey"]) if len(found) > limit else ""
        return SweepPage(sweeps=tuple(from_sweep_entity(entity) for entity in shown), after=more)

    async def aclose(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _get(self, key: str) -> Any:
        try:
            return await self._table().get_entity(PARTITION, key)
        except ResourceNotFoundError:
            return None

    def _table(self) -> TableClient:
        if self._client is None:
            self._client = self._account.table(self._name)
        return self._client


def _pointing(record: SweepRecord, pointer: Any) -> tuple[Any, ...]:
    """The write that makes *record* the current sweep, unless *pointer* was written since it was read."""
    entity = to_pointer_entity(record)
    if pointer is None:
        return ("create", entity)
    guarded = {
        "mode": UpdateMode.REPLACE,
        "etag": pointer.metadata["etag"],
        "match_condition": MatchConditions.IfNotModified,
    }
    return ("update", entity, guarded)


def _changed(operation: str, sentence: str) -> ChangedUnderneath:
    return ChangedUnderneath(sentence, operation=operation)
