from dataclasses import replace

import pytest

from shared.core.names import foreign_zone_groups, zone_findings, zone_ids, zone_names
from shared.core.registry import Registry, ZoneGroup
from shared.core.report import Severity
from tests.core.worlds import (
    ZONES,
    a_network,
    a_policy,
    a_registry,
    a_zone_group,
    an_endpoint,
    only,
    want,
    with_endpoint,
    with_zone_group,
    zone_id,
)

BLOB_ZONE = "privatelink.blob.core.windows.net"
POLICY = a_policy(targets=only("storage"))
STORAGE = want(a_registry(POLICY), POLICY, "storage")


def requiring(**zones: tuple[str, ...]) -> Registry:
    return replace(a_registry(POLICY), required_zones=zones)


def test_zones_are_those_the_target_asks_for() -> None:
    assert zone_names("blob", requiring(blob=("privatelink.Blob.core.example.net",)), ZONES) == (
        "privatelink.blob.core.example.net",
    )


@pytest.mark.parametrize("asked", [(), ("https://example.com/x",), ("blob.core.windows.net",)])
def test_zones_are_the_clouds_where_the_target_asks_for_none_that_can_be(asked: tuple[str, ...]) -> None:
    assert zone_names("blob", requiring(blob=asked), ZONES) == (BLOB_ZONE,)


def test_an_unknown_group_has_no_zones() -> None:
    assert zone_names("vault", requiring(), ZONES) == ()


def test_zones_that_nobody_expected_are_found_and_both_are_named() -> None:
    registry = requiring(blob=("privatelink.other.net",), amlregistry=("privatelink.API.azureml.ms",), vault=("x",))

    (finding,) = zone_findings(registry, ZONES)

    assert (finding.code, finding.severity, finding.resource) == (
        "dns-zone-unexpected",
        Severity.WARNING,
        registry.id,
    )
    assert finding.sentence == (
        f"Azure asks for zone privatelink.other.net for group blob, where {BLOB_ZONE} was expected."
    )


def test_zones_live_where_the_policy_says_or_nowhere() -> None:
    elsewhere = a_policy(a_network(zones=""), targets=only("storage"))

    assert zone_ids(POLICY.networks[0], [BLOB_ZONE]) == {BLOB_ZONE: zone_id(BLOB_ZONE)}
    assert zone_ids(elsewhere.networks[0], [BLOB_ZONE]) == {}


def test_a_zone_group_is_foreign_when_it_serves_other_zones_and_none_of_ours() -> None:
    ours, theirs = a_zone_group(STORAGE), a_zone_group(STORAGE, home="rg-central")
    both = replace(ours, zones={**ours.zones, "theirs": zone_id(BLOB_ZONE, "rg-central")})
    groups: list[ZoneGroup | None] = [ours, theirs, both, replace(ours, zones={}), None]
    endpoints = [an_endpoint(STORAGE, name=f"pe-{number}") for number in range(len(groups) + 1)]
    registry = a_registry(POLICY)
    for endpoint in endpoints:
        registry = with_endpoint(registry, STORAGE, endpoint)
    for endpoint, group in zip(endpoints, groups, strict=False):
        registry = with_zone_group(registry, STORAGE, group, endpoint.id.key)

    assert foreign_zone_groups(registry.network("hub"), [zone_id(BLOB_ZONE)]) == {endpoints[1].id}
