"""Error bodies come in several wrappings, and a client that knows one of them misreads the others."""

import pytest

from local.simulator.errors import ArmError, Shape
from local.simulator.likeness_compare import body_of, key_paths

LEARNING = (
    "componentName correlation correlation.operation correlation.request environment error error.additionalInfo "
    "error.code error.debugInfo error.details error.detailsUri error.innerError error.innerError.code "
    "error.innerError.innerError error.innerError.innerError.code error.innerError.innerError.innerError error.message "
    "error.messageFormat error.messageParameters error.referenceCode error.severity error.target location statusCode time"
)


@pytest.mark.parametrize(
    ("shape", "keys"),
    [
        pytest.param(Shape.ARM, "error error.code error.message", id="most providers"),
        pytest.param(Shape.GATEWAY, "error error.code error.message", id="Resource Manager itself"),
        pytest.param(Shape.NETWORK, "error error.code error.details error.message", id="Microsoft.Network"),
        pytest.param(Shape.BARE, "code message", id="records of private DNS"),
        pytest.param(Shape.CAPITAL, "Error Error.Code Error.Message", id="deletion of a resource group"),
        pytest.param(Shape.MACHINE_LEARNING, LEARNING, id="Microsoft.MachineLearningServices"),
        pytest.param(Shape.HTML, "<text>", id="a page of the front end"),
        pytest.param(Shape.EMPTY, "", id="nothing at all"),
    ],
)
def test_an_error_has_the_recorded_wrapping(shape: Shape, keys: str) -> None:
    answer = ArmError(404, "SomethingNotFound", "It is not there.", shape=shape).render()

    assert sorted(key_paths(body_of(answer))) == keys.split()
    assert answer.status == 404


def test_only_the_gateway_names_itself_as_the_cause() -> None:
    causes = {shape: ArmError(409, "Code", "m", shape=shape).render().header("x-ms-failure-cause") for shape in Shape}

    assert [shape for shape, cause in causes.items() if cause] == [Shape.GATEWAY]


def test_nested_errors_are_carried_along() -> None:
    inner = [{"code": "ReferencedResourceNotProvisioned", "message": "It is still being written."}]
    body = body_of(ArmError(429, "RetryableError", "Later.", details=inner, shape=Shape.NETWORK).render())

    assert body["error"]["details"] == inner
