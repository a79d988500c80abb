"""
What an observation tells of operations under way.

Links and zone groups are the last things before everything is verified, and verifying reads them anyway. Asking after each
of them first would read everything twice; so one scout is asked, and the observation tells of the rest.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.core import dns
from shared.core.changes import Change, LinkZone, PutZoneGroup, key_of
from shared.core.registry import NetworkView, Registry
from shared.engine.ports import Progress, ProgressState
from shared.engine.records import Operation

_DONE = Progress(state=ProgressState.SUCCEEDED)


def left_to_observation(operations: Sequence[Operation], pending: Sequence[Change], now: datetime) -> bool:
    """Tell whether an observation made now would tell how all of *operations* are doing, and nothing waits for one of them."""
    return not pending and all(isinstance(op.change, LinkZone | PutZoneGroup) and op.due <= now for op in operations)


def shown_done(operations: Iterable[Operation], registry: Registry) -> dict[str, Progress]:
    """Those of *operations* that *registry* shows to have ended well, by change key."""
    return {
        key_of(operation.change): _DONE
        for operation in operations
        if any(_shows(view, operation.change) for view in registry.networks)
    }


def _shows(view: NetworkView, change: Change) -> bool:
    match change:
        case LinkZone(zone=zone, link=link):
            seen = view.zones.get(zone.name.lower())
            return seen is not None and any(each.id == link and each.ready for each in seen.links or ())
        case PutZoneGroup(endpoint=endpoint, zones=zones):
            names = [zone.name.lower() for zone in zones.values()]
            found = next((each for each in view.endpoints if each.id == endpoint), None)
            records = dns.expected_records(found, names)[0] if found else ()
            return bool(records) and not dns.missing_in_zones(records, view.zones)
        case _:
            return False
