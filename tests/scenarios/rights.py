"""
Stories for the roles: each needs some rights, and tells what becomes of an installation that lacks one of them.

A story runs to its end with exactly the roles, or with the roles less what it is told to leave away. It gives the
outcome, everything that was said to a person on the way, and the rights that Azure asked the app for.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from local.simulator.wire import Request, Response
from local.sweep_house import SweepHouse
from shared.core.diagnosis import worst
from shared.core.report import Audited, BlockedOutcome, Converged, Gone
from tests.scenarios.doctor import doctor_of
from tests.scenarios.house import APP, House
from tests.scenarios.sharing import Neighbourhood
from tests.scenarios.test_egress import egress
from tests.scenarios.test_findings import add_deployment, add_workspace
from tests.scenarios.test_isolation import create
from tests.scenarios.test_refusals import ReticentAzure
from tests.scenarios.told import ToldHouse
from tests.scenarios.ways_out import add_group, add_policy

INFRA = Path(__file__).parents[2] / "infra"
HOUR = timedelta(hours=1)
_ENDS = (Audited, BlockedOutcome, Converged, Gone)


def role(name: str) -> tuple[str, ...]:
    """Actions and data actions of a role file; `""` is the basic role."""
    document = json.loads((INFRA / f"role{name and f'-{name}'}.json").read_text())
    return (*document["Actions"], *document["DataActions"])


ENFORCING = tuple(file.stem.removeprefix("role").removeprefix("-") for file in sorted(INFRA.glob("role*.json")))
ENFORCING = tuple(name for name in ENFORCING if name != "audit")
"""The roles that an app with `mode: enforce` may have."""
GRANTED = frozenset(action for name in ENFORCING for action in role(name))
SPELLED = {
    "Microsoft.MachineLearningServices/locations/*/read": (
        "Microsoft.MachineLearningServices/locations/registryOperationsStatus/read"
    )
}
"""The one right with a wildcard, and what it is for: Azure takes no role that names it (tests/infra/test_roles.py)."""


def spelled(actions: Iterable[str]) -> frozenset[str]:
    """Rights as Azure asks for them."""
    return frozenset(SPELLED.get(action, action) for action in actions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """
    How a story ended.

    Attributes:
        outcome: Kind of the registry's outcome.
        reasons: Why it ended so, in lower case.
        said: These, findings, history and log.
        demanded: Rights that Azure asked the app for, in the service's casing.
        refused: Requests of the app that Azure refused.
    """

    outcome: str
    said: str
    demanded: frozenset[str]
    refused: tuple[str, ...]
    reasons: str = ""


type Story = Callable[[tuple[str, ...]], Awaitable[Told]]


def grant(house: House, actions: tuple[str, ...], missing: tuple[str, ...] = ()) -> None:
    """Give the app exactly *actions*, less *missing*, and nothing else."""
    house.azure.rbac.principal(APP).assignments.clear()
    data = tuple(action for action in actions if action in role("outcomes"))
    house.azure.rbac.principal(
        APP,
        actions=[action for action in actions if action not in {*data, *missing}],
        data_actions=[action for action in data if action not in missing],
    )


@contextmanager
def _log() -> Iterator[list[str]]:
    """What the app logs meanwhile."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, listener = logging.getLogger("registry_isolation"), Listener()
    logger.addHandler(listener)
    try:
        yield lines
    finally:
        logger.removeHandler(listener)


def ended(house: House, registry: str, *, busy: bool) -> Callable[[], Awaitable[bool]]:
    """Holds once the work on a registry has come to an end, good or bad; unless *busy*, nothing may be planned either."""

    async def has_ended() -> bool:
        row = await house.row(registry)
        return row is not None and isinstance(row.outcome, _ENDS) and (busy or not len(house.queue))

    return has_ended


async def run(
    house: House,
    missing: tuple[str, ...],
    *,
    after: Callable[[House, str], Awaitable[None]] | None = None,
    actions: tuple[str, ...] = tuple(GRANTED),
    grant_all: Callable[[], None] | None = None,
) -> Told:
    """
    Tell the story of a registry made in *house*.

    Args:
        missing: Rights that are left away, from the moment on at which *after* begins, if there is one.
        after: What happens once the registry is isolated.
        grant_all: Gives the app its rights, in the place of *actions*.
    """
    if grant_all:
        grant_all()
    else:
        grant(house, actions, () if after else missing)
    with _log() as log:
        async with house:
            registry = await create(house)
            assert await house.live(ended(house, registry, busy=after is None), HOUR)
            if after:
                grant(house, actions, missing)
                await after(house, registry)
                assert await house.live(ended(house, registry, busy=False), 3 * HOUR)
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert row.outcome is not None
            reasons = [reason.sentence for reason in row.report.reasons]
            findings = [finding.sentence for finding in row.report.findings]
            history = [f"{entry.sentence} {entry.result}" for entry in await house.told(registry)]
            said = "\n".join([*reasons, *findings, *history, *log]).lower()
            return Told(
                outcome=row.outcome.kind,
                reasons=" ".join(reasons).lower(),
                said=said,
                demanded=demanded(house),
                refused=refused(house),
            )


def demanded(house: House, since: int = 0) -> frozenset[str]:
    return frozenset(action for call in house.azure.log[since:] if call.principal == APP for action in call.demands)


def refused(house: House, since: int = 0) -> tuple[str, ...]:
    calls = [call for call in house.azure.log[since:] if call.principal == APP and call.status in {401, 403}]
    return tuple(f"{call.method} {call.url}" for call in calls)


# --- stories ----------------------------------------------------------------------------------------------------------


async def everyday(missing: tuple[str, ...]) -> Told:
    return await run(House(), missing)


