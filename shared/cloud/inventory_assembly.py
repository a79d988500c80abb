"""
Put one registry together from the rows of its page, as the engine's observation would give it.

The planner must come to the same verdict either way, so the same rules hold: exempt targets are left out, only endpoints
in the policy's groups count, zones are where the policy says. Where a member is missing that the verdict hangs on, the
registry is doubtful instead of open or closed.

    not in Resource Graph                     instead
    the subnet, its free addresses            taken for usable; only missing endpoints ask for it
    zone groups of endpoints                  none; where somebody else manages DNS, the records themselves
    zone names that the targets ask for       the cloud's table
    deny assignments, replications            nothing; a registry that needs them is looked at anyway
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from shared.cloud.documents import Document, text
from shared.cloud.inventory_rows import Endpoints, Parts, Zones
from shared.cloud.inventory_surroundings import Surroundings
from shared.core import discovery, dns
from shared.core.arm import ResourceId
from shared.core.cleanup import cut_off, made_for, targets_of
from shared.core.endpoints import WantedEndpoint, candidates, status_towards, wanted_endpoints
from shared.core.lockdown import asks_closing
from shared.core.names import zone_ids, zone_names
from shared.core.planner import serving_networks
from shared.core.policy import IsolationPolicy, Network
from shared.core.registry import (
    ConnectionStatus,
    NetworkView,
    PrivateEndpoint,
    Registry,
    RegistryDocument,
    Subnet,
    Target,
    ZoneGroup,
)
from shared.engine.sweep_ports import Inventoried

_MOST_DOUBTS = 3
"""Doubts that a person is told of one registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRows:
    """What the rows of one page say; *foreign* are records of zones that somebody else manages."""

    parts: Parts
    endpoints: Endpoints
    zones: Zones
    foreign: Zones
    surroundings: Surroundings


