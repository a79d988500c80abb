"""The simulated Azure's front, as a place where the host may be killed, and where worlds can be changed like scenery."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from local.crash.gate import Gate, HostKilled
from local.crash.steps import azure_step
from local.simulator.azure import SimulatedAzure
from local.simulator.providers.identity import IDENTITY_PATH
from local.simulator.server import SimulatorServer


class SkippingClock:
    """Real time, plus what was skipped."""

    def __init__(self) -> None:
        self.skipped = timedelta()

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC) + self.skipped

    def reset(self) -> None:
        """Back to real time, for another world."""
        self.skipped = timedelta()


class AzureFront(SimulatorServer):
    """
    The HTTPS front with *gate* before what the app asks.

    Args:
        app: Object id of the app's identity; others pass unseen.
    """

    def __init__(self, azure: SimulatedAzure, *, folder: Path, gate: Gate, app: str) -> None:
        self.time = SkippingClock()
        super().__init__(azure, ca_folder=folder, now=self.time.now)
        self._gate = gate
        self._app = app

    async def change_world(self, azure: SimulatedAzure) -> None:
        """From now on the same address shows another world; what was to be delivered from the old one is forgotten."""
        deliveries = tuple(self._deliveries)
        for task in deliveries:
            task.cancel()
        await asyncio.gather(*deliveries, return_exceptions=True)
        azure.move_to(self.endpoint)
        self.time.reset()
        self.azure = azure
        self.wake()

    @property
    def has_told_all(self) -> bool:
        """No event is on its way or waits for another attempt."""
        return not self._deliveries and self.azure.events.next_attempt() is None

    def hurry(self) -> None:
        """If Azure has nothing before it but an event that it sends later, let that moment come."""
        later = self.azure.events.next_attempt()
        if later is None or self._deliveries or self.azure.next_due() is not None:
            return
        self.time.skipped += max(timedelta(), later - self.time.now())
        self.wake()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not self._is_the_apps(request):
            return await super()._handle(request)
        try:
            step = self._gate.enter(azure_step(request.method, request.raw_path))
            answer = await super()._handle(request)
            self._gate.leave(step)
        except HostKilled:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        return answer

    def _is_the_apps(self, request: web.Request) -> bool:
        if request.path == IDENTITY_PATH:
            return True
        return caller_of(request.headers.get("Authorization", "")) == self._app


def caller_of(authorization: str) -> str:
    """The object id that a bearer token names; "" without one. Whether the token is any good is not asked here."""
    parts = authorization.removeprefix("Bearer ").split(".")
    if len(parts) != 3:
        return ""
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except ValueError:
        return ""
    return str(claims.get("oid", "")) if isinstance(claims, dict) else ""
