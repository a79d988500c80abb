"""Rows and a precise look lead to the same verdict: isolated is isolated, and no drift hides."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from local.simulator import scenery
from local.simulator.resource_graph_quota import WINDOW
from local.simulator.world import Resource
from shared.core.arm import ResourceId
from shared.core.egress import needs
from shared.core.registry import NetworkView, Registry, TargetKind, Zone
from tests.cloud.graph_house import LAG, Graph, IsolatedHouse
from tests.scenarios.house import House, as_id
from tests.scenarios.sharing import Neighbourhood, change_acls
from tests.scenarios.test_isolation import tell
from tests.scenarios.verdict import endpoints_of
from tests.scenarios.ways_out import add_group, add_policy, rule

DNS_API = "2020-06-01"

type Drift = Callable[[IsolatedHouse, Resource], None]


# --- what happens behind the app's back -------------------------------------------------------------------------------


def storage(house: House, registry: Resource) -> Resource:
    return scenery.parts_of(house.azure, registry)[0]


def container_registry(house: House, registry: Resource) -> Resource:
    return scenery.parts_of(house.azure, registry)[-1]


def opened(part: Callable[[House, Resource], Resource]) -> Drift:
    def drift(house: IsolatedHouse, registry: Resource) -> None:
        target = part(house, registry)
        target.properties["publicNetworkAccess"] = "Enabled"
        house.azure.world.touch(target)

    return drift


def endpoint_deleted(house: IsolatedHouse, registry: Resource) -> None:
    endpoint = endpoints_of(house.azure, storage(house, registry))[0]
    scenery.send(house.azure, "DELETE", endpoint.id, api_version=scenery.NETWORK_API)
    scenery.rest(house.azure)


def connection_rejected(house: IsolatedHouse, registry: Resource) -> None:
    target = container_registry(house, registry)
    house.azure.links.state_changed(target.id, endpoints_of(house.azure, target)[0].id, "Rejected", "by hand")


def _record(house: IsolatedHouse, registry: Resource) -> str:
    return f"{house.zone('blob')}/A/{storage(house, registry).name}"


def record_gone(house: IsolatedHouse, registry: Resource) -> None:
    scenery.send(house.azure, "DELETE", _record(house, registry), api_version=DNS_API)


def record_wrong(house: IsolatedHouse, registry: Resource) -> None:
    body = {"properties": {"ttl": 10, "aRecords": [{"ipv4Address": "10.0.1.250"}]}}
    scenery.send(house.azure, "PUT", _record(house, registry), body, api_version=DNS_API)


def region_added(house: IsolatedHouse, registry: Resource) -> None:
    body = scenery.registry_body(("westeurope", "northeurope"), public_access="Disabled")
    scenery.send(house.azure, "PUT", registry.id, body, api_version=scenery.REGISTRY_API)
    scenery.rest(house.azure)


def rule_missing(house: IsolatedHouse, registry: Resource) -> None:
    def forget(acls: dict[str, list[dict[str, str]]]) -> None:
        rules = acls["resourceAccessRules"]
        acls["resourceAccessRules"] = [rule for rule in rules if rule["resourceId"].lower() != registry.key]

    account = f"{house.scene.registries_group}/providers/Microsoft.Storage/storageAccounts/stshared"
    change_acls(house.azure, account, forget)


def together(*drifts: Drift) -> Drift:
    def drift(house: IsolatedHouse, registry: Resource) -> None:
        for each in drifts:
            each(house, registry)

    return drift


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
    "open-and-cut-off": together(opened(storage), connection_rejected, record_gone),
    "grown-and-broken": together(region_added, endpoint_deleted, record_wrong),
}


def shared_account(house: IsolatedHouse) -> str:
    """A workspace's storage account into which every registry has been let."""
    near = Neighbourhood(house)
    rules = [{"tenantId": house.azure.tenant_id, "resourceId": registry.id} for registry in house.registries]
    account = near.account(acls={"defaultAction": "Deny", "resourceAccessRules": rules})
    near.share(near.workspace(account))
    return account.id


# --- the verdicts -----------------------------------------------------------------------------------------------------


def test_every_drift_shows_in_the_rows_as_it_does_in_a_precise_look() -> None:
    async def story() -> None:
        house = IsolatedHouse(len(DRIFTS))
        shared_account(house)
        async with house:
            graph = Graph(house, page_size=5)
            assert await graph.verdicts() == [(True, True)] * len(DRIFTS)

            for drift, registry in zip(DRIFTS.values(), house.registries, strict=True):
                drift(house, registry)

            assert dict(zip(DRIFTS, await graph.verdicts(), strict=True)) == {
                name: (name == "nothing",) * 2 for name in DRIFTS
            }

    tell(story())


@pytest.mark.parametrize("thing", ["link", "zone", "rule of the way out", "allowed alias"])
def test_what_registries_have_in_common_shows_in_the_rows_of_each(thing: str) -> None:
    async def story() -> None:
        house = IsolatedHouse(2)
        ways = (add_group(house, rules=[]), add_policy(house, alias=True))
        house.document["egress"] = [
            {"registries": ["*"], "nsg": ways[0], "service_endpoint_policy": ways[1], "mode": "enforce"}
        ]
        async with house:
            graph = Graph(house)
            let_out(house, ways[0])
            assert await graph.verdicts() == [(True, True)] * 2

            spoil(house, thing, *ways)

            assert await graph.verdicts() == [(False, False)] * 2

    tell(story())


