"""
The simulated Azure under real SDK clients: an azure-core transport without a network.

    client = StorageManagementClient(credential, subscription, transport=SimulatedTransport(azure, now=clock))

Every request waits `latency` of the loop's time (virtual in tests), half before it takes effect and half after, and is
handled at the moment that `now` gives. A broken connection becomes what azure-core raises for one.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, MutableMapping
from datetime import datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.core.utils import CaseInsensitiveDict

from local.simulator.azure import SimulatedAzure
from local.simulator.faults import ConnectionLost
from local.simulator.rbac import OWNER
from local.simulator.wire import Request, Response

LATENCY = 0.05
"""Seconds for a round trip to Resource Manager; within a region it is tens of milliseconds."""


class SimulatedResponse(AsyncHttpResponse):
    """An answer in the form that azure-core's policies and generated clients read."""

    def __init__(self, request: HttpRequest, response: Response) -> None:
        self._request = request
        self._response = response
        self._headers: MutableMapping[str, str] = CaseInsensitiveDict(response.headers)
        self._closed = False
        self._consumed = False
        self._encoding: str | None = None

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def status_code(self) -> int:
        return self._response.status

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._headers

    @property
    def reason(self) -> str:
        return HTTPStatus(self._response.status).phrase

    @property
    def content_type(self) -> str | None:
        return self._headers.get("Content-Type")

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def is_stream_consumed(self) -> bool:
        return self._consumed

    @property
    def encoding(self) -> str | None:
        return self._encoding or "utf-8"

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def content(self) -> bytes:
        return self._response.body

    def text(self, encoding: str | None = None) -> str:
        return self._response.body.decode(encoding or self.encoding or "utf-8")

    def json(self) -> Any:
        return json.loads(self._response.body)

    def raise_for_status(self) -> None:
        if self.status_code >= HTTPStatus.BAD_REQUEST:
            raise HttpResponseError(response=self)

    async def read(self) -> bytes:
        self._consumed = True
        return self._response.body

    async def load_body(self) -> None:
        """Nothing to do: the body is here. Older policies call this."""

    def body(self) -> bytes:
        """The body, as older policies ask for it."""
        return self._response.body

    async def iter_raw(self, **_kwargs: Any) -> AsyncIterator[bytes]:
        self._consumed = True
        yield self._response.body

    async def iter_bytes(self, **_kwargs: Any) -> AsyncIterator[bytes]:
        self._consumed = True
        yield self._response.body

    async def close(self) -> None:
        self._closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


class SimulatedTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """
    Carries the requests of one or many clients to a simulated Azure.

    Args:
        azure: The world.
        now: The present moment of virtual time.
        latency: Seconds per round trip.
        principal: Object id under which requests without a token are made; empty lets them fail with 401.
    """

    def __init__(
        self,
        azure: SimulatedAzure,
        now: Callable[[], datetime],
        *,
        latency: float = LATENCY,
        principal: str = OWNER,
    ) -> None:
        self._azure = azure
        self._now = now
        self._latency = latency
        self._principal = principal

    async def send(self, request: HttpRequest, **_kwargs: Any) -> AsyncHttpResponse:
        """
        One round trip.

        Raises:
            ServiceRequestError: The connection broke before the request took effect.
            ServiceResponseError: It broke after the request took effect.
        """
        await self._pause(self._latency / 2)
        asked = self._wire(request)
        count = len(self._azure.log)
        try:
            response = self._azure.handle(asked, self._now())
        except ConnectionLost as broken:
            await self._pause(self._latency / 2)
            took_effect = any(each.status for each in self._azure.log[count:])
            kind = ServiceResponseError if took_effect else ServiceRequestError
            raise kind(str(broken), error=broken) from broken
        await self._pause(self._latency / 2 + response.delay)
        return SimulatedResponse(request, response)

    def _wire(self, request: HttpRequest) -> Request:
        headers = {str(key): str(value) for key, value in request.headers.items()}
        if self._principal and not any(key.lower() == "authorization" for key in headers):
            headers |= self._azure.headers(self._principal)
        return Request(request.method.upper(), request.url, headers, _content(request))

    @staticmethod
    async def _pause(seconds: float) -> None:
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def sleep(self, duration: float) -> None:
        """What retry and polling policies call between attempts."""
        await asyncio.sleep(duration)

    async def open(self) -> None:
        """There is no connection to open."""

    async def close(self) -> None:
        """There is no connection to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def _content(request: HttpRequest) -> bytes:
    """The request's body as bytes; older clients (azure-eventgrid) send the older form of a request."""
    content: Any = request.content if hasattr(request, "content") else getattr(request, "data", None)
    if content is None:
        return b""
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, bytes):
        return content
    raise TypeError(f"the simulated Azure takes text and bytes, not {type(content).__name__}")


class SimulatedCredential:
    """A credential whose tokens name one principal; async, as the SDK clients of the app want it."""

    def __init__(self, azure: SimulatedAzure, principal: str = OWNER) -> None:
        self._azure = azure
        self._principal = principal

    async def get_token(self, *scopes: str, **_kwargs: Any) -> AccessToken:
        """A token for the scopes, valid for a day of virtual time."""
        audience = scopes[0].removesuffix("/.default") if scopes else ""
        expires = self._azure.world.now + timedelta(days=1)
        return AccessToken(self._azure.token(self._principal, audience), int(expires.timestamp()))

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
