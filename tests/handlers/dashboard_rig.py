"""A browser before the dashboard over memory: keeps its cookie, sends what browsers send, gives pages as text."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

import azure.functions as func

from handlers.dashboard_request import ROOT
from handlers.dashboard_runtime import desk_of
from handlers.dashboard_serve import serve, serve_code
from handlers.runtime import Runtime
from local.memory import MemoryLedger, MemoryWorkQueue
from local.memory_sweeps import MemorySweeps
from shared.core.policy import IsolationPolicy
from shared.engine.ports import Clock
from shared.engine.session_ports import SigningKey
from shared.settings import Settings
from tests.emitted import FUNCTION_KEY, note, watch
from tests.virtual_time import LoopClock

HOST = "isolation.example"
KEY = FUNCTION_KEY


class MemoryKeyring:
    """Keys of today and yesterday, made of the day."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def current(self) -> SigningKey:
        name = self._clock.now().date().isoformat()
        return SigningKey(id=name, secret=name.encode())

    async def find(self, key: str) -> SigningKey | None:
        today = self._clock.now().date()
        believed = {(today - timedelta(days=age)).isoformat() for age in (0, 1)}
        return SigningKey(id=key, secret=key.encode()) if key in believed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An answer as a browser sees it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def words(self) -> str:
        """What a person reads, spaces joined."""
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.text)))

    @property
    def tags(self) -> list[tuple[str, dict[str, str | None]]]:
        """Every tag with its attributes, as a browser would understand them."""
        found: list[tuple[str, dict[str, str | None]]] = []

        class Collector(HTMLParser):
            def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
                found.append((tag, dict(attrs)))

        Collector().feed(self.text)
        return found

    def field(self, name: str) -> str:
        """Value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found is not None
        return unescape(found[1])


class Browser:
    """One visitor of one app over memory."""

    def __init__(self, policy: IsolationPolicy, environ: Mapping[str, str] | None = None, **services: object) -> None:
        settings = Settings.from_environ({"AzureWebJobsStorage": "UseDevelopmentStorage=true", **(environ or {})})
        self.app = Runtime(settings, policy)
        self.clock = LoopClock()
        self.ledger = MemoryLedger()
        watch(self.ledger)
        self.queue = MemoryWorkQueue(self.clock)
        made = {"clock": self.clock, "ledger": self.ledger, "queue": self.queue, "sweeps": MemorySweeps()}
        vars(self.app).update(made | services)
        vars(desk_of(self.app))["keyring"] = MemoryKeyring(self.clock)
        self.cookie = ""
        self.headers: dict[str, str] = {}

    async def sign_in(self, rights: str = "") -> None:
        """With a function key, as the script of the sign-in page does."""
        code = await self.code(rights)
        told = await self.post("/sign-in", {"code": code})
        assert (told.status, told.headers["Location"]) == (303, ROOT)
        vars(desk_of(self.app)).pop("board")  # it has begun to read; what a test writes now is to be seen at once

    async def code(self, rights: str = "") -> str:
        url = f"https://{HOST}{ROOT}-code" + (f"?rights={rights}" if rights else "")
        params = {"rights": rights} if rights else {}
        headers = {"x-functions-key": KEY} | self.headers
        request = func.HttpRequest(method="POST", url=url, headers=headers, params=params, route_params={}, body=b"")
        answer = await serve_code(request, self._compose)
        assert answer.status_code == 200, answer.get_body()
        return str(json.loads(answer.get_body())["code"])

    async def get(self, path: str = "", **headers: str) -> Seen:
        return await self.ask("GET", path, b"", headers)

    async def post(self, path: str, form: Mapping[str, str] | None = None, **headers: str) -> Seen:
        given = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin", "origin": "null"}
        sent = given | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", path, urlencode(form or {}).encode(), sent)

    async def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Seen:
        split = urlsplit(path)
        inner = split.path.removeprefix(ROOT)
        cookie = {"cookie": self.cookie} if self.cookie else {}
        request = func.HttpRequest(
            method=method,
            url=f"https://{HOST}{ROOT}{inner}",
            headers=cookie | self.headers | {name: value for name, value in headers.items() if value},
            params=dict(parse_qsl(split.query, keep_blank_values=True)),
            route_params={"path": inner.strip("/")} if inner.strip("/") else {},
            body=body,
        )
        answer = await serve(request, self._compose)
        told = dict(answer.headers)
        if "Set-Cookie" in told:
            self.cookie = told["Set-Cookie"].partition(";")[0]
        note(f"{told} {answer.get_body().decode()}")
        return Seen(status=answer.status_code, headers=told, text=answer.get_body().decode())

    async def _compose(self) -> Runtime:
        return self.app
