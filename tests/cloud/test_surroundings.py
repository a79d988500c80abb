"""The doctor's reads: what Azure's answers mean, and what touches the app's own storage."""

import pytest

from shared.cloud.surroundings import ArmSurroundings, permission_of, route_of
from shared.core.diagnosis import EventRoute
from shared.core.errors import RegistryIsolationError
from shared.core.rights import Permission
from tests.cloud.answering import AnsweringTransport, Reply, arm_client
from tests.cloud.scripted_storage import Answer, scripted_storage

SCOPE = "/subscriptions/s/resourceGroups/g"


def around(reply: Reply) -> ArmSurroundings:
    return ArmSurroundings(arm_client(AnsweringTransport(lambda _sent: reply)), None, "")


async def test_permissions_of_what_does_not_exist_are_none_and_not_empty() -> None:
    gone = Reply(404, {"error": {"code": "ResourceGroupNotFound", "message": "no"}})

    assert await around(gone).permissions(SCOPE) is None
    assert await around(Reply(200, {"value": []})).permissions(SCOPE) == ()
    assert await around(Reply(200, {"value": [{"actions": ["*"]}]})).permissions(SCOPE) == (Permission(actions=("*",)),)


async def test_a_refusal_is_an_error_and_not_a_lack_of_everything() -> None:
    refused = Reply(403, {"error": {"code": "AuthorizationFailed", "message": "no"}})

    with pytest.raises(RegistryIsolationError):
        await around(refused).permissions(SCOPE)


async def test_a_provider_that_azure_does_not_know_has_no_state() -> None:
    unknown = Reply(404, {"error": {"code": "NotFound", "message": "no"}})

    assert await around(unknown).provider("s", "Microsoft.X") == ""


def test_permissions_are_read_with_what_they_leave_out() -> None:
    entry = {"actions": ["*"], "notActions": ["*/delete"], "dataActions": []}

    assert permission_of(entry) == Permission(actions=("*",), not_actions=("*/delete",))


def test_a_route_says_what_it_delivers_to_with_either_kind_of_identity() -> None:
    destination = {"endpointType": "AzureFunction", "properties": {"resourceId": "/a/functions/f"}}
    plain = {"name": "r", "properties": {"destination": destination, "provisioningState": "Succeeded"}}
    own = {"name": "r", "properties": {"deliveryWithResourceIdentity": {"destination": destination}}}

    assert route_of(plain) == EventRoute(name="r", target="/a/functions/f", state="Succeeded")
    assert route_of(own) == EventRoute(name="r", target="/a/functions/f")
    assert route_of({"name": "w"}) == EventRoute(name="w")


@pytest.mark.parametrize("service", ["queue", "blob"])
@pytest.mark.parametrize("status", [200, 404])
async def test_a_storage_that_answers_is_touched_whatever_it_holds(service: str, status: int) -> None:
    code = "" if status == 200 else "QueueNotFound" if service == "queue" else "ContainerNotFound"
    async with scripted_storage([Answer(status=status, code=code)]) as storage:
        arm = arm_client(AnsweringTransport(lambda _sent: Reply(200)))
        await ArmSurroundings(arm, storage.account, "registry-work").touch(service)

        assert len(storage.asked) == 1


@pytest.mark.parametrize("service", ["queue", "blob"])
async def test_a_storage_that_refuses_is_an_error(service: str) -> None:
    async with scripted_storage([Answer(status=403, code="AuthorizationPermissionMismatch")]) as storage:
        arm = arm_client(AnsweringTransport(lambda _sent: Reply(200)))
        with pytest.raises(RegistryIsolationError):
            await ArmSurroundings(arm, storage.account, "registry-work").touch(service)
