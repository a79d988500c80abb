"""
Asking after operations, sparingly.

What began together ends together, so one is asked for all; and what an observation reads anyway is left to it, once one of
it has ended.
"""

from datetime import datetime

from shared.core.changes import key_of
from shared.core.registry import Registry
from shared.engine.pacing import companions, scouts
from shared.engine.ports import ControlPlane, Progress, ProgressState
from shared.engine.seen import left_to_observation, shown_done
from shared.engine.work import Work


async def ask(plane: ControlPlane, work: Work, now: datetime, *, observing: bool = False) -> dict[str, Progress]:
    """
    Ask after the operations that are due.

    Args:
        observing: An observation follows if nothing else runs.
    """
    operations, pending = work.row.operations, work.row.pending
    asked = scouts(operations, now)
    if not asked:
        return {}
    if observing and left_to_observation(operations, pending, now):
        asked = (max(asked, key=lambda operation: operation.due),)
    found = dict(await work.retrier.call(lambda: plane.progress(asked)))
    ended = [op for op in asked if found[key_of(op.change)].state is not ProgressState.RUNNING]
    if observing and ended and left_to_observation([op for op in operations if op not in ended], pending, now):
        return found
    rest = companions([op for op in operations if op not in asked], ended)
    if rest:
        found |= await work.retrier.call(lambda: plane.progress(rest))
    return found


async def told_by(plane: ControlPlane, work: Work, registry: Registry) -> dict[str, Progress]:
    """What the observation *registry* tells of the operations that were left to it; those it does not show done are asked."""
    told = shown_done(work.row.operations, registry)
    rest = [operation for operation in work.row.operations if key_of(operation.change) not in told]
    return {**told, **(await work.retrier.call(lambda: plane.progress(rest)))} if rest else told
