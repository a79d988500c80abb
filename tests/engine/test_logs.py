"""One line for one thing: a word and one JSON object, whatever is in the values."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.registry import Json
from shared.engine.chain import within
from shared.engine.logs import ForeignLines, mark_foreign_lines, tell
from tests.core.worlds import registry_id

LOG = logging.getLogger("registry_isolation")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


class Lines(logging.Handler):
    """Keeps what would reach the log file."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def told(event: str, *, level: int = logging.INFO, at: int = logging.DEBUG, **fields: Json) -> list[str]:
    """The lines that `tell` writes when the logger is set to *at*."""
    lines, before = Lines(), LOG.level
    LOG.addHandler(lines)
    LOG.setLevel(at)
    try:
        tell(event, level=level, **fields)
    finally:
        LOG.removeHandler(lines)
        LOG.setLevel(before)
    return lines.lines


def test_a_line_is_the_event_and_one_json_object_with_its_keys_sorted() -> None:
    assert told("pass", registry="alpha", attempt=1, reasons=["a"]) == [
        'pass {"attempt": 1, "reasons": ["a"], "registry": "alpha"}'
    ]


@pytest.mark.parametrize(
    "hostile", ["a\nb", "a\r\npass {}", "a\u2028b", "a\x00b", "\u202eevil", "\ud800", '"}', "%s %d", "é" * 10_000]
)
def test_no_value_can_begin_a_new_line_or_end_the_object(hostile: str) -> None:
    (line,) = told("reject", sentence=hostile)

    assert line.isprintable()
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line.removeprefix("reject ")) == {"sentence": hostile}


@given(fields=st.dictionaries(st.sampled_from(["registry", "why", "reasons"]), VALUES))
def test_whatever_is_told_can_be_read_back(fields: dict[str, Json]) -> None:
    (line,) = told("pass", level=logging.INFO, at=logging.DEBUG, **fields)

    assert len(line.splitlines()) == 1
    assert json.loads(line.partition(" ")[2]) == fields


def test_ids_and_times_are_told_as_text() -> None:
    odd: dict[str, Any] = {"registry": registry_id(), "seen": datetime(2026, 1, 5, tzinfo=UTC)}

    (line,) = told("pass", **odd)

    assert json.loads(line.removeprefix("pass ")) == {
        "registry": registry_id().text,
        "seen": "2026-01-05 00:00:00+00:00",
    }


def test_a_level_that_is_off_costs_nothing_and_a_level_that_is_on_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    assert told("ignore", level=logging.DEBUG, at=logging.INFO) == []
    with caplog.at_level(logging.DEBUG, LOG.name):
        tell("poison", level=logging.ERROR)

    assert [(record.levelno, record.name) for record in caplog.records] == [(logging.ERROR, "registry_isolation")]


@pytest.mark.parametrize(
    ("message", "args", "shown"),
    [
        ("Unclosed client session", (), "Unclosed client session"),
        ("%d of 100 %% left of %s", (7, "alpha"), "7 of 100 % left of alpha"),
        ("100 % of it", (), "100 % of it"),
    ],
)
def test_a_line_of_somebody_else_gets_the_chain_at_its_end(message: str, args: tuple[object, ...], shown: str) -> None:
    heard, other = Lines(), Lines()
    heard.addFilter(ForeignLines())
    foreign = logging.getLogger("somebody.else")
    foreign.addHandler(heard)
    foreign.addHandler(other)
    try:
        with within(registry="50%done", correlation="c"):
            foreign.warning(message, *args)
        foreign.warning(message, *args)
    finally:
        foreign.removeHandler(heard)
        foreign.removeHandler(other)

    assert heard.lines == [f'{shown} {{"correlation": "c", "registry": "50%done"}}', shown]
    assert other.lines == [shown, shown]


def test_a_line_that_nobody_can_format_does_not_end_the_work() -> None:
    record = logging.makeLogRecord({"name": "other", "msg": "%d", "args": ("no number",)})

    with within(registry="alpha"):
        marked = ForeignLines().filter(record)

    assert isinstance(marked, logging.LogRecord)
    with pytest.raises(TypeError):
        marked.getMessage()


def test_an_error_keeps_its_traceback_and_says_whose_it_was() -> None:
    heard = Lines()
    heard.addFilter(ForeignLines())
    foreign = logging.getLogger("somebody.else")
    foreign.addHandler(heard)
    try:
        with within(registry="alpha"):
            try:
                json.loads("{}")["x"]
            except KeyError:
                foreign.exception("It failed.")
    finally:
        foreign.removeHandler(heard)

    first, *rest = heard.lines[0].splitlines()
    assert first == 'It failed. {"registry": "alpha"}'
    assert rest[-1] == "KeyError: 'x'"


def test_the_apps_own_lines_are_marked_once_however_often_it_is_asked_for() -> None:
    root, heard = logging.getLogger(), Lines()
    root.addHandler(heard)
    try:
        mark_foreign_lines()
        mark_foreign_lines()
        with within(registry="alpha"):
            tell("pass", level=logging.WARNING)
            logging.getLogger("somebody.else").warning("odd")
    finally:
        root.removeHandler(heard)

    assert heard.lines == ['pass {"registry": "alpha"}', 'odd {"registry": "alpha"}']
    assert len(heard.filters) == 1
