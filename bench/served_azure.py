"""
A simulated Azure over HTTPS whose time passes as fast as this machine's, and faster whenever a client waits.

It runs in a thread of the bench, so that its world, its log and its clock are at hand. A client that would wait asks for
the time to pass instead (see `cli_time`), so an hour of polling takes seconds and counts as an hour.
"""

import asyncio
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from local.simulator.azure import SimulatedAzure
from local.simulator.server import HOST, SimulatorServer

_PATIENCE = 30.0


class SkippingClock:
    """Real time, plus everything that was skipped."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._real = time.monotonic()
        self.skipped = timedelta()

    def now(self) -> datetime:
        """The present moment of the served world, aware UTC."""
        return self._began + timedelta(seconds=time.monotonic() - self._real) + self.skipped

    def skip(self, seconds: float) -> None:
        """Let *seconds* pass at once."""
        self.skipped += timedelta(seconds=seconds)


class ServedAzure:
    """The front and its clock; a context manager that ends both."""

    def __init__(self, azure: SimulatedAzure, folder: Path, clock: SkippingClock) -> None:
        self.azure = azure
        self.clock = clock
        self.server = SimulatorServer(azure, ca_folder=folder, now=clock.now)
        self.time_address = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="served azure", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(TimeoutError):
            self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def catch_up(self) -> None:
        """Bring the world to the present."""

        async def advance() -> None:
            self.azure.advance(self.clock.now())

        self._do(advance())

    async def _start(self) -> None:
        await self.server.start()
        app = web.Application()
        app.router.add_get("/{seconds}", self._skip)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0)
        await site.start()
        self.time_address = f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self.server.stop()

    async def _skip(self, request: web.Request) -> web.StreamResponse:
        self.clock.skip(float(request.match_info["seconds"]))
        self.server.wake()
        return web.Response(text="")

    def _do(self, story: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(story, self._loop).result(_PATIENCE)
