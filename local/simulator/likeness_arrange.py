"""
Prerequisites: what must be there, or must not be, before a recorded exchange can happen at all.

The files are samples, so the request that made a resource is often missing. It is made up for through the simulated
Azure's own PUT, with what a caller could have sent (`likeness_writable`); a missing deletion is made up for by DELETE.
No recorded answer is ever handed to the simulated Azure.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

from local.simulator import arm_ids
from local.simulator.likeness_connections import Connections
from local.simulator.likeness_exchanges import Exchange
from local.simulator.likeness_names import Names
from local.simulator.likeness_targets import (
    Target,
    TargetKind,
    addresses_in,
    group_id,
    references,
    target_of,
)
from local.simulator.likeness_world import Driver
from local.simulator.likeness_writable import WRITABLE, complete, minimal, writable
from local.simulator.locks import LOCKS

_GROUP = "microsoft.resources/resourcegroups"
_NETWORK = "microsoft.network/virtualnetworks"
_SUBNET = "microsoft.network/virtualnetworks/subnets"
_INTERFACE = "microsoft.network/networkinterfaces"
_CONNECTIONS = "/privateendpointconnections"
_DEPTH = 6
REPLICA = "northeurope"
"""Second region of a replicated container registry that lies elsewhere."""


class Arranger:
    """Makes and removes what one source file presumes."""

    def __init__(self, driver: Driver, names: Names, exchanges: Sequence[Exchange]) -> None:
        self._driver = driver
        self._names = names
        self._exchanges = exchanges
        self.connections = Connections(driver, names, self.ensure)
        self._subnets = 0
        self._place = ""
        """Region of the resource whose prerequisites are being made: an endpoint's network lies in its region."""

    # -- what the recording shows of a resource ----------------------------------------------------------------------

    def shown(self, resource_id: str, near: int) -> tuple[Any, str]:
        """
        The recorded body of a resource that is nearest to position *near*, with its api-version.

        Looks at answers first (they show the resource whole), then at requests; also into lists and into the networks
        that list their subnets.
        """
        key = resource_id.lower().rstrip("/")
        order = sorted(range(len(self._exchanges)), key=lambda at: (abs(at - near), at > near))
        accepted = [self._exchanges[at] for at in order if self._exchanges[at].status < 300]
        for exchange in accepted:
            found = _find(exchange.body, key)
            if found is not None:
                return found, exchange.api_version
        for exchange in accepted:
            asked = exchange.request_body
            if exchange.plain_path.lower() == key and isinstance(asked, dict):
                return asked, exchange.api_version
            found = _find(asked, key)
            if found is not None:
                return found, exchange.api_version
        return None, ""

    # -- making and removing -----------------------------------------------------------------------------------------

    def ensure(self, resource_id: str, *, near: int = 0, body: Any = None, version: str = "", depth: int = 0) -> None:
        """Make the resource, and what it needs, unless it exists."""
        wanted = self._names.text(resource_id).rstrip("/")
        if depth > _DEPTH or self._driver.exists(wanted):
            return
        kind = arm_ids.parse(wanted).type.lower()
        if body is None:
            body, version = self.shown(resource_id, near)
        group = group_id(wanted)
        if kind != _GROUP and group:
            self.ensure(group, near=near, depth=depth + 1)
        parent = arm_ids.parse(wanted).parent
        if parent and parent.count("/") > 5:
            self.ensure(_cased_parent(wanted, parent), near=near, depth=depth + 1)
        if kind.endswith(_CONNECTIONS):
            self.connections.ensure(resource_id, body)
        elif kind == _INTERFACE and _endpoint_of(body):
            self._ensure_interface(resource_id, _endpoint_of(body), near, depth)
        elif kind not in WRITABLE:
            self._driver.stand_in(wanted)
        elif not self._driver.exists(wanted):
            self._put(wanted, kind, body, version, near, depth)

    def _put(self, wanted: str, kind: str, body: Any, version: str, near: int, depth: int) -> None:
        sent = self.request_body(wanted, kind, body)
        self.ensure_references(sent, wanted, near=near, depth=depth + 1)
        if not self._driver.exists(wanted):
            self._driver.arrange("PUT", wanted, version or _default_version(kind), sent)
        self._driver.settle()

    def request_body(self, wanted: str, kind: str, body: Any, naming: str = "") -> dict[str, Any]:
        """What a caller sends to make the resource as *body* shows it; it names the resource *naming* if it can."""
        sent: dict[str, Any] = self._names.body(writable(kind, body))
        likely = sent.get("location") or self._place or self._likely_location(wanted)
        location = str(likely or self._driver.location_of(wanted))
        for key, value in minimal(kind, location).items():
            if key != "properties":
                sent.setdefault(key, value)
            elif not sent.get("properties"):
                sent["properties"] = value
        complete(kind, wanted, sent, naming)
        if kind == _SUBNET and not {"addressPrefix", "addressPrefixes"} & set(sent["properties"]):
            sent["properties"]["addressPrefix"] = self._likely_prefix(wanted)
        if kind == _SUBNET:
            self.make_room(wanted, sent)
        return sent

    def _likely_prefix(self, subnet_id: str) -> str:
        """A prefix around the first recorded address in the subnet, else one of the tool's own."""
        for exchange in self._exchanges:
            for body in (exchange.request_body, exchange.body):
                for address in addresses_in(body, subnet_id):
                    return str(ipaddress.ip_network(f"{address}/24", strict=False))
        self._subnets += 1
        return f"10.{200 + self._subnets // 256}.{self._subnets % 256}.0/24"

    def _likely_location(self, wanted: str) -> str:
        """The region of the first recorded resource that refers to this one: an endpoint lies where its network does."""
        key = wanted.lower() + "/"
        for exchange in self._exchanges:
            for body in (exchange.request_body, exchange.body):
                accepted = exchange.status < 300 or exchange.status == 429  # told to come back, not that it is wrong
                place = body.get("location") if isinstance(body, dict) and accepted else None
                named = isinstance(place, str) and place.lower() != "global"
                if named and any(each.lower().startswith(key) for each in references(body, exchange.plain_path)):
                    return str(place)
        return ""

    def make_room(self, subnet_id: str, sent: Any) -> None:
        """Extend the network's address space when the subnet lies outside: a change that the sample does not show."""
        network_id = subnet_id.rpartition("/subnets/")[0]
        network = self._driver.azure.world.get(network_id)
        prefixes = _prefixes(sent.get("properties") if isinstance(sent, dict) else None)
        if network is None or not prefixes:
            return
        space = network.properties.get("addressSpace", {}).get("addressPrefixes", [])
        missing = [each for each in prefixes if not any(_inside(each, whole) for whole in space)]
        if missing:
            changed = self._names.body(writable(_NETWORK, network.body))
            changed["properties"]["addressSpace"] = {"addressPrefixes": [*space, *missing]}
            self._driver.arrange("PUT", network_id, "2024-03-01", changed)
            self._driver.settle()

    def ensure_references(self, body: Any, owner: str, *, near: int, depth: int = 0, but: str = "") -> None:
        """Make what a request names, except what the text *but* mentions as missing."""
        before, place = self._place, body.get("location") if isinstance(body, dict) else None
        self._place = place if isinstance(place, str) and place.lower() != "global" else before
        for each in references(body, owner):
            if each.lower() not in but.lower():
                self.ensure(each, near=near, depth=depth)
        self._place = before

    def _ensure_interface(self, resource_id: str, endpoint: str, near: int, depth: int) -> None:
        """A private endpoint's interface: make the endpoint and pair the generated names."""
        self.ensure(endpoint, near=near, depth=depth + 1)
        made = self._driver.azure.world.get(self._names.text(endpoint))
        interfaces = made.properties.get("networkInterfaces", []) if made is not None else []
        if interfaces:
            self._names.pair(resource_id, interfaces[0]["id"])

    def remove(self, resource_id: str, version: str) -> None:
        """Delete the resource if it exists, and wait."""
        wanted = self._names.text(resource_id)
        self.unblock(wanted)
        if self._driver.exists(wanted):
            self._driver.arrange("DELETE", wanted, version or _default_version(arm_ids.parse(wanted).type.lower()))
            self._driver.settle()

    def put_anew(self, resource_id: str, exchange: Exchange, near: int) -> None:
        """Make the resource as the recording shows it and leave its operation under way."""
        wanted = self._names.text(resource_id)
        kind = arm_ids.parse(wanted).type.lower()
        if kind.endswith(_CONNECTIONS):
            self.connections.decide_again(wanted)
        if kind not in WRITABLE:
            return
        self.remove(wanted, exchange.api_version)
        sent = self.request_body(wanted, kind, exchange.body)
        self.ensure_references(sent, wanted, near=near)
        self._driver.arrange("PUT", wanted, exchange.api_version or _default_version(kind), sent)

    def keep_busy(self, resource_id: str) -> None:
        """Put the resource again as it is and leave the operation under way; make it first when it is missing."""
        wanted = self._names.text(resource_id)
        kind = arm_ids.parse(wanted).type.lower()
        self.ensure(resource_id)
        found = self._driver.azure.world.get(wanted)
        if found is None:
            return
        if kind not in WRITABLE:
            self._driver.disturb(found)
            return
        sent = self._names.body(writable(kind, found.body))
        if kind == _SUBNET:
            sent["properties"]["serviceEndpoints"] = [{"service": "Microsoft.Storage"}]
        else:
            sent["tags"] = {"likeness": "busy"}
        self._driver.arrange("PUT", wanted, _default_version(kind), sent)

    def replicate(self, registry_id: str, version: str) -> None:
        """Give a container registry a second region."""
        wanted = self._names.text(registry_id)
        found = self._driver.azure.world.get(wanted)
        region = REPLICA if found is None or found.location != REPLICA else "westeurope"
        self._driver.arrange("PUT", f"{wanted}/replications/{region}", version, {"location": region})
        self._driver.settle()

    def lock(self, resource_id: str, near: int) -> None:
        """Have the resource, and a lock on it."""
        self.ensure(resource_id, near=near)
        lock = f"{self._names.text(resource_id)}/providers/{LOCKS}/likeness"
        self._driver.arrange("PUT", lock, "2020-05-01", {"properties": {"level": "CanNotDelete"}})

    def unblock(self, resource_id: str) -> None:
        """Delete the locks and links that would keep the resource from being deleted."""
        wanted = self._names.text(resource_id)
        for lock in list(self._driver.azure.world.of_type(LOCKS)):
            if lock.key.startswith(wanted.lower() + "/"):
                self._driver.arrange("DELETE", lock.id, "2020-05-01")
        for child in list(
            self._driver.azure.world.children(wanted, "Microsoft.Network/privateDnsZones/virtualNetworkLinks")
        ):
            self._driver.arrange("DELETE", child.id, "2024-06-01")
        self._driver.settle()

    # -- lists -------------------------------------------------------------------------------------------------------

    def ensure_listed(self, exchange: Exchange, target: Target, near: int) -> None:
        """Make the list's scope and every item that the recorded list shows."""
        if target.id.count("/") > 2:
            self.ensure(target.id, near=near)
        for item in items_in(exchange.body):
            identity = item.get("id")
            if isinstance(identity, str) and target_of(identity).kind in (TargetKind.ITEM, TargetKind.GROUP):
                self.ensure(identity, near=near, body=item, version=exchange.api_version)


