"""
The article's own way as Azure CLI commands: endpoints, private DNS, the workspace's storage rule, lockdown, checks.

What a careful person would put into a script, one command after the other, each waiting for Azure as the CLI does by
itself. A step is one command; it survived when the CLI ended with status 0 and, for a check, the answer was the right one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local.simulator.azure import SimulatedAzure
from local.simulator.scenery import REGISTRY_API, Scene
from local.simulator.world import Resource

ZONES = {
    "amlregistry": "privatelink.api.azureml.ms",
    "blob": "privatelink.blob.core.windows.net",
    "registry": "privatelink.azurecr.io",
}
LOCATION = "westeurope"
LOOK_SECONDS = 15.0
"""Between two looks at what Azure closes by itself."""
MOST_LOOKS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One command.

    Attributes:
        check: What its answer must be; None for a command that changes something.
        looks: How often it may be repeated until *check* holds.
    """

    what: str
    command: tuple[str, ...]
    check: Callable[[Any], bool] | None = None
    looks: int = 1


def steps(
    azure: SimulatedAzure, scene: Scene, registry: Resource, parts: list[Resource], shared: str
) -> Iterator[Step]:
    """Every command, in order; *parts* are what `az resource show` of the registry names."""
    targets = [(registry, "amlregistry"), *((part, _group(part)) for part in parts)]
    yield Step(what="read registry", command=("resource", "show", "--ids", registry.id, "--api-version", REGISTRY_API))
    for target, group in targets:
        yield _endpoint(scene, target, group)
    for zone in ZONES.values():
        yield Step(what="zone", command=("network", "private-dns", "zone", "create", *_in(scene.dns_group), "-n", zone))
        link = ("-z", zone, "-n", "hub", "-v", scene.virtual_network, "-e", "false")
        yield Step(
            what="link", command=("network", "private-dns", "link", "vnet", "create", *_in(scene.dns_group), *link)
        )
    for target, group in targets:
        yield _zone_group(scene, target, group)
    yield from _checks(scene, targets)
    yield _rule(azure, registry, shared)
    close = ("resource", "update", "--ids", registry.id, "--api-version", REGISTRY_API)
    yield Step(what="close registry", command=(*close, "--set", "properties.publicNetworkAccess=Disabled"))
    yield from (_followed(part) for part in parts)


def _endpoint(scene: Scene, target: Resource, group: str) -> Step:
    place = ("--subnet", scene.subnet, "-l", LOCATION, "--connection-name", f"to-{target.name}")
    leads = ("--private-connection-resource-id", target.id, "--group-id", group)
    named = (*_in(scene.network_group), "-n", f"pe-{target.name}")
    return Step(what="endpoint", command=("network", "private-endpoint", "create", *named, *place, *leads))


def _zone_group(scene: Scene, target: Resource, group: str) -> Step:
    zone = f"{scene.dns_group}/providers/Microsoft.Network/privateDnsZones/{ZONES[group]}"
    named = (*_in(scene.network_group), "--endpoint-name", f"pe-{target.name}", "-n", "default")
    more = ("--zone-name", group, "--private-dns-zone", zone)
    return Step(what="zone group", command=("network", "private-endpoint", "dns-zone-group", "create", *named, *more))


def _checks(scene: Scene, targets: list[tuple[Resource, str]]) -> Iterator[Step]:
    for target, _ in targets:
        named = (*_in(scene.network_group), "-n", f"pe-{target.name}")
        yield Step(what="check endpoint", command=("network", "private-endpoint", "show", *named), check=_approved)
    for zone in ZONES.values():
        listed = ("network", "private-dns", "record-set", "a", "list", *_in(scene.dns_group), "-z", zone)
        yield Step(what="check records", command=listed, check=bool)


def _rule(azure: SimulatedAzure, registry: Resource, account: str) -> Step:
    allowed = ("--resource-id", registry.id, "--tenant-id", azure.tenant_id)
    named = ("--account-name", account, *_in(registry.id.split("/providers/", maxsplit=1)[0]))
    return Step(what="storage rule", command=("storage", "account", "network-rule", "add", *named, *allowed))


def _followed(part: Resource) -> Step:
    shown = ("resource", "show", "--ids", part.id)
    return Step(what="wait until Azure has followed", command=shown, check=_closed, looks=MOST_LOOKS)


def _approved(answer: Any) -> bool:
    states = [each["privateLinkServiceConnectionState"]["status"] for each in answer["privateLinkServiceConnections"]]
    return states == ["Approved"] and answer["provisioningState"] == "Succeeded"


def _closed(answer: Any) -> bool:
    return bool(answer["properties"].get("publicNetworkAccess") == "Disabled")


def _group(part: Resource) -> str:
    return "blob" if "storage" in part.type.lower() else "registry"


def _in(group: str) -> tuple[str, str]:
    return "-g", group.rsplit("/", 1)[-1]
