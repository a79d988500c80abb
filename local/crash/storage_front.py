"""A front of Azurite on loopback, through which the host speaks to its storage account and where it may be killed."""

import re
from types import TracebackType
from typing import Self

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from yarl import URL

from local.azurite import Azurite, AzuritePorts
from local.crash.gate import Gate, HostKilled
from local.crash.steps import storage_step

_HOST = "127.0.0.1"
_OF_ONE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"})
_SIGNED = ("Content-Type", "User-Agent", "Accept", "Accept-Encoding")
"""A client of ours would add these; the request's signature speaks of what the host sent."""
_TIMEOUT = ClientTimeout(total=60)
_CLOSE = 0.5
_MOST = 8 * 1024 * 1024
_NOT_HELD = (400, 404)
"""PopReceiptMismatch and MessageNotFound (documentation of Delete Message)."""
_MESSAGE = re.compile(rb"<MessageId>")


class StorageFront:
    """
    Forwards every request to *azurite* and every answer back; an async context manager.

    Attributes:
        ports: Where it listens, in place of Azurite's own.
        lost: Messages that somebody alive wanted to keep or to delete and no longer held.
    """

    def __init__(self, azurite: Azurite, gate: Gate) -> None:
        self._azurite = azurite
        self._gate = gate
        self._runners: list[web.AppRunner] = []
        self.ports = AzuritePorts()
        self.lost = 0

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            connector=TCPConnector(limit=0, force_close=True),  # Azurite closes idle connections when it likes
            timeout=_TIMEOUT,
            auto_decompress=False,
            skip_auto_headers=_SIGNED,
        )
        ports = self._azurite.ports
        self.ports = AzuritePorts(
            blob=await self._listen("blob", ports.blob),
            queue=await self._listen("queue", ports.queue),
            table=await self._listen("table", ports.table),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for runner in self._runners:
            await runner.cleanup()
        await self._session.close()

    async def _listen(self, service: str, port: int) -> int:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await self._forward(service, port, request)
            except (HostKilled, ClientError):
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=503)

        app = web.Application(client_max_size=_MOST)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, _HOST, 0)
        await site.start()
        taken: int = runner.addresses[0][1]
        return taken

    async def _forward(self, service: str, port: int, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        what = storage_step(service, request.method, request.raw_path)
        step = self._gate.enter(what) if what else None
        url = URL(f"http://{_HOST}:{port}{request.raw_path}", encoded=True)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
        async with self._session.request(
            request.method, url, data=body or None, headers=headers, allow_redirects=False
        ) as answer:
            content = await answer.read()
        if step is not None and answer.status in _NOT_HELD and step.what.endswith((" delete", " hide")):
            self.lost += 1
        if step is None and _MESSAGE.search(content):
            what = storage_step(service, request.method, request.raw_path, holds_message=True)
            step = self._gate.enter(what) if what else None
        if step is not None:
            self._gate.leave(step)
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OF_ONE_CONNECTION]
        return web.Response(status=answer.status, headers=dict(kept), body=content or None)
