"""
Every failure of the product has a name, a fate and a sentence a person can act on.

    RegistryIsolationError                    fate
    |- InvalidInput
    |    |- MalformedResourceId               permanent      refuse or record, never retried
    |    |- MalformedEvent                    permanent
    |    |- MalformedMessage                  permanent
    |    |- MalformedCursor                   permanent      ask for the first page
    |    |- MalformedRequest(problems)        permanent      an HTTP request that cannot mean anything
    |    |- RequestTooLarge                   permanent
    |    |- WrongMediaType                    permanent
    |    |- OutOfScope                        permanent      nothing was asked of Azure
    |    |- UnknownRegistry                   permanent
    |    |- UnknownSweep                      permanent
    |    |- UnknownPage                       permanent
    |    |- CrossSite                         permanent      a form that another site sent
    |    |- NotAllowed                        permanent      known, but without that right
    |    `- InvalidSettings(problems)         permanent
    |- PolicyProblem
    |    |- InvalidPolicy(problems)           permanent
    |    `- UnsafePlan(reasons)               blocked        a person decides
    |- Temporary(retry_after)
    |    |- Throttled                         retry now      past the pass's deadline the queue waits
    |    |- Unavailable                       retry now
    |    |- Busy                              retry now
    |    |- WorkUnderWay                      retry later    a plan of a moment ago would be another one now
    |    |- NotReadyYet                       retry later
    |    `- AccessDenied                      retry later    blocked when it lasts 10 minutes
    |- ChangedUnderneath                      observe again  never repeat the call
    |- OperationFailed                        observe again  a long operation ended Failed
    |- DeadlineExceeded                       retry later    finished changes stay finished
    `- Blocked                                blocked        a person acts, the sweep tries again
         |- DeniedByAssignment, MissingPermission, DeniedByPolicy, Locked,
         |- SubnetUnusable, UnsupportedSku, ProviderNotRegistered,
         |- AmbiguousGroup, NoNetwork, RuleLimitReached
         |- PlanChanged                       not what was approved
         |- AuditMode, EnforcementPaused      the policy or a person said that nothing is to be written
         `- Refused                           Azure says no for a reason that this app does not know

A deleted registry is an outcome, not an error. A bug stays an ordinary exception. What Azure answers becomes one of
these in `core.azure_errors`, by HTTP status and error code, never by SDK class.
"""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar


class Fate(StrEnum):
    """What becomes of the work that met an error."""

    RETRY_NOW = "retry-now"
    RETRY_LATER = "retry-later"
    OBSERVE_AGAIN = "observe-again"
    BLOCKED = "blocked"
    PERMANENT = "permanent"


