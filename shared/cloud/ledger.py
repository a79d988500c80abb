"""
The ledger on Azure Tables.

Table `registries` holds one entity for a registry, guarded by its ETag; table `history` is append-only, one partition
for a registry, newest first by key. Both are created when they are missed, not before every call.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from shared.cloud.concurrency import for_each
from shared.cloud.ledger_entities import (
    SUMMARY_COLUMNS,
    Entity,
    from_history_entity,
    from_row_entity,
    from_summary_entity,
    history_partition,
    history_place,
    row_cursor,
    row_keys,
    row_place,
    to_history_entity,
    to_row_entity,
)
from shared.cloud.ledger_whole import to_known
from shared.cloud.state_clients import StateAccount
from shared.cloud.storage_errors import CONFLICT, NOT_FOUND, PRECONDITION_FAILED, error_code, named_errors
from shared.core.arm import ResourceId
from shared.core.errors import ChangedUnderneath
from shared.engine.ports import HistoryPage, LedgerEntry, LedgerPage
from shared.engine.postures import KnownPage
from shared.engine.records import HistoryEntry, LedgerRow, LedgerSummary

# A transaction holds 100 entities of one partition and 4 MiB (documentation of entity group transactions).
_MOST_IN_BATCH = 100
_MOST_BATCH_CHARACTERS = 3_000_000
_PAGE = 1000


class TableLedger:
    """`engine.ports.Ledger` on two tables of the state account."""

    def __init__(self, account: StateAccount, *, rows: str = "registries", history: str = "history") -> None:
        self._account = account
        self._names = {"rows": rows, "history": history}
        self._clients: dict[str, TableClient] = {}

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        """Read a registry's row; None when there is none."""
        partition, key = row_keys(registry)
        with named_errors("read ledger row", registry.text):
            try:
                entity = await self._table("rows").get_entity(partition, key)
            except ResourceNotFoundError:
                return None
        return LedgerEntry(row=from_row_entity(entity, registry), etag=str(entity.metadata["etag"]))

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        """Write *row* unless somebody wrote since *etag* (None: unless a row exists)."""
        entity = to_row_entity(row)
        with named_errors("write ledger row", row.registry.text):
            try:
                new_etag = await (self._create(entity) if etag is None else self._replace(entity, etag))
            except HttpResponseError as error:
                if not _somebody_wrote(error, expected_none=etag is None):
                    raise
                raise ChangedUnderneath(
                    f"Another pass wrote the ledger row of registry {row.registry.name} in the meantime.",
                    code=error_code(error),
                    resource_id=row.registry.text,
                    operation="write ledger row",
                ) from error
        return LedgerEntry(row=row, etag=new_etag)

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        """Add to the history; repeating the same call adds nothing."""
        for batch in batches([to_history_entity(entry, position) for position, entry in enumerate(entries)]):
            with named_errors("append history"):
                await self._upsert(batch)

    async def history(self, registry: ResourceId | None, limit: int = 100) -> tuple[HistoryEntry, ...]:
        """Read the newest entries of a registry (None: of rejected input), newest first."""
        return (await self.history_page(registry, limit)).entries

    async def history_page(self, registry: ResourceId | None, limit: int = 100, after: str = "") -> HistoryPage:
        """Read at most *limit* entries, newest first, that are older than the one *after* stands for."""
        query = "PartitionKey eq @partition" + (" and RowKey gt @after" if after else "")
        parameters = {"partition": history_partition(registry)} | ({"after": history_place(after)} if after else {})
        with named_errors("read history", registry.text if registry else ""):
            entities, more = await self._query("history", query, parameters, limit)
        found = tuple(from_history_entity(entity, registry) for entity in entities)
        return HistoryPage(entries=found, after=str(entities[-1]["RowKey"]) if more else "")

    async def list_rows(self, *, phase: str = "", limit: int = 100, after: str = "") -> LedgerPage:
        """List rows, those of one phase if given, by subscription and then by the hash of their id."""
        query, parameters = _rows_of(phase=phase, after=after)
        with named_errors("list ledger rows"):
            entities, more = await self._query("rows", query, parameters, limit, select=SUMMARY_COLUMNS)
        rows = tuple(from_summary_entity(entity) for entity in entities)
        return LedgerPage(rows=rows, after=row_cursor(entities[-1]) if more else "")

    async def list_whole_rows(
        self, *, phase: str = "", subscription: str = "", limit: int = 100, after: str = ""
    ) -> KnownPage:
        """List rows as `list_rows` does, with everything that they hold."""
        query, parameters = _rows_of(phase=phase, subscription=subscription, after=after)
        with named_errors("list ledger rows"):
            entities, more = await self._query("rows", query, parameters, limit)
        known = tuple(to_known(entity) for entity in entities)
        return KnownPage(known=known, after=row_cursor(entities[-1]) if more else "")

    async def summaries(self, registries: Sequence[ResourceId]) -> Mapping[ResourceId, LedgerSummary]:
        """Read the summaries of *registries*, so many at a time; one without a row is absent."""

        async def read(registry: ResourceId) -> LedgerSummary | None:
            partition, key = row_keys(registry)
            try:
                entity = await self._table("rows").get_entity(partition, key, select=list(SUMMARY_COLUMNS))
            except ResourceNotFoundError:
                return None
            return from_summary_entity(entity)

        with named_errors("read ledger rows"):
            found = await for_each(registries, read)
        return {registry: one for registry, one in zip(registries, found, strict=True) if one is not None}

    async def aclose(self) -> None:
        """Close the connections."""
        while self._clients:
            _, client = self._clients.popitem()
            await client.close()

    async def _create(self, entity: Entity) -> str:
        table = self._table("rows")
        answer = await creating(table, lambda: table.create_entity(entity, response_preference="return-no-content"))
        return str(answer["etag"])

    async def _replace(self, entity: Entity, etag: str) -> str:
        answer = await self._table("rows").update_entity(
            entity, UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
        )
        return str(answer["etag"])

    async def _query(
        self, table: str, query: str, parameters: Mapping[str, str], limit: int, select: Sequence[str] | None = None
    ) -> tuple[list[Mapping[str, Any]], bool]:
        """The first *limit* entities, and whether there are more; none where the table does not exist yet."""
        if limit <= 0:
            return [], False
        columns = ["PartitionKey", "RowKey", *select] if select else None
        pages = self._table(table).query_entities(
            query, parameters=dict(parameters), results_per_page=min(limit + 1, _PAGE), select=columns
        )
        found: list[Mapping[str, Any]] = []
        try:
            async for entity in pages:
                found.append(entity)
                if len(found) > limit:
                    break
        except ResourceNotFoundError:
            return [], False
        return found[:limit], len(found) > limit

    async def _upsert(self, batch: Sequence[Entity]) -> None:
        table = self._table("history")
        operations = [("upsert", entity, {"mode": UpdateMode.REPLACE}) for entity in batch]
        await creating(table, lambda: table.submit_transaction(operations))

    def _table(self, name: str) -> TableClient:
        if name not in self._clients:
            self._clients[name] = self._account.table(self._names[name])
        return self._clients[name]


