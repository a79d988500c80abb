"""One call on its way through the kernel: what the rules get to see, and what the log and Event Grid are told."""

from dataclasses import dataclass, field
from datetime import datetime

from local.simulator.operations import Operation
from local.simulator.rbac import Principal
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Request


@dataclass(slots=True, kw_only=True)
class Call:
    """
    A checked and authenticated call.

    `params` are the pattern's placeholders in the caller's casing. `resource_id` is the addressed resource with the
    type names in the service's casing; of a list or an action it is the scope or resource it is asked of. `operation`
    is set by `Kernel.begin`.
    """

    request: Request
    now: datetime
    route: Route
    params: dict[str, str]
    resource_id: str
    api_version: str
    principal: Principal
    body: JsonObject | None
    correlation_id: str
    operation: Operation | None = field(default=None)

    @property
    def action(self) -> str:
        """The RBAC action, placeholders of the route filled in."""
        action = self.route.action
        return action.format(**self.params) if "{" in action else action

    @property
    def subscription(self) -> str:
        return self.params.get("sub", "")

    @property
    def group(self) -> str:
        return self.params.get("rg", "")

    @property
    def properties(self) -> JsonObject:
        """`properties` of the request body; empty when there are none."""
        found = (self.body or {}).get("properties")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCall:
    """
    One line of `SimulatedAzure.log`. `kind` is "read", "write" or "poll"; `action` is empty for a poll.

    `principal` is whoever the token named, refused or not; empty when it named nobody. `demands` are the rights that
    were asked for, on the resource itself and on what the request names; a refusal was for the last of them.
    """

    at: datetime
    method: str
    url: str
    status: int
    principal: str
    action: str
    kind: str
    body: bytes = b""
    """The request's body."""
    demands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    What Event Grid is told: a write, deletion or action that ended.

    `verb` is "Write", "Delete" or "Action", `outcome` "Success", "Failure" or "Cancel": together with the prefix
    Microsoft.Resources.Resource they are the event's type. `operation_name` is the RBAC action. `existed` says whether
    the resource was there before (data.httpRequest is filled only then).
    """

    at: datetime
    verb: str
    outcome: str
    resource_id: str
    operation_name: str
    method: str
    url: str
    principal: Principal
    correlation_id: str
    existed: bool = False
    body: JsonObject | None = None
    """The resource after a write, or as it was before a deletion; `None` where it is not known."""
