"""
Which api-version a recorded request really used.

Some recordings of the Azure CLI were edited when the client moved to another api-version: the request's URL says the new
one, the answer is that of the old one. The operation URL in the answer still tells the version that was used, and what
it tells holds for the other requests to that type in the same file.
"""

import re
from collections.abc import Sequence

from local.simulator.likeness_exchanges import Exchange
from local.simulator.likeness_targets import TargetKind, target_of

_VERSION = re.compile(r"[?&]api-version=(\d{4}-\d{2}-\d{2}(?:-[a-z]+)?)", re.IGNORECASE)


def versions_used(exchanges: Sequence[Exchange]) -> dict[tuple[str, str], str]:
    """(type, api-version in the URL) to the api-version that was used, where the two differ."""
    found: dict[tuple[str, str], str] = {}
    for exchange in exchanges:
        url = exchange.headers.get("azure-asyncoperation") or exchange.headers.get("location") or ""
        told = _VERSION.search(url)
        target = target_of(exchange.plain_path)
        written = exchange.method in ("PUT", "PATCH", "DELETE") and target.kind is not TargetKind.OPERATION
        if told and written and exchange.api_version and told.group(1) != exchange.api_version:
            found.setdefault((target.type, exchange.api_version), told.group(1))
    return found
