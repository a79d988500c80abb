"""
Act on one registry because a person or a script asked for it.

A remediation is a request like an event's: it says *which* registry to look at, and the policy says what is done. With the
digest of a plan it says as well that nothing else may be done: the door compares it with a dry run, and the pass again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.arm import ResourceId
from shared.core.errors import AuditMode, EnforcementPaused, PlanChanged, UnknownRegistry, WorkUnderWay
from shared.core.policy import IsolationPolicy
from shared.core.requests import ReconcileRequest, RequestReason, WorkMessage
from shared.engine.inquiry import Inquiry
from shared.engine.intake import Intake
from shared.engine.ports import Clock, Ledger
from shared.engine.preview import Preview, Previewer
from shared.engine.records import LedgerRow
from shared.engine.undo import Undo

ORIGIN = "http"
_SOON = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """What would be done is not what was approved; *preview* is what would be done."""

    error: PlanChanged
    preview: Preview


class Remediation:
    """
    Takes a person's word for one registry at a time; one per process.

    Args:
        make_previewer: Called when the first digest has to be compared; who never brings one needs none.
    """

    def __init__(
        self,
        *,
        inquiry: Inquiry,
        intake: Intake,
        undo: Undo,
        ledger: Ledger,
        policy: IsolationPolicy,
        clock: Clock,
        make_previewer: Callable[[], Previewer],
    ) -> None:
        self._inquiry = inquiry
        self._intake = intake
        self._undo = undo
        self._ledger = ledger
        self._policy = policy
        self._clock = clock
        self._make_previewer = make_previewer

    async def remediate(self, registry: ResourceId, *, caller: str, digest: str = "") -> WorkMessage | Differs:
        """
        Ask for a pass over *registry*.

        Args:
            digest: Of the plan that was seen; nothing else is done then. "" for whatever the policy asks.

        Raises:
            OutOfScope: The policy does not look after it.
            AuditMode: The policy writes nothing.
            EnforcementPaused: Somebody asked that nothing be written to it.
            WorkUnderWay: With a digest only: what is left to do is not known before the work ends.
            RegistryIsolationError: With a digest only: Azure could not be asked.
        """
        self._inquiry.check(registry)
        self._refuse_audit(registry)
        entry = await self._ledger.read(registry)
        if entry is not None:
            _refuse_paused(entry.row)
        if digest:
            if entry is not None:
                _refuse_busy(entry.row, self._clock.now())
            preview = await self._make_previewer().preview(registry)
            if preview.digest != digest:
                return Differs(error=_changed(registry, digest, preview), preview=preview)
        return await self._intake.accept(self._request(registry, caller, digest))

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

    def _request(self, registry: ResourceId, caller: str, digest: str) -> ReconcileRequest:
        return ReconcileRequest(
            registry=registry,
            reason=RequestReason.HTTP,
            origin=ORIGIN,
            received=self._clock.now(),
            caller=caller,
            approved=digest,
        )


def _refuse_paused(row: LedgerRow) -> None:
    if row.paused is not None:
        raise EnforcementPaused(
            f"Enforcement of registry {row.registry.name} rests since {row.paused.at:%Y-%m-%d %H:%M} UTC at the request of "
            f"{row.paused.by or 'an unnamed caller'}: {row.paused.why}. POST …/resume first.",
            resource_id=row.registry.text,
        )


def _refuse_busy(row: LedgerRow, now: datetime) -> None:
    ends = [operation.due for operation in row.operations]
    if row.claim is not None and row.claim.until > now:
        ends.append(row.claim.until)
    if ends or row.pending or row.restoring:
        raise WorkUnderWay(
            f"Work on registry {row.registry.name} is under way ({len(row.operations)} operations run); ask for a new plan "
            "when it has ended.",
            resource_id=row.registry.text,
            retry_after=max(max(ends, default=now) - now, _SOON),
        )


def _changed(registry: ResourceId, digest: str, preview: Preview) -> PlanChanged:
    return PlanChanged(
        f"Plan {digest} is not what would be done now; that is plan {preview.digest or 'without changes'}. Nothing was done.",
        resource_id=registry.text,
    )


def _known(registry: ResourceId, message: WorkMessage | None) -> WorkMessage:
    if message is None:
        raise UnknownRegistry(
            f"The app knows nothing of registry {registry.name}, so there is nothing to undo, pause or resume.",
            resource_id=registry.text,
        )
    return message
