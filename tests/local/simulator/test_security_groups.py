"""Network security groups."""

import pytest

from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from tests.local.simulator.scene import Scene


def rule(name: str, priority: int, direction: str = "Outbound", **properties: object) -> dict[str, object]:
    return {
        "name": name,
        "properties": {"priority": priority, "direction": direction, "access": "Allow", "protocol": "Tcp"} | properties,
    }


def test_a_group_is_made_with_its_rules_and_the_default_ones() -> None:
    scene = Scene()
    path = f"{scene.network}/networkSecurityGroups/nsg"
    body = {"location": "westeurope", "properties": {"securityRules": [rule("ml", 3000)]}}
    assert scene.put(path, body).status == 201
    scene.rest()
    shown = scene.get(path).json()["properties"]
    assert [each["name"] for each in shown["securityRules"]] == ["ml"]
    assert shown["securityRules"][0]["properties"]["provisioningState"] == "Succeeded"
    assert len(shown["defaultSecurityRules"]) == 6
    assert scene.put(path, body).status == 200


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([rule("a", 99)], "SecurityRuleInvalidPriority"),
        ([rule("a", 4097)], "SecurityRuleInvalidPriority"),
        ([rule("a", 100), rule("b", 100)], "SecurityRuleConflict"),
        ([{"name": "a", "properties": {"priority": 100}}], "SecurityRuleParameterMissing"),
    ],
)
def test_impossible_rules_are_refused(rules: list[dict[str, object]], code: str) -> None:
    scene = Scene()
    path = f"{scene.network}/networkSecurityGroups/nsg"
    answer = scene.put(path, {"location": "westeurope", "properties": {"securityRules": rules}})
    assert scene.error(answer) == (400, code)
    assert scene.get(path).status == 404


def test_the_same_priority_may_be_used_once_per_direction() -> None:
    scene = Scene()
    rules = [rule("a", 100), rule("b", 100, "Inbound")]
    body = {"location": "westeurope", "properties": {"securityRules": rules}}
    assert scene.put(f"{scene.network}/networkSecurityGroups/nsg", body).status == 201


def test_single_rules_come_and_go() -> None:
    scene = Scene()
    group = f"{scene.network}/networkSecurityGroups/nsg"
    scene.put(group, {"location": "westeurope", "properties": {}})
    scene.rest()
    path = f"{group}/securityRules/ml"
    assert scene.put(path, rule("ml", 3000)).status == 201
    assert scene.put(path, rule("ml", 3001)).status == 200
    assert scene.error(scene.put(f"{group}/securityRules/other", rule("other", 3001))) == (400, "SecurityRuleConflict")
    scene.rest()
    assert scene.get(path).json()["properties"]["priority"] == 3001
    assert len(scene.get(f"{group}/securityRules").json()["value"]) == 1
    assert scene.delete(path).status == 202
    scene.rest()
    assert scene.error(scene.get(path)) == (404, "NotFound")
    assert scene.delete(path).status == 204


def test_groups_are_listed_tagged_and_deleted() -> None:
    scene = Scene()
    path = f"{scene.network}/networkSecurityGroups/nsg"
    scene.put(path, {"location": "westeurope", "tags": {"a": "b"}, "properties": {}})
    scene.rest()
    assert scene.patch(path, {"tags": {"c": "d"}}).json()["tags"] == {"c": "d"}
    assert [each["id"] for each in scene.get(path.rpartition("/")[0]).json()["value"]] == [path]
    assert scene.delete(path).status == 202
    scene.rest()
    assert scene.get(path).status == 404


def test_a_group_takes_one_write_at_a_time_where_writes_contend() -> None:
    scene = Scene(Options(network_contention=True))
    group = f"{scene.network}/networkSecurityGroups/nsg"
    scene.put(group, {"location": "westeurope", "properties": {}})
    scene.rest()
    assert scene.put(f"{group}/securityRules/a", rule("a", 3000)).status == 201
    assert scene.error(scene.put(f"{group}/securityRules/b", rule("b", 3001))) == (429, "RetryableError")
    scene.rest()
    assert scene.put(f"{group}/securityRules/b", rule("b", 3001)).status == 201


@pytest.mark.parametrize("kind", ["networkSecurityGroups", "serviceEndpointPolicies"])
def test_what_could_not_be_written_is_failed_and_can_be_written_again(kind: str) -> None:
    scene = Scene()
    path = f"{scene.network}/{kind}/one"
    scene.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, method="PUT", path=f"{kind}/one$"))
    body = {"location": "westeurope", "tags": {"a": "b"}, "properties": {}}
    assert scene.put(path, body).status == 201
    scene.rest()
    assert scene.get(path).json()["properties"]["provisioningState"] == "Failed"
    assert scene.put(path, body).status == 200
    scene.rest()
    shown = scene.get(path).json()
    assert (shown["properties"]["provisioningState"], shown["tags"]) == ("Succeeded", {"a": "b"})


def test_a_deletion_that_fails_leaves_its_resource_failed() -> None:
    scene = Scene()
    path = f"{scene.network}/networkSecurityGroups/nsg"
    scene.put(path, {"location": "westeurope", "properties": {}})
    scene.rest()
    scene.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, method="DELETE"))
    assert scene.delete(path).status == 202
    scene.rest()
    assert scene.get(path).json()["properties"]["provisioningState"] == "Failed"
