"""What is said of each thing that was looked at, and the command that comes with it."""

import shlex

import pytest

from shared.core.arm import ResourceId
from shared.core.denials import EVERYONE, DenyAssignment
from shared.core.diagnosis import (
    NOBODY,
    Diagnosis,
    EventRoute,
    Verdict,
    grant,
    of_denials,
    of_provider,
    of_routes,
    of_subnet,
    of_zone,
    worst,
    zone_names,
)
from shared.core.registry import Subnet, Zone, ZoneLink
from shared.core.rights import Role
from tests.core.test_rights import NETWORK, SUB, policy

SUBSCRIPTION = SUB.rpartition("/")[2]
(HUB,) = policy().networks
ZONE = ResourceId.parse(f"{SUB}/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io")
LINK = ZoneLink(id=ZONE.child("virtualNetworkLinks", "l"), network=HUB.vnet_id, state="Completed")
APP = f"{SUB}/resourceGroups/app/providers/Microsoft.Web/sites/app"
ALPHA = ResourceId.parse(f"{SUB}/resourceGroups/ml/providers/Microsoft.MachineLearningServices/registries/alpha")
GROUP = ResourceId.parse(f"{SUB}/resourceGroups/azureml-rg-alpha")
DENIAL = DenyAssignment(name="d", scope=GROUP.text, permissions=((("*/write",), ()),), principals=(EVERYONE,))


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("Registered", Verdict.OK),
        ("registered", Verdict.OK),
        ("Registering", Verdict.WARN),
        ("NotRegistered", Verdict.FAIL),
        ("", Verdict.FAIL),
    ],
)
def test_a_provider_is_registered_or_not(state: str, verdict: Verdict) -> None:
    found = of_provider(SUBSCRIPTION, "Microsoft.Network", state)

    assert found.verdict is verdict
    assert ("az provider register" in found.fix) is (verdict is Verdict.FAIL)


@pytest.mark.parametrize(
    ("free", "delegation", "verdict"),
    [
        (251, "", Verdict.OK),
        (None, "", Verdict.OK),
        (16, "", Verdict.OK),
        (15, "", Verdict.WARN),
        (4, "", Verdict.WARN),
        (3, "", Verdict.FAIL),
        (251, "Microsoft.Web/serverFarms", Verdict.FAIL),
    ],
)
def test_a_subnet_takes_endpoints_or_does_not(free: int | None, delegation: str, verdict: Verdict) -> None:
    subnet = Subnet(id=HUB.subnet, location="westeurope", delegation=delegation, free_addresses=free)

    found = of_subnet(HUB, subnet)

    assert found.verdict is verdict
    assert bool(found.fix) is (verdict is not Verdict.OK)


@pytest.mark.parametrize("audit", [False, True])
def test_a_zone_that_the_app_makes_or_links_later_is_no_fault(audit: bool) -> None:  # noqa: FBT001
    later = Verdict.WARN if audit else Verdict.OK

    assert of_zone(HUB, Zone(id=ZONE, exists=True, links=(LINK,)), audit=audit).verdict is Verdict.OK
    assert of_zone(HUB, Zone(id=ZONE, exists=True, links=()), audit=audit).verdict is later
    assert of_zone(HUB, Zone(id=ZONE, exists=False), audit=audit).verdict is later


def test_a_zone_that_is_linked_to_another_network_is_not_linked_to_this_one() -> None:
    other = ZoneLink(id=LINK.id, network=ResourceId.parse(f"{HUB.vnet_id.text}-other"), state="Completed")

    found = of_zone(HUB, Zone(id=ZONE, exists=True, links=(other,)), audit=True)

    assert found.verdict is Verdict.WARN
    assert f"--virtual-network '{HUB.vnet_id.text}'" in found.fix


