"""
What a private endpoint asks for, and its connections as stored.

Pure reading and checking of the request against the world; nothing is written here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from local.simulator import admission, arm_ids
from local.simulator.call import Call
from local.simulator.kernel import Kernel
from local.simulator.private_link import LinkGroup, LinkMember, PrivateLinkTarget
from local.simulator.providers import network_answers, subnets
from local.simulator.wire import JsonObject
from local.simulator.world import Resource

ENDPOINTS = "Microsoft.Network/privateEndpoints"
AUTOMATIC = "privateLinkServiceConnections"
MANUAL = "manualPrivateLinkServiceConnections"


_GROUPLESS = "microsoft.network/privatelinkservices"
"""A private link service has no group ids, and a connection to one shows none (recorded: azcli2411)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One connection of a request."""

    name: str
    target_id: str
    groups: tuple[str, ...]
    manual: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address that an endpoint needs."""

    group: str
    member: LinkMember
    target_id: str


def wishes(call: Call, endpoint_id: str) -> list[Wish]:
    """
    The connections of a request.

    Raises:
        ArmError: 400 when there is none or one is incomplete.
    """
    found = []
    for member in (AUTOMATIC, MANUAL):
        for each in call.properties.get(member) or []:
            properties = each.get("properties") or {}
            target_id = str(properties.get("privateLinkServiceId") or "")
            if not target_id or not each.get("name"):
                raise network_answers.bad_request(
                    "InvalidRequestFormat",
                    f"A connection of {endpoint_id} lacks its name or its privateLinkServiceId.",
                )
            found.append(
                Wish(
                    name=str(each["name"]),
                    target_id=target_id,
                    groups=tuple(properties.get("groupIds") or ()),
                    manual=member == MANUAL,
                    message=str(properties.get("requestMessage") or ""),
                )
            )
    if not found:
        raise network_answers.bad_request(
            "InvalidRequestFormat", f"Private endpoint {endpoint_id} must have at least one private link connection."
        )
    return found


def subnet_for(azure: Kernel, call: Call, endpoint_id: str, location: str) -> Resource:
    """
    The subnet of a request, checked: there, joinable, in the endpoint's region, ready, not delegated.

    Raises:
        ArmError: 400, 403 or 429, as the service refuses it.
    """
    subnet_id = str((call.properties.get("subnet") or {}).get("id") or "")
    if not subnet_id:
        raise network_answers.bad_request("InvalidRequestFormat", f"Private endpoint {endpoint_id} must have a subnet.")
    azure.demand_linked(call, "Microsoft.Network/virtualNetworks/subnets/join/action", subnet_id)
    subnet = azure.world.get(subnet_id)
    if subnet is None or subnets.location_of(azure, subnet) != location:
        raise network_answers.invalid_reference(subnet_id, endpoint_id)
    state = subnet.properties["provisioningState"]
    if state == "Updating":
        raise network_answers.not_provisioned(subnet.id, endpoint_id, state, "PutSubnetOperation")
    delegations = subnet.properties.get("delegations") or []
    if delegations:
        service = delegations[0]["properties"]["serviceName"]
        raise network_answers.bad_request(
            "PrivateEndpointCreationNotAllowedAsSubnetIsDelegated",
            f"Private endpoint {endpoint_id} cannot be created in subnet {subnet.id} because it is delegated to {service}.",
        )
    return subnet


def target_of(azure: Kernel, target_id: str) -> tuple[Resource, PrivateLinkTarget]:
    """
    The target and what its provider knows about private link.

    Raises:
        ArmError: 400 InvalidPrivateLinkServiceId.
    """
    target = azure.world.get(target_id)
    known = azure.link_targets.get(arm_ids.parse(target_id).type.lower())
    if target is None or known is None:
        raise network_answers.bad_request(
            "InvalidPrivateLinkServiceId", f"The private link service id {target_id} is invalid or does not exist."
        )
    return target, known


def demand_target(azure: Kernel, call: Call, wish: Wish) -> None:
    """
    The caller may connect: the target's provider is registered where the endpoint is made, and it may approve.

    Raises:
        ArmError: 409 MissingSubscriptionRegistration, 403 LinkedAuthorizationFailed, 400 for target or group.
    """
    admission.demand_registered(azure, call.subscription, arm_ids.parse(wish.target_id).type.partition("/")[0])
    _, known = target_of(azure, wish.target_id)
    if not wish.manual:
        azure.demand_linked(call, known.approval_action, wish.target_id)
    groups_of(azure, wish.target_id, wish.groups)


def groups_of(azure: Kernel, target_id: str, names: tuple[str, ...]) -> list[LinkGroup]:
    """
    The named groups of a target.

    Raises:
        ArmError: 400 when the target has no such group, or what its provider says at the moment.
    """
    target, known = target_of(azure, target_id)
    groups = {each.name.lower(): each for each in known.groups(azure, target)}
    if not names and arm_ids.parse(target_id).type.lower() == _GROUPLESS:
        return list(groups.values())
    missing = [each for each in names if each.lower() not in groups]
    if missing or not names:
        raise network_answers.bad_request(
            "PrivateLinkServiceInvalidGroupId",
            f"The group ids '{', '.join(missing)}' are not valid for {target_id}. Valid group ids are "
            f"'{', '.join(each.name for each in groups.values())}'.",
        )
    return [groups[each.lower()] for each in names]


def addresses(azure: Kernel, pairs: list[tuple[str, tuple[str, ...]]]) -> list[Address]:
    """One address per member of every (target, groups), in order."""
    return [
        Address(group=group.name, member=member, target_id=target_id)
        for target_id, names in pairs
        for group in groups_of(azure, target_id, names)
        for member in group.members
    ]


def connections(endpoint: Resource) -> Iterator[JsonObject]:
    """The endpoint's connections, automatic ones first."""
    yield from endpoint.properties[AUTOMATIC]
    yield from endpoint.properties[MANUAL]


def pairs_of(endpoint: Resource) -> list[tuple[str, tuple[str, ...]]]:
    """(target, groups) of every connection."""
    return [
        (str(each["properties"]["privateLinkServiceId"]), tuple(each["properties"].get("groupIds") or ()))
        for each in connections(endpoint)
    ]


def approved(endpoint: Resource) -> bool:
    """Whether every connection is approved: only then do names lead to the endpoint."""
    return all(_status(each) == "Approved" for each in connections(endpoint))


def _status(connection: JsonObject) -> str:
    return str(connection["properties"]["privateLinkServiceConnectionState"]["status"])


def connection_body(endpoint_id: str, wish: Wish, etag: str) -> JsonObject:
    """A new connection as stored; approved at once unless manual (recorded: azcli2411)."""
    member = MANUAL if wish.manual else AUTOMATIC
    properties: JsonObject = {
        "provisioningState": "Succeeded",
        "privateLinkServiceId": wish.target_id,
    }
    if wish.groups:
        properties["groupIds"] = list(wish.groups)
    if wish.message:
        properties["requestMessage"] = wish.message
    properties["privateLinkServiceConnectionState"] = {
        "status": "Pending" if wish.manual else "Approved",
        "description": "Awaiting Approval" if wish.manual else "Auto Approved",
        "actionsRequired": "None",
    }
    return {
        "name": wish.name,
        "id": f"{endpoint_id}/{member}/{wish.name}",
        "etag": etag,
        "properties": properties,
        "type": f"{ENDPOINTS}/{member}",
    }
