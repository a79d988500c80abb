"""
Note in the index what a pass has found to belong to its registry.

The row remembers what is noted, so a pass that finds nothing new writes nothing. The index comes first and the row
second: what a crash leaves in between is noted again. A failing index never stops the isolation itself; events of the
registry's parts then wait for the next pass or the sweep.
"""

import logging

from shared.core.arm import ResourceId
from shared.core.errors import RegistryIsolationError
from shared.core.owners import belongings
from shared.core.registry import Registry
from shared.core.report import Gone, Outcome
from shared.engine.logs import tell
from shared.engine.owner_ports import OwnerIndex
from shared.engine.work import Work


async def note_belongings(work: Work, registry: Registry, index: OwnerIndex | None) -> None:
    """Bring the index up to what the pass has just observed; nothing is taken back while names are not all read."""
    wanted = belongings(registry, work.row.made)
    if any(endpoint.addresses is None for view in registry.networks for endpoint in view.endpoints):
        wanted = tuple(sorted({*wanted, *work.row.indexed}))
    await _turn(work, wanted, index)


async def forget_gone(work: Work, outcome: Outcome, index: OwnerIndex | None) -> Outcome:
    """Empty the index of a registry that is gone; gives *outcome* back."""
    if isinstance(outcome, Gone):
        await _turn(work, (), index)
    return outcome


async def _turn(work: Work, wanted: tuple[ResourceId, ...], index: OwnerIndex | None) -> None:
    known = work.row.indexed
    if index is None or wanted == known:
        return
    coming = [resource for resource in wanted if resource not in set(known)]
    going = [resource for resource in known if resource not in set(wanted)]
    try:
        if coming:
            await work.retrier.call(lambda: index.note(work.registry, coming))
        if going:
            await work.retrier.call(lambda: index.forget(work.registry, going))
    except RegistryIsolationError as error:
        tell("index", level=logging.WARNING, registry=work.registry.text, error=error.name, sentence=error.sentence)
        return
    work.update(indexed=wanted)
