"""The local run's landing zone fits the product: its policy is valid, its event filter is the app's own."""

from local import stage_scene
from local.simulator import seed
from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from shared.core.arm import ResourceId
from shared.core.policy import IsolationPolicy

SCENE = stage_scene.Scene(subscription=SUBSCRIPTION)


def test_the_policy_is_valid_and_serves_the_demos_registry() -> None:
    policy = IsolationPolicy.from_document(stage_scene.policy(SCENE))
    registry = ResourceId.parse(SCENE.registry("contoso-models"))
    assert [network.subnet.text for network in policy.networks_for(registry, stage_scene.REGIONS)] == [SCENE.subnet]


def test_the_app_has_the_role_that_users_are_told_to_assign_and_nothing_more() -> None:
    azure = SimulatedAzure()
    seed.load(azure, stage_scene.seed())
    app = azure.rbac.principals[stage_scene.APP_PRINCIPAL]
    assert app.application_id == stage_scene.APP_CLIENT
    assert azure.rbac.allows(app, "Microsoft.Network/privateEndpoints/write", SCENE.group("rg-network"))
    assert not azure.rbac.allows(app, "Microsoft.MachineLearningServices/registries/delete", SCENE.group("rg-ml"))
    assert not azure.rbac.allows(app, "Microsoft.Authorization/roleAssignments/write", SCENE.scope)


def test_a_registry_has_storage_in_every_region_and_one_premium_container_registry_each() -> None:
    body = stage_scene.registry_body()
    details = body["properties"]["regionDetails"]
    assert [each["location"] for each in details] == list(stage_scene.REGIONS)
    assert {each["acrDetails"][0]["systemCreatedAcrAccount"]["acrAccountSku"] for each in details} == {"Premium"}
    assert body["properties"]["publicNetworkAccess"] == "Enabled"


def test_the_network_takes_its_subnet_from_its_own_space() -> None:
    properties = stage_scene.network_body()["properties"]
    assert properties["subnets"][0]["name"] == SCENE.subnet.rsplit("/", 1)[-1]
    assert properties["subnets"][0]["properties"]["addressPrefix"].startswith("10.20.")
