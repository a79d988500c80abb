"""
The table of Azure's error codes: what each means here, and the sentence for the person who has to act.

Data only; `core.azure_errors` reads it. Codes are lower-cased. A sentence may use `{what}` (verb phrase and resource),
`{message}` (Azure's text, bounded), `{resource}` and the named groups of its pattern; where the pattern does not
match Azure's text, `otherwise` is said instead. Where a generic code means something on one HTTP status only, `statuses`
limits its row.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from shared.core.errors import (
    AccessDenied,
    Busy,
    ChangedUnderneath,
    DeniedByAssignment,
    DeniedByPolicy,
    Locked,
    MissingPermission,
    NotReadyYet,
    ProviderNotRegistered,
    Refused,
    RegistryIsolationError,
    SubnetUnusable,
    Throttled,
    UnsupportedSku,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One meaning.

    Attributes:
        leaf: The error it becomes.
        sentence: Template, used when *pattern* matches or there is none.
        pattern: Finds the names the sentence needs in Azure's text.
        otherwise: Template for a text that *pattern* does not match.
        statuses: Of a generic code: HTTP statuses on which it means this; empty for all.
        delay: When to try again if Azure does not say.
    """

    leaf: type[RegistryIsolationError]
    sentence: str
    pattern: re.Pattern[str] | None = None
    otherwise: str = "Cannot {what}: {message}"
    statuses: frozenset[int] = frozenset()
    delay: timedelta | None = None


def _named(text: str) -> re.Pattern[str]:
    """A pattern in which `<name>` stands for a quoted value."""
    parts = re.split(r"<(\w+)>", text)
    return re.compile(
        "".join(part if index % 2 == 0 else f"'(?P<{part}>[^']{{1,1000}})'" for index, part in enumerate(parts)),
        re.IGNORECASE,
    )


_CLIENT = r"client <client> with object id <principal>"
BUSY = Row(leaf=Busy, sentence="Cannot {what} while another operation holds the resource: {message}")
# Terraform and Bicep authors report 5 to 60 s for storage, 10 to 60 s for endpoints of one subnet.
_BUSY_STORAGE = Row(leaf=Busy, sentence=BUSY.sentence, delay=timedelta(seconds=5))
_BUSY_NETWORK = Row(leaf=Busy, sentence=BUSY.sentence, delay=timedelta(seconds=10))

