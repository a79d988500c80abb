"""
What a look around before the work says: one line for each thing that the app needs, with the command that repairs it.

Pure: facts in, diagnoses out. The names of the checks are stable; documentation and scripts may rely on them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.core.arm import ResourceId
from shared.core.denials import SETTING, DenyAssignment
from shared.core.policy import IsolationPolicy
from shared.core.policy_sections import Dns, Network
from shared.core.registry import Subnet, Zone
from shared.core.rights import Need, Permission, Role, lacking

SCARCE = 16
"""Free addresses below which a subnet deserves a look: four registries of one region in this network."""
ONE_REGISTRY = 4
"""Least addresses of a registry of one region: registry, storage, login server, data endpoint (see `core.endpoints`)."""
NOBODY = "<object id of the identity>"
_KEEPS_SETTINGS = (
    "2025-06-01"  # of Microsoft.MachineLearningServices; older ones drop the setting (its API specification)
)
PROVIDERS = (
    "Microsoft.ContainerRegistry",
    "Microsoft.EventGrid",
    "Microsoft.MachineLearningServices",
    "Microsoft.Network",
    "Microsoft.Storage",
)
"""Resource providers that have to be registered where registries are; ResourceGraph and Authorization always are."""
_OF_EVENTS = "Microsoft.EventGrid"
_OF_ZONES = "Microsoft.Network"


def providers_of(policy: IsolationPolicy) -> tuple[tuple[str, str], ...]:
    """
    Subscriptions and the resource providers that have to be registered in them.

    An endpoint's own subscription needs the providers of what it leads to as well (documentation of private endpoints).
    """
    wanted = [(subscription, name) for subscription in policy.scope.subscriptions for name in PROVIDERS]
    if policy.mode == "enforce":
        for network in policy.networks:
            wanted += [(network.endpoints_group.subscription, name) for name in PROVIDERS if name != _OF_EVENTS]
            if network.dns.zones_resource_group is not None:
                wanted.append((network.dns.zones_resource_group.subscription, _OF_ZONES))
    return tuple({(subscription.lower(), name): (subscription, name) for subscription, name in wanted}.values())


class Verdict(StrEnum):
    """How a thing is; `unknown` means that nobody could look."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """
    One thing that was looked at.

    Attributes:
        check: What kind of thing; stable.
        subject: Which one: an ARM path or a name.
        fix: A command, or what to change where; "" if there is nothing to do.
    """

    check: str
    verdict: Verdict
    sentence: str
    subject: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRoute:
    """An event subscription of a subscription's system topic; *target* is the id of what it delivers to, if it says so."""

    name: str
    target: str = ""
    state: str = ""


def of_need(need: Need, permissions: Iterable[Permission] | None, principal: str) -> Diagnosis:
    """Whether the app holds the rights of *need*; there are no *permissions* at what does not exist."""
    if permissions is None:
        sentence = f"There is no {need.scope}, which the policy names for {need.what}."
        fix = "Create it, or correct the policy."
        return Diagnosis(check="permission", verdict=Verdict.FAIL, sentence=sentence, subject=need.scope, fix=fix)
    missing = lacking(need, permissions)
    if not missing:
        sentence = f"Every right for {need.what} is there ({len(need.actions)})."
        return Diagnosis(check="permission", verdict=Verdict.OK, sentence=sentence, subject=need.scope)
    sentence = f"For {need.what} the app lacks {', '.join(missing)} on {need.scope}."
    verdict = Verdict.FAIL if need.vital else Verdict.WARN
    return Diagnosis(
        check="permission",
        verdict=verdict,
        sentence=sentence,
        subject=need.scope,
        fix=grant(need.role, need.scope, principal),
    )


def unasked(needs: Iterable[Need], refusal: str, principal: str) -> tuple[Diagnosis, ...]:
    """An app that may not ask for its permissions at a place has, as a rule, none of the roles there that it needs."""
    roles = dict.fromkeys((need.role, need.scope) for need in needs)
    return tuple(
        Diagnosis(
            check="permission",
            verdict=Verdict.UNKNOWN,
            sentence=refusal,
            subject=scope,
            fix=grant(role, scope, principal),
        )
        for role, scope in roles
    )


def grant(role: Role, scope: str, principal: str) -> str:
    """The command that assigns *role*; custom roles bear the id of the subscription that they are defined in."""
    subscription = scope.split("/")[2] if scope.startswith("/subscriptions/") else ""
    return (
        f"az role assignment create --assignee-object-id '{principal or NOBODY}' --assignee-principal-type ServicePrincipal "
        f"--role '{role} ({subscription})' --scope '{scope}'"
    )


