"""
Long operations: what a client polls after 201 or 202, in each provider's own manner.

A provider describes its manner once as an `OperationStyle` and starts operations with `Kernel.begin`. The returned
`Operation` has the `headers` for the first answer; the kernel answers the polls. Operation URLs carry a long signature
and must be followed verbatim, as clients of the real service must.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from local.simulator.errors import ArmError, Shape
from local.simulator.wire import JSON_CONTENT, JsonObject, Request, Response
from local.simulator.world import World


class OperationState(StrEnum):
    RUNNING = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass(slots=True, kw_only=True)
class Operation:
    """One long operation. `status_url` and `result_url` are empty where the style has none."""

    id: str
    kind: str
    resource_id: str
    location: str
    started: datetime
    due: datetime | None
    """When it will end; `None` when it is stuck."""
    style: "OperationStyle"
    state: OperationState = OperationState.RUNNING
    error: JsonObject | None = None
    result: Callable[[], Response] | None = None
    """Builds the final answer at the result URL once it has succeeded."""
    status_url: str = ""
    result_url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    polls: int = 0

    @property
    def running(self) -> bool:
        return self.state is OperationState.RUNNING


def _no_wait(_polls: int) -> int | None:
    return None


def doubling(first: int, most: int = 160) -> Callable[[int], int | None]:
    """Retry-After of Microsoft.Network's polls: 10, 20, 40, 80, ... (recorded: aso2512)."""
    return lambda polls: min(first * 2 ** max(polls - 1, 0), most)


def constant(seconds: int) -> Callable[[int], int | None]:
    return lambda _polls: seconds


def _urls(operation: Operation) -> dict[str, str]:
    """The operation's headers without Retry-After."""
    return {key: value for key, value in operation.headers.items() if key != "Retry-After"}


def _progress(operation: Operation) -> JsonObject:
    body: JsonObject = {"status": operation.state.value}
    if operation.error is not None:
        body["error"] = operation.error
    return body


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStyle:
    """
    A provider's manner of telling about its long operations.

    Paths are formats over {subscription}, {group}, {location}, {resource} (the resource id), {name} and {id} (the
    operation's id). An empty path means that the header is not sent.
    """

    status_path: str = ""
    """Path of Azure-AsyncOperation."""
    result_path: str = ""
    """Path of Location."""
    status_query: str = "api-version={api_version}"
    result_query: str = "api-version={api_version}"
    first_retry_after: int | None = None
    """Retry-After of the first answer."""
    retry_after: Callable[[int], int | None] = _no_wait
    """Retry-After of the n-th poll that is still pending."""
    pending_status: int = 200
    """HTTP status of a pending poll of the status URL."""
    pending_body: Callable[[Operation], JsonObject] = _progress
    done_body: Callable[[Operation], JsonObject] = _progress
    """Body of the status URL once the operation has ended, well or not."""
    result_pending_status: int = 202
    result_done_status: int = 204
    """Status of the result URL at the end when the operation has no `result`."""
    done_repeats_headers: bool = False
    """The last answer of the result URL carries the operation's URLs and a content type (deletions of the network)."""
    done_names_itself: bool = False
    """The last answer of the status URL carries Azure-AsyncOperation once more (ContainerRegistry)."""
    repeat_headers: bool = False
    """A pending poll carries the operation's headers again (Private DNS)."""
    renew_result_url: bool = False
    """Every pending poll hands out another Location (deletion of a resource group)."""
    empty_content_type: str = ""
    """Content type of empty pending answers (Storage: text/plain; charset=utf-8)."""


NETWORK_PATH = "/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}"

NETWORK = OperationStyle(
    status_path=NETWORK_PATH + "/operations/{id}",
    first_retry_after=10,
    retry_after=doubling(10),
)
"""Creation and update in Microsoft.Network: Azure-AsyncOperation only."""

NETWORK_DELETE = OperationStyle(
    status_path=NETWORK_PATH + "/operations/{id}",
    result_path=NETWORK_PATH + "/operationResults/{id}",
    first_retry_after=10,
    retry_after=doubling(10),
    done_repeats_headers=True,
)
"""Deletion in Microsoft.Network: both headers; Location ends in 204."""


