"""
Where everything stands in the picture of a registry's network; the template draws it, a style sheet colours it.

Left to right, the way a client goes: private DNS zone, private endpoint in its subnet, target, and on the other side of the
target its public door. A target's row is as high as the endpoints that lead to it, so no two lines cross between them. States
are told by a shape and a word; colour only repeats them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from shared.core.picture import Door, HomeZone, Picture, Way
from shared.core.registry import Access, ConnectionStatus, TargetKind

WIDTH = 1000
_TOP = 56
_CARD, _GAP = 66, 14
_ZONES, _WAYS, _DOORS, _PUBLIC = (16, 216), (288, 248), (592, 216), (892, 92)
"""Left edge and width of each column."""
_LONGEST = {"zone": 20, "way": 21, "door": 19}
"""Characters of a title that fit beside its mark, in the widest of the usual fonts."""
_KINDS = {TargetKind.REGISTRY: "registry", TargetKind.STORAGE: "storage account", TargetKind.ACR: "container registry"}
_PENDING = {ConnectionStatus.PENDING, ConnectionStatus.UNKNOWN}
_WORKING = {"creating", "updating", "deleting"}


class Mark(StrEnum):
    """How something is; each has a shape of its own."""

    GOOD = "good"
    BUSY = "busy"
    BAD = "bad"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One box: *lines* under its title, *full* for the pointer that rests on it."""

    x: int
    y: int
    width: int
    kind: str
    mark: Mark
    title: str
    lines: tuple[str, ...]
    full: str
    height: int = _CARD

    @property
    def middle(self) -> int:
        """Where lines meet it."""
        return self.y + self.height // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One connection, as an SVG path."""

    path: str
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The public door of one target, between it and the internet."""

    y: int
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Everything, with a sentence that says the same as the picture."""

    height: int
    sentence: str
    zones: tuple[Card, ...]
    ways: tuple[Card, ...]
    doors: tuple[Card, ...]
    gates: tuple[Gate, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    columns: tuple[tuple[str, int], ...] = (
        ("Private DNS zones", _ZONES[0]),
        ("Private endpoints in your network", _WAYS[0]),
        ("Registry and its parts", _DOORS[0]),
        ("Internet", _PUBLIC[0]),
    )
    public: tuple[int, int] = _PUBLIC
    door_end: int = _DOORS[0] + _DOORS[1]


@dataclass(slots=True)
class _Row:
    door: Door
    ways: list[Way] = field(default_factory=list)


def drawing(picture: Picture) -> Drawing:
    """Lay *picture* out."""
    rows = [_Row(door, [way for way in picture.ways if way.target == door.target]) for door in picture.doors]
    doors, ways, gates, lines = [], [], [], []
    placed: list[tuple[Way, Card]] = []
    y = _TOP
    for row in rows:
        begin = y
        for way in row.ways:
            card = _way_card(way, y)
            ways.append(card)
            placed.append((way, card))
            y += _CARD + _GAP
        y = max(y, begin + _CARD + _GAP)
        door = _door_card(row.door, begin + (y - _GAP - begin - _CARD) // 2)
        doors.append(door)
        gates.append(Gate(y=door.middle, open=row.door.access is Access.OPEN))
        lines += [
            _line(card.x + card.width, card.middle, door.x, door.middle, card.mark)
            for card in ways[len(ways) - len(row.ways) :]
        ]
    seen = _by_height(picture.zones, placed)
    zones = _zone_cards(seen, y - _GAP - _TOP)
    bottom = max([y, *(card.y + _CARD + _GAP for card in zones)])
    lines += _name_lines(seen, zones, placed)
    return Drawing(
        height=bottom + 8,
        sentence=sentence(picture),
        zones=tuple(zones),
        ways=tuple(ways),
        doors=tuple(doors),
        gates=tuple(gates),
        lines=tuple(lines),
    )


def sentence(picture: Picture) -> str:
    """What the picture shows, in words."""
    count = len(picture.doors)
    sound = sum(way.sound for way in picture.ways)
    doors = f"{count - picture.open_doors} of {count} public doors are closed"
    return f"{doors}; {sound} of {len(picture.ways)} private endpoints are approved and resolve by name."


def way_state(way: Way) -> tuple[Mark, str]:
    """How an endpoint is, as a shape and in words."""
    if way.status in _PENDING or way.state.lower() in _WORKING:
        return Mark.BUSY, f"{way.status.value}, {way.state.lower()}"
    if way.status is not ConnectionStatus.APPROVED or way.state.lower() != "succeeded":
        return Mark.BAD, f"{way.status.value}, {way.state.lower()}"
    if way.resolving is None:
        return Mark.GOOD, "Approved; names answered elsewhere"
    if not way.names:
        return Mark.BUSY, "Approved; names not known yet"
    return (Mark.GOOD if way.sound else Mark.BAD), f"Approved; {way.resolving} of {way.names} names resolve"


def zone_state(zone: HomeZone) -> tuple[Mark, str]:
    """How a zone is, as a shape and in words."""
    if not zone.exists:
        return Mark.BAD, "does not exist"
    told = f"{zone.records} record{'' if zone.records == 1 else 's'}"
    if zone.linked is None:
        return Mark.NONE, f"{told}; link not looked at"
    return (Mark.GOOD, f"{told}; linked") if zone.linked else (Mark.BUSY, f"{told}; being linked")


def _way_card(way: Way, y: int) -> Card:
    mark, told = way_state(way)
    return Card(
        x=_WAYS[0],
        y=y,
        width=_WAYS[1],
        kind="way",
        mark=mark,
        title=_short(way.endpoint.name, _LONGEST["way"]),
        lines=(_short(f"{way.subnet.parent.name} / {way.subnet.name}", 32), told),
        full=f"{way.endpoint.name}: {told}",
    )


def _door_card(door: Door, y: int) -> Card:
    closed = door.access is Access.CLOSED
    where = f"{_KINDS[door.kind]}, {door.location}"
    return Card(
        x=_DOORS[0],
        y=y,
        width=_DOORS[1],
        kind=door.kind.value,
        mark=Mark.GOOD if closed else Mark.BAD,
        title=_short(door.target.name, _LONGEST["door"]),
        lines=(_short(where, 30), "public access closed" if closed else "public access OPEN"),
        full=f"{door.target.name}, {where}: public access {door.access.value}",
    )


def _by_height(zones: Iterable[HomeZone], placed: Sequence[tuple[Way, Card]]) -> tuple[HomeZone, ...]:
    """Zones in the order of the endpoints that they lead to, so that few lines cross."""

    def height(zone: HomeZone) -> float:
        own = [card.y for way, card in placed if way.network == zone.network and zone.zone.name.lower() in way.zones]
        return sum(own) / len(own) if own else float("inf")

    return tuple(sorted(zones, key=height))


def _zone_cards(zones: Sequence[HomeZone], room: int) -> list[Card]:
    """Spread over the height of the endpoints, as far as there is room."""
    step = max(_CARD + _GAP, (room + _GAP) // max(len(zones), 1))
    cards = []
    for at, zone in enumerate(zones):
        mark, told = zone_state(zone)
        name = zone.zone.name
        cards.append(
            Card(
                x=_ZONES[0],
                y=_TOP + at * step + (step - _GAP - _CARD) // 2,
                width=_ZONES[1],
                kind="zone",
                mark=mark,
                title=_short(name.removeprefix("privatelink."), _LONGEST["zone"]),
                lines=("privatelink zone" if name.startswith("privatelink.") else "zone", told),
                full=f"{name}: {told}",
            )
        )
    return cards


def _name_lines(zones: Iterable[HomeZone], cards: Sequence[Card], placed: Iterable[tuple[Way, Card]]) -> list[Line]:
    by_name = {(zone.network, zone.zone.name.lower()): card for zone, card in zip(zones, cards, strict=True)}
    return [
        _line(
            zone.x + zone.width, zone.middle, card.x, card.middle, Mark.GOOD if way.resolving == way.names else Mark.BAD
        )
        for way, card in placed
        for name in way.zones
        if (zone := by_name.get((way.network, name.lower()))) is not None
    ]


def _line(x1: int, y1: int, x2: int, y2: int, mark: Mark) -> Line:
    bend = (x1 + x2) // 2
    return Line(path=f"M{x1} {y1} C{bend} {y1} {bend} {y2} {x2} {y2}", mark=mark)


def _short(text: str, most: int) -> str:
    """The beginning and the end of a long name: what tells names apart is often at the end."""
    if len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - tail - 1]}…{text[-tail:]}"