def of_provider(subscription: str, namespace: str, state: str) -> Diagnosis:
    """Whether a resource provider is registered."""
    subject = f"/subscriptions/{subscription}/providers/{namespace}"
    if state.lower() == "registered":
        return Diagnosis(check="provider", verdict=Verdict.OK, sentence=f"{namespace} is registered.", subject=subject)
    registering = state.lower() == "registering"
    return Diagnosis(
        check="provider",
        verdict=Verdict.WARN if registering else Verdict.FAIL,
        sentence=f"Resource provider {namespace} is {state or 'not registered'} in subscription {subscription}.",
        subject=subject,
        fix="" if registering else f"az provider register --namespace {namespace} --subscription {subscription} --wait",
    )


def of_subnet(network: Network, subnet: Subnet | None) -> Diagnosis:
    """Whether endpoints can be put into a network's subnet."""
    ids = network.subnet.text

    def said(verdict: Verdict, sentence: str, fix: str = "") -> Diagnosis:
        return Diagnosis(check="subnet", verdict=verdict, sentence=sentence, subject=ids, fix=fix)

    if subnet is None:
        made = (
            f"az network vnet subnet create --subscription {network.subnet.subscription} --resource-group "
            f"'{network.subnet.resource_group}' --vnet-name '{network.vnet_id.name}' --name '{network.subnet.name}' "
            "--address-prefixes <prefix>"
        )
        return said(Verdict.FAIL, f"The subnet of network {network.name} does not exist.", made)
    if subnet.delegation:
        sentence = f"The subnet of network {network.name} is delegated to {subnet.delegation}; private endpoints cannot go there."
        return said(Verdict.FAIL, sentence, f"az network vnet subnet update --ids '{ids}' --remove delegations")
    free = subnet.free_addresses
    if free is None:
        return said(Verdict.OK, f"The subnet of network {network.name} is there; how full it is cannot be told.")
    if free < SCARCE:
        # The range of a subnet that is in use cannot be changed; another one can be added (documentation of subnets).
        larger = f"az network vnet subnet update --ids '{ids}' --address-prefixes <its prefixes> <one more prefix>"
        sentence = (
            f"The subnet of network {network.name} has {free} free addresses; a registry needs {ONE_REGISTRY} or more."
        )
        return said(Verdict.FAIL if free < ONE_REGISTRY else Verdict.WARN, sentence, larger)
    return said(Verdict.OK, f"The subnet of network {network.name} has {free} free addresses.")


def of_zone(network: Network, zone: Zone, *, audit: bool) -> Diagnosis:
    """Whether a private DNS zone is there and linked, or may be made so."""
    name, dns = zone.id.name, network.dns
    where = f"--subscription {zone.id.subscription} --resource-group '{zone.id.resource_group}'"

    def said(verdict: Verdict, sentence: str, fix: str = "") -> Diagnosis:
        return Diagnosis(check="zone", verdict=verdict, sentence=sentence, subject=zone.id.text, fix=fix)

    if not zone.exists:
        if dns.create_zones and not audit:
            return said(Verdict.OK, f"Zone {name} is not there yet; the app makes it when the first endpoint needs it.")
        verdict = Verdict.WARN if audit and dns.create_zones else Verdict.FAIL
        made = f"az network private-dns zone create {where} --name {name}"
        return said(verdict, f"Zone {name} is not there, and the app may not make it.", made)
    if any(link.network == network.vnet_id for link in zone.links or ()):
        return said(Verdict.OK, f"Zone {name} is there and linked to network {network.name}.")
    return said(*_unlinked(network, dns, name, where, audit=audit))


def _unlinked(network: Network, dns: Dns, name: str, where: str, *, audit: bool) -> tuple[Verdict, str, str]:
    if dns.link_vnet and not audit:
        return Verdict.OK, f"Zone {name} is not linked to network {network.name} yet; the app links it.", ""
    linked = (
        f"az network private-dns link vnet create {where} --zone-name {name} --name '{network.name}' "
        f"--virtual-network '{network.vnet_id.text}' --registration-enabled false"
    )
    sentence = (
        f"Zone {name} is not linked to network {network.name}. Unless a DNS server of yours answers there, its names do not "
        "resolve."
    )
    return Verdict.WARN, sentence, linked


