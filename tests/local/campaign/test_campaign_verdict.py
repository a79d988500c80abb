"""The campaign's verdict is worth something: an app that breaks a promise is caught, promise by promise."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.campaign import promises
from local.campaign.cases import Case, Injection, Story
from local.campaign.house import THEIR_ENDPOINT, StormHouse
from local.campaign.kinds import Kind
from local.campaign.torn import TornQueue
from local.campaign.trial import attempt
from local.house import APP, as_id
from local.memory import MemoryWorkQueue
from local.simulator import scenery
from local.simulator.world import Resource
from shared.core.changes import Change, ClosePublicAccess, CreateEndpoint
from shared.core.errors import Refused
from shared.core.registry import TargetKind
from shared.core.report import BlockedOutcome, Done, Reason, Started
from shared.core.requests import WorkMessage
from shared.core.storage_rules import AddResourceRules
from tests.virtual_time import run_virtual

STORAGE_API = "2025-06-01"


class Sabotaged(StormHouse):
    """An app that does something of its own, once, just before a change that it starts."""

    def install(self) -> None:
        super().install()
        honest = self.plane.start
        done: list[Change] = []

        async def start(change: Change) -> Started | Done:
            if not done and self.is_moment(change):
                done.append(change)
                await self.sabotage()
            return await honest(change)

        self.plane.start = start  # type: ignore[method-assign]

    def is_moment(self, change: Change) -> bool:
        return isinstance(change, CreateEndpoint)

    async def sabotage(self) -> None:
        """What it does; an app that does nothing of its own is honest."""

    def parts(self) -> list[Resource]:
        registry = self.azure.require(self.registries_of_story[0])
        return [registry, *scenery.parts_of(self.azure, registry)]

    def send(self, method: str, path: str, body: Any = None, *, api: str = STORAGE_API) -> None:
        scenery.send(self.azure, method, path, body, api_version=api, principal=APP)


class Hasty(Sabotaged):
    async def sabotage(self) -> None:
        self.send("PATCH", self.parts()[1].id, {"properties": {"publicNetworkAccess": "Disabled"}})


class Opening(Sabotaged):
    async def sabotage(self) -> None:
        self.send("PATCH", self.parts()[1].id, {"properties": {"publicNetworkAccess": "Enabled"}})


class Jealous(Sabotaged):
    def is_moment(self, change: Change) -> bool:
        return isinstance(change, AddResourceRules)

    async def sabotage(self) -> None:
        body = {"properties": {"networkAcls": {"defaultAction": "Deny", "resourceAccessRules": []}}}
        self.send("PATCH", self.account.id, body)


class Cutting(Sabotaged):
    def is_moment(self, change: Change) -> bool:
        return isinstance(change, ClosePublicAccess) and change.target_kind is TargetKind.REGISTRY

    async def sabotage(self) -> None:
        self.send("DELETE", self.endpoints()[0].id, api=scenery.NETWORK_API)


class Denying(Sabotaged):
    async def sabotage(self) -> None:
        self.send("PATCH", self.parts()[1].id, {"properties": {"networkAcls": {"defaultAction": "Deny"}}})


class Narrowing(Sabotaged):
    def is_moment(self, change: Change) -> bool:
        return isinstance(change, AddResourceRules)

    async def sabotage(self) -> None:
        acls = dict(self.azure.require(self.account.id).properties["networkAcls"])
        self.send("PATCH", self.account.id, {"properties": {"networkAcls": acls | {"ipRules": []}}})


class Pushing(Sabotaged):
    async def sabotage(self) -> None:
        theirs = f"{self.scene.network_group}/providers/Microsoft.Network/privateEndpoints/{THEIR_ENDPOINT}"
        self.send("DELETE", theirs, api=scenery.NETWORK_API)


class Meddling(Sabotaged):
    async def sabotage(self) -> None:
        rule = next(one for one in self.azure.require(self.group).properties["securityRules"] if one["name"] == "sql")
        body = {"properties": rule["properties"] | {"destinationPortRange": "1434"}}
        self.send("PUT", f"{self.group}/securityRules/sql", body, api=scenery.NETWORK_API)


class Straying(Sabotaged):
    async def sabotage(self) -> None:
        self.azure.rbac.principal(APP, actions=("*",))
        theirs = f"{self.scene.subscription}/resourceGroups/rg-theirs"
        self.send("PUT", theirs, {"location": "westeurope"}, api=scenery.GROUP_API)


class Refusing(Sabotaged):
    async def sabotage(self) -> None:
        raise Refused("No.", operation="sabotage")


class Stumbling(Sabotaged):
    async def sabotage(self) -> None:
        raise ZeroDivisionError("a slip")


class LosesMessages(StormHouse):
    def new_queue(self) -> MemoryWorkQueue:
        class Losing(TornQueue):
            async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
                if message.attempt < 3:
                    await super().send(message, delay)

        return Losing(self.clock, self.azure)


class Restless(StormHouse):
    async def ask(self, registry: Resource | str) -> WorkMessage:
        body = {"properties": {"publicNetworkAccess": "Disabled"}}
        account = scenery.parts_of(self.azure, self.azure.require(str(registry)))[0]
        scenery.send(self.azure, "PATCH", account.id, body, api_version=STORAGE_API, principal=APP)
        return await super().ask(registry)


class LeavesEndpoints(StormHouse):
    def install(self) -> None:
        self.document["deletion"] = {"grace_minutes": 5, "endpoints": False}
        super().install()


class LeavesRules(StormHouse):
    def install(self) -> None:
        self.document["deletion"] = {"grace_minutes": 5, "resource_rules": False}
        super().install()


class NeglectsClients(StormHouse):
    def install(self) -> None:
        self.document.pop("egress")
        super().install()


class WritesInAudit(StormHouse):
    def install(self) -> None:
        self.document["mode"] = "enforce"
        super().install()


class ForgetsANetwork(StormHouse):
    def install(self) -> None:
        self.document["networks"] = self.document["networks"][:2]
        super().install()


@pytest.mark.parametrize(
    ("story", "house_type", "said"),
    [
        (Story.CREATE, Hasty, "was closed while contoso had no working endpoint"),
        (Story.CREATE, Opening, "was opened"),
        (Story.CREATE, Jealous, "stshared lost the rule of"),
        (Story.CREATE, Jealous, "the workspace's storage lets in"),
        (Story.CREATE, Denying, "was closed while contoso had no working endpoint"),
        (Story.CREATE, Narrowing, "beside its resource rules, not {'bypass'"),
        (Story.CREATE, Pushing, f"{THEIR_ENDPOINT} concerns somebody else"),
        (Story.EGRESS, Meddling, "the rule sql of somebody else is gone"),
        (Story.CREATE, Cutting, "was deleted although it worked"),
        (Story.CREATE, Straying, "/resourceGroups/rg-theirs concerns somebody else"),
        (Story.CREATE, Refusing, "it was told blocked for no reason: No."),
        (Story.CREATE, Refusing, "it ended BlockedOutcome"),
        (Story.CREATE, Stumbling, "a bug: ZeroDivisionError"),
        (Story.CREATE, LosesMessages, "it ended Waiting"),
        (Story.CREATE, Restless, "the pass after the last one wrote ['PATCH"),
        (Story.NETWORKS, ForgetsANetwork, "had no working endpoint"),
        (Story.NETWORKS, ForgetsANetwork, "there are 6 endpoints, not 9"),
        (Story.EGRESS, NeglectsClients, "clients do not reach AzureMachineLearning:8787"),
        (Story.AUDIT, WritesInAudit, "although nothing may be written"),
        (Story.DELETE, LeavesEndpoints, "is an orphan of"),
        (Story.DELETE, LeavesRules, "the workspace's storage lets in"),
    ],
)
def test_an_app_that_breaks_a_promise_is_caught(story: Story, house_type: type[StormHouse], said: str) -> None:
    trial = attempt(Case(story=story, seed=1), house_type)

    assert any(said in problem for problem in trial.problems), trial.problems


def isolated_and_then(change: Callable[[StormHouse], Awaitable[list[str]]]) -> list[str]:
    """What a promise says after *change* of an isolated registry's house."""

    async def story() -> list[str]:
        async with StormHouse(Case(seed=1)) as house:
            scenery.put_registry(house.azure, "contoso", now=house.now())
            await house.live(house.quiet, timedelta(days=1))
            assert promises.isolation(house) == promises.orphans(house) == promises.nothing_left(house) == []
            assert await promises.remembered(house, "converged") == []
            return await change(house)

    return run_virtual(story())


