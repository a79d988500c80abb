"""
Any state converges, and nothing is locked before it is verified.

Random worlds (half-made endpoints, wrong zones, stale records, foreign endpoints, resources that are private already),
random single faults at random calls, events doubled, late and out of order.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.event_grid import Disturb, Disturbance
from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from local.simulator.wire import Request, Response
from local.simulator.world import Resource
from shared.core.arm import ResourceId
from shared.core.naming import endpoint_id
from shared.core.registry import TargetKind
from tests.scenarios.house import APP, House
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.verdict import endpoint_problems, endpoints_of, unisolated

DNS_API = "2020-06-01"
type Mutation = Callable[[House, Resource], None]


class WatchfulAzure(SimulatedAzure):
    """Notes every closing by the app that comes before all endpoints and names of the registry are right, and every opening."""

    def __init__(self, **members: Any) -> None:
        super().__init__(**members)
        self.premature: list[str] = []

    def handle(self, request: Request, now: datetime) -> Response:
        if request.method in {"PUT", "PATCH"} and self._is_app(request) and _sets(request) == "enabled":
            self.premature.append(f"{request.path} opened")
        if request.method in {"PUT", "PATCH"} and b'"Disabled"' in request.body and self._is_app(request):
            body = json.loads(request.body)
            if body.get("properties", {}).get("publicNetworkAccess") == "Disabled":
                self.advance(now)
                self.premature += self._unready(request.path)
        return super().handle(request, now)

    def _is_app(self, request: Request) -> bool:
        return self.rbac.caller(request.header("Authorization") or "", self.world.now).id == APP

    def _unready(self, path: str) -> list[str]:
        problems = []
        for registry in self.world.of_type("Microsoft.MachineLearningServices/registries"):
            for target in (registry, *scenery.parts_of(self, registry)):
                endpoints = endpoints_of(self, target)
                healthy = [endpoint for endpoint in endpoints if not endpoint_problems(self, endpoint)]
                if not healthy:
                    problems.append(f"{path} closed while {target.name} has no working endpoint")
        return problems


def _sets(request: Request) -> str:
    """The public access that a write asks for, lower case; "" if it asks for none."""
    body = json.loads(request.body) if request.body else {}
    return str((body.get("properties") or {}).get("publicNetworkAccess", "")).lower()


# --- states that the app may find -------------------------------------------------------------------------------------


def _target(house: House, registry: Resource, kind: TargetKind) -> Resource:
    parts = scenery.parts_of(house.azure, registry)
    return {TargetKind.REGISTRY: registry, TargetKind.STORAGE: parts[0], TargetKind.ACR: parts[-1]}[kind]


GROUPS = {TargetKind.REGISTRY: "amlregistry", TargetKind.STORAGE: "blob", TargetKind.ACR: "registry"}


def _own_name(house: House, registry: Resource, kind: TargetKind) -> str:
    target = ResourceId.parse(_target(house, registry, kind).id)
    group, subnet = ResourceId.parse(house.scene.network_group), ResourceId.parse(house.scene.subnet)
    return endpoint_id(group, ResourceId.parse(registry.id), kind, target, GROUPS[kind], subnet).text


def _put_endpoint(
    house: House, registry: Resource, kind: TargetKind, endpoint: str, *, manual: bool = False
) -> Resource:
    connection = {
        "name": "connection",
        "properties": {"privateLinkServiceId": _target(house, registry, kind).id, "groupIds": [GROUPS[kind]]},
    }
    lists = {"manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections": [connection]}
    body = {"location": "westeurope", "properties": {"subnet": {"id": house.scene.subnet}, **lists}}
    scenery.send(house.azure, "PUT", endpoint, body, api_version=scenery.NETWORK_API)
    scenery.rest(house.azure)
    found = house.azure.world.get(endpoint)
    assert found is not None
    return found


def _zone(house: House, name: str, *, link: bool, group: str = "") -> str:
    zone = f"{group or house.scene.dns_group}/providers/Microsoft.Network/privateDnsZones/{name}"
    scenery.send(house.azure, "PUT", zone, {"location": "global"}, api_version=DNS_API)
    scenery.rest(house.azure)
    if link:
        body = {
            "location": "global",
            "properties": {"virtualNetwork": {"id": house.scene.virtual_network}, "registrationEnabled": False},
        }
        scenery.send(house.azure, "PUT", f"{zone}/virtualNetworkLinks/by-hand", body, api_version=DNS_API)
        scenery.rest(house.azure)
    return zone


def foreign_endpoint(kind: TargetKind) -> Mutation:
    def mutate(house: House, registry: Resource) -> None:
        name = f"{house.scene.network_group}/providers/Microsoft.Network/privateEndpoints/by-hand-{kind.value}"
        _put_endpoint(house, registry, kind, name)

    return mutate


def own_endpoint(kind: TargetKind) -> Mutation:
    def mutate(house: House, registry: Resource) -> None:
        _put_endpoint(house, registry, kind, _own_name(house, registry, kind))

    return mutate


def refused_endpoint(kind: TargetKind, status: str) -> Mutation:
    def mutate(house: House, registry: Resource) -> None:
        endpoint = _put_endpoint(house, registry, kind, _own_name(house, registry, kind))
        house.azure.links.state_changed(_target(house, registry, kind).id, endpoint.id, status, "by hand")

    return mutate


def failed_endpoint(kind: TargetKind) -> Mutation:
    def mutate(house: House, registry: Resource) -> None:
        path = _own_name(house, registry, kind).rsplit("/", 1)[1]
        house.azure.faults.add(
            Fault(kind=FaultKind.FAIL_OPERATION, method="PUT", path=path, code="InternalServerError")
        )
        _put_endpoint(house, registry, kind, _own_name(house, registry, kind))

    return mutate


def zone_there(group: str, *, link: bool) -> Mutation:
    def mutate(house: House, registry: Resource) -> None:
        _zone(house, house.cloud.zones[group][0], link=link)

    return mutate


def wrong_zone(kind: TargetKind) -> Mutation:
    """Our endpoint carries a zone group that serves a zone of the right name in the wrong place."""

    def mutate(house: House, registry: Resource) -> None:
        endpoint = _put_endpoint(house, registry, kind, _own_name(house, registry, kind))
        zone = _zone(house, house.cloud.zones[GROUPS[kind]][0], link=False, group=house.scene.network_group)
        body = {"properties": {"privateDnsZoneConfigs": [{"name": "wrong", "properties": {"privateDnsZoneId": zone}}]}}
        path = f"{endpoint.id}/privateDnsZoneGroups/default"
        scenery.send(house.azure, "PUT", path, body, api_version=scenery.NETWORK_API)
        scenery.rest(house.azure)

    return mutate


def closed(kind: TargetKind) -> Mutation:
    def mutate(house: House, registry: Resource) -> None:
        _target(house, registry, kind).properties["publicNetworkAccess"] = "Disabled"

    return mutate


KINDS = list(TargetKind)
MUTATIONS: dict[str, Mutation] = {
    **{f"foreign endpoint of {kind}": foreign_endpoint(kind) for kind in KINDS},
    **{f"own endpoint of {kind}": own_endpoint(kind) for kind in KINDS},
    **{f"rejected endpoint of {kind}": refused_endpoint(kind, "Rejected") for kind in KINDS},
    **{f"disconnected endpoint of {kind}": refused_endpoint(kind, "Disconnected") for kind in KINDS},
    **{f"failed endpoint of {kind}": failed_endpoint(kind) for kind in KINDS},
    **{f"unlinked zone of {group}": zone_there(group, link=False) for group in GROUPS.values()},
    **{f"linked zone of {group}": zone_there(group, link=True) for group in GROUPS.values()},
    **{f"wrong zone of {kind}": wrong_zone(kind) for kind in KINDS},
    **{f"{kind} closed already": closed(kind) for kind in KINDS},
}


async def converge(house: House, registry: Resource) -> None:
    """Ask once, let the app run, and hold it to its promises."""
    async with house:
        await house.ask(registry)

        row = await house.row(registry)
        assert await house.settle(registry) == "converged", row
        assert unisolated(house.azure, registry.id) == []
        assert house.azure.premature == []  # type: ignore[attr-defined]
        assert house.trigger.failures == []
        before = len(house.azure.log)
        await house.ask(registry)
        assert await house.settle(registry) == "converged"
        assert house.writes(before) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_state_that_may_be_found_converges(name: str) -> None:
    house = House(azure_type=WatchfulAzure)
    registry = scenery.create_registry(house.azure, "contoso")
    MUTATIONS[name](house, registry)
    house.azure.log.clear()

    tell(converge(house, registry))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    names=st.lists(st.sampled_from(sorted(MUTATIONS)), max_size=4, unique=True),
    regions=st.sampled_from([("westeurope",), ("westeurope", "northeurope")]),
    propagates=st.booleans(),
)
def test_any_state_converges_and_the_next_pass_writes_nothing(
    names: list[str],
    regions: tuple[str, ...],
    propagates: bool,  # noqa: FBT001 -- drawn by hypothesis
) -> None:
    house = House(azure_type=WatchfulAzure, options=Options(public_access_propagates=propagates))
    registry = scenery.create_registry(house.azure, "contoso", regions)
    for name in names:
        MUTATIONS[name](house, registry)

    tell(converge(house, registry))


FAULTS = st.builds(
    Fault,
    kind=st.sampled_from(
        [FaultKind.RESPOND, FaultKind.RESET, FaultKind.LOSE_RESPONSE, FaultKind.FAIL_OPERATION, FaultKind.STALE_READ]
    ),
    method=st.sampled_from(["", "GET", "PUT", "PATCH"]),
    path=st.sampled_from(
        ["", "registries/contoso", "privateEndpoints", "privateDnsZones", "storageAccounts", "ContainerRegistry", "A/"]
    ),
    times=st.integers(1, 2),
    skip=st.integers(0, 30),
    status=st.sampled_from([429, 500, 503]),
    code=st.sampled_from(["InternalServerError", "TooManyRequests", "RetryableError"]),
)
DISTURBANCES = st.builds(
    Disturb,
    kind=st.sampled_from([Disturbance.DUPLICATE, Disturbance.DELAY, Disturbance.REORDER]),
    probability=st.just(0.5),
    span=st.just(timedelta(seconds=90)),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    faults=st.lists(FAULTS, min_size=1, max_size=3),
    disturbances=st.lists(DISTURBANCES, max_size=2),
    seed=st.integers(0, 99),
)
def test_faults_of_single_calls_never_lock_early_and_never_keep_a_registry_open(
    faults: list[Fault], disturbances: list[Disturb], seed: int
) -> None:
    async def story() -> None:
        async with House(azure_type=WatchfulAzure, seed=seed) as house:
            registry = await create(house)
            for fault in faults:
                house.azure.faults.add(fault)
            for disturbance in disturbances:
                house.azure.events.disturb(disturbance)

            assert await house.settle(registry) == "converged", await house.row(registry)
            assert unisolated(house.azure, registry) == []
            assert house.azure.premature == []  # type: ignore[attr-defined]
            assert len(house.endpoints()) == 3

    tell(story())
