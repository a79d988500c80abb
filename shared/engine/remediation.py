"""
Act on one registry because a person or a script asked for it.

A remediation is a request like an event's: it says *which* registry to look at, and the policy says what is done.
"""

from shared.core.arm import ResourceId
from shared.core.errors import AuditMode, UnknownRegistry
from shared.core.policy import IsolationPolicy
from shared.core.requests import ReconcileRequest, RequestReason, WorkMessage
from shared.engine.inquiry import Inquiry
from shared.engine.intake import Intake
from shared.engine.ports import Clock
from shared.engine.undo import Undo

ORIGIN = "http"


class Remediation:
    """Takes a person's word for one registry at a time; one per process."""

    def __init__(self, *, inquiry: Inquiry, intake: Intake, undo: Undo, policy: IsolationPolicy, clock: Clock) -> None:
        self._inquiry = inquiry
        self._intake = intake
        self._undo = undo
        self._policy = policy
        self._clock = clock

    async def remediate(self, registry: ResourceId, *, caller: str) -> WorkMessage:
        """
        Ask for a pass over *registry*.

        Raises:
            OutOfScope: The policy does not look after it.
            AuditMode: The policy writes nothing.
        """
        self._inquiry.check(registry)
        self._refuse_audit(registry)
        return await self._intake.accept(self._request(registry, caller))

    async def undo(self, registry: ResourceId, *, caller: str, why: str) -> WorkMessage:
        """Ask that *registry* be as it was before the app closed it; raises OutOfScope or UnknownRegistry."""
        self._inquiry.check(registry)
        return _known(registry, await self._undo.undo(registry, caller=caller, why=why))

    async def pause(self, registry: ResourceId, *, caller: str, why: str) -> WorkMessage:
        """Ask that *registry* be left as it is; raises OutOfScope or UnknownRegistry."""
        self._inquiry.check(registry)
        return _known(registry, await self._undo.pause(registry, caller=caller, why=why))

    async def resume(self, registry: ResourceId, *, caller: str) -> WorkMessage:
        """Ask that *registry* be enforced again; raises OutOfScope or UnknownRegistry."""
        self._inquiry.check(registry)
        return _known(registry, await self._undo.resume(registry, caller=caller))

    def _refuse_audit(self, registry: ResourceId) -> None:
        if self._policy.mode == "audit":
            raise AuditMode(
                "The policy's mode is audit, so nothing would be written. GET …/plan tells what enforce would do.",
                resource_id=registry.text,
            )

    def _request(self, registry: ResourceId, caller: str) -> ReconcileRequest:
        return ReconcileRequest(
            registry=registry, reason=RequestReason.HTTP, origin=ORIGIN, received=self._clock.now(), caller=caller
        )


def _known(registry: ResourceId, message: WorkMessage | None) -> WorkMessage:
    if message is None:
        raise UnknownRegistry(
            f"The app knows nothing of registry {registry.name}, so there is nothing to undo, pause or resume.",
            resource_id=registry.text,
        )
    return message
