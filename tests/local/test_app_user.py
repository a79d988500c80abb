"""The user of the app: a real curl, and no key where others can read it."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from local.app_user import AppRefused, AppUser, typed

pytestmark = pytest.mark.slow

KEY = "s3cret-key"


@asynccontextmanager
async def app(seen: list[tuple[str, str, str, str]], folder: Path) -> AsyncIterator[AppUser]:
    """A server that answers with what it was asked; `/api/no` is refused."""

    async def answer(request: web.Request) -> web.Response:
        key = request.headers.get("x-functions-key", "")
        seen.append((request.method, request.path_qs, key, await request.text()))
        if request.path == "/api/no":
            return web.json_response({"title": "No"}, status=409)
        return web.json_response({"path": request.path})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield AppUser(f"http://{host}:{port}", KEY, folder)
    finally:
        await runner.cleanup()


async def test_commands_carry_the_key_and_the_body(tmp_path: Path) -> None:
    seen: list[tuple[str, str, str, str]] = []
    async with app(seen, tmp_path) as user:
        read, written = await asyncio.gather(user.get("registries?limit=2"), user.post("sweeps", {"a": 1}))

    assert (read.status, read.document) == (200, {"path": "/api/registries"})
    assert written.document == {"path": "/api/sweeps"}
    assert sorted(seen) == [
        ("GET", "/api/registries?limit=2", KEY, ""),
        ("POST", "/api/sweeps", KEY, '{"a": 1}'),
    ]


async def test_a_refusal_says_what_the_app_said(tmp_path: Path) -> None:
    async with app([], tmp_path) as user:
        with pytest.raises(AppRefused, match=r'no was answered 409: {"title": "No"}'):
            await user.get("no")


async def test_nobody_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(AppRefused, match="curl ended with exit status 7"):
        await AppUser("http://127.0.0.1:1", KEY, tmp_path).get("ping")


def test_the_key_lies_in_a_file_of_its_owner_and_not_in_what_is_shown(tmp_path: Path) -> None:
    AppUser("http://127.0.0.1:1", KEY, tmp_path)
    (file,) = tmp_path.iterdir()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KEY not in typed("sweeps", {})
    assert typed("ping") == 'curl -sS -H "x-functions-key: $KEY" "$APP/api/ping"'
