"""Resource Graph at its door: what it shows, when, to whom, and in which pages."""

from datetime import timedelta
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from tests.local.simulator.arm_client import SUB, ArmClient
from tests.local.simulator.graph_asking import PATH, ask, reason, rows

READ = "Microsoft.ResourceGraph/resources/read"
OTHER = "00000000-0000-4000-8000-0000000000b2"
ZONES = "Resources | where type =~ 'Microsoft.Network/privateDnsZones'"


def world(count: int = 0, *, options: Options | None = None) -> ArmClient:
    """One registry and *count* finished storage accounts, all of it already shown."""
    azure = SimulatedAzure(seed=5, options=options, subscriptions=(SUBSCRIPTION, OTHER))
    scenery.create_registry(azure, "contoso")
    for number in range(count):
        scenery.create_storage_account(azure, f"many{number:04d}")
    azure.graph.refresh()
    return ArmClient(azure)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_a_row_has_the_recorded_columns_and_the_properties_of_a_get() -> None:
    client = world()
    row = rows(client, "Resources | where type =~ 'Microsoft.Storage/storageAccounts'")[0]
    shown = client.get(row["id"], version="2024-01-01").json()
    assert list(row) == [
        *("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy"),
        *("sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"),
    ]
    assert row["type"] == "microsoft.storage/storageaccounts"
    assert (row["kind"], row["managedBy"], row["plan"]) == (shown["kind"], "", None)
    assert row["properties"]["networkAcls"]["defaultAction"] == shown["properties"]["networkAcls"]["defaultAction"]


def test_groups_and_subscriptions_are_containers() -> None:
    client = world()
    found = rows(client, "resourcecontainers | project type, name, managedBy | order by name asc")
    kinds = [each["type"] for each in found]
    assert kinds.count("microsoft.resources/subscriptions") == 2
    managed = next(each for each in found if each["name"].startswith("azureml-rg-contoso_"))
    assert managed["managedBy"].endswith("/registries/contoso")


def test_records_of_private_zones_have_a_table_of_their_own() -> None:
    client = ArmClient()
    zone = f"{client.group()}/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io"
    client.put(zone, {"location": "global"}, version="2024-06-01")
    client.rest()
    address = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.4"}]}}
    client.put(f"{zone}/A/contoso", address, version="2024-06-01")
    client.azure.graph.refresh()
    found = rows(
        client, "DnsResources | mv-expand a = properties.aRecords | project name, ip = tostring(a.ipv4Address)"
    )
    assert found == [{"name": "contoso", "ip": "10.0.0.4"}]
    assert rows(client, "Resources | project type") == [{"type": "microsoft.network/privatednszones"}]


def test_a_documented_table_without_simulated_types_is_empty_and_an_unknown_one_is_refused() -> None:
    client = world()
    assert rows(client, "RecoveryServicesResources | where type =~ 'x'") == []
    assert "no table 'Nonsense'" in reason(ask(client, "Nonsense | take 1"))


# -- lag ---------------------------------------------------------------------------------------------------------------


def test_a_change_shows_when_its_time_has_come_and_not_before() -> None:
    client = ArmClient(SimulatedAzure(options=Options(graph_lag=timedelta(minutes=5))))
    zone = f"{client.group()}/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io"
    client.put(zone, {"location": "global"}, version="2024-06-01")
    client.rest()
    client.wait(299)
    assert rows(client, ZONES) == []
    client.wait(1)
    assert [each["name"] for each in rows(client, ZONES)] == ["privatelink.azurecr.io"]


def test_a_deletion_shows_late_too() -> None:
    client = world(count=1)
    account = f"{SUB}/resourceGroups/rg-ml/providers/Microsoft.Storage/storageAccounts/many0000"
    query = "Resources | where name == 'many0000' | project name"
    assert client.delete(account, version="2023-05-01").status == 200
    client.wait(59)
    assert len(rows(client, query)) == 1
    client.wait(1)
    assert rows(client, query) == []


def test_two_changes_in_quick_succession_show_one_after_the_other() -> None:
    client = world(count=1)
    account = f"{SUB}/resourceGroups/rg-ml/providers/Microsoft.Storage/storageAccounts/many0000"
    query = "Resources | where name == 'many0000' | project access = tostring(properties.publicNetworkAccess)"
    seen = []
    for wanted in ("Disabled", "Enabled"):
        client.patch(account, {"properties": {"publicNetworkAccess": wanted}}, version="2023-05-01")
        client.wait(30)
    for _ in range(3):
        seen.append(rows(client, query)[0]["access"])
        client.wait(29)
    assert seen == ["Disabled", "Disabled", "Enabled"]


def test_a_frozen_index_shows_nothing_new_until_it_thaws() -> None:
    client = world()
    client.azure.graph.weather.frozen = True
    scenery.create_storage_account(client.azure, "late")
    for _ in range(3):
        client.wait(1200)
    query = "Resources | where name == 'late'"
    assert rows(client, query) == []
    client.azure.graph.weather.frozen = False
    assert len(rows(client, query)) == 1


