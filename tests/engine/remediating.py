"""Dry runs and remediations at a desk, as the doors compose them."""

from shared.engine.inquiry import Inquiry
from shared.engine.preview import Previewer
from shared.engine.remediation import Remediation
from shared.engine.undo import Undo
from tests.engine.desk import MINUTE, Desk


def previewer_of(desk: Desk) -> Previewer:
    return Previewer(desk._services(desk.ledger, desk.queue, MINUTE))


def remediation_of(desk: Desk) -> Remediation:
    return Remediation(
        inquiry=Inquiry(desk.ledger, desk.policy, desk.clock),
        intake=desk.intake,
        undo=Undo(desk.ledger, desk.queue, desk.clock),
        ledger=desk.ledger,
        policy=desk.policy,
        clock=desk.clock,
        make_previewer=lambda: previewer_of(desk),
    )
