"""
HTTP door: one function for each line of the table of routes.

What a request means, and what an answer looks like, is read from modules that are imported at the first knock.
"""

from collections.abc import Awaitable, Callable

import azure.functions as func

from handlers.http_routes import ROUTES, Route
from handlers.invocation import composing

blueprint = func.Blueprint()


def _door(route: Route) -> Callable[[func.HttpRequest, func.Context], Awaitable[func.HttpResponse]]:
    async def door(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        from handlers.http_serve import serve  # noqa: PLC0415 -- cold start: pydantic's models are made at the first knock

        with composing(context, "http") as compose:
            return await serve(route, req, compose)

    door.__name__ = route.name
    return door


def _register(route: Route) -> object:
    level = func.AuthLevel.ANONYMOUS if route.anonymous else func.AuthLevel.FUNCTION
    routed = blueprint.route(route=route.path, methods=[route.method], auth_level=level)
    return blueprint.function_name(route.name)(routed(_door(route)))


BUILDERS = {route.name: _register(route) for route in ROUTES}
"""Function by name, as azure-functions registered it."""
