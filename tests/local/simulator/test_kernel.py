"""The door itself: admission in Resource Manager's order, time, long operations, the log."""

import json
from datetime import datetime, timedelta
from functools import partial

import pytest

from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.call import Change
from local.simulator.options import EventMoment, Options
from local.simulator.routing import Route, Router
from local.simulator.wire import Request, Response
from local.simulator.world import Resource
from tests.local.simulator.arm_client import SUB, ArmClient

VNETS = "/providers/Microsoft.Network/virtualNetworks"
NETWORK = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}


def made_network(arm: ArmClient, name: str = "vn") -> tuple[str, Response]:
    path = f"{arm.group()}{VNETS}/{name}"
    return path, arm.put(path, NETWORK)


def test_an_unknown_call_is_answered_501_and_named() -> None:
    answer = ArmClient().get(f"{SUB}/providers/Microsoft.Quantum/workspaces")
    assert answer.status == 501
    assert "GET " in answer.json()["error"]["message"]
    assert "Microsoft.Quantum/workspaces" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "AuthenticationFailed"),
        ({"Authorization": "Bearer nonsense"}, "InvalidAuthenticationToken"),
        ({"Authorization": "Bearer a.bm9uc2Vuc2U.c"}, "InvalidAuthenticationToken"),
    ],
)
def test_a_call_without_a_usable_token_is_answered_401(headers: dict[str, str], code: str) -> None:
    azure = SimulatedAzure()
    answer = azure.handle(Request("GET", f"{azure.endpoint}{SUB}?api-version=2022-12-01", headers), azure.world.now)
    assert (answer.status, answer.json()["error"]["code"]) == (401, code)
    assert answer.header("WWW-Authenticate").startswith("Bearer authorization_uri=")


def test_a_token_expires() -> None:
    azure = SimulatedAzure()
    headers = azure.headers()
    request = Request("GET", f"{azure.endpoint}{SUB}?api-version=2022-12-01", headers)
    assert azure.handle(request, azure.world.now + timedelta(hours=23)).status == 200
    assert azure.handle(request, azure.world.now + timedelta(hours=2)).status == 401


@pytest.mark.parametrize(
    ("query", "code"), [("", "MissingApiVersionParameter"), ("?api-version=latest", "InvalidApiVersionParameter")]
)
def test_an_api_version_is_demanded(query: str, code: str) -> None:
    azure = SimulatedAzure()
    answer = azure.handle(Request("GET", f"{azure.endpoint}{SUB}{query}", azure.headers()), azure.world.now)
    assert (answer.status, answer.json()["error"]["code"]) == (400, code)


def test_another_subscription_is_not_found() -> None:
    answer = ArmClient().get("/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups")
    assert (answer.status, answer.json()["error"]["code"]) == (404, "SubscriptionNotFound")


def test_the_group_is_looked_for_before_the_resource() -> None:
    arm = ArmClient()
    absent = arm.get(f"{SUB}/resourceGroups/nowhere{VNETS}/vn")
    assert arm.error(absent) == (404, "ResourceGroupNotFound")
    assert absent.header("x-ms-failure-cause") == "gateway"
    missing = arm.get(f"{arm.group()}{VNETS}/vn")
    assert arm.error(missing) == (404, "ResourceNotFound")
    assert "'Microsoft.Network/virtualNetworks/vn'" in missing.json()["error"]["message"]


def test_a_nested_resource_needs_its_parent() -> None:
    arm = ArmClient()
    path = f"{arm.group()}{VNETS}/vn/subnets/pe"
    assert arm.error(arm.put(path, {"properties": {}})) == (404, "ParentResourceNotFound")
    assert arm.error(arm.get(path)) == (404, "ResourceNotFound")


