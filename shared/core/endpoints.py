"""
Which private endpoints a registry needs, and what each one lacks.

One endpoint for every target, group id and network of the policy. An approved endpoint in the right subnet is adopted,
whoever made it; the app repairs and deletes only what bears the name that it gives itself. Connections it does not know
(those of managed virtual networks, for example) are none of its business.

    state of the candidate in the subnet          what happens
    none                                          create (subnet usable, target ready)
    Succeeded, Approved                           use it
    Creating, Updating, Deleting                  wait
    ours: Succeeded, Pending                      blocked: somebody must approve
    ours: Approved, the target says Pending       wait for the target's word, five minutes at most, then as above
    ours: Failed, Rejected, Disconnected, Timeout put again, then delete and create, put again, blocked
    another's, not approved                       ignored: create ours beside it
    another's is used, ours is dead               delete ours: its zone group would fight over the records
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.core.arm import ResourceId
from shared.core.changes import Change, CreateEndpoint, DeleteEndpoint
from shared.core.naming import endpoint_id, endpoint_tags
from shared.core.plan import Wait
from shared.core.policy import IsolationPolicy, Network
from shared.core.registry import (
    ConnectionStatus,
    NetworkView,
    PrivateEndpoint,
    Registry,
    Target,
    TargetKind,
)
from shared.core.report import Reason

ACR_GROUP = "registry"
REGISTRY_GROUP = "amlregistry"
PREMIUM = "premium"
_TARGET_BUSY_DELAY = timedelta(seconds=15)
_REPLICA_DELAY = timedelta(seconds=30)
_ENDPOINT_DELAY = timedelta(seconds=10)
_CONFIRMATION_DELAY = timedelta(seconds=30)
_CONFIRMATION_LOOKS = 10
_IN_PROGRESS = {"creating", "updating", "deleting"}
REFUSING = frozenset({ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED, ConnectionStatus.TIMEOUT})
"""What a target says of a connection through which nothing will pass; Timeout: nobody approved it in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedEndpoint:
    """An endpoint for *group* of *target* in *network*; *id* is the name that the app would give it."""

    network: Network
    target: Target
    group: str
    id: ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    How one wanted endpoint stands: usable (*endpoint*), or one of a change, a wait and a block.

    A usable one may carry a change as well: the removal of a dead endpoint of ours that it replaces.
    """

    wanted: WantedEndpoint
    endpoint: PrivateEndpoint | None = None
    change: Change | None = None
    wait: Wait | None = None
    block: Reason | None = None
    broken: str = ""

    @property
    def approved(self) -> bool:
        """Traffic flows: provisioned and approved."""
        return self.endpoint is not None


def groups_of(target: Target, policy: IsolationPolicy) -> tuple[str, ...]:
    """Group ids for which the policy asks an endpoint of *target*."""
    targets = policy.targets
    section, groups = {
        TargetKind.REGISTRY: (targets.registry, (REGISTRY_GROUP,)),
        TargetKind.STORAGE: (targets.storage, targets.storage.subresources),
        TargetKind.ACR: (targets.acr, (ACR_GROUP,)),
    }[target.kind]
    return tuple(groups) if section.endpoint else ()


def wanted_endpoints(
    registry: Registry, policy: IsolationPolicy, networks: Iterable[Network]
) -> tuple[WantedEndpoint, ...]:
    """List every endpoint that the policy asks for, networks outermost."""
    return tuple(
        WantedEndpoint(
            network=network,
            target=target,
            group=group,
            id=endpoint_id(network.endpoints_group, registry.id, target.kind, target.id, group, network.subnet),
        )
        for network in networks
        for target in registry.targets
        for group in groups_of(target, policy)
    )


def candidates(wanted: WantedEndpoint, view: NetworkView) -> tuple[PrivateEndpoint, ...]:
    """Endpoints in the wanted subnet that connect to the wanted group of the wanted target; our own first."""
    fitting = [
        endpoint
        for endpoint in view.endpoints
        if endpoint.subnet == wanted.network.subnet and status_towards(endpoint, wanted) is not None
    ]
    return tuple(sorted(fitting, key=lambda endpoint: (endpoint.id != wanted.id, endpoint.id.key)))


def status_towards(endpoint: PrivateEndpoint, wanted: WantedEndpoint) -> ConnectionStatus | None:
    """The connection's status, the target's own word being the stronger one; None without such a connection."""
    ours = next(
        (
            connection.status
            for connection in endpoint.connections
            if connection.target == wanted.target.id
            and wanted.group.lower() in {group.lower() for group in connection.groups}
        ),
        None,
    )
    if ours is None:
        return None
    if ours is not ConnectionStatus.APPROVED:
        return ours
    theirs = {connection.status for connection in wanted.target.connections if connection.endpoint == endpoint.id}
    pending = theirs & {ConnectionStatus.PENDING} - {ConnectionStatus.APPROVED}
    return min(theirs & REFUSING, default=min(pending, default=ours))


def assess(
    wanted: WantedEndpoint,
    view: NetworkView,
    registry: Registry,
    repairs: Mapping[str, int],
    foreign_refused: frozenset[ResourceId],
) -> Standing:
    """
    Tell how *wanted* stands and what it needs next.

    Args:
        repairs: How often each broken thing was seen before, by key.
        foreign_refused: Endpoints of others that must not be adopted (their zone group belongs to somebody else's zones).
    """
    usable = [
        endpoint
        for endpoint in candidates(wanted, view)
        if endpoint.id == wanted.id or endpoint.id not in foreign_refused
    ]
    for endpoint in usable:
        if endpoint.state.lower() == "succeeded" and status_towards(endpoint, wanted) is ConnectionStatus.APPROVED:
            return Standing(wanted=wanted, endpoint=endpoint, change=_obsolete(wanted, endpoint, usable))
    for endpoint in usable:
        if endpoint.state.lower() in _IN_PROGRESS:
            reason = Reason(
                name="EndpointInProgress",
                sentence=f"Private endpoint {endpoint.id.name} is {endpoint.state}.",
                resource=endpoint.id.text,
            )
            return Standing(wanted=wanted, wait=Wait(reason=reason, delay=_ENDPOINT_DELAY))
    own = next((endpoint for endpoint in usable if endpoint.id == wanted.id), None)
    if own is not None and _says_approved(own, wanted) and status_towards(own, wanted) is ConnectionStatus.PENDING:
        return _await_confirmation(wanted, own, repairs.get(_confirmation_key(own), 0))
    if own is not None:
        return _repair(wanted, own, repairs.get(own.id.key, 0))
    return _create(wanted, view, registry)


def _obsolete(wanted: WantedEndpoint, used: PrivateEndpoint, usable: list[PrivateEndpoint]) -> Change | None:
    dead = {ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED}
    own = next((endpoint for endpoint in usable if endpoint.id == wanted.id and endpoint is not used), None)
    if own is None or own.state.lower() in _IN_PROGRESS:
        return None
    if own.state.lower() == "failed" or status_towards(own, wanted) in dead:
        return DeleteEndpoint(endpoint=own.id)
    return None


def _says_approved(own: PrivateEndpoint, wanted: WantedEndpoint) -> bool:
    statuses = {c.status for c in own.connections if c.target == wanted.target.id}
    return own.state.lower() == "succeeded" and statuses == {ConnectionStatus.APPROVED}


def _confirmation_key(own: PrivateEndpoint) -> str:
    return f"approval:{own.id.key}"


def _await_confirmation(wanted: WantedEndpoint, own: PrivateEndpoint, seen: int) -> Standing:
    """The two sides of a connection disagree: it may be an old answer, and is a person's matter if it lasts."""
    name, target = own.id.name, wanted.target.id
    if seen >= _CONFIRMATION_LOOKS:
        return _approval_block(wanted, own, ConnectionStatus.PENDING)
    sentence = f"Private endpoint {name} says that its connection is Approved, {target.name} says Pending."
    reason = Reason(name="ApprovalUnconfirmed", sentence=sentence, resource=own.id.text)
    return Standing(wanted=wanted, wait=Wait(reason=reason, delay=_CONFIRMATION_DELAY), broken=_confirmation_key(own))


def _approval_block(wanted: WantedEndpoint, own: PrivateEndpoint, status: ConnectionStatus) -> Standing:
    sentence = (
        f"The connection of private endpoint {own.id.name} to {wanted.target.id.name} is {status.value}: "
        f"approve it on {wanted.target.id.text}, or give the app's identity "
        f"{wanted.target.id.type}/privateEndpointConnectionsApproval/action there and delete the endpoint."
    )
    return Standing(wanted=wanted, block=Reason(name="ApprovalPending", sentence=sentence, resource=own.id.text))


def _repair(wanted: WantedEndpoint, own: PrivateEndpoint, seen: int) -> Standing:
    status = status_towards(own, wanted) or ConnectionStatus.UNKNOWN
    if own.state.lower() == "succeeded" and status in {ConnectionStatus.PENDING, ConnectionStatus.UNKNOWN}:
        return _approval_block(wanted, own, status)
    if seen in {0, 2}:  # the creation of what was made anew may have failed by chance as well
        return Standing(
            wanted=wanted, change=_put(wanted, own.location, dict(own.tags), repair=True), broken=own.id.key
        )
    if seen == 1:
        return Standing(wanted=wanted, change=DeleteEndpoint(endpoint=own.id), broken=own.id.key)
    sentence = (
        f"Private endpoint {own.id.name} is {own.state} and its connection {status.value}, although it was put again and "
        f"made anew. Look at {own.id.text} and at who rejects its connection on {wanted.target.id.name}."
    )
    return Standing(wanted=wanted, block=Reason(name="OperationFailed", sentence=sentence, resource=own.id.text))


def _create(wanted: WantedEndpoint, view: NetworkView, registry: Registry) -> Standing:
    target = wanted.target
    if wanted.id in view.taken:
        return Standing(wanted=wanted, block=_name_taken(wanted))
    if target.kind is TargetKind.ACR and target.sku.lower() != PREMIUM:
        sentence = (
            f"Container registry {target.id.name} has sku {target.sku or 'unknown'}; private endpoints and closed public "
            "access need Premium. Upgrade it, or take acr out of the policy's targets."
        )
        return Standing(wanted=wanted, block=Reason(name="UnsupportedSku", sentence=sentence, resource=target.id.text))
    if view.subnet is None or view.subnet.delegation:
        return Standing(wanted=wanted, block=_subnet_block(wanted, view))
    if target.provisioning.lower() not in {"", "succeeded"}:
        reason = Reason(
            name="TargetInProgress", sentence=f"{target.id.name} is {target.provisioning}.", resource=target.id.text
        )
        return Standing(wanted=wanted, wait=Wait(reason=reason, delay=_TARGET_BUSY_DELAY))
    if target.replicas_pending:
        reason = Reason(
            name="ReplicationInProgress",
            sentence=f"Container registry {target.id.name} still replicates to {', '.join(target.replicas_pending)}.",
            resource=target.id.text,
        )
        return Standing(wanted=wanted, wait=Wait(reason=reason, delay=_REPLICA_DELAY))
    return Standing(wanted=wanted, change=_put(wanted, view.subnet.location, endpoint_tags(registry.id), repair=False))


def _name_taken(wanted: WantedEndpoint) -> Reason:
    """The name ends in a short hash, so somebody who tries may hit it; to put it anyway would cut off whom it serves."""
    sentence = (
        f"Private endpoint {wanted.id.name} leads to something else than {wanted.target.id.name}, and the app would use its "
        f"name. Find out who made {wanted.id.text} and for what, and delete it if it serves nobody."
    )
    return Reason(name="EndpointNameTaken", sentence=sentence, resource=wanted.id.text)


def _put(wanted: WantedEndpoint, location: str, tags: dict[str, str], *, repair: bool) -> CreateEndpoint:
    return CreateEndpoint(
        endpoint=wanted.id,
        location=location,
        subnet=wanted.network.subnet,
        target=wanted.target.id,
        group=wanted.group,
        tags=tags,
        repair=repair,
    )


def _subnet_block(wanted: WantedEndpoint, view: NetworkView) -> Reason:
    subnet = wanted.network.subnet
    if view.subnet is not None:
        why = f"is delegated to {view.subnet.delegation}; private endpoints need a subnet without delegation"
    else:
        why = view.subnet_problem or "does not exist"
    sentence = f"Subnet {subnet.name} of network {wanted.network.name} in the policy {why} ({subnet.text})."
    return Reason(name="SubnetUnusable", sentence=sentence, resource=subnet.text)


def address_shortage(creating: Iterable[WantedEndpoint], view: NetworkView, registry: Registry) -> Reason | None:
    """
    Say so when the subnet has too few free addresses for the endpoints to be created, before any of them is.

    One address for a registry or storage endpoint at least; a container registry needs one for its login server and one
    for each region's data endpoint (Azure documentation, container-registry-private-endpoints).
    """
    if view.subnet is None or view.subnet.free_addresses is None:
        return None
    regions = max(1, len(registry.document.regions))
    needed = sum(1 + regions if wanted.group == ACR_GROUP else 1 for wanted in creating)
    if needed <= view.subnet.free_addresses:
        return None
    subnet = view.subnet.id
    sentence = (
        f"Subnet {subnet.name} has {view.subnet.free_addresses} free addresses, the endpoints of {registry.id.name} need at "
        f"least {needed}. Enlarge it or name another subnet in the policy ({subnet.text})."
    )
    return Reason(name="SubnetUnusable", sentence=sentence, resource=subnet.text)
