"""Parsers of what other services answer, byte by byte as it arrives, and of the addresses they lead to."""

from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any, cast

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from yarl import URL

from local.simulator.transport import SimulatedResponse
from local.simulator.wire import Response
from shared.cloud.api_versions import ApiVersions
from shared.cloud.arm_client import ArmClient, answer_of, translate
from shared.cloud.arm_hosts import ArmHosts
from shared.cloud.discovery_service import DiscoveryService
from shared.cloud.operations import accepted, failed_operation, read_operation
from shared.core.arm import ResourceId
from shared.core.azure_limits import buckets_of
from shared.core.clouds import CLOUDS
from shared.core.errors import RegistryIsolationError
from shared.core.outcome_topics import topic_problem

_REGISTRY = ResourceId.parse(
    "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg/providers/"
    "Microsoft.MachineLearningServices/registries/alpha"
)
_OPERATION = "https://management.azure.com/operations/1"
_STATUSES = (200, 201, 202, 302, 404, 429, 500)


def at_once[Result](work: Coroutine[Any, Any, Result]) -> Result:
    """What *work* gives; it may be written as if it waited, and must not."""
    try:
        work.send(None)
    except StopIteration as ended:
        return cast(Result, ended.value)
    raise AssertionError("It waits.")


class _Answering:
    """As much of the client of Resource Manager as a single read needs: every answer is *data*."""

    def __init__(self, data: bytes, status: int, headers: Mapping[str, str]) -> None:
        self.hosts = ArmHosts(CLOUDS["AzureCloud"])
        self.response = SimulatedResponse(HttpRequest("GET", _OPERATION), Response(status, dict(headers), data))

    async def send(self, _method: str, _url: str, *, operation: str, resource: str) -> object:
        if self.response.status_code >= 300:
            raise translate(HttpResponseError(response=self.response), operation=operation, resource=resource)
        return answer_of(self.response)

    async def read(self, url: str, *, operation: str, resource: str) -> object:
        return await ArmClient.read(cast(ArmClient, self), url, operation=operation, resource=resource)


def parse_answers(data: bytes) -> None:
    """Answers of Resource Manager to a write, of an operation and of the discovery service, with the bytes as headers too."""
    text = data[:4000].decode("latin-1").translate({13: None, 10: None})
    for status in _STATUSES:
        arm = cast(ArmClient, _Answering(data, status, {"Location": text, "Retry-After": text}))
        answer = answer_of(cast(_Answering, arm).response)
        accepted(answer)
        failed_operation(answer, operation="read registry", resource=_REGISTRY.text)
        with suppress(RegistryIsolationError):
            at_once(read_operation(arm, _OPERATION, operation="read registry", resource=_REGISTRY.text))
        with suppress(RegistryIsolationError):
            hosts = at_once(DiscoveryService(arm).fqdns(_REGISTRY, _OPERATION))
            if not all(isinstance(host, str) for host in hosts.values()):
                raise AssertionError(f"hosts {hosts}")
    ApiVersions("2025-06-01").learn("2025-06-01", text)


def parse_addresses(data: bytes) -> None:
    """Addresses that answers and settings hold: whatever is trusted leads to the cloud, as the HTTP client reads it."""
    text = data.decode("utf-8", errors="surrogateescape")
    for cloud in CLOUDS.values():
        hosts = ArmHosts(cloud)
        for url in (text, f"https://{text}.{cloud.operation_suffixes[-1]}/x", f"{cloud.resource_manager}{text}"):
            if hosts.trusts(url):
                host = URL(url).host or ""
                if not host.endswith(cloud.operation_suffixes) or not host.replace(".", "").replace("-", "").isalnum():
                    raise AssertionError(f"{url!r} leads to {host!r}")
                buckets_of("GET", url)
        hosts.shown(text)
        for simulated in ("", "https://127.0.0.1:8443"):
            topic_problem(text, cloud, simulated)
