"""A plan played through where somebody else answers for the names: nothing is invented that the app would not see."""

from shared.core.forecast import Forecast, forecast
from shared.core.lockdown import Memory
from shared.core.policy import IsolationPolicy
from shared.core.registry import EndpointConnection, Registry
from shared.core.rehearsal import rehearse
from tests.core.worlds import (
    NOW,
    ZONES,
    a_network,
    a_policy,
    a_registry,
    an_endpoint,
    group_id,
    only,
    plan_for,
    want,
    with_endpoint,
)

ELSEWHERE = a_policy(a_network(zones=""), targets=only("acr"))
"""DNS is managed by somebody else, and nothing but the container registry needs an endpoint."""


def foreseen(registry: Registry, policy: IsolationPolicy) -> Forecast:
    return forecast(registry, policy, ZONES, Memory(now=NOW))


def test_records_that_somebody_else_writes_are_foreseen_in_their_report_and_in_no_zone_of_ours() -> None:
    registry = with_endpoint(
        a_registry(ELSEWHERE), wish := want(a_registry(ELSEWHERE), ELSEWHERE, "acr"), an_endpoint(wish)
    )

    after = rehearse(registry, plan_for(registry, ELSEWHERE), ELSEWHERE, ZONES).network("hub")

    (group,) = [after.zone_groups[wish.id.key]]
    assert group is not None
    assert "acralpha.azurecr.io" in group.records
    assert after.zones == {}


def test_an_endpoint_that_leads_to_something_else_changes_nothing_of_what_is_foreseen() -> None:
    registry = a_registry(ELSEWHERE)
    stranger = an_endpoint(
        want(registry, ELSEWHERE, "acr"),
        name="pe-vault",
        connections=(
            EndpointConnection(
                target=group_id("rg-others").resource("Microsoft.KeyVault/vaults", "kv"),
                groups=("vault",),
                status=an_endpoint(want(registry, ELSEWHERE, "acr")).connections[0].status,
            ),
        ),
    )
    crowded = with_endpoint(registry, want(registry, ELSEWHERE, "acr"), stranger)

    after = rehearse(crowded, plan_for(crowded, ELSEWHERE), ELSEWHERE, ZONES).network("hub")

    assert foreseen(crowded, ELSEWHERE).digest == foreseen(registry, ELSEWHERE).digest
    assert stranger in after.endpoints
    assert after.zone_groups.get(stranger.id.key) is None