class RegistryIsolationError(Exception):
    """
    Root of the tree.

    Attributes:
        sentence: What happened and what to do, for a person; never holds a secret.
        code: Azure's own error code where Azure said it, else "".
        resource_id: The ARM id concerned, as received, else "".
        operation: What was tried, as "verb resource type", else "".
    """

    fate: ClassVar[Fate] = Fate.PERMANENT

    def __init__(self, sentence: str, *, code: str = "", resource_id: str = "", operation: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.resource_id = resource_id
        self.operation = operation

    @property
    def name(self) -> str:
        """The leaf's name, as it appears in reports, logs and HTTP problems."""
        return type(self).__name__


class InvalidInput(RegistryIsolationError):
    """Somebody sent us something that cannot mean anything."""


class MalformedResourceId(InvalidInput):
    """A text that should be an ARM id is not one."""


class MalformedEvent(InvalidInput):
    """An Event Grid event that cannot be read."""


class MalformedMessage(InvalidInput):
    """A queue message that this app cannot have written."""


class MalformedCursor(InvalidInput):
    """A place in a list that this app did not hand out."""


class MalformedRequest(InvalidInput):
    """
    An HTTP request that cannot be understood; every problem is listed.

    Attributes:
        problems: Place and sentence of each: `#/digest` for a member of the body, a name for a parameter.
        readable: The body was JSON, and only its members were wrong.
    """

    def __init__(
        self,
        sentence: str,
        *,
        code: str = "",
        resource_id: str = "",
        operation: str = "",
        problems: Iterable[tuple[str, str]] = (),
        readable: bool = False,
    ) -> None:
        super().__init__(sentence, code=code, resource_id=resource_id, operation=operation)
        self.problems = tuple(problems)
        self.readable = readable


class RequestTooLarge(InvalidInput):
    """An HTTP body larger than any that means something."""


class WrongMediaType(InvalidInput):
    """An HTTP body that does not say it is JSON."""


class OutOfScope(InvalidInput):
    """A registry that the policy does not look after; neither Azure nor the ledger was asked about it."""


class UnknownRegistry(InvalidInput):
    """A registry that nobody knows."""


class UnknownSweep(InvalidInput):
    """A sweep that never was, or is forgotten."""


class UnknownPage(InvalidInput):
    """A page that the dashboard does not have."""


class CrossSite(InvalidInput):
    """A form that no page of this app sent just now; nothing was done."""


class NotAllowed(InvalidInput):
    """Somebody who is known asked for what that person has no right to."""


class InvalidSettings(InvalidInput):
    """The app's settings cannot be used; every problem is listed."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "The app settings are not usable:\n" + "\n".join(f"  - {problem}" for problem in self.problems)
        )


class PolicyProblem(RegistryIsolationError):
    """The policy, or what it would lead to, is not acceptable."""


class InvalidPolicy(PolicyProblem):
    """The policy file cannot be used; every problem is listed with its path."""

    def __init__(self, problems: Iterable[str], *, source: str = "policy") -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__(f"{source} is not valid:\n" + "\n".join(f"  - {problem}" for problem in self.problems))


class UnsafePlan(PolicyProblem):
    """A plan that must not run without a person's decision; every reason is listed."""

    fate = Fate.BLOCKED

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("The plan was refused: " + " ".join(self.reasons))


class Temporary(RegistryIsolationError):
    """Worth trying again; `retry_after` says when if Azure did, as a duration."""

    fate = Fate.RETRY_NOW

    def __init__(
        self,
        sentence: str,
        *,
        code: str = "",
        resource_id: str = "",
        operation: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(sentence, code=code, resource_id=resource_id, operation=operation)
        self.retry_after = retry_after


class Throttled(Temporary):
    """Azure counts our calls and asks us to slow down."""


class Unavailable(Temporary):
    """No answer, or a 5xx one."""


class Busy(Temporary):
    """Another operation holds the resource."""


class WorkUnderWay(Temporary):
    """A pass is at work on the registry or operations run; what would be left to do is not known before they end."""

    fate = Fate.RETRY_LATER


class NotReadyYet(Temporary):
    """Something that Azure is still making."""

    fate = Fate.RETRY_LATER


class AccessDenied(Temporary):
    """403 AuthorizationFailed: right after a role assignment it heals by itself, so it blocks only when it lasts."""

    fate = Fate.RETRY_LATER


class ChangedUnderneath(RegistryIsolationError):
    """The world is not what the plan was made from: look again, never repeat the call."""

    fate = Fate.OBSERVE_AGAIN


class OperationFailed(RegistryIsolationError):
    """A long operation was accepted and ended Failed or Canceled."""

    fate = Fate.OBSERVE_AGAIN


class DeadlineExceeded(RegistryIsolationError):
    """The pass ran out of time; what it finished stays finished."""

    fate = Fate.RETRY_LATER


class Blocked(RegistryIsolationError):
    """A person must act; the sentence says who must do what."""

    fate = Fate.BLOCKED


class DeniedByAssignment(Blocked):
    """A deny assignment of the managed resource group stands in the way."""


class MissingPermission(Blocked):
    """The app's identity lacks an action."""


class DeniedByPolicy(Blocked):
    """An Azure Policy assignment refuses the write."""


class Locked(Blocked):
    """A resource lock refuses the write."""


class SubnetUnusable(Blocked):
    """The subnet is full, delegated, missing or not readable."""


class UnsupportedSku(Blocked):
    """The container registry is not Premium."""


class ProviderNotRegistered(Blocked):
    """A resource provider is not registered in the subscription."""


class AmbiguousGroup(Blocked):
    """More than one resource group could be the registry's managed group."""


class NoNetwork(Blocked):
    """No network of the policy serves this registry."""


class RuleLimitReached(Blocked):
    """A storage account has no room for another resource instance rule."""


class PlanChanged(Blocked):
    """What would be done is not what somebody approved; nothing of it is done."""


class AuditMode(Blocked):
    """The policy says that nothing is to be written."""


class EnforcementPaused(Blocked):
    """Somebody asked that nothing be written to this registry until it is resumed."""


class Refused(Blocked):
    """Azure refused the call for a reason that this app does not know."""