def let_out(house: IsolatedHouse, group: str) -> None:
    """The rules that the app would have made."""
    wanted = needs(["westeurope"])
    listed = [
        rule(need.rule_name, 3000 + at, to=need.tag, protocol=need.protocol, destinationPortRanges=list(need.ports))
        for at, need in enumerate(wanted)
    ]
    for each in listed:
        del each["properties"]["destinationPortRange"]
    found = house.azure.require(group)
    found.properties["securityRules"] = listed
    house.azure.world.touch(found)


def spoil(house: IsolatedHouse, thing: str, group: str, policy: str) -> None:
    world = house.azure.world
    match thing:
        case "link":
            for link in list(
                world.children(house.zone("blob"), "Microsoft.Network/privateDnsZones/virtualNetworkLinks")
            ):
                world.delete(link.id)
        case "zone":
            world.delete(house.zone("blob"))
        case "rule of the way out":
            house.azure.require(group).properties["securityRules"] = []
            world.touch(house.azure.require(group))
        case _:
            house.azure.require(policy).properties["serviceEndpointPolicyDefinitions"] = []
            world.touch(house.azure.require(policy))


def test_what_the_app_isolated_itself_is_the_same_value_either_way() -> None:
    async def story() -> None:
        house = House()
        house.add_network("spoke", "10.9.0.0/16")
        near = Neighbourhood(house)
        near.share(near.workspace(near.account()))
        async with house:
            registry = scenery.create_registry(house.azure, "contoso", ("westeurope", "northeurope"), house.now())
            await house.ask(registry)
            assert await house.settle(registry) == "converged"
            graph = Graph(house)
            seen, looked = (await graph.found())[as_id(registry)].registry, await graph.look(registry)
            assert seen is not None
            assert comparable(seen) == comparable(replace(looked, workspaces=()))
            assert (await graph.plan(seen)).converged

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
        house = IsolatedHouse(1)
        house.document["exemptions"] = [
            {"registry": "*", "targets": ["acr"], "reason": "test", "owner": "us", "expires": "2027-01-31"}
        ]
        async with house:
            opened(container_registry)(house, house.registries[0])
            assert await Graph(house).verdicts() == [(True, True)]

    tell(story())


# --- names that somebody else manages ---------------------------------------------------------------------------------


def test_records_that_somebody_else_manages_are_found_wherever_they_are() -> None:
    async def story() -> None:
        house = IsolatedHouse(1)
        house.document["networks"][0]["dns"] = {"manage": False}
        async with house:
            graph, registry = Graph(house), house.registries[0]
            assert await graph.verdicts() == [(True, True)]

            record_gone(house, registry)

            found = (await graph.found())[as_id(registry)]
            assert found.registry is None
            assert f"no record of {storage(house, registry).name}" in found.doubt

    tell(story())


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_rows_that_resource_graph_loses_hide_no_drift(share: float) -> None:
    async def story() -> None:
        drifts = [drift for name, drift in DRIFTS.items() if name not in {"nothing", "rule-missing"}]
        house = IsolatedHouse(3 * len(drifts))
        async with house:
            graph = Graph(house)
            for drift, registry in zip(3 * drifts, house.registries, strict=True):
                drift(house, registry)
            house.azure.graph.weather.lost_share = share
            (page,) = await graph.pages()
            assert len(page.registries) < len(house.registries)
            assert page.partial
            plans = [await graph.plan(each.registry) for each in page.registries if each.registry]
            assert not any(plan.converged for plan in plans)

    tell(story())


# --- the price --------------------------------------------------------------------------------------------------------


def test_a_page_with_everything_that_a_policy_can_ask_for_stays_within_ten_queries() -> None:
    async def story() -> None:
        house = IsolatedHouse(40)
        shared_account(house)
        house.document["egress"] = [{"registries": ["*"], "nsg": add_group(house), "mode": "audit"}]
        async with house:
            graph = Graph(house)
            await graph.catch_up()
            before = len(house.azure.log)
            page = await graph.page()
            known = await graph.inventory.known([as_id(registry) for registry in house.registries])
            assert len(page.registries) == len(known.ids) == 40
            assert page.queries + known.queries == 10
            asked = {call.url.split("?")[0] for call in house.azure.log[before:]}
            assert asked == {f"{house.azure.endpoint}/providers/Microsoft.ResourceGraph/resources"}

    tell(story())


def test_many_pages_in_a_row_wait_for_the_quota_and_are_never_throttled() -> None:
    async def story() -> None:
        house = IsolatedHouse(24)
        async with house:
            graph = Graph(house, page_size=4)
            before, began = len(house.azure.log), house.clock.now()
            found = [each.id for page in await graph.pages() for each in page.registries]
            assert sorted(found) == sorted(as_id(registry) for registry in house.registries)
            asked = house.azure.log[before:]
            assert len(asked) == 6 * 6
            assert {call.status for call in asked} == {200}
            assert house.clock.now() - began >= LAG + 2 * WINDOW

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
