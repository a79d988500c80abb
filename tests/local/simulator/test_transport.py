"""Real SDK clients on the simulated Azure, in virtual time."""

import asyncio
from datetime import datetime, timedelta

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.rest import HttpRequest
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.network.models import PrivateEndpoint
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient
from azure.mgmt.privatedns.models import VirtualNetworkLink
from azure.mgmt.storage.aio import StorageManagementClient

from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.faults import Fault, FaultKind
from local.simulator.transport import SimulatedCredential, SimulatedResponse, SimulatedTransport
from tests.local.simulator.scene import BLOB_ZONE, Scene

pytestmark = [pytest.mark.asyncio, pytest.mark.virtual_time]


def asked(scene: Scene) -> PrivateEndpoint:
    """The endpoint's body as the typed client takes it."""
    return PrivateEndpoint(scene.endpoint_body())


def clock(azure: SimulatedAzure) -> tuple[SimulatedTransport, datetime]:
    """A transport whose time is the loop's, counted from the world's present."""
    start, loop = azure.world.now, asyncio.get_running_loop()
    begun = loop.time()
    return SimulatedTransport(azure, lambda: start + timedelta(seconds=loop.time() - begun)), start


async def test_the_network_client_makes_an_endpoint_and_waits_for_it() -> None:
    scene = Scene()
    transport, start = clock(scene.azure)
    credential = SimulatedCredential(scene.azure)
    async with NetworkManagementClient(credential, SUBSCRIPTION, transport=transport, retry_total=0) as client:
        poller = await client.private_endpoints.begin_create_or_update("rg-net", "pe", asked(scene))
        endpoint = await poller.result()
        properties = endpoint.as_dict()["properties"]
        assert properties["provisioningState"] == "Succeeded"
        assert properties["customDnsConfigs"][0]["ipAddresses"] == ["10.0.1.4"]
        assert 32 < (scene.azure.world.now - start).total_seconds() < 100
        assert [each.name async for each in client.private_endpoints.list_by_subscription()] == ["pe"]
        deletion = await client.private_endpoints.begin_delete("rg-net", "pe")
        await deletion.result()
        with pytest.raises(ResourceNotFoundError):
            await client.private_endpoints.get("rg-net", "pe")


async def test_an_operation_can_be_started_without_waiting() -> None:
    scene = Scene()
    transport, _ = clock(scene.azure)
    seen: list[tuple[int, str]] = []
    async with NetworkManagementClient(SimulatedCredential(scene.azure), SUBSCRIPTION, transport=transport) as client:
        await client.private_endpoints.begin_create_or_update(
            "rg-net",
            "pe",
            asked(scene),
            polling=False,
            raw_response_hook=lambda answer: seen.append(
                (answer.http_response.status_code, answer.http_response.headers["azure-asyncoperation"])
            ),
        )
    assert seen[0][0] == 201
    assert "/operations/" in seen[0][1]


async def test_the_private_dns_client_makes_zones_links_and_reads_records() -> None:
    scene = Scene()
    transport, _ = clock(scene.azure)
    async with PrivateDnsManagementClient(
        SimulatedCredential(scene.azure), SUBSCRIPTION, transport=transport
    ) as client:
        link = {"location": "global", "properties": {"virtualNetwork": {"id": scene.vnet}}}
        poller = await client.virtual_network_links.begin_create_or_update(
            "rg-net", BLOB_ZONE, "vn", VirtualNetworkLink(link)
        )
        made = await poller.result()
        assert made.as_dict()["properties"]["virtualNetworkLinkState"] == "Completed"
        scene.put(f"{scene.zone}/A/x", {"properties": {"ttl": 1, "aRecords": [{"ipv4Address": "10.0.0.9"}]}})
        assert [each.name async for each in client.record_sets.list_by_type("rg-net", BLOB_ZONE, "A")] == ["x"]
        with pytest.raises(ResourceExistsError):
            await client.private_zones.begin_delete("rg-net", BLOB_ZONE)


async def test_a_failed_operation_reaches_the_client_with_status_200() -> None:
    scene = Scene()
    transport, _ = clock(scene.azure)
    scene.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, path="privateEndpoints", code="SomethingBroke"))
    async with NetworkManagementClient(SimulatedCredential(scene.azure), SUBSCRIPTION, transport=transport) as client:
        poller = await client.private_endpoints.begin_create_or_update("rg-net", "pe", asked(scene))
        with pytest.raises(HttpResponseError) as caught:
            await poller.result()
    assert caught.value.status_code == 200
    assert caught.value.error is not None
    assert caught.value.error.code == "SomethingBroke"