def _rows_of(*, phase: str = "", subscription: str = "", after: str = "") -> tuple[str, dict[str, str]]:
    """Filter and its parameters for rows behind *after*, of one phase and one subscription if given."""
    parts: list[str] = []
    parameters: dict[str, str] = {}
    if after:
        partition, key = row_place(after)
        # The SDK puts parameters in word by word, so nothing may touch them.
        parts.append("PartitionKey ge @partition and ( PartitionKey gt @partition or RowKey gt @key )")
        parameters |= {"partition": partition, "key": key}
    if subscription:
        parts.append("PartitionKey eq @subscription")
        parameters["subscription"] = subscription.lower()
    if phase:
        parts.append("phase eq @phase")
        parameters["phase"] = phase
    return " and ".join(parts), parameters


def batches(entities: Sequence[Entity]) -> Iterator[list[Entity]]:
    """Cut *entities* into transactions: one partition each, bounded in number and size."""
    batch: list[Entity] = []
    size = 0
    for entity in sorted(entities, key=lambda entity: str(entity["PartitionKey"])):
        weight = 2 * sum(len(value) for value in entity.values() if isinstance(value, (str, bytes)))  # quotes double
        other = bool(batch) and batch[0]["PartitionKey"] != entity["PartitionKey"]
        if batch and (other or len(batch) == _MOST_IN_BATCH or size + weight > _MOST_BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(entity)
        size += weight
    if batch:
        yield batch


def _somebody_wrote(error: HttpResponseError, *, expected_none: bool) -> bool:
    """The row exists although it should not, has another ETag, or is gone."""
    if expected_none:
        return error.status_code == CONFLICT and error_code(error) == "EntityAlreadyExists"
    return error.status_code in {PRECONDITION_FAILED, NOT_FOUND}


async def creating[Answer](table: TableClient, call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Do *call*; if its table is missing, create that and do it once more."""
    try:
        return await call()
    except HttpResponseError as error:
        if error.status_code != NOT_FOUND:
            raise
    try:
        await table.create_table()
    except HttpResponseError as error:
        if error.status_code != CONFLICT or error_code(error) != "TableAlreadyExists":
            raise
    return await call()