def items_in(body: Any) -> list[dict[str, Any]]:
    """The items of a recorded list."""
    items = body.get("value") if isinstance(body, dict) else None
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def _find(body: Any, key: str) -> Any:
    """The object with that id inside a body: the body itself, an item of a list, or a nested resource."""
    if isinstance(body, dict):
        if str(body.get("id", "")).lower().rstrip("/") == key and ("properties" in body or "location" in body):
            return body
        for inner in body.values():
            if isinstance(inner, dict | list) and (found := _find(inner, key)) is not None:
                return found
    elif isinstance(body, list):
        for each in body:
            if (found := _find(each, key)) is not None:
                return found
    return None


def _endpoint_of(body: Any) -> str:
    """The private endpoint that an interface belongs to, empty when it belongs to none."""
    properties = body.get("properties") if isinstance(body, dict) else None
    endpoint = properties.get("privateEndpoint") if isinstance(properties, dict) else None
    return str(endpoint.get("id", "")) if isinstance(endpoint, dict) else ""


def _cased_parent(resource_id: str, parent: str) -> str:
    """The parent's id in the child's casing."""
    return resource_id[: len(parent)]


def _prefixes(properties: Any) -> list[str]:
    if not isinstance(properties, dict):
        return []
    several = properties.get("addressPrefixes")
    found = [properties.get("addressPrefix"), *(several if isinstance(several, list) else [])]
    return [each for each in found if isinstance(each, str) and _network(each) is not None]


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _inside(inner: str, outer: Any) -> bool:
    small, large = _network(inner), _network(str(outer))
    if isinstance(small, ipaddress.IPv4Network) and isinstance(large, ipaddress.IPv4Network):
        return small.subnet_of(large)
    if isinstance(small, ipaddress.IPv6Network) and isinstance(large, ipaddress.IPv6Network):
        return small.subnet_of(large)
    return False


_VERSIONS = {
    "microsoft.resources": "2022-09-01",
    "microsoft.network": "2024-03-01",
    "microsoft.storage": "2023-05-01",
    "microsoft.containerregistry": "2023-11-01-preview",
    "microsoft.machinelearningservices": "2024-04-01",
}


def _default_version(kind: str) -> str:
    if kind.startswith("microsoft.network/privatednszones"):
        return "2018-09-01" if kind == "microsoft.network/privatednszones" else "2024-06-01"
    return _VERSIONS.get(kind.partition("/")[0], "2024-03-01")
