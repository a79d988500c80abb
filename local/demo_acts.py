"""
What the demo plays once the registry is isolated: somebody opens doors again, and the app notices in each of its ways.

First a change that an event tells of; then events are switched off and the sweep has to find what nobody told; then a person
asks with curl for a plan and has exactly that done; at the end the history tells all of it. Each act is over when Azure,
not the app, says that everything is as it should be.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local import demo_verdict
from local.app_user import AppUser, typed
from local.arm_user import ArmUser
from local.demo_act import Act
from local.demo_show import Show
from local.stage import Stage
from local.stage_scene import API_VERSIONS, event_subscription_body
from shared.core.arm import ResourceId

LOOK_AGAIN = timedelta(milliseconds=250)
ASK_GRAPH_AGAIN = timedelta(seconds=1)
"""Resource Graph allows a caller three queries a second."""
HISTORY_LINES = 14
_STATES_AT_WORK = frozenset({"running"})


class Acts:
    """
    The acts, on a stage whose registry is isolated.

    Args:
        timeout: Longest that one act may take.
    """

    def __init__(self, stage: Stage, show: Show, user: ArmUser, registry: str, *, timeout: timedelta) -> None:
        self._stage = stage
        self._show = show
        self._user = user
        self._registry = ResourceId.parse(registry)
        self._timeout = timeout
        self._app = AppUser(stage.host.url, stage.host.key, stage.folder)
        self._path = f"registries/{self._registry.subscription}/{self._registry.group.name}/{self._registry.name}"

    async def play(self) -> tuple[Act, ...]:
        """
        Play all of them.

        Raises:
            ArmRefused: Azure refused something to the user.
            AppRefused: The app did.
        """
        acts = (await self._open_storage(), await self._delete_endpoint(), await self._open_by_plan())
        await self._show_history()
        subscription = event_subscription_body(self._stage.host.webhook)
        scene = self._stage.azure.scene
        await self._user.put(scene.event_subscription, subscription, API_VERSIONS["event-grid"])
        return acts

    async def _open_storage(self) -> Act:
        """A door is opened; Event Grid tells."""
        storage = await self._part("storageAccountDetails", "systemCreatedStorageAccount")
        self._show.say(f"somebody opens storage account {storage.name} to the internet again", "bold")
        began = datetime.now(UTC)
        await self._open(storage, "storage")
        seconds = await self._well(began)
        self._tell(seconds, f"Event Grid told, and storage account {storage.name} is closed again")
        return Act(what="storage account opened", found_by="event", seconds=seconds)

    async def _delete_endpoint(self) -> Act:
        """An endpoint goes while nobody tells; the sweep finds it."""
        scene = self._stage.azure.scene
        await self._user.delete(scene.event_subscription, API_VERSIONS["event-grid"])
        self._show.say("the event subscription is deleted: from here on nobody tells the app anything", "bold")
        storage = await self._part("storageAccountDetails", "systemCreatedStorageAccount")
        endpoint = await self._endpoint(storage)
        self._show.say(f"somebody deletes {endpoint.name}, the private endpoint of {storage.name}", "bold")
        began = await self._delete_unseen(endpoint)
        self._show.say("Resource Graph shows it too; a sweep is asked for, instead of waiting for the hour:")
        sweep = await self._typed("sweeps", {})
        await self._until(lambda: self._sweep_is_over(str(sweep["id"])))
        seconds = await self._well(began)
        self._tell(seconds, f"the sweep found it, and {endpoint.name} is back with its records")
        return Act(what="private endpoint deleted, events off", found_by="sweep", seconds=seconds)

    async def _open_by_plan(self) -> Act:
        """A person looks at a plan, and has exactly that done."""
        acr = await self._part("acrDetails", "systemCreatedAcrAccount")
        self._show.say(f"somebody opens container registry {acr.name}, events still off", "bold")
        began = datetime.now(UTC)
        await self._open(acr, "container-registries")
        plan = await self._typed(f"{self._path}/plan")
        for stage in plan["stages"]:
            for change in stage["changes"]:
                self._show.say(f"  the plan: {change['sentence']}")
        report = await self._typed(f"{self._path}/remediate?wait=60", {"digest": plan["digest"]})
        self._show.say(f"  the app answers: {report.get('phase', 'accepted')}")
        seconds = await self._well(began)
        self._tell(seconds, "exactly the plan that was seen has been done")
        return Act(what="container registry opened, events off", found_by="person", seconds=seconds)

    async def _show_history(self) -> None:
        history = await self._typed(f"{self._path}/history?limit={HISTORY_LINES}")
        self._show.history(history["entries"])
        for told in (await self._user.look("received"))["received"]:
            event = told["event"]
            self._show.say(f"  told to whoever listens: {event['type']} of {event['subject'].rpartition('/')[2]}")

    # --- looking and doing ----------------------------------------------------------------------------------------

    async def _typed(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the app with curl, showing the command."""
        self._show.say(f"$ {typed(path, body)}", "cyan")
        answer = await (self._app.get(path) if body is None else self._app.post(path, body))
        return answer.document

    async def _part(self, details: str, made: str) -> ResourceId:
        """The first storage account or the container registry, as the registry itself names it."""
        document = await self._user.get(self._registry.text, API_VERSIONS["registries"]) or {}
        region = document["properties"]["regionDetails"][0]
        return ResourceId.parse(region[details][0][made]["armResourceId"]["resourceId"])

    async def _open(self, part: ResourceId, service: str) -> None:
        body = {"properties": {"publicNetworkAccess": "Enabled"}}
        await self._user.patch(part.text, body, API_VERSIONS[service])

    async def _endpoint(self, target: ResourceId) -> ResourceId:
        scope = self._stage.azure.scene.scope
        listed = await self._user.list(f"{scope}/providers/Microsoft.Network/privateEndpoints", API_VERSIONS["network"])
        return next(
            ResourceId.parse(each["id"])
            for each in listed
            for connection in each["properties"]["privateLinkServiceConnections"]
            if ResourceId.parse(connection["properties"]["privateLinkServiceId"]) == target
        )

    async def _delete_unseen(self, endpoint: ResourceId) -> datetime:
        """
        Delete an endpoint until Resource Graph shows that it is gone; gives when that deletion began.

        A look that was due anyway, from an event on its way or the second look after a closing, may put the endpoint back
        before Resource Graph has noticed that it was gone; then there is nothing left for a sweep to find.
        """
        while True:
            began = datetime.now(UTC)
            await self._user.delete(endpoint.text, API_VERSIONS["network"])
            await self._until(lambda: self._is_noticed(endpoint), ASK_GRAPH_AGAIN)
            if not await self._is_back(endpoint) or datetime.now(UTC) - began >= self._timeout:
                return began
            self._show.say(f"a look that was due anyway has put {endpoint.name} back; it is deleted once more", "bold")
            await self._until(self._is_said)

    async def _is_noticed(self, endpoint: ResourceId) -> bool:
        return await self._is_back(endpoint) or await self._graph_has_lost(endpoint)

    async def _is_back(self, endpoint: ResourceId) -> bool:
        return await self._user.get(endpoint.text, API_VERSIONS["network"]) is not None

    async def _graph_has_lost(self, endpoint: ResourceId) -> bool:
        kind = "type =~ 'microsoft.network/privateendpoints'"
        return not await self._user.graph(f"Resources | where {kind} | where id =~ '{endpoint.text}' | project id")

    async def _sweep_is_over(self, sweep: str) -> bool:
        record = (await self._app.get(f"sweeps/{sweep}")).document
        return record["state"] not in _STATES_AT_WORK

    async def _is_well(self) -> bool:
        return not await demo_verdict.problems(self._user, self._stage.azure.scene, self._registry.text)

    async def _is_said(self) -> bool:
        """The app has come to its own end, so that the next act begins in quiet."""
        report = (await self._app.get(self._path)).document
        return bool(report["answered"]) and report["phase"] == "converged"

    async def _well(self, since: datetime) -> float | None:
        """Wait until Azure says that the registry is isolated; gives the seconds since *since*, None if it did not."""
        if not await self._until(self._is_well):
            return None
        seconds = round((datetime.now(UTC) - since).total_seconds(), 1)
        return seconds if await self._until(self._is_said) else None

    async def _until(self, holds: Callable[[], Awaitable[bool]], pause: timedelta = LOOK_AGAIN) -> bool:
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                while not await holds():
                    self._stage.check()
                    await asyncio.sleep(pause.total_seconds())
        except TimeoutError:
            return False
        return True

    def _tell(self, seconds: float | None, sentence: str) -> None:
        if seconds is None:
            self._show.say(f"not repaired within {self._timeout.total_seconds():g} seconds", "red")
        else:
            self._show.say(f"after {seconds:g} s: {sentence}", "green")
