"""
Connections of private endpoints on their targets, whose names the service makes up.

A recorded connection stands for "some endpoint is connected to this target in this state": an endpoint is made through
the simulated Azure, approved or rejected the way a person would, and the two generated names are paired.
"""

from collections.abc import Callable
from typing import Any

from local.simulator import arm_ids
from local.simulator.likeness_names import Names
from local.simulator.likeness_targets import group_id
from local.simulator.likeness_world import Driver

_GROUPS = {
    "microsoft.storage/storageaccounts": "blob",
    "microsoft.containerregistry/registries": "registry",
    "microsoft.machinelearningservices/registries": "amlregistry",
    "microsoft.machinelearningservices/workspaces": "amlworkspace",
}
_VERSIONS = {
    "microsoft.storage/storageaccounts": "2023-05-01",
    "microsoft.containerregistry/registries": "2023-11-01-preview",
}
_NETWORK_VERSION = "2024-03-01"


class Connections:
    """Makes connections; `ensure` makes any other resource."""

    def __init__(self, driver: Driver, names: Names, ensure: Callable[..., None]) -> None:
        self._driver = driver
        self._names = names
        self._ensure = ensure
        self._made = 0

    def ensure(self, connection_id: str, body: Any) -> None:
        """Have a connection that stands for the recorded one, in the recorded state where the body shows it."""
        target = self._names.text(connection_id.rpartition("/privateEndpointConnections/")[0] or _parent(connection_id))
        properties = body.get("properties") if isinstance(body, dict) else None
        properties = properties if isinstance(properties, dict) else {}
        state = _part(properties, "privateLinkServiceConnectionState", "registryPrivateLinkServiceConnectionState")
        endpoint = self._names.text(str(_part(properties, "privateEndpoint").get("id") or ""))
        status = str(state.get("status") or "Approved")
        manual = status != "Approved" or not str(state.get("description") or "auto").lower().startswith("auto")
        made = self._connection(target, endpoint) or (self._any_unnamed(target) if not endpoint else None)
        if made is None:
            endpoint = endpoint or self._new_endpoint_id(target)
            if self._driver.exists(endpoint):  # it lost its connection, or leads somewhere else
                self._driver.arrange("DELETE", endpoint, _NETWORK_VERSION)
                self._driver.settle()
            self._connect(target, endpoint, manual=manual)
            made = self._connection(target, endpoint)
        if made is None:
            self._driver.notes.append(f"no connection of {endpoint} appeared on {target}")
            return
        self._names.pair(connection_id.rpartition("/")[2], str(made.get("id", "")).rpartition("/")[2])
        if status in ("Approved", "Rejected") and _status(made) != status:
            self._decide(target, made, status, str(state.get("description") or ""))

    def _new_endpoint_id(self, target: str) -> str:
        self._made += 1
        return f"{group_id(target)}/providers/Microsoft.Network/privateEndpoints/likeness-endpoint-{self._made}"

    def _connect(self, target: str, endpoint: str, *, manual: bool) -> None:
        group = _GROUPS.get(arm_ids.parse(target).type.lower(), "")
        subnet = f"{group_id(endpoint)}/providers/Microsoft.Network/virtualNetworks/likeness-network/subnets/endpoints"
        self._ensure(group_id(endpoint))
        self._ensure(subnet)
        member = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
        connection = {"privateLinkServiceId": target, "groupIds": [group]}
        body = {
            "location": self._driver.location_of(subnet.partition("/subnets/")[0]),
            "properties": {"subnet": {"id": subnet}, member: [{"name": "connection", "properties": connection}]},
        }
        self._driver.arrange("PUT", endpoint, _NETWORK_VERSION, body)
        self._driver.settle()

    def _decide(self, target: str, connection: dict[str, Any], status: str, description: str) -> None:
        """Approve or reject as a person would: the connection read, its state changed, put back."""
        version = _VERSIONS.get(arm_ids.parse(target).type.lower(), "2024-04-01")
        decision = {"status": status, "description": description or status}
        body = {"properties": {"privateLinkServiceConnectionState": decision}}
        identity = f"{target}/privateEndpointConnections/{str(connection.get('id', '')).rpartition('/')[2]}"
        self._driver.arrange("PUT", identity, version, body)
        self._driver.settle()

    def decided(self, endpoint: str, target: str, status: str, description: str) -> None:
        """A private endpoint shows what the owner of its target decided: decide the same."""
        wanted = self._names.text(target)
        made = self._connection(wanted, self._names.text(endpoint))
        if made is not None and status in ("Approved", "Rejected") and _status(made) != status:
            self._decide(wanted, made, status, description)

    def decide_again(self, connection_id: str) -> None:
        """Approve a connection that waits, reject one that was approved, and leave the operation under way."""
        target = _parent(connection_id)
        found = [each for each in self._all(target) if str(each.get("id", "")).lower() == connection_id.lower()]
        status = "Rejected" if found and _status(found[0]) == "Approved" else "Approved"
        body = {"properties": {"privateLinkServiceConnectionState": {"status": status, "description": status}}}
        version = _VERSIONS.get(arm_ids.parse(target).type.lower(), "2024-04-01")
        self._driver.arrange("PUT", connection_id, version, body)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _all(self, target: str) -> list[dict[str, Any]]:
        version = _VERSIONS.get(arm_ids.parse(target).type.lower(), "2024-04-01")
        answer = self._driver.arrange("GET", f"{target}/privateEndpointConnections", version)
        body = answer.json() if answer is not None and answer.status == 200 else {}
        items = body.get("value", []) if isinstance(body, dict) else []
        return [each for each in items if isinstance(each, dict)]

    def _connection(self, target: str, endpoint: str) -> dict[str, Any] | None:
        if not endpoint:
            return None
        return next((each for each in self._all(target) if _endpoint(each) == endpoint.lower()), None)

    def _any_unnamed(self, target: str) -> dict[str, Any] | None:
        """A connection that no recorded name stands for yet."""
        return next((each for each in self._all(target) if not self._names.taken(str(each.get("name", "")))), None)


