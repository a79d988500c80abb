"""Service endpoint policies and their definitions."""

from typing import Any

from tests.local.simulator.scene import Scene

ALIAS = "/services/Azure/MachineLearning"


def definition(name: str, service: str, *resources: str) -> dict[str, Any]:
    return {"name": name, "properties": {"service": service, "serviceResources": list(resources)}}


def a_policy(scene: Scene, *definitions: dict[str, Any]) -> str:
    path = f"{scene.network}/serviceEndpointPolicies/sep"
    body = {"location": "westeurope", "properties": {"serviceEndpointPolicyDefinitions": list(definitions)}}
    assert scene.put(path, body).status == 201
    scene.rest()
    return path


def test_a_policy_is_made_with_its_definitions() -> None:
    scene = Scene()
    path = a_policy(scene, definition("own", "Microsoft.Storage", scene.account))
    shown = scene.get(path).json()["properties"]
    assert shown["provisioningState"] == "Succeeded"
    assert [each["name"] for each in shown["serviceEndpointPolicyDefinitions"]] == ["own"]
    assert scene.put(path, {"location": "westeurope", "properties": {}}).status == 200


def test_single_definitions_come_and_go_beside_the_others() -> None:
    scene = Scene()
    policy = a_policy(scene, definition("own", "Microsoft.Storage", scene.account))
    path = f"{policy}/serviceEndpointPolicyDefinitions/ml"
    body = definition("ml", "Global", ALIAS)
    assert scene.put(path, body).status == 201
    assert scene.get(path).json()["properties"]["provisioningState"] == "Updating"
    scene.rest()
    assert scene.put(path, body).status == 200
    scene.rest()
    assert scene.get(path).json()["properties"]["provisioningState"] == "Succeeded"
    listed = scene.get(f"{policy}/serviceEndpointPolicyDefinitions").json()["value"]
    assert [each["name"] for each in listed] == ["own", "ml"]
    assert scene.delete(path).status == 202
    scene.rest()
    assert scene.error(scene.get(path)) == (404, "NotFound")
    assert scene.delete(path).status == 204


def test_an_alias_belongs_to_service_global() -> None:
    scene = Scene()
    path = f"{a_policy(scene)}/serviceEndpointPolicyDefinitions/ml"
    answer = scene.put(path, definition("ml", "Microsoft.Storage", ALIAS))
    assert scene.error(answer) == (400, "ServiceEndpointPolicyDefinitionInvalid")


def test_policies_are_listed_and_deleted() -> None:
    scene = Scene()
    path = a_policy(scene)
    assert [each["id"] for each in scene.get(path.rpartition("/")[0]).json()["value"]] == [path]
    assert scene.delete(path).status == 202
    scene.rest()
    assert scene.get(path).status == 404
