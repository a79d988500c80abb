"""
The one way to Azure Resource Manager: a shared pipeline, clients per subscription, and the door errors come in by.

The adapters of the single services call Azure through here and nowhere else. Nothing here repeats a call or waits for
an operation; whatever the SDK raises leaves as a member of the error tree (`translate`).
"""

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from azure.core.exceptions import AzureError, DecodeError, DeserializationError, HttpResponseError
from azure.core.pipeline import PipelineResponse
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core import AsyncARMPipelineClient

from shared.cloud.arm_hosts import ArmHosts
from shared.cloud.arm_policies import ArmTransport, build_pipeline
from shared.cloud.documents import Document, entries, text
from shared.core.azure_errors import classify
from shared.core.clouds import Cloud
from shared.core.errors import ChangedUnderneath, Refused, RegistryIsolationError, Unavailable
from shared.engine.throttle import Throttle

type ResponseHook = Callable[[PipelineResponse[HttpRequest, AsyncHttpResponse]], None]

_NOT_FOUND = 404
# ARM answers 404 where a type or an api-version of it is not deployed: that says nothing about the resource.
_NO_SUCH_TYPE = frozenset({"invalidresourcetype", "invalidresourcenamespace"})
_SUCCESS = range(200, 300)
_REDIRECTS = range(300, 400)
# Clients are a few milliseconds and kilobytes each; a tenant with more subscriptions than this makes them again.
_MOST_CLIENTS = 256
_PATH_SAFE = "/-_.~()!@$,=:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: *body* is parsed JSON, a text that is not JSON, or None; header names ignore case."""

    status: int
    headers: Mapping[str, str]
    body: Any


class ArmClient:
    """
    Access to one cloud's Resource Manager.

    Args:
        credential: An async token credential; its owner closes it.
        cloud: Row of the cloud table.
        transport: Shared by everything; its owner closes it.
        endpoint: Resource Manager's address if not the cloud's own (a simulated Azure).

    Attributes:
        throttle: What is known of Azure's limits; whoever plans calls may ask it.
    """

    def __init__(self, *, credential: Any, cloud: Cloud, transport: ArmTransport, endpoint: str = "") -> None:
        self.throttle = Throttle()
        self.hosts = ArmHosts(cloud, endpoint)
        self._credential = credential
        self._scope = cloud.audience
        self._pipeline = build_pipeline(credential, cloud.audience, self.hosts, transport, self.throttle)
        self._raw: AsyncARMPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncARMPipelineClient(
            self.hosts.base, pipeline=self._pipeline, policies=[]
        )
        self._services: OrderedDict[tuple[Any, str], Any] = OrderedDict()

    def service[Service](self, client_type: Callable[..., Service], subscription: str) -> Service:
        """The SDK client of *client_type* for *subscription*, on the shared pipeline."""
        key = (client_type, subscription.lower())
        if key not in self._services:
            self._services[key] = client_type(
                self._credential,
                subscription,
                base_url=self.hosts.base,
                credential_scopes=[self._scope],
                pipeline=self._pipeline,
                policies=[],
            )
            if len(self._services) > _MOST_CLIENTS:
                self._services.popitem(last=False)
        self._services.move_to_end(key)
        service: Service = self._services[key]
        return service

    def url(self, path: str, api_version: str) -> str:
        """The absolute URL of an ARM path."""
        return f"{self.hosts.base}{quote(path, safe=_PATH_SAFE)}?api-version={api_version}"

    async def send(
        self, method: str, url: str, *, operation: str, resource: str, body: Document | None = None
    ) -> Answer:
        """
        Send one request, *url* verbatim.

        Raises:
            RegistryIsolationError: Anything but a 2xx answer.
        """
        with entering(operation, resource):
            response = await self._raw.send_request(
                HttpRequest(method, url, json=body, headers={"Accept": "application/json"})
            )
            if response.status_code not in _SUCCESS:
                raise HttpResponseError(response=response)
        return answer_of(response)

    async def get(self, path: str, api_version: str, *, operation: str) -> Document | None:
        """GET an ARM path; None if there is no such thing."""
        call = self.read(self.url(path, api_version), operation=operation, resource=path)
        return await found(call, operation=operation, resource=path)

    async def list(self, path: str, api_version: str, *, operation: str) -> tuple[Document, ...] | None:
        """GET an ARM collection with all its pages; None if its scope does not exist."""
        listed = await self.pages(path, api_version, operation=operation)
        return None if listed is None else tuple(entry for page in listed for entry in page)

    async def pages(self, path: str, api_version: str, *, operation: str) -> Sequence[Sequence[Document]] | None:
        """GET an ARM collection page by page; None if its scope does not exist."""
        page = await self.get(path, api_version, operation=operation)
        if page is None:
            return None
        listed = [entries(page, "value")]
        seen: set[str] = set()
        while (link := text(page, "nextLink")) and link not in seen:
            seen.add(link)
            page = await self.read(link, operation=operation, resource=path)
            listed.append(entries(page, "value"))
        return listed

    async def read(self, url: str, *, operation: str, resource: str) -> Document:
        """
        GET *url* verbatim.

        Raises:
            RegistryIsolationError: Anything but a JSON object with status 200.
        """
        answer = await self.send("GET", url, operation=operation, resource=resource)
        if not isinstance(answer.body, Mapping):
            raise classify(None, "the answer is empty.", {}, operation=operation, resource_id=resource)
        return answer.body


