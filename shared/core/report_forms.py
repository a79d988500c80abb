"""The forms in which a report over all registries is to be had."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.core.reports import Origin, Rendering
from shared.core.reports_csv import CsvRendering
from shared.core.reports_html import SECURITY_POLICY, HtmlRendering
from shared.core.reports_json import JsonRendering
from shared.core.reports_sarif import SarifRendering


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """
    One form.

    Attributes:
        media: Media type, without charset.
        ending: Of a file's name.
        headers: That a server sends beside it.
        saved: Meant for a file, not to be shown.
    """

    media: str
    ending: str
    rendering: Callable[[Origin], Rendering]
    saved: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


FORMS: Mapping[str, Form] = {
    "json": Form(media="application/json", ending="json", rendering=JsonRendering),
    "csv": Form(media="text/csv", ending="csv", rendering=CsvRendering, saved=True),
    "sarif": Form(media="application/sarif+json", ending="sarif", rendering=SarifRendering, saved=True),
    "html": Form(
        media="text/html",
        ending="html",
        rendering=HtmlRendering,
        headers={
            "Content-Security-Policy": f"{SECURITY_POLICY}; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
        },
    ),
}
