"""
Which addresses outcome events, and the token that opens the topic, may go to.

The address is a setting, so it is checked once, at start-up: HTTPS, a topic of the configured cloud, no more. A simulated
Azure stands in for the cloud where one is configured.
"""

from urllib.parse import SplitResult, urlsplit

from shared.core.clouds import Cloud

PATH = "/api/events"
"""Of every custom topic (documentation of posting to custom topics)."""
_HTTPS = 443


def topic_problem(address: str, cloud: Cloud, simulated: str) -> str:
    """
    What is wrong with *address* as the end of a sentence about it; "" if nothing is. It is not shown: it may hold a key.

    Args:
        simulated: Address of the simulated Azure, "" for the real one.
    """
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        return "is not an address"
    if url.scheme != "https" or "@" in url.netloc or url.query or url.fragment or not address.isascii():
        return f"is not of the form https://<topic>.<region>-1.{cloud.event_grid_suffix}{PATH}"
    if simulated:
        known = url.netloc.lower() == urlsplit(simulated).netloc.lower()
        return "" if known and url.path.endswith(PATH) else "is not a topic of the simulated Azure"
    return "" if _of_cloud(url, port, cloud) else f"is not a topic of {cloud.name} (…{cloud.event_grid_suffix}{PATH})"


def _of_cloud(url: SplitResult, port: int | None, cloud: Cloud) -> bool:
    host = (url.hostname or "").lower()
    return host.endswith(f".{cloud.event_grid_suffix}") and port in {None, _HTTPS} and url.path == PATH
