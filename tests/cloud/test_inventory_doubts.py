"""
Rows that do not suffice, rows that are missing, and cursors that lead nowhere.

One isolated registry is asked about once; each test then spoils a copy of what Resource Graph answered.
"""

import copy
import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from azure.core.rest import AsyncHttpResponse, HttpRequest

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.transport import SimulatedTransport
from shared.cloud.inventory import ResourceGraphInventory
from shared.core.arm import ResourceId
from shared.core.clouds import CLOUDS
from shared.core.errors import ChangedUnderneath
from shared.core.lockdown import Memory
from shared.core.naming import endpoint_id
from shared.core.planner import make_plan
from shared.core.policy import IsolationPolicy
from shared.core.registry import TargetKind
from shared.engine.sweep_ports import InventoryPage
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client
from tests.cloud.graph_house import Graph
from tests.cloud.test_inventory_graph import HandClock
from tests.scenarios.house import House
from tests.virtual_time import run_virtual

QUESTIONS = ("registries", "parts", "to groups", "to registries", "zones", "records")
"""What a page asks, in this order."""

NOTHING = {"totalRecords": 0, "count": 0, "data": []}

type Answers = dict[str, Any]
type Spoil = Callable[[Answers], None]


class Listening(SimulatedTransport):
    """Keeps every answer."""

    def __init__(self, azure: SimulatedAzure, now: Callable[[], datetime]) -> None:
        super().__init__(azure, now)
        self.heard: list[Any] = []

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        response = await super().send(request, **options)
        self.heard.append(response.json())
        return response


@cache
def recorded() -> str:
    """The policy and the six answers about one isolated registry, as JSON."""
    answers: list[Any] = []
    policy: dict[str, Any] = {}

    async def story() -> None:
        async with House() as house:
            policy.update(house.document)
            registry = scenery.create_registry(house.azure, "contoso", now=house.now())
            await house.ask(registry)
            assert await house.settle(registry) == "converged"
            await Graph(house).catch_up()
            house.transport = Listening(house.azure, house.clock.now)
            page = await Graph(house).page()
            assert page.queries == len(QUESTIONS)
            answers.extend(house.transport.heard)

    run_virtual(story())
    return json.dumps({"policy": policy, "answers": dict(zip(QUESTIONS, answers, strict=True))})


@pytest.fixture(scope="module", autouse=True)
def _once() -> None:
    """Recorded before any test's own event loop runs."""
    recorded()


class Spoiled:
    """The inventory over spoiled answers."""

    def __init__(self, spoil: Spoil = lambda _: None, **policy: Any) -> None:
        known = json.loads(recorded())
        self.answers: Answers = known["answers"]
        spoil(self.answers)
        self.policy = IsolationPolicy.from_document(known["policy"] | policy)
        self.transport = AnsweringTransport(self.answer)
        self.clock = HandClock()
        self.inventory = ResourceGraphInventory(
            arm=arm_client(self.transport),
            policy=self.policy,
            zone_table=CLOUDS["AzureCloud"].zones,
            clock=self.clock,
        )

    def answer(self, _: Sent) -> Reply:
        asked = len(self.transport.sent)
        return Reply(200, self.answers[QUESTIONS[asked - 1]] if asked <= len(QUESTIONS) else NOTHING)

    async def page(self) -> InventoryPage:
        return await self.inventory.page()

    def converged(self, page: InventoryPage) -> bool:
        registry = page.registries[0].registry
        assert registry is not None
        plan = make_plan(registry, self.policy, CLOUDS["AzureCloud"].zones, Memory(now=self.clock.now()))
        return plan.converged


def rows(answers: Answers, question: str) -> Any:
    return answers[question]["data"]


def parts(answers: Answers) -> Any:
    return rows(answers, "parts")[0]["rows"]


async def test_what_was_recorded_is_isolated_and_whole() -> None:
    graph = Spoiled()
    page = await graph.page()
    assert (page.partial, page.cursor, page.queries) == ("", "", 6)
    assert graph.converged(page)


# --- doubts -----------------------------------------------------------------------------------------------------------


def without_public_access_of_storage(answers: Answers) -> None:
    for part in parts(answers):
        if "storageAccounts" in part["id"]:
            part["properties"]["publicNetworkAccess"] = None


