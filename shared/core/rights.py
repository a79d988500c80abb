"""
Which rights a policy needs, where, and whether what Azure says of the app's permissions grants them.

Pure. The files `infra/role*.json` hold the same actions for whoever assigns roles; a test holds both together, so that
nothing is asked for here that no role grants, and no role grants what nobody needs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from shared.core.policy import IsolationPolicy
from shared.core.policy_sections import Egress, Network, Sharing

_AUTHORIZATION = "Microsoft.Authorization"
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_LEARNING = "Microsoft.MachineLearningServices"
_STORAGE = "Microsoft.Storage/storageAccounts"
_ACR = "Microsoft.ContainerRegistry/registries"
_NETWORK = "Microsoft.Network"
_ENDPOINTS = f"{_NETWORK}/privateEndpoints"
_ZONES = f"{_NETWORK}/privateDnsZones"
_PERMISSIONS_READ = f"{_AUTHORIZATION}/permissions/read"
_PROVIDERS_READ = "Microsoft.Resources/subscriptions/providers/read"
_TYPES = (f"{_LEARNING}/registries", _STORAGE, _ACR)
"""Of a registry's parts, in the order of the policy's targets."""


class Role(StrEnum):
    """The role files; the value is what a customer calls them."""

    BASIC = "Registry Isolation"
    AUDIT = "Registry Isolation: audit"
    DELETION = "Registry Isolation: deletion"
    SHARING = "Registry Isolation: sharing"
    EGRESS = "Registry Isolation Egress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """
    Rights that one part of the policy needs at one place.

    Attributes:
        scope: ARM path that permissions are asked of.
        what: What they are for, as a person would say it.
        role: Which role has them.
        vital: Without them a registry stays open; else only less is told.
    """

    scope: str
    what: str
    role: Role
    actions: tuple[str, ...]
    vital: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One entry of a caller's permissions: actions less notActions."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def grants(self, action: str) -> bool:
        """Tell whether it holds *action*; `*` stands for any text, slashes included."""
        return _matches(self.actions, action) and not _matches(self.not_actions, action)


def lacking(need: Need, permissions: Iterable[Permission]) -> tuple[str, ...]:
    """The actions of *need* that no one of *permissions* grants."""
    held = tuple(permissions)
    return tuple(action for action in need.actions if not any(each.grants(action) for each in held))


def needs(policy: IsolationPolicy) -> tuple[Need, ...]:
    """Everything that *policy* needs of Resource Manager, place by place."""
    found: list[Need] = []
    for subscription in policy.scope.subscriptions:
        found += _registries(policy, f"/subscriptions/{subscription}")
    for network in policy.networks:
        found += _network(policy, network)
    for sharing in policy.sharing:
        found += _sharing(policy, sharing)
    for egress in policy.egress:
        found += _egress(policy, egress)
    return tuple(dict.fromkeys(each for each in found if each.actions))


def storage_need(policy: IsolationPolicy, account: str) -> Need:
    """What sharing needs of a storage account."""
    actions = (f"{_STORAGE}/read", *([f"{_STORAGE}/write"] if _writes(policy) else []))
    return Need(
        scope=account,
        what="letting registries into a storage account",
        role=_role(policy, Role.SHARING),
        actions=actions,
    )


def _writes(policy: IsolationPolicy) -> bool:
    return policy.mode == "enforce"


def _role(policy: IsolationPolicy, role: Role) -> Role:
    return role if _writes(policy) else Role.AUDIT


def _registries(policy: IsolationPolicy, scope: str) -> Iterator[Need]:
    role = _role(policy, Role.BASIC)
    reads = [
        f"{_GROUPS}/read",
        f"{_GROUPS}/resources/read",
        *(f"{kind}/read" for kind in _TYPES),
        *(f"{kind}/privateLinkResources/read" for kind in (f"{_LEARNING}/registries", _STORAGE)),
        f"{_ACR}/replications/read",
    ]
    yield Need(scope=scope, what="looking at registries and their parts", role=role, actions=tuple(reads))
    yield Need(
        scope=scope,
        what="sweeps, and looking ahead",
        role=role,
        actions=(
            "Microsoft.ResourceGraph/resources/read",
            f"{_AUTHORIZATION}/denyAssignments/read",
            _PERMISSIONS_READ,
            "Microsoft.EventGrid/systemTopics/eventSubscriptions/read",
            "Microsoft.EventGrid/systemTopics/read",
            _PROVIDERS_READ,
        ),
        vital=False,
    )
    if _writes(policy):
        yield from _writing(policy, scope)
    if policy.sharing:
        role = _role(policy, Role.SHARING)
        actions = ("Microsoft.Resources/subscriptions/read",)
        yield Need(scope=scope, what="the tenant of registries that share", role=role, actions=actions, vital=False)


def _writing(policy: IsolationPolicy, scope: str) -> Iterator[Need]:
    targets = policy.targets
    parts = tuple(zip(_TYPES, (targets.registry, targets.storage, targets.acr), strict=True))
    approvals = tuple(f"{kind}/privateEndpointConnectionsApproval/action" for kind, each in parts if each.endpoint)
    closings = [f"{kind}/write" for kind, each in parts if each.public_access == "disabled"]
    if policy.lockdown.when == "never":
        closings = []
    if targets.storage.allow_resource_instances:
        closings.append(f"{_STORAGE}/write")
    yield Need(scope=scope, what="approving private endpoints", role=Role.BASIC, actions=approvals)
    yield Need(scope=scope, what="closing public access", role=Role.BASIC, actions=tuple(dict.fromkeys(closings)))
    if f"{_LEARNING}/registries/write" in closings:
        why = (f"{_LEARNING}/locations/registryOperationsStatus/read",)
        yield Need(scope=scope, what="why a closing failed", role=Role.BASIC, actions=why, vital=False)


def _network(policy: IsolationPolicy, network: Network) -> Iterator[Need]:
    writes, role, dns = _writes(policy), _role(policy, Role.BASIC), network.dns
    joins = [f"{_NETWORK}/virtualNetworks/subnets/join/action"] if writes else []
    if writes and dns.manage and dns.link_vnet:
        joins.append(f"{_NETWORK}/virtualNetworks/join/action")
    actions = (f"{_NETWORK}/virtualNetworks/read", *joins)
    yield Need(scope=network.vnet_id.text, what=f"network {network.name}", role=role, actions=actions)
    yield from _endpoints(policy, network)
    if dns.zones_resource_group is None:
        return
    rights = ["read", "A/read", "virtualNetworkLinks/read"]
    if writes:
        rights += ["join/action", *(["write"] if dns.create_zones else [])]
        rights += ["virtualNetworkLinks/write"] if dns.link_vnet else []
    actions = tuple(f"{_ZONES}/{right}" for right in rights)
    zones, what = dns.zones_resource_group.text, f"private DNS zones of network {network.name}"
    yield Need(scope=zones, what=what, role=role, actions=actions)
    if writes and (dns.create_zones or dns.link_vnet):
        why = (f"{_NETWORK}/privateDnsOperationStatuses/read",)
        yield Need(scope=zones, what=f"why {what} failed", role=role, actions=why, vital=False)


def _endpoints(policy: IsolationPolicy, network: Network) -> Iterator[Need]:
    writes, role = _writes(policy), _role(policy, Role.BASIC)
    scope, what = network.endpoints_group.text, f"endpoints of network {network.name}"
    rights = ["read", "privateDnsZoneGroups/read", *(["write"] if writes else [])]
    if writes and network.dns.manage:
        rights += ["privateDnsZoneGroups/write", "privateDnsZoneGroups/delete"]
    actions = (*(f"{_ENDPOINTS}/{right}" for right in rights), f"{_NETWORK}/networkInterfaces/read")
    yield Need(scope=scope, what=what, role=role, actions=actions)
    if not writes:
        return
    why = (f"{_NETWORK}/locations/operations/read",)
    subscription = f"/subscriptions/{network.endpoints_group.subscription}"
    yield Need(scope=subscription, what=f"why {what} failed", role=role, actions=why, vital=False)
    ahead = (_PROVIDERS_READ,)
    yield Need(scope=subscription, what=f"looking ahead for {what}", role=role, actions=ahead, vital=False)
    if policy.deletion.endpoints:
        yield Need(scope=scope, what=f"removing {what}", role=Role.DELETION, actions=(f"{_ENDPOINTS}/delete",))


def _sharing(policy: IsolationPolicy, sharing: Sharing) -> Iterator[Need]:
    kind = f"{_LEARNING}/workspaces"
    actions = (f"{kind}/read", f"{kind}/onlineEndpoints/read", f"{kind}/onlineEndpoints/deployments/read")
    for workspace in sharing.workspaces:
        what = f"workspace {workspace.name}"
        yield Need(scope=workspace.text, what=what, role=_role(policy, Role.SHARING), actions=actions)
        yield _asking(workspace.text, what, _role(policy, Role.SHARING))
    for account in sharing.storage_accounts:
        yield storage_need(policy, account.text)
        yield _asking(account.text, f"storage account {account.name}", _role(policy, Role.SHARING))


def _egress(policy: IsolationPolicy, egress: Egress) -> Iterator[Need]:
    writes, role = _writes(policy) and egress.mode == "enforce", _role(policy, Role.EGRESS)
    places = [(egress.nsg, f"{_NETWORK}/networkSecurityGroups", "securityRules")]
    if egress.service_endpoint_policy:
        kind = f"{_NETWORK}/serviceEndpointPolicies"
        places.append((egress.service_endpoint_policy, kind, "serviceEndpointPolicyDefinitions"))
    for place, kind, part in places:
        actions = (f"{kind}/read", *([f"{kind}/{part}/read", f"{kind}/{part}/write"] if writes else []))
        yield Need(scope=place.text, what=f"ways out by {place.name}", role=role, actions=actions)
        yield _asking(place.text, f"ways out by {place.name}", role)


def _asking(scope: str, what: str, role: Role) -> Need:
    """Places where the basic role need not be."""
    actions = (_PERMISSIONS_READ,)
    return Need(scope=scope, what=f"looking ahead for {what}", role=role, actions=actions, vital=False)


def _matches(patterns: Iterable[str], action: str) -> bool:
    own = action.lower()
    return any(fnmatchcase(own, pattern.lower().replace("[", "[[]").replace("?", "[?]")) for pattern in patterns)
