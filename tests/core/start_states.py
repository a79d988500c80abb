"""
Random worlds to start from: endpoints half made, refused or somebody else's, wrong zones, stale records, anything open.

`healable` worlds come to rest in a perfect Azure, with a person who approves what awaits approval; `any_world` also holds
what needs more than that.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from shared.core.endpoints import WantedEndpoint
from shared.core.policy import IsolationPolicy
from shared.core.registry import Access, ConnectionStatus, Registry, TargetKind
from tests.core.perfect_azure import World
from tests.core.worlds import (
    NOW,
    ZONES,
    a_network,
    a_policy,
    a_registry,
    a_zone_group,
    addresses_of,
    an_endpoint,
    refused_by_target,
    subnet_id,
    wanted,
    with_endpoint,
    with_record,
    with_records,
    with_target,
    with_view,
    with_zone_group,
    with_zones,
)

POLICIES = [
    a_policy(),
    a_policy(a_network("hub"), a_network("spoke", zones="rg-dns-spoke")),
    a_policy(a_network(link_vnet=False), targets={"storage": {"subresources": ["blob", "dfs"]}}),
    a_policy(targets={"acr": {"endpoint": False, "public_access": "keep"}}),
    a_policy(targets={"registry": {"public_access": "keep"}}),
    a_policy(lockdown={"when": "never"}),
    a_policy(lockdown={"when": "immediately", "propagation_minutes": 0}),
]

OWN_TROUBLES: list[dict[str, Any]] = [
    {"state": "Creating", "status": ConnectionStatus.PENDING, "addresses": None},
    {"state": "Updating"},
    {"state": "Deleting"},
    {"state": "Failed"},
    {"state": "Failed", "status": ConnectionStatus.PENDING},
    {"status": ConnectionStatus.REJECTED},
    {"status": ConnectionStatus.DISCONNECTED},
    {"status": ConnectionStatus.TIMEOUT},
    {"status": ConnectionStatus.PENDING},
    {"addresses": None},
]
FOREIGN: list[dict[str, Any]] = [
    {},
    {"status": ConnectionStatus.PENDING},
    {"status": ConnectionStatus.REJECTED},
    {"state": "Updating"},
    {"subnet": subnet_id("hub", "other")},
]
SAID_BY_TARGETS = [
    ConnectionStatus.APPROVED,
    ConnectionStatus.PENDING,
    ConnectionStatus.REJECTED,
    ConnectionStatus.TIMEOUT,
]
GROUP_STATES = ["Succeeded", "Updating", "Failed", "Deleting"]


@st.composite
def healable(draw: st.DrawFn) -> World:
    """A world that needs nobody but the app and somebody who approves."""
    policy = draw(st.sampled_from(POLICIES))
    regions = draw(st.sampled_from([("westeurope",), ("westeurope", "eastus")]))
    registry = a_registry(policy, regions=regions, storages=draw(st.integers(1, 2)))
    exists, link = draw(st.booleans()), draw(st.sampled_from(["", "InProgress", "Completed"]))
    registry = with_zones(registry, policy, link=link if exists else "", exists=exists)
    stubborn: set[str] = set()
    for wish in wanted(registry, policy):
        registry = _with_own(draw, registry, wish)
        registry = _with_foreign(draw, registry, wish)
        if exists:
            registry = _with_names(draw, registry, wish)
        stubborn |= draw(st.sets(st.sampled_from([wish.id.key, f"names:{wish.id.key}"])))
    for kind in TargetKind:
        changed: dict[str, Any] = {"access": draw(st.sampled_from(Access))}
        if kind is not TargetKind.REGISTRY:
            changed["provisioning"] = draw(st.sampled_from(["Succeeded", "Updating"]))
        if kind is TargetKind.ACR:
            changed["replicas_pending"] = draw(st.sampled_from([(), ("eastus",)]))
        registry = with_target(registry, kind, **changed)
    age = draw(st.none() | st.integers(0, 100))
    return World(
        registry=registry,
        policy=policy,
        stubborn=frozenset(stubborn),
        closed_since=None if age is None else NOW - timedelta(minutes=age),
    )


def _with_own(draw: st.DrawFn, registry: Registry, wish: WantedEndpoint) -> Registry:
    trouble = draw(st.sampled_from([None, {}, *OWN_TROUBLES]))
    if trouble is None:
        return registry
    regions = [region.location for region in registry.document.regions]
    endpoint = an_endpoint(wish, **{"addresses": addresses_of(wish, regions), **trouble})
    registry = with_endpoint(registry, wish, endpoint)
    status = draw(st.sampled_from([None, None, *SAID_BY_TARGETS]))
    return refused_by_target(registry, wish, status) if status else registry


def _with_foreign(draw: st.DrawFn, registry: Registry, wish: WantedEndpoint) -> Registry:
    trouble = draw(st.sampled_from([None, None, *FOREIGN]))
    if trouble is None:
        return registry
    endpoint = an_endpoint(wish, name=f"somebodys-{wish.id.name}", **trouble)
    registry = with_endpoint(registry, wish, endpoint)
    group = draw(st.sampled_from([None, a_zone_group(wish), a_zone_group(wish, home="rg-central")]))
    return with_zone_group(registry, wish, group, endpoint.id.key)


def _with_names(draw: st.DrawFn, registry: Registry, wish: WantedEndpoint) -> Registry:
    view = registry.network(wish.network.name)
    own = next((endpoint for endpoint in view.endpoints if endpoint.id == wish.id), None)
    home = draw(st.sampled_from(["", "", "rg-central"]))
    group = a_zone_group(wish, draw(st.sampled_from(GROUP_STATES)), home=home)
    empty = replace(group, zones={})
    if own is not None:
        registry = with_zone_group(registry, wish, draw(st.sampled_from([None, group, group, empty])))
    records = draw(st.sampled_from(["none", "right", "stale", "too many"]))
    if records == "none":
        return registry
    if own is not None:
        registry = with_records(registry, wish, own)
    if records == "right":
        return registry
    zone = ZONES[wish.group][0]
    held = registry.network(wish.network.name).zones[zone].records
    suffix = "." + zone.removeprefix("privatelink.")
    for address in addresses_of(wish):
        name = address.fqdns[0].removesuffix(suffix)
        kept = held.get(name, ()) if records == "too many" else ()
        registry = with_record(registry, wish.network.name, zone, name, *kept, "10.250.0.1")
    return registry


@st.composite
def any_world(draw: st.DrawFn) -> World:
    """A world that may also be beyond the app's power."""
    world = draw(healable())
    registry, policy = world.registry, world.policy
    if draw(st.booleans()):
        registry = with_target(registry, TargetKind.ACR, sku=draw(st.sampled_from(["Basic", "Premium", ""])))
    for network in policy.networks:
        view = registry.network(network.name)
        assert view.subnet is not None
        subnet = draw(
            st.sampled_from(
                [
                    view.subnet,
                    view.subnet,
                    None,
                    replace(view.subnet, free_addresses=2),
                    replace(view.subnet, delegation="Microsoft.Web/serverFarms"),
                ]
            )
        )
        registry = with_view(registry, network.name, subnet=subnet)
    return replace(world, registry=registry, policy=draw(_stricter(policy)), repairs=draw(_repairs(registry, policy)))


def _repairs(registry: Registry, policy: IsolationPolicy) -> st.SearchStrategy[dict[str, int]]:
    keys = [key for wish in wanted(registry, policy) for key in (wish.id.key, f"names:{wish.id.key}")]
    return st.dictionaries(st.sampled_from(keys), st.integers(0, 4))


def _stricter(policy: IsolationPolicy) -> st.SearchStrategy[IsolationPolicy]:
    """The same policy, or one that forbids to create zones."""
    networks = tuple(
        network.model_copy(update={"dns": network.dns.model_copy(update={"create_zones": False})})
        for network in policy.networks
    )
    return st.sampled_from([policy, policy.model_copy(update={"networks": networks})])
