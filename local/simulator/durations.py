"""
How long the simulated Azure takes, as recorded from the real one.

Seconds; the median of the recordings where there are several. `scaled` makes a demo quick and a test of patience slow
without changing what follows what.
"""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Seconds per operation."""

    registry_create: float = 50.0
    """Recorded 23 to 74 s (azcli2411, aso2512); Terraform authors report 13 to 16 min."""
    registry_update: float = 15.0
    """Recorded 5 to 35 s."""
    registry_delete: float = 60.0
    """Recorded 30 to 135 s."""
    registry_name_reuse: float = 40.0
    """30 to 45 s until a deleted registry's name is free again (azure-ai-ml documentation)."""
    workspace_create: float = 30.0
    workspace_update: float = 40.0
    """Recorded 30 to 92 s for a change of publicNetworkAccess."""
    workspace_delete: float = 30.0
    propagation: float = 120.0
    """From a registry closing to its storage and container registry following; unknown, an assumption."""
    storage_create: float = 27.0
    """Recorded 25 to 29 s (aso)."""
    acr_create: float = 10.0
    """Recorded about 10 s."""
    acr_update: float = 10.0
    acr_delete: float = 25.0
    acr_connection: float = 30.0
    """Recorded 20 to 40 s."""
    acr_connection_delete: float = 12.0
    acr_replication: float = 45.0
    """No recording; within the minute that the documentation's examples show."""
    private_endpoint: float = 32.0
    """Median of 116 recorded creations; 32 to 59 s in aso."""
    private_endpoint_delete: float = 15.0
    """Recorded 10 to 30 s, once 91 s."""
    zone_group: float = 3.0
    """Recorded 2 to 4 s (aso)."""
    zone_group_delete: float = 8.0
    """Recorded about 10 s."""
    private_dns: float = 35.0
    """Zones and links; recorded 34 to 38 s (aso)."""
    private_dns_delete: float = 30.0
    virtual_network: float = 4.0
    """Recorded 2 to 5 s."""
    subnet: float = 2.0
    """Recorded 1 to 3 s (aso)."""
    virtual_network_delete: float = 10.0
    security_group: float = 3.0
    resource_group_delete: float = 60.0
    """Recorded 15 to 730 s, governed by what is inside."""

    def scaled(self, factor: float) -> "Durations":
        """Every duration times *factor*; 0 makes everything finish at once."""
        return replace(self, **{each.name: getattr(self, each.name) * factor for each in fields(self)})
