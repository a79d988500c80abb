"""The state account: where its clients point, and what is wrong with one that is only half configured."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.core.rest import HttpRequest

from local.simulator.transport import SimulatedResponse
from local.simulator.wire import Response
from shared.cloud.clock import SystemClock
from shared.cloud.leases import BlobLeases
from shared.cloud.ledger import TableLedger
from shared.cloud.state_clients import StateAccount
from shared.cloud.storage_errors import storage_error
from shared.cloud.text_queue import TextQueue
from shared.core.errors import InvalidSettings, Unavailable
from shared.core.mishaps import describe
from tests.core.worlds import registry_id

SECRET = "c2VjcmV0IG9mIHRoZSBhY2NvdW50"
CONNECTION = f"DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey={SECRET};EndpointSuffix=core.windows.net"


class Credential:
    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken("token", int(time.time()) + 3600)

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None: ...


async def test_a_connection_string_leads_to_all_three_services() -> None:
    account = StateAccount(connection_string=CONNECTION)

    async with account.table("registries") as table, account.queue("work") as queue, account.container("leases") as box:
        urls = [str(table.url), str(queue.url), str(box.url)]

    assert urls == [
        "https://contoso.table.core.windows.net",
        "https://contoso.queue.core.windows.net/work",
        "https://contoso.blob.core.windows.net/leases",
    ]


async def test_the_emulator_is_known_by_its_short_name() -> None:
    account = StateAccount(connection_string="UseDevelopmentStorage=true")

    async with account.table("registries") as table, account.queue("work") as queue, account.container("leases") as box:
        hosts = [str(client.url).partition("/devstoreaccount1")[0] for client in (table, queue, box)]

    assert hosts == ["http://127.0.0.1:10002", "http://127.0.0.1:10001", "http://127.0.0.1:10000"]


async def test_an_identity_and_three_addresses_do_as_well() -> None:
    account = StateAccount(
        blob_uri="https://contoso.blob.core.usgovcloudapi.net",
        queue_uri="https://contoso.queue.core.usgovcloudapi.net",
        table_uri="https://contoso.table.core.usgovcloudapi.net",
        credential=Credential(),
    )

    async with account.table("registries") as table, account.queue("work") as queue, account.container("leases") as box:
        urls = [str(table.url), str(queue.url), str(box.url)]

    assert all(url.startswith("https://contoso.") for url in urls)
    assert all("core.usgovcloudapi.net" in url for url in urls)


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(InvalidSettings) as refusal:
        StateAccount(queue_uri="https://contoso.queue.core.windows.net")

    assert len(refusal.value.problems) == 3
    assert "blob" in refusal.value.problems[0]
    assert "table" in refusal.value.problems[1]
    assert "credential" in refusal.value.problems[2]


def test_no_secret_is_shown() -> None:
    assert SECRET not in repr(StateAccount(connection_string=CONNECTION))


class Refusing(Credential):
    """An identity whose token endpoint gives one answer, as azure-identity tells it."""

    def __init__(self, status: int) -> None:
        asked = HttpRequest("GET", "http://169.254.129.3:8081/msi/token")
        self._answer = SimulatedResponse(asked, Response(status, {"Content-Type": "application/json"}, b"{}"))

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        raise ClientAuthenticationError(message="No MSI found.", response=self._answer)


def account_of(credential: Any) -> StateAccount:
    uris = {f"{service}_uri": f"https://contoso.{service}.core.windows.net" for service in ("blob", "queue", "table")}
    return StateAccount(**uris, credential=credential)


async def read_row(account: StateAccount) -> None:
    ledger = TableLedger(account)
    try:
        await ledger.read(registry_id("one"))
    finally:
        await ledger.aclose()


async def send_message(account: StateAccount) -> None:
    queue = TextQueue(account, "work")
    try:
        await queue.put("text")
    finally:
        await queue.aclose()


async def take_lease(account: StateAccount) -> None:
    leases = BlobLeases(account, SystemClock())
    try:
        async with leases.hold("one"):
            pass
    finally:
        await leases.aclose()


@pytest.mark.parametrize("use", [read_row, send_message, take_lease])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
async def test_state_without_a_token_is_waited_for_whatever_the_token_endpoint_says(
    use: Callable[[StateAccount], Awaitable[None]], status: int
) -> None:
    with pytest.raises(Unavailable) as caught:
        await use(account_of(Refusing(status)))

    assert describe(caught.value)[2].passes  # so that a message that met it is put off, and never given up
    assert "its own storage account (AzureWebJobsStorage): No MSI found." in caught.value.sentence


async def test_an_identity_that_nobody_assigned_is_told_what_to_check() -> None:
    with pytest.raises(Unavailable, match="Assign a managed identity to the function app, or correct its client id"):
        await read_row(account_of(Refusing(400)))


async def test_an_identity_that_cannot_be_asked_at_all_is_waited_for() -> None:
    class Nobody(Credential):
        async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
            raise ClientAuthenticationError("No identity endpoint.")

    with pytest.raises(Unavailable, match=r"No identity endpoint\."):
        await read_row(account_of(Nobody()))


def test_a_connection_that_fails_is_worth_another_try() -> None:
    error = storage_error(ServiceRequestError("Connection reset by peer"), operation="read ledger row")

    assert isinstance(error, Unavailable)
    assert "Connection reset by peer" in error.sentence
