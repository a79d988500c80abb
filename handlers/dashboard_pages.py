"""The overview of all registries, and the page that asks before anything is done."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from handlers.dashboard_failed import replay
from handlers.dashboard_identity import Right, Visitor
from handlers.dashboard_render import explained, place, render
from handlers.dashboard_request import REPLAY, ROOT, SWEEP, Ask
from handlers.dashboard_runtime import Desk
from handlers.dashboard_session import Act
from handlers.http_problem import status_of
from handlers.http_query import phases
from shared.core.errors import CrossSite, MalformedRequest
from shared.core.policy import IsolationPolicy
from shared.core.policy_values import matches
from shared.core.requests import WorkMessage
from shared.engine.overview import Overview, Wanted
from shared.engine.remediation import ORIGIN, Differs

PER_PAGE = 50
MOST_OBSTACLES = 6
MOST_REPAIRED = 5
SOON = timedelta(days=14)
"""How long before its last day an exemption is shown."""
_LONGEST_TEXT = 200
_LONGEST_WHY = 500
_DIGEST_LENGTH = 64
_TILES = ("converged", "waiting", "blocked", "failed")
"""Phases that are counted even where they are nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Where to go on, or what to show instead."""

    location: str = ""
    text: str = ""
    status: int = 200


# --- overview ---------------------------------------------------------------------------------------------------------


async def overview(ask: Ask, desk: Desk, visitor: Visitor) -> str:
    """All registries at a glance, and one page of those that are wanted."""
    board = await desk.board.look()
    now = desk.app.clock.now()
    wanted = _wanted(ask)
    found = wanted.of(board, now)
    pages = max(1, -(-len(found) // PER_PAGE))
    page = min(_page_number(ask), pages)
    return render(
        "overview.html.j2",
        visitor=visitor,
        now=now,
        board=board,
        mode=desk.app.policy.mode,
        tiles=_tiles(board),
        obstacles=board.obstacles[:MOST_OBSTACLES],
        more_obstacles=max(0, len(board.obstacles) - MOST_OBSTACLES),
        repaired=board.repaired_on(now),
        most_repaired=MOST_REPAIRED,
        drifting=board.drifting(),
        exemptions=_exemptions(desk.app.policy, board, now.date()),
        failed=board.phases.get("failed", 0),
        wanted=wanted,
        values=_values(wanted),
        phases=phases(),
        rows=found[(page - 1) * PER_PAGE : page * PER_PAGE],
        found=len(found),
        page=page,
        pages=pages,
        per_page=PER_PAGE,
        done=ask.query.get("done", "") == SWEEP,
        explained=explained(desk.app.settings.http.findings_page),
    )


def _wanted(ask: Ask) -> Wanted:
    given = ask.query
    phase = given.get("phase", "")
    return Wanted(
        text=given.get("q", "")[:_LONGEST_TEXT],
        phase=phase if phase in phases() else "",
        subscription=given.get("subscription", "")[:_LONGEST_TEXT],
        finding=given.get("finding", "")[:_LONGEST_TEXT],
        reason=given.get("reason", "")[:_LONGEST_TEXT],
        drift=given.get("drift", "") == "today",
    )


def _values(wanted: Wanted) -> dict[str, str]:
    return {
        "q": wanted.text,
        "phase": wanted.phase,
        "subscription": wanted.subscription,
        "finding": wanted.finding,
        "reason": wanted.reason,
        "drift": "today" if wanted.drift else "",
    }


def _page_number(ask: Ask) -> int:
    raw = ask.query.get("page", "1")[:6]
    return max(1, int(raw)) if raw.isascii() and raw.isdigit() else 1


def _tiles(board: Overview) -> list[dict[str, Any]]:
    counts = dict.fromkeys(_TILES, 0) | dict(sorted(board.phases.items()))
    return [{"phase": phase, "count": count} for phase, count in counts.items()]


def _exemptions(policy: IsolationPolicy, board: Overview, today: date) -> list[dict[str, Any]]:
    """Those that end soon, the first to end first, with how many registries they spare."""
    soon = [each for each in policy.exemptions if today <= each.expires <= today + SOON]
    return [
        {
            "exemption": each,
            "days": (each.expires - today).days,
            "registries": sum(matches((each.registry,), row.registry.name) for row in board.rows),
        }
        for each in sorted(soon, key=lambda each: each.expires)
    ]


# --- asking before acting ---------------------------------------------------------------------------------------------


async def confirmation(ask: Ask, desk: Desk, visitor: Visitor) -> Done:
    """
    Ask whether it is meant (GET), or do it (POST).

    Raises:
        NotAllowed: The visitor may only read.
        CrossSite: The form is not one that this app gave to this visitor for this act a short while ago.
    """
    visitor.require(Right.ACT)
    registry = ask.registry.text if ask.registry else ""
    digest = _digest(ask)
    act = Act(action=ask.action, registry=registry, digest=digest)
    if ask.method == "GET":
        return Done(text=await _question(ask, desk, visitor, act))
    ask.require_same_site()
    if not await desk.sessions.agrees(visitor, act, ask.form.get("token", "")):
        raise CrossSite("This form is not good any more; nothing was done. Open the page again and ask anew.")
    if ask.action in {"undo", "pause"} and not _why(ask):
        text = await _question(ask, desk, visitor, act, wrong="Say why, for the report and the history.")
        return Done(text=text, status=422)
    asked = await _do(ask, desk, visitor, digest)
    desk.board.forget()
    if isinstance(asked, Differs):
        text = render("changed.html.j2", visitor=visitor, registry=ask.target, why=asked.error.sentence)
        return Done(text=text, status=status_of(asked.error))
    return Done(location=_after(ask, done=asked is not False))


def _after(ask: Ask, *, done: bool) -> str:
    """The page that shows what becomes of it."""
    page = place(ask.registry) if ask.registry else f"{ROOT}/failed" if ask.action == REPLAY else ROOT
    return f"{page}?done={ask.action}" if done else page


async def _question(ask: Ask, desk: Desk, visitor: Visitor, act: Act, wrong: str = "") -> str:
    dossier = await desk.app.inquiry.dossier(ask.registry) if ask.registry else None
    return render(
        "confirm.html.j2",
        visitor=visitor,
        act=act,
        registry=ask.registry,
        dossier=dossier,
        token=await desk.sessions.form(visitor, act),
        why=_why(ask),
        longest=_LONGEST_WHY,
        wrong=wrong,
    )


async def _do(ask: Ask, desk: Desk, visitor: Visitor, digest: str) -> WorkMessage | Differs | bool:
    """What was asked for; False if there was nothing to ask for any more."""
    app, caller = desk.app, visitor.caller
    match ask.action:
        case "remediate":
            return await app.remediation.remediate(ask.target, caller=caller, digest=digest)
        case "undo":
            return await app.remediation.undo(ask.target, caller=caller, why=_why(ask))
        case "pause":
            return await app.remediation.pause(ask.target, caller=caller, why=_why(ask))
        case "resume":
            return await app.remediation.resume(ask.target, caller=caller)
        case "replay":
            return await replay(desk, visitor, ask.registry)
        case _:
            await app.sweeper.begin("http", ORIGIN, caller)
            return True


def _digest(ask: Ask) -> str:
    """The plan that was seen; only a remediation has one, and never goes without."""
    if ask.action != "remediate":
        return ""
    digest = (ask.form if ask.method == "POST" else ask.query).get("digest", "")
    if len(digest) != _DIGEST_LENGTH or not set(digest) <= set("0123456789abcdef"):
        raise MalformedRequest("A remediation needs the digest of the plan that was seen.")
    return digest


def _why(ask: Ask) -> str:
    return ask.form.get("why", "").strip()[:_LONGEST_WHY]