def body_of(response: PipelineResponse[HttpRequest, AsyncHttpResponse], _typed: object, _headers: object) -> Document:
    """For the SDK's `cls=`: the answer's JSON as it came, with every member the typed model does not know."""
    body: Document = response.http_response.json()
    return body


async def found[Result](call: Awaitable[Result], *, operation: str, resource: str) -> Result | None:
    """Await *call*; None if Azure answers that the thing asked for does not exist."""
    try:
        with entering(operation, resource):
            return await call
    except ChangedUnderneath as error:
        cause = error.__cause__
        if isinstance(cause, HttpResponseError) and cause.status_code == _NOT_FOUND:
            return None
        raise


async def begin(call: Callable[[ResponseHook], Awaitable[object]], *, operation: str, resource: str) -> Answer:
    """
    Send a write that may take long and return its first answer.

    Args:
        call: The SDK's `begin_*` with `polling=False`, given the hook that it must pass as `raw_response_hook`.
    """
    seen: list[AsyncHttpResponse] = []
    with entering(operation, resource):
        await call(lambda response: seen.append(response.http_response))
    return answer_of(seen[-1])


async def pages[Item](pager: Any, *, operation: str, resource: str) -> list[Item] | None:
    """
    Every entry of an SDK pager; None if what is listed has no parent.

    Follows nextLinks as the SDK does, but not in a circle. A later page that is not found says nothing of the parent.
    """
    by_page = pager.by_page()
    listed: list[Item] | None = await found(_next_page(by_page), operation=operation, resource=resource)
    seen: set[str] = set()
    while listed is not None and (link := by_page.continuation_token) and link not in seen:
        seen.add(link)
        with entering(operation, resource):
            listed += await _next_page(by_page)
    return listed


async def _next_page(by_page: Any) -> list[Any]:
    return [entry async for entry in await anext(by_page)]


def answer_of(response: AsyncHttpResponse) -> Answer:
    """The values of an SDK response that was read."""
    return Answer(status=response.status_code, headers=response.headers, body=_parsed(response))


@contextmanager
def entering(operation: str, resource: str) -> Iterator[None]:
    """Let errors of the SDK enter as members of the error tree."""
    try:
        yield
    except (AzureError, DeserializationError, json.JSONDecodeError, RecursionError, TimeoutError) as error:
        raise translate(error, operation=operation, resource=resource) from error


def translate(error: Exception, *, operation: str, resource: str) -> RegistryIsolationError:
    """
    Name what the SDK raised.

    Args:
        operation: As "verb resource type".
        resource: ARM id concerned.
    """
    response = cast(AsyncHttpResponse | None, error.response) if isinstance(error, HttpResponseError) else None
    if response is None or isinstance(error, DecodeError):
        return classify(None, str(error), {}, operation=operation, resource_id=resource)
    if response.status_code in _REDIRECTS:
        return Unavailable(
            f"{operation} was answered with a redirect (HTTP {response.status_code}), which the app does not follow.",
            resource_id=resource,
            operation=operation,
        )
    body = _parsed(response)
    if response.status_code == _NOT_FOUND and isinstance(body, str):
        # Resource Manager says "not found" in JSON; a page in another language is a proxy's and proves no absence.
        return classify(None, body, {}, operation=operation, resource_id=resource)
    named = classify(response.status_code, body, response.headers, operation=operation, resource_id=resource)
    if named.code.lower() in _NO_SUCH_TYPE:
        return Refused(named.sentence, code=named.code, resource_id=resource, operation=operation)
    return named


def _parsed(response: AsyncHttpResponse) -> Any:
    """The body as JSON, else as text; None if there is none. Broken encodings are no reason to lose an error."""
    try:
        content = response.content
    except AzureError:  # never read: the connection went away after the headers
        return None
    if not content:
        return None
    body = content.decode("utf-8-sig", "replace")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # thousands of digits or of brackets are no JSON either
        return body