# -- what is missing ---------------------------------------------------------------------------------------------------


def test_subscriptions_that_the_caller_cannot_read_are_left_out_without_a_word() -> None:
    client = world()
    client.azure.rbac.principal("reader", actions=["*/read"], scope=f"/subscriptions/{OTHER}")
    reader = ArmClient(client.azure, principal="reader")
    answer = ask(reader, "Resources", subscriptions=[SUBSCRIPTION, OTHER])
    assert (answer.status, answer.json()["data"], answer.json()["resultTruncated"]) == (200, [], "false")


def test_a_query_needs_one_subscription_in_which_the_caller_is_known() -> None:
    client = world()
    client.azure.rbac.principal("reader", actions=["*/read"], scope=f"/subscriptions/{OTHER}")
    reader = ArmClient(client.azure, principal="reader")
    assert "at least one subscription" in reason(ask(reader, "Resources", subscriptions=[SUBSCRIPTION]))
    assert "at least one subscription" in reason(ask(client, "Resources", subscriptions=["unknown"]))
    assert ask(reader, "Resources").json()["data"] == []


def test_a_right_in_one_group_shows_that_group_only() -> None:
    client = world(count=1)
    client.azure.rbac.principal("narrow", actions=["*/read"], scope=f"{SUB}/resourceGroups/rg-ml")
    narrow = ArmClient(client.azure, principal="narrow")
    groups = {each["resourceGroup"] for each in rows(narrow, "Resources")}
    assert groups == {"rg-ml"}


def test_a_role_without_a_type_does_not_see_it() -> None:
    client = world()
    actions = [READ, "Microsoft.Storage/storageAccounts/read"]
    client.azure.rbac.principal("storage", actions=actions, scope=SUB)
    found = rows(ArmClient(client.azure, principal="storage"), "Resources | distinct type")
    assert found == [{"type": "microsoft.storage/storageaccounts"}]


def test_the_right_to_ask_is_needed_somewhere() -> None:
    client = world()
    client.azure.rbac.principal("nobody", actions=["Microsoft.Storage/storageAccounts/read"], scope=SUB)
    refused = ask(ArmClient(client.azure, principal="nobody"), "Resources")
    assert client.error(refused) == (403, "AuthorizationFailed")


def test_lost_rows_are_the_same_on_every_page_and_admitted_only_when_told_to() -> None:
    client = world(count=200)
    query = "Resources | where name startswith 'many' | project id | order by id asc"
    client.azure.graph.weather.lost_share = 0.25
    silent = ask(client, query)
    assert 0 < silent.json()["totalRecords"] < 200
    assert silent.json()["resultTruncated"] == "false"
    assert ask(client, query).json()["data"] == silent.json()["data"]
    client.azure.graph.weather.announced = True
    assert ask(client, query).json()["resultTruncated"] == "true"


def test_a_hidden_subscription_is_missing_for_everybody() -> None:
    client = world()
    client.azure.graph.weather.hidden.add(SUBSCRIPTION)
    assert rows(client, "Resources") == []


def test_the_weather_can_be_told_as_json() -> None:
    graph = world().azure.graph
    graph.configure({"frozen": True, "hidden": [OTHER.upper()], "lostShare": 0.5, "announced": True, "lagSeconds": 300})
    weather = graph.weather
    told = (weather.frozen, weather.hidden, weather.lost_share, weather.announced, graph.lag)
    assert told == (True, {OTHER}, 0.5, True, timedelta(minutes=5))
    graph.configure({"hidden": [], "refresh": True})
    assert (weather.hidden, weather.frozen, graph.lag) == (set(), True, timedelta(minutes=5))
    for wrong in ({"lostShare": 2}, {"lagSeconds": -1}, {"storm": 1}, {"lostShare": "x"}):
        with pytest.raises(ValueError, match=r"lostShare|storm|float"):
            graph.configure(wrong)
    with pytest.raises(TypeError):
        graph.configure([])


# -- pages -------------------------------------------------------------------------------------------------------------


def test_sorted_pages_hold_every_row_once() -> None:
    client = world(count=25)
    query = "Resources | where name startswith 'many' | project id, name | order by id asc"
    found: list[str] = []
    options: dict[str, Any] = {"top": 10}
    for _ in range(3):
        page = ask(client, query, **options).json()
        assert (page["totalRecords"], page["resultTruncated"]) == (25, "false")
        found += [each["name"] for each in page["data"]]
        options = {"top": 10, "skipToken": page.get("$skipToken", "")}
    assert found == [f"many{number:04d}" for number in range(25)]
    assert options["skipToken"] == ""


def test_pages_without_an_order_overlap_and_leave_gaps() -> None:
    client = world(count=60)
    query = "Resources | where name startswith 'many' | project name"
    first = ask(client, query, top=30).json()
    second = ask(client, query, top=30, skipToken=first["$skipToken"]).json()
    names = {each["name"] for each in (*first["data"], *second["data"])}
    assert len(names) < 60


