"""Stories that are no conformance case, recorded and thinned out: what is left is arranged for as it must have been."""

import json
import random
from typing import Any

import pytest

from local.simulator.providers import network_interfaces
from tests.local.simulator.conformance.running import HERE
from tests.local.simulator.sampling import (
    ACCOUNT,
    ACR,
    DNS,
    GROUP,
    HUB,
    LOCKS,
    ML,
    NET,
    NETWORK,
    REGISTRY,
    SETTLED,
    STORAGE,
    WORKSPACE,
    ZONE,
    RecordedAzure,
    call,
    differences,
    one_by_one,
    played,
    polls,
    story,
    with_stand_ins,
)


def agrees(exchanges: list[dict[str, Any]], *, samples: int = 3) -> None:
    """Whole, one by one, and in random halves."""
    lot = random.Random(len(exchanges))
    assert differences(exchanges) == []
    assert one_by_one(exchanges) == []
    for _ in range(samples):
        assert differences([each for each in exchanges if lot.random() < 0.5]) == []


def test_a_replicated_container_registry_is_arranged_for() -> None:
    replica = {"location": "northeurope"}
    agrees(
        story(
            call(f"PUT {REGISTRY}/replications/northeurope", ACR, replica, status=201),
            SETTLED,
            call(f"GET {REGISTRY}/replications/northeurope", ACR),
            call(f"GET {REGISTRY}/replications", ACR),
            call(f"DELETE {REGISTRY}/replications/northeurope", ACR, status=202),
            polls("Location", "", "", pending=202),
            call(f"PUT {REGISTRY}/replications/northeurope", ACR, replica),
            SETTLED,
            call(f"DELETE {REGISTRY}", ACR, status=202),
            polls("Location", "", "", pending=202),
            given=["group", "container registry"],
        )
    )


def test_a_workspace_is_arranged_for_and_its_deletion_ends_with_nothing_to_show() -> None:
    body = {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {"friendlyName": "one"}}
    agrees(
        story(
            call(f"PUT {WORKSPACE}", ML, body, status=202),
            polls("Azure-AsyncOperation", "InProgress", "Succeeded"),
            call(f"GET {WORKSPACE}", ML),
            call(f"PATCH {WORKSPACE}", ML, {"properties": {"description": "two"}}, status=202),
            polls("Azure-AsyncOperation", "InProgress", "Succeeded"),
            call(f"DELETE {WORKSPACE}", ML, status=202),
            polls("Location", "", "", pending=202),
            call(f"GET {WORKSPACE}", ML, status=404),
        )
    )


def test_what_kept_something_from_being_deleted_is_taken_away_when_it_was() -> None:
    lock = f"{ACCOUNT}/providers/Microsoft.Authorization/locks/keep"
    agrees(
        story(
            call(f"PUT {lock}", LOCKS, {"properties": {"level": "CanNotDelete"}}),
            call("DELETE {group}", "2022-09-01", status=409),
            call(f"DELETE {lock}", LOCKS),
            call("DELETE {group}", "2022-09-01", status=202),
            given=["group", "account"],
        )
    )
    agrees(
        story(
            call(f"DELETE {ZONE}", DNS, status=409),
            call(f"DELETE {ZONE}/virtualNetworkLinks/to-hub", DNS),
            SETTLED,
            call(f"DELETE {ZONE}", DNS, status=202),
            SETTLED,
            call(f"GET {ZONE}", DNS, status=404),
            given=["group", "network", "zone", "link"],
        )
    )


def test_a_network_has_room_for_the_subnets_that_it_was_recorded_with() -> None:
    space = {"addressPrefixes": ["10.1.0.0/16", "10.7.0.0/16", "fd00:1::/48"]}
    endpoints = {"name": "endpoints", "properties": {"addressPrefix": "10.1.0.0/24"}}
    wider = {"location": "westeurope", "properties": {"addressSpace": space, "subnets": [endpoints]}}
    several = {"addressPrefixes": ["10.7.2.0/24", "fd00:1::/64"]}
    agrees(
        story(
            call(f"PUT {HUB}", NET, wider),
            SETTLED,
            call(f"PUT {HUB}/subnets/two", NET, {"properties": {"addressPrefix": "10.7.1.0/24"}}, status=201),
            SETTLED,
            call(f"PUT {HUB}/subnets/three", NET, {"properties": several}, status=201),
            SETTLED,
            call(f"GET {HUB}/subnets/three", NET),
            given=["group", "network"],
        ),
        samples=8,
    )


