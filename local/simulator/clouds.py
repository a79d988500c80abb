"""
The three clouds' names and suffixes, as clients expect them in zone names, host names and metadata.

Source: Azure CLI's built-in clouds and Microsoft Learn, "Azure Private Endpoint private DNS zone values".
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """One cloud. Suffixes carry no leading dot."""

    name: str
    resource_manager: str
    login: str
    """Host of the token service."""
    storage_suffix: str
    registry_suffix: str
    """Of container registries."""
    machine_learning_suffix: str
    """Of the hosts `{region}.{suffix}`; its private zone is `privatelink.{suffix}`."""
    notebooks_suffix: str
    key_vault_suffix: str
    event_grid_suffix: str
    """Of the hosts that custom topics are published to."""
    portal: str


_CLOUDS = (
    Cloud(
        name="AzureCloud",
        resource_manager="https://management.azure.com",
        login="login.microsoftonline.com",
        storage_suffix="core.windows.net",
        registry_suffix="azurecr.io",
        machine_learning_suffix="api.azureml.ms",
        notebooks_suffix="notebooks.azure.net",
        key_vault_suffix="vault.azure.net",
        event_grid_suffix="eventgrid.azure.net",
        portal="https://portal.azure.com",
    ),
    Cloud(
        name="AzureUSGovernment",
        resource_manager="https://management.usgovcloudapi.net",
        login="login.microsoftonline.us",
        storage_suffix="core.usgovcloudapi.net",
        registry_suffix="azurecr.us",
        machine_learning_suffix="api.ml.azure.us",
        notebooks_suffix="notebooks.usgovcloudapi.net",
        key_vault_suffix="vault.usgovcloudapi.net",
        event_grid_suffix="eventgrid.azure.us",
        portal="https://portal.azure.us",
    ),
    Cloud(
        name="AzureChinaCloud",
        resource_manager="https://management.chinacloudapi.cn",
        login="login.chinacloudapi.cn",
        storage_suffix="core.chinacloudapi.cn",
        registry_suffix="azurecr.cn",
        machine_learning_suffix="api.ml.azure.cn",
        notebooks_suffix="notebooks.chinacloudapi.cn",
        key_vault_suffix="vault.azure.cn",
        event_grid_suffix="eventgrid.azure.cn",
        portal="https://portal.azure.cn",
    ),
)

CLOUDS = {each.name: each for each in _CLOUDS}
