"""How to reach a front that a test runs in its own process."""

from local.arm_user import AzureAddress
from local.simulator.azure import SUBSCRIPTION
from local.simulator.server import SimulatorServer
from local.stage_scene import Scene


def address_of(server: SimulatorServer) -> AzureAddress:
    return AzureAddress(
        endpoint=server.endpoint,
        ca=server.ca_file,
        identity_endpoint=server.identity_endpoint,
        identity_header=server.azure.identity_header,
        scene=Scene(subscription=SUBSCRIPTION),
    )
