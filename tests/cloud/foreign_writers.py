"""Somebody else who writes to the same storage account, at chosen points between two requests of the app."""

from collections.abc import Callable, Mapping
from typing import Any

from azure.core.rest import AsyncHttpResponse, HttpRequest

from local.simulator import scenery
from local.simulator.rbac import OWNER
from local.simulator.transport import SimulatedTransport
from local.simulator.world import Resource
from shared.cloud.arm_client import ArmClient
from shared.cloud.storage_rules import StorageRules
from shared.core.arm import ResourceId
from shared.core.clouds import CLOUDS
from tests.cloud.rig import Rig
from tests.scenarios.house import SimulatedCredential
from tests.scenarios.sharing import BUSY_ACLS

TENANT = "11111111-0000-4000-8000-000000000001"


class Interrupted(SimulatedTransport):
    """Lets somebody act right before the app's n-th request reaches Azure."""

    def __init__(self, *arguments: Any, acts: Mapping[int, Callable[[], None]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.acts = dict(acts)
        self.methods: list[str] = []

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        act = self.acts.pop(len(self.methods), None)
        if act is not None:
            act()
        self.methods.append(request.method)
        return await super().send(request, **kwargs)


class Shared:
    """A storage account with everybody's rules, and the app's writer for it."""

    def __init__(self, acts: Mapping[int, Callable[["Shared"], None]] | None = None, **properties: Any) -> None:
        self.rig = Rig()
        self.account = self._account(properties)
        bound = {at: lambda act=act: act(self) for at, act in (acts or {}).items()}
        self.transport = Interrupted(self.rig.azure, self.rig.now, latency=0, acts=bound)
        arm = ArmClient(
            credential=SimulatedCredential(self.rig.azure, OWNER),
            cloud=CLOUDS["AzureCloud"],
            transport=self.transport,
        )
        self.rules = StorageRules(arm)

    @property
    def id(self) -> ResourceId:
        return ResourceId.parse(self.account.id)

    @property
    def acls(self) -> dict[str, Any]:
        found: dict[str, Any] = self.account.properties["networkAcls"]
        return found

    def _account(self, properties: Mapping[str, Any]) -> Resource:
        settings = {"publicNetworkAccess": "Disabled", "networkAcls": BUSY_ACLS, **properties}
        return scenery.create_storage_account(self.rig.azure, "stshared", **settings)


def registry(name: str = "contoso") -> ResourceId:
    return ResourceId.parse(
        f"/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg-ml/providers/"
        f"Microsoft.MachineLearningServices/registries/{name}"
    )
