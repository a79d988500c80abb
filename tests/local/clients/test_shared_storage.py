"""The app and somebody with the Azure CLI at one storage account: the CLI shows every rule of both."""

import asyncio
import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from azure.core.credentials import AccessToken

from local.simulator import scenery, seed
from local.stage import await_azure, launch_azure
from shared.cloud.arm_client import ArmClient
from shared.cloud.arm_policies import create_transport
from shared.cloud.storage_rules import StorageRules
from shared.core.arm import ResourceId
from shared.core.clouds import CLOUDS
from shared.core.storage_rules import AddResourceRules, ResourceRule
from tests.local.clients.world import ServedWorld, interpreter, run
from tests.local.isolated import isolated_world
from tests.scenarios.sharing import BUSY_ACLS, foreign_rule

pytestmark = pytest.mark.slow

ACCOUNT = "stshared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Human:
    """Somebody at a terminal."""

    python: Path
    environment: dict[str, str]

    def az(self, *arguments: str) -> Any:
        said = run(self.python, "-m", "azure.cli", *arguments, "--output", "json", environment=self.environment)
        return json.loads(said) if said.strip() else None

    def rules(self) -> dict[str, Any]:
        found: dict[str, Any] = self.az("storage", "account", "show", "--name", ACCOUNT, "-g", "rg-ml")[
            "networkRuleSet"
        ]
        return found

    def add_rule(self, *arguments: str) -> None:
        self.az("storage", "account", "network-rule", "add", "--account-name", ACCOUNT, "-g", "rg-ml", *arguments)


class Identity:
    """The token that the front gives to a managed identity."""

    def __init__(self, shared: ServedWorld) -> None:
        azure = shared.azure
        query = urlencode({"api-version": "2019-08-01", "resource": azure.endpoint})
        request = Request(f"{azure.identity_endpoint}?{query}", headers={"X-IDENTITY-HEADER": azure.identity_header})  # noqa: S310 -- loopback
        trust = ssl.create_default_context(cafile=str(azure.ca))
        with urlopen(request, context=trust, timeout=10) as answer:  # noqa: S310 -- loopback
            self._token = json.load(answer)["access_token"]

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 3600)

    async def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedWorld]:
    """A world with a workspace's storage account in it, which holds rules of many."""
    world = isolated_world()
    scenery.create_storage_account(world.azure, ACCOUNT, publicNetworkAccess="Disabled", networkAcls=BUSY_ACLS)
    with launch_azure(tmp_path_factory.mktemp("azure"), scale=0.01, document=seed.dump(world.azure)) as child:
        yield ServedWorld(azure=await_azure(child), world=world)


@pytest.fixture(scope="module")
def human(shared: ServedWorld, tmp_path_factory: pytest.TempPathFactory) -> Human:
    who = Human(python=interpreter("cli"), environment=shared.environment(tmp_path_factory.mktemp("azure-cli")))
    who.az("cloud", "register", "--name", "SimulatedAzure", "--endpoint-resource-manager", shared.azure.endpoint)
    who.az("cloud", "set", "--name", "SimulatedAzure")
    who.az("login", "--identity")
    return who


async def let_in(shared: ServedWorld, resource: str) -> None:
    """What the app does, over HTTPS."""
    account = ResourceId.parse(next(key for key in shared.world.azure.world.resources if key.endswith(f"/{ACCOUNT}")))
    rule = ResourceRule(tenant=shared.world.azure.tenant_id, resource=ResourceId.parse(resource))
    transport = create_transport(str(shared.azure.ca))
    async with transport:
        arm = ArmClient(
            credential=Identity(shared),
            cloud=CLOUDS["AzureCloud"],
            transport=transport,
            endpoint=shared.azure.endpoint,
        )
        await StorageRules(arm).add(AddResourceRules(account=account, rules=(rule,)))


def test_the_cli_shows_the_merged_rules_with_every_earlier_one_intact(shared: ServedWorld, human: Human) -> None:
    registry = shared.world.registry.id
    before = human.rules()
    human.add_rule("--ip-address", "203.0.113.50")

    asyncio.run(let_in(shared, registry))

    after = human.rules()
    ours = {"tenantId": shared.world.azure.tenant_id, "resourceId": registry}
    assert before["resourceAccessRules"] == [foreign_rule("theirs")]
    assert after["resourceAccessRules"] == [foreign_rule("theirs"), ours]
    assert [rule["ipAddressOrRange"] for rule in after["ipRules"]] == ["203.0.113.7", "203.0.113.50"]
    assert (after["bypass"], after["defaultAction"]) == (before["bypass"], "Deny")


def test_what_the_cli_adds_afterwards_leaves_the_apps_rule(shared: ServedWorld, human: Human) -> None:
    asyncio.run(let_in(shared, shared.world.registry.id))
    rule = foreign_rule("later")

    human.add_rule("--resource-id", rule["resourceId"], "--tenant-id", rule["tenantId"])

    assert [each["resourceId"] for each in human.rules()["resourceAccessRules"]] == [
        foreign_rule("theirs")["resourceId"],
        shared.world.registry.id,
        rule["resourceId"],
    ]
