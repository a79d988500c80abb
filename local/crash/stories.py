"""
What a trial is about: what happens to the registry, and how it must end.

Each story's path differs, so each has points of its own. What happens does so in the simulated Azure; only the undo is
asked of the app itself, by a person who asks again until the app has taken the request down.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from local.app_user import AppRefused, Json
from local.crash import worlds
from local.crash.azure_front import AzureFront
from local.simulator import scenery
from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.wire import JsonObject
from local.verdict import endpoints_of, unisolated

_ASK_AGAIN = 0.2
_STORAGE_API = "2023-05-01"
_OPENED_BY_AZURE = frozenset({"PATCH microsoft.storage/storageaccounts/*"})
"""A registry whose public access is opened opens its storage after a while, so a host that was dead meanwhile finds it open."""


class App(Protocol):
    """Whom a person asks; `AppUser` is one."""

    async def post(self, path: str, body: Json) -> object:
        """
        POST *body* to *path* below /api.

        Raises:
            AppRefused: The app said no, or nothing.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a story happens; *app* is the host of the moment, which keeps its address when it is started again."""

    front: AzureFront
    app: App
    name: str

    @property
    def registry(self) -> str:
        """The registry's id."""
        return worlds.registry_id(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """
    One story.

    Attributes:
        act: What happens while the host may be killed.
        ends: The outcome that the ledger must tell in the end.
        isolated: The registry is isolated before anything happens.
        problems: What is wrong in the end, whoever was killed.
        spared: Writes, as the verdict calls them, that need not be made any more when the host comes back late.
    """

    name: str
    act: Callable[[Stage], Coroutine[None, None, None]]
    ends: str
    isolated: bool
    problems: Callable[[SimulatedAzure, str], Iterator[str]]
    spared: frozenset[str] = frozenset()


async def _create(stage: Stage) -> None:
    stage.front.azure.advance(stage.front.time.now())
    scenery.put_registry(stage.front.azure, stage.name, now=stage.front.time.now())
    stage.front.wake()


async def _drift(stage: Stage) -> None:
    """Somebody opens the registry's storage and deletes the endpoint of its container registry; events tell of both."""
    azure = stage.front.azure
    azure.advance(stage.front.time.now())
    storage, acr = scenery.parts_of(azure, azure.require(stage.registry))
    opened: JsonObject = {"properties": {"publicNetworkAccess": "Enabled"}}
    scenery.send(azure, "PATCH", storage.id, opened, api_version=_STORAGE_API)
    (endpoint,) = endpoints_of(azure, acr)
    scenery.send(azure, "DELETE", endpoint.id, api_version=scenery.NETWORK_API)
    stage.front.wake()


async def _delete(stage: Stage) -> None:
    stage.front.azure.advance(stage.front.time.now())
    scenery.send(stage.front.azure, "DELETE", stage.registry, api_version=scenery.REGISTRY_API)
    stage.front.wake()


async def _undo(stage: Stage) -> None:
    """A request that a killed host did not answer may have been taken down all the same; asking again does no harm."""
    path = f"registries/{SUBSCRIPTION}/rg-ml/{stage.name}/undo"
    while True:
        try:
            await stage.app.post(path, {"why": "a trial"})
        except AppRefused:
            await asyncio.sleep(_ASK_AGAIN)
        else:
            return


def _isolated(azure: SimulatedAzure, name: str) -> Iterator[str]:
    yield from unisolated(azure, worlds.registry_id(name))
    yield from worlds.wrongly_let_in(azure, worlds.registry_id(name))


def _open(azure: SimulatedAzure, name: str) -> Iterator[str]:
    """As its owner created it: public."""
    registry = azure.require(worlds.registry_id(name))
    for target in (registry, *scenery.parts_of(azure, registry)):
        if target.properties.get("publicNetworkAccess", "Enabled") != "Enabled":
            yield f"{target.name} is still closed."


def _gone(azure: SimulatedAzure, name: str) -> Iterator[str]:
    if azure.world.get(worlds.registry_id(name)) is not None:
        yield f"{name} is still there."
    for endpoint in azure.world.of_type("Microsoft.Network/privateEndpoints"):
        yield f"The endpoint {endpoint.name} leads to a registry that is gone."
    yield from worlds.wrongly_let_in(azure)


STORIES: Mapping[str, Story] = MappingProxyType(
    {
        story.name: story
        for story in (
            Story(name="create", act=_create, ends="converged", isolated=False, problems=_isolated),
            Story(name="drift", act=_drift, ends="converged", isolated=True, problems=_isolated),
            Story(name="undo", act=_undo, ends="paused", isolated=True, problems=_open, spared=_OPENED_BY_AZURE),
            Story(name="delete", act=_delete, ends="gone", isolated=True, problems=_gone),
        )
    }
)
CREATE = STORIES["create"]