def test_a_registry_that_the_ledger_forgets_is_missed() -> None:
    async def forget(house: StormHouse) -> list[str]:
        house.names = ["contoso", "nobody"]
        return await promises.remembered(house, "converged")

    assert [each.partition(" /")[0] for each in isolated_and_then(forget)] == ["the ledger does not know"]


def test_work_that_the_ledger_still_waits_for_and_endpoints_that_it_forgot_are_missed() -> None:
    async def confuse(house: StormHouse) -> list[str]:
        (registry,) = house.registries_of_story
        entry = await house.ledger.read(as_id(registry))
        assert entry is not None
        pending = (ClosePublicAccess(target=as_id(registry), target_kind=TargetKind.REGISTRY),)
        await house.ledger.write(replace(entry.row, made=entry.row.made[1:], pending=pending), entry.etag)
        return await promises.remembered(house, "gone")

    said = isolated_and_then(confuse)

    assert len(said) == 3
    assert said[0].endswith("not gone")
    assert said[1].startswith("the ledger still waits for close-public-access:")
    assert said[2].startswith("the ledger says that the app made")


def test_a_row_of_a_registry_that_never_was_and_an_index_of_one_that_is_gone_are_noticed() -> None:
    async def invent(house: StormHouse) -> list[str]:
        (registry,) = house.registries_of_story
        stranger = as_id(f"{registry}-never")
        entry = await house.ledger.read(as_id(registry))
        assert entry is not None
        await house.ledger.write(replace(entry.row, registry=stranger, made=()), None)
        await house.index.forget(as_id(registry), list(house.index.owners))
        await house.index.note(stranger, [as_id(house.account)])
        return await promises.remembered(house, "converged")

    assert [each.partition(" /")[0] for each in isolated_and_then(invent)] == [
        "the ledger has a row of",
        "the index has stshared for",
        "the index still has stshared, whose registry is gone",
    ]


