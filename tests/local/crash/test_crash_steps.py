"""Steps are named by channel, method and kind of thing; what changes nothing is none."""

import pytest

from local.crash.steps import azure_step, said, storage_step

SUB = "/subscriptions/00000000-0000-4000-8000-000000000002"
ENDPOINT = f"{SUB}/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe"
ACCOUNT = "/devstoreaccount1"


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("PUT", f"{ENDPOINT}?api-version=1", "azure PUT Network/privateEndpoints"),
        ("PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", "azure PUT Network/privateEndpoints/privateDnsZoneGroups"),
        ("GET", f"{SUB}/resourceGroups/rg/resources", "azure GET subscriptions/resourceGroups/resources"),
        ("POST", "/topics/registry-outcomes/api/events", "azure POST topics/api"),
        ("GET", "/registrymanagement/v1.0/registries/mine/discovery", "azure GET discovery"),
        ("GET", "/identity/token?resource=x", "azure GET identity/token"),
    ],
)
def test_a_request_to_azure_is_named_without_names_of_resources(method: str, path: str, what: str) -> None:
    assert azure_step(method, path) == what


@pytest.mark.parametrize(
    ("service", "method", "path", "what"),
    [
        ("table", "PUT", f"{ACCOUNT}/registries(PartitionKey='a',RowKey='b')", "table PUT registries"),
        ("table", "POST", f"{ACCOUNT}/$batch", "table POST $batch"),
        ("table", "GET", f"{ACCOUNT}/registries(PartitionKey='a',RowKey='b')", None),
        ("queue", "POST", f"{ACCOUNT}/registry-work/messages?visibilitytimeout=3", "queue registry-work put"),
        ("queue", "DELETE", f"{ACCOUNT}/registry-work/messages/1?popreceipt=a", "queue registry-work delete"),
        ("queue", "PUT", f"{ACCOUNT}/registry-work/messages/1?popreceipt=a", "queue registry-work hide"),
        ("queue", "GET", f"{ACCOUNT}/registry-work/messages?numofmessages=16", None),
        ("queue", "PUT", f"{ACCOUNT}/registry-work", "queue PUT registry-work"),
        ("blob", "PUT", f"{ACCOUNT}/leases/abc?comp=lease", "blob PUT leases lease"),
        ("blob", "HEAD", f"{ACCOUNT}/leases/abc", None),
    ],
)
def test_only_writes_to_the_storage_account_are_steps(service: str, method: str, path: str, what: str | None) -> None:
    assert storage_step(service, method, path) == what


def test_taking_a_message_is_a_step_and_an_empty_look_is_none() -> None:
    path = f"{ACCOUNT}/registry-work/messages?numofmessages=16"
    assert storage_step("queue", "GET", path, holds_message=True) == "queue registry-work take"
    assert storage_step("queue", "GET", f"{path}&peekonly=true", holds_message=True) is None


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("table POST $batch", "history is written"),
        ("azure PUT Network/privateEndpoints", "Network/privateEndpoints is written"),
        ("azure GET Network/privateEndpoints", "Network/privateEndpoints is read"),
        ("azure POST locations/check", "locations/check is asked"),
        ("blob PUT leases", "leases of the blob service: PUT"),
    ],
)
def test_what_goes_on_is_said_in_words(what: str, words: str) -> None:
    assert said(what) == words
