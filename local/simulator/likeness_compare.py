"""
How alike two answers are: status, headers that mean something, states and the key paths of the body.

Strict by default. What a recorder removed or replaced cannot be compared, and what the service sends at some times and
not at others is compared only where it was recorded; `FIDELITY` and the comments below are the whole list of that.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.simulator.likeness_exchanges import Exchange
from local.simulator.wire import Response

ASPECTS = ("status", "headers", "states", "keys")

_HEADERS = (
    "azure-asyncoperation",
    "location",
    "retry-after",
    "etag",
    "content-type",
    "x-ms-failure-cause",
    "www-authenticate",
    "x-ms-user-quota-remaining",
    "x-ms-user-quota-resets-after",
)
_RATE_LIMIT = re.compile(r"^x-ms-ratelimit-remaining-(subscription-resource|subscription|tenant-resource|tenant)-")
_STATE_KEYS = frozenset({"provisioningState", "virtualNetworkLinkState"})
_TRUNCATED = "__truncated__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """What a recorder left of the headers."""

    retry_after: bool
    """Whether Retry-After is there when the service sent it."""
    absence_counts: bool
    """Whether a header that is not recorded was not sent."""


_FULL = Fidelity(retry_after=True, absence_counts=True)
_NO_RETRY_AFTER = Fidelity(retry_after=False, absence_counts=True)
_REDUCED = Fidelity(retry_after=False, absence_counts=False)

FIDELITY: Mapping[str, Fidelity] = {
    "aso2512": _FULL,
    "aso2608": _FULL,
    "net2003": _FULL,
    "netlib": _FULL,
    "pysdk2208": _FULL,
    "azcli2010": _NO_RETRY_AFTER,
    "azcli2307": _NO_RETRY_AFTER,
    "azcli2411": _NO_RETRY_AFTER,
    "azext2508": _NO_RETRY_AFTER,
    "pysdk2006": _NO_RETRY_AFTER,
    "cpa": _NO_RETRY_AFTER,
    "java2011": _NO_RETRY_AFTER,
    "c7n": _REDUCED,
}
"""Per snapshot; one that is not listed counts as reduced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing in which the simulated answer differs. `recorded` and `simulated` are texts; empty means absent."""

    aspect: str
    what: str
    recorded: str
    simulated: str


def compare(exchange: Exchange, answer: Response) -> tuple[Difference, ...]:
    """Every difference between the recorded answer and the simulated one."""
    simulated = body_of(answer)
    found: list[Difference] = []
    if exchange.status != answer.status:
        found.append(_difference("status", "status", str(exchange.status), _told(answer, simulated)))
    found.extend(_headers(exchange, answer))
    recorded_states, simulated_states = states(exchange.body), states(simulated)
    found.extend(_unequal("states", recorded_states, simulated_states))
    found.extend(_paths(key_paths(exchange.body), key_paths(simulated)))
    return tuple(found)


def _difference(aspect: str, what: str, recorded: str, simulated: str) -> Difference:
    return Difference(aspect=aspect, what=what, recorded=recorded, simulated=simulated)


def _told(answer: Response, body: Any) -> str:
    """Status, with the code of an error, so that a reader sees why."""
    code = ""
    if isinstance(body, dict):
        error = body.get("error", body.get("Error", body))
        if isinstance(error, dict):
            code = str(error.get("code") or error.get("Code") or "")
    return f"{answer.status} {code}".strip()


def body_of(answer: Response) -> Any:
    """The answer's body: JSON, else text, `None` when empty."""
    if not answer.body:
        return None
    try:
        return json.loads(answer.body)
    except ValueError:
        return answer.body.decode("utf-8", "replace")


# -- headers -----------------------------------------------------------------------------------------------------------


def _headers(exchange: Exchange, answer: Response) -> Iterable[Difference]:
    fidelity = FIDELITY.get(exchange.snapshot, _REDUCED)
    recorded = _meaningful(exchange.headers)
    simulated = _meaningful({name.lower(): value for name, value in answer.headers.items()})
    for name in sorted({*recorded, *simulated}):
        if recorded.get(name) == simulated.get(name):
            continue
        if name == "retry-after" and not fidelity.retry_after:
            continue
        # The service sends the rate-limit headers at some times and not at others (recorded: aso2512, the same call
        # with and without), so only their presence says something.
        if name not in recorded and (name == "rate-limit" or not fidelity.absence_counts):
            continue
        yield _difference("headers", name, recorded.get(name, ""), simulated.get(name, ""))


def _meaningful(headers: Mapping[str, str]) -> dict[str, str]:
    """Presence of the meaningful headers; the value only where it is a word and not a number, a URL or an id."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        family = _RATE_LIMIT.match(name)
        if family:
            found["rate-limit"] = family.group(1)
        elif name == "content-type":
            found[name] = re.sub(r"\s+", "", value).lower()
        elif name == "x-ms-failure-cause":
            # "service" comes and goes with the same error (recorded: aso2512, aso2608); "gateway" is reliable.
            found.update({name: "gateway"} if value.lower() == "gateway" else {})
        elif name in _HEADERS:
            found[name] = "present"
    return found


# -- states ------------------------------------------------------------------------------------------------------------


def states(body: Any) -> frozenset[tuple[str, str]]:
    """
    Every state in a body, as (key path, word).

    The `status` of an operation, every `provisioningState` and `virtualNetworkLinkState`, and the status of every
    private link connection.
    """
    return frozenset(_states(body, ""))


def _states(value: Any, path: str) -> Iterable[tuple[str, str]]:
    if isinstance(value, list):
        for each in value:
            yield from _states(each, f"{path}[]")
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        here = f"{path}.{key}" if path else str(key)
        connection = key == "status" and path.endswith("ConnectionState")
        if isinstance(inner, str) and (key in _STATE_KEYS or here == "status" or connection):
            yield here, inner
        else:
            yield from _states(inner, here)


def _unequal(
    aspect: str, recorded: frozenset[tuple[str, str]], simulated: frozenset[tuple[str, str]]
) -> Iterable[Difference]:
    for path in sorted({path for path, _ in recorded ^ simulated}):
        left = sorted(word for at, word in recorded if at == path)
        right = sorted(word for at, word in simulated if at == path)
        if left and right:  # a state that one side lacks altogether is a difference of key paths
            yield _difference(aspect, path, "/".join(left), "/".join(right))


# -- key paths ---------------------------------------------------------------------------------------------------------


def key_paths(body: Any) -> frozenset[str]:
    """Every key path of a JSON body, list items as `[]`, keys that are resource ids as `{id}`; text counts as one."""
    if isinstance(body, str):
        return frozenset({"<text>"})
    return frozenset(_key_paths(body, ""))


def _key_paths(value: Any, path: str) -> Iterable[str]:
    if isinstance(value, list):
        for each in value:
            yield from _key_paths(each, f"{path}[]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == _TRUNCATED:
                continue
            name = "{id}" if str(key).startswith("/") else str(key)
            here = f"{path}.{name}" if path else name
            yield here
            yield from _key_paths(inner, here)


def _paths(recorded: frozenset[str], simulated: frozenset[str]) -> Iterable[Difference]:
    for path in sorted(recorded - simulated):
        yield _difference("keys", path, "present", "")
    for path in sorted(simulated - recorded):
        yield _difference("keys", path, "", "present")
