"""Rows and a precise look lead to the same verdict: isolated is isolated, and no drift hides."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator import scenery
from local.simulator.world import Resource
from shared.core.arm import ResourceId
from shared.core.registry import NetworkView, Registry, TargetKind, Zone
from tests.cloud.graph_house import Graph
from tests.scenarios.house import House, as_id
from tests.scenarios.sharing import Neighbourhood, change_acls
from tests.scenarios.test_isolation import tell
from tests.scenarios.verdict import endpoints_of
from tests.scenarios.ways_out import add_group, add_policy

DNS_API = "2020-06-01"
LIMIT = timedelta(hours=6)

type Drift = Callable[[House, Resource], None]


# --- what happens behind the app's back -------------------------------------------------------------------------------


def storage(house: House, registry: Resource) -> Resource:
    return scenery.parts_of(house.azure, registry)[0]


def container_registry(house: House, registry: Resource) -> Resource:
    return scenery.parts_of(house.azure, registry)[-1]


def opened(part: Callable[[House, Resource], Resource]) -> Drift:
    def drift(house: House, registry: Resource) -> None:
        target = part(house, registry)
        target.properties["publicNetworkAccess"] = "Enabled"
        house.azure.world.touch(target)

    return drift


def endpoint_deleted(house: House, registry: Resource) -> None:
    endpoint = endpoints_of(house.azure, storage(house, registry))[0]
    scenery.send(house.azure, "DELETE", endpoint.id, api_version=scenery.NETWORK_API)
    scenery.rest(house.azure)


def connection_rejected(house: House, registry: Resource) -> None:
    target = container_registry(house, registry)
    house.azure.links.state_changed(target.id, endpoints_of(house.azure, target)[0].id, "Rejected", "by hand")


def _record(house: House, registry: Resource) -> str:
    zone = house.cloud.zones["blob"][0]
    path = f"{house.scene.dns_group}/providers/Microsoft.Network/privateDnsZones/{zone}/A"
    return f"{path}/{storage(house, registry).name}"


def record_gone(house: House, registry: Resource) -> None:
    scenery.send(house.azure, "DELETE", _record(house, registry), api_version=DNS_API)


def record_wrong(house: House, registry: Resource) -> None:
    body = {"properties": {"ttl": 10, "aRecords": [{"ipv4Address": "10.0.1.250"}]}}
    scenery.send(house.azure, "PUT", _record(house, registry), body, api_version=DNS_API)


def region_added(house: House, registry: Resource) -> None:
    body = scenery.registry_body(("westeurope", "northeurope"), public_access="Disabled")
    scenery.send(house.azure, "PUT", registry.id, body, api_version=scenery.REGISTRY_API)
    scenery.rest(house.azure)


def rule_missing(house: House, registry: Resource) -> None:
    def forget(acls: dict[str, list[dict[str, str]]]) -> None:
        rules = acls["resourceAccessRules"]
        acls["resourceAccessRules"] = [rule for rule in rules if rule["resourceId"].lower() != registry.key]

    account = f"{house.scene.registries_group}/providers/Microsoft.Storage/storageAccounts/stshared"
    change_acls(house.azure, account, forget)


def all_at_once(house: House, registry: Resource) -> None:
    for drift in (opened(storage), connection_rejected, record_gone, rule_missing):
        drift(house, registry)


DRIFTS: Mapping[str, Drift] = {
    "nothing": lambda _house, _registry: None,
    "storage-open": opened(storage),
    "acr-open": opened(container_registry),
    "registry-open": opened(lambda _house, registry: registry),
    "endpoint-deleted": endpoint_deleted,
    "connection-rejected": connection_rejected,
    "record-gone": record_gone,
    "record-wrong": record_wrong,
    "region-added": region_added,
    "rule-missing": rule_missing,
    "all-at-once": all_at_once,
}


async def isolate(house: House, *names: str) -> dict[str, Resource]:
    """Registries that the app has isolated, all at once."""
    registries = {name: scenery.create_registry(house.azure, name, now=house.now()) for name in names}
    for registry in registries.values():
        await house.ask(registry)
    for registry in registries.values():
        assert await house.settle(registry, LIMIT) == "converged"
    return registries


# --- the verdicts -----------------------------------------------------------------------------------------------------


def test_every_drift_shows_in_the_rows_as_it_does_in_a_precise_look() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        near.share(near.workspace(near.account()))
        async with house:
            registries = await isolate(house, *DRIFTS)
            graph = Graph(house, page_size=4)
            before = await graph.verdicts(*registries.values())
            assert before == dict.fromkeys(DRIFTS, (True, True))

            await house.stop()
            for name, registry in registries.items():
                DRIFTS[name](house, registry)

            after = await graph.verdicts(*registries.values())
            assert after == {name: (name == "nothing",) * 2 for name in DRIFTS}

    tell(story())


@pytest.mark.parametrize("thing", ["link", "zone", "rule of the way out", "allowed alias"])
def test_what_registries_have_in_common_shows_in_the_rows_of_each(thing: str) -> None:
    async def story() -> None:
        house = House()
        group, policy = add_group(house), add_policy(house)
        entry = {"registries": ["*"], "nsg": group, "service_endpoint_policy": policy, "mode": "enforce"}
        house.document["egress"] = [entry]
        async with house:
            registries = await isolate(house, "one", "two")
            graph = Graph(house)
            assert set((await graph.verdicts(*registries.values())).values()) == {(True, True)}

            spoil(house, thing, group, policy)

            assert set((await graph.verdicts(*registries.values())).values()) == {(False, False)}

    tell(story())


def spoil(house: House, thing: str, group: str, policy: str) -> None:
    zone = f"{house.scene.dns_group}/providers/Microsoft.Network/privateDnsZones/{house.cloud.zones['blob'][0]}"
    world = house.azure.world
    match thing:
        case "link":
            for link in list(world.children(zone, "Microsoft.Network/privateDnsZones/virtualNetworkLinks")):
                world.delete(link.id)
        case "zone":
            world.delete(zone)
        case "rule of the way out":
            found = world.get(group)
            assert found is not None
            found.properties["securityRules"] = []
            world.touch(found)
        case _:
            found = world.get(policy)
            assert found is not None
            found.properties["serviceEndpointPolicyDefinitions"] = []
            world.touch(found)


def test_an_isolated_registry_is_the_same_value_either_way() -> None:
    async def story() -> None:
        house = House()
        house.add_network("spoke", "10.9.0.0/16")
        near = Neighbourhood(house)
        near.share(near.workspace(near.account()))
        async with house:
            registries = await isolate(house, "contoso", "fabrikam")
            graph = Graph(house)
            found = await graph.found()
            for registry in registries.values():
                seen, looked = found[as_id(registry)].registry, await graph.look(registry)
                assert seen is not None
                assert comparable(seen) == comparable(replace(looked, workspaces=()))

    tell(story())


def comparable(registry: Registry) -> Registry:
    """*registry* without order where there is none, records of others, the unread subnet, and an api-version's extras."""

    def view(network: NetworkView) -> NetworkView:
        names = {
            fqdn.split(".", 1)[0]
            for endpoint in network.endpoints
            for address in endpoint.addresses or ()
            for fqdn in address.fqdns
        }

        def zone(found: Zone) -> Zone:
            return replace(
                found, records={name: held for name, held in found.records.items() if name.split(".", 1)[0] in names}
            )

        zones = {name: zone(found) for name, found in sorted(network.zones.items())}
        endpoints = tuple(sorted(network.endpoints, key=lambda endpoint: endpoint.id.key))
        return replace(network, zones=zones, endpoints=endpoints, subnet=None)

    targets = tuple(
        replace(target, network_settings={}) if target.kind is TargetKind.ACR else target for target in registry.targets
    )
    return replace(registry, targets=targets, networks=tuple(view(network) for network in registry.networks))


