"""
Recordings of the simulated Azure itself, whole or thinned out, in the format that the likeness tool reads.

Every conformance case (see `conformance/running.py`) is a story whose answers are known to be those of the real service.
Played once, it is a recording; a sample of it lacks requests, as the samples of real traffic do.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from local.simulator import likeness_foreign
from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.likeness import measure
from local.simulator.likeness_compare import body_of
from local.simulator.options import Options
from local.simulator.wire import Request, Response
from tests.local.simulator.conformance.running import SETUPS, Run

NETWORK = "{group}/providers/Microsoft.Network"
HUB = f"{NETWORK}/virtualNetworks/hub"
ZONE = f"{NETWORK}/privateDnsZones/privatelink.blob.core.windows.net"
ACCOUNT = "{group}/providers/Microsoft.Storage/storageAccounts/acctone"
REGISTRY = "{group}/providers/Microsoft.ContainerRegistry/registries/acrone"
WORKSPACE = "{group}/providers/Microsoft.MachineLearningServices/workspaces/ws"
ACR, DNS, LOCKS, ML, NET, STORAGE = (
    "2023-11-01-preview",
    "2018-09-01",
    "2020-05-01",
    "2024-04-01",
    "2024-03-01",
    "2023-05-01",
)
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Rg-One"


class RecordedAzure(SimulatedAzure):
    """A simulated Azure with a recorder at its door; what it does not simulate is no recording of the real one."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.exchanges: list[dict[str, Any]] = []

    def handle(self, request: Request, now: datetime) -> Response:
        answer = super().handle(request, now)
        if answer.status != 501:
            self.exchanges.append(self._exchange(request, answer, now))
        return answer

    def _exchange(self, request: Request, answer: Response, now: datetime) -> dict[str, Any]:
        place = len(self.exchanges) + 1
        return {
            "id": place,
            "snapshot": "aso2512",
            "source_file": "played.yaml",
            "index": place,
            "kind": "recorded",
            "op": "played",
            "method": request.method,
            "host": "management.azure.com",
            "path": request.url.removeprefix(self.endpoint),
            "request_headers": {each: text for each, text in request.headers.items() if each != "Authorization"},
            "request_body": json.loads(request.body) if request.body else None,
            "status": answer.status,
            "response_headers": dict(answer.headers),
            "response_body": body_of(answer),
            "timestamp": now.isoformat(),
        }


def played(case: dict[str, Any], azure: RecordedAzure | None = None) -> tuple[list[dict[str, Any]], int]:
    """The exchanges of a conformance case, and how many of them only made what the case is given."""
    azure = azure or RecordedAzure(seed=3, options=Options(**case.get("options", {})))
    run = Run({}, azure)
    for setup in case.get("given", []):
        for step in SETUPS[setup]:
            run.step({"status": None, **step})
    given = len(azure.exchanges)
    run.play({**case, "given": []})
    return azure.exchanges, given


def story(*steps: dict[str, Any], given: Sequence[str] = ("group",), azure: RecordedAzure | None = None) -> list[Any]:
    """The exchanges of a story in the words of a conformance case."""
    return played({"given": given, "steps": steps}, azure)[0]


def call(text: str, version: str, body: Any = None, **checks: Any) -> dict[str, Any]:
    """A step that calls; it is accepted unless a status is given."""
    return {"call": text, "version": version, "status": None, **({} if body is None else {"body": body}), **checks}


def polls(header: str, *states: str, **checks: Any) -> dict[str, Any]:
    """A step that polls the operation of the call before to its end."""
    return {"poll": header, "states": list(states), **checks}


SETTLED: dict[str, Any] = {"wait": "settled"}


def differences(exchanges: Sequence[dict[str, Any]]) -> list[str]:
    """What differs when this sample is replayed, as sentences."""
    return [
        f"{outcome.exchange.method} {outcome.exchange.path[:200]} [{outcome.exchange.index}] {each.aspect} {each.what}: "
        f"recorded {each.recorded}, simulated {each.simulated}; {outcome.notes}"
        for outcome in measure(json.dumps(each) for each in exchanges).outcomes
        for each in outcome.differences
    ]


def one_by_one(exchanges: Iterable[dict[str, Any]]) -> list[str]:
    """What differs when each exchange is all that is left of the recording."""
    return [found for each in exchanges for found in differences([each])]


def with_stand_ins(*ids: str, groups: tuple[str, ...] = ("default",)) -> RecordedAzure:
    """An Azure in which services that are not simulated have resources."""
    azure = RecordedAzure(seed=3)
    for each in ids:
        likeness_foreign.place(azure, f"{GROUP}/providers/{each}", "westeurope", groups)
    return azure
