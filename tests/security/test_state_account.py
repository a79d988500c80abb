"""The app's own storage: what a forged answer of it can make the app send, and where."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.cloud.ledger import TableLedger
from shared.cloud.work_queue import StorageWorkQueue
from shared.core.errors import RegistryIsolationError
from shared.core.requests import WorkMessage
from tests.cloud.scripted_storage import Answer, scripted_storage
from tests.core.worlds import registry_id


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_the_state_account_is_not_followed(status: int) -> None:
    visitors: list[str] = []

    async def notice(request: web.Request) -> web.Response:
        visitors.append(await request.text())
        return web.Response(status=200)

    elsewhere = web.Application()
    elsewhere.router.add_route("*", "/{path:.*}", notice)
    registry = registry_id("alpha")
    async with TestServer(elsewhere) as stranger:
        away = Answer(status=status, headers={"Location": f"http://127.0.0.1:{stranger.port}/steal"})
        async with scripted_storage([away]) as storage:
            ledger, queue = TableLedger(storage.account), StorageWorkQueue(storage.account, "work")
            for call in (ledger.read(registry), queue.send(WorkMessage(registry=registry, generation=1))):
                with pytest.raises(RegistryIsolationError):
                    await call
            await ledger.aclose()
            await queue.aclose()

    assert visitors == []
    assert len(storage.asked) == 2
