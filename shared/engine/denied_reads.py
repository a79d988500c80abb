"""
Patience with reads that Azure refuses and that nothing else hangs on: workspaces that share, and ways out.

A new role assignment takes some minutes to work, and a token may be refused once. So such a refusal is taken for a passing
one until it has lasted for ten minutes, and the pass comes again; then it is told, and a person decides. Since when it
lasts is kept in the row, for as long as the reads are refused, so that the minutes are not begun anew by each request.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.core.arm import ResourceId
from shared.core.registry import Registry
from shared.core.sharing_view import SharingView
from shared.engine.results import DENIED_LIMIT
from shared.engine.work import Work

_READ = "read "


def patient_with(work: Work, registry: Registry, now: datetime) -> Registry:
    """*registry* with the refusals of the last ten minutes as passing ones; the row remembers since when there are any."""
    since = {_READ + each.key: work.row.denied_since.get(_READ + each.key, now) for each in _denied(registry)}
    others = {key: at for key, at in work.row.denied_since.items() if not key.startswith(_READ)}
    work.update(denied_since=others | since)
    lately = {key.removeprefix(_READ) for key, at in since.items() if now - at < DENIED_LIMIT}
    if not lately:
        return registry
    ways_out = (
        replace(way, passing=tuple(each for each in way.denied if each.key in lately)) for way in registry.ways_out
    )
    return replace(registry, sharing=_passing(registry.sharing, lately), ways_out=tuple(ways_out))


def reads_of(denied_since: Mapping[str, datetime]) -> dict[str, datetime]:
    """What of *denied_since* is about reads: a registry at its end may still be refused some."""
    return {key: at for key, at in denied_since.items() if key.startswith(_READ)}


def _denied(registry: Registry) -> list[ResourceId]:
    shared = [each.id for each in registry.sharing.unreadable if each.denied] if registry.sharing else []
    return [*shared, *(each for way in registry.ways_out for each in way.denied)]


def _passing(view: SharingView | None, lately: set[str]) -> SharingView | None:
    if view is None:
        return None
    unreadable = (
        replace(each, passing=True) if each.denied and each.id.key in lately else each for each in view.unreadable
    )
    return replace(view, unreadable=tuple(unreadable))
