"""`GET /api/health?deep=1`: the doctor's word on the wire."""

from dataclasses import dataclass

import pytest

from handlers.http_health import check_of
from shared.cloud.arm_client import ArmClient
from shared.core.diagnosis import Diagnosis, Verdict
from shared.core.policy import IsolationPolicy
from shared.engine.ports import ControlPlane
from tests.handlers.http_rig import Door
from tests.scenarios.house import APP, House, SimulatedCredential
from tests.scenarios.rights import GRANTED, grant
from tests.scenarios.test_isolation import tell

ENVIRON = {"ISOLATION_PRINCIPAL_ID": APP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the doctor takes of a reconciler's services."""

    plane: ControlPlane


def door(house: House) -> Door:
    """The HTTP door of the app of *house*, which must be open; its own storage is in memory."""
    arm = ArmClient(credential=SimulatedCredential(house.azure, APP), cloud=house.cloud, transport=house.transport)
    policy = IsolationPolicy.from_document(house.document)
    return Door(policy, ENVIRON, ledger=house.ledger, arm=arm, services=Services(plane=house.plane), account=None)


def test_a_deep_look_lists_everything_that_was_looked_at() -> None:
    async def story() -> None:
        async with House() as house:
            shallow = await door(house).get("/api/health")
            before = len(house.azure.log)
            deep = await door(house).get("/api/health?deep=1")

            assert before == len([call for call in house.azure.log[:before] if call.principal != APP])
            assert (shallow.status, len(shallow.body["checks"])) == (200, 3)
            assert (deep.status, deep.body["status"]) == (200, "ok")
            names = {check["name"] for check in deep.body["checks"]}
            assert {"settings", "state", "token", "permission", "provider", "subnet", "zone", "events"} <= names
            assert all(check["ok"] for check in deep.body["checks"])

    tell(story())


def test_a_deep_look_that_finds_a_fault_is_failing_and_says_what_to_run() -> None:
    async def story() -> None:
        house = House()
        grant(house, tuple(GRANTED), ("Microsoft.Network/privateEndpoints/write",))
        async with house:
            told = await door(house).get("/api/health?deep=1")

            (fault,) = [check for check in told.body["checks"] if not check["ok"]]
            assert (told.status, told.body["status"]) == (503, "failing")
            assert (fault["name"], fault["verdict"]) == ("permission", "fail")
            assert "Microsoft.Network/privateEndpoints/write" in fault["sentence"]
            assert f"az role assignment create --assignee-object-id '{APP}'" in fault["fix"]

    tell(story())


def test_what_could_not_be_looked_at_or_only_warns_is_no_failure() -> None:
    async def story() -> None:
        house = House(subnet_prefix="10.0.1.0/28")
        grant(house, tuple(GRANTED), ("Microsoft.EventGrid/systemTopics/read",))
        async with house:
            told = await door(house).get("/api/health?deep=1")

            assert told.status == 200
            verdicts = [check["verdict"] for check in told.body["checks"] if not check["ok"]]
            assert sorted(verdicts) == ["unknown", "warn", "warn"]

    tell(story())


@pytest.mark.parametrize("deep", ["2", "-1", "yes", ""])
def test_only_zero_and_one_are_understood(deep: str) -> None:
    async def story() -> None:
        async with House() as house:
            assert (await door(house).get(f"/api/health?deep={deep}")).status == 400

    tell(story())


@pytest.mark.parametrize("verdict", Verdict)
def test_only_what_needs_nobody_is_ok(verdict: Verdict) -> None:
    check = check_of(Diagnosis(check="x", verdict=verdict, sentence="s", subject="y", fix="z"))

    assert check.ok is (verdict is Verdict.OK)
    assert (check.verdict, check.subject, check.fix) == (verdict.value, "y", "z")
