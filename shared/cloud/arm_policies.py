"""
The pipeline every call to Azure Resource Manager goes through, whichever client makes it.

Deliberately short: no retry policy (`engine.retrying` is the only owner of retries), no redirects (a redirect would
carry the token elsewhere), no automatic registration of resource providers (the app never changes a subscription).
"""

import json
import uuid
from typing import Any, cast

from azure.core.exceptions import AzureError, DecodeError
from azure.core.pipeline import AsyncPipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import CustomHookPolicy, SansIOHTTPPolicy
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from shared.cloud.arm_gate import Gate
from shared.cloud.arm_hosts import ArmHosts
from shared.cloud.arm_telemetry import ArmTelemetry, activity_id
from shared.cloud.credentials import token_error
from shared.core.errors import Refused
from shared.engine.throttle import Throttle

# A pass has 60 s. Connecting takes milliseconds or never happens; ARM itself gives up on a provider after a minute.
_CONNECT_SECONDS = 10
_READ_SECONDS = 30
_USER_AGENT = "registry-isolation"
_SUCCESS = range(200, 300)
_NO_CONTENT = 204

type ArmTransport = AsyncHttpTransport[HttpRequest, AsyncHttpResponse]
type ArmPipeline = AsyncPipeline[HttpRequest, AsyncHttpResponse]


def create_transport(ca_file: str = "") -> ArmTransport:
    """
    The real network; whoever creates it closes it.

    Args:
        ca_file: Certificate authority of a simulated Azure, as a PEM file; "" for the usual ones.
    """
    from shared.cloud.azure_transport import AzureTransport  # noqa: PLC0415 -- loads aiohttp, which tests do not need

    return cast(ArmTransport, AzureTransport(ca_file))


def build_pipeline(
    credential: Any, scope: str, hosts: ArmHosts, transport: ArmTransport, throttle: Throttle
) -> ArmPipeline:
    """One pipeline, shared by the clients of all services and subscriptions."""
    return AsyncPipeline(
        transport,
        [
            _Call(hosts),
            Gate(throttle),
            cast(SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse], CustomHookPolicy()),
            _Token(credential, scope),
            _WholeAnswer(),
            ArmTelemetry(),
        ],
    )


class _Call(SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Refuses strange hosts before a token is attached; names the caller and the pass; bounds the wait."""

    def __init__(self, hosts: ArmHosts) -> None:
        self._hosts = hosts

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        url = request.http_request.url
        if not self._hosts.trusts(url):
            raise Refused(
                f"Azure's answer points to {self._hosts.shown(url)}, which is not a host of the configured cloud; the "
                "app does not send its token there. Check AZURE_CLOUD."
            )
        headers = request.http_request.headers
        headers["User-Agent"] = _USER_AGENT
        headers["x-ms-client-request-id"] = str(uuid.uuid4())
        if correlation := activity_id():
            headers["x-ms-correlation-request-id"] = correlation
        options = request.context.options
        options["connection_timeout"] = _CONNECT_SECONDS
        options["read_timeout"] = _READ_SECONDS


class _Token(AsyncARMChallengeAuthenticationPolicy):
    """The bearer token; a credential that gives none becomes our own error, so that a 401 always is ARM's."""

    async def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        try:
            await super().on_request(request)
        except AzureError as error:
            raise token_error(error, "Azure Resource Manager") from error


class _WholeAnswer(SansIOHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """A 200 that is not a JSON object (a proxy's page, a cut-off body) is no answer."""

    def on_response(
        self, request: PipelineRequest[HttpRequest], response: PipelineResponse[HttpRequest, AsyncHttpResponse]
    ) -> None:
        answer = response.http_response
        if request.http_request.method != "GET" or answer.status_code not in _SUCCESS:
            return
        if answer.status_code == _NO_CONTENT or not answer.content:
            return
        try:
            body = answer.json()
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DecodeError(message=f"the answer is not JSON: {error}", response=answer) from error
        except (ValueError, RecursionError) as error:  # thousands of digits, or of levels
            raise DecodeError(message="the answer is JSON that nobody can read.", response=answer) from error
        if not isinstance(body, dict) or not isinstance(body.get("value", []), list):
            raise DecodeError(message="the answer is not the JSON object that Azure documents.", response=answer)
