"""
Nothing but reading goes through here: the last gate before the network for whatever only looks.

It stands below every client, so it does not matter who asks or why. A promise in a manual can be forgotten by the next
change of code; this cannot.
"""

from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from shared.cloud.arm_policies import ArmTransport
from shared.core.errors import AuditMode

READS = frozenset({"GET", "HEAD"})
GRAPH_QUERY = "/providers/microsoft.resourcegraph/resources"
"""Resource Graph takes its queries by POST (documentation of Resource Graph, REST); they read."""


class ReadOnlyTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """*inner*, for requests that change nothing; `asked` counts them."""

    def __init__(self, inner: ArmTransport) -> None:
        self._inner = inner
        self.asked = 0

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        """
        Send *request*.

        Raises:
            AuditMode: It could change something; it was not sent.
        """
        if not reads(request.method, request.url):
            raise AuditMode(
                f"An audit only reads: {request.method} {urlsplit(request.url).path} was not sent.",
                operation=f"{request.method.lower()} in an audit",
            )
        self.asked += 1
        return await self._inner.send(request, **options)

    async def open(self) -> None:
        """Open the inner transport."""
        await self._inner.open()

    async def close(self) -> None:
        """Close the inner transport."""
        await self._inner.close()

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._inner.__aexit__(exc_type, exc_value, traceback)


def reads(method: str, url: str) -> bool:
    """Tell whether a request can only read."""
    return method in READS or (method == "POST" and urlsplit(url).path.lower() == GRAPH_QUERY)