@pytest.mark.parametrize(
    ("kind", "raised"), [(FaultKind.RESET, ServiceRequestError), (FaultKind.LOSE_RESPONSE, ServiceResponseError)]
)
async def test_a_broken_connection_is_what_azure_core_raises_for_one(kind: FaultKind, raised: type[Exception]) -> None:
    scene = Scene()
    transport, _ = clock(scene.azure)
    scene.azure.faults.add(Fault(kind=kind))
    async with StorageManagementClient(
        SimulatedCredential(scene.azure), SUBSCRIPTION, transport=transport, retry_total=0
    ) as client:
        with pytest.raises(raised):
            await client.storage_accounts.get_properties("rg-net", "contoso")
        account = await client.storage_accounts.get_properties("rg-net", "contoso")
    assert account.name == "contoso"


async def test_a_round_trip_takes_its_latency_and_a_slow_answer_more() -> None:
    scene = Scene()
    transport, _ = clock(scene.azure)
    loop = asyncio.get_running_loop()
    request = HttpRequest("GET", f"{scene.azure.endpoint}{scene.rg}?api-version=2021-04-01")
    before = loop.time()
    answer = await transport.send(request)
    assert (answer.status_code, round(loop.time() - before, 3)) == (200, 0.05)
    scene.azure.faults.add(Fault(kind=FaultKind.SLOW, seconds=29))
    await transport.send(request)
    assert round(loop.time() - before, 3) == 29.1


async def test_requests_without_a_token_are_the_owners_unless_told_otherwise() -> None:
    scene = Scene()
    request = HttpRequest("GET", f"{scene.azure.endpoint}{scene.rg}?api-version=2021-04-01")
    for principal, status in (("", 401), ("nobody", 401), (scene.principal, 200)):
        transport = SimulatedTransport(scene.azure, lambda: scene.azure.world.now, principal=principal)
        async with transport:
            answer = await transport.send(request)
        assert answer.status_code == status


async def test_an_answer_reads_like_any_other_of_azure_core() -> None:
    scene = Scene()
    transport, _ = clock(scene.azure)
    answer = await transport.send(HttpRequest("GET", f"{scene.azure.endpoint}{scene.rg}x?api-version=2021-04-01"))
    assert answer.headers["X-MS-FAILURE-CAUSE"] == "gateway"
    assert (answer.reason, answer.content_type) == ("Not Found", "application/json; charset=utf-8")
    assert answer.json()["error"]["code"] == "ResourceGroupNotFound"
    assert b"".join([each async for each in answer.iter_bytes()]) == answer.content == await answer.read()
    assert answer.text().startswith("{")
    with pytest.raises(HttpResponseError, match="ResourceGroupNotFound"):
        answer.raise_for_status()


async def test_an_answer_can_be_read_in_every_way_that_clients_know() -> None:
    azure = SimulatedAzure()
    transport, _ = clock(azure)
    request = HttpRequest("GET", f"{azure.endpoint}/subscriptions?api-version=2022-12-01")
    async with transport, SimulatedCredential(azure):
        answer = await transport.send(request)
    whole = await answer.read()

    assert (answer.url, answer.reason, answer.content_type) == (request.url, "OK", "application/json; charset=utf-8")
    assert b"".join([each async for each in answer.iter_raw()]) == whole == answer.content
    assert b"".join([each async for each in answer.iter_bytes()]) == whole
    assert isinstance(answer, SimulatedResponse)
    assert answer.body() == whole
    answer.encoding = "latin-1"
    assert (answer.text(), answer.encoding) == (whole.decode("latin-1"), "latin-1")
    assert answer.is_stream_consumed
    answer.raise_for_status()
    assert not answer.is_closed
    async with answer:
        pass
    assert answer.is_closed


async def test_a_request_is_text_or_bytes_and_nothing_else() -> None:
    azure = SimulatedAzure()
    transport = SimulatedTransport(azure, lambda: azure.world.now, latency=0)
    url = f"{azure.endpoint}/subscriptions/{SUBSCRIPTION}/resourceGroups/rg?api-version=2021-04-01"
    for content in (b'{"location": "westeurope"}', '{"location": "westeurope"}'):
        assert (await transport.send(HttpRequest("PUT", url, content=content))).status_code < 300
    with pytest.raises(TypeError, match="takes text and bytes, not dict"):
        await transport.send(HttpRequest("PUT", url, data={"location": "westeurope"}))
    assert azure.world.get(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg") is not None