def test_a_lease_that_is_not_given_back_is_noticed() -> None:
    async def keep(house: StormHouse) -> list[str]:
        async with house.leases.hold("storage-account:x"):
            return promises.nothing_left(house)

    assert isolated_and_then(keep) == ["nobody has given back the lease storage-account:x"]


def test_a_second_reason_that_is_nobodys_fault_is_no_right_reason() -> None:
    struck = (Injection(kind=Kind.LOCKED, at=1),)
    right, wrong = (Reason(name=name, sentence="No.") for name in ("Locked", "MissingPermission"))

    assert promises.rightly_blocked(BlockedOutcome(reasons=(right,)), struck)
    assert not promises.rightly_blocked(BlockedOutcome(reasons=(right, wrong)), struck)


def test_a_message_that_nobody_handles_is_missed() -> None:
    async def poison(house: StormHouse) -> list[str]:
        await house.stop()
        house.poisoned.put("unread")
        house.steps.put("unread")
        return promises.nothing_left(house)

    assert isolated_and_then(poison) == [
        "1 messages are left in the poison queue",
        "1 messages are left in the sweep queue",
    ]


def test_an_endpoint_without_its_target_and_a_record_without_its_endpoint_are_missed() -> None:
    async def lose(house: StormHouse) -> list[str]:
        account = scenery.parts_of(house.azure, house.azure.require(house.registries_of_story[0]))[0]
        house.azure.world.delete(account.id)
        (interface,) = house.endpoints()[0].properties["networkInterfaces"]
        house.azure.world.delete(interface["id"])
        return promises.orphans(house)

    said = isolated_and_then(lose)

    assert any(each.endswith("which is gone") for each in said)
    assert any(each.endswith("where nobody is") for each in said)


def test_a_setting_that_undo_does_not_bring_back_is_missed() -> None:
    async def differ(house: StormHouse) -> list[str]:
        house.before = promises.settings_of(house, house.registries_of_story[0])
        assert promises.restored(house) == []
        house.before["contoso"] = {"publicNetworkAccess": "Enabled"}
        return promises.restored(house)

    assert isolated_and_then(differ) == [
        "contoso has {'publicNetworkAccess': 'Disabled'}, not {'publicNetworkAccess': 'Enabled'} as before"
    ]
