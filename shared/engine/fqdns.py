"""
Ask where the registry's data plane answers, once, right before its public access is closed.

Afterwards the discovery service may refuse callers from outside the network. Clients and firewalls need the names, the
app does not: whatever goes wrong here is told in the log and holds nothing back.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta

from shared.core.changes import Change, ClosePublicAccess
from shared.core.errors import RegistryIsolationError
from shared.core.registry import Registry, TargetKind
from shared.engine.logs import tell
from shared.engine.ports import ControlPlane
from shared.engine.work import Work

LONGEST = timedelta(seconds=5)
"""The lockdown is worth more than the names."""


async def note_fqdns(work: Work, registry: Registry, changes: Iterable[Change], plane: ControlPlane) -> None:
    """Keep the data plane's names in the row if *changes* are about to close the registry; one try ever."""
    closing = any(
        isinstance(change, ClosePublicAccess) and change.target_kind is TargetKind.REGISTRY for change in changes
    )
    url = registry.document.discovery_url
    if closing and url and work.row.fqdns is None:
        work.update(fqdns=await _ask(work, url, plane))


async def _ask(work: Work, url: str, plane: ControlPlane) -> dict[str, str]:
    try:
        async with asyncio.timeout(LONGEST.total_seconds()):
            return dict(await plane.discover(work.registry, url))
    except RegistryIsolationError as error:
        why = error.sentence
    except TimeoutError:
        why = f"The discovery service did not answer within {LONGEST.total_seconds():g} s."
    tell("discover", level=logging.INFO, registry=work.registry.text, why=why)
    return {}
