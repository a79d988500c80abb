"""
Microsoft.Storage: accounts with their network rules and private endpoint connections.

As recorded: creation is 202 with an empty text/plain body and Location only; every later change is synchronous; a
connection's state says `actionRequired` (singular); an unset `publicNetworkAccess` is absent. There is no ETag.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.kernel import Kernel
from local.simulator.operations import OperationStyle, constant
from local.simulator.private_link import LinkConnection, LinkGroup, LinkMember, PrivateLinkTarget
from local.simulator.providers import link_connections
from local.simulator.providers.storage_bodies import (
    NEWEST,
    TYPE,
    changed,
    groups,
    host,
    invalid_values,
    new_account,
    refusal,
)
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
_JSON = {"Content-Type": "application/json"}
_NAME = re.compile(r"[a-z0-9]{3,24}")
_JOIN = "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action"

STYLE = OperationStyle(
    result_path="/subscriptions/{subscription}/providers/Microsoft.Storage/locations/{location}/asyncoperations/{id}",
    result_query="monitor=true&api-version={api_version}",
    first_retry_after=17,
    retry_after=constant(17),
    result_done_status=200,
    empty_content_type=_PLAIN["Content-Type"],
)


def put(azure: Kernel, call: Call) -> Response:
    body = call.body or {}
    known = azure.world.get(call.resource_id)
    _demand_references(azure, call, known)
    if known is not None:
        return _change(azure, call, known)
    _refuse_bad_creation(azure, call)
    made = new_account(
        call.resource_id,
        body,
        suffix=azure.cloud.storage_suffix,
        now=azure.world.now,
        api_version=call.api_version if call.api_version[:4] > "0000" else NEWEST,
    )
    _note_identity(azure, made, body)

    def finish(_at: datetime) -> None:
        azure.world.put(made)

    operation = azure.begin(
        call,
        STYLE,
        location=made["location"],
        seconds=azure.durations.storage_create,
        finish=finish,
        result=lambda: _answer(200, shown(azure, azure.require(call.resource_id))),
    )
    return Response.empty(202, {**_PLAIN, **operation.headers})


def patch(azure: Kernel, call: Call) -> Response:
    account = azure.require(call.resource_id)
    _demand_references(azure, call, account)
    return _change(azure, call, account)


def _change(azure: Kernel, call: Call, account: Resource) -> Response:
    account.body = changed(account.body, call.body or {}, suffix=azure.cloud.storage_suffix)
    _note_identity(azure, account.body, call.body or {})
    azure.world.touch(account)
    return _answer(200, shown(azure, account))


def _note_identity(azure: Kernel, account: JsonObject, request: JsonObject) -> None:
    asked = request.get("identity")
    if not asked:
        return
    kind, known = str(asked.get("type") or "None"), account.get("identity") or {}
    identity: JsonObject = {}
    if "systemassigned" in kind.lower():
        identity = {"principalId": known.get("principalId") or azure.world.guid(), "tenantId": azure.tenant_id}
    identity["type"] = kind
    if asked.get("userAssignedIdentities"):
        identity["userAssignedIdentities"] = {
            each: {"principalId": azure.world.guid(), "clientId": azure.world.guid()}
            for each in asked["userAssignedIdentities"]
        }
    account["identity"] = identity


def get(azure: Kernel, call: Call) -> Response:
    return _answer(200, shown(azure, azure.require(call.resource_id)))


def delete(azure: Kernel, call: Call) -> Response:
    account = azure.world.get(call.resource_id)
    if account is None:
        return Response(204)
    azure.world.delete(account.id)
    return Response.empty(200, _PLAIN)


def list_in_group(azure: Kernel, call: Call) -> Response:
    found = azure.world.children(call.resource_id, TYPE)
    return _answer(200, {"value": [shown(azure, each) for each in found]})


def list_in_subscription(azure: Kernel, call: Call) -> Response:
    """Resource Manager joins this list, and names the charset (recorded)."""
    found = azure.world.of_type(TYPE, call.subscription)
    return Response.of(200, {"value": [shown(azure, each) for each in found]})


def check_name(azure: Kernel, call: Call) -> Response:
    name = str((call.body or {}).get("name") or "")
    if not _NAME.fullmatch(name):
        answer: JsonObject = {"nameAvailable": False, "reason": "AccountNameInvalid", "message": _invalid_name(name)}
    elif _is_taken(azure, name):
        message = f"The storage account named {name} is already taken."
        answer = {"nameAvailable": False, "reason": "AlreadyExists", "message": message}
    else:
        answer = {"nameAvailable": True}
    return _answer(200, answer)


def shown(azure: Kernel, account: Resource) -> JsonObject:
    """The account as it is answered: with its connections."""
    connections = [each.body for each in link_connections.all_of(azure.world, account)]
    return {**account.body, "properties": {**account.properties, "privateEndpointConnections": connections}}


# -- private link ------------------------------------------------------------------------------------------------------


def link_groups(azure: Kernel, account: Resource) -> Sequence[LinkGroup]:
    """One member per service, named like its group."""
    suffix = azure.cloud.storage_suffix
    return [
        _link_group(account.name, name, suffix) for name in groups(account.body["kind"], account.body["sku"]["name"])
    ]


def _link_group(account: str, name: str, suffix: str) -> LinkGroup:
    service, _, secondary = name.partition("_")
    fqdn = host(f"{account}-secondary" if secondary else account, service, suffix)
    member = LinkMember(name=name, fqdns=(fqdn,))
    return LinkGroup(name=name, members=(member,), zones=(f"privatelink.{service}.{suffix}",))


def connect(azure: Kernel, account: Resource, asked: LinkConnection) -> None:
    known = link_connections.of_endpoint(azure.world, account, asked.endpoint_id)
    name = known.name if known is not None else f"{account.name}.{asked.connection_id}"
    description = "Auto-Approved" if asked.status == "Approved" else asked.request_message
    connection_id, kind = link_connections.identity_of(account, name)
    azure.world.put(
        {
            "id": connection_id,
            "name": name,
            "type": kind,
            "properties": {
                "provisioningState": "Succeeded",
                "privateEndpoint": {"id": asked.endpoint_id},
                "privateLinkServiceConnectionState": _state(asked.status, description),
            },
        }
    )


def _state(status: str, description: str) -> JsonObject:
    return {"status": status, "description": description, "actionRequired": "None"}


def list_link_resources(azure: Kernel, call: Call) -> Response:
    account = azure.require(call.resource_id)
    return _answer(200, {"value": link_connections.link_resources(account, link_groups(azure, account))})


def list_connections(azure: Kernel, call: Call) -> Response:
    account = azure.require(call.resource_id)
    return _answer(200, {"value": [each.body for each in link_connections.all_of(azure.world, account)]})


def get_connection(azure: Kernel, call: Call) -> Response:
    return _answer(200, azure.require(call.resource_id).body)


def put_connection(azure: Kernel, call: Call) -> Response:
    """Approve or reject. Approving what is approved is refused (azure-rest-api-specs 30308), as is leaving Rejected."""
    connection = azure.require(call.resource_id)
    asked = call.properties.get("privateLinkServiceConnectionState") or {}
    before, after = link_connections.status_of(connection), str(asked.get("status") or "")
    if after != "Rejected" and (before, after) != ("Pending", "Approved"):
        raise invalid_values("privateEndpointConnection.privateLinkServiceConnectionState.status")
    description = str(asked.get("description") or "")
    connection.properties["privateLinkServiceConnectionState"] = _state(after, description)
    azure.world.touch(connection)
    account_id = connection.id.rsplit("/", 2)[0]
    azure.links.state_changed(account_id, link_connections.endpoint_of(connection), after, description)
    return _answer(200, connection.body)


def delete_connection(azure: Kernel, call: Call) -> Response:
    connection = azure.world.get(call.resource_id)
    if connection is None:
        return Response(204)
    account_id = connection.id.rsplit("/", 2)[0]
    azure.links.state_changed(account_id, link_connections.endpoint_of(connection), "Disconnected", "")
    azure.world.delete(connection.id)
    return Response.empty(200, _PLAIN)


# -- refusals ----------------------------------------------------------------------------------------------------------


def _answer(status: int, body: JsonObject) -> Response:
    """Storage names no charset (recorded)."""
    return Response.of(status, body, _JSON)


def _is_taken(azure: Kernel, name: str) -> bool:
    return any(each.name == name for each in azure.world.of_type(TYPE))


def _invalid_name(name: str) -> str:
    return (
        f"{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in "
        "length and use numbers and lower-case letters only."
    )


def _refuse_bad_creation(azure: Kernel, call: Call) -> None:
    name = call.params["account"]
    if not _NAME.fullmatch(name):
        raise refusal(400, "AccountNameInvalid", _invalid_name(name))
    if _is_taken(azure, name):
        raise refusal(409, "StorageAccountAlreadyTaken", f"The storage account named {name} is already taken.")
    if not (call.body or {}).get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")


def _demand_references(azure: Kernel, call: Call, known: Resource | None) -> None:
    """What a request names must be there, and the caller allowed to use it."""
    held = set()
    if known is not None:
        held = {str(rule["id"]).lower() for rule in known.properties["networkAcls"]["virtualNetworkRules"]}
    for rule in (call.properties.get("networkAcls") or {}).get("virtualNetworkRules") or ():
        if str(rule.get("id")).lower() not in held:
            azure.demand_linked(call, _JOIN, str(rule.get("id")))
    domain = (call.properties.get("customDomain") or {}).get("name")
    if domain:
        raise _unverified_domain(azure, call.params["account"], str(domain))
    for identity in ((call.body or {}).get("identity") or {}).get("userAssignedIdentities") or ():
        if azure.world.get(identity) is None:
            raise _missing_identity(call.resource_id, identity)


def _unverified_domain(azure: Kernel, account: str, domain: str) -> ArmError:
    """Recorded: net2003; no name is ever verified here."""
    hosts = ",".join(host(account, each, azure.cloud.storage_suffix) for each in ("blob", "web"))
    message = (
        f"The custom domain name could not be verified. CNAME mapping from {domain} to any of {hosts} does not exist."
    )
    return refusal(409, "StorageDomainNameCouldNotVerify", message)


def _missing_identity(account_id: str, identity: str) -> ArmError:
    """Recorded: aso2512."""
    inner = f'{{"error":{{"code":"BadRequest","message":"Resource \'{identity}\' was not found."}}}}'
    message = (
        f"Identity operation for resource '{account_id}' failed with error 'Failed to perform resource identity "
        f"operation. Status: 'BadRequest'. Response: '{inner}'.'."
    )
    return ArmError(400, "FailedIdentityOperation", message, shape=Shape.GATEWAY)


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Storage/storageAccounts"
_ITEM = _GROUP + "/{account}"
_CONNECTIONS = _ITEM + "/privateEndpointConnections"

ROUTES = (
    Route("PUT", _ITEM, put),
    Route("PATCH", _ITEM, patch),
    Route("GET", _ITEM, get),
    Route("DELETE", _ITEM, delete),
    Route("GET", _GROUP, list_in_group),
    Route("GET", "/subscriptions/{sub}/providers/Microsoft.Storage/storageAccounts", list_in_subscription),
    Route(
        "POST",
        "/subscriptions/{sub}/providers/Microsoft.Storage/checkNameAvailability",
        check_name,
        action="Microsoft.Storage/checknameavailability/read",
    ),
    Route("GET", _ITEM + "/privateLinkResources", list_link_resources),
    Route("GET", _CONNECTIONS, list_connections),
    Route("GET", _CONNECTIONS + "/{connection}", get_connection),
    Route("PUT", _CONNECTIONS + "/{connection}", put_connection),
    Route("DELETE", _CONNECTIONS + "/{connection}", delete_connection),
)


def install(azure: Kernel) -> None:
    azure.link_targets[TYPE.lower()] = PrivateLinkTarget(
        type=TYPE,
        approval_action=f"{TYPE}/privateEndpointConnectionsApproval/action",
        groups=link_groups,
        connect=connect,
        disconnect=link_connections.disconnect,
    )
