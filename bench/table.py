"""The one table, for a terminal and as Markdown."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Table

from bench.rows import Row, Section, Verdict

_COLUMNS = ("measure", "reference", "ours", "ratio", "budget", "verdict")
HOW = "One run of the bench, as it wrote it: the app's figures beside their references (how: `docs/bench.md`)."
INSET = "↳ "
"""Before a row that belongs to the one above it."""
_STYLES = {Verdict.MET: "green", Verdict.MISSED: "bold red", Verdict.UNMEASURED: "yellow", Verdict.INFORMATION: ""}


def show(sections: Iterable[Section], facts: Mapping[str, str], console: Console) -> None:
    """Print the table and the notes under it."""
    table = Table(title="Registry Isolation, measured", caption=" · ".join(facts.values()), show_lines=False)
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name in {"measure", "budget", "verdict"} else "right")
    notes: list[str] = []
    for section in sections:
        table.add_section()
        table.add_row(f"[bold]{section.title}[/bold]")
        for row in section.rows:
            table.add_row(*_cells(row, notes), style=_STYLES[row.verdict])
    console.print(table)
    for number, note in enumerate(notes, start=1):
        console.print(f"[{number}] {note}", markup=False, highlight=False)


def markdown(sections: Iterable[Section], facts: Mapping[str, str]) -> str:
    """Write the same as a Markdown document."""
    lines = ["# Registry Isolation, measured", "", HOW, ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    notes: list[str] = []
    for section in sections:
        lines += ["", f"## {section.title}", "", f"| {' | '.join(_COLUMNS)} |", "|---|--:|--:|--:|---|---|"]
        lines += [f"| {' | '.join(_plain(cell) for cell in _cells(row, notes))} |" for row in section.rows]
    lines += ["", *(f"{number}. {note}" for number, note in enumerate(notes, start=1)), ""]
    return "\n".join(lines)


def _plain(cell: str) -> str:
    """A cell of Markdown, which takes no bar and forgets that a row is set in."""
    text = cell.replace("|", "/")
    return f"{INSET}{text.strip()}" if text.startswith("  ") else text


def _cells(row: Row, notes: list[str]) -> tuple[str, ...]:
    """The row's cells; its note joins *notes* and is pointed to by number, an equal one only once."""
    measure = row.measure
    if row.note:
        if row.note not in notes:
            notes.append(row.note)
        measure += f" ({notes.index(row.note) + 1})"
    return measure, row.reference, row.ours, row.ratio, row.budget, row.verdict.value
