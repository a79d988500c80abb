"""
A function app for the tests of the host: one function per behaviour.

What its functions receive is appended to the file RECORD_FILE, one JSON document per line, because the app runs in
the host's process and the tests do not.
"""

import asyncio
import importlib
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any, List  # noqa: UP035 -- see enqueue

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(importlib.import_module("more_functions").blueprint)  # a neighbour, as in Azure


def record(function: str, **seen: Any) -> None:
    line = json.dumps({"function": function} | seen)
    with Path(os.environ["RECORD_FILE"]).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


@app.route(route="echo/{first}/{second?}", methods=["POST", "PUT"], auth_level=func.AuthLevel.ANONYMOUS)
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    body = {
        "method": req.method,
        "query": dict(req.params),
        "route": dict(req.route_params),
        "header": req.headers.get("X-Mixed-Case"),
        "length": len(req.get_body()),
        "url": req.url,
        "function": context.function_name,
        "invocation": context.invocation_id,
        "traceparent": context.trace_context.trace_parent,
    }
    return func.HttpResponse(json.dumps(body), status_code=201, mimetype="application/json", headers={"X-Echo": "yes"})


@app.route(route="bytes", auth_level=func.AuthLevel.ANONYMOUS)
def mirror(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse(req.get_body(), mimetype="application/octet-stream")
    response.headers.add("Set-Cookie", "colour=blue; Path=/; HttpOnly; Max-Age=60")
    return response


@app.route(route="secured")
def secured(req: func.HttpRequest) -> str:
    logging.getLogger("app").info("inside a synchronous function")
    return "open"


@app.route(route="guarded", auth_level=func.AuthLevel.ADMIN)
async def guarded(req: func.HttpRequest) -> str:
    return "open"


@app.route(route="misbehave/{how}", auth_level=func.AuthLevel.ANONYMOUS)
async def misbehave(req: func.HttpRequest) -> func.HttpResponse:
    match req.route_params["how"]:
        case "raise":
            raise RuntimeError("this function always fails")
        case "exit":
            sys.exit("this function tries to leave")
        case "cancel":
            raise asyncio.CancelledError
        case "sleep":
            await asyncio.sleep(60)
        case "die":
            os._exit(7)
        case "print":
            print("printed by a function")  # noqa: T201 -- the point of it
            return func.HttpResponse("printed")
    return None  # type: ignore[return-value]  # one more way to misbehave


@app.route(route="block", auth_level=func.AuthLevel.ANONYMOUS)
def block(req: func.HttpRequest) -> str:
    time.sleep(60)
    return "too late"


@app.route(route="enqueue", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output(arg_name="work", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
async def enqueue(req: func.HttpRequest, work: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006 -- all that the worker knows
    work.set(req.get_json())
    return func.HttpResponse(status_code=202)


@app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
async def work(message: func.QueueMessage) -> None:
    text = message.get_body().decode()
    record("work", text=text, id=message.id, dequeued=message.dequeue_count)
    if text.startswith("fail"):
        raise RuntimeError(f"asked to: {text}")
    if text.startswith("pause"):
        await asyncio.sleep(1)
    if text.startswith("hang") and message.dequeue_count == 1:
        await asyncio.sleep(60)


@app.event_grid_trigger(arg_name="event")
async def notice(event: func.EventGridEvent) -> None:
    kind = getattr(event, "event_type", None) or getattr(event, "type", None)
    record("notice", kind=kind, type=type(event).__name__, id=event.id, data=event.get_json())
    if event.id == "bad":
        raise RuntimeError("a bad event")
