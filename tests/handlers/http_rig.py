"""
The HTTP door over memory: requests as the Functions worker hands them over, answers held to the OpenAPI document.

No answer of any test may be one that the document does not know.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func
from jsonschema import Draft202012Validator

from handlers.http_health import VERSION
from handlers.http_routes import PREFIX, ROUTES, Route
from handlers.http_serve import HEADERS, serve
from handlers.openapi import document
from handlers.runtime import Runtime
from local.host.routes import Route as Template
from local.memory import MemoryLedger, MemoryWorkQueue
from shared.core.arm import ResourceId
from shared.core.policy import IsolationPolicy
from shared.settings import Settings
from tests.emitted import FUNCTION_KEY, note, watch
from tests.virtual_time import LoopClock

DOCUMENT: dict[str, Any] = json.loads(document(VERSION).model_dump_json())
KEY = FUNCTION_KEY


def path_to(registry: ResourceId, *more: str) -> str:
    parts = ("registries", registry.subscription, registry.resource_group, registry.name, *more)
    return "/".join((PREFIX, *parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer as a client sees it."""

    status: int
    headers: Mapping[str, str]
    body: Any
    media: str = ""


class Door:
    """
    The door of one app over memory.

    Args:
        services: Services by name that are there already; ledger, queue and clock are made if not given.
    """

    def __init__(self, policy: IsolationPolicy, environ: Mapping[str, str] | None = None, **services: object) -> None:
        settings = Settings.from_environ({"AzureWebJobsStorage": "UseDevelopmentStorage=true", **(environ or {})})
        self.app = Runtime(settings, policy)
        self.clock = LoopClock()
        self.ledger = MemoryLedger()
        watch(self.ledger)
        self.queue = MemoryWorkQueue(self.clock)
        vars(self.app).update({"clock": self.clock, "ledger": self.ledger, "queue": self.queue} | services)

    async def get(self, path: str, **headers: str) -> Told:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, body: object = None, **headers: str) -> Told:
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content-type": "application/json"} if raw else {}
        return await self.ask(
            "POST", path, raw, given | {name.replace("_", "-"): value for name, value in headers.items()}
        )

    async def ask(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Told:
        route, parameters = find(method, urlsplit(url).path)
        request = func.HttpRequest(
            method=method,
            url=f"https://isolation.example{url}",
            headers={"x-functions-key": KEY} | dict(headers or {}),
            params=dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
            route_params=parameters,
            body=body,
        )
        return checked(route, await serve(route, request, self._compose))

    async def _compose(self) -> Runtime:
        return self.app


def find(method: str, path: str) -> tuple[Route, Mapping[str, str]]:
    """The route that the host would choose."""
    for route in sorted(ROUTES, key=lambda route: Template.parse(route.path).precedence):
        parameters = Template.parse(route.path).match(path.removeprefix(PREFIX))
        if route.method == method and parameters is not None:
            return route, parameters
    raise LookupError(f"{method} {path} is no route of the app")


def checked(route: Route, answer: func.HttpResponse) -> Told:
    """The answer, which the document must know: its status, its media type, its headers, its body."""
    documented = DOCUMENT["paths"][f"/{route.path}"][route.method.lower()]["responses"][str(answer.status_code)]
    headers = dict(answer.headers)
    assert HEADERS.items() <= headers.items()
    assert documented.get("headers", {}).keys() <= headers.keys()
    raw = answer.get_body()
    note(f"{headers} {raw.decode()}")
    if "content" not in documented:
        assert raw == b""
        return Told(status=answer.status_code, headers=headers, body=None)
    assert answer.mimetype in documented["content"]
    if answer.mimetype in route.media:
        return Told(status=answer.status_code, headers=headers, body=raw.decode(), media=str(answer.mimetype))
    body = json.loads(raw)
    schema = documented["content"][answer.mimetype]["schema"]
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(body)
    return Told(status=answer.status_code, headers=headers, body=body, media=str(answer.mimetype))
