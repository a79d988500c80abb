"""
The report as a table (RFC 4180): a line for each finding, and one for a registry without any.

Spreadsheets run what looks like a formula. A value that begins like one (names, tags and sentences may come from
anybody who may create a resource) gets an apostrophe in front, which spreadsheets show as text and do not run.
"""

import csv
import io
import re

from shared.core.posture import Noted, Posture
from shared.core.reports import Ending, Origin, moment

COLUMNS = (
    *("registry", "name", "subscription", "resource_group", "phase", "looked_at", "verified_at", "open_doors"),
    *("severity", "code", "resource", "sentence", "link", "fingerprint"),
)
# What begins a formula, in the wide forms of East Asian keyboards too (OWASP, CSV injection).
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
# Marks that readers of tables drop before they look: what follows would then stand first.
_DROPPED = "\\x00-\\x20\\x7f-\\xa0\\xad\\u200b-\\u200f\\u2028-\\u202f\\u2060-\\u206f\\u3000\\ufeff"
_START = re.compile(f"[\\t\\r\\n]|[{_DROPPED}]*[{_SIGNS}]")
# Where a list is separated by semicolons or tabs, or quotes are not understood, a cell of ours may become two.
_SPLIT = re.compile(f"([;\\t\\r\\n])(?=[{_DROPPED}]*[{_SIGNS}])")


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
    quiet = _SPLIT.sub(r"\1'", value)
    return f"'{quiet}" if _START.match(quiet) else quiet