def test_exempt_targets_are_left_out_of_both() -> None:
    async def story() -> None:
        house = House()
        house.document["exemptions"] = [
            {"registry": "*", "targets": ["acr"], "reason": "test", "owner": "us", "expires": "2027-01-31"}
        ]
        async with house:
            registries = await isolate(house, "contoso")
            opened(container_registry)(house, registries["contoso"])
            assert await Graph(house).verdicts(*registries.values()) == {"contoso": (True, True)}

    tell(story())


# --- names that somebody else manages ---------------------------------------------------------------------------------


def test_records_that_somebody_else_manages_are_found_wherever_they_are() -> None:
    async def story() -> None:
        async with House() as house:
            registry = (await isolate(house, "contoso"))["contoso"]
            house.document["networks"][0]["dns"] = {"manage": False}
            graph = Graph(house)
            assert await graph.verdicts(registry) == {"contoso": (True, True)}

            record_gone(house, registry)

            found = (await graph.found())[as_id(registry)]
            assert found.registry is None
            assert f"no record of {storage(house, registry).name}" in found.doubt

    tell(story())


# --- what the inventory has -------------------------------------------------------------------------------------------


def test_known_tells_apart_what_is_there_and_what_is_not() -> None:
    async def story() -> None:
        async with House() as house:
            there = scenery.create_registry(house.azure, "there", now=house.now())
            graph = Graph(house)
            await graph.catch_up()
            gone = ResourceId.parse(scenery.registry_id(house.scene.registries_group, "gone"))
            shouted = ResourceId.parse(there.id.upper())
            known = await graph.inventory.known([shouted, gone])
            assert (known.ids, known.partial, known.queries) == (frozenset({as_id(there)}), "", 1)

    tell(story())


def test_an_open_registry_outside_the_policys_scope_is_listed_too() -> None:
    async def story() -> None:
        async with House() as house:
            house.document["scope"]["registries"] = {"exclude": ["sandbox"]}
            registry = scenery.create_registry(house.azure, "sandbox", now=house.now())
            page = (await Graph(house).pages())[0]
            assert [each.id for each in page.registries] == [as_id(registry)]
            assert page.partial == ""

    tell(story())
