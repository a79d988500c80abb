"""A dry run says why what it shows would be refused, and a rollback or a digest is refused where it must be."""

import pytest

from shared.core.errors import WorkUnderWay
from shared.core.registry import EndpointConnection
from shared.core.verification import Verification
from shared.engine.left_over import leading_nowhere
from shared.engine.records import Claim
from shared.engine.rollback import judge
from shared.engine.work import Work
from tests.core.worlds import a_policy, a_registry, an_endpoint, closed, group_id, plan_for, private, want
from tests.engine.desk import ALPHA, MINUTE, SECOND, Desk, a_retrier
from tests.engine.remediating import previewer_of, remediation_of
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time
POLICY = a_policy()


async def test_a_dry_run_of_a_plan_that_is_too_large_says_that_it_would_be_refused() -> None:
    desk = Desk(policy=a_policy(limits={"changes_per_registry": 1}))

    preview = await previewer_of(desk).preview(ALPHA)

    assert [reason.name for reason in preview.unsafe] == ["UnsafePlan"]
    assert "more than limits.changes_per_registry (1)" in preview.unsafe[0].sentence
    assert preview.unsafe[0].resource == ALPHA.text
    assert preview.digest
    assert desk.plane.started == []


async def test_a_dry_run_of_a_plan_that_may_run_names_no_danger() -> None:
    assert (await previewer_of(Desk()).preview(ALPHA)).unsafe == ()


async def test_a_digest_is_not_compared_while_a_pass_has_the_registry() -> None:
    desk = Desk()
    await desk.ask()
    await desk.remember(claim=Claim(holder="1.1@x", until=EPOCH + 19 * SECOND), pending=())
    remediation = remediation_of(desk)

    with pytest.raises(WorkUnderWay) as told:
        await remediation.remediate(ALPHA, caller="somebody", digest="d")

    assert told.value.retry_after == 19 * SECOND
    assert desk.plane.calls == []


@pytest.mark.parametrize(
    ("sections", "rolled_back"),
    [({}, True), ({"mode": "audit"}, False), ({"lockdown": {"rollback_on_failure": False}}, False)],
)
async def test_only_a_policy_that_enforces_and_says_so_opens_what_was_closed(
    sections: dict[str, object], *, rolled_back: bool
) -> None:
    desk = Desk(policy=a_policy(**sections))
    message = await desk.ask()
    registry = closed(private(a_registry(desk.policy), desk.policy))
    relied = tuple(want(registry, desk.policy, kind).id.key for kind in ("registry", "acr"))
    await desk.remember(verify=Verification(until=EPOCH, relied=relied))
    work = Work(desk.ledger, await desk.ledger.read(ALPHA), message, a_retrier(desk.clock), EPOCH)
    lost = closed(a_registry(desk.policy))  # every endpoint is gone

    assert judge(work, plan_for(lost, desk.policy), lost, desk.policy, EPOCH + MINUTE) is rolled_back

    assert (work.row.restoring is not None) is rolled_back
    assert work.row.verify is None


async def test_an_endpoint_that_leads_to_something_unknown_is_never_taken_for_one_that_leads_nowhere() -> None:
    desk = Desk()
    wish = want(a_registry(POLICY), POLICY, "acr")
    vault = EndpointConnection(
        target=group_id("rg-x").resource("Microsoft.KeyVault/vaults", "kv"),
        groups=("vault",),
        status=an_endpoint(wish).connections[0].status,
    )
    desk.plane.registry = None

    found = await leading_nowhere(
        desk.plane, [an_endpoint(wish, connections=(vault,))], gone=frozenset(), retrier=a_retrier(desk.clock)
    )

    assert found == ()
    assert desk.plane.calls == []
