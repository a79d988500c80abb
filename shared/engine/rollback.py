"""
The second look after a closing: did the way in hold?

Waits on the queue like everything else, so that no process has to stay alive for it, and costs one pass. A pass that comes
earlier (drift, a request) repairs as usual and leaves the judgement to the end of the window.
"""

import logging
from datetime import datetime, timedelta

from shared.core.plan import Plan
from shared.core.policy import IsolationPolicy
from shared.core.registry import Registry
from shared.core.restore import Restoration
from shared.core.verification import failing
from shared.engine.logs import tell
from shared.engine.work import Work

OVERDUE = timedelta(minutes=10)
"""Between looks at a closing that cannot be judged although its window has passed: the longest back-off of the app."""


def second_look(work: Work, now: datetime) -> datetime | None:
    """
    When a closing that was made is to be verified; None if none is.

    A look that is overdue could not judge, because the closing itself still runs, for hours perhaps: the next one is not
    made at once, or passes would follow one another without a pause.
    """
    if work.row.verify is None or work.row.paused is not None:
        return None
    until = work.row.verify.until
    return until if until > now else now + OVERDUE


def judge(work: Work, plan: Plan, registry: Registry, policy: IsolationPolicy, now: datetime) -> bool:
    """
    Judge a closing whose window has passed; True if it has to be rolled back, which the row then says.

    An endpoint that is just being changed puts the judgement off to the next pass.
    """
    wanted = work.row.verify
    if wanted is None or now < wanted.until:
        return False
    lost, busy = failing(wanted, plan, registry, policy)
    if policy.mode != "enforce" or not policy.lockdown.rollback_on_failure:
        lost = ()
    if not lost:
        work.update(verify=wanted if busy else None)
        return False
    sentence = (
        f"Public access of registry {work.registry.name} was opened again, as it was before the app closed it: after the "
        f"closing, {', '.join(lost)} stopped working. See to that, then ask for the registry again."
    )
    tell("rollback", level=logging.WARNING, lost=list(lost), sentence=sentence)
    work.update(verify=None, restoring=Restoration(kind="rollback", since=now, why=sentence))
    return True
