"""The whole control plane against the simulated Azure: one registry from creation to isolation, and what it costs."""

from local.simulator import scenery
from shared.cloud.control_plane import ArmControlPlane
from shared.core.arm import ResourceId
from shared.core.changes import Change, ClosePublicAccess, CreateZone, LinkZone, PutZoneGroup
from shared.core.registry import Access, TargetKind
from shared.engine.ports import ControlPlane, ProgressState, ZoneQuery
from tests.cloud.answering import AnsweringTransport, Reply, arm_client
from tests.cloud.rig import Rig

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"


def as_control_plane(plane: ArmControlPlane) -> ControlPlane:
    """The type checker's proof that the adapter plays the engine's role."""
    return plane


async def test_a_registry_is_isolated_through_the_engines_port() -> None:
    rig = Rig()
    plane = as_control_plane(rig.plane)
    registry = ResourceId.parse(rig.registry(regions=("westeurope", "northeurope")).id)

    document = await plane.read_registry(registry)
    assert document is not None
    assert document.complete
    assert document.managed_group is not None
    listed = await plane.list_group(document.managed_group)
    assert listed is not None
    parts = {identifier for region in document.regions for identifier in region.storage_accounts}
    parts |= {identifier for region in document.regions for identifier in region.container_registries}
    assert len(parts) == 3
    assert parts <= set(listed)

    changes: list[Change] = [
        ClosePublicAccess(target=part, target_kind=_kind_of(part)) for part in (registry, *sorted(parts))
    ]
    for change in changes:
        assert (await rig.finished(change)).state is ProgressState.SUCCEEDED

    assert (await plane.read_registry(registry) or document).target.access is Access.CLOSED
    for part in parts:
        read = plane.read_storage_account if "Storage" in part.type else plane.read_container_registry
        target = await read(part)
        assert target is not None
        assert target.access is Access.CLOSED


def _kind_of(resource: ResourceId) -> TargetKind:
    kinds = {
        "microsoft.machinelearningservices": TargetKind.REGISTRY,
        "microsoft.storage": TargetKind.STORAGE,
        "microsoft.containerregistry": TargetKind.ACR,
    }
    return kinds[resource.type.lower().split("/", maxsplit=1)[0]]


async def test_a_registry_shows_more_and_more_while_azure_makes_it() -> None:
    rig = Rig()
    scenery.put_registry(rig.azure, "contoso")
    registry = ResourceId.parse(scenery.registry_id(rig.scene.registries_group, "contoso"))

    assert await rig.plane.read_registry(registry) is None
    rig.pass_time(15)
    early = await rig.plane.read_registry(registry)
    rig.pass_time(300)
    late = await rig.plane.read_registry(registry)

    assert early is not None
    assert late is not None
    assert (early.complete, late.complete) == (False, True)
    assert await rig.plane.required_zones(late.target) == {"amlregistry": ("privatelink.api.azureml.ms",)}


async def test_an_endpoint_of_the_registry_appears_among_its_connections() -> None:
    rig = Rig()
    registry = ResourceId.parse(rig.registry().id)
    change = rig.endpoint_change(registry, "amlregistry")

    await rig.finished(change)

    document = await rig.plane.read_registry(registry)
    assert document is not None
    assert [connection.endpoint for connection in document.target.connections] == [change.endpoint]


async def test_names_resolve_in_the_linked_network_in_the_end() -> None:
    rig = Rig()
    storage = rig.parts(rig.registry())[0]
    zone, endpoint = rig.zone(), rig.endpoint_change(storage, "blob")
    for change in (
        CreateZone(zone=zone),
        LinkZone(zone=zone, link=zone.child("virtualNetworkLinks", "hub"), network=rig.subnet.parent),
        endpoint,
        PutZoneGroup(endpoint=endpoint.endpoint, name="default", zones={"blob": zone}),
    ):
        assert (await rig.finished(change)).state is ProgressState.SUCCEEDED, change.sentence

    (read,) = await rig.plane.list_endpoints(rig.network_group, [endpoint.endpoint])
    addresses = await rig.plane.read_addresses(read.interfaces)
    zones = await rig.plane.read_zones([ZoneQuery(zone=zone, records=(storage.name,), links=True)])

    ips = tuple(address.ip for listed in addresses.values() for address in listed)
    assert zones[zone].records == {storage.name: ips}
    assert all(link.ready for link in zones[zone].links or ())


async def test_groups_are_found_by_prefix_in_any_casing_and_with_their_owner() -> None:
    rig = Rig()
    registry, _other = rig.registry("contoso"), rig.registry("contoso_two")

    found = await rig.plane.find_groups(rig.subnet.subscription, "AzureML-RG-contoso_")

    owners = {candidate.managed_by for candidate in found}
    assert len(found) == 2
    assert registry.id in owners


async def test_all_pages_of_groups_are_read() -> None:
    def row(name: str) -> dict[str, str]:
        return {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"}

    link = "https://management.azure.com/next?api-version=2021-04-01&%24skiptoken=1"
    pages = [
        {"value": [row("azureml-rg-a_1"), row("other"), {"id": "nonsense"}], "nextLink": link},
        {"value": [row("azureml-rg-a_2")]},
    ]
    transport = AnsweringTransport(lambda _sent: Reply(200, pages[len(transport.sent) - 1]))
    rig = ArmControlPlane(arm=arm_client(transport), now=Rig().now)

    found = await rig.find_groups(SUBSCRIPTION, "azureml-rg-a_")

    assert [candidate.id.name for candidate in found] == ["azureml-rg-a_1", "azureml-rg-a_2"]
    assert [candidate.managed_by for candidate in found] == ["", ""]
    assert transport.sent[1].url == link


async def test_a_group_that_does_not_exist_is_none() -> None:
    rig = Rig()
    nowhere = ResourceId.parse(f"/subscriptions/{rig.subnet.subscription}/resourceGroups/nowhere")

    assert await rig.plane.list_group(nowhere) is None
    assert await rig.plane.list_group(rig.dns_group) == ()


async def test_every_read_of_something_missing_is_quiet() -> None:
    rig = Rig()
    group = rig.dns_group

    assert await rig.plane.read_registry(ResourceId.parse(scenery.registry_id(group.text, "no"))) is None
    assert await rig.plane.read_storage_account(group.resource("Microsoft.Storage/storageAccounts", "no")) is None
    acr = group.resource("Microsoft.ContainerRegistry/registries", "no")
    assert await rig.plane.read_container_registry(acr) is None
    assert await rig.plane.pending_replications(acr) == ()
