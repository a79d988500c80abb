"""
The discovery service of machine learning registries: where a registry's data plane answers.

Not part of Resource Manager, but it takes the same token (client libraries call it with it). Its address comes out of
the registry's own answer, so the pipeline's gate applies: a host outside the configured cloud is never called.
"""

import re
from collections.abc import Mapping
from itertools import islice
from urllib.parse import urlsplit

from shared.cloud.arm_client import ArmClient
from shared.cloud.documents import member, text
from shared.core.arm import ResourceId

_READ = "read registry discovery"
# Azure has some sixty regions; what is kept of the answer has to fit into the registry's row.
_MOST_REGIONS, _LONGEST_REGION = 100, 64
_NAME = re.compile(r"[a-z0-9.-]{1,253}", re.ASCII)


class DiscoveryService:
    """The discovery service of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    async def fqdns(self, registry: ResourceId, url: str) -> dict[str, str]:
        """
        Region to host name of *registry*'s data plane.

        Raises:
            RegistryIsolationError: The service did not answer, or *url* is not a host of the configured cloud.
        """
        document = await self._arm.read(url, operation=_READ, resource=registry.text)
        listed = member(document, "registryFqdns")
        told = islice(listed.items(), _MOST_REGIONS) if _is(listed) else ()
        hosts = {str(region)[:_LONGEST_REGION]: _host(text(entry, "uri")) for region, entry in told}
        return {region: host for region, host in hosts.items() if host}


def _is(listed: object) -> bool:
    return isinstance(listed, Mapping)


def _host(uri: str) -> str:
    """The host of *uri*; "" for something that is no address, or none that a firewall could be told."""
    try:
        host = (urlsplit(uri).hostname or "").lower()
    except ValueError:
        return ""
    return host if _NAME.fullmatch(host) else ""