def test_services_of_a_subnet_are_set_again_when_the_sample_shows_them_set() -> None:
    served = {"properties": {"addressPrefix": "10.1.0.0/24", "serviceEndpoints": [{"service": "Microsoft.Storage"}]}}
    agrees(
        story(
            call(f"PUT {HUB}/subnets/endpoints", NET, served, status=200),
            SETTLED,
            call(f"PUT {HUB}/subnets/endpoints", NET, served, status=200),
            call(f"GET {HUB}/subnets/endpoints", NET),
            given=["group", "network"],
        ),
        samples=8,
    )


def test_a_condition_that_held_in_the_recording_holds() -> None:
    record = f"{ZONE}/A/byhand"
    body = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.1.0.78"}]}}
    agrees(
        story(
            call(f"GET {record}", DNS, save={"tag": "etag"}),
            call(f"PUT {record}", DNS, body, headers={"If-Match": "{tag}"}, status=200),
            call(f"DELETE {record}", DNS, headers={"If-Match": "*"}, status=200),
            given=["group", "zone", "record"],
        )
    )


def endpoint(target: str, member: str = "privateLinkServiceConnections", group: str = "default") -> dict[str, Any]:
    connection = {"name": "c", "properties": {"privateLinkServiceId": target, "groupIds": [group]}}
    return {
        "location": "westeurope",
        "properties": {"subnet": {"id": f"{HUB}/subnets/endpoints"}, member: [connection]},
    }


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_an_endpoint_of_a_service_that_is_not_simulated_leads_to_a_stand_in(status: str) -> None:
    vault = "Microsoft.KeyVault/vaults/kv"
    azure = with_stand_ins(vault, groups=("vault",))
    manual = endpoint(f"{GROUP}/providers/{vault}", "manualPrivateLinkServiceConnections", "vault")
    path = f"{NETWORK}/privateEndpoints/pe-vault"
    story(call(f"PUT {path}", NET, manual, status=201), SETTLED, given=["group", "network"], azure=azure)
    made = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe-vault"
    azure.links.state_changed(f"{GROUP}/providers/{vault}", made, status, "so be it")
    exchanges = story(call(f"GET {path}", NET), given=[], azure=azure)

    shown = exchanges[-1]["response_body"]["properties"]["manualPrivateLinkServiceConnections"][0]["properties"]
    assert shown["privateLinkServiceConnectionState"]["status"] == status
    agrees(exchanges)


def test_an_interface_in_the_hands_of_a_virtual_machine_is_handed_over() -> None:
    nic = f"{NETWORK}/networkInterfaces/nic-one"
    inside = {"subnet": {"id": f"{HUB}/subnets/endpoints"}}
    body = {"location": "westeurope", "properties": {"ipConfigurations": [{"name": "one", "properties": inside}]}}
    azure = RecordedAzure(seed=3)
    story(call(f"PUT {nic}", NET, body, status=201), given=["group", "network"], azure=azure)
    interface = azure.require(f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic-one")
    network_interfaces.attach(azure, interface, f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm")

    read = story(call(f"GET {nic}", NET), given=[], azure=azure)[-1:]

    assert "virtualMachine" in read[0]["response_body"]["properties"]
    assert differences(read) == []


def test_an_identity_that_an_account_names_exists() -> None:
    identity = "Microsoft.ManagedIdentity/userAssignedIdentities/id-one"
    used = {"type": "UserAssigned", "userAssignedIdentities": {f"{GROUP}/providers/{identity}": {}}}
    exchanges = story(
        call(f"PATCH {ACCOUNT}", STORAGE, {"identity": used}, status=200),
        call(f"GET {ACCOUNT}", STORAGE),
        given=["group", "account"],
        azure=with_stand_ins(identity),
    )
    agrees(exchanges)


KEEPERS_OF_NO_BODIES = ("private_dns", "private_endpoints", "resource_groups", "storage_accounts", "zone_groups")


@pytest.mark.parametrize("stem", KEEPERS_OF_NO_BODIES)
def test_where_the_recorder_kept_no_request_bodies_the_answer_tells_what_was_asked(stem: str) -> None:
    for case in json.loads((HERE / f"cases/{stem}.json").read_text(encoding="utf-8")):
        exchanges, _ = played(case)
        written = [each for each in exchanges if each["method"] in ("PUT", "PATCH") and each["status"] < 300]
        without = [{**each, "request_body": None} if each in written else each for each in exchanges]

        assert differences(without) == [], case["name"]
        assert one_by_one(without) == [], case["name"]