DENY_ASSIGNMENT = Row(
    leaf=DeniedByAssignment,
    pattern=_named(
        f"{_CLIENT}.{{0,200}}?action <action>.{{0,40}}?scope <scope>.{{0,200}}?deny assignment with name <assignment>"
    ),
    sentence=(
        "The deny assignment '{assignment}' of the registry's managed resource group keeps the app from {action} on "
        "{scope}. Add the app's object id {principal} to properties.managedResourceGroupSettings.assignedIdentities "
        '(as {{"principalId": "{principal}"}}) of the registry with a full PUT; the next sweep goes on by itself.'
    ),
    otherwise=(
        "A deny assignment of the registry's managed resource group does not let the app {what}. Add the object id of "
        "the app's identity to properties.managedResourceGroupSettings.assignedIdentities of the registry with a "
        "full PUT. Azure says: "
        "{message}"
    ),
)
_AUTHORIZATION = Row(
    leaf=AccessDenied,
    pattern=_named(f"{_CLIENT}.{{0,200}}?action <action>.{{0,20}}?scope <scope>"),
    sentence=(
        "The app's identity (object id {principal}) lacks {action} on {scope}: "
        "assign it a role with that action there. A new assignment can take 10 minutes to work."
    ),
    otherwise="The app's identity may not {what}: assign it a role that allows it. Azure says: {message}",
)
_LINKED = Row(
    leaf=MissingPermission,
    pattern=_named(
        f"{_CLIENT}.{{0,200}}?action <action>.{{0,20}}?scope <scope>.{{0,200}}?action(?:\\(s\\))? <linked_action> on the "
        f"linked scope\\(s\\) ?<linked_scope>"
    ),
    sentence=(
        "The app's identity (object id {principal}) lacks {linked_action} on {linked_scope}, which {action} needs: "
        "assign it a role with that action there."
    ),
    otherwise=(
        "The app's identity lacks a permission on another resource that it needs to {what}. Azure says: {message}"
    ),
)
LINKED_DENIED = Row(
    leaf=DeniedByAssignment,
    pattern=_named(
        f"{_CLIENT}.{{0,200}}?action <action>.{{0,20}}?scope <scope>.{{0,200}}?action(?:\\(s\\))? <linked_action> on the "
        f".{{0,2000}}?deny assignments on the '\\d+' linked scope\\(s\\) <linked_scope>"
    ),
    sentence=(
        "A deny assignment keeps the app from {linked_action} on {linked_scope}, which {action} needs. If it protects a "
        "registry's managed resource group, add the app's object id {principal} to "
        "properties.managedResourceGroupSettings.assignedIdentities "
        '(as {{"principalId": "{principal}"}}) of the registry with a full PUT; the next sweep goes on by itself.'
    ),
    otherwise=DENY_ASSIGNMENT.otherwise,
)
_POLICY = Row(
    leaf=DeniedByPolicy,
    sentence=(
        "The Azure Policy assignment {policies} does not let the app {what}. Exempt the resource in Azure Policy, "
        "or change the "
        "policy or "
        "what this app is told to do. Azure says: {message}"
    ),
)
_LOCKED = Row(
    leaf=Locked,
    pattern=_named(r"perform \w{1,20} operation.{0,80}?locked: <lock>"),
    sentence="A resource lock on {lock} does not let the app {what}: remove the lock, or exempt the registry.",
    otherwise=(
        "A resource lock does not let the app {what}: remove the lock, or exempt the registry. Azure says: {message}"
    ),
)
_PROVIDER = Row(
    leaf=ProviderNotRegistered,
    pattern=re.compile(
        r"subscription (?:'(?P<subscription>[0-9a-f-]{36})' )?is not "
        r"registered.{0,60}?(?P<provider>Microsoft\.[A-Za-z]{2,60})",
        re.IGNORECASE,
    ),
    sentence=(
        "The resource provider {provider} is not registered in subscription {subscription}: "
        "run `az provider register --namespace {provider} --subscription {subscription}`."
    ),
    otherwise=(
        "A resource provider is not registered in the subscription of {resource}: register it with "
        "`az provider register --namespace <provider>`. Azure says: {message}"
    ),
)
_API_VERSION = Row(
    leaf=ProviderNotRegistered,
    sentence="Cannot {what}, it is not offered in this region, cloud or api-version: {message}",
)
SUBNET_FULL = Row(
    leaf=SubnetUnusable,
    sentence=(
        "Cannot {what}, its subnet has no free address: enlarge the subnet, free addresses, or name another one in the "
        "policy. {message}"
    ),
)
_SUBNET_DELEGATED = Row(
    leaf=SubnetUnusable,
    sentence=(
        "Cannot {what} in a subnet that is delegated to a service: remove the delegation, or name another subnet in "
        "the policy. {message}"
    ),
)
_SUBNET_POLICIES = Row(
    leaf=SubnetUnusable,
    sentence=("Cannot {what} under the privateEndpointNetworkPolicies of its subnet: set them to Disabled. {message}"),
)
SUBNET_MISSING = Row(
    leaf=SubnetUnusable,
    sentence=(
        "Cannot {what} in a subnet that does not exist or lies in another region: correct the policy's network. "
        "{message}"
    ),
)
# A virtual network sees one zone of a name (documentation, private endpoint DNS); told only in the failed operation.
LINKED_ELSEWHERE = Row(
    leaf=Refused,
    sentence=(
        "Cannot {what}: the virtual network is linked to another zone of the same name. Name that zone's resource group "
        "in dns.zones_resource_group of the policy, remove the other link, or set dns.link_vnet to false. {message}"
    ),
)
NOT_PREMIUM = Row(
    leaf=UnsupportedSku,
    sentence="Cannot {what}, it needs the Premium SKU of Azure Container Registry: {message}",
)
REPLICATING = Row(
    leaf=Busy,
    sentence="Cannot {what} before the container registry's replications are done: {message}",
    delay=timedelta(seconds=30),
)
THROTTLED = Row(leaf=Throttled, sentence="Azure asks for fewer calls, so the app did not {what}: {message}")
STALE = Row(leaf=ChangedUnderneath, sentence="Cannot {what}, the state is not what was read before: {message}")
NOT_FOUND = Row(leaf=ChangedUnderneath, sentence="Cannot {what}, the resource was not found: {message}")
NO_GROUP = Row(
    leaf=Refused,
    sentence="Cannot {what} in a resource group that does not exist: create it or correct the policy. {message}",
)
_SUBSCRIPTION_OFF = Row(
    leaf=Refused, sentence="The subscription of {resource} does not accept writes: enable it again. {message}"
)
_DATA_ROLE = Row(
    leaf=AccessDenied,
    sentence=(
        "The app's identity lacks the data role on its own storage account to {what}: assign it. Azure says: {message}"
    ),
)
_TENANT = Row(
    leaf=MissingPermission, sentence="The app's identity belongs to another tenant than {resource}: {message}"
)

