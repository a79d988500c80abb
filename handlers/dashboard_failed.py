"""What failed for good, with its last error, and the way to have it tried again: the poison queue as a page."""

from handlers.dashboard_identity import Visitor
from handlers.dashboard_render import render
from handlers.dashboard_request import REPLAY, Ask
from handlers.dashboard_runtime import Desk
from shared.core.arm import ResourceId

PER_PAGE = 25
"""Each entry costs a read."""
MOST_AGAIN = 100
"""Registries that are asked for again at once, as over HTTP."""


async def failed_page(ask: Ask, desk: Desk, visitor: Visitor) -> str:
    """
    Failed registries first, then input that nobody could read, newest first.

    Raises:
        MalformedCursor: The address names a page that this list never had.
    """
    after = ask.query.get("after", "")
    page = await desk.app.poison.list(PER_PAGE, after)
    return render(
        "failed.html.j2",
        visitor=visitor,
        now=desk.app.clock.now(),
        entries=page.entries,
        after=page.after,
        older=bool(after),
        done=ask.query.get("done", "") == REPLAY,
    )


async def replay(desk: Desk, visitor: Visitor, registry: ResourceId | None) -> bool:
    """Ask for *registry*, or for everything that failed, afresh; False if it is not failed any more."""
    if registry is None:
        return bool(await desk.app.poison.replay_all(MOST_AGAIN, visitor.caller))
    return await desk.app.poison.replay(registry, visitor.caller) is not None
