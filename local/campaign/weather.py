"""
An Azure in which things go wrong at the calls that a case names, and which watches over the app's every write.

What it notes as a violation is decided from the world alone, by `local.verdict`: no code of the app takes part.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.campaign.cases import EVENTS, OPERATIONS, OUTAGES, WRITES, Injection, Kind
from local.house import APP
from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.faults import ConnectionLost, Fault, FaultKind
from local.simulator.operations import Operation
from local.simulator.wire import Request, Response
from local.verdict import endpoint_problems, endpoints_of

MINUTE = timedelta(minutes=1)
STALE_FOR = timedelta(minutes=2)
"""How long after a write a read may still show the state before it."""
LASTING = 1_000_000
_REGISTRIES = "Microsoft.MachineLearningServices/registries"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCall:
    """One call of the app in the order of the path, and what may go wrong there beyond what may everywhere."""

    method: str
    path: str
    writes: bool
    long: bool
    stale: bool


class StormyAzure(SimulatedAzure):
    """Injects what it was told, counts the app's calls from `watch` on, and keeps what must never have happened."""

    def __init__(self, **members: Any) -> None:
        super().__init__(**members)
        self.calls: list[AppCall] = []
        self.violations: list[str] = []
        self.struck: list[Injection] = []
        self.calm_since: datetime | None = None
        """When the last thing that went wrong was over, as far as is known."""
        self.kept: dict[str, list[str]] = {}
        """Storage accounts, by key, and the resource rules of others that must never be missing there."""
        self._planned: list[Injection] = []
        self._watching = False
        self._written: dict[str, datetime] = {}
        self._until: dict[Kind, datetime] = {}
        self._began = False
        self._scripted: list[Fault] = []
        self._hits = 0

    def watch(self, injections: Sequence[Injection]) -> None:
        """From now on count the app's calls, and let *injections* strike."""
        self._planned, self._watching = [each for each in injections if each.kind not in EVENTS], True
        if any(each.kind is Kind.STALE for each in injections):
            self.faults.add(Fault(kind=FaultKind.STALE_READ, path="^nothing has this path$"))

    def lift(self) -> None:
        """Somebody has seen to it: nothing goes wrong any more."""
        self._planned.clear()
        self._until.clear()
        self.faults.clear()

    def out(self, kind: Kind) -> bool:
        """Whether the outage of this kind lasts."""
        return kind in self._until and self.world.now < self._until[kind]

    def begin_outages(self) -> None:
        """What the case names for call 0 happens before there is any call."""
        for each in [one for one in self._planned if one.at == 0 and one.kind in OUTAGES]:
            self._strike(each, "", "")

    # -- the door ----------------------------------------------------------------------------------------------------

    def handle(self, request: Request, now: datetime) -> Response:
        self.advance(now)
        if not self._watching or not self._by_app(request):
            return self._noting(request, now)
        self._watch_closing(request)
        self._inject(request)
        self._began = False
        try:
            return self._cut(request) or self._noting(request, now)
        finally:
            self._count_hits()
            self._watch_rules(request)
            path = request.path.lower()
            stale = request.method == "GET" and self._may_be_stale(path)
            writes = request.method != "GET" and "resourcegraph" not in path
            self.calls.append(
                AppCall(method=request.method, path=request.path, writes=writes, long=self._began, stale=stale)
            )

    def _noting(self, request: Request, now: datetime) -> Response:
        if request.method not in {"GET", "HEAD"}:
            self._written[request.path.lower()] = self.world.now
        return super().handle(request, now)

    def _cut(self, request: Request) -> Response | None:
        """The answer, or the broken connection, of a service that is away."""
        if self.out(Kind.DOWN):
            raise ConnectionLost(f"campaign: nobody answers {request.method} {request.path}")
        if self.out(Kind.FORBIDDEN):
            action = "Microsoft.Resources/subscriptions/resourceGroups/read"
            message = (
                f"The client '{APP}' with object id '{APP}' does not have authorization to perform action '{action}' over "
                f"scope '{request.path}' or the scope is invalid. If access was recently granted, please refresh your "
                "credentials."
            )
            return ArmError(403, "AuthorizationFailed", message).render()
        return None

    def begin(self, call: Call, *args: Any, **members: Any) -> Operation:
        self._began = True
        for each in [one for one in self._planned if one.kind in OPERATIONS and self._due(one)]:
            if not self._watching or call.principal.id != APP:
                break
            self._planned.remove(each)
            self.struck.append(each)
            if each.kind is Kind.STUCK:
                members["seconds"] += each.amount * 60
                self._calm(self.world.now + timedelta(seconds=members["seconds"]))
            else:
                self._script(call.request, FaultKind.FAIL_OPERATION, amount=each.amount, code="InternalServerError")
                self._calm(self.world.now + timedelta(seconds=members["seconds"]))
        return super().begin(call, *args, **members)

    # -- going wrong -------------------------------------------------------------------------------------------------

    def _due(self, injection: Injection) -> bool:
        return injection.at <= len(self.calls) + 1

    def _inject(self, request: Request) -> None:
        for each in [one for one in self._planned if self._due(one) and self._can(one, request)]:
            self._strike(each, request.method, request.path)

    def _can(self, injection: Injection, request: Request) -> bool:
        if injection.kind in OPERATIONS:
            return False
        if injection.kind in WRITES:
            return request.method in {"PUT", "PATCH", "DELETE"}
        return injection.kind is not Kind.STALE or (
            request.method == "GET" and self._may_be_stale(request.path.lower())
        )

    def _may_be_stale(self, path: str) -> bool:
        written = self._written.get(path)
        return written is not None and self.world.now - written <= STALE_FOR

    def _strike(self, injection: Injection, method: str, path: str) -> None:
        self._planned.remove(injection)
        self.struck.append(injection)
        kind, amount, now = injection.kind, injection.amount, self.world.now
        if kind in OUTAGES:
            self._until[kind] = now + amount * MINUTE
            self._calm(self._until[kind])
            return
        slow = kind is Kind.SLOW
        self._calm(now + timedelta(seconds=amount if slow else 0))
        lasting = LASTING if kind is Kind.REFUSED else amount
        fault = FAULTS.get(kind, FaultKind.RESPOND)
        self._script(Request(method, self.endpoint + path), fault, amount=lasting, **_answer(kind, path))

    def _script(self, request: Request, kind: FaultKind, *, amount: int = 1, **members: Any) -> None:
        path = f"^{re.escape(request.path)}$"
        fault = Fault(kind=kind, method=request.method, path=path, **_size(kind, amount), **members)
        self._scripted.append(self.faults.add(fault))

    def _count_hits(self) -> None:
        hits = sum(each.hits for each in self._scripted)
        if hits > self._hits:
            self._hits = hits
            self._calm(self.world.now)

    def _calm(self, at: datetime) -> None:
        self.calm_since = max(self.calm_since or at, at)

    # -- watching ----------------------------------------------------------------------------------------------------

    def _by_app(self, request: Request) -> bool:
        try:
            return self.rbac.caller(request.header("Authorization"), self.world.now).id == APP
        except ArmError:
            return False

    def _watch_closing(self, request: Request) -> None:
        asked = _access(request)
        if asked == "enabled":
            self.violations.append(f"{request.path} was opened")
        if asked == "disabled":
            self.violations += self._unready(request.path)

    def _unready(self, path: str) -> list[str]:
        registries = self.world.of_type(_REGISTRIES)
        targets = [each for one in registries for each in (one, *scenery.parts_of(self, one))]
        return [
            f"{path} was closed while {target.name} had no working endpoint"
            for target in targets
            if all(endpoint_problems(self, endpoint) for endpoint in endpoints_of(self, target))
        ]

    def _watch_rules(self, request: Request) -> None:
        found = self.world.get(request.path)
        if request.method not in {"PUT", "PATCH"} or found is None or found.key not in self.kept:
            return
        kept = found.properties["networkAcls"].get("resourceAccessRules", [])
        rules = {one["resourceId"].lower() for one in kept}
        lost = [rule for rule in self.kept[found.key] if rule.lower() not in rules]
        self.violations += [f"{found.name} lost the rule of {rule}" for rule in lost]


