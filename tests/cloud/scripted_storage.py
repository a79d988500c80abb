"""
A storage service that says what a test tells it to, in order, over a real socket; and what it was asked.

For what Azurite never does: fail, stay silent, or delete slowly. The real SDK clients talk to it.
"""

import base64
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.cloud.state_clients import StateAccount

ACCOUNT = "scripted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    code: str = ""
    message: str = "Told by the test."
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def response(self, *, tables: bool) -> web.Response:
        headers = {"x-ms-request-id": "1", "x-ms-version": "2025-01-05", **self.headers}
        if not self.code:
            return web.Response(status=self.status, headers=headers, text=self.body or None)
        if tables:  # the table service has its code in the body only
            value = f"{self.message}\nRequestId:1\nTime:2026-01-05T00:00:00Z"
            error = {"odata.error": {"code": self.code, "message": {"lang": "en-US", "value": value}}}
            return web.Response(
                status=self.status,
                headers=headers,
                text=json.dumps(error),
                content_type="application/json",
            )
        text = f'<?xml version="1.0"?><Error><Code>{self.code}</Code><Message>{self.message}\nRequestId:1</Message></Error>'
        return web.Response(
            status=self.status,
            headers={**headers, "x-ms-error-code": self.code},
            text=text,
            content_type="application/xml",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str


@dataclass(slots=True, kw_only=True)
class ScriptedStorage:
    account: StateAccount
    asked: list[Asked]
    left: list[Answer]


@asynccontextmanager
async def scripted_storage(answers: Iterable[Answer], *, tables: bool = False) -> AsyncIterator[ScriptedStorage]:
    """Serve *answers*; when they have run out, the last one stays."""
    left = list(answers)
    asked: list[Asked] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(
            Asked(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.text(),
            )
        )
        return (left.pop(0) if len(left) > 1 else left[0]).response(tables=tables)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        endpoint = f"http://127.0.0.1:{server.port}/{ACCOUNT}"
        key = base64.b64encode(b"no secret").decode()
        parts = f"AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={endpoint};QueueEndpoint={endpoint}"
        account = StateAccount(connection_string=f"{parts};TableEndpoint={endpoint}")
        yield ScriptedStorage(account=account, asked=asked, left=left)
