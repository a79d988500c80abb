"""
The machinery around the rules: admits calls, runs their rule, starts long operations, tells Event Grid, keeps the log.

A provider's rule is `rule(azure: Kernel, call: Call) -> Response`. Before it runs, the kernel has already: struck
scripted faults, answered polls, authenticated the caller, checked api-version, subscription, throttling, role
assignments and deny assignments, the resource group, the top-level parent of a nested resource, and (for PUT) the
provider's registration; and it has decoded the body. A rule therefore only knows its own resource. It raises
`ArmError` to refuse. After it, the kernel adds request ids and rate-limit headers, logs the call and, for a successful
write without a long operation, tells Event Grid.

What a rule uses:

    azure.world            resources: get, put, children, of_type, delete; later(seconds, fn); guid(), hex(n), etag()
    azure.begin(...)       start a long operation; put `operation.headers` into the first answer
    azure.require(id)      the resource, or the gateway's 404
    azure.demand_linked    a right on a resource that the request merely names
    azure.emit(...)        tell Event Grid about something the platform did by itself
    azure.link_targets     private link: register the resource type (see private_link.py)
    azure.links            private link: tell endpoints that a connection or the members changed
    azure.durations, azure.options, azure.endpoint, azure.cloud, azure.tenant_id, azure.rbac
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from local.simulator import admission, arm_ids, errors, shapes
from local.simulator.call import Call, Change, LoggedCall
from local.simulator.clouds import Cloud
from local.simulator.durations import Durations
from local.simulator.errors import ArmError
from local.simulator.faults import ConnectionLost, FaultKind, Faults
from local.simulator.operations import Operation, Operations, OperationState, OperationStyle
from local.simulator.options import EventMoment, Options
from local.simulator.private_link import Links, PrivateLinkTarget
from local.simulator.rbac import OWNER, PLATFORM, Rbac
from local.simulator.routing import Route, Router
from local.simulator.throttling import Throttle
from local.simulator.wire import JsonObject, Request, Response
from local.simulator.world import Resource, World

if TYPE_CHECKING:
    from local.simulator.event_grid import EventGrid
    from local.simulator.resource_graph import ResourceGraph

_VERBS = {"PUT": "Write", "PATCH": "Write", "DELETE": "Delete", "POST": "Action"}

type Finish = Callable[[datetime], None]
type Fail = Callable[[datetime, JsonObject], None]


class Kernel:
    """One simulated Azure without its providers; `azure.SimulatedAzure` adds them."""

    events: "EventGrid"
    """Set by providers.event_grid.install."""
    links: Links
    """Set by providers.private_endpoints.install."""
    graph: "ResourceGraph"
    """Set by providers.resource_graph.install."""

    def __init__(
        self,
        *,
        world: World,
        cloud: Cloud,
        durations: Durations,
        options: Options,
        endpoint: str,
        tenant_id: str,
        subscriptions: Sequence[str],
    ) -> None:
        self.world = world
        self.cloud = cloud
        self.durations = durations
        self.options = options
        self.tenant_id = tenant_id
        self.subscriptions: dict[str, str] = {each.lower(): each for each in subscriptions}
        self.rbac = Rbac(tenant_id)
        self.faults = Faults()
        self.log: list[LoggedCall] = []
        self.operations = Operations(world, endpoint=endpoint, strict=options.signed_operation_urls)
        self.link_targets: dict[str, PrivateLinkTarget] = {}
        self.unregistered: set[tuple[str, str]] = set()
        """(subscription, namespace), lower-cased: resource providers that are not registered."""
        self.identity_header = world.token(32)
        """Secret of the managed identity endpoint."""
        self.identity_principal = OWNER
        """Object id of the managed identity."""
        self.listeners: list[Callable[[Change], None]] = []
        """Told of every change: Event Grid, the resource graph."""
        self._router = Router()
        self.throttle = Throttle(enforced=options.throttling)

    @property
    def endpoint(self) -> str:
        """Resource Manager's own address, without a trailing slash."""
        return self.operations.endpoint

    def add_routes(self, routes: Iterable[Route]) -> None:
        """Answer these calls from now on."""
        self._router.add(routes)

    def resource_types(self, namespace: str) -> list[str]:
        """The resource types of a namespace that this Azure answers for, without the namespace."""
        return self._router.types(namespace)

    # -- time --------------------------------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        """Let everything happen that is due by *now*, in order. Time never goes back: an earlier *now* is ignored."""
        self.world.advance(now)

    def next_due(self) -> datetime | None:
        return self.world.agenda.next_due()

    # -- the door ----------------------------------------------------------------------------------------------------

    def handle(self, request: Request, now: datetime) -> Response:
        """
        Answer one call at virtual time *now*.

        Raises:
            ConnectionLost: A scripted fault breaks the connection.
        """
        self.advance(now)
        self.rbac.take_demands()
        slow = self.faults.strike(request, FaultKind.SLOW)
        fault = self.faults.strike(request, FaultKind.RESET, FaultKind.RESPOND)
        if fault is not None:
            return self._strike_first(request, fault.kind, fault.response())
        lost = self.faults.strike(request, FaultKind.LOSE_RESPONSE)
        response = self._serve(request)
        if lost is not None:
            raise ConnectionLost(f"scripted: the answer to {request.method} {request.path} was lost")
        if slow is not None:
            response = Response(response.status, response.headers, response.body, slow.seconds)
        return response

    def _strike_first(self, request: Request, kind: FaultKind, answer: Response) -> Response:
        if kind is FaultKind.RESET:
            self._note(request, 0, "", "", _kind(request.method))
            raise ConnectionLost(f"scripted: the connection broke before {request.method} {request.path}")
        self._note(request, answer.status, "", "", _kind(request.method))
        return answer.with_headers({"x-ms-request-id": self.world.trace_id()})

    def _serve(self, request: Request) -> Response:
        """Find what the call addresses, answer it, log it."""
        principal, action, kind = self.rbac.named(request.header("Authorization")), "", _kind(request.method)
        counted = ("", "")
        try:
            polled = self.operations.find(request)
            if polled is not None:
                kind = "poll"
                principal = admission.admit_poll(self, request).id
                response = self._poll(request, polled[0], at_result=polled[1])
                counted = (polled[0].resource_id, arm_ids.parse(polled[0].resource_id).type)
            else:
                match = self._router.match(request.method, request.path)
                if match is None:
                    raise errors.unknown_call(request.method, request.path)
                action = match.route.action
                call = admission.admit(self, request, match)
                principal, counted = principal or call.principal.id, (match.resource_id, match.route.type)
                response = self._answer(call)
                if match.route.tail != "action":
                    response = shapes.rendered(response, match.route.type, call.api_version, self.world.now)
        except ArmError as refusal:
            response = refusal.render()
        self._note(request, response.status, principal, action, kind)
        by_gateway = response.header("x-ms-failure-cause") == "gateway"
        limits = {} if by_gateway or not counted[0] else self._limits(*counted, principal, request.method)
        trace = self.world.trace_id()
        return response.with_headers({**limits, "x-ms-request-id": trace, "x-ms-correlation-request-id": trace})

    def _poll(self, request: Request, operation: Operation, *, at_result: bool) -> Response:
        answer = self.operations.poll(operation, at_result=at_result)
        if not at_result or operation.running:
            return answer
        kind = arm_ids.parse(operation.resource_id).type
        return shapes.rendered(answer, kind, request.query.get("api-version", ""), self.world.now)

    def _limits(self, resource_id: str, kind: str, principal: str, method: str) -> dict[str, str]:
        subscription = arm_ids.parse(resource_id).subscription
        return self.throttle.headers(subscription, principal, method, kind) if subscription else {}

    def _note(self, request: Request, status: int, principal: str, action: str, kind: str) -> None:
        self.log.append(
            LoggedCall(
                at=self.world.now,
                method=request.method,
                url=request.url,
                status=status,
                principal=principal,
                action="" if action == "-" else action,
                kind=kind,
                body=request.body,
                demands=self.rbac.take_demands(),
            )
        )

    # -- the rule and its consequences -------------------------------------------------------------------------------

    def _answer(self, call: Call) -> Response:
        method = call.request.method
        if method == "GET":
            if self.faults.strike(call.request, FaultKind.STALE_READ) is not None:
                return self.faults.stale(call.resource_id) or self._missing(call.resource_id).render()
            return call.route.rule(self, call)
        if method == "HEAD" or call.route.anonymous:
            return call.route.rule(self, call)
        if self.faults.remembers:
            self._remember(call)
        before = self.world.get(call.resource_id)
        last = before.body if before is not None else None
        response = call.route.rule(self, call)
        if response.status < 300 and response.status != 204 and call.operation is None:
            self._tell(call, call.resource_id, "Success", existed=before is not None, last=last)
        return response

    def _remember(self, call: Call) -> None:
        """Keep what a GET of the written resource answers now, for a scripted stale read."""
        match = self._router.match("GET", call.request.path)
        if match is None:
            return
        reading = Call(
            request=Request("GET", call.request.url, call.request.headers),
            now=call.now,
            route=match.route,
            params=match.params,
            resource_id=match.resource_id,
            api_version=call.api_version,
            principal=call.principal,
            body=None,
            correlation_id=call.correlation_id,
        )
        try:
            answer = match.route.rule(self, reading)
        except ArmError as refusal:
            answer = refusal.render()
        self.faults.remember(match.resource_id, answer)

    def _tell(self, call: Call, resource_id: str, outcome: str, *, existed: bool, last: JsonObject | None) -> None:
        current = self.world.get(resource_id)
        self.emit(
            Change(
                at=self.world.now,
                verb=_VERBS[call.request.method],
                outcome=outcome,
                resource_id=resource_id,
                operation_name=call.action,
                method=call.request.method,
                url=call.request.url,
                principal=call.principal,
                correlation_id=call.correlation_id,
                existed=existed,
                body=current.body if current is not None else last,
            )
        )

    # -- for rules ---------------------------------------------------------------------------------------------------

    def emit(self, change: Change) -> None:
        """Tell everybody who listens to changes, Event Grid first of all."""
        for listener in self.listeners:
            listener(change)

    def emit_platform(self, resource_id: str, verb: str, operation_name: str, *, existed: bool = False) -> None:
        """Tell Event Grid about something that a resource provider did by itself, for example a managed group."""
        current = self.world.get(resource_id)
        self.emit(
            Change(
                at=self.world.now,
                verb=verb,
                outcome="Success",
                resource_id=resource_id,
                operation_name=operation_name,
                method="DELETE" if verb == "Delete" else "PUT",
                url=f"{self.endpoint}{resource_id}",
                principal=self.rbac.principal(PLATFORM),
                correlation_id=self.world.trace_id(),
                existed=existed,
                body=current.body if current is not None else None,
            )
        )

    def require(self, resource_id: str) -> Resource:
        """The resource, or Resource Manager's 404 that names it."""
        found = self.world.get(resource_id)
        if found is None:
            raise self._missing(resource_id)
        return found

    @staticmethod
    def _missing(resource_id: str) -> ArmError:
        parts = arm_ids.parse(resource_id)
        if parts.type == "Microsoft.Resources/resourceGroups":
            return errors.resource_group_not_found(parts.name)
        names = resource_id.strip("/").split("/")[7::2]
        return errors.resource_not_found(parts.type, "/".join(names), parts.resource_group)

    def demand_linked(self, call: Call, missing: str, linked: str) -> None:
        """Demand *missing* (an action) on *linked*, which the request names: else 403 LinkedAuthorizationFailed."""
        self.rbac.demand_linked(call.principal, call.action, call.resource_id, missing=missing, linked=linked)

    def begin(
        self,
        call: Call,
        style: OperationStyle,
        *,
        location: str,
        seconds: float,
        finish: Finish,
        fail: Fail | None = None,
        result: Callable[[], Response] | None = None,
        operation_id: str = "",
    ) -> Operation:
        """
        Start a long operation for the call.

        Args:
            call: The call that asked for it.
            style: The provider's manner.
            location: Region in the operation URLs.
            seconds: Virtual seconds until it ends.
            finish: Makes the change at the end; raises ArmError when it turns out to be impossible. It must bear that
                its resource has been deleted in between.
            fail: Told of the error when the operation fails (by *finish* or by a scripted fault): set the resource's
                state to Failed here.
            result: Final answer at the Location URL; without it the style's `result_done_status`.
            operation_id: The last path segment when it is not a GUID.

        Returns:
            The operation; put `operation.headers` into the first answer.
        """
        fault = self.faults.strike(call.request, FaultKind.FAIL_OPERATION, FaultKind.STUCK_OPERATION)
        stuck = fault is not None and fault.kind is FaultKind.STUCK_OPERATION
        operation = Operation(
            id=operation_id or self.world.trace_id(),
            kind=call.action,
            resource_id=call.resource_id,
            location=location,
            started=self.world.now,
            due=None if stuck else self.world.now + timedelta(seconds=seconds),
            style=style,
            result=result,
        )
        parts = arm_ids.parse(call.resource_id)
        values = {
            "subscription": parts.subscription,
            "group": parts.resource_group,
            "location": location,
            "resource": call.resource_id,
            "name": parts.name,
            "id": operation.id,
            "api_version": call.api_version,
        }
        self.operations.open(operation, values)
        call.operation = operation
        before = self.world.get(call.resource_id)
        existed, last = before is not None and before.created < self.world.now, before.body if before else None
        if self.options.event_moment is not EventMoment.COMPLETION:
            self._tell(call, call.resource_id, "Success", existed=existed, last=last)
        scripted = fault.error() if fault is not None and not stuck else None

        def settle(at: datetime) -> None:
            if self._end(operation, at, finish=finish, fail=fail, scripted=scripted):
                if self.options.event_moment is not EventMoment.ACCEPTANCE:
                    self._tell(call, call.resource_id, "Success", existed=existed, last=last)
            else:
                self._tell(call, call.resource_id, "Failure", existed=existed, last=last)

        if operation.due is not None:
            self.world.agenda.later(operation.due, settle)
        return operation

    @staticmethod
    def _end(
        operation: Operation, at: datetime, *, finish: Finish, fail: Fail | None, scripted: ArmError | None
    ) -> bool:
        """Finish or fail the operation; whether it succeeded."""
        try:
            if scripted is not None:
                raise scripted
            finish(at)
        except ArmError as problem:
            operation.state = OperationState.FAILED
            operation.error = problem.error_object()
            if fail is not None:
                fail(at, operation.error)
            return False
        operation.state = OperationState.SUCCEEDED
        return True


def _kind(method: str) -> str:
    return "read" if method in ("GET", "HEAD", "OPTIONS") else "write"
