"""
Dashboard door: pages for people, and the exchange of a function key for a sign-in code.

The host checks keys before any code of ours runs, and only in a header or in the address. So the pages are anonymous to the
host and check their visitors themselves, and one function of its own, which the host guards by key, hands out the code. Its
address is not below that of the pages: the real host tries overlapping routes in the order of their functions' names.
"""

import azure.functions as func

from handlers.invocation import composing

# ruff: noqa: PLC0415 -- cold start: templates and pydantic's models are made at the first knock

blueprint = func.Blueprint()


@blueprint.function_name("dashboard")
@blueprint.route(route="dashboard/{*path}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def dashboard(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Serve a page, or what a form of one asks for."""
    from handlers.dashboard_serve import serve

    with composing(context, "dashboard") as compose:
        return await serve(req, compose)


@blueprint.function_name("dashboard_code")
@blueprint.route(route="dashboard-code", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def dashboard_code(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Give whoever has a function key a code to sign in with."""
    from handlers.dashboard_serve import serve_code

    with composing(context, "dashboard") as compose:
        return await serve_code(req, compose)
