"""
An azure-core transport that answers from a function: for answers that no well-behaved Azure gives.

The pipeline and the SDK clients above it are the real ones.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.core.utils import CaseInsensitiveDict

from local.simulator.transport import SimulatedResponse
from local.simulator.wire import Response
from shared.cloud.arm_client import ArmClient
from shared.core.clouds import CLOUDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request as it reached the wire."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query))


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; *body* is JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def _response(request: HttpRequest, reply: Reply) -> AsyncHttpResponse:
    content = reply.body if isinstance(reply.body, bytes) else b""
    if reply.body is not None and not isinstance(reply.body, bytes):
        content = json.dumps(reply.body).encode()
    headers = {"Content-Type": "application/json", **reply.headers}
    return SimulatedResponse(request, Response(reply.status, headers, content))


class AnsweringTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Answers with *answer*; keeps what was sent. An exception that *answer* raises is what the network does."""

    def __init__(self, answer: Callable[[Sent], Reply]) -> None:
        self._answer = answer
        self.sent: list[Sent] = []
        self.options: list[Mapping[str, Any]] = []

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        content = request.content if hasattr(request, "content") else getattr(request, "data", None)
        sent = Sent(
            method=request.method,
            url=request.url,
            headers=CaseInsensitiveDict(request.headers),
            body=json.loads(content) if content else None,
        )
        self.sent.append(sent)
        self.options.append(kwargs)
        return _response(request, self._answer(sent))


class FixedCredential:
    """A credential that always has a token."""

    def __init__(self, token: str = "token") -> None:  # noqa: S107 -- no secret
        self._token = token

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self._token, 4102444800)

    async def close(self) -> None: ...


def arm_client(transport: AnsweringTransport, cloud: str = "AzureCloud", endpoint: str = "") -> ArmClient:
    """The real client over that transport."""
    return ArmClient(credential=FixedCredential(), cloud=CLOUDS[cloud], transport=transport, endpoint=endpoint)
