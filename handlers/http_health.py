"""Health: cheap, and one look at the state account at most; deep, everything that the policy needs of Azure."""

from datetime import timedelta
from hashlib import sha256

from handlers.doctor_runtime import doctor_of
from handlers.health_schemas import Check, Health
from handlers.runtime import Runtime
from shared.core.diagnosis import Diagnosis, Verdict
from shared.core.errors import InvalidPolicy, InvalidSettings, RegistryIsolationError
from shared.engine.deadline import within

VERSION = "0.1.0"
"""Of the app and of its API."""
PATIENCE = timedelta(seconds=5)
DEEP_PATIENCE = timedelta(seconds=60)
"""A deep look is cut off before the platform's front door does it (230 s, documentation of HTTP triggers)."""


async def health(app: Runtime, *, deep: bool = False) -> Health:
    """Whether the app's state can be reached; settings and policy were good enough to compose *app*."""
    checks = [Check(name="settings", ok=True), Check(name="policy", ok=True), await _state(app)]
    if deep:
        checks += await _examined(app)
    return Health(
        status="ok" if all(check.ok or check.verdict in {"warn", "unknown"} for check in checks) else "failing",
        version=VERSION,
        mode=app.policy.mode,
        policy_digest=sha256(app.policy.model_dump_json().encode()).hexdigest(),
        checks=checks,
    )


def not_composed(error: InvalidSettings | InvalidPolicy) -> Health:
    """The health of an app that is set up wrongly."""
    name = "settings" if isinstance(error, InvalidSettings) else "policy"
    return Health(status="failing", version=VERSION, checks=[Check(name=name, ok=False, sentence=error.sentence)])


async def _state(app: Runtime) -> Check:
    try:
        await within(PATIENCE, app.ledger.list_rows(limit=1), what="the app's own storage account")
    except RegistryIsolationError as error:
        return Check(name="state", ok=False, sentence=error.sentence)
    return Check(name="state", ok=True)


async def _examined(app: Runtime) -> list[Check]:
    try:
        found = await within(DEEP_PATIENCE, doctor_of(app).examine(), what="the deep look")
    except RegistryIsolationError as error:
        return [Check(name="doctor", ok=False, sentence=error.sentence, verdict="unknown")]
    return [check_of(each) for each in found]


def check_of(diagnosis: Diagnosis) -> Check:
    """One line of the doctor's on the wire."""
    return Check(
        name=diagnosis.check,
        ok=diagnosis.verdict is Verdict.OK,
        sentence=diagnosis.sentence,
        verdict=diagnosis.verdict.value,
        subject=diagnosis.subject,
        fix=diagnosis.fix,
    )