def without_public_access_of_the_registry(answers: Answers) -> None:
    del rows(answers, "registries")[0]["properties"]["publicNetworkAccess"]


def without_managed_group(answers: Answers) -> None:
    del rows(answers, "registries")[0]["properties"]["managedResourceGroup"]


def without_ids_of_a_region(answers: Answers) -> None:
    details = rows(answers, "registries")[0]["properties"]["regionDetails"]
    details.append({"location": "northeurope", "storageAccountDetails": [], "acrDetails": []})


def without_interfaces(answers: Answers) -> None:
    for row in rows(answers, "to groups"):
        for endpoint in row["rows"]:
            endpoint["configurations"] = None


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without_public_access_of_storage, "does not show the public access of"),
        (without_public_access_of_the_registry, "does not show the public access of contoso"),
        (without_managed_group, "does not show the registry's managed resource group"),
        (without_ids_of_a_region, "the storage and container registry of every region"),
        (without_interfaces, "does not show the network interface of pe-contoso-"),
    ],
)
async def test_a_member_that_the_verdict_hangs_on_is_neither_open_nor_closed_when_it_is_missing(
    spoil: Spoil, told: str
) -> None:
    page = await Spoiled(spoil).page()
    assert page.registries[0].registry is None
    assert told in page.registries[0].doubt


async def test_public_access_that_the_policy_does_not_close_need_not_be_known() -> None:
    targets = {"storage": {"public_access": "keep"}}
    graph = Spoiled(without_public_access_of_storage, targets=targets)
    assert graph.converged(await graph.page())


async def test_many_doubts_are_counted_instead_of_listed() -> None:
    def spoil(answers: Answers) -> None:
        without_public_access_of_the_registry(answers)
        for part in parts(answers):
            part["properties"]["publicNetworkAccess"] = None
        without_interfaces(answers)

    page = await Spoiled(spoil).page()
    assert page.registries[0].doubt.endswith("(and 2 more)")


async def test_parts_that_are_missing_make_the_registry_doubtful_and_the_page_partial() -> None:
    def spoil(answers: Answers) -> None:
        row = rows(answers, "parts")[0]
        row["rows"], row["held"] = row["rows"][:1], 1

    page = await Spoiled(spoil).page()
    assert page.partial == "Resource Graph does not show 1 storage accounts or container registries."
    assert "which Resource Graph does not show" in page.registries[0].doubt


# --- partial pages ----------------------------------------------------------------------------------------------------


def packed_short(answers: Answers) -> None:
    single = next(row for row in rows(answers, "records") if row["held"] == 1)
    single["held"] += 1


def records_without_addresses(answers: Answers) -> None:
    for row in rows(answers, "records"):
        for record in row["rows"]:
            record["properties"] = {"aRecords": None}


def a_registry_without_an_id(answers: Answers) -> None:
    answers["registries"]["data"].append({"id": "/strange", "properties": {}})
    answers["registries"]["totalRecords"] += 1


def more_registries_than_rows(answers: Answers) -> None:
    answers["registries"]["totalRecords"] = 7


def truncated(answers: Answers) -> None:
    answers["zones"]["resultTruncated"] = "true"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (packed_short, "gave 1 of them"),
        (records_without_addresses, "A records without their addresses"),
        (a_registry_without_an_id, "without a resource id"),
        (more_registries_than_rows, "gave 1 of 7 registries"),
        (truncated, "truncated"),
    ],
)
async def test_a_page_says_that_rows_may_be_missing(spoil: Spoil, told: str) -> None:
    page = await Spoiled(spoil).page()
    assert told in page.partial
    assert len(page.registries) == 1


async def test_records_without_addresses_are_no_right_records() -> None:
    graph = Spoiled(records_without_addresses)
    assert not graph.converged(await graph.page())


async def test_other_spellings_and_strange_rows_do_no_harm() -> None:
    def spoil(answers: Answers) -> None:
        parts(answers).append({"id": parts(answers)[0]["id"] + "/things/one", "properties": None})
        parts(answers).append({"id": None})
        rows(answers, "parts")[0]["held"] += 2
        rows(answers, "zones").append({"id": "/strange"})
        endpoints = rows(answers, "to groups")[0]
        endpoints["rows"].append({"id": None, "properties": {}})
        endpoints["held"] += 1
        records = rows(answers, "records")[0]
        records["rows"].append({"id": "/strange", "properties": {"aRecords": []}})
        records["held"] += 1
        for part in parts(answers)[:2]:
            part["id"] = part["id"].upper()

    graph = Spoiled(spoil)
    page = await graph.page()
    assert page.partial == ""
    assert graph.converged(page)