class Assembler:
    """
    Puts registries together.

    Args:
        zone_table: Group id to zone names of the cloud.
        today: The day for which exemptions are asked.
    """

    def __init__(
        self, policy: IsolationPolicy, zone_table: Mapping[str, tuple[str, ...]], rows: PageRows, today: date
    ) -> None:
        self._policy = policy
        self._table = zone_table
        self._rows = rows
        self._today = today

    def assemble(self, identifier: ResourceId, row: Document, document: RegistryDocument) -> Inventoried:
        """The registry in *row*, which is *document* already, or the doubt about it."""
        group = document.managed_group
        doubts = [*self._doubts_of_document(document)]
        if group is None or doubts:
            return _doubtful(identifier, doubts)
        exempt = self._policy.exempt_targets(identifier, on=self._today)
        bare = Registry(document=document, managed_group=group, targets=(), networks=())
        networks = serving_networks(bare, self._policy)
        everything = (document.target, *self._parts(document))
        targets = tuple(target for target in everything if target.kind not in exempt)
        listed = tuple(self._rows.parts.by_group.get(group, ()))
        registry = replace(bare, targets=targets, unlisted=discovery.disagreements(document, listed))
        registry = replace(registry, networks=tuple(self._view(registry, network) for network in networks))
        doubts += self._doubts_of_access(registry, row)
        for network in networks:
            registry, found = self._with_foreign_names(registry, network)
            doubts += [*found, *self._doubts_of_addresses(registry, network)]
        if doubts:
            return _doubtful(identifier, doubts)
        tenant = document.tenant or text(row, "tenantId")
        return Inventoried(
            id=identifier,
            registry=replace(
                registry,
                left_over=self._left_over(registry),
                sharing=self._rows.surroundings.sharing(self._policy, identifier, tenant),
                ways_out=self._rows.surroundings.ways_out(self._policy, identifier),
            ),
        )

    # --- what cannot be decided ---------------------------------------------------------------------------------------

    def _doubts_of_document(self, document: RegistryDocument) -> Iterator[str]:
        if document.managed_group is None:
            yield "Resource Graph does not show the registry's managed resource group."
        if not document.complete:
            yield "Resource Graph does not show the storage and container registry of every region."
        for part in (*discovery.storage_accounts(document), *discovery.container_registries(document)):
            if part not in self._rows.parts.by_id:
                yield f"The registry names {part.name}, which Resource Graph does not show."

    def _doubts_of_access(self, registry: Registry, row: Document) -> Iterator[str]:
        """An absent `publicNetworkAccess` means enabled in an answer of the service itself; here it may mean anything."""
        for target in registry.targets:
            part = self._rows.parts.by_id.get(target.id)
            told = part.told if part else bool(text(row, "properties", "publicNetworkAccess"))
            if not told and asks_closing(target, self._policy):
                yield f"Resource Graph does not show the public access of {target.id.name}."

    def _doubts_of_addresses(self, registry: Registry, network: Network) -> Iterator[str]:
        view = registry.network(network.name)
        for wanted in wanted_endpoints(registry, self._policy, (network,)):
            for endpoint in _ready(wanted, view):
                if endpoint.addresses is None:
                    yield f"Resource Graph does not show the network interface of {endpoint.id.name}."

    # --- what can -----------------------------------------------------------------------------------------------------

    def _parts(self, document: RegistryDocument) -> Iterator[Target]:
        for part in (*discovery.storage_accounts(document), *discovery.container_registries(document)):
            yield self._rows.parts.by_id[part].target

    def _view(self, registry: Registry, network: Network) -> NetworkView:
        held = (self._rows.endpoints.by_target.get(target.id, {}) for target in registry.targets)
        touching = {endpoint.id: endpoint for found in held for endpoint in found.values()}
        wanted = wanted_endpoints(registry, self._policy, (network,))
        names = {name for want in wanted for name in zone_names(want.group, registry, self._table)}
        links = network.dns.manage and network.dns.link_vnet
        return NetworkView(
            name=network.name,
            endpoints=tuple(
                endpoint for _, endpoint in sorted(touching.items()) if endpoint.id.group == network.endpoints_group
            ),
            subnet=Subnet(id=network.subnet, location=""),
            zones={name: self._rows.zones.zone(zone, links=links) for name, zone in zone_ids(network, names).items()},
        )

    def _with_foreign_names(self, registry: Registry, network: Network) -> tuple[Registry, list[str]]:
        """
        *registry* with the records of endpoints whose DNS somebody else manages, and doubts about those without any.

        An observation reads them from the zone group, which is not in Resource Graph; the records themselves are.
        """
        if network.dns.zones_resource_group is not None:
            return registry, []
        view, doubts = registry.network(network.name), list[str]()
        reported: dict[str, dict[str, tuple[str, ...]]] = {}
        for wanted in wanted_endpoints(registry, self._policy, (network,)):
            for endpoint in _ready(wanted, view)[:1]:
                expected, _ = dns.expected_records(endpoint, zone_names(wanted.group, registry, self._table))
                wrong = [each.fqdn for each in expected if not self._resolves(each)]
                doubts += [f"Resource Graph shows no record of {fqdn} for {endpoint.id.name}." for fqdn in wrong]
                records = reported.setdefault(endpoint.id.key, {})  # one endpoint may serve several groups
                records.update({each.fqdn: tuple(sorted(each.addresses)) for each in expected})
        groups = {
            key: ZoneGroup(name="", state="Succeeded", zones={}, records=records) for key, records in reported.items()
        }
        views = tuple(
            replace(each, zone_groups=groups) if each.name == network.name else each for each in registry.networks
        )
        return replace(registry, networks=views), doubts

    def _resolves(self, expected: dns.ExpectedRecord) -> bool:
        return expected.addresses in self._rows.foreign.named(expected.zone, expected.name)

    def _left_over(self, registry: Registry) -> tuple[PrivateEndpoint, ...]:
        """Endpoints that the app made for the registry and that lead to parts which neither it nor the graph has any more."""
        document = registry.document
        own = {registry.id, *discovery.storage_accounts(document), *discovery.container_registries(document)}
        there = own | set(self._rows.parts.by_group.get(registry.managed_group, ()))
        held = self._rows.endpoints.by_target_group.get(registry.managed_group, {})
        return tuple(
            endpoint
            for _, endpoint in sorted(held.items())
            if made_for(endpoint, registry.id) and cut_off(endpoint) and not there & set(targets_of(endpoint))
        )


def _ready(wanted: WantedEndpoint, view: NetworkView) -> tuple[PrivateEndpoint, ...]:
    return tuple(
        endpoint
        for endpoint in candidates(wanted, view)
        if endpoint.state.lower() == "succeeded" and status_towards(endpoint, wanted) is ConnectionStatus.APPROVED
    )


def _doubtful(identifier: ResourceId, doubts: list[str]) -> Inventoried:
    told = " ".join(doubts[:_MOST_DOUBTS])
    more = len(doubts) - _MOST_DOUBTS
    return Inventoried(id=identifier, registry=None, doubt=f"{told} (and {more} more)" if more > 0 else told)
