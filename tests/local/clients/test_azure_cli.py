"""The Azure CLI, as anybody installs it, works against the simulated Azure and sees the world as it is."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.simulator.world import Resource
from tests.local.clients.world import ServedWorld, interpreter, run

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureCli:
    python: Path
    environment: dict[str, str]
    served: ServedWorld

    def __call__(self, *arguments: str) -> Any:
        """Run one command; answers what it prints as JSON."""
        said = run(self.python, "-m", "azure.cli", *arguments, "--output", "json", environment=self.environment)
        return json.loads(said) if said.strip() else None


@pytest.fixture(scope="module")
def az(served: ServedWorld, tmp_path_factory: pytest.TempPathFactory) -> AzureCli:
    """A CLI that has registered the cloud and logged in with the managed identity."""
    home = tmp_path_factory.mktemp("azure-cli")
    cli = AzureCli(python=interpreter("cli"), environment=served.environment(home), served=served)
    cli("cloud", "register", "--name", "SimulatedAzure", "--endpoint-resource-manager", served.azure.endpoint)
    cli("cloud", "set", "--name", "SimulatedAzure")
    cli("login", "--identity")
    return cli


def test_the_login_finds_the_subscription(az: AzureCli) -> None:
    account = az("account", "show")
    assert account["id"] == az.served.azure.scene.subscription
    assert account["environmentName"] == "SimulatedAzure"


def test_private_endpoints_are_listed_with_target_and_approval(az: AzureCli) -> None:
    listed = az("network", "private-endpoint", "list")
    seen = {}
    for each in listed:
        connection = each["privateLinkServiceConnections"][0]
        state = connection["privateLinkServiceConnectionState"]["status"]
        seen[each["name"]] = (connection["privateLinkServiceId"], connection["groupIds"], state)
    expected = {f"pe-{target.name}": (target.id, [group], "Approved") for target, group in az.served.world.targets}
    assert seen == expected
    assert {each["provisioningState"] for each in listed} == {"Succeeded"}


def test_a_storage_account_is_shown_closed_and_with_its_connection(az: AzureCli) -> None:
    for account in part_of(az, "Microsoft.Storage/storageAccounts"):
        shown = az("storage", "account", "show", "--name", account.name, "--resource-group", az.served.managed_group)
        assert shown["id"] == account.id
        assert shown["publicNetworkAccess"] == "Disabled"
        assert shown["networkRuleSet"]["defaultAction"] == account.properties["networkAcls"]["defaultAction"]
        states = [each["privateLinkServiceConnectionState"]["status"] for each in shown["privateEndpointConnections"]]
        assert states == ["Approved"]


def test_the_container_registry_is_shown_closed_and_premium(az: AzureCli) -> None:
    (registry,) = part_of(az, "Microsoft.ContainerRegistry/registries")
    shown = az("acr", "show", "--name", registry.name, "--resource-group", az.served.managed_group)
    assert shown["id"] == registry.id
    assert shown["loginServer"] == registry.properties["loginServer"]
    assert (shown["publicNetworkAccess"], shown["sku"]["name"]) == ("Disabled", "Premium")


def test_a_records_are_those_of_the_zones(az: AzureCli) -> None:
    world = az.served.world
    for group in ("amlregistry", "blob", "registry"):
        zone = world.zone(group)
        resource_group = zone.split("/")[4]
        arguments = ("--resource-group", resource_group, "--zone-name", zone.rsplit("/", 1)[-1])
        listed = az("network", "private-dns", "record-set", "a", "list", *arguments)
        seen = {each["name"]: [entry["ipv4Address"] for entry in each["aRecords"]] for each in listed}
        records = world.azure.world.children(zone, "Microsoft.Network/privateDnsZones/A")
        expected = {each.name: [entry["ipv4Address"] for entry in each.properties["aRecords"]] for each in records}
        assert seen == expected
        assert seen


def test_the_resource_list_holds_every_tracked_resource_and_no_other(az: AzureCli) -> None:
    resources = az.served.world.azure.world.resources.values()
    tracked = {each.id for each in resources if each.type.count("/") == 1 and "resourceGroups" not in each.type}
    assert {each["id"] for each in az("resource", "list")} == tracked


def test_a_resource_that_does_not_exist_is_told_in_azures_words(az: AzureCli) -> None:
    with pytest.raises(AssertionError, match="ResourceNotFound"):
        az("storage", "account", "show", "--name", "nobodyhasthis", "--resource-group", az.served.managed_group)


def part_of(az: AzureCli, kind: str) -> list[Resource]:
    found = [each for each in az.served.world.parts if each.type == kind]
    assert found
    return found
