"""Deliveries go to the hosts in turn; one that is not taken goes to the next host, and one that nobody takes gives no figures."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bench.balance import Balance
from bench.rows import ReferenceFailed


class Host:
    """Answers with *status*, and remembers what it was asked."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.asked: list[tuple[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.headers.get("aeg-event-type", ""), await request.text()))
        return web.Response(status=self.status, text="said")


@asynccontextmanager
async def served(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@asynccontextmanager
async def balanced(*hosts: Host) -> AsyncIterator[Balance]:
    async with ClientSession() as session, AsyncExitStack() as ending:
        balance = Balance(session, again=0)
        balance.webhooks += [await ending.enter_async_context(served(host.answer)) for host in hosts]
        yield balance


async def test_deliveries_go_to_the_hosts_in_turn() -> None:
    first, second = Host(200), Host(202)
    async with balanced(first, second) as balance:
        for number in range(4):
            await balance.deliver([{"id": number}])

    assert first.asked == [("Notification", '[{"id": 0}]'), ("Notification", '[{"id": 2}]')]
    assert second.asked == [("Notification", '[{"id": 1}]'), ("Notification", '[{"id": 3}]')]
    assert balance.redelivered == 0


async def test_a_delivery_that_is_not_taken_is_sent_again_to_the_next_host_and_counted() -> None:
    broken, sound = Host(500), Host(200)
    async with balanced(broken, sound) as balance:
        await balance.deliver([{"id": 1}])

    assert sound.asked == broken.asked == [("Notification", '[{"id": 1}]')]
    assert balance.redelivered == 1


async def test_a_delivery_that_nobody_takes_gives_no_figures() -> None:
    async with balanced(Host(503)) as balance:
        with pytest.raises(ReferenceFailed, match="no host took a delivery; the last one answered 503: said"):
            await balance.deliver([{"id": 1}])

    assert balance.redelivered == 30


async def test_event_grids_own_deliveries_are_passed_on_with_their_kind_and_answered_as_the_host_does() -> None:
    host = Host(429)
    async with balanced(host) as balance, AsyncExitStack() as ending, ClientSession() as grid:
        headers = {"aeg-event-type": "SubscriptionValidation", "X-Other": "stays here"}
        async with grid.post(await balance.serve(ending), data="[]", headers=headers) as answer:
            said = (answer.status, await answer.text())

    assert said == (429, "said")
    assert host.asked == [("SubscriptionValidation", "[]")]
