"""Cloud metadata, managed identity tokens, and the token service."""

from urllib.parse import urlencode

import pytest

from local.simulator.azure import SimulatedAzure
from local.simulator.rbac import OWNER, Principal
from local.simulator.wire import Request, Response
from tests.local.simulator.arm_client import SUB

HERE = "https://127.0.0.1:4443"


def call(azure: SimulatedAzure, path: str, **headers: str) -> Response:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return azure.handle(Request("GET", f"{azure.endpoint}{path}", named), azure.world.now)


def test_the_metadata_of_a_server_points_at_the_server() -> None:
    azure = SimulatedAzure(endpoint=HERE)
    metadata = call(azure, "/metadata/endpoints?api-version=2022-09-01").json()
    assert metadata["resourceManager"] == f"{HERE}/"
    assert metadata["authentication"]["loginEndpoint"] == HERE
    assert metadata["suffixes"]["storage"] == "core.windows.net"
    assert metadata["name"] not in ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud")


def test_older_versions_of_the_metadata_are_a_list() -> None:
    azure = SimulatedAzure(endpoint=HERE)
    (metadata,) = call(azure, "/metadata/endpoints?api-version=2019-05-01").json()
    assert metadata["resourceManager"] == f"{HERE}/"


@pytest.mark.parametrize(
    ("cloud", "resource_manager", "suffix"),
    [
        ("AzureCloud", "https://management.azure.com/", "azurecr.io"),
        ("AzureUSGovernment", "https://management.usgovcloudapi.net/", "azurecr.us"),
        ("AzureChinaCloud", "https://management.chinacloudapi.cn/", "azurecr.cn"),
    ],
)
def test_a_cloud_without_a_server_has_its_own_names(cloud: str, resource_manager: str, suffix: str) -> None:
    metadata = call(SimulatedAzure(cloud=cloud), "/metadata/endpoints?api-version=2022-09-01").json()
    assert (metadata["name"], metadata["resourceManager"]) == (cloud, resource_manager)
    assert metadata["suffixes"]["acrLoginServer"] == suffix


def test_a_managed_identity_gets_a_token_that_resource_manager_takes() -> None:
    azure = SimulatedAzure()
    path = "/identity/token?api-version=2019-08-01&resource=https://management.azure.com/"
    answer = call(azure, path, X_IDENTITY_HEADER=azure.identity_header).json()
    assert answer["client_id"] == OWNER
    assert int(answer["expires_on"]) > azure.world.now.timestamp()
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    request = Request("GET", f"{azure.endpoint}{SUB}?api-version=2022-12-01", headers)
    assert azure.handle(request, azure.world.now).status == 200


def test_a_user_assigned_identity_is_named_by_its_client_id() -> None:
    azure = SimulatedAzure()
    azure.rbac.add(Principal(id="oid", name="app", application_id="appid"))
    path = "/identity/token?resource=x&client_id=APPID"
    assert call(azure, path, X_IDENTITY_HEADER=azure.identity_header).json()["client_id"] == "appid"


@pytest.mark.parametrize(
    ("query", "secret", "status"),
    [("resource=x", "", 401), ("resource=x", "wrong", 401), ("", None, 400), ("resource=x&client_id=no", None, 400)],
)
def test_a_wrong_request_for_a_token_is_refused(query: str, secret: str | None, status: int) -> None:
    azure = SimulatedAzure()
    given = azure.identity_header if secret is None else secret
    assert call(azure, f"/identity/token?{query}", X_IDENTITY_HEADER=given).status == status


def test_the_token_service_is_discovered_and_gives_tokens_for_client_credentials() -> None:
    azure = SimulatedAzure(endpoint=HERE)
    azure.rbac.add(Principal(id="oid", name="app", application_id="appid"))
    discovered = call(azure, "/common/discovery/instance?api-version=1.1").json()
    configuration = call(azure, discovered["tenant_discovery_endpoint"].removeprefix(HERE)).json()
    form = {"grant_type": "client_credentials", "client_id": "appid", "scope": f"{HERE}/.default"}
    asked = Request("POST", configuration["token_endpoint"], {}, urlencode(form).encode())
    token = azure.handle(asked, azure.world.now).json()["access_token"]
    request = Request("GET", f"{HERE}/subscriptions?api-version=2022-12-01", {"Authorization": f"Bearer {token}"})
    assert azure.handle(request, azure.world.now).json()["value"] == []
    form["client_id"] = "nobody"
    refused = azure.handle(
        Request("POST", configuration["token_endpoint"], {}, urlencode(form).encode()), azure.world.now
    )
    assert (refused.status, refused.json()["error"]) == (401, "invalid_client")
