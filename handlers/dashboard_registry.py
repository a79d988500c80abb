"""The page of one registry: its network, its conditions, what would be done, what was done."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handlers.dashboard_drawing import drawing
from handlers.dashboard_identity import Visitor
from handlers.dashboard_render import explained, render
from handlers.dashboard_request import ACTIONS, Ask
from handlers.dashboard_runtime import Desk
from shared.core.changes import key_of
from shared.core.picture import Picture
from shared.core.registry import Json
from shared.core.report import Waiting
from shared.engine.inquiry import Dossier
from shared.engine.preview import Preview
from shared.engine.records import HistoryEntry

PER_PAGE = 40
STARTED = "started"
"""Result of a change that was sent and runs."""
_LONGEST_VALUE = 300
_DEEPEST = 6


async def registry_page(ask: Ask, desk: Desk, visitor: Visitor) -> str:
    """The last word on a registry, from the ledger."""
    dossier = await desk.app.inquiry.dossier(ask.target)
    history = await desk.app.inquiry.history(ask.target, limit=PER_PAGE, after=ask.query.get("after", ""))
    done = ask.query.get("done", "")
    return render(
        "registry.html.j2",
        **_common(desk, visitor, dossier, dossier.row.picture),
        history=[_line(entry) for entry in _told(history.entries)],
        after=history.after,
        older=bool(ask.query.get("after")),
        done=done if done in ACTIONS else "",
    )


async def look(ask: Ask, desk: Desk, visitor: Visitor) -> str:
    """A fresh look at Azure: the network as it is, and what would be done about it."""
    dossier = await desk.app.inquiry.dossier(ask.target)
    preview = await desk.app.previewer.preview(ask.target)
    return render(
        "look.html.j2",
        **_common(desk, visitor, dossier, preview.picture),
        preview=preview,
        stages=_stages(preview),
    )


def _common(desk: Desk, visitor: Visitor, dossier: Dossier, picture: Picture | None) -> dict[str, Any]:
    row = dossier.row
    return {
        "visitor": visitor,
        "now": desk.app.clock.now(),
        "mode": desk.app.policy.mode,
        "registry": row.registry,
        "dossier": dossier,
        "row": row,
        "due": row.outcome.until if isinstance(row.outcome, Waiting) else None,
        "picture": picture,
        "drawing": drawing(picture) if picture else None,
        "explained": explained(desk.app.settings.http.findings_page),
    }


def _stages(preview: Preview) -> list[dict[str, Any]]:
    found = preview.forecast.stages if preview.forecast else ()
    return [
        {
            "awaits": stage.awaits,
            "changes": [
                {
                    "change": change,
                    "members": members(preview.effects[key_of(change)].before, preview.effects[key_of(change)].after),
                }
                for change in stage.changes
            ],
        }
        for stage in found
    ]


def _told(entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """Without the beginning of a change whose end is on the same page: the end says how long it took."""
    ended = {
        (entry.subject, entry.generation) for entry in entries if entry.kind == "change" and entry.result != STARTED
    }
    return [
        entry
        for entry in entries
        if entry.kind != "change" or entry.result != STARTED or (entry.subject, entry.generation) not in ended
    ]


def _line(entry: HistoryEntry) -> dict[str, Any]:
    return {"entry": entry, "members": members(entry.before or {}, entry.after) if entry.before or entry.after else []}


def members(before: Mapping[str, Json], after: Mapping[str, Json] | None) -> list[dict[str, Any]]:
    """Each member that *before* or *after* tells, innermost ones with dotted names; None for what a side does not have."""
    old = dict(_flat(before, "", 0))
    new = dict(_flat(after, "", 0)) if after is not None else {}
    return [
        {
            "name": name,
            "before": old.get(name),
            "after": new.get(name),
            "same": old.get(name) == new.get(name),
            "done": after is not None,
        }
        for name in dict.fromkeys([*old, *new])
    ]


def _flat(value: Mapping[str, Json], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for name, member in value.items():
        if isinstance(member, dict) and member and depth < _DEEPEST:
            yield from _flat(member, f"{prefix}{name}.", depth + 1)
        else:
            yield f"{prefix}{name}", _shown(member)


def _shown(value: Json) -> str:
    match value:
        case True:
            text = "yes"
        case False:
            text = "no"
        case None:
            text = "not set"
        case str():
            text = value
        case list():
            text = ", ".join(_shown(each) for each in value) or "empty"
        case dict():
            text = ", ".join(f"{name}: {_shown(each)}" for name, each in value.items()) or "empty"
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
