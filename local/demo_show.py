"""
How the demo looks: a live picture on a terminal, plain lines everywhere else, tables at the end.

Only shows what others found out; decides nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local.demo_act import Act
from local.demo_sight import EndpointSight, Part, Sight, ZoneSight
from local.demo_timeline import Requests, Step

_PLAIN_WIDTH = 160
"""Of tables where nobody says how wide a line may be (a file, a pipe)."""


class Show:
    """
    The demo's screen; a context manager, because a live picture must be taken down before anything else is printed.

    Args:
        console: Where to; the standard output unless a test wants to read it.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or _console()
        self._began = monotonic()
        self._live: Live | None = None
        self._sight = Sight()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(_Picture(self), console=self.console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, sentence: str, style: str = "") -> None:
        """One line, with the seconds since the demo began."""
        line = Text.assemble((f"{monotonic() - self._began:6.1f} s  ", "dim"), (sentence, style))
        self.console.print(line, soft_wrap=True)

    def line(self, text: str) -> None:
        """Text as it stands, for copying: never wrapped, never coloured."""
        self.console.print(text, markup=False, soft_wrap=True)

    def picture(self, sight: Sight) -> None:
        """What is to be seen now."""
        self._sight = sight

    def table(self) -> Table:
        """The present picture as a table."""
        return _doors(self._sight)

    # -- at the end --------------------------------------------------------------------------------------------------

    def before_and_after(self, before: Sight, after: Sight) -> None:
        """Every resource, as the user got it and as it is now."""
        table = Table(title="Before and after", title_justify="left")
        for column in ("resource", "kind", "before", "after"):
            table.add_column(column, overflow="fold")
        was = {part.name: part for part in before.parts}
        for part in after.parts:
            table.add_row(part.name, part.kind, _access(was.get(part.name)), _access(part))
        known_endpoints = {each.name: each for each in before.endpoints}
        for each in after.endpoints:
            old = known_endpoints.get(each.name)
            table.add_row(each.name, f"private endpoint to {each.target}", _endpoint(old), _endpoint(each))
        known_zones = {each.name: each for each in before.zones}
        for zone in after.zones:
            old_zone = known_zones.get(zone.name)
            table.add_row(zone.name, "private DNS zone", _zone(old_zone), _zone(zone))
            held = dict(old_zone.records) if old_zone else {}
            for name, addresses in zone.records:
                table.add_row(f"  {name}", "A record", _addresses(held.get(name, ())), _addresses(addresses))
        self.console.print(table)

    def timeline(self, steps: Sequence[Step], asked: datetime) -> None:
        """When everything happened, and how long it took."""
        table = Table(title="Timeline, in seconds since the user asked for the registry", title_justify="left")
        table.add_column("at", justify="right")
        table.add_column("took", justify="right")
        table.add_column("what", overflow="fold")
        for step in steps:
            took = "" if step.seconds is None else f"{step.seconds:.1f}"
            table.add_row(f"{(step.at - asked).total_seconds():.1f}", took, step.what)
        self.console.print(table)

    def history(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """The newest lines of the app's own history, as its HTTP API tells them."""
        table = Table(title="History, newest first", title_justify="left")
        for column in ("at", "kind", "what", "asked by", "result", "took"):
            table.add_column(column, overflow="fold")
        for entry in entries:
            seconds = entry["durationSeconds"]
            asked = " ".join(part for part in (entry["origin"], entry["caller"]) if part)
            took = "" if seconds is None else f"{seconds:.1f} s"
            table.add_row(entry["at"][11:19], entry["kind"], entry["sentence"], asked, entry["result"], took)
        self.console.print(table)

    def acts(self, acts: Sequence[Act]) -> None:
        """What was disturbed, who found it, and how long it took."""
        table = Table(title="What happened to it afterwards", title_justify="left")
        for column in ("disturbance", "found by", "isolated again after"):
            table.add_column(column)
        for act in acts:
            after = "not in time" if act.seconds is None else f"{act.seconds:g} s"
            table.add_row(act.what, act.found_by, Text(after, style="red" if act.seconds is None else "green"))
        self.console.print(table)

    def requests(self, requests: Requests) -> None:
        """What it cost in requests."""
        self.console.print(
            f"Requests of the app to Azure Resource Manager: {requests.total} "
            f"({requests.writes} writes, {requests.reads} reads, {requests.polls} polls).",
            soft_wrap=True,
        )

    def verdict(self, problems: Sequence[str], registry: str) -> None:
        """The last word."""
        if not problems:
            said = f"Isolated: every endpoint of {registry} is approved, every name resolves to it, every public door is closed."
            self.console.print(said, style="bold green", soft_wrap=True)
            return
        self.console.print(f"Not isolated: {registry}", style="bold red", soft_wrap=True)
        for problem in problems:
            self.console.print(f"  {problem}", style="red", soft_wrap=True)


class _Picture:
    """Renders whatever the show's picture is at the moment of rendering."""

    def __init__(self, show: Show) -> None:
        self._show = show

    def __rich__(self) -> Table:
        return self._show.table()


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


def _doors(sight: Sight) -> Table:
    table = Table(title=_title(sight), title_justify="left")
    for column in ("part", "public access", "private endpoint", "state", "address"):
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    for part in sight.parts:
        mine = [each for each in sight.endpoints if each.target == part.name]
        first = mine[0] if mine else None
        access = Text(_access(part), style="red" if part.open else "green")
        state = Text(first.approval if first and first.ready else first.state if first else "", style=_colour(first))
        addresses = _addresses(first.addresses) if first else ""
        table.add_row(f"{part.kind} {part.name}", access, first.name if first else "-", state, addresses)
    for zone in sight.zones:
        table.add_row(
            zone.name, "", "", Text("linked" if zone.linked else "not linked"), f"{len(zone.records)} records"
        )
    return table


def _title(sight: Sight) -> str:
    if not sight.managed_group:
        return "waiting for Azure to make the registry"
    return f"gate {'open' if sight.gate_open else 'closed'}: {sight.gate}"


def _colour(endpoint: EndpointSight | None) -> str:
    return "green" if endpoint and endpoint.ready else "yellow"


def _access(part: Part | None) -> str:
    if part is None:
        return "-"
    return "open to the internet" if part.open else "closed"


def _endpoint(endpoint: EndpointSight | None) -> str:
    if endpoint is None:
        return "-"
    return f"{endpoint.state}, {endpoint.approval}, {_addresses(endpoint.addresses)}"


def _zone(zone: ZoneSight | None) -> str:
    if zone is None:
        return "-"
    return f"{'linked' if zone.linked else 'not linked'}, {len(zone.records)} records"


def _addresses(addresses: Sequence[str]) -> str:
    return ", ".join(addresses) or "-"
