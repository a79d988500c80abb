"""
Serve the dashboard: understand the request, find out who asks, show a page or act; every failure becomes a page.

Nothing of the app is shown before its visitor is known, not even why it cannot work.
"""

import json
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import azure.functions as func

from handlers import dashboard_render as rendering
from handlers.dashboard_failed import failed_page
from handlers.dashboard_identity import Right, Roles, Visitor, principal_of, rights_of_key
from handlers.dashboard_pages import confirmation, overview
from handlers.dashboard_registry import look, registry_page
from handlers.dashboard_request import ROOT, Ask, read_ask
from handlers.dashboard_runtime import Desk, desk_of
from handlers.dashboard_session import SESSION_LIFE
from handlers.http_caller import caller_of, guards_principals
from handlers.http_problem import BUG, problem_of, retry_after, status_of
from handlers.http_request import headers_of
from handlers.http_serve import Composing
from shared.core.errors import InvalidPolicy, InvalidSettings, NotAllowed, RegistryIsolationError
from shared.engine.chain import within
from shared.engine.logs import tell

FORBIDDEN, UNKNOWN_VISITOR, SEE_OTHER, OK = 403, 401, 303, 200
_A_YEAR = "public, max-age=31536000, immutable"
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """
    What is answered.

    Attributes:
        script: Source that the page's one script is allowed by; "" for none.
    """

    text: str = ""
    status: int = OK
    headers: Mapping[str, str] = field(default_factory=dict)
    script: str = ""


async def serve(request: func.HttpRequest, compose: Composing) -> func.HttpResponse:
    """Answer *request* with the services that *compose* gives; never raises."""
    with ExitStack() as chain:
        return await _served(request, compose, chain)


async def _served(request: func.HttpRequest, compose: Composing, chain: ExitStack) -> func.HttpResponse:
    try:
        ask = read_ask(request)
        chain.enter_context(within(registry=ask.registry.text if ask.registry else ""))
        if ask.page in rendering.FILES:
            return _file(ask)
        if ask.page == "findings":
            return _answer(Page(text=rendering.render("findings.html.j2", visitor=None)))
        return _answer(await _page(ask, compose))
    except (InvalidSettings, InvalidPolicy) as error:
        tell("dashboard", level=logging.WARNING, error=error.name)
        why = (
            "The app's settings or its policy cannot be used. GET /api/health, with a function key, says what is wrong."
        )
        return _answer(_problem(status_of(error), "Not set up", why))
    except RegistryIsolationError as error:
        tell("dashboard", status=status_of(error), error=error.name)
        again = retry_after(error)
        page = _problem(status_of(error), problem_of(error, ROOT).title, error.sentence)
        return _answer(page, {"Retry-After": again} if again else {})
    except Exception:  # noqa: BLE001 -- whatever it is, the visitor gets a page and the log the rest
        _log.exception("The dashboard failed.")
        why = "The app failed in a way that nobody foresaw. Its log has the exception."
        return _answer(_problem(BUG, "Internal error", why))


async def serve_code(request: func.HttpRequest, compose: Composing) -> func.HttpResponse:
    """Exchange a function key, which the host has checked, for a code to sign in with."""
    try:
        app = await compose()
        if _principals_only(desk_of(app)):
            raise NotAllowed("App Service authentication is on: sign in with it, not with a function key.")
        caller = caller_of(headers_of(request), request.params, easy_auth=False, key_names=app.settings.http.key_names)
        rights = rights_of_key(
            caller, app.settings.dashboard.acting_keys, only_read=request.params.get("rights") == Right.READ.value
        )
        code = await desk_of(app).sessions.code(caller, rights)
        desk_of(app).board.begin()
    except RegistryIsolationError as error:
        body = problem_of(error, f"{ROOT}-code").model_dump_json(by_alias=True)
        return func.HttpResponse(
            body, status_code=status_of(error), headers=HEADERS, mimetype="application/problem+json", charset="utf-8"
        )
    document = {"code": code, "rights": sorted(rights)}
    return func.HttpResponse(json.dumps(document), headers=HEADERS, mimetype="application/json", charset="utf-8")


