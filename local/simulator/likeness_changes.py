"""
Changes that a sample does not show: somebody changed a resource between two exchanges that were kept.

Only where exchanges are missing in between, and only members that a caller can set, through the simulated Azure's own
calls. Where nothing is missing, the simulated resource is left as it is, and a difference counts.
"""

from collections.abc import Sequence
from typing import Any

from local.simulator import arm_ids
from local.simulator.likeness_arrange import Arranger, items_in
from local.simulator.likeness_compare import key_paths, states
from local.simulator.likeness_connections import connections_in
from local.simulator.likeness_exchanges import Exchange
from local.simulator.likeness_names import Names
from local.simulator.likeness_world import Driver
from local.simulator.likeness_writable import WRITABLE, writable

_SUBNET = "microsoft.network/virtualnetworks/subnets"
_MERGING = ("microsoft.storage/", "microsoft.containerregistry/")
"""Providers whose PUT keeps what it does not mention; elsewhere a PUT says everything."""
_CONNECTIONS = "/privateendpointconnections"
_USUAL = {
    "privateEndpointNetworkPolicies": "Disabled",
    "privateLinkServiceNetworkPolicies": "Enabled",
    "delegations": [],
}
_POLICY = "privateLinkServiceNetworkPolicies"


class UnseenChanges:
    """Repeats what the sample leaves out."""

    def __init__(self, driver: Driver, names: Names, arranger: Arranger, exchanges: Sequence[Exchange]) -> None:
        self._driver = driver
        self._names = names
        self._arranger = arranger
        self._exchanges = exchanges

    def before(self, exchange: Exchange, position: int) -> None:
        """Bring the addressed resource to where the recording had it before this accepted exchange."""
        path = exchange.plain_path
        kind = arm_ids.parse(path).type.lower()
        if kind == _SUBNET and exchange.method == "PUT":
            self._subnet(exchange)
        if not self._missing_before(position, path):
            return
        if kind.endswith(_CONNECTIONS) and exchange.method == "GET":
            self._decided(exchange)
        elif exchange.method == "GET":
            self._set_by_others(exchange, kind)
        elif exchange.method in ("PUT", "PATCH") and kind.startswith(_MERGING):
            self._kept_from_before(exchange, kind)

    def _missing_before(self, position: int, path: str) -> bool:
        """Whether exchanges are missing since the resource, its parent or one of its parts was last seen."""
        key = path.lower()
        for earlier in range(position - 1, -1, -1):
            other = self._exchanges[earlier].plain_path.lower()
            if other == key or other.startswith(key + "/") or key.startswith(other + "/"):
                return self._exchanges[position].index - self._exchanges[earlier].index > position - earlier
        return False

    # -- connections -------------------------------------------------------------------------------------------------

    def _decided(self, exchange: Exchange) -> None:
        """Somebody approved or rejected: read from the connection itself, from a list or from the target."""
        own = [exchange.body] if isinstance(exchange.body, dict) and "id" in exchange.body else []
        for each in [*own, *items_in(exchange.body), *connections_in(exchange.body)]:
            self._arranger.connections.ensure(str(each.get("id", "")), each)

    # -- members -----------------------------------------------------------------------------------------------------

    def _set_by_others(self, exchange: Exchange, kind: str) -> None:
        """A read shows other members than the simulated resource has: put it as the recording shows it."""
        found = self._here(exchange)
        if connections_in(exchange.body):
            self._decided(exchange)
        if found is None or kind not in WRITABLE or not isinstance(exchange.body, dict):
            return
        if key_paths(writable(kind, exchange.body)) != key_paths(writable(kind, found)):
            self._put(exchange, kind, exchange.body)

    def _kept_from_before(self, exchange: Exchange, kind: str) -> None:
        """An answer shows members that neither the request nor the simulated resource has: they were there before."""
        found = self._here(exchange)
        if found is None or kind not in WRITABLE or not isinstance(exchange.body, dict):
            return
        asked = key_paths(writable(kind, exchange.request_body))
        if key_paths(writable(kind, exchange.body)) - key_paths(writable(kind, found)) - asked:
            self._put(exchange, kind, exchange.body)

    def _here(self, exchange: Exchange) -> dict[str, Any] | None:
        found = self._driver.azure.world.get(self._names.text(exchange.plain_path))
        return found.body if found is not None else None

    def _put(self, exchange: Exchange, kind: str, body: Any) -> None:
        wanted = self._names.text(exchange.plain_path)
        sent = self._arranger.request_body(wanted, kind, body)
        self._arranger.ensure_references(sent, wanted, near=0)
        self._driver.arrange("PUT", wanted, exchange.api_version or "2024-03-01", sent)
        self._driver.settle()

    # -- subnets -----------------------------------------------------------------------------------------------------

    def _subnet(self, exchange: Exchange) -> None:
        """A PUT that answers 200 says Succeeded at once exactly if it changes nothing, so it tells what was there."""
        found = self._here(exchange)
        asked = self._names.body(exchange.request_body)
        if exchange.status != 200 or found is None or not isinstance(asked, dict):
            return
        same = _comparable(found) == _comparable(asked)
        under_way = any(word == "Updating" for _, word in states(exchange.body))
        if same and under_way:
            sent = writable(_SUBNET, asked)
            before = sent.setdefault("properties", {}).get(_POLICY, "Enabled")
            sent["properties"][_POLICY] = "Enabled" if before == "Disabled" else "Disabled"
            self._write_subnet(exchange, sent)
        elif not same and not under_way:
            self._write_subnet(exchange, asked)

    def _write_subnet(self, exchange: Exchange, body: Any) -> None:
        self._driver.arrange("PUT", self._names.text(exchange.plain_path), exchange.api_version or "2024-03-01", body)
        self._driver.settle()


def _comparable(body: Any) -> dict[str, Any]:
    """What a caller can set of a subnet, without what it is anyway."""
    properties = writable(_SUBNET, body).get("properties", {})
    shown = {key: value for key, value in properties.items() if value != _USUAL.get(key, value is None)}
    services = shown.get("serviceEndpoints")
    if isinstance(services, list):
        shown["serviceEndpoints"] = [each.get("service") for each in services if isinstance(each, dict)]
    return shown
