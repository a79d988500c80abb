"""The doctor in a house, over the simulated Azure."""

from collections.abc import Sequence

from shared.cloud.arm_client import ArmClient
from shared.cloud.surroundings import ArmSurroundings
from shared.core.diagnosis import Diagnosis, Verdict
from shared.core.policy import IsolationPolicy
from shared.engine.doctor import Doctor, Patient
from tests.scenarios.house import APP, House, SimulatedCredential


def doctor_of(house: House, *, principal: str = APP, app: str = "", topic: str = "") -> Doctor:
    """Who examines the app of *house*, which must be open."""
    arm = ArmClient(credential=SimulatedCredential(house.azure, APP), cloud=house.cloud, transport=house.transport)
    patient = Patient(
        policy=IsolationPolicy.from_document(house.document),
        zone_table=house.cloud.zones,
        principal=principal,
        app=app,
        topic=topic,
    )
    return Doctor(patient, ArmSurroundings(arm, None, ""), house.plane, house.ledger)


def bad(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    return [each for each in diagnoses if each.verdict is not Verdict.OK]
