"""
The HTTPS front: the simulated Azure for the Azure CLI, SDKs and curl, on the loopback interface.

It alone of this package reads a clock. Requests are handled at the present time; between requests a task lets due
transitions happen and carries out Event Grid deliveries against real webhooks. The certificate comes from an authority
made for this one run and written to a folder: clients trust it by REQUESTS_CA_BUNDLE or SSL_CERT_FILE.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from aiohttp import ClientError, ClientSession, ClientTimeout, web

from local.simulator import server_control
from local.simulator.azure import SimulatedAzure
from local.simulator.event_grid import Delivery
from local.simulator.faults import ConnectionLost
from local.simulator.providers.identity import IDENTITY_PATH
from local.simulator.wire import Request, Response

HOST = "127.0.0.1"
DELIVERY_DEADLINE = 30.0
"""Seconds in which a webhook must answer (Microsoft Learn, "Event Grid message delivery and retry")."""
LARGEST_BODY = 4 * 1024 * 1024
"""Resource Manager refuses larger requests (Microsoft Learn, "Azure Resource Manager limits")."""
_IDLE = 60.0
_CLOSE = 1.0


def utc_now() -> datetime:
    return datetime.now(UTC)


class SimulatorServer:
    """
    One running front.

    Args:
        azure: The world; its endpoint is set to the server's own address.
        ca_folder: Where `ca.pem` is written.
        port: 0 picks a free one.
        now: The clock.
    """

    def __init__(
        self, azure: SimulatedAzure, *, ca_folder: Path, port: int = 0, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.azure = azure
        self.ca_file = ca_folder / "ca.pem"
        self._port = port
        self._now = now
        self._runner: web.AppRunner | None = None
        self._clock: asyncio.Task[None] | None = None
        self._deliveries: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._session: ClientSession | None = None

    @property
    def endpoint(self) -> str:
        return self.azure.endpoint

    @property
    def identity_endpoint(self) -> str:
        """What IDENTITY_ENDPOINT is set to."""
        return f"{self.endpoint}{IDENTITY_PATH}"

    async def start(self) -> None:
        """Listen, and let time pass."""
        authority = trustme.CA(organization_name="Simulated Azure", organization_unit_name="one run only")
        self.ca_file.parent.mkdir(parents=True, exist_ok=True)
        authority.cert_pem.write_to_path(self.ca_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST, "localhost").configure_cert(context)
        app = web.Application(client_max_size=LARGEST_BODY)
        app.add_routes(server_control.routes(self.azure, self.wake))
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port, ssl_context=context)
        await site.start()
        port = self._runner.addresses[0][1]
        self.azure.move_to(f"https://{HOST}:{port}")
        self._session = ClientSession(timeout=ClientTimeout(total=DELIVERY_DEADLINE))
        self._clock = asyncio.create_task(self._let_time_pass(self._session), name="simulated time")

    async def stop(self) -> None:
        """Close everything; deliveries in flight are abandoned."""
        tasks = [task for task in (self._clock, *self._deliveries) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def wake(self) -> None:
        """Something new may be due earlier than what the clock waits for."""
        self._changed.set()

    # -- requests ----------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = Request(
            request.method, f"{self.endpoint}{request.raw_path}", dict(request.headers), await request.read()
        )
        try:
            answer = self.azure.handle(asked, self._now())
        except ConnectionLost:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        finally:
            self.wake()
        if answer.delay:
            await asyncio.sleep(answer.delay)
        return _rendered(answer)

    # -- time and events ---------------------------------------------------------------------------------------------

    async def _let_time_pass(self, session: ClientSession) -> None:
        while True:
            self._changed.clear()
            now = self._now()
            self.azure.advance(now)
            for delivery in self.azure.events.due(now):
                task = asyncio.create_task(self._deliver(session, delivery), name=f"event {delivery.id}")
                self._deliveries.add(task)
                task.add_done_callback(self._deliveries.discard)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._seconds_to_wait())

    def _seconds_to_wait(self) -> float:
        moments = [each for each in (self.azure.next_due(), self.azure.events.next_due()) if each is not None]
        if not moments:
            return _IDLE
        left = (min(moments) - self._now()) / timedelta(seconds=1)
        return min(max(left, 0.001), _IDLE)

    async def _deliver(self, session: ClientSession, delivery: Delivery) -> None:
        """One attempt; what the webhook says goes back to Event Grid, silence as well."""
        try:
            async with session.request(
                delivery.method, delivery.url, data=delivery.body, headers=dict(delivery.headers), allow_redirects=False
            ) as answer:
                body = await answer.read()
                self.azure.events.report(
                    delivery.id, answer.status, self._now(), body=body, headers=dict(answer.headers)
                )
        except (ClientError, TimeoutError, OSError):
            self.azure.events.report(delivery.id, None, self._now())
        self.wake()


def _rendered(answer: Response) -> web.Response:
    """The answer for aiohttp, which counts the content itself."""
    headers = {key: value for key, value in answer.headers.items() if key.lower() != "content-length"}
    return web.Response(status=answer.status, headers=headers, body=answer.body or None)
