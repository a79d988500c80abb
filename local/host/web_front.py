"""
Everything that the host serves over HTTP: functions' routes, the Event Grid webhook, the admin API.

| path                          | key                             |
|-------------------------------|---------------------------------|
| `/{routePrefix}/...`          | by the function's `authLevel`   |
| `/runtime/webhooks/eventgrid` | `eventgrid_extension` or master |
| `/admin/host/ping`            | none                            |
| `/admin/...`                  | master                          |

A key travels in the header `x-functions-key` or the query parameter `code`. As in Azure, an unknown route and a known
route with another method are both 404, and a wrong key is 401.
"""

import asyncio
import json
import logging
from typing import assert_never

from aiohttp import web

from local.host.admin import Admin
from local.host.event_grid import Handshake, Notification, Refused, Unsubscribed, understand
from local.host.functions import EventGridTrigger, Function, HttpTrigger
from local.host.http_functions import MAX_BODY_BYTES, from_worker, to_worker
from local.host.invocations import Invoker
from local.host.keys import Keys
from local.host.protos import TypedData

log = logging.getLogger("host.http")

WEBHOOK = "/runtime/webhooks/eventgrid"
CLOUD_EVENTS_RATE = "*"  # the handshake's "as many requests as you like"


class WebFront:
    def __init__(
        self,
        *,
        functions: tuple[Function, ...],
        keys: Keys,
        invoker: Invoker,
        admin: Admin,
        route_prefix: str = "api",
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._max_body_bytes = max_body_bytes
        self._keys = keys
        self._invoker = invoker
        self._admin = admin
        self._prefix = f"/{route_prefix}/" if route_prefix else "/"
        http = [(function.trigger, function) for function in functions if isinstance(function.trigger, HttpTrigger)]
        self._http = sorted(http, key=lambda entry: entry[0].route.precedence)
        self._event_grid = {
            function.name.lower(): function for function in functions if isinstance(function.trigger, EventGridTrigger)
        }

    def application(self) -> web.Application:
        application = web.Application(client_max_size=self._max_body_bytes)
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        response = await self._route(request, path)
        log.info("method=%s path=%s status=%d", request.method, path, response.status)  # never the query: it has keys
        return response

    async def _route(self, request: web.Request, path: str) -> web.Response:
        if path == "/":
            return web.Response(text="The Functions host is running.\n")
        if path.lower().startswith("/admin/"):
            if path.lower() != "/admin/host/ping" and not self._keys.open_admin(offered_key(request)):
                return web.Response(status=401)
            return await self._admin.serve(request, path)
        if path.lower() == WEBHOOK:
            return await self._webhook(request)
        if path.lower().startswith(self._prefix.lower()):
            return await self._function(request, path[len(self._prefix) :])
        return web.Response(status=404)

    async def _function(self, request: web.Request, path: str) -> web.Response:
        for trigger, function in self._http:
            if trigger.methods and request.method not in trigger.methods:
                continue
            parameters = trigger.route.match(path)
            if parameters is None:
                continue
            if not self._keys.open_function(trigger.auth_level, offered_key(request)):
                return web.Response(status=401)
            invocation = await self._invoker.invoke(
                function,
                await to_worker(request, parameters),
                reason="HTTP request",
                trace_parent=request.headers.get("traceparent"),
            )
            return from_worker(invocation.response) if invocation.succeeded else web.Response(status=500)
        return web.Response(status=404)

    async def _webhook(self, request: web.Request) -> web.Response:
        name = request.query.get("functionName", "")
        function = self._event_grid.get(name.lower())
        if function is None:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if not self._keys.open_webhook(offered_key(request)):
            return web.Response(status=401)
        if request.method == "OPTIONS":
            return _allow_origin(request)
        if request.method != "POST":
            return web.Response(status=405)
        delivery = understand(request.headers, await request.read())
        match delivery:
            case Handshake():
                return web.json_response({"validationResponse": delivery.validation_code})
            case Unsubscribed():
                return web.Response(status=202)
            case Refused():
                log.warning("function=%s refused a delivery: %s", function.name, delivery.why)
                return web.Response(status=400, text=delivery.why)
            case Notification():
                return await self._notify(function, delivery)
            case _:
                assert_never(delivery)

    async def _notify(self, function: Function, notification: Notification) -> web.Response:
        """One invocation per event, all at once; any failure makes Event Grid repeat the whole delivery."""
        invocations = await asyncio.gather(
            *(
                self._invoker.invoke(function, TypedData(json=json.dumps(event)), reason="Event Grid event")
                for event in notification.events
            )
        )
        errors = [invocation.error for invocation in invocations if invocation.error is not None]
        return web.Response(status=500, text=errors[0]) if errors else web.Response(status=202)


def offered_key(request: web.Request) -> str | None:
    return request.headers.get("x-functions-key") or request.query.get("code")


def _allow_origin(request: web.Request) -> web.Response:
    """CloudEvents' protection against abuse: agree to be sent events by this origin."""
    origin = request.headers.get("WebHook-Request-Origin")
    if not origin:
        return web.Response(status=400, text="The header WebHook-Request-Origin is missing.")
    return web.Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": CLOUD_EVENTS_RATE})
