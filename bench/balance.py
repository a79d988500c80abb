"""
What stands in front of several hosts: deliveries go to them in turn, as a load balancer does before the instances of an app.

Event Grid's own deliveries come in at one address; the bench's are posted from here. A host that does not take one is
nothing special: Event Grid sends it again, and so does this, to the next one.
"""

import asyncio
import itertools
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack

from aiohttp import ClientSession, web

from bench.rows import ReferenceFailed

_MOST_ATTEMPTS, _AGAIN = 30, 2.0
_TAKEN = range(200, 205)


class Balance:
    """
    Deliveries to hosts in turn.

    Args:
        session: For all of them.
        again: Seconds until a delivery that was not taken is sent again.

    Attributes:
        webhooks: Where the hosts take events; whoever starts a host adds its own.
        redelivered: Deliveries that were not taken and were sent again.
    """

    def __init__(self, session: ClientSession, *, again: float = _AGAIN) -> None:
        self.webhooks: list[str] = []
        self.redelivered = 0
        self._session = session
        self._again = again
        self._turn = itertools.count()

    async def deliver(self, events: Sequence[object]) -> None:
        """
        Post one delivery of *events* to the host whose turn it is, and again to the next one until it is taken.

        As Event Grid does, which waits for longer: a host that cannot reach its storage in time says so.

        Raises:
            ReferenceFailed: Nobody took it.
        """
        body = json.dumps(list(events))
        headers = {"aeg-event-type": "Notification", "Content-Type": "application/json"}
        for _ in range(_MOST_ATTEMPTS):
            async with self._session.post(self._next(), data=body, headers=headers) as answer:
                said = f"{answer.status}: {await answer.text()}"
                if answer.status in _TAKEN:
                    return
            self.redelivered += 1
            await asyncio.sleep(self._again)
        raise ReferenceFailed(f"no host took a delivery; the last one answered {said}")

    async def serve(self, ending: AsyncExitStack) -> str:
        """Serve one address for all hosts until *ending*; gives it."""
        app = web.Application()
        app.router.add_post("/", self._forward)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        ending.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/"

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower().startswith("aeg-")}
        content = {"Content-Type": request.headers.get("Content-Type", "application/json")}
        async with self._session.post(self._next(), data=await request.read(), headers=headers | content) as answer:
            return web.Response(status=answer.status, body=await answer.read())

    def _next(self) -> str:
        return self.webhooks[next(self._turn) % len(self.webhooks)]
