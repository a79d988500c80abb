"""Two installations of the app and a human at one storage account: with the account's lease, nobody loses anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from itertools import count, cycle
from typing import Any
from uuid import uuid4

import pytest
from azure.core.rest import AsyncHttpResponse, HttpRequest

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.rbac import OWNER
from local.simulator.transport import SimulatedTransport
from shared.cloud.arm_client import ArmClient
from shared.cloud.clock import SystemClock
from shared.cloud.control_plane import ArmControlPlane
from shared.cloud.leases import BlobLeases
from shared.cloud.state_clients import StateAccount
from shared.core.arm import ResourceId
from shared.core.clouds import CLOUDS
from shared.core.storage_rules import AddResourceRules, ResourceRule
from shared.engine.apply import Applier
from shared.engine.pacing import Pacing
from shared.engine.ports import Clock, Leases
from shared.engine.retrying import Retrier
from tests.cloud.foreign_writers import TENANT, registry
from tests.fixtures.azurite import azurite
from tests.scenarios.house import SimulatedCredential
from tests.scenarios.sharing import BUSY_ACLS, acls_of, add_address, change_acls, let_in
from tests.virtual_time import LoopClock

__all__ = ["azurite"]

pytestmark = pytest.mark.slow

INSTANCES = 2
REGISTRIES = 3
LATENCY = 0.02
DELAYS = cycle([0.15, 0.0, 0.05])
"""Seconds that a write is under way, so that rivals overtake one another."""


class Visited(SimulatedTransport):
    """A human lets one more address in right before each of the app's reads of the account."""

    visits = count(1)

    def __init__(self, azure: SimulatedAzure, now: Any, account: str) -> None:
        super().__init__(azure, now, latency=LATENCY)
        self._world = azure
        self._account = account

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        if request.method == "GET":
            change_acls(self._world, self._account, add_address(f"198.51.100.{next(self.visits)}"))
        else:
            await asyncio.sleep(next(DELAYS))
        return await super().send(request, **kwargs)


class NoLeases:
    """Everybody may."""

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._hold(name)

    @asynccontextmanager
    async def _hold(self, _name: str) -> AsyncIterator[None]:
        yield


async def race(azure: SimulatedAzure, account: str, leases: list[Leases], clock: Clock) -> int:
    """Let every installation add rules of its registries at once, until each is told Done; gives what failed."""
    start, began = azure.world.now, clock.now()

    def now() -> datetime:
        return start + (clock.now() - began)

    async def installation(index: int) -> int:
        transport = Visited(azure, now, account)
        credential = SimulatedCredential(azure, OWNER)
        arm = ArmClient(credential=credential, cloud=CLOUDS["AzureCloud"], transport=transport)
        applier = Applier(ArmControlPlane(arm=arm, now=now), clock, Pacing(), leases[index])
        rivals = (one_pass(applier, f"{'ab'[index]}{number}") for number in range(REGISTRIES))
        return sum(await asyncio.gather(*rivals))

    async def one_pass(applier: Applier, name: str) -> int:
        rule = ResourceRule(tenant=TENANT, resource=registry(name))
        change = AddResourceRules(account=ResourceId.parse(account), rules=(rule,))
        for tries in range(20):
            applied = await applier.apply([change], (), Retrier(clock, clock.now() + timedelta(seconds=30)))
            if applied.attempts[0].error is None:
                return tries
        raise AssertionError(f"{name} never got its turn: {applied.attempts[0].error}")

    return sum(await asyncio.gather(*(installation(index) for index in range(INSTANCES))))


def a_world() -> tuple[SimulatedAzure, str]:
    azure = SimulatedAzure(seed=3)
    scenery.standard_world(azure)
    account = scenery.create_storage_account(
        azure, "stshared", publicNetworkAccess="Disabled", networkAcls={**BUSY_ACLS, "ipRules": []}
    )
    return azure, account.id


def wanted() -> set[str]:
    return {registry(f"{letter}{number}").text for letter in "ab" for number in range(REGISTRIES)}


async def test_with_leases_two_installations_and_a_human_lose_nothing(azurite: str) -> None:
    azure, account = a_world()
    container = f"leases-{uuid4().hex[:8]}"
    state = StateAccount(connection_string=azurite)
    leases = [BlobLeases(state, SystemClock(), container=container) for _ in range(INSTANCES)]
    first = next(Visited.visits)

    await race(azure, account, [*leases], SystemClock())

    last = next(Visited.visits)
    for each in leases:
        await each.aclose()
    assert wanted() <= set(let_in(azure, account))
    assert len(let_in(azure, account)) == len(wanted()) + 1
    addresses = [rule["value"] for rule in acls_of(azure, account)["ipRules"]]
    assert sorted(addresses) == sorted(f"198.51.100.{number}" for number in range(first + 1, last))
    assert acls_of(azure, account)["ipv6Rules"] == BUSY_ACLS["ipv6Rules"]


@pytest.mark.virtual_time
async def test_without_leases_the_same_race_loses_something() -> None:
    """The test above can fail."""
    azure, account = a_world()
    first = next(Visited.visits)

    await race(azure, account, [NoLeases() for _ in range(INSTANCES)], LoopClock())

    last = next(Visited.visits)
    addresses = [rule["value"] for rule in acls_of(azure, account)["ipRules"]]
    assert len(addresses) < last - first - 1
