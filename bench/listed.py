"""
Every row that a full run promises, by the title of its section: what is not measured must not go unnoticed.

`make bench` fails when a row is missing or new, and so does a test when the page of measurements was written by another
version of the bench.
"""

from collections.abc import Iterable, Mapping

from bench.budgets import Budget

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

LISTED: Mapping[str, tuple[str, ...]] = {
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
    "The article's own way, by Azure CLI commands (one region, one workspace's storage)": (
        "from the first command (or the event) to isolated",
        "requests to Azure Resource Manager",
        "commands a person types",
        "5 % of answers are faults: steps that survive",
        "  isolated afterwards",
        "  time to isolated",
        "  requests",
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
    "60 registries at once, under the published limits": _AT_ONCE,
    "1000 registries at once, under the published limits": _AT_ONCE,
    "Sweeps, in virtual time": tuple(
        row
        for count in ("1,000", "10,000")
        for row in (
            f"{count} isolated registries: Resource Graph queries per 1,000",
            f"  registries handed over for their daily look, {count}",
            f"  registries read from Resource Manager without that, {count}",
            f"  Resource Manager reads, all of them daily looks, {count}",
            f"  writes, {count}",
            f"  duration in virtual time, {count}",
        )
    ),
    "A sweep in a fresh process": tuple(
        row
        for count in ("1,000", "10,000")
        for row in (
            f"peak memory of the process, {count} registries",
            f"  processor time for each, {count} registries",
            f"  Resource Graph queries, {count} registries",
            f"  other requests to Resource Manager, {count} registries",
        )
    ),
    "Several host processes on one queue, real time": tuple(
        row
        for hosts in ("1 host", "2 hosts", "3 hosts", "4 hosts")
        for row in (
            f"{hosts}: events taken in a second, each",
            f"{hosts}: passes a second, each",
            "  passes of each host",
            _AGAIN,
            _SHARED,
        )
    ),
    "A storm of 4,000 events, 95 % of them irrelevant, on 24 registries being created": (
        "2 hosts: events taken in a second, each",
        "  registries lost",
        _AGAIN,
        _SHARED,
        "  slowest registry to be isolated",
        "  deepest queue, messages hidden for later included",
        "  deliveries that had to be sent again",
        "  all work done after the last event",
        "  memory of each host before, after, later",
    ),
    "The dashboard's first page, 10,000 registries in Azurite, at the local host": (
        "  median of the page",
        "  95 of 100 pages, while rows are read again",
        "  first page of a new process, counting goes on",
        "  all rows counted after",
        "  sent, without the style sheet",
    ),
}


def differences(rows: Iterable[tuple[str, str]]) -> list[str]:
    """
    Tell what is missing of the list and what is not on it, one sentence each.

    Args:
        rows: Title of the section and name of the row, of everything that was measured.
    """
    found = [(title, name.strip()) for title, name in rows]
    wanted = [(title, name.strip()) for title, names in LISTED.items() for name in names]
    missing = [each for each in wanted if found.count(each) < wanted.count(each)]
    more = [each for each in found if found.count(each) > wanted.count(each)]
    return [
        *(f"{title}: {name} was not measured." for title, name in dict.fromkeys(missing)),
        *(f"{title}: {name} is not on the bench's list." for title, name in dict.fromkeys(more)),
    ]
