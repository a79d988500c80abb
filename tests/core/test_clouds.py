from typing import get_args

import pytest

from shared.core.clouds import CLOUDS, Cloud, CloudName

ALL = list(CLOUDS.values())


def test_every_named_cloud_is_in_the_table_under_its_name() -> None:
    assert list(CLOUDS) == list(get_args(CloudName)) == [cloud.name for cloud in ALL]


@pytest.mark.parametrize("cloud", ALL, ids=lambda cloud: cloud.name)
def test_a_token_is_only_asked_for_the_clouds_own_resource_manager(cloud: Cloud) -> None:
    assert cloud.resource_manager.startswith("https://")
    assert not cloud.resource_manager.endswith("/")
    assert cloud.audience == f"{cloud.resource_manager}/.default"
    assert cloud.resource_manager.removeprefix("https://") in cloud.operation_suffixes


@pytest.mark.parametrize("cloud", ALL, ids=lambda cloud: cloud.name)
def test_every_kind_of_endpoint_has_a_private_zone(cloud: Cloud) -> None:
    assert {"amlregistry", "blob", "registry"} <= cloud.zones.keys()
    assert all(zone.startswith("privatelink.") for zones in cloud.zones.values() for zone in zones)
    assert all(zones for zones in cloud.zones.values())


def test_clouds_share_no_host_and_no_zone() -> None:
    for one in ALL:
        for other in ALL:
            if one is not other:
                assert not {*one.operation_suffixes} & {*other.operation_suffixes}
                assert not {zone for zones in one.zones.values() for zone in zones} & {
                    zone for zones in other.zones.values() for zone in zones
                }


# Documentation: private endpoint DNS zone values, one row each for the public and the US Government cloud.
@pytest.mark.parametrize(
    ("name", "group", "zone"),
    [
        ("AzureCloud", "amlregistry", "privatelink.api.azureml.ms"),
        ("AzureCloud", "blob", "privatelink.blob.core.windows.net"),
        ("AzureCloud", "registry", "privatelink.azurecr.io"),
        ("AzureUSGovernment", "amlregistry", "privatelink.api.ml.azure.us"),
        ("AzureUSGovernment", "blob", "privatelink.blob.core.usgovcloudapi.net"),
        ("AzureUSGovernment", "registry", "privatelink.azurecr.us"),
        ("AzureChinaCloud", "amlregistry", "privatelink.api.ml.azure.cn"),
        ("AzureChinaCloud", "blob", "privatelink.blob.core.chinacloudapi.cn"),
        ("AzureChinaCloud", "registry", "privatelink.azurecr.cn"),
    ],
)
def test_the_zones_are_those_of_the_documentation(name: str, group: str, zone: str) -> None:
    assert CLOUDS[name].zones[group] == (zone,)
