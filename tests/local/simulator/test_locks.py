import json

import pytest

from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.wire import JsonObject, Request, Response

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/locked"
LOCK = "/providers/Microsoft.Authorization/locks/keep"


class World:
    """A group with an account, and calls on it."""

    def __init__(self) -> None:
        self.azure = SimulatedAzure()
        self.call("PUT", GROUP, {"location": "westeurope"})
        account = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
        self.call("PUT", ACCOUNT, account)
        while (due := self.azure.next_due()) is not None:
            self.azure.advance(due)

    def call(self, method: str, path: str, body: JsonObject | None = None) -> Response:
        content = b"" if body is None else json.dumps(body).encode()
        url = f"{self.azure.endpoint}{path}?api-version=2023-05-01"
        return self.azure.handle(Request(method, url, self.azure.headers(), content), self.azure.world.now)

    def lock(self, scope: str, level: str) -> Response:
        return self.call("PUT", scope + LOCK, {"properties": {"level": level, "notes": "by hand"}})


def code(answer: Response) -> tuple[int, str, str]:
    return answer.status, answer.json()["error"]["code"], answer.header("x-ms-failure-cause")


@pytest.mark.parametrize("scope", [ACCOUNT, GROUP, f"/subscriptions/{SUBSCRIPTION}"])
def test_a_locked_account_cannot_be_deleted(scope: str) -> None:
    world = World()
    world.lock(scope, "CanNotDelete")

    assert code(world.call("DELETE", ACCOUNT)) == (409, "ScopeLocked", "gateway")
    assert world.call("GET", ACCOUNT).status == 200


def test_a_group_with_something_locked_inside_cannot_be_deleted() -> None:
    world = World()
    world.lock(ACCOUNT, "CanNotDelete")

    refused = world.call("DELETE", GROUP)

    assert code(refused) == (409, "ScopeLocked", "gateway")
    assert ACCOUNT in refused.json()["error"]["message"]


def test_a_lock_against_deletion_lets_changes_pass_and_a_read_only_lock_does_not() -> None:
    world, change = World(), {"tags": {"a": "b"}}
    world.lock(GROUP, "CanNotDelete")
    passed = world.call("PATCH", ACCOUNT, change)
    world.lock(GROUP, "ReadOnly")

    assert passed.status == 200
    assert code(world.call("PATCH", ACCOUNT, change)) == (409, "ScopeLocked", "gateway")


def test_a_removed_lock_holds_nothing() -> None:
    world = World()
    world.lock(GROUP, "ReadOnly")
    removed = world.call("DELETE", GROUP + LOCK)

    assert removed.status == 200
    assert world.call("DELETE", GROUP + LOCK).status == 204
    assert world.call("DELETE", ACCOUNT).status == 200


def test_a_lock_elsewhere_holds_nothing_here() -> None:
    world = World()
    world.call("PUT", GROUP + "-two", {"location": "westeurope"})
    world.lock(GROUP + "-two", "ReadOnly")

    assert world.call("DELETE", ACCOUNT).status == 200


def test_locks_are_shown_and_listed_with_those_below() -> None:
    world = World()
    made = world.lock(ACCOUNT, "CanNotDelete")

    assert made.status == 201
    assert world.lock(ACCOUNT, "CanNotDelete").status == 200
    assert world.call("GET", ACCOUNT + LOCK).json()["properties"] == {"level": "CanNotDelete", "notes": "by hand"}
    listed = world.call("GET", GROUP + "/providers/Microsoft.Authorization/locks").json()["value"]
    assert [each["id"] for each in listed] == [ACCOUNT + LOCK]


def test_a_lock_of_an_unknown_level_is_refused_and_a_missing_one_is_said_to_be_missing() -> None:
    world = World()

    assert code(world.lock(GROUP, "Soft")) == (400, "LockLevelNotSupported", "gateway")
    assert code(world.call("GET", GROUP + LOCK)) == (404, "LockNotFound", "gateway")
