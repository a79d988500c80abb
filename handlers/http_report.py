"""
The report over all registries: read page by page, written in the form that was asked for.

Its body is bounded: it looks through so many rows, holds so many characters, and says where the rest begins.
"""

from urllib.parse import urlencode

from handlers.http_answer import Answer
from handlers.http_health import VERSION
from handlers.http_request import Call
from handlers.http_routes import PREFIX
from handlers.runtime import Runtime
from shared.core.report_forms import FORMS, Form
from shared.core.reports import Ending, Origin, Summary
from shared.engine.postures import Walk, Wanted

MOST_CHARACTERS = 32_000_000
"""Of one answer, give or take a page: ten thousand registries that are as they should be, or a third of that in ruins."""


async def show_report(app: Runtime, call: Call) -> Answer:
    """GET report."""
    values = call.values
    form = FORMS[values["format"]]
    wanted = Wanted(phase=values["phase"], subscription=values["subscription"], severity=values["severity"])
    rendering = form.rendering(_origin(app, wanted, call.site))
    walk, summary = Walk(after=values["after"]), Summary()
    async for posture in app.postures.walk(wanted, walk):
        rendering.add(posture)
        summary.add(posture)
        if rendering.length > MOST_CHARACTERS:
            walk.stop()
    return Answer(
        body=rendering.finish(Ending(after=walk.after)),
        media=form.media,
        headers=_headers(form, summary) | _next(values["format"], wanted, walk),
        etag=True,
    )


def _origin(app: Runtime, wanted: Wanted, site: str) -> Origin:
    """Without an address of its own for findings, the page that the dashboard has of them; it is open to everybody."""
    return Origin(
        version=VERSION,
        filters=wanted.filters,
        findings_page=app.settings.http.findings_page or (f"{site}{PREFIX}/dashboard/findings" if site else ""),
        resource_manager=app.settings.azure.cloud.resource_manager,
    )


def _headers(form: Form, summary: Summary) -> dict[str, str]:
    """A name to save it under; the day is that of the newest look, as everything in it is."""
    day = f"-{summary.newest:%Y-%m-%d}" if summary.newest else ""
    how = "attachment" if form.saved else "inline"
    headers = {"Content-Disposition": f'{how}; filename="registry-isolation{day}.{form.ending}"', **form.headers}
    if summary.newest:
        headers["Last-Modified"] = f"{summary.newest:%a, %d %b %Y %H:%M:%S GMT}"
    return headers


def _next(form: str, wanted: Wanted, walk: Walk) -> dict[str, str]:
    if not walk.after:
        return {}
    query = urlencode({"format": form, **wanted.filters, "after": walk.after})
    return {"Link": f'<{PREFIX}/report?{query}>; rel="next"'}
