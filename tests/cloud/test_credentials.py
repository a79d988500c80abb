"""What azure-identity raises when the platform's token service is in trouble, and what it is called here."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.exceptions import AzureError
from azure.identity.aio import DefaultAzureCredential, EnvironmentCredential, ManagedIdentityCredential

from shared.cloud.credentials import create_credential, token_error
from shared.core.clouds import CLOUDS
from shared.core.errors import MissingPermission, RegistryIsolationError, Unavailable

SCOPE = "https://management.azure.com/.default"
CLOUD = CLOUDS["AzureCloud"]
JSON = "application/json"
USER_ASSIGNED = "00000000-0000-4000-8000-0000000000aa"
NAMED_BY_THE_ENVIRONMENT = (
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
)


@dataclass(slots=True)
class TokenService:
    """The platform's token endpoint, which gives one answer to everybody."""

    status: int = 200
    body: str = ""
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        return web.Response(status=self.status, text=self.body, content_type=self.kind, headers=self.headers)


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TokenService]:
    """A function app whose platform offers an identity."""
    service = TokenService()
    app = web.Application()
    app.router.add_get("/{path:.*}", service.answer)
    for name in NAMED_BY_THE_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    async with TestServer(app) as server:
        monkeypatch.setenv("IDENTITY_ENDPOINT", str(server.make_url("/msi/token")))
        monkeypatch.setenv("IDENTITY_HEADER", "a-header")
        yield service


async def refused(client_id: str = "") -> RegistryIsolationError:
    """What is raised in place of a token."""
    async with create_credential(CLOUD, client_id=client_id) as credential:
        with pytest.raises(AzureError) as caught:
            await credential.get_token(SCOPE)
    return token_error(caught.value, "Azure Resource Manager")


@pytest.mark.parametrize("client_id", ["", USER_ASSIGNED], ids=["system-assigned", "user-assigned"])
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, '{"statusCode": 500, "message": "An unexpected error occurred."}', JSON),
        (500, "", "text/plain"),
        (502, "<html>Bad gateway</html>", "text/html"),
        (503, '{"error": "temporarily_unavailable"}', JSON),
        (429, '{"error": "too_many_requests"}', JSON),
        (408, "", "text/plain"),
        (404, '{"error": "not_found"}', JSON),
        (410, "", "text/plain"),
        (200, "<html>Sign in to the network</html>", "text/html"),
        (200, "{}", JSON),
        (200, "[]", JSON),
        (302, "", "text/plain"),
    ],
)
async def test_a_token_service_in_trouble_is_waited_for(
    service: TokenService, client_id: str, status: int, body: str, kind: str
) -> None:
    service.status, service.body, service.kind = status, body, kind
    service.headers = {"Location": "/elsewhere", "Retry-After": "1"}

    assert isinstance(await refused(client_id), Unavailable)
    assert len(service.asked) == 1  # whoever called repeats, not the SDK; and no redirect is followed


@pytest.mark.parametrize("client_id", ["", USER_ASSIGNED], ids=["system-assigned", "user-assigned"])
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"statusCode": 400, "message": "No MSI found for specified ClientId/ResourceId."}', JSON),
        (400, '{"statusCode": 400, "message": "Unable to load the proper Managed Identity."}', JSON),
        (401, "", "text/plain"),
        (403, "Forbidden", "text/plain"),
    ],
)
async def test_an_identity_that_nobody_assigned_is_for_a_person(
    service: TokenService, client_id: str, status: int, body: str, kind: str
) -> None:
    service.status, service.body, service.kind = status, body, kind

    error = await refused(client_id)

    assert isinstance(error, MissingPermission)
    assert "Assign a managed identity" in error.sentence


async def test_a_service_that_nobody_reaches_is_waited_for(
    service: TokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:1/msi/token")

    assert isinstance(await refused(), Unavailable)
    assert service.asked == []


async def test_the_sentence_says_for_whom_the_token_was(service: TokenService) -> None:
    service.status = 503
    assert "when asked for Azure Resource Manager" in (await refused()).sentence
    service.status = 400
    assert "no access token for Azure Resource Manager" in (await refused()).sentence


async def test_a_token_that_was_cut_off_is_not_quoted(service: TokenService) -> None:
    service.body = '{"access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOi'

    error = await refused()

    assert isinstance(error, Unavailable)
    assert "eyJ0" not in error.sentence


async def test_an_identity_of_the_environment_is_asked_for_by_its_client_id(
    service: TokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", USER_ASSIGNED)
    service.status = 503

    await refused()

    assert USER_ASSIGNED in service.asked[0]


async def test_each_surrounding_has_one_way_to_sign_in(service: TokenService, monkeypatch: pytest.MonkeyPatch) -> None:
    async with create_credential(CLOUD) as credential:
        assert type(credential) is ManagedIdentityCredential
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, USER_ASSIGNED)
    async with create_credential(CLOUD) as credential:
        assert type(credential) is EnvironmentCredential
    for name in NAMED_BY_THE_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    async with create_credential(CLOUD) as credential:
        assert type(credential) is DefaultAzureCredential
    assert service.asked == []
