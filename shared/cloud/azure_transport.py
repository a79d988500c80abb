"""
The network as calls to Azure use it: one session, one trust, a bounded number of connections that are used again.

The SDK's own transport makes a TLS context for each request when it is given a certificate authority, and a connection
serves only requests of its own context: each request then opens a connection that nobody uses again and that stays open
for fifteen seconds, 300 KiB a piece. Here the context belongs to the session.
"""

import ssl

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from azure.core.pipeline.transport import AioHttpTransport

MOST_CONNECTIONS = 64
"""Open at once; whoever wants one more waits. A TLS connection keeps 370 KiB (measured), so all of them together 24 MiB."""


class AzureTransport(AioHttpTransport):  # type: ignore[misc]  # azure-core gives this name at run time only
    """
    The SDK's transport on a session of ours; whoever creates it closes it.

    Args:
        ca_file: Certificate authority of a simulated Azure, as a PEM file; "" for the usual ones.
    """

    def __init__(self, ca_file: str = "") -> None:
        super().__init__()
        self._ca_file = ca_file
        self._was_opened = False

    async def open(self) -> None:
        """Make the session, once: the SDK opens its transport before each request, and refuses to after `close`."""
        if not self._was_opened:
            self._was_opened = True
            trust = ssl.create_default_context(cafile=self._ca_file) if self._ca_file else True
            connector = TCPConnector(limit=MOST_CONNECTIONS, ssl=trust)
            # As the SDK makes it: proxies of the environment count, cookies and compression are the SDK's business.
            self.session = ClientSession(
                connector=connector, trust_env=True, cookie_jar=DummyCookieJar(), auto_decompress=False
            )
        await super().open()
