"""An Azure in which things go wrong at the calls that a case names, and which is watched at the app's every write."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.campaign.answers import answer, forbidden, garbled, without
from local.campaign.cases import Injection, Place
from local.campaign.kinds import EVENTS, GARBLES, KILLS, OPERATIONS, OUTAGES, STORE, UNTIL_LIFTED, WRITES, Kind
from local.campaign.scarcity import drain
from local.campaign.watch import Watch, writes
from local.house import APP
from local.simulator.azure import SimulatedAzure
from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.faults import ConnectionLost, Fault, FaultKind
from local.simulator.operations import Operation
from local.simulator.throttling import Throttle
from local.simulator.wire import Request, Response

MINUTE = timedelta(minutes=1)
NEW = timedelta(minutes=2)
"""How long after a write a read may still show the state before it: what the app itself allows a read to be wrong."""
LASTING = 1_000_000
_LIST = b'{"value"'
_ERRORS = 400
_ENDPOINT = re.compile(r"/privateEndpoints/[^/]+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCall:
    """One call of the app in the order of the path, and what may go wrong there beyond what may everywhere."""

    method: str
    path: str
    writes: bool = False
    long: bool = False
    stale: bool = False
    new: bool = False
    lags: bool = False
    places: bool = False


class StormyAzure(SimulatedAzure):
    """Injects what it was told and counts the app's calls from `let_loose` on."""

    def __init__(self, **members: Any) -> None:
        super().__init__(**members)
        self.watch = Watch(self)
        self.calls: list[AppCall] = []
        self.store_calls: list[str] = []
        """The app's calls to its own storage: what was asked, in order."""
        self.struck: list[Injection] = []
        self.calm_since: datetime | None = None
        """When the last thing that went wrong was over, as far as is known."""
        self.turn: Callable[[Place], Sequence[Injection] | None] = lambda _: None
        """Asked before each call what is to go wrong from here on instead of what was; None: nothing else."""
        self.kill: Callable[[timedelta], None] = lambda _: None
        """Ends the app's process; another one begins that much later."""
        self._planned: list[Injection] = []
        self._loose = False
        self._written: dict[str, datetime] = {}
        """When somebody last asked for a write, by path."""
        self._changed: dict[str, datetime] = {}
        """When a write that acted was made, by path, as long as answers from before are kept."""
        self._old: list[tuple[datetime, Fault]] = []
        """Until when reads may show the past."""
        self._until: dict[Kind, datetime] = {}
        self._drained: datetime | None = None
        self._began = False
        self._lagging = 0
        self._store: tuple[Kind, int] | None = None
        self._scripted: list[Fault] = []
        self._garbling: dict[tuple[str, str], tuple[Kind, int]] = {}
        """How many more answers of a call arrive in what state."""
        self._hits = 0

    def let_loose(self, injections: Sequence[Injection]) -> None:
        """From now on count the app's calls, and let *injections* strike; what is due at call 0 does so at once."""
        self._planned, self._loose = [each for each in injections if each.kind not in EVENTS], True
        if any(each.kind is Kind.STALE for each in injections):
            self.faults.add(Fault(kind=FaultKind.STALE_READ, path="^nothing has this path$"))
        for each in [one for one in self._planned if one.at == 0 and one.kind in OUTAGES]:
            self._strike(each, "", "")

    def lift(self) -> None:
        """Somebody has seen to it: nothing goes wrong any more."""
        self._planned.clear()
        self._until.clear()
        self.faults.clear()
        self._garbling.clear()
        self._lagging, self._store = 0, None
        self.throttle = Throttle(enforced=False)
        self._weather_of_graph()

    def out(self, kind: Kind) -> bool:
        """Whether the outage of this kind lasts."""
        return kind in self._until and self.world.now < self._until[kind]

    # -- the door ----------------------------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        super().advance(now)
        if self._until:
            self._weather_of_graph()
        for until, fault in self._old:
            if now > until:
                fault.times = fault.hits

    def handle(self, request: Request, now: datetime) -> Response:
        self.advance(now)
        if not self._loose or not self._by_app(request):
            return self._noting(request, now)
        self._ask(Place("call", len(self.calls) + 1))
        self.watch.before(request)
        stale, new, places = self._may_be_stale(request), self._is_new(request), self._is_placed(request)
        self._inject(request, stale=stale, new=new, places=places)
        self._began = lags = False
        try:
            self._end_process(Kind.KILLED)
            response = self._cut(request) or self._noting(request, now)
            self._end_process(Kind.KILLED_AFTER)
            response, lags = self._lag(request, response)
            return self._garble(request, response)
        finally:
            self._count_hits()
            self.watch.after(request)
            call = AppCall(
                method=request.method,
                path=request.path,
                writes=writes(request),
                long=self._began,
                stale=stale,
                new=new,
                lags=lags,
                places=places,
            )
            self.calls.append(call)

    def _noting(self, request: Request, now: datetime) -> Response:
        if request.method not in {"GET", "HEAD"}:
            self._written[request.path.lower()] = self.world.now
        return super().handle(request, now)

    def _cut(self, request: Request) -> Response | None:
        """The answer, or the broken connection, of a service that is away."""
        if self.out(Kind.DOWN):
            raise ConnectionLost(f"campaign: nobody answers {request.method} {request.path}")
        if self.out(Kind.FORBIDDEN):
            return ArmError(403, *forbidden(request.path)).render()
        if self.out(Kind.BUCKETS) and (self._drained is None or self.world.now - self._drained >= MINUTE):
            self._drained = self.world.now
            drain(self.throttle, self.subscriptions.values(), self.world.now)
        return None

    def _lag(self, request: Request, response: Response) -> tuple[Response, bool]:
        """The list without its newest entries, if that is what goes wrong; and whether there are any."""
        if request.method != "GET" or not response.body.startswith(_LIST):
            return response, False
        ids = {str(each.get("id", "")).lower() for each in json.loads(response.body)["value"]}
        new = frozenset(key for key in ids if self._created_lately(key))
        if not new:
            return response, False
        for each in [one for one in self._planned if one.kind is Kind.LAGGING and self._due(one)]:
            self._planned.remove(each)
            self.struck.append(each)
            self._lagging += each.amount
        if self._lagging:
            self._lagging -= 1
            self._calm(self.world.now)
            response = Response(response.status, response.headers, without(response.body, new), response.delay)
        return response, True

    def _garble(self, request: Request, response: Response) -> Response:
        """What arrives of an answer."""
        if response.status >= _ERRORS or not response.body:
            return response
        here = (request.method, request.path.lower())
        for each in [one for one in self._planned if one.kind in GARBLES and self._due(one)]:
            self._planned.remove(each)
            self.struck.append(each)
            self._garbling[here] = (each.kind, each.amount)
        kind, left = self._garbling.pop(here, (Kind.CUT, 0))
        if not left:
            return response
        self._garbling |= {here: (kind, left - 1)} if left > 1 else {}
        self._calm(self.world.now)
        return Response(response.status, response.headers, garbled(kind, response.body), response.delay)

    def _end_process(self, kind: Kind) -> None:
        """
        Kill the app, if that is what goes wrong here.

        Raises:
            CancelledError: In the process that has ended.
        """
        for each in [one for one in self._planned if one.kind is kind and self._due(one)]:
            self._planned.remove(each)
            self.struck.append(each)
            after = timedelta(seconds=each.amount)
            self._calm(self.world.now + after)
            self.kill(after)
            raise asyncio.CancelledError

    def begin(self, call: Call, *args: Any, **members: Any) -> Operation:
        self._began = True
        for each in [one for one in self._planned if one.kind in OPERATIONS and self._due(one)]:
            if not self._loose or call.principal.id != APP:
                break
            self._planned.remove(each)
            self.struck.append(each)
            if each.kind is Kind.STUCK:
                members["seconds"] += each.amount * 60
            else:
                self._script(call.request, FaultKind.FAIL_OPERATION, amount=each.amount, code="InternalServerError")
            self._calm(self.world.now + timedelta(seconds=members["seconds"]))
        return super().begin(call, *args, **members)

    # -- the app's own storage ---------------------------------------------------------------------------------------

    def store_call(self, asked: str) -> Kind | None:
        """Count a call to the app's storage; how it goes wrong, None if it does not."""
        if not self._loose:
            return None
        self._ask(Place("store", len(self.store_calls) + 1))
        self.store_calls.append(asked)
        for each in [one for one in self._planned if one.kind in STORE and one.at <= len(self.store_calls)]:
            self._planned.remove(each)
            self.struck.append(each)
            self._store = (each.kind, each.amount)
        if self._store is None:
            return None
        kind, left = self._store
        self._store = (kind, left - 1) if left > 1 else None
        self._calm(self.world.now)
        return kind

    def _ask(self, place: Place) -> None:
        planned = self.turn(place)
        if planned is not None:
            self._planned = list(planned)

    # -- going wrong -------------------------------------------------------------------------------------------------

    def _due(self, injection: Injection) -> bool:
        return injection.at <= len(self.calls) + 1

    def _inject(self, request: Request, *, stale: bool, new: bool, places: bool) -> None:
        for each in [one for one in self._planned if self._due(one)]:
            possible = {
                Kind.STALE: stale,
                Kind.MISSING: new,
                Kind.LAGGING: False,
                Kind.NONSENSE: request.method == "GET",
                **dict.fromkeys(WRITES, writes(request)),
                Kind.FULL: places,
                **dict.fromkeys(OPERATIONS | STORE | KILLS | GARBLES, False),
            }
            if possible.get(each.kind, True):
                self._strike(each, request.method, request.path)

    def _may_be_stale(self, request: Request) -> bool:
        path = request.path.lower()
        written = (self._changed if self.faults.remembers else self._written).get(path)
        return request.method == "GET" and written is not None and self.world.now - written <= NEW

    def _remember(self, call: Call) -> None:
        super()._remember(call)
        self._changed[call.request.path.lower()] = self.world.now

    def _is_new(self, request: Request) -> bool:
        return request.method == "GET" and self._created_lately(request.path.lower())

    def _is_placed(self, request: Request) -> bool:
        """Whether an endpoint is made that needs addresses."""
        made = request.method == "PUT" and _ENDPOINT.search(request.path) is not None
        return made and self.world.get(request.path) is None

    def _created_lately(self, key: str) -> bool:
        found = self.world.get(key)
        return found is not None and self.world.now - found.created <= NEW

    def _strike(self, injection: Injection, method: str, path: str) -> None:
        self._planned.remove(injection)
        self.struck.append(injection)
        kind, amount, now = injection.kind, injection.amount, self.world.now
        if kind in OUTAGES:
            self._until[kind] = now + amount * MINUTE
            self._calm(self._until[kind])
            self._weather_of_graph()
            if kind is Kind.BUCKETS:
                self.throttle = Throttle(enforced=True)
            return
        self._calm(now + timedelta(seconds=amount if kind is Kind.SLOW else 0))
        lasting = LASTING if kind in UNTIL_LIFTED else amount
        fault = _FAULTS.get(kind, FaultKind.RESPOND)
        scripted = self._script(
            Request(method, self.endpoint + path), fault, amount=lasting, **answer(kind, method, path, now)
        )
        if kind in {Kind.STALE, Kind.MISSING}:
            self._old.append((self._last_written(kind, path.lower()) + NEW, scripted))

    def _last_written(self, kind: Kind, key: str) -> datetime:
        found = self.world.get(key)
        created = found.created if found is not None else self.world.now
        return self._changed[key] if kind is Kind.STALE else created

    def _script(self, request: Request, kind: FaultKind, *, amount: int = 1, **members: Any) -> Fault:
        path = f"^{re.escape(request.path)}$"
        size: dict[str, Any] = {"seconds": float(amount)} if kind is FaultKind.SLOW else {"times": amount}
        fault = Fault(kind=kind, method=request.method, path=path, **size, **members)
        self._scripted.append(self.faults.add(fault))
        return fault

    def _weather_of_graph(self) -> None:
        weather = self.graph.weather
        weather.frozen = self.out(Kind.GRAPH_FROZEN)
        weather.announced = self.out(Kind.GRAPH_TRUNCATED)
        weather.lost_share = 0.5 if self.out(Kind.GRAPH_PARTIAL) or weather.announced else 0.0

    def _count_hits(self) -> None:
        hits = sum(each.hits for each in self._scripted)
        if hits > self._hits:
            self._hits = hits
            self._calm(self.world.now)

    def _calm(self, at: datetime) -> None:
        self.calm_since = max(self.calm_since or at, at)

    def _by_app(self, request: Request) -> bool:
        try:
            return self.rbac.caller(request.header("Authorization"), self.world.now).id == APP
        except ArmError:
            return False


_FAULTS: dict[Kind, FaultKind] = {
    Kind.RESET: FaultKind.RESET,
    Kind.LOST: FaultKind.LOSE_RESPONSE,
    Kind.SLOW: FaultKind.SLOW,
    Kind.STALE: FaultKind.STALE_READ,
}
"""How the simulator does it; everything else is an answer."""
