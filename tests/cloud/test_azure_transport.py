"""Connections to Azure are used again and bounded, whichever authority is trusted; over real TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from azure.core.exceptions import ServiceRequestError
from azure.core.rest import HttpRequest

from shared.cloud.arm_policies import create_transport
from shared.cloud.azure_transport import MOST_CONNECTIONS, AzureTransport


class Front:
    """A TLS server that knows who is connected; with *gathers*, nobody is answered before so many have asked."""

    def __init__(self) -> None:
        self.url = ""
        self.gathers = 1
        self.connections: set[object] = set()
        self.inside = self.most_inside = 0
        self._full = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.connections.add(request.transport)
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        if self.inside >= self.gathers:
            self._full.set()
        await self._full.wait()
        self.inside -= 1
        return web.json_response({})


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    served, authority = Front(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    app = web.Application()
    app.router.add_get("/", served.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    served.url = f"https://127.0.0.1:{runner.addresses[0][1]}/"
    yield served
    await runner.cleanup()


async def ask(transport: AzureTransport, url: str) -> int:
    status: int = (await transport.send(HttpRequest("GET", url))).status_code
    return status


async def test_requests_that_follow_one_another_use_one_connection(front: Front, tmp_path: Path) -> None:
    async with AzureTransport(str(tmp_path / "ca.pem")) as transport:
        assert [await ask(transport, front.url) for _ in range(5)] == [200] * 5

    assert len(front.connections) == 1


async def test_there_are_never_more_connections_than_the_bound_and_whoever_wants_one_more_waits(
    front: Front, tmp_path: Path
) -> None:
    front.gathers = MOST_CONNECTIONS
    async with AzureTransport(str(tmp_path / "ca.pem")) as transport:
        answers = await asyncio.gather(*(ask(transport, front.url) for _ in range(MOST_CONNECTIONS + 40)))

    assert answers == [200] * (MOST_CONNECTIONS + 40)
    assert front.most_inside == len(front.connections) == MOST_CONNECTIONS


async def test_a_server_that_the_usual_authorities_do_not_vouch_for_is_refused(front: Front) -> None:
    async with AzureTransport() as transport:
        with pytest.raises(ServiceRequestError, match="certificate"):
            await ask(transport, front.url)

    assert not front.connections


async def test_what_was_closed_is_not_opened_again(front: Front, tmp_path: Path) -> None:
    transport = create_transport(str(tmp_path / "ca.pem"))
    async with transport:
        await transport.send(HttpRequest("GET", front.url))

    with pytest.raises(ValueError, match="closed"):
        await transport.send(HttpRequest("GET", front.url))
