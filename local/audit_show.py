"""
An audit for people: a table of findings, what the app would change, and what to do next.

Names and sentences come from Azure, so nothing in them may move the terminal's cursor or pass for the table's own markup.
"""

import io
from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shared.core.legible import legible
from shared.core.posture import Posture
from shared.core.report import Severity
from shared.core.reports import Ending, Origin, Summary

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_WIDTH = 120
"""Where there is no terminal: in a file, or in the log of a pipeline."""
_PLANNED = "change-planned"
"""Findings of this code are shown as the plan that they are."""


class TableRendering:
    """
    The table, written at the end, because columns fit their widest value.

    Args:
        colours: The reader is a terminal.
    """

    def __init__(self, origin: Origin, *, colours: bool = False) -> None:
        self._origin = origin
        self._colours = colours
        self._summary = Summary()
        self._findings = Table(show_lines=False, pad_edge=False, expand=False)
        for name, options in (("Severity", {}), ("Registry", {"overflow": "fold"}), ("Finding", {"no_wrap": True})):
            self._findings.add_column(name, **options)
        self._findings.add_column("What", overflow="fold", ratio=1)
        self._plans: list[Posture] = []
        self._sound: list[str] = []
        self.length = 0

    def add(self, posture: Posture) -> None:
        """Take one registry in."""
        self._summary.add(posture)
        for noted in posture.findings:
            found = noted.finding
            if found.code != _PLANNED:
                severity = Text(found.severity.value, style=_STYLES[found.severity])
                self._findings.add_row(
                    severity, _plain(posture.registry.name), _plain(found.code), _plain(found.sentence)
                )
        if posture.changes:
            self._plans.append(posture)
        elif not posture.open_doors and posture.doors:
            self._sound.append(posture.registry.name)

    def finish(self, ending: Ending) -> str:
        """Give the text."""
        text = io.StringIO()
        console = Console(
            file=text,
            force_terminal=self._colours,
            width=None if self._colours else _WIDTH,
            highlight=False,
            markup=False,
            emoji=False,
        )
        if self._findings.row_count:
            console.print(self._findings)
        for posture in self._plans:
            self._plan(console, posture)
        for line in self._closing(ending):
            console.print(line)
        return text.getvalue()

    def _plan(self, console: Console, posture: Posture) -> None:
        console.print()
        console.print(_plain(f"What would be changed for {posture.registry.name}, were it enforced:"), style="bold")
        for change in posture.changes:
            console.print(Padding(_plain(f"- {change}"), (0, 0, 0, 2)))
        console.print(Padding(_plain(f"digest {posture.digest}"), (0, 0, 0, 2)), style="dim")

    def _closing(self, ending: Ending) -> Iterator[Text]:
        summary = self._summary
        counts = ", ".join(f"{count} {severity}" for severity, count in summary.by_severity().items())
        registries = "1 registry" if summary.registries == 1 else f"{summary.registries} registries"
        yield Text("")
        if self._sound:
            yield _plain(f"Closed to the public internet: {', '.join(self._sound)}.")
        yield _plain(f"{registries}; findings: {counts}. docs/findings.md explains each of them.")
        for why in ending.missed:
            yield _plain(f"Could not be looked at: {why}")


def _plain(text: str) -> Text:
    """*text* without anything that a terminal obeys or that a reader could not see."""
    return Text("".join(character if character.isprintable() else "\ufffd" for character in legible(text)))
