"""Long operations: what the first answer and the later ones mean."""

from typing import Any

import pytest

from shared.cloud.arm_client import Answer
from shared.cloud.operations import Unread, accepted, read_operation
from shared.core.errors import Busy, OperationFailed, Refused, RegistryIsolationError, Throttled
from shared.core.report import Done, Started
from shared.engine.ports import Progress, ProgressState
from tests.cloud.answering import AnsweringTransport, Reply, arm_client

ASYNC = "https://management.azure.com/subscriptions/s/providers/p/locations/l/operations/1?t=1&c=2&s=3&h=4"
LOCATION = "https://management.azure.com/subscriptions/s/providers/p/locations/l/operationResults/1?t=1"
BOTH = {"azure-asyncoperation": ASYNC, "location": LOCATION}


class Headers(dict[str, str]):
    """Headers as the SDK gives them: names ignore case."""

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key.lower(), default)


@pytest.mark.parametrize(
    ("status", "body", "headers", "result"),
    [
        (202, None, BOTH, Started(url=ASYNC)),
        (202, None, {"location": LOCATION}, Started(url=LOCATION)),
        (201, {"properties": {"provisioningState": "Updating"}}, {"azure-asyncoperation": ASYNC}, Started(url=ASYNC)),
        (200, {"properties": {"provisioningState": "Updating"}}, {"azure-asyncoperation": ASYNC}, Started(url=ASYNC)),
        (200, {"properties": {"provisioningState": "Succeeded"}}, {"azure-asyncoperation": ASYNC}, Done()),
        (200, {"properties": {"publicNetworkAccess": "Disabled"}}, {}, Done()),
        (201, {"properties": {}}, {}, Started()),
        (202, {}, {}, Started()),
        (204, None, {}, Done()),
        (200, None, {}, Done()),
    ],
)
def test_the_first_answer_says_started_or_done(
    status: int, body: object, headers: dict[str, str], result: Started | Done
) -> None:
    assert accepted(Answer(status=status, headers=Headers(headers), body=body)) == result


FAILED = {"status": "Failed", "error": {"code": "InternalServerError", "message": "It broke."}}
BUSY = {
    "status": "Failed",
    "error": {
        "code": "RetryableError",
        "message": "A retryable error occurred.",
        "details": [{"code": "ReferencedResourceNotProvisioned", "message": "PutSubnetOperation"}],
    },
}


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply(200, {"status": "InProgress"}), ProgressState.RUNNING),
        (Reply(200, {"status": "Creating"}), ProgressState.RUNNING),
        (Reply(202, {"status": "InProgress"}), ProgressState.RUNNING),
        (Reply(202), ProgressState.RUNNING),
        (Reply(201, {"status": "Updating"}), ProgressState.RUNNING),
        (Reply(200, {"status": "Succeeded", "percentComplete": 100.0}), ProgressState.SUCCEEDED),
        (Reply(200, {"id": "x", "type": "Microsoft.MachineLearningServices/registries"}), ProgressState.SUCCEEDED),
        (Reply(200, {"properties": {"provisioningState": "Succeeded"}}), ProgressState.SUCCEEDED),
        (Reply(200, {"properties": {"provisioningState": "Updating"}}), ProgressState.RUNNING),
        (Reply(200), ProgressState.SUCCEEDED),
        (Reply(204), ProgressState.SUCCEEDED),
        (Reply(200, FAILED), ProgressState.FAILED),
        (Reply(200, {"status": "Canceled"}), ProgressState.FAILED),
    ],
)
async def test_an_operation_url_tells_the_state(reply: Reply, state: ProgressState) -> None:
    transport = AnsweringTransport(lambda _sent: reply)

    told = await read_operation(arm_client(transport), ASYNC, operation="create private endpoint", resource="/x/pe")

    assert isinstance(told, Progress)
    assert told.state is state
    assert (told.error is not None) == (state is ProgressState.FAILED)
    assert [sent.url for sent in transport.sent] == [ASYNC]


@pytest.mark.parametrize(
    ("body", "leaf"), [(FAILED, OperationFailed), (BUSY, Busy), ({"status": "Canceled"}, OperationFailed)]
)
async def test_a_failure_is_named_by_its_most_specific_code(body: object, leaf: type[RegistryIsolationError]) -> None:
    transport = AnsweringTransport(lambda _sent: Reply(200, body))

    told = await read_operation(arm_client(transport), ASYNC, operation="create private endpoint", resource="/x/pe")

    assert isinstance(told, Progress)
    assert isinstance(told.error, leaf)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, {"error": {"code": "NotFound", "message": "gone"}}),
        Reply(410),
        Reply(403, {"error": {"code": "InvalidSignature", "message": "no"}}),
    ],
    ids=lambda reply: str(reply.status),
)
async def test_a_url_that_azure_forgot_or_does_not_show_tells_nothing(reply: Reply) -> None:
    arm = arm_client(AnsweringTransport(lambda _sent: reply))

    assert await read_operation(arm, ASYNC, operation="update registry", resource="/x/r") is None


async def test_a_url_that_the_app_may_not_read_tells_which_right_it_lacks() -> None:
    action = "Microsoft.Network/locations/operations/read"
    message = f"The client 'a' does not have authorization to perform action '{action}' over scope '/subscriptions/s'."
    reply = Reply(403, {"error": {"code": "AuthorizationFailed", "message": message}})

    told = await read_operation(
        arm_client(AnsweringTransport(lambda _sent: reply)), ASYNC, operation="update registry", resource="/x/r"
    )

    assert isinstance(told, Unread)
    assert action in told.sentence


async def test_without_a_url_nothing_is_asked() -> None:
    transport = AnsweringTransport(lambda _sent: Reply(200))

    assert await read_operation(arm_client(transport), "", operation="update registry", resource="/x/r") is None
    assert transport.sent == []


async def test_a_throttled_poll_is_an_error_and_not_a_state() -> None:
    arm = arm_client(AnsweringTransport(lambda _sent: Reply(429, None, {"Retry-After": "7"})))

    with pytest.raises(Throttled):
        await read_operation(arm, ASYNC, operation="update registry", resource="/x/r")


async def test_a_url_of_a_stranger_fails_the_operation_without_a_request() -> None:
    transport = AnsweringTransport(lambda _sent: Reply(200))

    told = await read_operation(
        arm_client(transport), "https://evil.example/op?sig=secret", operation="update registry", resource="/x/r"
    )

    assert isinstance(told, Progress)
    assert isinstance(told.error, Refused)
    assert "evil.example/op" in told.error.sentence
    assert "secret" not in told.error.sentence
    assert transport.sent == []