async def _page(ask: Ask, compose: Composing) -> Page:
    app = await compose()
    desk = desk_of(app)
    if ask.page == "sign-in":
        return await _sign_in(ask, desk)
    visitor = await _visitor(ask, desk)
    if visitor is None:
        return _stranger(ask, desk)
    if ask.page == "sign-out":
        ask.require_same_site()
        return _to(ROOT, _cookie(desk, "", 0))
    if not visitor.rights:
        return _problem(FORBIDDEN, "Not allowed", _no_rights(visitor, desk))
    visitor.require(Right.READ)
    if ask.registry is not None:
        app.inquiry.check(ask.registry)
    match ask.page:
        case "registry":
            return Page(text=await registry_page(ask, desk, visitor))
        case "failed":
            return Page(text=await failed_page(ask, desk, visitor))
        case "look":
            return Page(text=await look(ask, desk, visitor))
        case "confirm":
            done = await confirmation(ask, desk, visitor)
            return _to(done.location, {}) if done.location else Page(text=done.text, status=done.status)
        case _:
            return Page(text=await overview(ask, desk, visitor))


# --- who ------------------------------------------------------------------------------------------------------------


def _principals_only(desk: Desk) -> bool:
    return guards_principals(desk.app)


async def _visitor(ask: Ask, desk: Desk) -> Visitor | None:
    if _principals_only(desk):
        wanted = desk.app.settings.dashboard
        return principal_of(ask.headers, Roles(reading=wanted.read_role, acting=wanted.act_role))
    cookie = ask.cookie(_cookie_name(desk))
    return await desk.sessions.visitor(cookie) if cookie else None


def _no_rights(visitor: Visitor, desk: Desk) -> str:
    wanted = desk.app.settings.dashboard
    return (
        f"{visitor.caller} is signed in and has no right here. The app role {wanted.read_role} lets somebody read, "
        f"{wanted.act_role} act as well; whoever administers the enterprise application in Entra ID can assign them."
    )


def _stranger(ask: Ask, desk: Desk, wrong: str = "") -> Page:
    """The page that asks who somebody is."""
    if ask.page in {"confirm", "sign-out"} and ask.method == "POST":
        wrong = wrong or "Your session has ended, and nothing was done. Sign in and ask again."
    easy = _principals_only(desk)
    values = {"easy": easy, "unguarded": desk.app.settings.http.easy_auth and not easy, "wrong": wrong}
    text = rendering.render("sign_in.html.j2", script=rendering.script(), host=ask.host, visitor=None, **values)
    headers = {"WWW-Authenticate": 'FunctionKey realm="dashboard"'}
    return Page(text=text, status=UNKNOWN_VISITOR, headers=headers, script=rendering.script_source())


async def _sign_in(ask: Ask, desk: Desk) -> Page:
    ask.require_same_site()
    if _principals_only(desk):
        return _stranger(ask, desk)
    session = await desk.sessions.session(ask.form.get("code", "").strip())
    if session is None:
        return _stranger(ask, desk, "That code is wrong or older than a minute. Get a new one.")
    rendering.prepare("overview.html.j2")
    return _to(ROOT, _cookie(desk, session, int(SESSION_LIFE.total_seconds())))


def _cookie_name(desk: Desk) -> str:
    """With the prefix that makes browsers insist on Secure and on this very host, where there is TLS."""
    return "isolation" if desk.app.settings.development else "__Host-isolation"


def _cookie(desk: Desk, value: str, seconds: int) -> dict[str, str]:
    secure = "" if desk.app.settings.development else "; Secure"
    attributes = f"Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    return {"Set-Cookie": f"{_cookie_name(desk)}={value}; {attributes}"}


# --- answers ----------------------------------------------------------------------------------------------------------


def _to(location: str, headers: Mapping[str, str]) -> Page:
    return Page(status=SEE_OTHER, headers={"Location": location, **headers})


def _problem(status: int, title: str, why: str) -> Page:
    return Page(
        text=rendering.render("problem.html.j2", title=title, why=why, status=status, visitor=None), status=status
    )


def _answer(page: Page, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    policy = _POLICY + (f"; script-src {page.script}; connect-src 'self'" if page.script else "")
    return func.HttpResponse(
        body=page.text,
        status_code=page.status,
        headers={**HEADERS, "Content-Security-Policy": policy, **page.headers, **(headers or {})},
        mimetype="text/html",
        charset="utf-8",
    )


def _file(ask: Ask) -> func.HttpResponse:
    """One of the two files that every page needs; kept for long under the address that names its content."""
    kept = ask.query.get("v") == rendering.version(ask.page)
    headers = HEADERS | {"Content-Security-Policy": _POLICY} | ({"Cache-Control": _A_YEAR} if kept else {})
    return func.HttpResponse(
        rendering.file(ask.page), headers=headers, mimetype=rendering.FILES[ask.page], charset="utf-8"
    )
