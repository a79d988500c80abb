"""Private DNS: zones, links and A records."""

import json
from typing import Any

import pytest

from local.simulator.wire import Request, Response
from tests.local.simulator.scene import BLOB_ZONE, Scene


def conditional(scene: Scene, method: str, path: str, body: Any, **headers: str) -> Response:
    """A call with precondition headers; underscores stand for hyphens."""
    url = f"{scene.azure.endpoint}{path}?api-version=2024-06-01"
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    content = b"" if body is None else json.dumps(body).encode()
    return scene.azure.handle(Request(method, url, scene.azure.headers() | named, content), scene.azure.world.now)


def test_a_zone_is_accepted_with_an_empty_object_and_polled_with_202() -> None:
    scene = Scene()
    path = f"{scene.network}/privateDnsZones/privatelink.azurecr.io"
    first = scene.put(path, {"location": "global"})
    assert (first.status, first.json(), first.header("Retry-After")) == (202, {}, "30")
    assert "/privateDnsOperationResults/" in first.header("Location")
    pending = scene.get(first.header("Azure-AsyncOperation"))
    assert (pending.status, pending.json(), pending.header("Retry-After")) == (202, {"status": "InProgress"}, "30")
    assert pending.header("Azure-AsyncOperation") == first.header("Azure-AsyncOperation")
    assert scene.get(path).status == 404
    scene.wait(36)
    done = scene.get(first.header("Azure-AsyncOperation"))
    assert (done.status, done.json()) == (200, {"status": "Succeeded"})
    shown = scene.get(path)
    assert shown.json()["properties"]["numberOfRecordSets"] == 1
    assert shown.header("ETag") == shown.json()["etag"]


