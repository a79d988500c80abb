"""The demo's screen: plain lines in a file, a live picture on a terminal, tables at the end."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from local.demo_show import Show
from local.demo_sight import Sight, sight
from local.demo_timeline import Requests, Step
from local.simulator import seed
from tests.local.isolated import IsolatedWorld, isolated_world


class Screen:
    def __init__(self, *, terminal: bool = False) -> None:
        self.file = io.StringIO()
        self.show = Show(Console(file=self.file, width=200, force_terminal=terminal, color_system=None))

    @property
    def text(self) -> str:
        return self.file.getvalue()


@pytest.fixture(scope="module")
def world() -> IsolatedWorld:
    return isolated_world()


@pytest.fixture(scope="module")
def seen(world: IsolatedWorld) -> Sight:
    return sight(seed.dump(world.azure), world.registry.id)


def test_a_line_stays_one_line_however_long_it_is() -> None:
    screen = Screen()
    screen.show.say("word " * 100)
    assert len(screen.text.splitlines()) == 1
    assert " s  word word" in screen.text


def test_brackets_in_text_for_copying_stay() -> None:
    screen = Screen()
    screen.show.line("python -c 'print([1])' [bold]")
    assert screen.text == "python -c 'print([1])' [bold]\n"


def test_a_file_gets_no_live_picture(seen: Sight) -> None:
    screen = Screen()
    with screen.show as show:
        show.picture(seen)
    assert screen.text == ""


def test_a_terminal_gets_a_live_picture_of_every_door(seen: Sight) -> None:
    screen = Screen(terminal=True)
    with screen.show as show:
        show.picture(seen)
    for part in seen.parts:
        assert part.name in screen.text
    assert f"gate open: {seen.gate}" in screen.text


def test_before_the_registry_is_made_the_picture_says_so() -> None:
    screen = Screen(terminal=True)
    with screen.show:
        pass
    assert "waiting for Azure to make the registry" in screen.text


def test_the_table_shows_every_resource_before_and_after(seen: Sight) -> None:
    screen = Screen()
    opened = Sight(
        managed_group=seen.managed_group,
        parts=tuple(
            type(part)(name=part.name, kind=part.kind, location=part.location, open=True) for part in seen.parts
        ),
    )
    screen.show.before_and_after(opened, seen)
    rows = {line.split("│")[1][1:].rstrip(): line for line in screen.text.splitlines() if line.startswith("│")}
    for part in seen.parts:
        assert "open to the internet" in rows[part.name]
        assert "closed" in rows[part.name]
    for endpoint in seen.endpoints:
        assert "Succeeded, Approved, 10.0.1." in rows[endpoint.name]
    for zone in seen.zones:
        assert f"linked, {len(zone.records)} records" in rows[zone.name]


def test_the_timeline_counts_from_the_request() -> None:
    screen = Screen()
    asked = datetime(2026, 1, 5, tzinfo=UTC)
    steps = (Step(at=asked, what="asked"), Step(at=asked + timedelta(seconds=12.34), what="made", seconds=3.21))
    screen.show.timeline(steps, asked)
    (row,) = [line for line in screen.text.splitlines() if "made" in line]
    assert [cell.strip() for cell in row.split("│")[1:-1]] == ["12.3", "3.2", "made"]


def test_requests_are_summed_up() -> None:
    screen = Screen()
    screen.show.requests(Requests(reads=5, writes=3, polls=2))
    assert "10 (3 writes, 5 reads, 2 polls)" in screen.text


def test_the_verdict_names_every_problem() -> None:
    screen = Screen()
    screen.show.verdict(["The door is open.", "The name is missing."], "contoso")
    assert screen.text.splitlines() == ["Not isolated: contoso", "  The door is open.", "  The name is missing."]


def test_the_verdict_on_an_isolated_registry_is_one_sentence() -> None:
    screen = Screen()
    screen.show.verdict([], "contoso")
    assert screen.text.startswith("Isolated: every endpoint of contoso is approved")
