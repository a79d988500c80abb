"""
What the app asks of Azure Resource Manager, by verb and by purpose, beside what the final world says was necessary.

Necessary is counted from the world alone: one write for each thing that is there now and was not before, and one for the
registry that is closed. Whatever Azure did by itself needed none.
"""

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from bench.isolation import Isolation
from local.simulator.call import LoggedCall

_MADE = (
    "microsoft.network/privateendpoints",
    "microsoft.network/privateendpoints/privatednszonegroups",
    "microsoft.network/privatednszones",
    "microsoft.network/privatednszones/virtualnetworklinks",
)
_PURPOSES = (
    ("operation status", r"/(registryoperationsstatus|operationsstatuses|operations|operationresults)/"),
    ("zone names", r"/privatelinkresources$"),
    ("deny assignments", r"/denyassignments$"),
    ("zone groups", r"/privatednszonegroups"),
    ("endpoints", r"/privateendpoints"),
    ("network interfaces", r"/networkinterfaces"),
    ("subnet", r"/virtualnetworks/"),
    ("zone links", r"/virtualnetworklinks"),
    ("zone records", r"/privatednszones/[^/]+/(a|all)(/|$)"),
    ("zones", r"/privatednszones"),
    ("replications", r"/replications$"),
    ("container registry", r"/microsoft.containerregistry/"),
    ("storage", r"/microsoft.storage/"),
    ("registry", r"/microsoft.machinelearningservices/registries/[^/]+$"),
    ("discovery service", r"/registrymanagement/v1.0/registries/[^/]+/discovery$"),
    ("managed group", r"/resourcegroups/[^/]+(/resources)?$"),
)


def verb_of(call: LoggedCall) -> str:
    """GET, PUT, PATCH or DELETE."""
    return call.method


def purpose_of(call: LoggedCall) -> str:
    """What a request was about."""
    path = unquote(urlsplit(call.url).path).lower()
    return next((name for name, pattern in _PURPOSES if re.search(pattern, path)), "other")


def by_purpose(calls: Iterable[LoggedCall]) -> Counter[tuple[str, str]]:
    """How many requests of each verb and purpose."""
    return Counter((verb_of(call), purpose_of(call)) for call in calls)


def writes(calls: Iterable[LoggedCall]) -> int:
    """How many of *calls* are writes."""
    return sum(call.kind == "write" for call in calls)


def necessary_writes(run: Isolation) -> int:
    """What the final world needed: everything new of the kinds that isolation makes, and the closing."""
    made = [
        each for key, each in run.azure.world.resources.items() if key not in run.before and each.type.lower() in _MADE
    ]
    closed = str(run.registry.properties["publicNetworkAccess"]) == "Disabled"
    return len(made) + int(closed)


def shown(counts: Counter[tuple[str, str]]) -> str:
    """The counts as one line, most frequent first."""
    return ", ".join(f"{count} {verb} {purpose}" for (verb, purpose), count in counts.most_common())