def of_denials(registry: ResourceId, group: ResourceId, found: Iterable[DenyAssignment], principal: str) -> Diagnosis:
    """Whether a deny assignment keeps the app from the parts of a registry."""

    def said(verdict: Verdict, sentence: str, fix: str = "") -> Diagnosis:
        return Diagnosis(check="deny-assignment", verdict=verdict, sentence=sentence, subject=registry.text, fix=fix)

    denials = tuple(found)
    if not denials:
        return said(Verdict.OK, f"No deny assignment protects the managed resource group of {registry.name}.")
    if not principal:
        sentence = (
            f"Deny assignment '{denials[0].name}' protects the managed resource group of {registry.name}; whether it spares "
            "the app cannot be told, because the object id of its identity is not known (ISOLATION_PRINCIPAL_ID)."
        )
        tell = f"az functionapp config appsettings set --ids '<APP_ID>' --settings 'ISOLATION_PRINCIPAL_ID={NOBODY}'"
        return said(Verdict.WARN, sentence, tell)
    actions = ("Microsoft.Storage/storageAccounts/write", "Microsoft.ContainerRegistry/registries/write")
    denial = next((each for each in denials if any(each.denies(principal, one, group) for one in actions)), None)
    if denial is None:
        return said(Verdict.OK, f"The deny assignment of {registry.name} spares the app.")
    sentence = (
        f"Deny assignment '{denial.name}' keeps the app from writing to the parts of {registry.name}. If Azure does not close "
        "them after the registry, they stay open."
    )
    return said(Verdict.WARN, sentence, _spare(registry, principal))


def _spare(registry: ResourceId, principal: str) -> str:
    """The command that lets a deny assignment spare *principal*: everything as it is read, and one identity more."""
    url = f"'{registry.text}?api-version={_KEEPS_SETTINGS}'"
    return (
        f'az rest --method get --url {url} | jq \'.{SETTING} += [{{"principalId": "{principal}"}}]\' > registry.json && '
        f"az rest --method put --url {url} --body @registry.json"
    )


def of_routes(subscription: str, routes: Iterable[EventRoute], app: str) -> Diagnosis:
    """Whether the events of a subscription reach the app, whose resource id is *app* ("" if it is not known)."""
    subject, all_routes = f"/subscriptions/{subscription}", tuple(routes)

    def said(verdict: Verdict, sentence: str, fix: str = "") -> Diagnosis:
        return Diagnosis(check="events", verdict=verdict, sentence=sentence, subject=subject, fix=fix)

    ours = [route for route in all_routes if not app or route.target.lower().startswith(f"{app.lower()}/functions/")]
    if not ours:
        deploy = (
            f"az deployment sub create --subscription {subscription} --location <region> --template-file "
            f"infra/subscription.bicep --parameters principalId=<APP_PRINCIPAL_ID> functionAppId='{app or '<APP_ID>'}' "
            "deadLetterStorageId=<APP_STORAGE_ID>"
        )
        sentence = (
            f"No event subscription of subscription {subscription} delivers to the app: only sweeps find registries."
        )
        return said(Verdict.WARN, sentence, deploy)
    broken = [route for route in ours if route.state.lower() not in {"", "succeeded"}]
    if broken:
        sentence = f"Event subscription {broken[0].name} of subscription {subscription} is {broken[0].state}."
        return said(Verdict.FAIL, sentence, "Deploy infra/subscription.bicep again and read what it says.")
    known = "delivers to the app" if app else "is there; whether it delivers to this app cannot be told"
    return said(Verdict.OK, f"Event subscription {ours[0].name} of subscription {subscription} {known}.")


def worst(diagnoses: Iterable[Diagnosis]) -> Verdict:
    """The verdict over all: fail before unknown before warn before ok."""
    order = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN)
    found = {each.verdict for each in diagnoses}
    return next((verdict for verdict in order if verdict in found), Verdict.OK)


def zone_names(network: Network, groups: Iterable[str], table: Mapping[str, tuple[str, ...]]) -> tuple[ResourceId, ...]:
    """The zones that endpoints of *groups* need in *network*."""
    home = network.dns.zones_resource_group
    if home is None:
        return ()
    names = dict.fromkeys(name for group in groups for name in table.get(group, ()))
    return tuple(ResourceId.parse(f"{home.text}/providers/Microsoft.Network/privateDnsZones/{name}") for name in names)