def test_a_body_that_is_not_an_object_is_refused() -> None:
    arm = ArmClient()
    url = f"{arm.azure.endpoint}{SUB}/resourceGroups/rg?api-version=2021-04-01"
    for body in (b"{", b"[]", b"7"):
        answer = arm.azure.handle(Request("PUT", url, arm.azure.headers(), body), arm.azure.world.now)
        assert arm.error(answer) == (400, "InvalidRequestContent")


def test_a_provider_that_is_not_registered_takes_no_writes() -> None:
    arm = ArmClient()
    group = arm.group()
    arm.post(f"{SUB}/providers/Microsoft.Network/unregister")
    refused = arm.put(f"{group}{VNETS}/vn", NETWORK)
    assert arm.error(refused) == (409, "MissingSubscriptionRegistration")
    assert arm.post(f"{SUB}/providers/Microsoft.Network/register").json()["registrationState"] == "Registered"
    assert arm.put(f"{group}{VNETS}/vn", NETWORK).status == 201


def test_paths_match_without_regard_to_case_and_come_back_in_the_services_own() -> None:
    arm = ArmClient()
    arm.group("Mixed")
    answer = arm.get(f"/SUBSCRIPTIONS/{SUBSCRIPTION}/resourcegroups/mixed")
    assert answer.json()["id"] == f"{SUB}/resourceGroups/Mixed"
    made = arm.put(f"{SUB}/resourcegroups/Mixed/providers/microsoft.network/virtualnetworks/Vn", NETWORK).json()
    assert made["id"] == f"{SUB}/resourceGroups/Mixed{VNETS}/Vn"


def test_time_passes_only_forward() -> None:
    arm = ArmClient()
    late = arm.azure.world.now + timedelta(hours=1)
    arm.azure.advance(late)
    arm.azure.advance(late - timedelta(minutes=30))
    assert arm.azure.world.now == late


def _note(seen: list[str], name: str, _at: datetime) -> None:
    seen.append(name)


def test_transitions_of_one_moment_run_in_the_order_of_their_declaration() -> None:
    azure = SimulatedAzure()
    seen: list[str] = []
    for name in ("first", "second", "third"):
        azure.world.later(5, partial(_note, seen, name))
    azure.world.later(1, partial(_note, seen, "earlier"))
    azure.advance(azure.world.now + timedelta(seconds=5))
    assert seen == ["earlier", "first", "second", "third"]


def test_the_same_calls_make_the_same_world() -> None:
    def names() -> list[str]:
        arm = ArmClient()
        _, answer = made_network(arm)
        return [answer.json()["properties"]["resourceGuid"], answer.header("Azure-AsyncOperation")]

    assert names() == names()


def test_reading_does_not_disturb_generated_names() -> None:
    def guid(reads: int) -> str:
        arm = ArmClient()
        for _ in range(reads):
            arm.get(SUB)
        return arm.azure.world.guid()

    assert guid(0) == guid(7)


def test_an_operation_is_polled_to_its_end_with_growing_waits() -> None:
    arm = ArmClient()
    path, first = made_network(arm)
    assert (first.status, first.json()["properties"]["provisioningState"]) == (201, "Updating")
    assert first.header("Retry-After") == "3"
    url = first.header("Azure-AsyncOperation")
    waits = [arm.get(url).header("Retry-After") for _ in range(3)]
    assert waits == ["10", "20", "40"]
    arm.wait(5)
    done = arm.get(url)
    assert (done.status, done.json(), done.header("Retry-After")) == (200, {"status": "Succeeded"}, "")
    assert arm.get(path).json()["properties"]["provisioningState"] == "Succeeded"


def test_an_operation_url_must_be_followed_verbatim() -> None:
    arm = ArmClient()
    _, first = made_network(arm)
    url = first.header("Azure-AsyncOperation")
    assert arm.get(url.replace("&s=", "&s=x")).status == 403
    assert arm.get(url).status == 200


