"""
The one table of what differs between Azure's clouds.

Sources: private endpoint DNS zone values (Azure documentation, private-endpoint-dns), Azure CLI's cloud definitions and
azure-ai-ml's environment table. The registry zones of US Government and China and the China container registry zone are
inferred from the workspace rows of the same documentation, which does not list registries there.
"""

from dataclasses import dataclass
from typing import Literal

CloudName = Literal["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"]
"""Names as the Azure CLI spells them (`az cloud list`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """
    One Azure cloud.

    Attributes:
        name: As the Azure CLI spells it.
        resource_manager: ARM's base URL, without a trailing slash.
        audience: Scope of an ARM access token.
        authority: Host of Microsoft Entra ID, for azure-identity.
        operation_suffixes: Hosts that may serve operation and discovery URLs end with one of these.
        zones: Group id of a private endpoint to its private DNS zone names.
        event_grid_suffix: Hosts of custom Event Grid topics end with it.
    """

    name: CloudName
    resource_manager: str
    audience: str
    authority: str
    operation_suffixes: tuple[str, ...]
    zones: dict[str, tuple[str, ...]]
    event_grid_suffix: str


def _zones(api: str, core: str, acr: str) -> dict[str, tuple[str, ...]]:
    return {
        "amlregistry": (f"privatelink.{api}",),
        "blob": (f"privatelink.blob.{core}",),
        "blob_secondary": (f"privatelink.blob.{core}",),
        "dfs": (f"privatelink.dfs.{core}",),
        "dfs_secondary": (f"privatelink.dfs.{core}",),
        "file": (f"privatelink.file.{core}",),
        "queue": (f"privatelink.queue.{core}",),
        "table": (f"privatelink.table.{core}",),
        "registry": (f"privatelink.{acr}",),
    }


CLOUDS: dict[str, Cloud] = {
    "AzureCloud": Cloud(
        name="AzureCloud",
        resource_manager="https://management.azure.com",
        audience="https://management.azure.com/.default",
        authority="login.microsoftonline.com",
        operation_suffixes=("management.azure.com", "api.azureml.ms"),
        zones=_zones("api.azureml.ms", "core.windows.net", "azurecr.io"),
        event_grid_suffix="eventgrid.azure.net",
    ),
    "AzureUSGovernment": Cloud(
        name="AzureUSGovernment",
        resource_manager="https://management.usgovcloudapi.net",
        audience="https://management.usgovcloudapi.net/.default",
        authority="login.microsoftonline.us",
        operation_suffixes=("management.usgovcloudapi.net", "api.ml.azure.us"),
        zones=_zones("api.ml.azure.us", "core.usgovcloudapi.net", "azurecr.us"),
        event_grid_suffix="eventgrid.azure.us",
    ),
    "AzureChinaCloud": Cloud(
        name="AzureChinaCloud",
        resource_manager="https://management.chinacloudapi.cn",
        audience="https://management.chinacloudapi.cn/.default",
        authority="login.chinacloudapi.cn",
        operation_suffixes=("management.chinacloudapi.cn", "api.ml.azure.cn"),
        zones=_zones("api.ml.azure.cn", "core.chinacloudapi.cn", "azurecr.cn"),
        event_grid_suffix="eventgrid.azure.cn",
    ),
}
