"""Deployments that may call out, and the discovery service: read only, and without trusting what comes back."""

from typing import Any

import pytest

from shared.cloud.deployments import Deployments
from shared.cloud.discovery_service import DiscoveryService
from shared.core.arm import ResourceId
from shared.core.errors import RegistryIsolationError
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
ML = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.MachineLearningServices"
WORKSPACE = ResourceId.parse(f"{ML}/workspaces/ws")
REGISTRY = ResourceId.parse(f"{ML}/registries/contoso")
URL = "https://westeurope.api.azureml.ms/registrymanagement/v1.0/registries/contoso/discovery"


def listing(deployments: list[dict[str, Any]]) -> AnsweringTransport:
    endpoint = f"{WORKSPACE.text}/onlineEndpoints/ep"

    def answer(sent: Sent) -> Reply:
        if "/deployments" in sent.url:
            return Reply(200, {"value": deployments})
        return Reply(200, {"value": [{"id": endpoint}, {"name": "an endpoint without an id"}]})

    return AnsweringTransport(answer)


def deployment(name: str, **properties: Any) -> dict[str, Any]:
    return {"id": f"{WORKSPACE.text}/onlineEndpoints/ep/deployments/{name}", "properties": properties}


@pytest.mark.parametrize(
    ("properties", "state"),
    [
        ({"endpointComputeType": "Managed"}, "Enabled"),
        ({"endpointComputeType": "managed", "egressPublicNetworkAccess": "Enabled"}, "Enabled"),
        ({"endpointComputeType": "Managed", "egressPublicNetworkAccess": "disabled"}, None),
        ({"endpointComputeType": "Kubernetes"}, None),
        ({}, None),
    ],
)
async def test_a_managed_deployment_is_open_unless_it_says_disabled(
    properties: dict[str, Any], state: str | None
) -> None:
    found = await Deployments(arm_client(listing([deployment("blue", **properties)]))).read_open(WORKSPACE)

    assert [entry.state for entry in found] == ([] if state is None else [state])


async def test_a_workspace_that_is_not_there_has_none() -> None:
    gone = AnsweringTransport(lambda _sent: Reply(404, {"error": {"code": "ResourceNotFound", "message": "No."}}))

    assert await Deployments(arm_client(gone)).read_open(WORKSPACE) == ()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {
                "registryFqdns": {
                    "westeurope": {"uri": "https://A.example/"},
                    "eastus": {"uri": "https://b.example:443/x"},
                }
            },
            {"westeurope": "a.example", "eastus": "b.example"},
        ),
        ({"registryFqdns": {"westeurope": {"uri": "https://[broken"}, "eastus": {}, "x": "text", "y": None}}, {}),
        ({"registryFqdns": ["a"]}, {}),
        ({"registryFqdns": {"x": {"uri": "https://<b>"}, "y": {"uri": f"https://{'a' * 300}.ms"}}}, {}),
        (
            {"registryFqdns": {f"{at:03}{'r' * 100}": {"uri": "https://a.ms"} for at in range(10_000)}},
            {f"{at:03}{'r' * 61}": "a.ms" for at in range(100)},
        ),
        ({"registryFqdns": None}, {}),
        ({}, {}),
    ],
)
async def test_names_are_read_without_trusting_their_shape(body: dict[str, Any], expected: dict[str, str]) -> None:
    transport = AnsweringTransport(lambda _sent: Reply(200, body))

    assert await DiscoveryService(arm_client(transport)).fqdns(REGISTRY, URL) == expected


async def test_a_refusal_of_the_discovery_service_is_an_error_of_the_tree() -> None:
    transport = AnsweringTransport(lambda _sent: Reply(403, {"error": {"code": "UserError", "message": "No access."}}))

    with pytest.raises(RegistryIsolationError):
        await DiscoveryService(arm_client(transport)).fqdns(REGISTRY, URL)
