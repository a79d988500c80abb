"""
Hold a pass to what was approved.

The door compares the digest with a dry run of its own, but the world may move between that and the pass. So the first
plan of the generation has to lead to the very forecast that was approved; from then on every change has to be one of it.
Anything else is written by nobody: the registry is blocked until somebody looks at the new plan, or asks without a digest.
"""

from collections.abc import Callable

from shared.core.errors import PlanChanged
from shared.core.forecast import Forecast
from shared.core.plan import Plan
from shared.engine.work import Work

_MOST_NAMED = 3


def hold_back(work: Work) -> None:
    """Drop what an earlier plan left to be started, if another plan has been approved since and is yet to be compared."""
    if work.row.approved is not None and not work.row.approved.begun:
        work.update(pending=())


def require_approved(work: Work, plan: Plan, make_forecast: Callable[[], Forecast]) -> None:
    """
    Let *plan* pass if it is approved, or if this generation needs no approval.

    Raises:
        PlanChanged: It leads elsewhere than what was approved, or holds a change that was not in it.
    """
    approval = work.row.approved
    if approval is None:
        return
    if not approval.begun:
        found = make_forecast()
        if found.digest != approval.digest:
            raise PlanChanged(
                f"Nothing was written: plan {approval.digest} was approved, and what would be done now is plan "
                f"{found.digest or 'without changes'}. Look at GET …/plan and approve that, or ask without a digest.",
                resource_id=work.registry.text,
                operation="apply plan",
            )
        work.update(approved=approval.begin(found.changes))
        return
    strangers = approval.strangers(plan.changes)
    if strangers:
        named = ", ".join(change.sentence for change in strangers[:_MOST_NAMED])
        more = f" and {len(strangers) - _MOST_NAMED} more" if len(strangers) > _MOST_NAMED else ""
        raise PlanChanged(
            f"Plan {approval.digest} was approved and does not hold what is needed now ({named}{more}); plan {plan.digest} "
            "was not begun. Look at GET …/plan and approve that, or ask without a digest.",
            resource_id=work.registry.text,
            operation="apply plan",
        )
