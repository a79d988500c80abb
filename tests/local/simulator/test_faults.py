"""Scripted misbehaviour, and the throttling that is not a fault."""

import pytest

from local.simulator.azure import SimulatedAzure
from local.simulator.errors import ArmError, Shape
from local.simulator.faults import ConnectionLost, Fault, FaultKind
from local.simulator.options import Options
from tests.local.simulator.arm_client import SUB, ArmClient
from tests.local.simulator.scene import Scene


def test_a_scripted_answer_comes_instead_of_the_effect_as_often_as_scripted() -> None:
    arm = ArmClient()
    arm.azure.faults.add(
        Fault(kind=FaultKind.RESPOND, method="put", path="/RESOURCEGROUPS/", times=2, headers={"Retry-After": "7"})
    )
    path = f"{SUB}/resourceGroups/rg"
    for _ in range(2):
        answer = arm.put(path, {"location": "westeurope"})
        assert (answer.status, answer.header("Retry-After")) == (503, "7")
        assert answer.json()["error"]["code"] == "ServiceUnavailable"
    assert arm.azure.world.get(path) is None
    assert arm.put(path, {"location": "westeurope"}).status == 201
    assert arm.azure.faults.pending == []


def test_a_fault_may_let_calls_pass_first_and_may_bring_its_own_body() -> None:
    arm = ArmClient()
    arm.azure.faults.add(Fault(kind=FaultKind.RESPOND, skip=2, status=502, raw=b"<html>"))
    assert [arm.get(SUB).status for _ in range(4)] == [200, 200, 502, 200]


def test_a_reset_happens_before_the_effect() -> None:
    arm = ArmClient()
    arm.azure.faults.add(Fault(kind=FaultKind.RESET, method="PUT"))
    with pytest.raises(ConnectionLost, match="before PUT"):
        arm.put(f"{SUB}/resourceGroups/rg", {"location": "westeurope"})
    assert arm.azure.world.get(f"{SUB}/resourceGroups/rg") is None


def test_a_lost_response_happens_after_it() -> None:
    arm = ArmClient()
    arm.azure.faults.add(Fault(kind=FaultKind.LOSE_RESPONSE, method="PUT"))
    with pytest.raises(ConnectionLost, match="was lost"):
        arm.put(f"{SUB}/resourceGroups/rg", {"location": "westeurope"})
    assert arm.azure.world.get(f"{SUB}/resourceGroups/rg") is not None
    assert arm.put(f"{SUB}/resourceGroups/rg", {"location": "westeurope"}).status == 200


def test_a_stuck_operation_never_ends() -> None:
    scene = Scene()
    scene.azure.faults.add(Fault(kind=FaultKind.STUCK_OPERATION, path="privateEndpoints"))
    first = scene.endpoint()
    scene.wait(100_000)
    assert scene.get(first.header("Azure-AsyncOperation")).json()["status"] == "InProgress"
    assert scene.endpoint_now()["properties"]["provisioningState"] == "Updating"


def test_a_failed_operation_is_told_by_a_poll_of_200_with_its_details() -> None:
    scene = Scene()
    details = [{"code": "StorageAccountOperationInProgress", "message": "busy"}]
    scene.azure.faults.add(
        Fault(kind=FaultKind.FAIL_OPERATION, path="privateEndpoints", code="RetryableError", details=details)
    )
    first = scene.endpoint()
    scene.rest()
    told = scene.get(first.header("Azure-AsyncOperation"))
    assert told.status == 200
    assert told.json()["error"]["details"] == details


def test_a_stale_read_shows_what_was_there_before_the_last_write() -> None:
    arm = ArmClient()
    arm.azure.faults.add(Fault(kind=FaultKind.STALE_READ, method="GET", path="/resourceGroups/rg$", times=1))
    path = f"{SUB}/resourceGroups/rg"
    arm.put(path, {"location": "westeurope", "tags": {"version": "1"}})
    assert arm.get(path).status == 404
    assert arm.get(path).json()["tags"] == {"version": "1"}
    arm.azure.faults.add(Fault(kind=FaultKind.STALE_READ, method="GET", path="/resourceGroups/rg$", times=1))
    arm.put(path, {"location": "westeurope", "tags": {"version": "2"}})
    assert [arm.get(path).json()["tags"]["version"] for _ in range(2)] == ["1", "2"]


