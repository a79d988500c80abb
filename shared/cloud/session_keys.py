"""
The signing keys of the dashboard's sessions, in a table of the app's own storage account.

One key a day, made by whichever process needs it first. Whoever can read this table can write the ledger and the queues
beside it as well, so a signed session gives nobody more than they have; deleting the table ends every session.
"""

import secrets
from base64 import b64decode, b64encode
from datetime import date, timedelta

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables.aio import TableClient

from shared.cloud.ledger import creating
from shared.cloud.state_clients import StateAccount
from shared.cloud.storage_errors import CONFLICT, named_errors
from shared.engine.ports import Clock
from shared.engine.session_ports import SigningKey

_PARTITION = "dashboard"
_BYTES = 32
_KEPT_DAYS = 2
"""A session lives for hours, so only the keys of today and yesterday are believed."""


class TableKeyring:
    """`engine.session_ports.Keyring` on a table, which is created when it is missed."""

    def __init__(self, account: StateAccount, clock: Clock, name: str = "keys") -> None:
        self._account = account
        self._clock = clock
        self._name = name
        self._known: dict[str, SigningKey] = {}
        self._absent: set[str] = set()
        self._client: TableClient | None = None

    async def current(self) -> SigningKey:
        """Get the key of today."""
        today = self._today()
        name = today.isoformat()
        if name not in self._known:
            with named_errors("read signing key"):
                self._known[name] = await self._read(name) or await self._make(name)
            self._known = {key: kept for key, kept in self._known.items() if self._is_believed(key)}
        return self._known[name]

    async def find(self, key: str) -> SigningKey | None:
        """Find the key called *key*; whoever asks for what does not exist costs one read, however often."""
        if not self._is_believed(key) or key in self._absent:
            return None
        if key == self._today().isoformat():
            return await self.current()
        if key not in self._known:
            with named_errors("read signing key"):
                found = await self._read(key)
            if found is None:  # a key is made on its own day only
                self._absent = {each for each in self._absent if self._is_believed(each)} | {key}
                return None
            self._known[key] = found
        return self._known[key]

    async def aclose(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _today(self) -> date:
        return self._clock.now().date()

    def _is_believed(self, key: str) -> bool:
        return key in {(self._today() - timedelta(days=age)).isoformat() for age in range(_KEPT_DAYS)}

    async def _read(self, name: str) -> SigningKey | None:
        try:
            entity = await self._table().get_entity(_PARTITION, name)
        except ResourceNotFoundError:
            return None
        return SigningKey(id=name, secret=b64decode(str(entity["secret"])))

    async def _make(self, name: str) -> SigningKey:
        table, secret = self._table(), secrets.token_bytes(_BYTES)
        entity = {"PartitionKey": _PARTITION, "RowKey": name, "secret": b64encode(secret).decode()}
        try:
            await creating(table, lambda: table.create_entity(entity))
        except HttpResponseError as error:
            found = await self._read(name) if error.status_code == CONFLICT else None
            if found is None:
                raise
            return found
        await self._drop_old()
        return SigningKey(id=name, secret=secret)

    async def _drop_old(self) -> None:
        table = self._table()
        found = [
            str(entity["RowKey"])
            async for entity in table.query_entities(
                "PartitionKey eq @partition", parameters={"partition": _PARTITION}, select=["RowKey"]
            )
        ]
        for name in found:
            if not self._is_believed(name):
                await table.delete_entity(_PARTITION, name)

    def _table(self) -> TableClient:
        if self._client is None:
            self._client = self._account.table(self._name)
        return self._client