def _parent(connection_id: str) -> str:
    return connection_id.rpartition("/")[0].rpartition("/")[0]


def _part(properties: dict[str, Any], *keys: str) -> dict[str, Any]:
    return next((properties[key] for key in keys if isinstance(properties.get(key), dict)), {})


def _endpoint(connection: dict[str, Any]) -> str:
    properties = connection.get("properties")
    return str(_part(properties if isinstance(properties, dict) else {}, "privateEndpoint").get("id", "")).lower()


def _status(connection: dict[str, Any]) -> str:
    properties = connection.get("properties")
    state = _part(properties if isinstance(properties, dict) else {}, "privateLinkServiceConnectionState")
    return str(state.get("status", ""))


def before_decision(body: Any) -> Any:
    """A recorded connection as it was while it waited for the decision that made it look like this."""
    properties = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(properties, dict):
        return body
    return {**body, "properties": {**properties, "privateLinkServiceConnectionState": {"status": "Pending"}}}


def connections_in(body: Any) -> list[dict[str, Any]]:
    """The connections that a recorded body of a target shows."""
    properties = body.get("properties") if isinstance(body, dict) else None
    found = properties.get("privateEndpointConnections") if isinstance(properties, dict) else None
    return [each for each in found if isinstance(each, dict) and each.get("id")] if isinstance(found, list) else []


def decisions_in(body: Any) -> list[tuple[str, str, str]]:
    """(target, status, description) of what others decided on a recorded private endpoint's connections."""
    properties = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(properties, dict):
        return []
    found = []
    for member in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
        for each in properties.get(member) or []:
            inner = each.get("properties") if isinstance(each, dict) else None
            state = _part(inner if isinstance(inner, dict) else {}, "privateLinkServiceConnectionState")
            usual = "Pending" if member.startswith("manual") else "Approved"
            if isinstance(inner, dict) and state and state.get("status") != usual:
                target = str(inner.get("privateLinkServiceId", ""))
                found.append((target, str(state.get("status")), str(state.get("description"))))
    return found
