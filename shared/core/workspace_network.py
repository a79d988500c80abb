"""What was read of the network around workspaces that share with a registry: their endpoints' subnets, their ways out."""

from dataclasses import dataclass

from shared.core.arm import ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """An online deployment of a workspace that may call out to the internet; *state* is its `egressPublicNetworkAccess`."""

    id: ResourceId
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceNetwork:
    """
    One workspace's network.

    Attributes:
        subnets: Of its private endpoints, as far as they could be read.
        open_deployments: Online deployments whose way out is not closed; () where the workspace's managed network
            decides about it.
        problems: What could not be read and why, one sentence each.
    """

    workspace: ResourceId
    subnets: tuple[ResourceId, ...] = ()
    open_deployments: tuple[Deployment, ...] = ()
    problems: tuple[str, ...] = ()
