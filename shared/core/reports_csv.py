"""
The report as a table (RFC 4180): a line for each finding, and one for a registry without any.

Spreadsheets run what looks like a formula. A value that begins like one (names, tags and sentences may come from
anybody who may create a resource) gets an apostrophe in front, which spreadsheets show as text and do not run.
"""

import csv
import io

from shared.core.posture import Noted, Posture
from shared.core.reports import Ending, Origin, moment

COLUMNS = (
    *("registry", "name", "subscription", "resource_group", "phase", "looked_at", "verified_at", "open_doors"),
    *("severity", "code", "resource", "sentence", "link", "fingerprint"),
)
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula, in the wide forms of East Asian keyboards too (OWASP, CSV injection)."""


class CsvRendering:
    """The table, written line by line."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\r\n")
        self._writer.writerow(COLUMNS)

    @property
    def length(self) -> int:
        """Characters so far."""
        return self._text.tell()

    def add(self, posture: Posture) -> None:
        """Write one registry."""
        registry = posture.registry
        who = (
            *(registry.text, registry.name, registry.subscription, registry.resource_group, posture.phase),
            *(moment(posture.looked), moment(posture.verified), " ".join(d.target.name for d in posture.open_doors)),
        )
        for found in posture.findings or (None,):
            self._line(*who, *(self._finding(found) if found else ("",) * 6))

    def finish(self, ending: Ending) -> str:
        """Give the table; what is not in it is told in lines of its own, for a table has no other place."""
        empty = ("",) * 8
        for why in ending.missed:
            self._line(*empty, "error", "posture-unknown", "", why, self._origin.help_for("posture-unknown"), "")
        if ending.after:
            self._line(*empty, "", "", "", f"This is not all: ask for the rest with after={ending.after}.", "", "")
        return self._text.getvalue()

    def _finding(self, noted: Noted) -> tuple[str, ...]:
        found = noted.finding
        resource = found.resource.text if found.resource else ""
        link = self._origin.help_for(found.code) or found.link
        return found.severity.value, found.code, resource, found.sentence, link, noted.fingerprint

    def _line(self, *values: str) -> None:
        self._writer.writerow([harmless(value) for value in values])


def harmless(value: str) -> str:
    """*value* as no spreadsheet runs it."""
    return f"'{value}" if value.startswith(_STARTS) else value
