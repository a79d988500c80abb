"""Whose part a resource is: told by the index, else by Azure, never by the event; and cheap to tell again."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from local.memory import MemoryLedger
from local.memory_index import MemoryOwnerIndex
from shared.core.arm import ResourceId
from shared.core.errors import AccessDenied, Refused, RegistryIsolationError, Unavailable
from shared.core.naming import MANAGED_BY, MANAGED_BY_TAG, REGISTRY_TAG, endpoint_tags
from shared.core.registry import ENDPOINT_TYPE, STORAGE_TYPE
from shared.engine.owners import MOST_REMEMBERED, REMEMBERED, Owners
from shared.engine.records import LedgerSummary
from tests.core.worlds import GUID, MANAGED, ZONE_HOME, a_policy, group_id, registry_id, zone_id
from tests.engine.desk import ALPHA, SECOND, a_row
from tests.virtual_time import LoopClock

pytestmark = pytest.mark.virtual_time
ACCOUNT = MANAGED.resource(STORAGE_TYPE, "a1")
ENDPOINT = group_id("rg-hub").resource(ENDPOINT_TYPE, "pe-1")
RECORD = zone_id("privatelink.blob.core.windows.net", ZONE_HOME).child("A", "a1")


class Told:
    """What Azure says, and how often it was asked."""

    def __init__(self) -> None:
        self.managers: dict[ResourceId, str] = {}
        self.tags: dict[ResourceId, Mapping[str, str]] = {}
        self.errors: list[RegistryIsolationError] = []
        self.asked = 0

    async def managed_by(self, group: ResourceId) -> str:
        await self._ask()
        return self.managers.get(group, "")

    async def endpoint_tags(self, endpoint: ResourceId) -> Mapping[str, str]:
        await self._ask()
        return self.tags.get(endpoint, {})

    async def _ask(self) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)


class Office:
    def __init__(self, **policy: Any) -> None:
        self.clock, self.index, self.ledger, self.azure = LoopClock(), MemoryOwnerIndex(), MemoryLedger(), Told()
        self.owners = Owners(
            policy=a_policy(**policy),
            index=self.index,
            ledger=self.ledger,
            clock=self.clock,
            make_source=lambda: self.azure,
        )


async def test_the_index_leads_every_part_back_without_asking_azure() -> None:
    office = Office()
    await office.index.note(ALPHA, [MANAGED, ENDPOINT, RECORD])

    assert [await office.owners.of(part) for part in (ACCOUNT, ENDPOINT, RECORD)] == [(ALPHA,)] * 3
    assert office.azure.asked == 0


async def test_what_cannot_belong_to_a_registry_is_not_even_looked_up() -> None:
    office = Office()
    elsewhere = group_id("rg-ml")

    for part in (elsewhere.resource(STORAGE_TYPE, "a1"), elsewhere.resource(ENDPOINT_TYPE, "pe")):
        assert await office.owners.of(part) == ()
    assert (office.index.finds, office.azure.asked) == (0, 0)


async def test_a_group_that_the_index_does_not_know_is_asked_who_manages_it() -> None:
    office = Office()
    office.azure.managers[MANAGED] = ALPHA.text.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/")

    assert await office.owners.of(ACCOUNT) == (ALPHA,)


@pytest.mark.parametrize(
    "manager",
    ["", "not an id", ALPHA.group.text, ALPHA.text.replace("registries", "workspaces"), f"{ALPHA.text}/x/y"],
)
async def test_a_group_that_no_registry_manages_is_nobodys(manager: str) -> None:
    office = Office()
    office.azure.managers[MANAGED] = manager

    assert await office.owners.of(ACCOUNT) == ()


async def test_a_registry_out_of_scope_is_nobody_here() -> None:
    office = Office(scope={"subscriptions": [ALPHA.subscription], "registries": {"exclude": ["al*"]}})
    office.azure.managers[MANAGED] = ALPHA.text
    await office.index.note(ALPHA, [ENDPOINT])

    assert await office.owners.of(ACCOUNT) == ()
    assert await office.owners.of(ENDPOINT) == ()


async def test_an_endpoint_is_believed_only_about_registries_that_the_ledger_knows() -> None:
    office = Office()
    office.azure.tags[ENDPOINT] = endpoint_tags(ALPHA)
    assert await office.owners.of(ENDPOINT) == ()

    await office.ledger.write(a_row(), None)
    await office.clock.sleep(REMEMBERED)
    assert await office.owners.of(ENDPOINT) == (ALPHA,)


@pytest.mark.parametrize(
    "tags",
    [{}, {REGISTRY_TAG: ALPHA.text}, {MANAGED_BY_TAG: MANAGED_BY}, {MANAGED_BY_TAG: MANAGED_BY, REGISTRY_TAG: "x"}],
)
async def test_an_endpoint_without_the_apps_tags_is_nobodys(tags: Mapping[str, str]) -> None:
    office = Office()
    await office.ledger.write(a_row(), None)
    office.azure.tags[ENDPOINT] = tags

    assert await office.owners.of(ENDPOINT) == ()


async def test_a_record_that_the_index_does_not_know_is_nobodys() -> None:
    office = Office()

    assert await office.owners.of(RECORD) == ()
    assert office.azure.asked == 0


async def test_a_storm_in_somebody_elses_group_costs_one_question_in_two_minutes() -> None:
    office = Office()
    parts = [MANAGED.resource(STORAGE_TYPE, f"a{number}") for number in range(500)]

    await asyncio.gather(*(office.owners.of(part) for part in parts))
    assert (office.index.finds, office.azure.asked) == (1, 1)

    await office.clock.sleep(REMEMBERED)
    await office.owners.of(ACCOUNT)
    assert office.azure.asked == 2


async def test_a_group_that_gets_its_registry_later_is_found_when_the_answer_is_old() -> None:
    office = Office()
    assert await office.owners.of(ACCOUNT) == ()

    office.azure.managers[MANAGED] = ALPHA.text
    assert await office.owners.of(ACCOUNT) == ()
    await office.clock.sleep(REMEMBERED + SECOND)
    assert await office.owners.of(ACCOUNT) == (ALPHA,)


async def test_what_is_remembered_is_bounded() -> None:
    office = Office()
    groups = [group_id(f"azureml-rg-other{number}_{GUID}") for number in range(MOST_REMEMBERED + 10)]
    for group in groups:
        await office.owners.of(group.resource(STORAGE_TYPE, "a1"))
    asked = office.azure.asked

    await office.owners.of(groups[-1].resource(STORAGE_TYPE, "a1"))
    assert office.azure.asked == asked
    await office.owners.of(groups[0].resource(STORAGE_TYPE, "a1"))
    assert office.azure.asked == asked + 1


@pytest.mark.parametrize("error", [AccessDenied("403"), Refused("400")])
async def test_a_group_that_the_app_may_not_read_is_somebody_elses(error: RegistryIsolationError) -> None:
    office = Office()
    office.azure.errors.append(error)

    assert await office.owners.of(ACCOUNT) == ()


async def test_an_azure_that_does_not_answer_is_asked_again_by_the_next_delivery() -> None:
    office = Office()
    office.azure.errors.append(Unavailable("No answer."))
    office.azure.managers[MANAGED] = ALPHA.text

    with pytest.raises(Unavailable):
        await office.owners.of(ACCOUNT)
    assert await office.owners.of(ACCOUNT) == (ALPHA,)


async def test_azure_is_connected_to_once_and_only_when_needed() -> None:
    made = []
    office = Office()

    def make_source() -> Told:
        made.append(1)
        return office.azure

    owners = Owners(
        policy=a_policy(), index=office.index, ledger=office.ledger, clock=office.clock, make_source=make_source
    )
    await office.index.note(ALPHA, [ENDPOINT])
    await owners.of(ENDPOINT)
    assert made == []
    for name in ("alpha", "beta"):
        await owners.of(group_id(f"azureml-rg-{name}_{GUID}").resource(STORAGE_TYPE, "a1"))
    assert made == [1]


def several(count: int) -> Sequence[ResourceId]:
    return [registry_id(f"alpha{number}") for number in range(count)]


async def test_an_endpoint_that_serves_several_registries_leads_to_each() -> None:
    office = Office()
    for registry in several(3):
        await office.index.note(registry, [ENDPOINT])

    assert list(await office.owners.of(ENDPOINT)) == several(3)


async def test_an_app_that_may_not_read_its_own_ledger_says_so_and_drops_no_event() -> None:
    """Only Azure's refusal to tell of somebody else's group means that the part is nobody's."""

    class Locked(MemoryLedger):
        async def summaries(self, registries: Sequence[ResourceId]) -> Mapping[ResourceId, LedgerSummary]:
            raise AccessDenied(f"The app may not read its ledger of {len(registries)}.")

    office = Office()
    owners = Owners(
        policy=a_policy(), index=office.index, ledger=Locked(), clock=office.clock, make_source=lambda: office.azure
    )
    office.azure.tags[ENDPOINT] = endpoint_tags(ALPHA)

    with pytest.raises(AccessDenied, match="its ledger of 1"):
        await owners.of(ENDPOINT)
