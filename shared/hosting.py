"""
Where this process runs: on a developer's machine, or in Azure, whatever its settings say.

`AZURE_FUNCTIONS_ENVIRONMENT` can be set in Azure as well, by whoever wants more log lines or deploys a local file of settings.
What development allows (a simulated Azure, headers of principals that no platform guards, a cookie without TLS) must not
come along with it.
"""

from collections.abc import Mapping

ENVIRONMENT = "AZURE_FUNCTIONS_ENVIRONMENT"
"""Set by the platform; "Development" under a local Functions host."""
_OF_AZURE = ("WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME")
"""Set by App Service on every machine of its own; the second one on those of the Flex Consumption plan."""


def is_development(environ: Mapping[str, str]) -> bool:
    """Tell whether *environ* is that of a local Functions host."""
    return environ.get(ENVIRONMENT, "") == "Development" and not any(environ.get(name) for name in _OF_AZURE)