class Operations:
    """The operations of one world, found by the URL that was handed out."""

    def __init__(self, world: World, *, endpoint: str, strict: bool) -> None:
        self._world = world
        self._strict = strict
        self._by_path: dict[str, list[tuple[str, Operation]]] = {}
        self.endpoint = endpoint
        self.all: dict[str, Operation] = {}

    def open(self, operation: Operation, values: Mapping[str, str]) -> None:
        """Give the operation its URLs and headers and make it pollable."""
        style = operation.style
        self.all[operation.id] = operation
        if style.status_path:
            operation.status_url = self._url(operation, style.status_path, style.status_query, values)
            operation.headers["Azure-AsyncOperation"] = operation.status_url
        if style.result_path:
            operation.result_url = self._url(operation, style.result_path, style.result_query, values)
            operation.headers["Location"] = operation.result_url
        if style.first_retry_after is not None:
            operation.headers["Retry-After"] = str(style.first_retry_after)

    def _url(self, operation: Operation, path: str, query: str, values: Mapping[str, str]) -> str:
        """A signed URL: t, c, s and h as in recorded ones, shortened to a tenth of their length."""
        signature = f"t={self._world.token(18)}&c={self._world.token(96)}&s={self._world.token(48)}"
        place = path.format(**values)
        url = f"{self.endpoint}{place}?{query.format(**values)}&{signature}&h={self._world.token(43)}"
        self._by_path.setdefault(urlsplit(url).path.lower(), []).append((url, operation))
        return url

    def find(self, request: Request) -> tuple[Operation, bool] | None:
        """The operation that the request polls and whether at its result URL; `None` when it polls none."""
        known = self._by_path.get(request.path.lower())
        if known is None or request.method != "GET":
            return None
        asked = urlsplit(request.url).query
        for url, operation in known:
            if urlsplit(url).query == asked:
                return operation, url == operation.result_url
        if self._strict:
            raise ArmError(
                403,
                "InvalidOperationUrl",
                "The operation URL does not carry the signature with which it was handed out; follow it verbatim.",
                shape=Shape.GATEWAY,
            )
        url, operation = known[0]
        return operation, url == operation.result_url and url != operation.status_url

    def poll(self, operation: Operation, *, at_result: bool) -> Response:
        """The answer to one poll."""
        operation.polls += 1
        style = operation.style
        if at_result:
            return self._poll_result(operation)
        if operation.running:
            return Response.of(style.pending_status, style.pending_body(operation), self._pending_headers(operation))
        return Response.of(200, style.done_body(operation), _urls(operation) if style.done_names_itself else {})

    def _poll_result(self, operation: Operation) -> Response:
        style = operation.style
        if operation.running:
            headers = _urls(operation) if style.done_repeats_headers else {}
            headers |= self._pending_headers(operation) | {"Location": self._location(operation)}
            if style.empty_content_type:
                headers["Content-Type"] = style.empty_content_type
            return Response.empty(style.result_pending_status, headers)
        if operation.error is not None:
            return Response.of(int(operation.error.get("status", 409)), {"error": operation.error})
        if operation.result is not None:
            return operation.result()
        headers = {"Content-Type": JSON_CONTENT, **_urls(operation)} if style.done_repeats_headers else {}
        return Response.empty(style.result_done_status, headers)

    def _location(self, operation: Operation) -> str:
        if operation.style.renew_result_url:
            parts = urlsplit(operation.result_url)
            query = "&".join(pair for pair in parts.query.split("&") if pair[:2] not in ("t=", "c=", "s=", "h="))
            operation.result_url = self._url(operation, parts.path, query, {})
        return operation.result_url

    def _pending_headers(self, operation: Operation) -> dict[str, str]:
        headers = _urls(operation) if operation.style.repeat_headers else {}
        wait = operation.style.retry_after(operation.polls)
        if wait is not None:
            headers["Retry-After"] = str(wait)
        return headers
