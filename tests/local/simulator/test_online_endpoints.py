"""Online endpoints of workspaces and their deployments."""

from local.simulator.providers.online_endpoints import DEPLOYMENTS, ENDPOINTS
from tests.local.simulator.scene import Scene


def test_endpoints_and_their_deployments_are_listed_and_not_made() -> None:
    scene = Scene()
    workspace = f"{scene.rg}/providers/Microsoft.MachineLearningServices/workspaces/ws"
    body = {"location": "westeurope", "properties": {}}
    assert scene.put(workspace, body, version="2024-04-01").status == 202
    scene.rest()
    endpoint = f"{workspace}/onlineEndpoints/ep"
    for kind, path in ((ENDPOINTS, endpoint), (DEPLOYMENTS, f"{endpoint}/deployments/blue")):
        scene.azure.world.put({"id": path, "name": path.rsplit("/", 1)[1], "type": kind, "properties": {}})

    listed = scene.get(f"{workspace}/onlineEndpoints", version="2024-04-01").json()["value"]
    assert [each["id"] for each in listed] == [endpoint]
    listed = scene.get(f"{endpoint}/deployments", version="2024-04-01").json()["value"]
    assert [each["name"] for each in listed] == ["blue"]
    assert scene.put(endpoint, body, version="2024-04-01").status == 501
    assert scene.get(f"{workspace}x/onlineEndpoints", version="2024-04-01").status == 404
