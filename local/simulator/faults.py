"""
Scripted misbehaviour: what goes wrong, where, and how often.

`faults.add(Fault(kind=..., method="PUT", path=r"privateEndpoints/pe-1$", times=2))`. A fault matches by method and by a
regular expression searched in the path without regard to case; the first that matches and is not used up acts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from local.simulator.errors import ArmError, Shape
from local.simulator.wire import JsonObject, Request, Response


class ConnectionLost(ConnectionError):
    """The caller gets no answer. Fronts turn it into what their client sees when a connection breaks."""


class FaultKind(StrEnum):
    RESPOND = "respond"
    """Answer with the fault's own status instead of acting."""
    RESET = "reset"
    """Break the connection before anything happens."""
    LOSE_RESPONSE = "lose-response"
    """Act, then break the connection: the write took effect and nobody was told."""
    FAIL_OPERATION = "fail-operation"
    """The long operation that this call starts ends Failed with the fault's code."""
    STUCK_OPERATION = "stuck-operation"
    """The long operation that this call starts never ends."""
    STALE_READ = "stale-read"
    """A GET answers as before the last write: 404 when the resource was not there, else the earlier body."""
    SLOW = "slow"
    """The answer arrives `seconds` late."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """
    One scripted fault.

    `skip` lets that many matching calls pass first; `times` is how many calls it then hits. `raw` replaces the body
    made from `code`, `message` and `details`.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    times: int = 1
    skip: int = 0
    status: int = 503
    code: str = "ServiceUnavailable"
    message: str = "The service is temporarily unavailable."
    details: list[JsonObject] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    seconds: float = 5.0
    hits: int = 0
    _expression: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._expression = re.compile(self.path, re.IGNORECASE)

    @property
    def spent(self) -> bool:
        return self.hits >= self.times

    def concerns(self, request: Request) -> bool:
        if self.method and request.method != self.method.upper():
            return False
        return self._expression.search(request.path) is not None

    def response(self) -> Response:
        if self.raw is not None:
            return Response(self.status, {"Content-Type": "application/json; charset=utf-8", **self.headers}, self.raw)
        return self.error().render()

    def error(self) -> ArmError:
        return ArmError(
            self.status, self.code, self.message, details=self.details, headers=self.headers, shape=Shape.ARM
        )


class Faults:
    """The script of one simulated Azure."""

    def __init__(self) -> None:
        self._script: list[Fault] = []
        self._before: dict[str, Response] = {}

    def add(self, fault: Fault) -> Fault:
        self._script.append(fault)
        return fault

    def clear(self) -> None:
        self._script.clear()
        self._before.clear()

    @property
    def pending(self) -> list[Fault]:
        """Faults that have not been used up."""
        return [each for each in self._script if not each.spent]

    def strike(self, request: Request, *kinds: FaultKind) -> Fault | None:
        """The fault of one of these kinds that hits this call, counted as used; `None` when there is none."""
        if not self._script:
            return None
        for fault in self._script:
            if fault.kind not in kinds or fault.spent or not fault.concerns(request):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.hits += 1
            return fault
        return None

    @property
    def remembers(self) -> bool:
        """Whether a stale read is scripted, so that answers from before a write must be kept."""
        return any(each.kind is FaultKind.STALE_READ and not each.spent for each in self._script)

    def remember(self, resource_id: str, answer: Response) -> None:
        """Keep the answer that a GET would have had before a write."""
        self._before[resource_id.lower()] = answer

    def stale(self, resource_id: str) -> Response | None:
        """The answer from before the last write; `None` when there was none."""
        return self._before.get(resource_id.lower())
