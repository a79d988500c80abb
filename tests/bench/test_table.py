"""The table shows every row, in a terminal and as Markdown."""

import io

from rich.console import Console

from bench import machine, table
from bench.rows import Section, bounded, told

SECTIONS = (
    Section(title="First", rows=(bounded("requests", ours=51, most=50, note="Why."), told("more", "a|b", note="Why."))),
    Section(title="Second", rows=(told("  other", "1 s", reference="2 s", note="Because."),)),
)


def test_the_terminal_shows_rows_and_notes() -> None:
    console = Console(file=io.StringIO(), width=160)

    table.show(SECTIONS, {"date": "today"}, console)

    text = console.file.getvalue()  # type: ignore[attr-defined]
    for expected in ("requests (1)", "more (1)", "other (2)", "MISSED", "<= 50", "[1] Why.", "[2] Because.", "today"):
        assert expected in text


def test_markdown_has_one_table_for_each_section() -> None:
    lines = table.markdown(SECTIONS, {"date": "today"}).splitlines()

    assert "- date: today" in lines
    assert "| requests (1) |  | 51 |  | <= 50 | MISSED |" in lines
    assert "| more (1) |  | a/b |  |  |  |" in lines
    assert "| ↳ other (2) | 2 s | 1 s |  |  |  |" in lines
    assert lines.count("| measure | reference | ours | ratio | budget | verdict |") == 2
    assert [line for line in lines if line.startswith(("1. ", "2. "))] == ["1. Why.", "2. Because."]


def test_the_facts_name_the_machine_and_no_folder() -> None:
    facts = machine.facts()

    assert set(facts) == {"date", "machine", "load when it began", "versions"}
    assert "Python 3.13" in facts["versions"]
    assert "/" not in facts["machine"]
