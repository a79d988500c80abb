"""The control plane over a simulated Azure, with a clock that the test moves by hand."""

from collections.abc import Callable
from datetime import datetime, timedelta

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.options import Options
from local.simulator.transport import SimulatedCredential, SimulatedTransport
from local.simulator.world import Resource
from shared.cloud.arm_client import ArmClient
from shared.cloud.control_plane import ArmControlPlane
from shared.core.arm import ResourceId
from shared.core.changes import Change, CreateEndpoint, key_of
from shared.core.clouds import CLOUDS
from shared.core.registry import ENDPOINT_TYPE, ZONE_TYPE
from shared.core.report import Done
from shared.engine.ports import Progress, ProgressState
from shared.engine.records import Operation

STEP = timedelta(seconds=5)


class Rig:
    """One world, one control plane."""

    def __init__(self, *, options: Options | None = None, api_version: str = "2025-06-01") -> None:
        self.azure = SimulatedAzure(seed=5, options=options)
        self.scene = scenery.standard_world(self.azure)
        self.moment: datetime = self.azure.world.now
        self.arm = ArmClient(
            credential=SimulatedCredential(self.azure),
            cloud=CLOUDS["AzureCloud"],
            transport=SimulatedTransport(self.azure, self.now, latency=0),
        )
        self.plane = ArmControlPlane(arm=self.arm, now=self.now, registry_api_version=api_version)
        self.subnet = ResourceId.parse(self.scene.subnet)
        self.network_group = ResourceId.parse(self.scene.network_group)
        self.dns_group = ResourceId.parse(self.scene.dns_group)

    def now(self) -> datetime:
        return self.moment

    def pass_time(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.azure.advance(self.moment)

    def registry(self, name: str = "contoso", regions: tuple[str, ...] = ("westeurope",)) -> Resource:
        """A finished registry."""
        return scenery.create_registry(self.azure, name, regions, self.moment)

    def parts(self, registry: Resource) -> list[ResourceId]:
        """Its storage accounts and its container registry."""
        return [ResourceId.parse(part.id) for part in scenery.parts_of(self.azure, registry)]

    def properties(self, resource: ResourceId) -> dict[str, object]:
        """What the world holds."""
        found = self.azure.world.get(resource.text)
        assert found is not None
        return found.properties

    def endpoint(self, name: str = "pe-1") -> ResourceId:
        return self.network_group.resource(ENDPOINT_TYPE, name)

    def zone(self, name: str = "privatelink.blob.core.windows.net") -> ResourceId:
        return self.dns_group.resource(ZONE_TYPE, name)

    def endpoint_change(self, target: ResourceId, group: str, name: str = "pe-1") -> CreateEndpoint:
        return CreateEndpoint(
            endpoint=self.endpoint(name),
            location="westeurope",
            subnet=self.subnet,
            target=target,
            group=group,
            tags={"managed-by": "tests"},
        )

    def calls(self, kind: str, since: int = 0) -> list[str]:
        """`METHOD path` of the logged calls of a kind."""
        return [
            f"{call.method} {call.url.split('?')[0].removeprefix(self.azure.endpoint)}"
            for call in self.azure.log[since:]
            if call.kind == kind
        ]

    async def cost(self, action: Callable[[], object]) -> int:
        """How many requests *action* makes; *action* returns an awaitable."""
        before = len(self.azure.log)
        await action()  # type: ignore[misc]
        return len(self.azure.log) - before

    async def started(self, change: Change) -> Operation:
        """Begin *change*, which must take a while."""
        result = await self.plane.start(change)
        assert result.kind == "started", change.sentence
        return Operation(change=change, started=self.moment, due=self.moment, url=result.url)

    async def progress(self, operation: Operation) -> Progress:
        return (await self.plane.progress([operation]))[key_of(operation.change)]

    async def finished(self, change: Change, limit: timedelta = timedelta(minutes=5)) -> Progress:
        """Begin *change* and look every five seconds until it has ended."""
        result = await self.plane.start(change)
        if isinstance(result, Done):
            return Progress(state=ProgressState.SUCCEEDED)
        operation = Operation(change=change, started=self.moment, due=self.moment, url=result.url)
        while self.moment - operation.started < limit:
            told = await self.progress(operation)
            if told.state is not ProgressState.RUNNING:
                return told
            self.pass_time(STEP.total_seconds())
        raise AssertionError(f"{change.sentence}: still running after {limit}")