def test_a_network_whose_names_somebody_else_manages_needs_no_zone() -> None:
    foreign = policy(
        networks=[{"name": "hub", "subnet": f"{NETWORK}/virtualNetworks/v/subnets/s", "dns": {"manage": False}}]
    ).networks[0]

    assert zone_names(foreign, ["blob"], {"blob": ("privatelink.blob.x",)}) == ()
    assert [each.name for each in zone_names(HUB, ["blob", "dfs"], {"blob": ("privatelink.blob.x",)})] == [
        "privatelink.blob.x"
    ]


def test_a_deny_assignment_that_denies_something_else_is_no_fault() -> None:
    other = DenyAssignment(name="d", scope=GROUP.text, permissions=((("*/delete",), ()),), principals=(EVERYONE,))

    assert of_denials(ALPHA, GROUP, [], SUBSCRIPTION).verdict is Verdict.OK
    assert of_denials(ALPHA, GROUP, [other], SUBSCRIPTION).verdict is Verdict.OK
    assert of_denials(ALPHA, GROUP, [DENIAL], SUBSCRIPTION).verdict is Verdict.WARN
    assert of_denials(ALPHA, GROUP, [DENIAL], "").verdict is Verdict.WARN


def test_a_deny_assignment_comes_with_the_command_that_spares_the_app() -> None:
    words = shlex.split(of_denials(ALPHA, GROUP, [DENIAL], SUBSCRIPTION).fix, posix=True)
    url = f"{ALPHA.text}?api-version=2025-06-01"  # a read and a write that know the setting, or it would be lost

    assert words[:6] == ["az", "rest", "--method", "get", "--url", url]
    assert words[words.index("jq") + 1] == (
        f'.properties.managedResourceGroupSettings.assignedIdentities += [{{"principalId": "{SUBSCRIPTION}"}}]'
    )
    assert words[-8:] == ["az", "rest", "--method", "put", "--url", url, "--body", "@registry.json"]


def test_where_nobody_knows_the_app_the_command_names_it() -> None:
    words = shlex.split(of_denials(ALPHA, GROUP, [DENIAL], "").fix)

    assert words[:5] == ["az", "functionapp", "config", "appsettings", "set"]
    assert words[-1] == f"ISOLATION_PRINCIPAL_ID={NOBODY}"


@pytest.mark.parametrize(
    ("route", "app", "verdict"),
    [
        (EventRoute(name="r", target=f"{APP}/functions/registry_events", state="Succeeded"), APP, Verdict.OK),
        (EventRoute(name="r", target=f"{APP.upper()}/FUNCTIONS/x"), APP, Verdict.OK),
        (EventRoute(name="r", target=f"{APP}2/functions/registry_events"), APP, Verdict.WARN),
        (EventRoute(name="r"), APP, Verdict.WARN),
        (EventRoute(name="r"), "", Verdict.OK),
        (EventRoute(name="r", target=f"{APP}/functions/f", state="Failed"), APP, Verdict.FAIL),
    ],
)
def test_events_reach_the_app_or_do_not(route: EventRoute, app: str, verdict: Verdict) -> None:
    assert of_routes(SUBSCRIPTION, [route], app).verdict is verdict


def test_a_role_is_granted_to_somebody_even_if_nobody_knows_the_app() -> None:
    assert NOBODY in grant(Role.SHARING, SUB, "")
    assert f"--role 'Registry Isolation: sharing ({SUBSCRIPTION})'" in grant(Role.SHARING, SUB, "p")


@pytest.mark.parametrize(
    ("verdicts", "over_all"),
    [
        ([], Verdict.OK),
        ([Verdict.OK, Verdict.WARN], Verdict.WARN),
        ([Verdict.WARN, Verdict.UNKNOWN], Verdict.UNKNOWN),
        ([Verdict.UNKNOWN, Verdict.FAIL, Verdict.OK], Verdict.FAIL),
    ],
)
def test_the_worst_verdict_is_the_verdict(verdicts: list[Verdict], over_all: Verdict) -> None:
    assert worst(Diagnosis(check="x", verdict=each, sentence="") for each in verdicts) is over_all
