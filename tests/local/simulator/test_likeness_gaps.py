"""What only some samples show: a resource in the middle of a change, or changed by requests that were not kept."""

import json
from typing import Any

import pytest

from local.simulator.likeness_exchanges import read
from local.simulator.likeness_replay import _Player
from tests.local.simulator.recordings import exchange, lines, network, read_network
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
    shown = network("spoke")
    back = exchange(
        index=2,
        snapshot="c7n",
        path=f"{shown['id']}?api-version=2022-01-01",
        request_body=shown,
        status=200,
        response_body=network("spoke", provisioningState="Updating"),
    )
    (source,) = read(lines(read_network(index=1, snapshot="c7n"), back)).sources
    player = _Player(source)

    outcomes = [player.play(position) for position in range(2)]

    assert [each.differences for each in outcomes] == [(), ()]
    sent = json.loads(player._driver.azure.log[-1].body)
    tags = json.loads(player._driver.send("GET", source[0].path).body)["etag"], shown["etag"]
    assert sent["etag"] not in tags, "neither the recorded tag nor the one after the write"


def test_a_subnet_that_came_with_its_network_is_not_made_twice() -> None:
    exchanges = story(
        call(f"PUT {NETWORK}/privateEndpoints/pe", NET, endpoint(ACCOUNT, "blob")),
        SETTLED,
        call(f"GET {NETWORK}/privateEndpoints/pe", NET),
        call(f"GET {HUB}", NET),
        given=["group", "network", "account"],
    )

    assert differences(exchanges[-2:]) == []


def test_a_resource_that_only_a_request_shows_is_made_as_the_request_shows_it() -> None:
    (*_, made) = story(
        call(f"PUT {NETWORK}/privateEndpoints/pe", NET, endpoint(ACCOUNT, "blob")),
        given=["group", "network", "account"],
    )
    made["request_body"]["properties"]["subnet"]["properties"] = {"addressPrefix": "10.1.3.0/25"}
    ((found,),) = read([json.dumps(made)]).sources
    player = _Player([found])

    assert player.play(0).differences == ()
    subnet = player._driver.azure.require(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints")
    assert subnet.properties["addressPrefix"] == "10.1.3.0/25"


def test_resources_that_name_each_other_are_both_made() -> None:
    accounts = [f"{ACCOUNT.rpartition('/')[0]}/{name}" for name in ("acctone", "accttwo")]
    plain = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    exchanges = story(
        *(
            call(f"PUT {own}", STORAGE, {**plain, "tags": {"peer": peer}})
            for own, peer in (accounts, reversed(accounts))
        ),
        SETTLED,
        *(call(f"GET {each}", STORAGE) for each in accounts),
    )

    assert one_by_one(exchanges) == []
    assert differences(exchanges[-2:]) == []


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


@pytest.mark.parametrize("read", ["{it}", f"{REGISTRY}/privateEndpointConnections", REGISTRY])
@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_a_decision_that_was_not_kept_is_made_again(read: str, status: str) -> None:
    decision = {"properties": {"privateLinkServiceConnectionState": {"status": status, "description": "so be it"}}}
    exchanges = story(
        call(f"GET {REGISTRY}/privateEndpointConnections", ACR, save={"it": "value.0.id"}),
        call(f"GET {read}", ACR),
        call("PUT {it}", ACR, decision, status=201),
        SETTLED,
        call(f"GET {read}", ACR),
        given=["group", "network", "container registry", "endpoint awaiting approval on the container registry"],
    )
    before, _, after = exchanges[-3:]

    assert json.dumps(before["response_body"]).count('"Pending"') == 1
    assert json.dumps(after["response_body"]).count(f'"{status}"') == 1
    assert differences([*exchanges[:-2], after]) == []
    assert differences([before, after]) == []
