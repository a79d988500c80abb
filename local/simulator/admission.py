"""
Resource Manager's own checks before a rule runs, in its order.

Token, api-version, body, subscription, throttling, role and deny assignments, group, top-level parent, registration,
locks. A caller without rights is told so before learning whether a group exists, as by the real service.
"""

import re
from typing import TYPE_CHECKING

from local.simulator import arm_ids, errors, locks
from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.rbac import OWNER, Principal
from local.simulator.routing import Match, poll_right
from local.simulator.wire import Request

if TYPE_CHECKING:
    from local.simulator.kernel import Kernel

_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?\Z", re.IGNORECASE)


def admit(azure: "Kernel", request: Request, match: Match) -> Call:
    """
    The call, authenticated, decoded and checked.

    Raises:
        ArmError: Whatever the service would refuse it with.
    """
    call = _authenticated(azure, request, match)
    if match.route.anonymous:
        return call
    _demand_rights(azure, call)
    if match.route.checks:
        _demand_surroundings(azure, call)
        _demand_registration(azure, call)
    locks.demand_unlocked(azure, call)
    return call


def admit_poll(azure: "Kernel", request: Request) -> Principal:
    """
    Who polls an operation, if they may.

    Assumed: a poll needs the read right of the type that its path names, as any other GET does; the documented lists
    of operations have these rights, and every recorded caller may do everything.

    Raises:
        ArmError: Whatever the service would refuse it with.
    """
    caller = azure.rbac.caller(request.header("Authorization"), azure.world.now)
    azure.rbac.demand(caller, *poll_right(request.path))
    return caller


def _authenticated(azure: "Kernel", request: Request, match: Match) -> Call:
    anonymous = match.route.anonymous
    if anonymous:
        principal = azure.rbac.principal(OWNER)
    else:
        principal = azure.rbac.caller(request.header("Authorization"), azure.world.now)
        _demand_api_version(request)
    return Call(
        request=request,
        now=azure.world.now,
        route=match.route,
        params=match.params,
        resource_id=match.resource_id,
        api_version=request.query.get("api-version", ""),
        principal=principal,
        body=None if anonymous or request.method in ("GET", "HEAD") else errors.decode_body(request.body),
        correlation_id=request.header("x-ms-correlation-request-id") or azure.world.trace_id(),
    )


def _demand_api_version(request: Request) -> None:
    version = request.query.get("api-version", "")
    if not version:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
            shape=Shape.GATEWAY,
        )
    if not _API_VERSION.match(version):
        raise ArmError(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. Its form is a date in ISO 8601, optionally followed by -preview.",
            shape=Shape.GATEWAY,
        )


def _demand_rights(azure: "Kernel", call: Call) -> None:
    subscription = arm_ids.parse(call.resource_id).subscription if call.resource_id != "/" else ""
    if subscription:
        if subscription.lower() not in azure.subscriptions:
            raise errors.subscription_not_found(subscription)
        azure.throttle.take(subscription, call.principal.id, call.request.method, azure.world.now)
    if call.route.action != "-":
        azure.rbac.demand(call.principal, call.action, call.resource_id)
    if subscription:
        collection = call.route.tail == "collection"
        azure.throttle.take_of_provider(
            subscription, call.route.type, call.request.method, azure.world.now, collection=collection
        )


def _demand_surroundings(azure: "Kernel", call: Call) -> None:
    """The group and the top-level parent must exist."""
    segments = call.resource_id.strip("/").split("/")
    if len(segments) < 4 or segments[2].lower() != "resourcegroups":
        return
    if azure.world.get("/" + "/".join(segments[:4])) is None:
        raise errors.resource_group_not_found(segments[3])
    nested = len(segments) > 8 or (len(segments) == 8 and call.route.tail != "item")
    if nested and azure.world.get("/" + "/".join(segments[:8])) is None:
        if call.request.method == "PUT" or call.route.nested_error:
            top = "/" + "/".join(segments[:8])
            raise errors.parent_not_found(call.route.action.rpartition("/")[2], call.route.type, top)
        raise errors.resource_not_found(f"{segments[5]}/{segments[6]}", segments[7], segments[3])


def _demand_registration(azure: "Kernel", call: Call) -> None:
    """A PUT needs the provider to be registered in the subscription."""
    namespace = call.route.namespace
    if call.request.method != "PUT" or not azure.unregistered:
        return
    demand_registered(azure, call.subscription, namespace)


def demand_registered(azure: "Kernel", subscription: str, namespace: str) -> None:
    """
    Refuse when the namespace is not registered in the subscription.

    Raises:
        ArmError: 409 MissingSubscriptionRegistration.
    """
    if (subscription.lower(), namespace.lower()) in azure.unregistered:
        raise ArmError(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for "
            "how to register subscriptions.",
            details=[
                {
                    "code": "MissingSubscriptionRegistration",
                    "target": namespace,
                    "message": f"The subscription is not registered to use namespace '{namespace}'. See "
                    "https://aka.ms/rps-not-found for how to register subscriptions.",
                }
            ],
            shape=Shape.GATEWAY,
        )