async def test_an_endpoint_left_over_from_storage_that_is_gone_is_something_to_look_at() -> None:
    def spoil(answers: Answers) -> None:
        packed = rows(answers, "to groups")[0]
        left = copy.deepcopy(next(each for each in packed["rows"] if "-storage-" in each["id"]))
        connection = left["properties"]["privateLinkServiceConnections"][0]["properties"]
        connection["privateLinkServiceId"] += "gone"
        connection["privateLinkServiceConnectionState"]["status"] = "Disconnected"
        left["id"] = own_name(left)
        packed["rows"].append(left)
        packed["held"] += 1

    graph = Spoiled(spoil)
    page = await graph.page()
    registry = page.registries[0].registry
    assert registry is not None
    assert [endpoint.id.name.startswith("pe-contoso-storage-") for endpoint in registry.left_over] == [True]
    assert not graph.converged(page)


def own_name(endpoint: Any) -> str:
    """The id that the app would have given it."""
    connection = endpoint["properties"]["privateLinkServiceConnections"][0]["properties"]
    target = ResourceId.parse(connection["privateLinkServiceId"])
    registry = ResourceId.parse(endpoint["tags"]["registry-isolation-registry"])
    subnet = ResourceId.parse(endpoint["properties"]["subnet"]["id"])
    home = ResourceId.parse(endpoint["id"]).group
    return endpoint_id(home, registry, TargetKind.STORAGE, target, "blob", subnet).text


async def test_what_the_policy_shares_with_and_nobody_shows_is_told_and_stops_nothing() -> None:
    workspace = (
        "/subscriptions/00000000-0000-4000-8000-000000000002/resourceGroups/rg-ml/providers/"
        "Microsoft.MachineLearningServices/workspaces/gone"
    )
    graph = Spoiled(sharing=[{"registries": ["*"], "workspaces": [workspace]}])
    page = await graph.page()
    registry = page.registries[0].registry
    assert registry is not None
    assert registry.sharing is not None
    assert [entry.id.name for entry in registry.sharing.unreadable] == ["gone"]
    assert page.partial == "Resource Graph does not show gone, which the policy needs."
    assert graph.converged(page)


# --- cursors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cursor", ["x", "1", "-1.0.", "0.x.token", "²..", "0.0.\n", "7.0.", "0"])
async def test_a_cursor_that_is_not_ours_means_to_begin_again(cursor: str) -> None:
    graph = Spoiled()
    with pytest.raises(ChangedUnderneath):
        await graph.inventory.page(cursor)
    assert graph.transport.sent == []


async def test_more_subscriptions_than_one_query_takes_are_read_one_thousand_after_the_other() -> None:
    subscriptions = [f"00000000-0000-4000-8000-{number:012d}" for number in range(1, 2050)]
    graph = Spoiled(scope={"subscriptions": subscriptions})
    first = await graph.page()
    assert first.cursor
    graph.transport.sent.clear()
    second = await graph.inventory.page(first.cursor)
    assert graph.transport.sent[0].body["subscriptions"] == subscriptions[1000:2000]
    graph.transport.sent.clear()
    assert (await graph.inventory.page(second.cursor)).cursor == ""


async def test_a_page_begins_where_azures_token_says() -> None:
    graph = Spoiled(lambda answers: answers["registries"].update({"$skipToken": "a.b", "totalRecords": 2}))
    page = await graph.page()
    graph.transport.sent.clear()
    graph.answers["registries"].pop("$skipToken")
    last = await graph.inventory.page(page.cursor)
    assert graph.transport.sent[0].body["options"]["$skipToken"] == "a.b"
    assert (last.cursor, last.partial) == ("", "")


async def test_a_page_without_registries_asks_nothing_more() -> None:
    graph = Spoiled(lambda answers: answers["registries"].update({"data": [], "totalRecords": 0}))
    page = await graph.page()
    assert (page.registries, page.queries, page.partial) == ((), 1, "")
