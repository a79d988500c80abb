"""
The admin API: what runs here, and running it by hand.

`POST /admin/functions/{name}` with `{"input": "..."}` runs a function that is not HTTP-triggered, as documented in
"Manually run a non HTTP-triggered function". The caller needs the master key, which `web_front` has checked.
"""

import asyncio
import json
import os
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, assert_never

from aiohttp import web

from local.host.functions import EventGridTrigger, Function, HttpTrigger, QueueTrigger, TimerTrigger
from local.host.invocations import Invoker
from local.host.protos import TypedData
from local.host.queues import MESSAGE_LIVES, Message, metadata_of
from local.host.timers import timer_value

HOST_VERSION = "4.0.0.0"  # the runtime generation whose behaviour this host follows


class Admin:
    def __init__(
        self,
        *,
        functions: tuple[Function, ...],
        invoker: Invoker,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._invoker = invoker
        self._now = now
        self._started = now()
        self._running: set[asyncio.Task[Any]] = set()

    async def serve(self, request: web.Request, path: str) -> web.Response:
        parts = path.strip("/").lower().split("/")[1:]
        match request.method, parts:
            case "GET" | "POST", ["host", "ping"]:
                return web.Response()
            case "GET", ["host", "status"]:
                return web.json_response(self._status())
            case "GET", ["functions"]:
                return web.json_response([_summary(function) for function in self._functions.values()])
            case "GET", ["functions", name] if name in self._functions:
                return web.json_response(_summary(self._functions[name]))
            case "POST", ["functions", name] if name in self._functions:
                return await self._run(request, self._functions[name])
            case _:
                return web.Response(status=404)

    async def _run(self, request: web.Request, function: Function) -> web.Response:
        try:
            text = _input_of(await request.read())
            value, metadata = self._value(function, text)
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        task = asyncio.create_task(
            self._invoker.invoke(function, value, reason="this function was called by hand", metadata=metadata)
        )
        self._running.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._running.discard)
        return web.Response(status=202)

    def _value(self, function: Function, text: str) -> tuple[TypedData, Mapping[str, TypedData]]:
        match function.trigger:
            case QueueTrigger():
                return TypedData(string=text), metadata_of(self._message(text), text)
            case EventGridTrigger():
                return TypedData(json=_event(text)), {}
            case TimerTrigger():
                return timer_value(past_due=False, last=None, due=self._now()), {}
            case HttpTrigger():
                raise ValueError(f"{function.name} is an HTTP function; call its own route.")
            case _:
                assert_never(function.trigger)

    def _message(self, text: str) -> Message:
        now = self._now()
        return Message(
            id=str(uuid.uuid4()),
            text=text,
            pop_receipt="",
            dequeue_count=1,
            inserted_at=now,
            expires_at=now + MESSAGE_LIVES,
            next_visible_at=now,
        )

    def _status(self) -> dict[str, Any]:
        return {
            "id": f"local-{os.getpid()}",
            "state": "Running",
            "version": HOST_VERSION,
            "processUptime": round((self._now() - self._started).total_seconds() * 1000),
        }


def _input_of(body: bytes) -> str:
    """The text in `{"input": "..."}`; nothing at all counts as an empty text."""
    if not body.strip():
        return ""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ValueError(f"The body is not JSON: {error}.") from error
    text = document.get("input") if isinstance(document, dict) else None
    if not isinstance(text, str):
        raise ValueError('The body must be {"input": "..."}, with a text.')  # noqa: TRY004 -- the caller sees one kind
    return text


def _event(text: str) -> str:
    try:
        event = json.loads(text)
    except ValueError as error:
        raise ValueError(f"The input is not an event in JSON: {error}.") from error
    if not isinstance(event, dict):
        raise ValueError("The input is not one event: it must be a JSON object.")  # noqa: TRY004 -- as above
    return text


def _summary(function: Function) -> dict[str, Any]:
    return {"name": function.name, "language": "python", "isDisabled": False, "trigger": function.kind}
