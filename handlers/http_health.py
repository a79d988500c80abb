"""Health: cheap, and one look at the state account at most."""

from datetime import timedelta
from hashlib import sha256

from handlers.http_schemas import Check, Health
from handlers.runtime import Runtime
from shared.core.errors import InvalidPolicy, InvalidSettings, RegistryIsolationError
from shared.engine.deadline import within

VERSION = "0.1.0"
"""Of the app and of its API."""
PATIENCE = timedelta(seconds=5)


async def health(app: Runtime) -> Health:
    """Whether the app's state can be reached; settings and policy were good enough to compose *app*."""
    checks = [Check(name="settings", ok=True), Check(name="policy", ok=True), await _state(app)]
    return Health(
        status="ok" if all(check.ok for check in checks) else "failing",
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
