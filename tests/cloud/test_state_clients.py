"""The state account: where its clients point, and what is wrong with one that is only half configured."""

import time
from typing import Self

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from shared.cloud.state_clients import StateAccount
from shared.cloud.storage_errors import storage_error
from shared.core.errors import AccessDenied, InvalidSettings, Unavailable

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


def test_a_missing_token_is_told_from_a_missing_permission() -> None:
    error = storage_error(ClientAuthenticationError("No identity endpoint."), operation="read ledger row")

    assert isinstance(error, AccessDenied)
    assert "got no token" in error.sentence
    assert "No identity endpoint." in error.sentence


def test_a_connection_that_fails_is_worth_another_try() -> None:
    error = storage_error(ServiceRequestError("Connection reset by peer"), operation="read ledger row")

    assert isinstance(error, Unavailable)
    assert "Connection reset by peer" in error.sentence
