"""The common worlds are what they say they are."""

import pytest

from local.simulator.azure import SimulatedAzure
from local.simulator.faults import Fault, FaultKind
from local.simulator.scenery import (
    SceneryError,
    create_registry,
    create_storage_account,
    create_workspace,
    parts_of,
    put_registry,
    rest,
    send,
    standard_world,
    subscribe,
)


def test_the_standard_world_has_a_network_with_a_ready_subnet() -> None:
    azure = SimulatedAzure()
    scene = standard_world(azure)
    subnet = azure.world.get(scene.subnet)
    assert subnet is not None
    assert subnet.properties["provisioningState"] == "Succeeded"
    assert azure.world.get(scene.dns_group) is not None
    assert azure.next_due() is None


def test_a_created_registry_equals_one_that_was_put() -> None:
    direct, asked = SimulatedAzure(seed=1), SimulatedAzure(seed=1)
    made = create_registry(direct, "contoso", ("westeurope", "northeurope"))
    put_registry(asked, "contoso", ("westeurope", "northeurope"))
    rest(asked)
    put = asked.world.get(made.id)
    assert put is not None
    assert set(made.properties) == set(put.properties)
    assert [each["location"] for each in put.properties["regionDetails"]] == ["westeurope", "northeurope"]
    assert len(parts_of(direct, made)) == len(parts_of(asked, put)) == 3


def test_the_same_seed_makes_the_same_names() -> None:
    def names() -> list[str]:
        azure = SimulatedAzure(seed=4)
        return [each.name for each in parts_of(azure, create_registry(azure, "contoso"))]

    assert names() == names()


def test_a_workspace_stands_on_its_storage_account() -> None:
    azure = SimulatedAzure()
    storage = create_storage_account(azure, "workspacedata", networkAcls={"defaultAction": "Deny"})
    workspace = create_workspace(azure, "studio", storage.id)
    assert workspace.properties["storageAccount"] == storage.id
    assert storage.properties["networkAcls"]["defaultAction"] == "Deny"


def test_a_subscription_of_the_scenery_is_served() -> None:
    azure = SimulatedAzure()
    subscribe(azure, "https://app.example/hook")
    put_registry(azure, "contoso")
    rest(azure)
    azure.advance(azure.world.now + azure.options.event_lag)
    assert any(each.url == "https://app.example/hook" for each in azure.events.due(azure.world.now))


def test_a_refusal_is_not_swallowed() -> None:
    azure = SimulatedAzure()
    with pytest.raises(SceneryError, match="404"):
        send(
            azure, "GET", f"/subscriptions/{next(iter(azure.subscriptions))}/resourceGroups/x", api_version="2021-04-01"
        )


def test_a_workspace_whose_creation_fails_is_no_scenery() -> None:
    azure = SimulatedAzure()
    storage = create_storage_account(azure, "workspacedata")
    azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, path="workspaces"))
    with pytest.raises(SceneryError, match="was not created"):
        create_workspace(azure, "studio", storage.id)
