"""
The simulated Azure: the kernel with all its providers, behind one door.

    azure = SimulatedAzure(seed=7)
    answer = azure.handle(Request("GET", azure.endpoint + "/subscriptions?api-version=2022-12-01", headers), now)

`handle` and `advance` take the moment from the caller; nothing here reads a clock. Every provider module has `ROUTES`
and may have `install(azure)`, which is called once after all routes are known (link targets, listeners).
"""

from collections.abc import Sequence
from datetime import datetime

from local.simulator import providers
from local.simulator.clouds import CLOUDS
from local.simulator.durations import Durations
from local.simulator.kernel import Kernel
from local.simulator.options import Options
from local.simulator.rbac import OWNER
from local.simulator.world import EPOCH, World

TENANT = "00000000-0000-4000-8000-000000000001"
SUBSCRIPTION = "00000000-0000-4000-8000-000000000002"


class SimulatedAzure(Kernel):
    """
    One simulated Azure.

    Args:
        seed: Source of generated names and GUIDs.
        start: First moment of virtual time, aware UTC.
        cloud: AzureCloud, AzureUSGovernment or AzureChinaCloud: zones and suffixes.
        durations: How long operations take.
        options: What differs between tenants or is unknown.
        endpoint: Resource Manager's address; operation URLs point there. Empty: the cloud's own.
        tenant_id: The one tenant.
        subscriptions: Its subscriptions.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        start: datetime = EPOCH,
        cloud: str = "AzureCloud",
        durations: Durations | None = None,
        options: Options | None = None,
        endpoint: str = "",
        tenant_id: str = TENANT,
        subscriptions: Sequence[str] = (SUBSCRIPTION,),
    ) -> None:
        known = CLOUDS[cloud]
        super().__init__(
            world=World(seed=seed, start=start),
            cloud=known,
            durations=durations or Durations(),
            options=options or Options(),
            endpoint=(endpoint or known.resource_manager).rstrip("/"),
            tenant_id=tenant_id,
            subscriptions=subscriptions,
        )
        providers.install(self)

    def move_to(self, endpoint: str) -> None:
        """From now on operation URLs and metadata point at *endpoint* (a server's own address)."""
        self.operations.endpoint = endpoint.rstrip("/")

    def token(self, object_id: str = OWNER, audience: str = "") -> str:
        """A bearer token that names the principal, valid for a day of virtual time."""
        return self.rbac.token(object_id, audience=audience or self.endpoint, now=self.world.now)

    def headers(self, object_id: str = OWNER) -> dict[str, str]:
        """The Authorization header of that principal."""
        return {"Authorization": f"Bearer {self.token(object_id)}"}
