"""
What the runs of the campaign are about: how each story begins, what happens in it, and how it must end.

A story is a table row of three steps. `arrange` prepares world and policy before the app starts; `prepare` plays what
comes before anything goes wrong; `act` is what happens while things go wrong.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.campaign.cases import Story
from local.campaign.house import StormHouse
from local.campaign.promises import isolation, settings_of
from local.campaign.ways_out import add_group
from local.house import as_id
from local.simulator import scenery
from local.verdict import endpoints_of
from shared.core.errors import RegistryIsolationError
from shared.engine.undo import Undo

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_TWO_REGIONS = ("westeurope", "northeurope")
_TIMER_EVERY = timedelta(hours=1)
_TIMER_MOST = 6
_DNS_API = "2020-06-01"
_STORAGE_API = "2023-05-01"


async def _nothing(_house: StormHouse) -> None:
    """Nothing comes before."""


def _as_it_is(_house: StormHouse) -> None:
    """Nothing to arrange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """
    One story.

    Attributes:
        wanted: What the app must say in the end.
        endpoints: How many there must be in the end, for all registries together.
        prepared: The registry is isolated before anything goes wrong, so lost events leave the app content.
        isolated: The registries are isolated in the end.
    """

    act: Callable[[StormHouse], Awaitable[None]]
    arrange: Callable[[StormHouse], None] = _as_it_is
    prepare: Callable[[StormHouse], Awaitable[None]] = _nothing
    wanted: str = "converged"
    endpoints: int = 3
    prepared: bool = False
    isolated: bool = True


# --- before -----------------------------------------------------------------------------------------------------------


def _three_networks(house: StormHouse) -> None:
    house.add_network("spoke-a", "10.1.0.0/16")
    house.add_network("spoke-b", "10.2.0.0/16")


def _a_network_to_come(house: StormHouse) -> None:
    """It is there, and no policy names it yet."""
    house.add_network("spoke-a", "10.1.0.0/16")
    house.coming.append(house.document["networks"].pop())
    house.azure.watch.subnets.pop()


def _two_registries(house: StormHouse) -> None:
    house.names = ["contoso", "contoso-two"]


def _security_rules(house: StormHouse) -> None:
    house.group = add_group(house)


def _audit(house: StormHouse) -> None:
    house.document["mode"] = "audit"
    house.azure.watch.may_write = False


async def _isolated(house: StormHouse) -> None:
    await _create(house)
    (registry,) = house.registries_of_story
    await house.live(house.exists(registry))
    house.before = settings_of(house, registry)
    await house.live(house.quiet, DAY)


# --- meanwhile --------------------------------------------------------------------------------------------------------


async def _create(house: StormHouse) -> None:
    for name in house.names:
        scenery.put_registry(house.azure, name, now=house.now())


async def _create_in_two_regions(house: StormHouse) -> None:
    scenery.put_registry(house.azure, "contoso", _TWO_REGIONS, now=house.now())


async def _grow(house: StormHouse) -> None:
    (registry,) = house.registries_of_story
    body = scenery.registry_body(_TWO_REGIONS, public_access="Disabled")
    _send(house, "PUT", registry, body, api=scenery.REGISTRY_API)


async def _drift(house: StormHouse) -> None:
    """The storage is opened, the container registry loses its endpoint, the storage its record."""
    registry = house.azure.require(house.registries_of_story[0])
    storage, acr = scenery.parts_of(house.azure, registry)
    opened = {"properties": {"publicNetworkAccess": "Enabled"}}
    _send(house, "PATCH", storage.id, opened, api=_STORAGE_API)
    _send(house, "DELETE", endpoints_of(house.azure, acr)[0].id, api=scenery.NETWORK_API)
    zone = f"{house.scene.dns_group}/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net"
    _send(house, "DELETE", f"{zone}/A/{storage.name}", api=_DNS_API)


async def _drift_unheard(house: StormHouse) -> None:
    """As `_drift`; no event tells of it, the timer fires every hour, and a person looks when all is well."""
    house.switch_off_events()
    await _drift(house)
    for _ in range(_TIMER_MOST):
        await house.fire_timer()
        await house.live(house.quiet, DAY)
        if not isolation(house):
            return
        await house.live(house.after(_TIMER_EVERY))


async def _undo(house: StormHouse) -> None:
    """A person asks until the app has taken it down."""
    house.azure.watch.may_open = True
    (registry,) = house.registries_of_story
    while True:
        try:
            await Undo(house.ledger, house.queue, house.clock).undo(as_id(registry), caller="a person", why="a trial")
        except RegistryIsolationError:
            await house.live(house.after(MINUTE))
        else:
            return


async def _delete(house: StormHouse) -> None:
    for registry in house.registries_of_story:
        _send(house, "DELETE", registry, api=scenery.REGISTRY_API)


async def _recreate(house: StormHouse) -> None:
    await _delete(house)
    (registry,) = house.registries_of_story

    async def is_gone() -> bool:
        return house.azure.world.get(registry) is None

    await house.live(is_gone, DAY)
    await _create(house)


async def _begun(house: StormHouse) -> None:
    """A registry is created, and the app has begun to isolate it, unless nothing has told it within an hour."""
    await _create(house)
    for registry in house.registries_of_story:
        await house.live(house.exists(registry))
    await house.live(house.wrote("/privateEndpoints/"), HOUR)


async def _replace(house: StormHouse) -> None:
    await _begun(house)
    await _recreate(house)


async def _change_policy(house: StormHouse) -> None:
    await _begun(house)
    house.document["networks"] += house.coming
    house.azure.watch.subnets += [network["subnet"].lower() for network in house.coming]
    await house.deploy()


def _send(house: StormHouse, method: str, path: str, body: Any = None, *, api: str) -> None:
    house.azure.advance(house.now())
    scenery.send(house.azure, method, path, body, api_version=api)


PLOTS: dict[Story, Plot] = {
    Story.CREATE: Plot(act=_create),
    Story.REGIONS: Plot(act=_create_in_two_regions, endpoints=4),
    Story.NETWORKS: Plot(act=_create, arrange=_three_networks, endpoints=9),
    Story.TOGETHER: Plot(act=_create, arrange=_two_registries, endpoints=6),
    Story.EGRESS: Plot(act=_create, arrange=_security_rules),
    Story.AUDIT: Plot(act=_create, arrange=_audit, wanted="audited", endpoints=0, isolated=False),
    Story.DRIFT: Plot(act=_drift, prepare=_isolated, prepared=True),
    Story.SWEEP: Plot(act=_drift_unheard, prepare=_isolated, prepared=True),
    Story.GROW: Plot(act=_grow, prepare=_isolated, prepared=True, endpoints=4),
    Story.UNDO: Plot(act=_undo, prepare=_isolated, prepared=True, wanted="paused", isolated=False),
    Story.DELETE: Plot(act=_delete, prepare=_isolated, prepared=True, wanted="gone", endpoints=0, isolated=False),
    Story.RECREATE: Plot(act=_recreate, prepare=_isolated, prepared=True),
    Story.REPLACE: Plot(act=_replace),
    Story.POLICY: Plot(act=_change_policy, arrange=_a_network_to_come, endpoints=6),
}
