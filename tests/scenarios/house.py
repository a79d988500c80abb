"""The house of the scenarios, which the bench lives in as well."""

from local.house import APP, DAY, HOOK, ROLE, House, SimulatedCredential, as_id

__all__ = ["APP", "DAY", "HOOK", "ROLE", "House", "SimulatedCredential", "as_id"]
