"""An independent look at the simulated Azure: is this registry isolated? Shares no code with the product."""

from typing import Any

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.world import Resource


def unisolated(azure: SimulatedAzure, registry_id: str) -> list[str]:
    """What is not as it should be, one sentence each; [] for an isolated registry."""
    registry = azure.world.get(registry_id)
    if registry is None:
        return [f"{registry_id} does not exist"]
    targets = [registry, *scenery.parts_of(azure, registry)]
    problems = [
        f"{target.name} is open"
        for target in targets
        if str(target.properties.get("publicNetworkAccess", "Enabled")).lower() != "disabled"
    ]
    for target in targets:
        endpoints = endpoints_of(azure, target)
        if not endpoints:
            problems.append(f"{target.name} has no endpoint")
        for subnet in {endpoint.properties["subnet"]["id"].lower() for endpoint in endpoints}:
            there = [endpoint for endpoint in endpoints if endpoint.properties["subnet"]["id"].lower() == subnet]
            found: list[list[str]] = [endpoint_problems(azure, endpoint) for endpoint in there]
            if all(found):  # a second endpoint beside a working one does no harm
                problems += found[0]
    return problems


def endpoints_of(azure: SimulatedAzure, target: Resource) -> list[Resource]:
    return [
        endpoint
        for endpoint in azure.world.of_type("Microsoft.Network/privateEndpoints")
        if any(str(c["properties"]["privateLinkServiceId"]).lower() == target.key for c in connections(endpoint))
    ]


def connections(endpoint: Resource) -> list[Any]:
    properties = endpoint.properties
    return [
        *properties.get("privateLinkServiceConnections", []),
        *properties.get("manualPrivateLinkServiceConnections", []),
    ]


def endpoint_problems(azure: SimulatedAzure, endpoint: Resource) -> list[str]:
    problems = []
    if endpoint.properties["provisioningState"] != "Succeeded":
        problems.append(f"{endpoint.name} is {endpoint.properties['provisioningState']}")
    for connection in connections(endpoint):
        status = connection["properties"]["privateLinkServiceConnectionState"]["status"]
        if status != "Approved":
            problems.append(f"{endpoint.name} is {status}")
    names = 0
    for reference in endpoint.properties["networkInterfaces"]:
        interface = azure.world.get(reference["id"])
        if interface is None:
            problems.append(f"{endpoint.name} has no network interface")
            continue
        for configuration in interface.properties["ipConfigurations"]:
            address = configuration["properties"]["privateIPAddress"]
            for fqdn in configuration["properties"]["privateLinkConnectionProperties"]["fqdns"]:
                names += 1
                if resolve(azure, fqdn, endpoint) != [address]:
                    problems.append(f"{fqdn} does not resolve to {address}")
    if not names:
        problems.append(f"{endpoint.name} has no names")
    return problems


def resolve(azure: SimulatedAzure, fqdn: str, endpoint: Resource) -> list[str]:
    """Addresses that the endpoint's network gets for *fqdn* from the private zones linked to it."""
    network = str(endpoint.properties["subnet"]["id"]).lower().rsplit("/subnets/", 1)[0]
    found = []
    for zone in azure.world.of_type("Microsoft.Network/privateDnsZones"):
        suffix = "." + zone.name.removeprefix("privatelink.")
        links = azure.world.children(zone.id, "Microsoft.Network/privateDnsZones/virtualNetworkLinks")
        if not fqdn.endswith(suffix) or all(
            str(link.properties["virtualNetwork"]["id"]).lower() != network for link in links
        ):
            continue
        record = azure.world.get(f"{zone.id}/A/{fqdn.removesuffix(suffix)}")
        if record is not None:
            found += [entry["ipv4Address"] for entry in record.properties["aRecords"]]
    return found
