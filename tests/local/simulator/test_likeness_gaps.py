"""What only some samples show: a resource in the middle of a change, or changed by requests that were not kept."""

from typing import Any

from tests.local.simulator.recordings import exchange, network, read_network
from tests.local.simulator.sampling import (
    ACCOUNT,
    ACR,
    GROUP,
    HUB,
    NET,
    NETWORK,
    REGISTRY,
    SETTLED,
    STORAGE,
    call,
    differences,
    one_by_one,
    story,
    with_stand_ins,
)


def endpoint(target: str, group: str) -> dict[str, Any]:
    connection = {"name": "c", "properties": {"privateLinkServiceId": target, "groupIds": [group]}}
    inside = {"id": f"{HUB}/subnets/endpoints"}
    return {"location": "westeurope", "properties": {"subnet": inside, "privateLinkServiceConnections": [connection]}}


def test_an_endpoint_that_was_made_anew_for_another_target_is_made_anew() -> None:
    other = "{group}/providers/Microsoft.Storage/storageAccounts/accttwo"
    plain = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    path = f"{NETWORK}/privateEndpoints/pe"
    exchanges = story(
        call(f"PUT {other}", STORAGE, plain),
        SETTLED,
        call(f"PUT {path}", NET, endpoint(ACCOUNT, "blob")),
        SETTLED,
        call(f"DELETE {path}", NET),
        SETTLED,
        call(f"PUT {path}", NET, endpoint(other, "blob")),
        SETTLED,
        call(f"GET {other}", STORAGE),
        call(f"GET {other}/privateEndpointConnections", STORAGE),
        given=["group", "network", "account"],
    )
    first, *_, account, listed = exchanges[4:]

    assert first["request_body"]["properties"]["privateLinkServiceConnections"][0]["name"] == "c"
    assert differences([*exchanges[:5], account]) == []
    assert differences([*exchanges[:5], listed]) == []


def test_connections_of_one_target_are_told_apart() -> None:
    exchanges = story(
        *(
            step
            for name in ("pe-one", "pe-two")
            for step in (call(f"PUT {NETWORK}/privateEndpoints/{name}", NET, endpoint(ACCOUNT, "blob")), SETTLED)
        ),
        call(f"GET {ACCOUNT}/privateEndpointConnections", STORAGE, save={"one": "value.0.id", "two": "value.1.id"}),
        call("GET {one}", STORAGE),
        call("DELETE {two}", STORAGE, status=200),
        call("GET {one}", STORAGE),
        call("GET {two}", STORAGE, status=404),
        call("DELETE {one}", STORAGE, status=200),
        given=["group", "network", "account"],
    )
    listed, read_one, gone_two, *_, gone_one = exchanges[-6:]

    assert one_by_one(exchanges) == []
    assert differences([read_one, gone_two, gone_one]) == []
    assert differences([listed, gone_one, gone_two]) == []


def test_a_connection_that_is_being_decided_is_caught_in_the_middle() -> None:
    approved = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved", "description": "yes"}}}
    rejected = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "no"}}}
    listing = call(f"GET {REGISTRY}/privateEndpointConnections", ACR, save={"it": "value.0.id"})
    exchanges = story(
        listing,
        call("PUT {it}", ACR, approved, status=201),
        call("GET {it}", ACR, values={"properties.provisioningState": "Updating"}),
        SETTLED,
        call("PUT {it}", ACR, rejected, status=201),
        call("GET {it}", ACR, values={"properties.provisioningState": "Updating"}),
        given=["group", "network", "container registry", "endpoint awaiting approval on the container registry"],
    )

    assert one_by_one(exchanges) == []
    assert differences(exchanges) == []


def test_a_public_address_that_is_being_written_is_a_stand_in_in_the_middle_of_a_change() -> None:
    address = "Microsoft.Network/publicIPAddresses/ip"
    azure = with_stand_ins(address)
    inside = {"subnet": {"id": f"{HUB}/subnets/endpoints"}, "publicIPAddress": {"id": f"{{group}}/providers/{address}"}}
    body = {"location": "westeurope", "properties": {"ipConfigurations": [{"name": "one", "properties": inside}]}}
    story(given=["group", "network"], azure=azure)
    azure.require(f"{GROUP}/providers/{address}").properties["provisioningState"] = "Updating"

    (*_, refused) = story(call(f"PUT {NETWORK}/networkInterfaces/nic", NET, body, status=429), given=[], azure=azure)

    assert differences([refused]) == []
    assert differences([{**refused, "request_body": None}]) == []


def test_a_network_that_is_sent_back_as_it_was_read_carries_the_simulated_entity_tag() -> None:
    shown = network("spoke", subnets=[])
    told_later = read_network(index=2)
    back = exchange(
        op="vnet",
        index=3,
        snapshot="c7n",
        path=f"{shown['id']}?api-version=2022-01-01",
        request_body=shown,
        status=200,
        response_body=network("spoke", provisioningState="Updating"),
    )

    assert differences([read_network(index=1), told_later, back]) == []


def test_members_that_an_unseen_request_had_set_are_there_when_an_answer_shows_them() -> None:
    exchanges = story(
        call(f"PATCH {ACCOUNT}", STORAGE, {"properties": {"allowSharedKeyAccess": False}}, status=200),
        call(f"PATCH {ACCOUNT}", STORAGE, {"tags": {"team": "red"}}, status=200),
        call(f"PUT {NETWORK}/privateEndpoints/pe", NET, endpoint(ACCOUNT, "blob")),
        SETTLED,
        call(f"GET {ACCOUNT}", STORAGE),
        given=["group", "network", "account"],
    )
    made, tagged, seen = exchanges[:3], exchanges[4], exchanges[-1]

    assert differences([*made, tagged]) == []
    assert differences([*made, seen]) == []
