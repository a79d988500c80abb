"""
An independent look at the simulated Azure: is this registry isolated?

Asks Azure by ARM GETs as a user would and shares nothing with the product, so it says the truth about the product.
It answers with sentences, none when every door is closed and every way in is open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.arm_user import ArmUser
from local.stage_scene import API_VERSIONS, Scene

type Document = dict[str, Any]

_GROUPS = {"registry": "amlregistry", "storage": "blob", "acr": "registry"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A resource that must be closed and reachable by a private endpoint."""

    kind: str
    body: Document

    @property
    def name(self) -> str:
        return str(self.body["name"])

    @property
    def key(self) -> str:
        return str(self.body["id"]).lower()


async def problems(user: ArmUser, scene: Scene, registry_id: str) -> list[str]:
    """What keeps the registry from being isolated, a sentence each; [] when it is."""
    registry = await user.get(registry_id, API_VERSIONS["registries"])
    if registry is None:
        return [f"The registry {registry_id} does not exist."]
    if not registry["properties"].get("managedResourceGroup"):
        return [f"The registry {registry['name']} has no managed resource group: Azure has not finished making it."]
    regions = registry["properties"].get("regionDetails") or []
    targets = [_Target(kind="registry", body=registry), *await _parts(user, registry)]
    found = [*_incomplete(targets, len(regions))]
    found += [
        f"Public access of {target.name} is {_access(target.body)}."
        for target in targets
        if _access(target.body) != "Disabled"
    ]
    endpoints = await user.list(f"{scene.scope}/providers/Microsoft.Network/privateEndpoints", API_VERSIONS["network"])
    resolver = await _Resolver.of(user, scene)
    for target in targets:
        mine = [each for each in endpoints if _points_at(each, target.key)]
        if len(mine) != 1:
            found.append(f"{target.name} has {len(mine)} private endpoints, not one.")
        for endpoint in mine:
            found += _unhealthy(endpoint, target)
            found += await _unresolved(user, resolver, endpoint)
    return found


async def _parts(user: ArmUser, registry: Document) -> list[_Target]:
    """The storage accounts and the container registry in the managed group, each read by itself."""
    group = str(registry["properties"]["managedResourceGroup"]["resourceId"])
    kinds = {"microsoft.storage/storageaccounts": "storage", "microsoft.containerregistry/registries": "acr"}
    versions = {"storage": "storage", "acr": "container-registries"}
    found = []
    for row in await user.list(f"{group}/resources", API_VERSIONS["groups"]):
        kind = kinds.get(str(row["type"]).lower())
        if kind is not None:
            body = await user.get(row["id"], API_VERSIONS[versions[kind]])
            if body is not None:
                found.append(_Target(kind=kind, body=body))
    return found


def _incomplete(targets: Sequence[_Target], regions: int) -> Iterator[str]:
    storages = sum(target.kind == "storage" for target in targets)
    registries = sum(target.kind == "acr" for target in targets)
    if storages != regions or registries != 1:
        yield (
            f"The managed group holds {storages} storage accounts and {registries} container registries; "
            f"{regions} and 1 were expected."
        )


def _access(body: Document) -> str:
    return str(body["properties"].get("publicNetworkAccess") or "Enabled")


def _connections(endpoint: Document) -> list[Document]:
    properties = endpoint["properties"]
    both = [
        *properties.get("privateLinkServiceConnections", ()),
        *properties.get("manualPrivateLinkServiceConnections", ()),
    ]
    return [each["properties"] for each in both]


def _points_at(endpoint: Document, key: str) -> bool:
    return any(str(each["privateLinkServiceId"]).lower() == key for each in _connections(endpoint))


def _unhealthy(endpoint: Document, target: _Target) -> Iterator[str]:
    """The endpoint's side and the target's side of the connection must both be well."""
    name, state = endpoint["name"], endpoint["properties"]["provisioningState"]
    if state != "Succeeded":
        yield f"Private endpoint {name} is {state}."
    for connection in _connections(endpoint):
        status = connection["privateLinkServiceConnectionState"]["status"]
        if status != "Approved":
            yield f"The connection of private endpoint {name} is {status}."
        if connection["groupIds"] != [_GROUPS[target.kind]]:
            yield f"Private endpoint {name} leads to {connection['groupIds']} of {target.name}."
    status = _seen_by(target.body).get(str(endpoint["id"]).lower(), "unknown")
    if status != "Approved":
        yield f"To {target.name}, private endpoint {name} is {status}."


def _seen_by(target: Document) -> dict[str, str]:
    """State of each connection as the target lists it, by the endpoint's id; registries prefix both members' names."""
    properties = target["properties"]
    listed = properties.get("registryPrivateEndpointConnections") or properties.get("privateEndpointConnections") or ()
    states = ("registryPrivateLinkServiceConnectionState", "privateLinkServiceConnectionState")
    return {
        str(each["properties"]["privateEndpoint"]["id"]).lower(): str(each["properties"][name]["status"])
        for each in listed
        for name in states
        if name in each["properties"]
    }


async def _unresolved(user: ArmUser, resolver: "_Resolver", endpoint: Document) -> list[str]:
    found, names = [], 0
    network = str(endpoint["properties"]["subnet"]["id"]).lower().rsplit("/subnets/", 1)[0]
    for reference in endpoint["properties"]["networkInterfaces"]:
        interface = await user.get(reference["id"], API_VERSIONS["network"])
        for configuration in interface["properties"]["ipConfigurations"] if interface else ():
            address = configuration["properties"]["privateIPAddress"]
            for fqdn in configuration["properties"]["privateLinkConnectionProperties"]["fqdns"]:
                names += 1
                answer = resolver.addresses(fqdn, network)
                if answer != [address]:
                    said = ", ".join(answer) or "nothing"
                    found.append(f"{fqdn} resolves to {said}, not to {address} of {endpoint['name']}.")
    return found if names else [f"Private endpoint {endpoint['name']} stands for no name."]


class _Resolver:
    """What a network with linked private zones answers."""

    def __init__(self, records: Mapping[str, list[str]], links: Mapping[str, set[str]]) -> None:
        self._records = records
        self._links = links

    @classmethod
    async def of(cls, user: ArmUser, scene: Scene) -> "_Resolver":
        """Read every zone, link and record of the subscription."""
        version = API_VERSIONS["private-dns"]
        records: dict[str, list[str]] = {}
        links: dict[str, set[str]] = {}
        for zone in await user.list(f"{scene.scope}/providers/Microsoft.Network/privateDnsZones", version):
            suffix = str(zone["name"]).removeprefix("privatelink.")
            rows = await user.list(f"{zone['id']}/virtualNetworkLinks", version)
            finished = [
                each["properties"] for each in rows if each["properties"]["virtualNetworkLinkState"] == "Completed"
            ]
            links.setdefault(suffix, set()).update(str(each["virtualNetwork"]["id"]).lower() for each in finished)
            for record in await user.list(f"{zone['id']}/A", version):
                addresses = [each["ipv4Address"] for each in record["properties"]["aRecords"]]
                records.setdefault(f"{record['name']}.{suffix}", []).extend(addresses)
        return cls(records, links)

    def addresses(self, fqdn: str, network: str) -> list[str]:
        """What a machine in *network* gets for *fqdn*; nothing when no linked zone knows it."""
        linked = any(fqdn.endswith(f".{suffix}") and network in networks for suffix, networks in self._links.items())
        return self._records.get(fqdn, []) if linked else []
