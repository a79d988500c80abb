"""
Where the app's own state lives, and SDK clients for it.

One storage account holds the ledger (tables), the work queue and the leases (blobs): the account that the Functions
host itself uses. It is reached with a connection string, as locally, or with service URIs and a token, as in Azure.
SDK retries are off: whoever calls decides about repeating.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables.aio import TableClient
from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from shared.cloud.credentials import NamedTokens
from shared.core.errors import InvalidSettings, Unavailable

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

# A pass has 60 seconds; the SDKs' own defaults (20 and 60 seconds) would let one lost packet use them up.
_CONNECT_SECONDS = 5
_READ_SECONDS = 15
_AUDIENCE = "its own storage account (AzureWebJobsStorage)"


class _Transport(TypedDict):
    """Keywords that every storage SDK client takes."""

    retry_total: int
    retry_connect: int
    retry_read: int
    retry_status: int
    connection_timeout: int
    read_timeout: int
    permit_redirects: bool


_NO_RETRY = _Transport(
    retry_total=0,
    retry_connect=0,
    retry_read=0,
    retry_status=0,
    connection_timeout=_CONNECT_SECONDS,
    read_timeout=_READ_SECONDS,
    permit_redirects=False,  # the SDKs would carry the ledger's rows wherever an answer points, thirty times
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAccount:
    """
    The storage account of the app's state.

    Attributes:
        connection_string: As `AzureWebJobsStorage`; `UseDevelopmentStorage=true` works. Wins over the URIs.
        blob_uri: Blob service, such as `https://account.blob.core.windows.net`.
        queue_uri: Queue service.
        table_uri: Table service.
        credential: Needed with URIs; closed by whoever made it.
    """

    connection_string: str = field(default="", repr=False)
    blob_uri: str = ""
    queue_uri: str = ""
    table_uri: str = ""
    credential: AsyncTokenCredential | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.connection_string:
            return
        uris = {"blob": self.blob_uri, "queue": self.queue_uri, "table": self.table_uri}
        missing = [name for name, uri in uris.items() if not uri]
        problems = [f"The URI of the state account's {name} service is missing." for name in missing]
        if self.credential is None:
            problems.append("The state account needs a connection string, or a credential beside its URIs.")
        if problems:
            raise InvalidSettings(problems)

    def table(self, name: str) -> TableClient:
        """A client of one table; the caller closes it."""
        if self.connection_string:
            return TableClient.from_connection_string(self.connection_string, name, **_NO_RETRY)
        return TableClient(self.table_uri, name, credential=self._tokens(), **_NO_RETRY)

    def queue(self, name: str) -> QueueClient:
        """A client of one queue whose messages are base64, as the Functions host expects; the caller closes it."""
        encode, decode = TextBase64EncodePolicy(), TextBase64DecodePolicy()
        if self.connection_string:
            return QueueClient.from_connection_string(
                self.connection_string,
                name,
                message_encode_policy=encode,
                message_decode_policy=decode,
                **_NO_RETRY,
            )
        return QueueClient(
            self.queue_uri,
            name,
            credential=self._tokens(),
            message_encode_policy=encode,
            message_decode_policy=decode,
            **_NO_RETRY,
        )

    def container(self, name: str) -> "ContainerClient":
        """A client of one blob container; the caller closes it."""
        from azure.storage.blob.aio import ContainerClient  # noqa: PLC0415 -- cold start: an event needs no blobs

        if self.connection_string:
            return ContainerClient.from_connection_string(self.connection_string, name, **_NO_RETRY)
        return ContainerClient(self.blob_uri, name, credential=self._tokens(), **_NO_RETRY)

    def _tokens(self) -> NamedTokens:
        """
        The credential; one that gives no token is waited for, whatever the reason.

        Where the app keeps its state is also where it would record that a person has to act. Given up for good, a message
        would be lost to a bad minute of whoever issues tokens.
        """
        return NamedTokens(self.credential, _AUDIENCE, refused=Unavailable)