async def closing_alone(missing: tuple[str, ...]) -> Told:
    """Azure does not close the parts after their registry, so the app has to."""
    return await run(House(options=Options(public_access_propagates=False)), missing)


async def denied(missing: tuple[str, ...]) -> Told:
    """The parts have to be closed by the app, which a deny assignment keeps from doing so."""
    return await run(House(options=Options(public_access_propagates=False, deny_managed_groups=True)), missing)


async def sharing(missing: tuple[str, ...]) -> Told:
    house = House()
    near = Neighbourhood(house)
    near.share(near.workspace(near.account()))
    return await run(house, missing)


class AnonymousAzure(SimulatedAzure):
    """An Azure whose registries have no identity, which would tell the tenant."""

    def handle(self, request: Request, now: datetime) -> Response:
        answer = super().handle(request, now)
        path = request.path.lower()
        if (
            request.method != "GET"
            or answer.status != 200
            or "/microsoft.machinelearningservices/registries/" not in path
        ):
            return answer
        body = json.loads(answer.body)
        body.pop("identity", None)
        return Response(answer.status, answer.headers, json.dumps(body).encode())


async def sharing_without_identity(missing: tuple[str, ...]) -> Told:
    house = House(azure_type=AnonymousAzure)
    near = Neighbourhood(house)
    near.share(near.workspace(near.account()))
    return await run(house, missing)


async def deployments(missing: tuple[str, ...]) -> Told:
    house = House()
    workspace = add_workspace(house, house.scene.subnet)
    add_deployment(house, workspace, "open", endpointComputeType="Managed")
    return await run(house, missing)


async def letting_out(missing: tuple[str, ...]) -> Told:
    house = House()
    egress(house, add_group(house), service_endpoint_policy=add_policy(house))
    return await run(house, missing)


async def reticent(missing: tuple[str, ...]) -> Told:
    """A registry that does not tell its managed resource group."""
    return await run(House(azure_type=ReticentAzure), missing)


def _failing(method: str, path: str, times: int = 1) -> House:
    house = House()
    failing = Fault(kind=FaultKind.FAIL_OPERATION, method=method, path=path, times=times, code="InternalServerError")
    house.azure.faults.add(failing)
    return house


async def broken_endpoint(missing: tuple[str, ...]) -> Told:
    """An endpoint whose creation fails twice is made anew."""
    return await run(_failing("PUT", "privateEndpoints/pe-contoso-acr-[^/]+$", times=2), missing)


async def broken_zone(missing: tuple[str, ...]) -> Told:
    return await run(_failing("PUT", r"privateDnsZones/privatelink\.blob[^/]+$"), missing)


async def broken_closing(missing: tuple[str, ...]) -> Told:
    """The registry's own write fails."""
    return await run(House(), missing, after=_open_again)


async def _open_again(house: House, registry: str) -> None:
    found = house.azure.world.get(registry)
    assert found is not None
    found.properties["publicNetworkAccess"] = "Enabled"
    house.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, method="PUT", path="registries/contoso$"))
    await house.ask(registry)


class ForgetfulAzure(SimulatedAzure):
    """An Azure that loses the records of zone groups until one of them is deleted."""

    forgetful = False

    def handle(self, request: Request, now: datetime) -> Response:
        if request.method == "DELETE" and "/privatednszonegroups/" in request.path.lower():
            self.forgetful = False
        if self.forgetful:
            for record in list(self.world.of_type("Microsoft.Network/privateDnsZones/A")):
                self.world.delete(record.id)
        return super().handle(request, now)


async def lost_records(missing: tuple[str, ...]) -> Told:
    """Records that stay away although their zone group was put again."""
    return await run(House(azure_type=ForgetfulAzure), missing, after=_forget)


async def _forget(house: House, registry: str) -> None:
    assert isinstance(house.azure, ForgetfulAzure)
    house.azure.forgetful = True
    await house.ask(registry)


async def deletion(missing: tuple[str, ...]) -> Told:
    return await run(House(), missing, after=_delete)


async def _delete(house: House, registry: str) -> None:
    scenery.send(house.azure, "DELETE", registry, api_version=scenery.REGISTRY_API)
    await house.live(house.after(timedelta(minutes=5)))


async def telling(missing: tuple[str, ...]) -> Told:
    """An app with an outcome topic."""
    house = ToldHouse()
    grant(house, tuple(GRANTED), missing)
    with _log() as log:
        async with house:
            registry = await create(house)
            outcome = await house.settle(registry)
            await house.live(house.after(timedelta(minutes=10)))
            assert bool(house.told_of(registry)) is not bool(missing)
            return Told(outcome=outcome, said="\n".join(log).lower(), demanded=demanded(house), refused=refused(house))


async def sweeping(missing: tuple[str, ...]) -> Told:
    house = SweepHouse(1)
    async with house:
        grant(house, tuple(GRANTED), missing)
        swept = await house.sweep()
        assert swept.seen == (0 if missing else 1)
        said = " ".join(swept.notes).lower()
        return Told(outcome=swept.state, said=said, demanded=demanded(house), refused=refused(house))


async def examining(missing: tuple[str, ...]) -> Told:
    """The doctor looks around."""
    house = House()
    grant(house, tuple(GRANTED), missing)
    async with house:
        found = await doctor_of(house).examine()
        said = "\n".join(each.sentence for each in found).lower()
        return Told(outcome=worst(found), said=said, demanded=demanded(house), refused=refused(house))


STORIES: tuple[Story, ...] = (
    everyday,
    closing_alone,
    denied,
    sharing,
    sharing_without_identity,
    deployments,
    letting_out,
    reticent,
    broken_endpoint,
    broken_zone,
    broken_closing,
    lost_records,
    deletion,
    telling,
    sweeping,
    examining,
)
