"""
What is unknown about the real platform, or differs from tenant to tenant, as switches of the world.

Every default is the behaviour that was recorded or, where nothing was, the one that hides no work from a client.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class EventMoment(StrEnum):
    """When a long operation is told to Event Grid."""

    COMPLETION = "completion"
    ACCEPTANCE = "acceptance"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Switches of one simulated Azure."""

    deny_managed_groups: bool = False
    """Every registry's managed group carries a deny assignment; only its assignedIdentities are exempt."""
    network_contention: bool = False
    """Two private endpoint writes at once in one subnet: the second is told 429 RetryableErrorDueToAnotherOperation."""
    throttling: bool = False
    """The published token buckets per subscription and principal are enforced, not only shown in headers."""
    signed_operation_urls: bool = True
    """A poll must carry the signature exactly as it was handed out."""
    event_moment: EventMoment = EventMoment.COMPLETION
    dns_configs_empty_with_zone_group: bool = True
    """An endpoint's customDnsConfigs is empty while a zone group writes its records (azurerm documentation)."""
    registry_missing_once: bool = False
    """One GET right after a registry's creation says 404 RegistryNotFound, as recorded."""
    public_access_propagates: bool = True
    """Closing a registry also closes its storage accounts and container registry after `Durations.propagation`."""
    event_lag: timedelta = timedelta(seconds=1)
    """From a change to Event Grid's first delivery attempt."""
    graph_lag: timedelta = timedelta(seconds=60)
    """From a change to the moment at which Resource Graph shows it."""
