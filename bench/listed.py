"""
Every row that a run promises, by the title of its section: what is not measured must not go unnoticed.

The bench fails when a row is missing or new, and so does a test when the page of measurements was written by another
version of the bench.
"""

from collections.abc import Iterable, Iterator, Mapping

from bench.budgets import Budget
from bench.sizes import FULL, Apart, Sizes

type Promised = Mapping[str, tuple[str, ...]]

_WAYS = ("one region", "three regions", "two networks")
_AGAIN = "  writes for a registry done more than once"
_SHARED = "  writes of zones and links that all share, repeated"
_AT_ONCE = (
    "from creation to all isolated",
    "  registries lost",
    "  messages given up",
    "  longest wait of a registry",
    "  requests",
    "  of them answered 429",
    "  processor time, simulated Azure included",
)
_OF_EVERY_RUN: Promised = {
    "The budgets": tuple(budget.value for budget in Budget),
    "Event to isolated (virtual time, Azure's durations as recorded)": tuple(
        row
        for way in _WAYS
        for row in (f"event to isolated, {way}", f"  last door closed, {way}", f"  beyond the chain, {way}")
    ),
    "Requests to Azure Resource Manager, creation to isolated": (
        "ARM requests, one region, not the process's first",
        "ARM requests, one region, the process's first registry",
        "  of which writes, one region",
        "  by pass",
        "  second look, a quarter of an hour after the closing",
        "second reconcile, reads",
        "second reconcile, writes",
        *(row for way in _WAYS[1:] for row in (f"ARM requests, {way}", f"  of which writes, {way}")),
    ),
    "Events that concern nobody": ("irrelevant event, medians in turn", "  written for it"),
    "Events taken in, 95 % of them irrelevant": ("events per second of one processor, medians in turn",),
    "Cold start, fresh interpreters in turn": (
        "import function_app beyond azure.functions",
        "  azure.mgmt and azure.identity modules loaded by it",
        "  peak memory after it",
        "loaded by the first event, besides",
        "  peak memory after the first event",
        "loaded by the first pass, besides",
        "  peak memory after the first pass",
    ),
    "Cost": (*(f"billed for isolating, {way}" for way in _WAYS), "  executions, one region"),
}
_BY_HAND = (
    "from the first command (or the event) to isolated",
    "requests to Azure Resource Manager",
    "commands a person types",
    "5 % of answers are faults: steps that survive",
    "  isolated afterwards",
    "  time to isolated",
    "  requests",
)
_STORM = (
    "  registries lost",
    _AGAIN,
    _SHARED,
    "  slowest registry to be isolated",
    "  deepest queue, messages hidden for later included",
    "  deliveries that had to be sent again",
    "  all work done after the last event",
    "  memory of each host before, after, later",
)
_BOARD = (
    "  median of the page",
    "  95 of 100 pages, while rows are read again",
    "  first page of a new process, counting goes on",
    "  all rows counted after",
    "  sent, without the style sheet",
)


def listed(sizes: Sizes) -> Promised:
    """Every section and row of a run of *sizes*."""
    rushes = {_rush(sizes.rush): _AT_ONCE}
    return {**_OF_EVERY_RUN, **rushes, **(dict(_apart(sizes.apart)) if sizes.apart else {})}


def _apart(more: Apart) -> Iterator[tuple[str, tuple[str, ...]]]:
    storm, board = more.storms, f"{more.board.registries:,}"
    crowds = [f"{count:,}" for count in more.crowds]
    hosts = [f"{count} host{'s' if count > 1 else ''}" for count in more.sharing.hosts]
    yield "The article's own way, by Azure CLI commands (one region, one workspace's storage)", _BY_HAND
    yield _rush(more.rush), _AT_ONCE
    yield "Sweeps, in virtual time", tuple(row for count in crowds for row in _swept(count))
    yield "A sweep in a fresh process", tuple(row for count in crowds for row in _swept_apart(count))
    yield "Several host processes on one queue, real time", tuple(row for each in hosts for row in _sharing(each))
    yield (
        f"A storm of {storm.events:,} events, 95 % of them irrelevant, on {storm.registries} registries being created",
        tuple(row for each in storm.hosts for row in (f"{each} hosts: events taken in a second, each", *_STORM)),
    )
    yield f"The dashboard's first page, {board} registries in Azurite, at the local host", _BOARD


def _rush(registries: int) -> str:
    return f"{registries} registries at once, under the published limits"


def _swept(count: str) -> tuple[str, ...]:
    return (
        f"{count} isolated registries: Resource Graph queries per 1,000",
        f"  registries handed over for their daily look, {count}",
        f"  registries read from Resource Manager without that, {count}",
        f"  Resource Manager reads, all of them daily looks, {count}",
        f"  writes, {count}",
        f"  duration in virtual time, {count}",
    )


def _swept_apart(count: str) -> tuple[str, ...]:
    return (
        f"peak memory of the process, {count} registries",
        f"  processor time for each, {count} registries",
        f"  Resource Graph queries, {count} registries",
        f"  other requests to Resource Manager, {count} registries",
    )


def _sharing(hosts: str) -> tuple[str, ...]:
    return (
        f"{hosts}: events taken in a second, each",
        f"{hosts}: passes a second, each",
        "  passes of each host",
        _AGAIN,
        _SHARED,
    )


LISTED: Promised = listed(FULL)


def differences(rows: Iterable[tuple[str, str]], promised: Promised = LISTED) -> list[str]:
    """
    Tell what is missing of the list and what is not on it, one sentence each.

    Args:
        rows: Title of the section and name of the row, of everything that was measured.
        promised: The list; a full run's unless another one is meant.
    """
    found = [(title, name.strip()) for title, name in rows]
    wanted = [(title, name.strip()) for title, names in promised.items() for name in names]
    missing = [each for each in wanted if found.count(each) < wanted.count(each)]
    more = [each for each in found if found.count(each) > wanted.count(each)]
    return [
        *(f"{title}: {name} was not measured." for title, name in dict.fromkeys(missing)),
        *(f"{title}: {name} is not on the bench's list." for title, name in dict.fromkeys(more)),
    ]
