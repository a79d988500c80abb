"""
The control plane under /simulator/: looking at the world and disturbing it, for demos and tests.

It is no part of Azure and needs no token; the server listens on the loopback interface only.

    GET    /simulator/state?type=&scope=   the world as a seed document
    GET    /simulator/log?since=N          calls from the N-th on
    GET    /simulator/events               deliveries that were accepted, and dead letters
    GET    /simulator/received             events that custom topics have taken in
    POST   /simulator/seed                 a seed document, added to the world
    DELETE /simulator/resources?id=        take a resource away behind everybody's back
    POST   /simulator/faults               {kind, method, path, times, skip, status, code, message, headers, seconds}
    DELETE /simulator/faults               forget the script
    POST   /simulator/graph                {frozen, hidden, lostShare, announced, lagSeconds, refresh} of Resource Graph
    POST   /simulator/hosts                {site, url, key}: where a function app's events are delivered
    POST   /simulator/principals           a principal as in a seed document
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

from aiohttp import web

from local.simulator import seed
from local.simulator.azure import SimulatedAzure
from local.simulator.call import LoggedCall
from local.simulator.faults import Fault, FaultKind

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_FAULT_MEMBERS = {each.name for each in fields(Fault)} - {"hits", "_expression", "raw"}


def routes(azure: SimulatedAzure, wake: Callable[[], None]) -> list[web.RouteDef]:
    """The routes; *wake* is called after every change."""
    control = _Control(azure, wake)
    return [
        web.get("/simulator/state", control.state),
        web.get("/simulator/log", control.log),
        web.get("/simulator/events", control.events),
        web.get("/simulator/received", control.received),
        web.post("/simulator/seed", _told(control.load)),
        web.delete("/simulator/resources", control.remove),
        web.post("/simulator/faults", _told(control.add_fault)),
        web.delete("/simulator/faults", control.clear_faults),
        web.post("/simulator/graph", _told(azure.graph.configure)),
        web.post("/simulator/hosts", _told(control.add_host)),
        web.post("/simulator/principals", _told(control.add_principal)),
    ]


def _told(change: Callable[[Any], None]) -> Handler:
    """A handler that takes a JSON object and says what was wrong with it."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            change(json.loads(await request.read()))
        except (ValueError, KeyError, TypeError) as problem:
            return web.json_response({"error": f"{type(problem).__name__}: {problem}"}, status=400)
        return web.json_response({})

    return handler


class _Control:
    def __init__(self, azure: SimulatedAzure, wake: Callable[[], None]) -> None:
        self._azure = azure
        self._wake = wake

    async def state(self, request: web.Request) -> web.StreamResponse:
        kind, scope = request.query.get("type", "").lower(), request.query.get("scope", "").lower()
        document = seed.dump(self._azure)
        document["resources"] = [
            each
            for each in document["resources"]
            if (not kind or str(each["type"]).lower() == kind) and str(each["id"]).lower().startswith(scope)
        ]
        return web.json_response(document)

    async def log(self, request: web.Request) -> web.StreamResponse:
        since = request.query.get("since", "0")
        if not since.isdigit():
            return web.json_response({"error": f"since must be a number, not '{since}'"}, status=400)
        found = self._azure.log[int(since) :]
        return web.json_response({"next": len(self._azure.log), "calls": [_logged(each) for each in found]})

    async def events(self, _request: web.Request) -> web.StreamResponse:
        events = self._azure.events
        delivered = [
            {"at": at.isoformat(), "subscription": subscription, "type": event.type, "subject": event.subject}
            for at, subscription, event in events.delivered
        ]
        return web.json_response({"delivered": delivered, "deadLetters": len(events.dead_letters)})

    async def received(self, _request: web.Request) -> web.StreamResponse:
        taken = [
            {"at": at.isoformat(), "topic": topic, "event": event.as_cloud_event()}
            for at, topic, event in self._azure.events.received
        ]
        return web.json_response({"received": taken})

    def load(self, document: Any) -> None:
        seed.load(self._azure, document)
        self._wake()

    async def remove(self, request: web.Request) -> web.StreamResponse:
        gone = self._azure.world.delete(request.query.get("id", ""))
        self._wake()
        return web.json_response({"removed": [each.id for each in gone]}, status=200 if gone else 404)

    def add_fault(self, given: Any) -> None:
        unknown = set(given) - _FAULT_MEMBERS
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        self._azure.faults.add(Fault(**{**given, "kind": FaultKind(given["kind"])}))

    async def clear_faults(self, _request: web.Request) -> web.StreamResponse:
        self._azure.faults.clear()
        return web.json_response({})

    def add_host(self, given: Any) -> None:
        self._azure.events.host_functions(str(given["site"]), str(given["url"]), str(given.get("key", "")))
        self._wake()

    def add_principal(self, given: Any) -> None:
        seed.load(self._azure, {"principals": [given]})


def _logged(call: LoggedCall) -> dict[str, Any]:
    return {
        "at": call.at.isoformat(),
        "method": call.method,
        "url": call.url,
        "status": call.status,
        "principal": call.principal,
        "action": call.action,
        "kind": call.kind,
    }