def test_a_query_with_take_or_with_dynamics_only_has_no_further_page() -> None:
    client = world(count=20)
    limited = ask(client, "Resources | take 15 | project id", top=10).json()
    assert (limited["totalRecords"], limited["count"], limited["resultTruncated"]) == (15, 10, "true")
    assert "$skipToken" not in limited
    dynamics = ask(client, "Resources | project properties", top=10).json()
    assert dynamics["resultTruncated"] == "true"
    assert "$skipToken" not in dynamics


def test_skip_begins_later_and_is_ignored_beside_take() -> None:
    client = world(count=5)
    ordered = "Resources | where name startswith 'many' | project name | order by name asc"
    assert [each["name"] for each in rows(client, ordered, skip=3)] == ["many0003", "many0004"]
    assert len(rows(client, f"{ordered} | take 2", skip=3)) == 2


def test_a_token_serves_its_own_query_only() -> None:
    client = world(count=20)
    token = ask(client, "Resources | project id | order by id asc", top=5).json()["$skipToken"]
    assert "another query" in reason(ask(client, "Resources | project id", skipToken=token))
    assert "not one that" in reason(ask(client, "Resources | project id", skipToken="bm9uc2Vuc2U="))


def test_a_page_has_at_most_a_thousand_rows() -> None:
    client = world(count=1001)
    page = ask(client, "Resources | project id | order by id asc").json()
    assert (page["count"], page["totalRecords"]) == (1000, 1004)
    assert "$top" in reason(ask(client, "Resources", top=1001))


def test_the_table_format_names_columns_and_their_types() -> None:
    client = world()
    answer = ask(client, "Resources | summarize n = count(), t = any(tags) by type | take 1", resultFormat="table")
    assert answer.json()["data"]["columns"] == [
        {"name": "type", "type": "string"},
        {"name": "n", "type": "integer"},
        {"name": "t", "type": "object"},
    ]
    assert answer.json()["data"]["rows"][0][1] == 1


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_the_sixteenth_query_in_five_seconds_is_told_to_wait() -> None:
    client = world()
    first = ask(client, "Resources | count")
    assert first.header("x-ms-user-quota-remaining") == "14"
    assert first.header("x-ms-user-quota-resets-after") == "00:00:05"
    for _ in range(14):
        assert ask(client, "Resources | count").status == 200
    client.wait(2)
    refused = ask(client, "Resources | count")
    assert (client.error(refused), refused.header("Retry-After")) == ((429, "RateLimiting"), "3")
    client.azure.rbac.principal("other", actions=["*"])
    assert ask(ArmClient(client.azure, principal="other"), "Resources | count").status == 200
    client.wait(3)
    assert ask(client, "Resources | count").status == 200


def test_scripted_faults_hit_queries_like_any_other_call() -> None:
    client = world()
    client.azure.faults.add(Fault(kind=FaultKind.RESPOND, method="POST", path="ResourceGraph", status=503))
    assert ask(client, "Resources").status == 503
    assert ask(client, "Resources").status == 200


def test_a_syntax_error_names_line_position_and_word() -> None:
    answer = ask(world(), "Resources\n| where name ==")
    details = answer.json()["error"]["details"]
    assert [each["code"] for each in details] == ["InvalidQuery", "ParserFailure"]
    assert (details[1]["line"], details[1]["characterPositionInLine"], details[1]["token"]) == (2, 15, "<EOF>")


def test_an_answer_of_more_than_sixteen_megabytes_is_refused() -> None:
    client = world(count=1)
    account = client.azure.require(f"{SUB}/resourceGroups/rg-ml/providers/Microsoft.Storage/storageAccounts/many0000")
    account.body["tags"] = {"long": "x" * 17_000_000}
    client.azure.world.touch(account)
    client.azure.graph.refresh()
    assert "exceeded the limit of 16777216" in reason(ask(client, "Resources"))
    assert ask(client, "Resources | project id").status == 200


def test_requests_that_make_no_sense_are_refused() -> None:
    client = world()
    assert "no query" in reason(ask(client, " "))
    assert "resultFormat" in reason(ask(client, "Resources", resultFormat="xml"))
    assert "$skip" in reason(ask(client, "Resources", skip=-1))
    assert "subscriptions" in reason(
        client.post(PATH, {"query": "Resources", "subscriptions": "x"}, version="2021-03-01")
    )
    assert client.post(PATH, {"query": "Resources", "managementGroups": ["x"]}, version="2021-03-01").status == 501
    assert client.post(PATH, {"query": "Resources"}, version="2019-04-01").status == 400
    assert (
        client.post(PATH, {"query": "Resources", "facets": [{"expression": "type"}]}, version="2021-03-01").status
        == 501
    )
    assert "options" in reason(client.post(PATH, {"query": "Resources", "options": ["x"]}, version="2021-03-01"))
