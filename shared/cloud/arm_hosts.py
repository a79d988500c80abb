"""
Which addresses the app's token may go to.

Operation URLs and nextLinks come out of answers and out of the ledger, and are followed with a bearer token. A forged
one would hand that token to a stranger, so only HTTPS hosts of the configured cloud are ever called.
"""

import re
from urllib.parse import urlsplit

from shared.core.clouds import Cloud

_HTTPS = ":443"
# Labels of letters, digits and hyphens (RFC 1123). An IPv6 address may end like a host of Azure, in the name of its zone.
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+", re.ASCII)
_SHOWN = 100


class ArmHosts:
    """
    The hosts of one cloud.

    Args:
        cloud: Its table row.
        endpoint: Resource Manager's address if it is not the cloud's own (a simulated Azure).
    """

    def __init__(self, cloud: Cloud, endpoint: str = "") -> None:
        self.base = (endpoint or cloud.resource_manager).rstrip("/")
        self._prefix = f"{self.base}/"
        self._netloc = urlsplit(self.base).netloc.lower()
        self._suffixes = tuple(suffix.lower() for suffix in cloud.operation_suffixes)

    def trusts(self, url: str) -> bool:
        """Tell whether *url* may be called."""
        if not url.isascii() or not url.isprintable() or "\\" in url or " " in url:
            return False
        if url.startswith(self._prefix):
            return True
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        place = parts.netloc.lower()
        if parts.scheme != "https":
            return False
        if place == self._netloc:
            return True
        host = place.removesuffix(_HTTPS)
        return _HOST.fullmatch(host) is not None and any(
            host == suffix or host.endswith(f".{suffix}") for suffix in self._suffixes
        )

    def shown(self, url: str) -> str:
        """What of *url* may be told to a person: never its signed parameters."""
        return url.split("?", maxsplit=1)[0].encode("ascii", "replace").decode()[:_SHOWN]
