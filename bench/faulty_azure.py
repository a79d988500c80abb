"""A simulated Azure of whose answers a share are faults, drawn from a seed: what a bad day looks like."""

import random
from datetime import datetime
from typing import Any

from bench.watched_azure import WatchedAzure
from local.simulator.faults import Fault, FaultKind
from local.simulator.wire import Request, Response

_READS = (
    Fault(kind=FaultKind.RESPOND, status=503),
    Fault(kind=FaultKind.RESPOND, status=500, code="InternalServerError", message="The server failed."),
    Fault(
        kind=FaultKind.RESPOND,
        status=429,
        code="TooManyRequests",
        message="The request is being throttled.",
        headers={"Retry-After": "7"},
    ),
    Fault(kind=FaultKind.RESET),
)
_WRITES = (
    *_READS,
    Fault(
        kind=FaultKind.RESPOND,
        status=409,
        code="AnotherOperationInProgress",
        message="Another operation on this or a dependent resource is in progress.",
    ),
    Fault(kind=FaultKind.LOSE_RESPONSE),
    Fault(kind=FaultKind.FAIL_OPERATION, code="InternalServerError", message="The operation failed inside Azure."),
)


class FaultyAzure(WatchedAzure):
    """
    Fails now and then, once it was told to.

    Attributes:
        rate: Share of the answers that are faults, from now on.
        struck: How many were.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.rate = 0.0
        self.struck = 0
        self._dice = random.Random(0)

    def roll(self, seed: int, rate: float) -> None:
        """Begin to fail."""
        self._dice, self.rate, self.struck = random.Random(seed), rate, 0

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer, or fail."""
        if request.path.startswith("/subscriptions/") and self._dice.random() < self.rate:
            self._fail(request)
        return super().handle(request, now)

    def _fail(self, request: Request) -> None:
        drawn = self._dice.choice(_READS if request.method == "GET" else _WRITES)
        self.struck += 1
        self.faults.clear()
        self.faults.add(
            Fault(
                kind=drawn.kind,
                status=drawn.status,
                code=drawn.code,
                message=drawn.message,
                headers=drawn.headers,
            )
        )
