"""
Long operations: which simulated operation URL stands for a recorded one.

The URLs that recorded answers hand out are paired with those of the simulated answers. When the request that started a
recorded operation is missing from the sample, a request of the same kind is made through the simulated Azure, and its
operation is polled instead.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit

from local.simulator.likeness_arrange import REPLICA, Arranger
from local.simulator.likeness_exchanges import Exchange
from local.simulator.likeness_names import Names
from local.simulator.likeness_targets import is_resource_id, target_of
from local.simulator.likeness_world import Driver
from local.simulator.wire import Response

_NETWORK_VERSION = "2024-03-01"
_DNS_VERSIONS = {"privatednszones": "2018-09-01", "virtualnetworklinks": "2024-06-01"}
_HEADERS = ("azure-asyncoperation", "location")
_PENDING = frozenset({"inprogress", "creating", "updating", "deleting", "accepted", "running", "resolvingdns"})


def is_pending(exchange: Exchange) -> bool:
    """Whether a recorded poll says that the operation is still under way."""
    if isinstance(exchange.body, dict) and isinstance(exchange.body.get("status"), str):
        return str(exchange.body["status"]).lower() in _PENDING
    return exchange.status in (201, 202)


class OperationUrls:
    """The operation URLs of one source file."""

    def __init__(self, driver: Driver, names: Names, arranger: Arranger, exchanges: Sequence[Exchange]) -> None:
        self._driver = driver
        self._names = names
        self._arranger = arranger
        self._exchanges = exchanges
        self._urls: dict[str, str] = {}
        self._scratch = 0

    def learn(self, recorded: Mapping[str, str], answer: Response) -> None:
        """Pair the operation URLs of a recorded answer with those of the simulated one."""
        for name in _HEADERS:
            left, right = recorded.get(name, ""), answer.header(name)
            if left and right:
                self._urls[_key(left)] = right

    def fails(self, exchange: Exchange) -> bool:
        """Whether the recording shows later that the operation which this exchange started has failed."""
        return self._fail_among({_key(exchange.headers[name]) for name in _HEADERS if name in exchange.headers})

    def _fail_among(self, keys: set[str]) -> bool:
        return any(_failed(each) for each in self._exchanges if _key(each.path) in keys)

    def of(self, exchange: Exchange, near: int) -> str:
        """
        The simulated URL to poll for a recorded poll; empty when none can be arranged.

        An operation that is over while the recorded one is still under way is started anew.
        """
        key = _key(exchange.path)
        known = self._urls.get(key, "")
        operation = self._driver.operation(known) if known else None
        if known and not (is_pending(exchange) and operation is not None and not operation.running):
            return known
        started = self._start(exchange, near)
        if started:
            self._urls[key] = started
        return started or known

    # -- starting an operation of the same kind ------------------------------------------------------------------------

    def _start(self, exchange: Exchange, near: int) -> str:
        family = target_of(exchange.plain_path).type
        starters: dict[str, Callable[[Exchange, int], Response | None]] = {
            "microsoft.network/operations": self._network_write,
            "microsoft.network/operationresults": self._network_delete,
            "microsoft.network/privatednsoperationstatuses": self._private_dns,
            "microsoft.network/privatednsoperationresults": self._private_dns,
            "microsoft.storage/asyncoperations": self._storage,
            "microsoft.containerregistry/operationstatuses": self._container_registry,
            "microsoft.containerregistry/operationresults": self._container_registry_delete,
            "microsoft.machinelearningservices/registryoperationsstatus": self._learning_registry,
            "microsoft.machinelearningservices/workspaceoperationsstatus": self._learning_workspace,
            "microsoft.resources/operationresults": self._group_delete,
        }
        starter = starters.get(family)
        answer = starter(exchange, near) if starter else None
        if answer is None:
            return ""
        status, result = answer.header("Azure-AsyncOperation"), answer.header("Location")
        path = exchange.path.lower()
        at_result = "result" in family or "type=location" in path or "monitor=true" in path
        return (result or status) if at_result else (status or result)

    def _scratch_group(self, exchange: Exchange) -> str:
        """A group of the tool's own in the subscription of the path."""
        segments = exchange.plain_path.split("/")
        group = f"/subscriptions/{segments[2]}/resourceGroups/likeness-operations"
        if not self._driver.exists(group):
            self._driver.arrange("PUT", group, "2022-09-01", {"location": "westus2"})
        return group

    def _scratch_name(self) -> str:
        self._scratch += 1
        return f"likeness{self._scratch}"

    def _network_write(self, exchange: Exchange, _near: int) -> Response | None:
        return self._put_network(self._network_id(exchange), exchange)

    def _network_id(self, exchange: Exchange) -> str:
        return f"{self._scratch_group(exchange)}/providers/Microsoft.Network/virtualNetworks/{self._scratch_name()}"

    def _put_network(self, network: str, exchange: Exchange) -> Response | None:
        body = {"location": _location(exchange), "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
        return self._driver.arrange("PUT", network, _NETWORK_VERSION, body)

    def _network_delete(self, exchange: Exchange, _near: int) -> Response | None:
        network = self._network_id(exchange)
        self._put_network(network, exchange)
        self._driver.settle()
        return self._driver.arrange("DELETE", network, _NETWORK_VERSION)

    def _private_dns(self, exchange: Exchange, _near: int) -> Response | None:
        """The operation's id tells its kind: base64 of "...;UpsertVirtualNetworkLink;..."."""
        kind = _decoded(exchange.plain_path.rpartition("/")[2]).lower()
        group = self._names.text(exchange.plain_path.partition("/providers/")[0])
        self._arranger.ensure(group)
        zone = f"{group}/providers/Microsoft.Network/privateDnsZones/{self._scratch_name()}.likeness.example"
        wanted = f"{zone}/virtualNetworkLinks/link" if "virtualnetworklink" in kind else zone
        version = _DNS_VERSIONS["virtualnetworklinks" if wanted != zone else "privatednszones"]
        if wanted != zone:
            self._arranger.ensure(zone)
        body = self._link_body(group) if wanted != zone else {"location": "global"}
        if self._fail_among({_key(exchange.path)}):
            return self._refused_later(wanted, version, body)
        if "delete" in kind:
            self._arranger.ensure(wanted, body=body, version=version)
            return self._driver.arrange("DELETE", wanted, version)
        return self._driver.arrange("PUT", wanted, version, body)

    def _refused_later(self, wanted: str, version: str, body: dict[str, Any]) -> Response | None:
        """A write that is accepted and fails afterwards: it says that the resource must be new, and it is not."""
        self._arranger.ensure(wanted, body=body, version=version)
        return self._driver.arrange("PUT", wanted, version, body, {"If-None-Match": "*"})

    def _link_body(self, group: str) -> dict[str, Any]:
        network = f"{group}/providers/Microsoft.Network/virtualNetworks/{self._scratch_name()}"
        self._arranger.ensure(network)
        return {"location": "global", "properties": {"virtualNetwork": {"id": network}, "registrationEnabled": False}}

    def _storage(self, exchange: Exchange, near: int) -> Response | None:
        """The account that the operation ends with, or a plain one."""
        body = self._final_body(exchange, near)
        identity = body.get("id") if isinstance(body, dict) else None
        if not is_resource_id(identity):
            identity = (
                f"{self._scratch_group(exchange)}/providers/Microsoft.Storage/storageAccounts/{self._scratch_name()}"
            )
        return self._put_anew(str(identity), "microsoft.storage/storageaccounts", body, exchange, near)

    def _container_registry(self, exchange: Exchange, near: int) -> Response | None:
        owner = exchange.plain_path.rpartition("/operationStatuses/")[0] or exchange.plain_path.rsplit("/", 2)[0]
        if "/privateendpointconnections/" in owner.lower():
            waiting = {"properties": {"privateLinkServiceConnectionState": {"status": "Pending"}}}
            self._arranger.ensure(owner, near=near, body=waiting)
            decision = {"privateLinkServiceConnectionState": {"status": "Approved", "description": "Approved"}}
            return self._driver.arrange("PUT", self._names.text(owner), exchange.api_version, {"properties": decision})
        kind = target_of(owner).type
        body = deepcopy(self._arranger.shown(owner, near)[0])
        updating = isinstance(exchange.body, dict) and str(exchange.body.get("status")).lower() == "updating"
        if updating:
            self._arranger.ensure(owner, near=near)
            change = {"properties": {"anonymousPullEnabled": True}}
            return self._driver.arrange("PATCH", self._names.text(owner), exchange.api_version, change)
        body = body if isinstance(body, dict) else {"sku": {"name": "Premium"}}
        body.setdefault("properties", {}).setdefault(
            "anonymousPullEnabled", False
        )  # what makes a creation take a while
        return self._put_anew(owner, kind, body, exchange, near)

    def _container_registry_delete(self, exchange: Exchange, near: int) -> Response | None:
        kind = exchange.plain_path.rpartition("/")[2].partition("-")[0].lower()
        group = self._scratch_group(exchange)
        registry = f"{group}/providers/Microsoft.ContainerRegistry/registries/{self._scratch_name()}"
        wanted = {
            "privateendpointconnections": f"{registry}/privateEndpointConnections/likeness.{self._scratch:032x}",
            "replications": f"{registry}/replications/{REPLICA}",
        }.get(kind, registry)
        self._arranger.ensure(registry, near=near)
        if wanted.startswith(f"{registry}/privateEndpointConnections/"):
            self._arranger.ensure(wanted, near=near)
        else:  # the deletion of a registry takes a while where it is replicated
            self._arranger.replicate(registry, exchange.api_version)
        return self._driver.arrange("DELETE", self._names.text(wanted), exchange.api_version)

    def _learning_registry(self, exchange: Exchange, near: int) -> Response | None:
        return self._put_learning("registries", self._learning_id("registries", exchange), exchange, near)

    def _learning_workspace(self, exchange: Exchange, near: int) -> Response | None:
        workspace = self._learning_id("workspaces", exchange)
        made = self._put_learning("workspaces", workspace, exchange, near)
        if not self._ends_with_nothing(exchange):
            return made
        self._driver.settle()
        return self._driver.arrange("DELETE", workspace, exchange.api_version)

    def _ends_with_nothing(self, exchange: Exchange) -> bool:
        """Whether the operation has nothing to show in the end: it was a deletion."""
        polls = (each for each in self._exchanges if _key(each.path) == _key(exchange.path))
        return any(each.status == 200 and each.body is None for each in polls)

    def _learning_id(self, collection: str, exchange: Exchange) -> str:
        provider = f"{self._scratch_group(exchange)}/providers/Microsoft.MachineLearningServices"
        return f"{provider}/{collection}/{self._scratch_name()}"

    def _put_learning(self, collection: str, identity: str, exchange: Exchange, near: int) -> Response | None:
        kind = f"microsoft.machinelearningservices/{collection}"
        return self._put_anew(identity, kind, {"location": _location(exchange)}, exchange, near)

    def _group_delete(self, exchange: Exchange, _near: int) -> Response | None:
        segments = exchange.plain_path.split("/")
        group = f"/subscriptions/{segments[2]}/resourceGroups/{self._scratch_name()}"
        self._driver.arrange("PUT", group, "2022-09-01", {"location": "westus2"})
        return self._driver.arrange("DELETE", group, "2022-09-01")

    def _put_anew(self, identity: str, kind: str, body: Any, exchange: Exchange, near: int) -> Response | None:
        """Create the resource (again, if it is there) and leave its operation running."""
        wanted = self._names.text(identity)
        self._arranger.remove(wanted, exchange.api_version)
        self._arranger.ensure(wanted.partition("/providers/")[0], near=near)
        sent = self._arranger.request_body(wanted, kind, body)
        self._arranger.ensure_references(sent, wanted, near=near)
        return self._driver.arrange("PUT", wanted, exchange.api_version or "2024-04-01", sent)

    def _final_body(self, exchange: Exchange, near: int) -> Any:
        """What a later poll of the same operation answered in the end."""
        key = _key(exchange.path)
        later = (each for each in self._exchanges[near:] if _key(each.path) == key)
        return next((each.body for each in later if isinstance(each.body, dict) and "id" in each.body), None)


def _failed(exchange: Exchange) -> bool:
    return isinstance(exchange.body, dict) and exchange.body.get("status") == "Failed"


def _key(url: str) -> str:
    """What identifies an operation URL: its path, and whether it asks for the status or the result."""
    parts = urlsplit(url)
    kind = "location" if "type=location" in parts.query.lower() else ""
    return f"{parts.path.lower()} {kind}"


def _location(exchange: Exchange) -> str:
    """The region in an operation URL."""
    segments = exchange.plain_path.split("/")
    lowered = [each.lower() for each in segments]
    return segments[lowered.index("locations") + 1] if "locations" in lowered[:-1] else "westus2"


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
