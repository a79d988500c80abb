"""
Composes the doctor of what a process has, when somebody asks for a deep look.

Like `handlers.runtime`, this module composes; nothing else of it is of use before somebody asks.
"""

from typing import TYPE_CHECKING

from handlers.runtime import Runtime

if TYPE_CHECKING:
    from shared.engine.doctor import Doctor

# ruff: noqa: PLC0415 -- cold start: a process that nobody examines imports none of this

_APP = "/providers/microsoft.web/sites/"


def doctor_of(app: Runtime) -> "Doctor":
    """Who examines *app*."""
    from shared.cloud.surroundings import ArmSurroundings
    from shared.engine.doctor import Doctor, Patient

    settings = app.settings
    patient = Patient(
        policy=app.policy,
        zone_table=settings.azure.cloud.zones,
        principal=settings.azure.principal_id,
        app=settings.outcomes.source if _APP in settings.outcomes.source.lower() else "",
        topic=settings.outcomes.topic,
    )
    surroundings = ArmSurroundings(app.arm, app.account, settings.state.work_queue)
    return Doctor(patient, surroundings, app.services.plane, app.ledger)