def test_a_log_line_says_who_did_what_and_whether_it_was_a_poll() -> None:
    arm = ArmClient()
    path, first = made_network(arm)
    arm.get(first.header("Azure-AsyncOperation"))
    arm.get(path)
    kinds = [(each.kind, each.action, each.status) for each in arm.azure.log[-3:]]
    assert kinds == [
        ("write", "Microsoft.Network/virtualNetworks/write", 201),
        ("poll", "", 200),
        ("read", "Microsoft.Network/virtualNetworks/read", 200),
    ]
    assert json.loads(arm.azure.log[-3].body) == NETWORK


@pytest.mark.parametrize(
    ("moment", "expected"),
    [(EventMoment.COMPLETION, [0, 1]), (EventMoment.ACCEPTANCE, [1, 1]), (EventMoment.BOTH, [1, 2])],
)
def test_a_long_operation_is_told_when_the_option_says(moment: EventMoment, expected: list[int]) -> None:
    arm = ArmClient(SimulatedAzure(options=Options(event_moment=moment)))
    told: list[Change] = []
    arm.azure.listeners.append(told.append)
    arm.group()
    told.clear()
    arm.put(f"{SUB}/resourceGroups/rg-ml{VNETS}/vn", NETWORK)
    counts = [len(told)]
    arm.wait(5)
    counts.append(len(told))
    assert counts == expected
    assert {each.operation_name for each in told} == {"Microsoft.Network/virtualNetworks/write"}


def test_a_read_is_never_told() -> None:
    arm = ArmClient()
    group = arm.group()
    told: list[Change] = []
    arm.azure.listeners.append(told.append)
    arm.get(group)
    arm.get(f"{group}{VNETS}")
    assert told == []


def test_two_rules_for_one_call_are_refused_at_once() -> None:
    router = Router()
    route = Route("GET", "/subscriptions/{sub}/things/{thing}", lambda _azure, _call: Response.empty(200))
    router.add([route])
    with pytest.raises(ValueError, match="two rules for GET"):
        router.add([route])


@pytest.mark.parametrize(
    ("method", "pattern", "action"),
    [
        ("GET", "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.X/a/{b}", "Microsoft.X/a/read"),
        ("GET", "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.X/a", "Microsoft.X/a/read"),
        ("PATCH", "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.X/a/{b}/c/{d}", "Microsoft.X/a/c/write"),
        ("POST", "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.X/a/{b}/list", "Microsoft.X/a/list/action"),
        ("DELETE", "/subscriptions/{sub}/resourceGroups/{rg}", "Microsoft.Resources/subscriptions/resourceGroups/delete"),
        ("PUT", "{scope}/providers/Microsoft.X/e/{f}", "Microsoft.X/e/write"),
    ],
)  # fmt: skip
def test_the_action_follows_from_method_and_pattern(method: str, pattern: str, action: str) -> None:
    assert Route(method, pattern, lambda _azure, _call: Response.empty(200)).action == action


def test_an_operation_url_may_be_shortened_only_where_the_option_says_so() -> None:
    for strict, status in ((True, 403), (False, 200)):
        arm = ArmClient(SimulatedAzure(options=Options(signed_operation_urls=strict)))
        group = arm.group()
        url = arm.put(f"{group}{VNETS}/vn", NETWORK).header("Azure-AsyncOperation")
        assert arm.get(url.partition("&t=")[0]).status == status
        assert arm.get(url).status == 200


def test_a_listener_may_take_away_the_parent_of_what_goes() -> None:
    arm = ArmClient()
    group = arm.group()
    child = f"{group}/providers/Contoso.Things/things/one"
    arm.azure.world.put({"id": child, "properties": {}})
    gone: list[str] = []
    arm.azure.world.on_removal(lambda each: gone.append(each.id))

    def parent_too(_gone: Resource) -> None:
        arm.azure.world.delete(group)

    arm.azure.world.on_removal(parent_too)
    arm.azure.world.delete(group)
    assert (gone, arm.azure.world.get(group)) == ([child, group], None)
