"""The door to Azure: where the token may go, what a request carries, and how errors come in."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.mgmt.network.aio import NetworkManagementClient
from hypothesis import given
from hypothesis import strategies as st

from shared.cloud.arm_client import ArmClient, body_of, found, pages
from shared.cloud.arm_hosts import ArmHosts
from shared.core.clouds import CLOUDS
from shared.core.errors import (
    AccessDenied,
    Busy,
    MissingPermission,
    ProviderNotRegistered,
    Refused,
    RegistryIsolationError,
    Throttled,
    Unavailable,
)
from shared.engine.chain import within
from tests.cloud.answering import AnsweringTransport, FixedCredential, Reply, Sent, arm_client

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
ENDPOINT = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe"
HOSTS = ArmHosts(CLOUDS["AzureCloud"])


def always(reply: Reply) -> AnsweringTransport:
    return AnsweringTransport(lambda _sent: reply)


def raising(error: Exception) -> AnsweringTransport:
    def answer(_sent: Sent) -> Reply:
        raise error

    return AnsweringTransport(answer)


def refusal(status: int, code: str, message: str = "No.", **headers: str) -> Reply:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"error": {"code": code, "message": message}}, names)


async def read_endpoint(arm: ArmClient) -> object:
    client = arm.service(NetworkManagementClient, SUBSCRIPTION)
    return await found(
        client.private_endpoints.get("rg", "pe", cls=body_of), operation="read private endpoint", resource=ENDPOINT
    )


async def list_endpoints(arm: ArmClient) -> object:
    client = arm.service(NetworkManagementClient, SUBSCRIPTION)
    return await pages(client.private_endpoints.list("rg"), operation="list private endpoints", resource=GROUP)


async def list_resources(arm: ArmClient) -> object:
    return await arm.list(f"{GROUP}/resources", "2021-04-01", operation="list resources")


async def read_group(arm: ArmClient) -> object:
    return await arm.get(GROUP, "2021-04-01", operation="read resource group")


CALLS = [read_endpoint, list_endpoints, list_resources, read_group]
type Call = Callable[[ArmClient], object]


# --- where the token may go -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://management.azure.com/subscriptions/x",
        "https://management.azure.com:443/subscriptions/x?t=1&c=2",
        "https://MANAGEMENT.azure.com/subscriptions/x",
        "https://westeurope.management.azure.com/operations/1",
        "https://westeurope.api.azureml.ms/registrymanagement/v1.0/registries/r/discovery",
    ],
)
def test_hosts_of_the_configured_cloud_are_trusted(url: str) -> None:
    assert HOSTS.trusts(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://management.azure.com/subscriptions/x",
        "https://management.azure.com.evil.example/x",
        "https://evilmanagement.azure.com/x",
        "https://management.azure.com@evil.example/x",
        "https://evil.example\\@management.azure.com/x",
        "https://evil.example/https://management.azure.com/",
        "https://management.azure.com:8443/x",
        "https://management.azure.com:99999/x",
        "https://[management.azure.com/x",
        "https://[2001:db8::1%25.management.azure.com]/x",
        "https://[v1.x.management.azure.com]/x",
        "https://evil.example%2f.management.azure.com/x",
        "https://evil.example%23.api.azureml.ms/x",
        "https://evil.example;.api.azureml.ms/x",
        "https://.api.azureml.ms/x",
        "https://a..api.azureml.ms/x",
        "https://-.api.azureml.ms/x",
        "https://management.azure.com./x",
        "https://management.azure.com:/x",
        "https://127.0.0.1:8443,.api.azureml.ms/x",
        "https://management.usgovcloudapi.net/x",
        "https://management.azure.com\n.evil.example/x",
        "https://management.azure.com/x y",
        "//management.azure.com/x",
        "management.azure.com/x",
        "https://management.azu\u0433e.com/x",
        "https://\u0433.management.azure.com/x",
        "https://evil.example\uff0emanagement.azure.com/x",
        "https://evil.example@management.azure.com/x",
        "https://evil.example\\.management.azure.com/x",
        "https://management.azure.com/\\evil.example/x",
        "https://management.azure.com/x\r\nHost: evil.example",
        "https://management.azure.com/x\x00",
        "https://api.ml.azure.us/x",
        "https://management.chinacloudapi.cn/x",
        "",
    ],
)
def test_every_other_host_is_a_stranger(url: str) -> None:
    assert not HOSTS.trusts(url)


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_text_around_a_trusted_host_makes_a_stranger_trusted(left: str, right: str) -> None:
    url = f"https://{left}.evil.example{right}"

    assert not HOSTS.trusts(url) or url.split("/")[2].endswith(("management.azure.com", "api.azureml.ms"))


def test_a_simulated_azure_is_trusted_by_host_and_port() -> None:
    hosts = ArmHosts(CLOUDS["AzureCloud"], "https://127.0.0.1:8443/")

    assert hosts.base == "https://127.0.0.1:8443"
    assert hosts.trusts("https://127.0.0.1:8443/subscriptions/x")
    assert not hosts.trusts("https://127.0.0.1:8444/subscriptions/x")
    assert not hosts.trusts("https://127.0.0.1/subscriptions/x")


@pytest.mark.parametrize("call", [list_endpoints, list_resources])
async def test_a_next_link_to_a_stranger_is_refused_before_the_token_leaves(
    call: Callable[[ArmClient], object],
) -> None:
    transport = always(Reply(200, {"value": [], "nextLink": "https://evil.example/next?sig=secret"}))

    with pytest.raises(Refused, match=r"points to https://evil\.example/next, which is not a host") as caught:
        await call(arm_client(transport))  # type: ignore[misc]

    assert len(transport.sent) == 1
    assert "secret" not in caught.value.sentence


@pytest.mark.parametrize("call", [list_endpoints, list_resources])
async def test_next_links_are_followed_to_the_last_page_and_never_in_a_circle(
    call: Callable[[ArmClient], list[object]],
) -> None:
    link = "https://management.azure.com/page2?api-version=2021-04-01&%24skiptoken=a%2Fb"

    def answer(sent: Sent) -> Reply:
        return Reply(200, {"value": [{"id": str(len(sent.url))}], "nextLink": link})

    transport = AnsweringTransport(answer)
    listed = await call(arm_client(transport))  # type: ignore[misc]

    assert [sent.url for sent in transport.sent][1] == link
    assert len(listed) == len(transport.sent) <= 3


# --- what a request carries -------------------------------------------------------------------------------------------


async def test_a_request_names_the_app_the_pass_and_bounds_its_wait() -> None:
    transport = always(Reply(200, {}))
    with within(correlation="11111111aaaa4bbb8ccc222222222222"):
        await read_endpoint(arm_client(transport))
        await read_group(arm_client(transport))

    first, second = transport.sent
    assert first.headers["Authorization"] == "Bearer token"
    assert first.headers["User-Agent"] == "registry-isolation"
    assert first.headers["x-ms-correlation-request-id"] == "11111111-aaaa-4bbb-8ccc-222222222222"
    assert first.headers["x-ms-client-request-id"] != second.headers["x-ms-client-request-id"]
    assert transport.options[0]["connection_timeout"] == 10
    assert transport.options[0]["read_timeout"] == 30


async def test_without_a_pass_there_is_no_correlation_id() -> None:
    transport = always(Reply(200, {}))

    await read_group(arm_client(transport))

    assert "x-ms-correlation-request-id" not in transport.sent[0].headers


async def test_names_with_unusual_letters_are_escaped_in_the_path() -> None:
    transport = always(Reply(200, {}))

    await arm_client(transport).get("/subscriptions/x/resourceGroups/Größe(1)", "2021-04-01", operation="read")

    assert transport.sent[0].url == (
        "https://management.azure.com/subscriptions/x/resourceGroups/Gr%C3%B6%C3%9Fe(1)?api-version=2021-04-01"
    )


async def test_the_token_of_another_cloud_is_asked_for_there() -> None:
    transport = always(Reply(200, {}))

    await read_endpoint(arm_client(transport, cloud="AzureUSGovernment"))

    assert transport.sent[0].url.startswith("https://management.usgovcloudapi.net/subscriptions/")


def test_clients_are_kept_per_subscription_and_their_number_is_bounded() -> None:
    arm = arm_client(always(Reply()))

    first = arm.service(NetworkManagementClient, SUBSCRIPTION)
    assert arm.service(NetworkManagementClient, SUBSCRIPTION.upper()) is first

    for number in range(300):
        arm.service(NetworkManagementClient, f"subscription-{number}")
    assert len(arm._services) == 256
    assert arm.service(NetworkManagementClient, SUBSCRIPTION) is not first


# --- how errors come in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("reply", "leaf"),
    [
        (refusal(503, "ServiceUnavailable"), Unavailable),
        (Reply(503, b"<html>try later</html>", {"Content-Type": "text/html"}), Unavailable),
        (Reply(500, b"\xff\xfe not text"), Unavailable),
        (Reply(502), Unavailable),
        (refusal(429, "SubscriptionRequestsThrottled", Retry_After="17"), Throttled),
        (refusal(429, "RetryableErrorDueToAnotherOperation", Retry_After="11"), Busy),
        (refusal(403, "AuthorizationFailed"), AccessDenied),
        (refusal(401, "ExpiredAuthenticationToken"), RegistryIsolationError),
        (refusal(409, "MissingSubscriptionRegistration"), ProviderNotRegistered),
        (refusal(404, "SubscriptionNotFound"), MissingPermission),
        (refusal(404, "InvalidResourceType"), Refused),
        (refusal(400, "SomethingNew"), Refused),
        (Reply(404, b"<html>no such page</html>"), Unavailable),
        (Reply(200, b"<html>sign in</html>"), Unavailable),
        (Reply(200, b'{"value": [{"id":'), Unavailable),
        (Reply(200, b"[]"), Unavailable),
        (Reply(200, b'{"value": ' + b"[" * 100_000), Unavailable),
        (Reply(200, b'{"count": ' + b"9" * 10_000 + b"}"), Unavailable),
        (Reply(503, b"[" * 100_000), Unavailable),
        (Reply(500, b'{"error": ' + b"9" * 10_000 + b"}"), Unavailable),
        (Reply(429, b"{" + b'"a":{' * 100_000), Throttled),
        (Reply(404, b"[" * 100_000), Unavailable),
        (Reply(200, {"value": "not a list"}), Unavailable),
        (Reply(200, b""), Unavailable),
        (Reply(302, b"", {"Location": "https://evil.example/"}), Unavailable),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else f"{value.status}",
)
async def test_an_odd_answer_becomes_one_error_of_the_tree_after_one_request(
    call: Callable[[ArmClient], object], reply: Reply, leaf: type[RegistryIsolationError]
) -> None:
    transport = always(reply)

    with pytest.raises(leaf) as caught:
        await call(arm_client(transport))  # type: ignore[misc]

    assert len(transport.sent) == 1
    assert caught.value.sentence
    assert caught.value.__cause__ is not None or leaf is Unavailable


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "error",
    [
        ServiceRequestError("no such host"),
        ServiceResponseError("connection reset"),
        ServiceResponseTimeoutError("too slow"),
        IncompleteReadError("half a body"),
        TimeoutError("too slow"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_broken_connection_is_unavailability(call: Callable[[ArmClient], object], error: Exception) -> None:
    with pytest.raises(Unavailable) as caught:
        await call(arm_client(raising(error)))  # type: ignore[misc]

    assert str(error) in caught.value.sentence
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("call", CALLS)
async def test_a_bug_stays_a_bug(call: Callable[[ArmClient], object]) -> None:
    with pytest.raises(ZeroDivisionError):
        await call(arm_client(raising(ZeroDivisionError())))  # type: ignore[misc]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "ResourceNotFound", "message": "gone"}},
        {"error": {"code": "ResourceGroupNotFound", "message": "gone"}},
        {"error": {"code": "ParentResourceNotFound", "message": "gone"}},
        {"code": "NotFound", "message": "gone"},
        {
            "error": {
                "code": "UserError",
                "innerError": {"code": "NotFound", "innerError": {"code": "RegistryNotFound"}},
            }
        },
        None,
    ],
)
async def test_what_does_not_exist_is_none(call: Callable[[ArmClient], object], body: object) -> None:
    assert await call(arm_client(always(Reply(404, body)))) is None  # type: ignore[misc]


async def test_the_wait_that_azure_asks_for_is_kept() -> None:
    transport = always(refusal(429, "TooManyRequests", Retry_After="23"))

    with pytest.raises(Throttled) as caught:
        await read_group(arm_client(transport))

    assert caught.value.retry_after == timedelta(seconds=23)


class _NoToken(FixedCredential):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def get_token(self, *_scopes: str, **_options: object) -> object:  # type: ignore[override]
        raise self._error


@pytest.mark.parametrize(
    ("error", "leaf"),
    [
        (ClientAuthenticationError("no managed identity endpoint found"), MissingPermission),
        (ServiceRequestError("169.254.169.254 does not answer"), Unavailable),
    ],
)
async def test_a_credential_without_a_token_says_what_to_do(
    error: Exception, leaf: type[RegistryIsolationError]
) -> None:
    transport = always(Reply(200, {}))
    arm = ArmClient(credential=_NoToken(error), cloud=CLOUDS["AzureCloud"], transport=transport)

    with pytest.raises(leaf, match=f"Azure Resource Manager: {error}"):
        await read_endpoint(arm)

    assert transport.sent == []