FAULTS: dict[Kind, FaultKind] = {
    Kind.RESET: FaultKind.RESET,
    Kind.LOST: FaultKind.LOSE_RESPONSE,
    Kind.SLOW: FaultKind.SLOW,
    Kind.STALE: FaultKind.STALE_READ,
}
"""How the simulator does it; everything else is an answer."""


def _answer(kind: Kind, path: str) -> dict[str, Any]:
    """What Azure says where the fault is an answer: wordings as recorded or documented."""
    match kind:
        case Kind.THROTTLED:
            return {"status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "17"}}
        case Kind.THROTTLED_BARE:
            return {"status": 429, "code": "TooManyRequests", "message": "The request is being throttled."}
        case Kind.THROTTLED_TEXT:
            message = "Number of requests exceeded the limit. Please try again after '35' seconds."
            return {"status": 429, "code": "SubscriptionRequestsThrottled", "message": message}
        case Kind.ERROR:
            return {"status": 500, "code": "InternalServerError", "message": "An error occurred."}
        case Kind.BUSY:
            storage = "/storageaccounts/" in path.lower()
            code = "StorageAccountOperationInProgress" if storage else "AnotherOperationInProgress"
            return {"status": 409, "code": code, "message": "Another operation on this resource is in progress."}
        case Kind.REFUSED:
            message = f"Resource '{path.rsplit('/', 1)[-1]}' was disallowed by policy."
            return {"status": 403, "code": "RequestDisallowedByPolicy", "message": message}
        case _:
            return {}


def _size(kind: FaultKind, amount: int) -> dict[str, Any]:
    return {"seconds": float(amount)} if kind is FaultKind.SLOW else {"times": amount}


def _access(request: Request) -> str:
    """The public access that a write asks for, lower case; "" if it asks for none."""
    if request.method not in {"PUT", "PATCH"} or b"publicNetworkAccess" not in request.body:
        return ""
    return str((json.loads(request.body).get("properties") or {}).get("publicNetworkAccess", "")).lower()