def test_groups_and_names_come_back_in_lower_case() -> None:
    scene = Scene()
    group = scene.group("Rg-Mixed")
    path = f"{group}/providers/Microsoft.Network/privateDnsZones/PrivateLink.AzureCR.io"
    scene.put(path, {"location": "global"})
    scene.rest()
    shown = scene.get(path).json()
    assert shown["id"].endswith(
        "/resourceGroups/rg-mixed/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io"
    )
    assert shown["name"] == "privatelink.azurecr.io"
    scene.put(f"{path}/A/Contoso", {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.4"}]}})
    record = scene.get(f"{path}/A/CONTOSO").json()
    assert (record["name"], record["properties"]["fqdn"]) == ("contoso", "contoso.privatelink.azurecr.io.")
    assert record["id"] == f"{shown['id']}/A/contoso"


def test_a_precondition_that_fails_is_told_by_the_poll() -> None:
    scene = Scene()
    first = conditional(scene, "PUT", scene.zone, {"location": "global"}, If_None_Match="*")
    assert first.status == 202
    scene.rest()
    told = scene.get(first.header("Azure-AsyncOperation"))
    assert (told.status, told.json()["status"]) == (200, "Failed")
    assert told.json()["error"]["code"] == "PreconditionFailed"


def test_a_zone_with_links_cannot_be_deleted() -> None:
    scene = Scene()
    link = f"{scene.zone}/virtualNetworkLinks/vn-link"
    scene.put(link, {"location": "global", "properties": {"virtualNetwork": {"id": scene.vnet}}})
    scene.rest()
    shown = scene.get(link).json()
    assert shown["properties"]["virtualNetworkLinkState"] == "Completed"
    assert scene.get(scene.zone).json()["properties"]["numberOfVirtualNetworkLinks"] == 1
    refused = scene.delete(scene.zone)
    assert scene.error(refused) == (409, "CannotDeleteResource")
    assert (
        f"'Microsoft.Network/privateDnsZones/{BLOB_ZONE}/virtualNetworkLinks/vn-link'"
        in refused.json()["error"]["message"]
    )
    assert scene.delete(link).status == 202
    scene.rest()
    assert scene.delete(scene.zone).status == 202
    scene.rest()
    assert scene.get(scene.zone).status == 404
    assert scene.delete(scene.zone).status == 204
    assert scene.delete(link).status == 404


def test_a_network_is_linked_to_one_zone_of_a_name_only() -> None:
    scene = Scene()
    other = f"{scene.group('rg-other')}/providers/Microsoft.Network/privateDnsZones/{BLOB_ZONE}"
    scene.put(other, {"location": "global"})
    scene.rest()
    body = {"location": "global", "properties": {"virtualNetwork": {"id": scene.vnet}, "registrationEnabled": False}}
    scene.put(f"{scene.zone}/virtualNetworkLinks/one", body)
    scene.rest()
    for path in (f"{scene.zone}/virtualNetworkLinks/two", f"{other}/virtualNetworkLinks/one"):
        first = scene.put(path, body)
        scene.rest()
        told = scene.get(first.header("Azure-AsyncOperation")).json()
        assert (told["status"], told["error"]["code"]) == ("Failed", "BadRequest")
        assert scene.get(path).status == 404


def test_a_link_is_patched_and_listed() -> None:
    scene = Scene()
    link = f"{scene.zone}/virtualNetworkLinks/one"
    scene.put(link, {"location": "global", "properties": {"virtualNetwork": {"id": scene.vnet}}})
    scene.rest()
    scene.patch(link, {"properties": {"resolutionPolicy": "NxDomainRedirect"}})
    scene.rest()
    (row,) = scene.get(f"{scene.zone}/virtualNetworkLinks", version="2024-06-01").json()["value"]
    assert row["properties"]["resolutionPolicy"] == "NxDomainRedirect"
    assert row["properties"]["virtualNetwork"]["id"] == scene.vnet


def test_a_link_to_no_network_is_refused() -> None:
    scene = Scene()
    link = f"{scene.zone}/virtualNetworkLinks/one"
    assert scene.put(link, {"location": "global", "properties": {}}).json()["code"] == "BadRequest"
    first = scene.put(link, {"properties": {"virtualNetwork": {"id": f"{scene.vnet}x"}}})
    scene.rest()
    assert scene.get(first.header("Azure-AsyncOperation")).json()["status"] == "Failed"


def test_a_link_needs_the_right_to_join_the_network() -> None:
    scene = Scene()
    scene.azure.rbac.principal("app", actions=["Microsoft.Network/privateDnsZones/*"])
    scene.principal = "app"
    body = {"location": "global", "properties": {"virtualNetwork": {"id": scene.vnet}}}
    refused = scene.put(f"{scene.zone}/virtualNetworkLinks/one", body)
    assert scene.error(refused) == (403, "LinkedAuthorizationFailed")


def test_records_are_written_read_patched_and_deleted_at_once() -> None:
    scene = Scene()
    path = f"{scene.zone}/A/contoso"
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.4"}]}}
    made = scene.put(path, body)
    assert (made.status, made.header("ETag")) == (201, made.json()["etag"])
    assert scene.put(path, body).status == 200
    patched = scene.patch(path, {"properties": {"metadata": {"by": "hand"}}}).json()["properties"]
    assert (patched["ttl"], patched["metadata"], patched["aRecords"]) == (
        60,
        {"by": "hand"},
        [{"ipv4Address": "10.0.0.4"}],
    )
    assert scene.get(scene.zone).json()["properties"]["numberOfRecordSets"] == 2
    assert scene.delete(path).status == 200
    assert scene.delete(path).status == 204
    assert (scene.get(path).status, scene.get(path).json()["code"]) == (404, "NotFound")
    assert scene.patch(path, {"properties": {}}).status == 404


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("PUT", {"If_None_Match": "*"}),
        ("PUT", {"If_Match": "old"}),
        ("PATCH", {"If_Match": "old"}),
        ("DELETE", {"If_Match": "old"}),
    ],
)
def test_a_records_precondition_fails_without_a_wrapper(method: str, headers: dict[str, str]) -> None:
    scene = Scene()
    path = f"{scene.zone}/A/contoso"
    scene.put(path, {"properties": {"ttl": 60}})
    refused = conditional(scene, method, path, {"properties": {"ttl": 1}}, **headers)
    assert (refused.status, refused.json()["code"]) == (412, "PreconditionFailed")
    assert scene.get(path).json()["properties"]["ttl"] == 60


