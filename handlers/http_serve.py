"""
Serve one request: understand it, act, answer; every failure becomes a problem document.

Order matters: a registry outside the policy's scope is refused before anything else of the request is looked at, so
that the door tells nobody what is behind it.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from hashlib import sha256

import azure.functions as func
from pydantic import BaseModel

from handlers.http_actions import ACTIONS, ping
from handlers.http_answer import JSON, Answer
from handlers.http_caller import caller_of, guards_principals
from handlers.http_health import not_composed
from handlers.http_problem import BUG, bug, problem_of, retry_after, status_of
from handlers.http_request import Call, headers_of, path_of, read_body, read_query, read_registry, read_sweep, site_of
from handlers.http_routes import Route
from handlers.http_schemas import Problem
from handlers.runtime import Runtime
from shared.core.errors import InvalidPolicy, InvalidSettings, RegistryIsolationError
from shared.engine.chain import within
from shared.engine.logs import tell

type Composing = Callable[[], Awaitable[Runtime]]
"""Makes the app's services, or raises what is wrong with its settings or its policy."""

PROBLEM_JSON = "application/problem+json"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
NOT_MODIFIED = 304
_SERVER_FAULT = 500

_log = logging.getLogger(__name__)


async def serve(route: Route, request: func.HttpRequest, compose: Composing) -> func.HttpResponse:
    """Answer *request* with the services that *compose* gives; never raises."""
    path = path_of(request)
    with ExitStack() as chain:
        try:
            return await _served(route, request, path, compose, chain)
        except RegistryIsolationError as error:
            return _problem(route, error, path)
        except Exception:  # noqa: BLE001 -- whatever it is, the client gets an answer and the log the rest
            _log.exception("The HTTP operation %s failed.", route.name)
            return _response(BUG, bug(path), PROBLEM_JSON)


async def _served(
    route: Route, request: func.HttpRequest, path: str, compose: Composing, chain: ExitStack
) -> func.HttpResponse:
    if route.anonymous:
        return _rendered(ping(), "")
    target = read_registry(route, request)
    chain.enter_context(within(registry=target.text if target else ""))
    try:
        app = await compose()
    except (InvalidSettings, InvalidPolicy) as error:
        if route.name == "show_health":
            return _response(status_of(error), not_composed(error), JSON)
        raise
    if target is not None:
        app.inquiry.check(target)
    call = Call(
        path=path,
        site=site_of(request),
        target=target,
        sweep=read_sweep(route, request),
        values=read_query(route, request),
        body=read_body(route, request),
        caller=_caller(app, request),
        etags=headers_of(request).get("if-none-match", ""),
    )
    return _rendered(await ACTIONS[route.name](app, call), call.etags)


def _caller(app: Runtime, request: func.HttpRequest) -> str:
    guarded, names = guards_principals(app), app.settings.http.key_names
    return caller_of(headers_of(request), request.params, easy_auth=guarded, key_names=names)


def _problem(route: Route, error: RegistryIsolationError, path: str) -> func.HttpResponse:
    status = status_of(error)
    level = logging.WARNING if status >= _SERVER_FAULT else logging.INFO
    tell("http", level=level, route=route.name, status=status, error=error.name)
    again = retry_after(error)
    return _response(status, problem_of(error, path), PROBLEM_JSON, {"Retry-After": again} if again else {})


def _rendered(answer: Answer, etags: str) -> func.HttpResponse:
    if isinstance(answer.body, Problem):
        return _response(answer.status, answer.body, PROBLEM_JSON, answer.headers)
    if not answer.etag:
        return _response(answer.status, answer.body, answer.media, answer.headers)
    etag = f'"{sha256(_text(answer.body).encode()).hexdigest()[:32]}"'
    headers = {**answer.headers, "ETag": etag}
    if _matches(etags, etag):
        return func.HttpResponse(status_code=NOT_MODIFIED, headers=HEADERS | headers)
    return _response(answer.status, answer.body, answer.media, headers)


def _matches(etags: str, etag: str) -> bool:
    """`If-None-Match`: any of a list, weak or not, or `*`."""
    given = {each.strip().removeprefix("W/") for each in etags.split(",")}
    return etag in given or "*" in given


def _response(
    status: int, body: BaseModel | str, media: str, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    return func.HttpResponse(
        body=_text(body), status_code=status, headers={**HEADERS, **(headers or {})}, mimetype=media, charset="utf-8"
    )


def _text(body: BaseModel | str) -> str:
    return body if isinstance(body, str) else body.model_dump_json(by_alias=True)
