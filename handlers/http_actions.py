"""
What each operation of the HTTP API does: call the engine, say the answer in the wire's words. No decisions.

One coroutine function for each name in the table of routes.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from handlers import http_views as views
from handlers.http_answer import Answer
from handlers.http_health import VERSION, health
from handlers.http_problem import problem_of
from handlers.http_report import show_report
from handlers.http_request import Call, read_ids
from handlers.http_schemas import Ping, Remediate, Replay, Why
from handlers.openapi import document
from handlers.runtime import Runtime
from shared.core.errors import UnknownSweep
from shared.core.requests import WorkMessage
from shared.engine.remediation import ORIGIN, Differs

MOST_POISON = 100
"""Entries of a page, and registries of one replay."""
RETRY_AFTER = timedelta(seconds=5)
"""When the report of a request that was just accepted deserves a look."""


async def list_registries(app: Runtime, call: Call) -> Answer:
    """GET registries."""
    values = call.values
    page = await app.inquiry.list(phase=values["phase"], limit=values["limit"], after=values["after"])
    return Answer(body=views.registry_list(page))


async def show_registry(app: Runtime, call: Call) -> Answer:
    """GET a registry's report."""
    return Answer(body=views.registry_report(await app.inquiry.dossier(call.registry)), etag=True)


async def show_history(app: Runtime, call: Call) -> Answer:
    """GET a registry's history."""
    page = await app.inquiry.history(call.registry, limit=call.values["limit"], after=call.values["after"])
    return Answer(body=views.history(page))


async def show_plan(app: Runtime, call: Call) -> Answer:
    """GET a fresh dry run."""
    return Answer(body=views.plan(await app.previewer.preview(call.registry), app.policy.mode))


async def remediate_registry(app: Runtime, call: Call) -> Answer:
    """POST remediate."""
    if not isinstance(call.body, Remediate):
        raise TypeError("The table of routes gives this operation that body.")
    digest = call.body.digest or ""
    found = await app.remediation.remediate(call.registry, caller=call.caller, digest=digest)
    if isinstance(found, Differs):
        seen = views.plan(found.preview, app.policy.mode)
        problem = problem_of(found.error, call.path).model_copy(update={"plan": seen})
        return Answer(body=problem, status=problem.status)
    return await _accepted(app, call, found)


async def undo_registry(app: Runtime, call: Call) -> Answer:
    """POST undo."""
    message = await app.remediation.undo(call.registry, caller=call.caller, why=_why(call))
    return await _accepted(app, call, message)


async def pause_registry(app: Runtime, call: Call) -> Answer:
    """POST pause."""
    message = await app.remediation.pause(call.registry, caller=call.caller, why=_why(call))
    return await _accepted(app, call, message)


async def resume_registry(app: Runtime, call: Call) -> Answer:
    """POST resume."""
    return await _accepted(app, call, await app.remediation.resume(call.registry, caller=call.caller))


async def begin_sweep(app: Runtime, call: Call) -> Answer:
    """POST sweeps."""
    record = await app.sweeper.begin("http", ORIGIN, call.caller)
    headers = {"Location": views.sweep_href(record.id), "Retry-After": str(int(RETRY_AFTER.total_seconds()))}
    return Answer(body=views.sweep(record), status=202, headers=headers)


async def list_sweeps(app: Runtime, call: Call) -> Answer:
    """GET sweeps."""
    page = await app.sweeper.list(call.values["limit"], call.values["after"])
    return Answer(body=views.sweep_list(page))


async def show_sweep(app: Runtime, call: Call) -> Answer:
    """GET a sweep's record."""
    record = await app.sweeper.read(call.sweep)
    if record is None:
        raise UnknownSweep("There is no sweep of this id; GET /api/sweeps lists those that are known.")
    return Answer(body=views.sweep(record))


async def list_poison(app: Runtime, call: Call) -> Answer:
    """GET poison; pages are shorter than *limit* may ask, for each entry costs a read."""
    page = await app.poison.list(min(call.values["limit"], MOST_POISON), call.values["after"])
    return Answer(body=views.poison(page))


async def replay_poison(app: Runtime, call: Call) -> Answer:
    """POST poison/replay: every id is checked before the first one is asked for again."""
    if not isinstance(call.body, Replay):
        raise TypeError("The table of routes gives this operation that body.")
    if call.body.all:
        sent = await app.poison.replay_all(MOST_POISON, call.caller)
        return Answer(body=views.replayed(sent, (), more=len(sent) == MOST_POISON), status=202)
    wanted = read_ids("registries", call.body.registries)
    for registry in wanted:
        app.inquiry.check(registry)
    found = {registry: await app.poison.replay(registry, call.caller) for registry in wanted}
    again = [message for message in found.values() if message]
    left = [registry for registry, message in found.items() if not message]
    return Answer(body=views.replayed(again, left, more=False), status=202)


async def show_health(app: Runtime, call: Call) -> Answer:
    """GET health of an app that could be composed."""
    found = await health(app, deep=bool(call.values["deep"]))
    return Answer(body=found, status=200 if found.status == "ok" else 503)


async def show_openapi(_app: Runtime, _call: Call) -> Answer:
    """GET the API's own description."""
    return Answer(body=document(VERSION))


def ping() -> Answer:
    """GET ping: no settings, no state, nobody asked."""
    return Answer(body=Ping())


ACTIONS: dict[str, Callable[[Runtime, Call], Awaitable[Answer]]] = {
    action.__name__: action
    for action in (
        list_registries,
        show_registry,
        show_history,
        show_plan,
        remediate_registry,
        undo_registry,
        pause_registry,
        resume_registry,
        begin_sweep,
        list_sweeps,
        show_sweep,
        list_poison,
        replay_poison,
        show_report,
        show_health,
        show_openapi,
    )
}


def _why(call: Call) -> str:
    if not isinstance(call.body, Why):
        raise TypeError("The table of routes gives this operation that body.")
    return call.body.why


async def _accepted(app: Runtime, call: Call, message: WorkMessage) -> Answer:
    """202 with the place to look at; the report itself if *wait* sufficed for the end."""
    wait = timedelta(seconds=call.values["wait"])
    if wait:
        dossier = await app.inquiry.settled(call.registry, message.generation, wait)
        if dossier is not None:
            return Answer(body=views.registry_report(dossier))
    headers = {"Location": views.href(call.registry), "Retry-After": str(int(RETRY_AFTER.total_seconds()))}
    return Answer(body=views.accepted(message), status=202, headers=headers)
