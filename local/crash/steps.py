"""What a request is called in a point: its channel, its method, and the kind of thing, without names."""

from urllib.parse import unquote, urlsplit

_SAID = {
    "table POST $batch": "history is written",
    "table PUT registries": "the ledger row is written",
    "table POST registries": "the ledger row is made",
    "table PUT index": "the index of owners is written",
    "blob PUT leases lease": "a lease is taken or given back",
    "queue registry-work put": "the next look is asked for",
    "queue registry-work take": "a message is taken",
    "queue registry-work delete": "a message is done with",
    "queue registry-work hide": "a message is kept for longer",
    "queue registry-work-outcomes put": "somebody is to tell the outcome",
    "queue registry-work-outcomes take": "an outcome is to be told",
    "queue registry-work-outcomes delete": "an outcome has been told",
    "azure POST topics/api": "listeners are told",
    "azure GET identity/token": "a token is asked for",
}
_WRITES = frozenset({"PUT", "POST", "PATCH", "DELETE", "MERGE"})


def said(what: str) -> str:
    """What goes on at a step, for people."""
    channel, method, thing = what.split(" ", 2)
    if channel != "azure" or what in _SAID:
        return _SAID.get(what, f"{thing} of the {channel} service: {method}")
    return f"{thing} is {'read' if method == 'GET' else 'written' if method in {'PUT', 'PATCH'} else 'asked'}"


def azure_step(method: str, url: str) -> str:
    """A request to Resource Manager, the identity endpoint or a topic."""
    path = urlsplit(url).path.strip("/")
    segments = path.split("/")
    lowered = [segment.lower() for segment in segments]
    if "providers" in lowered:
        after = segments[len(segments) - lowered[::-1].index("providers") :]
        return f"azure {method} {after[0].rpartition('.')[2]}/{'/'.join(after[1::2])}"
    if lowered[0] == "registrymanagement":
        return f"azure {method} discovery"
    named = {"subscriptions", "resourcegroups", "resources", "topics"}
    if lowered[0] in named:
        return f"azure {method} {'/'.join(segments[::2])}"
    return f"azure {method} {path}"


def storage_step(service: str, method: str, path_and_query: str, *, holds_message: bool = False) -> str | None:
    """
    A write to the storage account; None for what changes nothing.

    Args:
        service: `blob`, `queue` or `table`.
        path_and_query: As in the request line, the account first.
        holds_message: The answer to a look at a queue holds a message, which is hidden from now on.
    """
    parts = urlsplit(path_and_query)
    segments = unquote(parts.path).strip("/").split("/")[1:]
    thing = segments[0].partition("(")[0] if segments else ""
    if service == "queue" and len(segments) > 1:
        thing, message = segments[0], len(segments) > 2
        verb = {"POST": "put", "GET": "take", "DELETE": "delete", "PUT": "hide"}.get(method, method)
        if method == "GET" and (not holds_message or "peekonly" in parts.query):
            return None
        return f"queue {thing} {'put' if verb == 'put' else verb if message or verb == 'take' else 'clear'}"
    if method not in _WRITES:
        return None
    if service == "blob":
        return f"blob {method} {thing}{_compartment(parts.query)}"
    return f"{service} {method} {thing}"


def _compartment(query: str) -> str:
    asked = dict(part.partition("=")[::2] for part in query.split("&"))
    return f" {asked['comp']}" if "comp" in asked else ""