def test_a_record_in_no_zone_has_no_parent_whatever_the_method() -> None:
    scene = Scene()
    path = f"{scene.network}/privateDnsZones/nowhere.net/A/x"
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        body: Any = {"properties": {}} if method in ("PUT", "PATCH") else None
        assert scene.error(scene.call(method, path, body)) == (404, "ParentResourceNotFound")


def test_a_name_of_one_label_is_no_zone() -> None:
    scene = Scene()
    answer = scene.put(f"{scene.network}/privateDnsZones/local", {"location": "global"})
    assert (answer.status, answer.json()["code"]) == (400, "BadRequest")


def test_zones_are_listed_by_group_and_by_subscription_with_their_own_limit_header() -> None:
    scene = Scene()
    scene.patch(scene.zone, {"tags": {"a": "b"}})
    scene.rest()
    for scope in (scene.rg, scene.rg.partition("/resourceGroups/")[0]):
        answer = scene.get(f"{scope}/providers/Microsoft.Network/privateDnsZones")
        assert [(each["name"], each["tags"]) for each in answer.json()["value"]] == [(BLOB_ZONE, {"a": "b"})]
        assert answer.header("x-ms-ratelimit-remaining-subscription-resource-requests") != ""


def test_a_zone_or_link_that_another_has_changed_is_told_by_the_poll() -> None:
    scene = Scene()
    link = f"{scene.zone}/virtualNetworkLinks/one"
    body = {"location": "global", "properties": {"virtualNetwork": {"id": scene.vnet}}}
    scene.put(link, body)
    scene.rest()
    for path, wanted in ((scene.zone, {"location": "global"}), (link, body)):
        for tag, state in (("old", "Failed"), ("*", "Succeeded")):
            first = conditional(scene, "PUT", path, wanted, If_Match=tag)
            assert first.status == 202
            scene.rest()
            told = scene.get(first.header("Azure-AsyncOperation")).json()
            assert told["status"] == state
    current = scene.get(link).json()["etag"]
    last = conditional(scene, "DELETE", link, None, If_Match=current)
    scene.rest()
    assert (last.status, scene.get(link).status) == (202, 404)


def test_tags_of_a_link_stay_until_others_are_sent_and_a_deleted_link_is_gone() -> None:
    scene = Scene()
    link = f"{scene.zone}/virtualNetworkLinks/one"
    scene.put(link, {"location": "global", "tags": {"a": "b"}, "properties": {"virtualNetwork": {"id": scene.vnet}}})
    scene.rest()
    scene.patch(link, {"properties": {"registrationEnabled": True}})
    scene.rest()
    shown = scene.get(link).json()
    assert (shown["tags"], shown["properties"]["registrationEnabled"]) == ({"a": "b"}, True)
    scene.delete(link)
    scene.rest()
    assert scene.delete(link).status == 204


def test_a_link_of_a_zone_that_is_no_private_link_zone_has_no_resolution_policy_unless_asked() -> None:
    scene = Scene()
    zone = f"{scene.network}/privateDnsZones/contoso.example"
    scene.put(zone, {"location": "global"})
    scene.rest()
    body = {"location": "global", "properties": {"virtualNetwork": {"id": scene.vnet}}}
    scene.put(f"{zone}/virtualNetworkLinks/one", body)
    scene.put(f"{scene.zone}/virtualNetworkLinks/one", body)
    scene.rest()
    plain, private = (
        scene.get(f"{each}/virtualNetworkLinks/one", version="2024-06-01").json()["properties"]
        for each in (zone, scene.zone)
    )
    assert ("resolutionPolicy" in plain, private["resolutionPolicy"]) == (False, "Default")
