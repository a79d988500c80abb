"""azure-ai-ml, the SDK that data scientists use, reads registries of the simulated Azure."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.clients.world import ServedWorld, interpreter, run

pytestmark = pytest.mark.slow

PROGRAM = """
import json, sys
from azure.ai.ml import MLClient
from azure.identity import ManagedIdentityCredential

client = MLClient(ManagedIdentityCredential(), sys.argv[1], sys.argv[2], enable_telemetry=False)
registry = client.registries.get(sys.argv[3])
print(json.dumps({
    "name": registry.name,
    "access": registry.public_network_access,
    "regions": [each.location for each in registry.replication_locations],
    "group": registry.managed_resource_group["resourceId"],
    "listed": [each.name for each in client.registries.list()],
}))
"""


@pytest.fixture(scope="module")
def told(served: ServedWorld, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK says of the registry, pointed at this cloud by ARM_CLOUD_METADATA_URL alone."""
    home: Path = tmp_path_factory.mktemp("azure-ai-ml")
    registry = served.world.registry
    arguments = [served.azure.scene.subscription, registry.id.split("/")[4], registry.name]
    environment = served.environment(home) | {
        "ARM_CLOUD_METADATA_URL": f"{served.azure.endpoint}/metadata/endpoints?api-version=2022-09-01"
    }
    said = run(interpreter("ai-ml"), "-c", PROGRAM, *arguments, environment=environment)
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return answer


def test_a_registry_is_read_with_its_regions_and_its_closed_door(served: ServedWorld, told: dict[str, Any]) -> None:
    registry = served.world.registry
    assert told["name"] == registry.name
    assert told["access"] == "Disabled"
    assert told["regions"] == [each["location"] for each in registry.properties["regionDetails"]]
    assert told["group"] == registry.properties["managedResourceGroup"]["resourceId"]


def test_registries_are_listed(served: ServedWorld, told: dict[str, Any]) -> None:
    assert told["listed"] == [served.world.registry.name]