def test_a_slow_answer_carries_its_delay() -> None:
    arm = ArmClient()
    arm.azure.faults.add(Fault(kind=FaultKind.SLOW, seconds=31))
    assert [arm.get(SUB).delay for _ in range(2)] == [31, 0]


def test_a_cleared_script_does_nothing() -> None:
    arm = ArmClient()
    arm.azure.faults.add(Fault(kind=FaultKind.RESPOND))
    arm.azure.faults.clear()
    assert arm.get(SUB).status == 200


def test_the_published_token_buckets_throttle_and_refill() -> None:
    arm = ArmClient(SimulatedAzure(options=Options(throttling=True)))
    answers = [arm.get(SUB) for _ in range(251)]
    assert [each.status for each in answers] == [200] * 250 + [429]
    assert answers[0].header("x-ms-ratelimit-remaining-subscription-reads") == "249"
    assert answers[0].header("x-ms-ratelimit-remaining-subscription-global-reads") == "3749"
    assert arm.error(answers[-1]) == (429, "SubscriptionRequestsThrottled")
    arm.wait(int(answers[-1].header("Retry-After")))
    assert [arm.get(SUB).status for _ in range(26)] == [200] * 25 + [429]
    assert arm.put(f"{SUB}/resourceGroups/rg", {"location": "westeurope"}).status == 201


def test_without_throttling_the_headers_show_a_quiet_subscription() -> None:
    arm = ArmClient()
    assert arm.get(SUB).header("x-ms-ratelimit-remaining-subscription-global-reads") == "16499"
    assert arm.get(f"{SUB}/resourceGroups/no").header("x-ms-ratelimit-remaining-subscription-global-reads") == ""


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (Shape.ARM, {"error": {"code": "C", "message": "M"}}),
        (Shape.GATEWAY, {"error": {"code": "C", "message": "M"}}),
        (Shape.NETWORK, {"error": {"code": "C", "message": "M", "details": []}}),
        (Shape.BARE, {"code": "C", "message": "M"}),
        (Shape.CAPITAL, {"Error": {"Code": "C", "Message": "M"}}),
        (Shape.EMPTY, None),
    ],
)
def test_an_error_has_the_body_of_its_shape(shape: Shape, body: object) -> None:
    answer = ArmError(409, "C", "M", shape=shape).render()
    assert (answer.status, answer.json()) == (409, body)
    assert (answer.header("x-ms-failure-cause") == "gateway") is (shape is Shape.GATEWAY)


def test_the_error_of_machine_learning_is_nested_and_an_html_error_is_a_page() -> None:
    body = ArmError(404, "RegistryNotFound", "Registry x not found", shape=Shape.MACHINE_LEARNING).render().json()
    assert body["error"]["code"] == "UserError"
    assert body["error"]["innerError"]["innerError"]["code"] == "RegistryNotFound"
    assert body["statusCode"] == 404
    page = ArmError(503, "Unavailable", "later", shape=Shape.HTML).render()
    assert (page.header("Content-Type"), page.body[:6]) == ("text/html", b"<html>")


def test_a_failed_creation_is_told_at_its_result_url_with_its_own_status() -> None:
    arm = ArmClient()
    path = f"{arm.group()}/providers/Microsoft.Storage/storageAccounts/contosodata"
    arm.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, status=409, code="QuotaExceeded", message="Too many."))
    started = arm.put(path, {"location": "westeurope", "sku": {"name": "Standard_LRS"}})
    arm.rest()
    told = arm.get(started.header("Location"))
    assert arm.error(told) == (409, "QuotaExceeded")
    assert arm.get(path).status == 404


def test_an_action_that_cannot_be_read_leaves_no_earlier_state_behind() -> None:
    arm = ArmClient()
    arm.azure.faults.add(Fault(kind=FaultKind.STALE_READ, path="checkNameAvailability"))
    path = f"{SUB}/providers/Microsoft.Storage/checkNameAvailability"
    assert arm.post(path, {"name": "contosodata"}).json() == {"nameAvailable": True}


def test_a_fault_of_one_method_leaves_the_others_alone() -> None:
    arm = ArmClient()
    arm.azure.faults.add(Fault(kind=FaultKind.RESPOND, method="put"))
    assert arm.get(SUB).status == 200
    assert arm.put(f"{SUB}/resourceGroups/rg", {"location": "westeurope"}).status == 503
