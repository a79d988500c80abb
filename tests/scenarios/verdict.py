"""The independent look at the simulated Azure, which the bench takes as well."""

from local.verdict import connections, endpoint_problems, endpoints_of, resolve, unisolated

__all__ = ["connections", "endpoint_problems", "endpoints_of", "resolve", "unisolated"]
