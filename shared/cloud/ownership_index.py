"""
The owner index on an Azure table.

Table `index`: one partition for a resource, one entity in it for each registry that it belongs to. Keys are hashes, as in
the ledger; the ids are columns, so that a person can read them.
"""

from collections.abc import Sequence
from hashlib import sha256

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from shared.cloud.concurrency import for_each
from shared.cloud.ledger import creating
from shared.cloud.state_clients import StateAccount
from shared.cloud.storage_errors import named_errors
from shared.core.arm import ResourceId
from shared.core.errors import MalformedResourceId
from shared.core.requests import registry_id

_MOST_OWNERS = 100
"""Registries read for one resource; an endpoint or a group serves one, adopted ones a few."""


class TableOwnerIndex:
    """`engine.owner_ports.OwnerIndex` on a table of the state account, which is created when it is missed."""

    def __init__(self, account: StateAccount, name: str = "index") -> None:
        self._account = account
        self._name = name
        self._client: TableClient | None = None

    async def find(self, resource: ResourceId) -> tuple[ResourceId, ...]:
        """The registries that *resource* was noted for, sorted."""
        found: set[ResourceId] = set()
        with named_errors("read owner index", resource.text):
            pages = self._table().query_entities(
                "PartitionKey eq @partition",
                parameters={"partition": _hashed(resource)},
                results_per_page=_MOST_OWNERS,
                select=["registry"],
            )
            try:
                async for entity in pages:
                    found |= _read(entity.get("registry"))
                    if len(found) >= _MOST_OWNERS:
                        break
            except ResourceNotFoundError:
                return ()
        return tuple(sorted(found))

    async def note(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        """Note that *resources* belong to *registry*."""
        table = self._table()

        async def put(resource: ResourceId) -> None:
            entity = _keys(resource, registry) | {"resource": resource.text, "registry": registry.text}
            await creating(table, lambda: table.upsert_entity(entity, mode=UpdateMode.REPLACE))

        with named_errors("write owner index", registry.text):
            await for_each(resources, put)

    async def forget(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        """Take back what was noted of *resources*."""
        table = self._table()

        async def drop(resource: ResourceId) -> None:
            keys = _keys(resource, registry)
            await table.delete_entity(keys["PartitionKey"], keys["RowKey"])  # one that is not there is no error

        with named_errors("write owner index", registry.text):
            await for_each(resources, drop)

    async def aclose(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _table(self) -> TableClient:
        if self._client is None:
            self._client = self._account.table(self._name)
        return self._client


def _keys(resource: ResourceId, registry: ResourceId) -> dict[str, str]:
    return {"PartitionKey": _hashed(resource), "RowKey": _hashed(registry)}


def _hashed(resource: ResourceId) -> str:
    return sha256(resource.key.encode()).hexdigest()


def _read(text: object) -> set[ResourceId]:
    """The registry that a column names; nothing if somebody else wrote something else into it."""
    try:
        return {registry_id(text)}
    except MalformedResourceId:
        return set()