CODES: dict[str, Row] = {
    # who may
    "authorizationfailed": _AUTHORIZATION,
    "denyassignmentauthorizationfailed": DENY_ASSIGNMENT,
    "linkedauthorizationfailed": _LINKED,
    "linkedaccesscheckfailed": _LINKED,
    "invalidauthenticationtokentenant": _TENANT,
    "authorizationpermissionmismatch": _DATA_ROLE,
    "authorizationfailure": _DATA_ROLE,
    "subscriptionnotfound": Row(
        leaf=MissingPermission,
        sentence="The subscription of {resource} is not visible to the app's identity: {message}",
    ),
    # what the organisation forbids
    "requestdisallowedbypolicy": _POLICY,
    "scopelocked": _LOCKED,
    "readonlydisabledsubscription": _SUBSCRIPTION_OFF,
    # what the subscription lacks
    "missingsubscriptionregistration": _PROVIDER,
    "subscriptionnotregistered": _PROVIDER,
    "noregisteredproviderfound": _API_VERSION,
    "locationnotavailableforresourcetype": _API_VERSION,
    "invalidapiversionparameter": _API_VERSION,
    # another operation is running
    "anotheroperationinprogress": _BUSY_NETWORK,
    "retryableerrorduetoanotheroperation": _BUSY_NETWORK,
    "referencedresourcenotprovisioned": _BUSY_NETWORK,
    "canceledandsupersededduetoanotheroperation": _BUSY_NETWORK,
    "storageaccountoperationinprogress": _BUSY_STORAGE,
    "storageaccountisnotprovisioned": _BUSY_STORAGE,
    "conflicterror": _BUSY_NETWORK,
    # endpoints and subnets
    "privateendpointcreationnotallowedassubnetisdelegated": _SUBNET_DELEGATED,
    "privateendpointcannotbecreatedinsubnetthathasnetworkpoliciesenabled": _SUBNET_POLICIES,
    "privateendpointnetworkpoliciescannotbeenabledonprivateendpointsubnet": _SUBNET_POLICIES,
    "subnetisfull": SUBNET_FULL,
    "subnetnotfound": SUBNET_MISSING,
    "invalidprivatelinkserviceid": Row(
        leaf=NotReadyYet,
        sentence="Cannot {what} yet, Azure does not know its target: {message}",
        delay=timedelta(seconds=30),
    ),
    # The name stays taken for about 20 minutes after a deletion (documentation, troubleshooting private endpoints).
    "privateendpointalreadyexists": Row(
        leaf=NotReadyYet,
        sentence="Cannot {what} until Azure frees the name again: {message}",
        delay=timedelta(minutes=20),
    ),
    # storage and container registry
    "conflictfeatureenabled": Row(
        leaf=Refused,
        sentence="Cannot {what} beside another feature of the storage account (such as blob restore): {message}",
    ),
    "disablingpublicnetworkaccessnotsupported": NOT_PREMIUM,
    # the world moved
    "resourcegroupbeingdeleted": STALE,
    "cannotdeleteresource": STALE,
    "preconditionfailed": STALE,
    "privateendpointconnectionstatusnotpending": STALE,
    "privateendpointcannothavemorethanonednszonegroup": STALE,
    # quota
    "subscriptionrequeststhrottled": THROTTLED,
    "resourcerequeststhrottled": THROTTLED,
    "tenantrequeststhrottled": THROTTLED,
    "toomanyrequests": THROTTLED,
}

GENERIC: dict[str, Row] = {
    # Wrappers and words of all trades: they give way to whatever they wrap.
    "retryableerror": _BUSY_NETWORK,
    "conflict": Row(leaf=Busy, sentence=BUSY.sentence, statuses=frozenset({409})),
    "notfound": NOT_FOUND,
}
